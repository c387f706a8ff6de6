//! Secrets in every surrounding, what looks like one and is none, and both however a stream is cut.
#![allow(clippy::indexing_slicing, reason = "indexes into the tables of this file")]

use tollgate_pii_redactor::{Redactor, Stream};

fn redact(text: &str) -> String {
    Redactor::default().redact_text(text).0.unwrap_or_else(|| text.to_owned())
}

thread_local! {
    static SEED: std::cell::Cell<u64> = const { std::cell::Cell::new(0x9E37_79B9_7F4A_7C15) };
}

/// Characters of an alphabet as a generator with a fixed seed draws them. No issuer gave them to anybody.
fn drawn(alphabet: &str, length: usize) -> String {
    let letters: Vec<char> = alphabet.chars().collect();
    let mut state = SEED.get() ^ length as u64;
    let mut draw = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        letters[usize::try_from(state >> 33).unwrap_or(0) % letters.len()]
    };
    (0..length).map(|_| draw()).collect()
}

fn plain(length: usize) -> String {
    drawn("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", length)
}

fn url(length: usize) -> String {
    // The last character is no sign, so that a sentence may follow.
    drawn("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", length - 1) + "k"
}

fn hex(length: usize) -> String {
    drawn("0123456789abcdef", length)
}

fn upper(length: usize) -> String {
    drawn("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", length)
}

fn digits(length: usize) -> String {
    drawn("0123456789", length)
}

/// Keys as their vendors publish the form.
fn keys() -> Vec<(&'static str, String)> {
    vec![
        ("AWS_ACCESS_KEY", format!("AKIA{}", upper(16))),
        ("AWS_ACCESS_KEY", format!("ASIA{}", upper(16))),
        ("GCP_API_KEY", format!("AIzaSy{}", url(33))),
        ("GOOGLE_OAUTH_SECRET", format!("GOCSPX-{}", url(28))),
        ("GOOGLE_OAUTH_TOKEN", format!("ya29.{}", url(120))),
        ("AZURE_CLIENT_SECRET", format!("{}8Q~{}", plain(3), plain(34))),
        ("ALIBABA_KEY", format!("LTAI{}", plain(20))),
        ("TENCENT_KEY", format!("AKID{}", plain(32))),
        ("DIGITALOCEAN_TOKEN", format!("dop_v1_{}", hex(64))),
        ("DATABRICKS_TOKEN", format!("dapi{}", hex(32))),
        ("GITHUB_TOKEN", format!("ghp_{}", plain(36))),
        ("GITHUB_TOKEN", format!("ghs_{}", plain(36))),
        ("GITHUB_TOKEN", format!("github_pat_{}_{}", plain(22), plain(59))),
        ("GITLAB_PAT", format!("glpat-{}", url(20))),
        ("GITLAB_TOKEN", format!("glrt-{}", url(20))),
        ("ATLASSIAN_TOKEN", format!("ATATT3xFfGF0{}={}", url(171), upper(8))),
        ("NPM_TOKEN", format!("npm_{}", plain(36))),
        ("PYPI_TOKEN", format!("pypi-AgEIcHlwaS5vcmc{}", url(150))),
        ("RUBYGEMS_TOKEN", format!("rubygems_{}", hex(48))),
        ("VAULT_TOKEN", format!("hvs.{}", url(90))),
        ("TERRAFORM_TOKEN", format!("{}.atlasv1.{}", plain(14), url(67))),
        ("DOPPLER_TOKEN", format!("dp.pt.{}", plain(43))),
        ("AGE_SECRET_KEY", format!("AGE-SECRET-KEY-1{}", upper(58))),
        ("ONEPASSWORD_TOKEN", format!("A3-{}-{}-{}-{}-{}", upper(6), upper(11), upper(5), upper(5), upper(5))),
        ("OPENAI_KEY", format!("sk-{}T3BlbkFJ{}", plain(20), plain(20))),
        ("OPENAI_KEY", format!("sk-proj-{}T3BlbkFJ{}", url(74), url(74))),
        ("OPENAI_KEY", format!("sk-svcacct-{}T3BlbkFJ{}", url(58), url(58))),
        ("ANTHROPIC_KEY", format!("sk-ant-api03-{}AA", url(93))),
        ("ANTHROPIC_KEY", format!("sk-ant-admin01-{}AA", url(93))),
        ("OPENROUTER_KEY", format!("sk-or-v1-{}", hex(64))),
        ("LLM_KEY", format!("sk-{}", hex(32))),
        ("LLM_KEY", format!("sk-{}", plain(48))),
        ("LLM_KEY", format!("bce-v3/ALTAK-{}/{}", plain(21), hex(40))),
        ("XAI_KEY", format!("xai-{}", plain(80))),
        ("GROQ_KEY", format!("gsk_{}", plain(52))),
        ("PERPLEXITY_KEY", format!("pplx-{}", plain(48))),
        ("HF_TOKEN", format!("hf_{}", plain(34))),
        ("REPLICATE_TOKEN", format!("r8_{}", plain(37))),
        ("NVIDIA_KEY", format!("nvapi-{}", url(64))),
        ("ZHIPU_KEY", format!("{}.{}", hex(32), plain(16))),
        ("SLACK_TOKEN", format!("xoxb-{}-{}-{}", digits(12), digits(13), plain(24))),
        ("SLACK_TOKEN", format!("xoxp-{}-{}-{}-{}", digits(11), digits(12), digits(13), hex(32))),
        ("SLACK_TOKEN", format!("xapp-1-A{}-{}-{}", upper(10), digits(13), hex(64))),
        ("SENDGRID_KEY", format!("SG.{}.{}", url(22), url(43))),
        ("TWILIO_KEY", format!("SK{}", hex(32))),
        ("TELEGRAM_TOKEN", format!("{}:AA{}", digits(10), url(33))),
        ("DISCORD_TOKEN", format!("M{}.{}.{}", plain(25), plain(6), url(38))),
        ("MAILGUN_KEY", format!("key-{}", hex(32))),
        ("MAILCHIMP_KEY", format!("{}-us12", hex(32))),
        ("STRIPE_KEY", format!("sk_live_{}", plain(24))),
        ("STRIPE_KEY", format!("rk_test_{}", plain(99))),
        ("SHOPIFY_TOKEN", format!("shpat_{}", hex(32))),
        ("SQUARE_TOKEN", format!("sq0atp-{}", url(22))),
        ("GRAFANA_TOKEN", format!("glsa_{}_{}", plain(32), hex(8))),
        ("SENTRY_TOKEN", format!("sntryu_{}", hex(64))),
        ("NEW_RELIC_KEY", format!("NRAK-{}", upper(27))),
        ("DYNATRACE_TOKEN", format!("dt0c01.{}.{}", upper(24), upper(64))),
        ("POSTMAN_KEY", format!("PMAK-{}-{}", hex(24), hex(34))),
        ("LINEAR_KEY", format!("lin_api_{}", plain(40))),
        ("NOTION_TOKEN", format!("ntn_{}{}", digits(11), plain(35))),
        ("AIRTABLE_TOKEN", format!("pat{}.{}", plain(14), hex(64))),
        ("PULUMI_TOKEN", format!("pul-{}", hex(40))),
        ("API_KEY", format!("shippo_live_{}", hex(40))),
        ("JWT", format!("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiI3In0.{}", url(43))),
        ("JWT", format!("eyJraWQiOiJrMSIsImFsZyI6IlJTMjU2In0.{}.{}", url(200), url(342))),
        ("JWT", format!("eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0..{}.{}.{}", url(16), url(80), url(22))),
    ]
}

#[test]
fn keys_of_vendors_are_found_in_every_surrounding() {
    for (kind, key) in keys() {
        for (before, after) in [
            ("", ""),
            ("密钥", "，勿外传"),
            ("用", "。"),
            ("const k = \"", "\";"),
            ("use ", ", please"),
            ("It is ", ". Next"),
            ("(", ")"),
            ("{\"k\": \"", "\"}"),
            ("TOKEN=", "\n"),
            ("api_key: '", "'"),
            ("Authorization: Bearer ", "\n"),
            ("http://localhost/a?token=", "&b=1"),
        ] {
            let text = format!("{before}{key}{after}");
            assert_eq!(redact(&text), format!("{before}<{kind}>{after}"), "{text}");
        }
    }
}

/// One draw may hide what a rule refuses now and then.
#[test]
fn nearly_all_keys_that_a_vendor_may_draw_are_found() {
    let mut by_form: Vec<(String, usize)> = Vec::new();
    let draws: u64 = if cfg!(debug_assertions) { 60 } else { 400 };
    for draw in 1..=draws {
        SEED.set(draw.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1 << 63);
        for (form, (kind, key)) in keys().into_iter().enumerate() {
            let found = redact(&format!("用 {key}，")) == format!("用 <{kind}>，");
            if by_form.len() <= form {
                by_form.push((format!("{kind} {}", key.get(..12).unwrap_or(&key)), 0));
            }
            by_form[form].1 += usize::from(found);
        }
    }
    for (form, found) in &by_form {
        println!("  {form:40} {found} of {draws}");
    }
    let all: usize = by_form.iter().map(|(_, found)| found).sum();
    assert!(all * 1_000 >= by_form.len() * usize::try_from(draws).unwrap() * 995, "{all}");
}

/// What is replaced by what.
fn named() -> Vec<(String, String)> {
    let key = plain(32);
    let (hex, base64) = (hex(32), plain(39) + "/");
    let storage = plain(86) + "==";
    let rows: &[(&str, &str)] = &[
        // Settings, code, JSON, YAML, XML.
        ("DB_PASSWORD=hunterpass\n", "DB_PASSWORD=<PASSWORD>\n"),
        ("export PGPASSWORD='Tr0ub4dor&3'", "export PGPASSWORD='<PASSWORD>'"),
        ("password = \"correcthorse\"", "password = \"<PASSWORD>\""),
        ("{\"password\":\"Zx9!kQ\"}", "{\"password\":\"<PASSWORD>\"}"),
        ("{\"user\": \"ann\", \"pwd\": \"Zx9kQ7\"}", "{\"user\": \"ann\", \"pwd\": \"<PASSWORD>\"}"),
        (
            "[{\"arguments\":\"{\\\"password\\\":\\\"Zx9!kQ\\\"}\"}]",
            "[{\"arguments\":\"{\\\"password\\\":\\\"<PASSWORD>\\\"}\"}]",
        ),
        ("  password: hunterpass\n", "  password: <PASSWORD>\n"),
        ("<password>Zx9!kQ</password>", "<password><PASSWORD></password>"),
        ("<add key=\"Password\" value=\"Zx9!kQ\" />", "<add key=\"Password\" value=\"<PASSWORD>\" />"),
        ("- name: DB_PASSWORD\n  value: \"Zx9!kQ\"", "- name: DB_PASSWORD\n  value: \"<PASSWORD>\""),
        ("$config['password'] = 'Zx9!kQ';", "$config['password'] = '<PASSWORD>';"),
        ("'passwd' => 'Zx9!kQ',", "'passwd' => '<PASSWORD>',"),
        ("api_key = \"{hex}\"", "api_key = \"<API_KEY>\""),
        ("facebook_secret: '{hex}'", "facebook_secret: '<API_KEY>'"),
        ("X-Api-Key: {key}\n", "X-Api-Key: <API_KEY>\n"),
        ("const clientSecret = '{key}';", "const clientSecret = '<API_KEY>';"),
        (
            "//registry.npmjs.org/:_authToken=9f2c4e7a-1b3d-5068-9f2c-4e7a1b3d5068",
            "//registry.npmjs.org/:_authToken=<API_KEY>",
        ),
        (
            "{\"auths\":{\"r.internal\":{\"auth\":\"YW5uOlp4OSFrUTc0cGFzcw==\"}}}",
            "{\"auths\":{\"r.internal\":{\"auth\":\"<API_KEY>\"}}}",
        ),
        ("oauth_token={key}&oauth_token_secret={hex}", "oauth_token=<API_KEY>&oauth_token_secret=<API_KEY>"),
        ("access_token={key}&x=1", "access_token=<API_KEY>&x=1"),
        ("aws_secret_access_key = {base64}\n", "aws_secret_access_key = <AWS_SECRET_KEY>\n"),
        ("\"SecretAccessKey\": \"{base64}\"", "\"SecretAccessKey\": \"<AWS_SECRET_KEY>\""),
        (
            "AccountName=a;AccountKey={storage};EndpointSuffix=x",
            "AccountName=a;AccountKey=<AZURE_STORAGE_KEY>;EndpointSuffix=x",
        ),
        ("Server=db;User Id=sa;Password=Zx9!kQ7;Encrypt=True", "Server=db;User Id=sa;Password=<PASSWORD>;Encrypt=True"),
        (
            "jdbc:postgresql://db/x?user=a&password=Zx9kQ7&ssl=true",
            "jdbc:postgresql://db/x?user=a&password=<PASSWORD>&ssl=true",
        ),
        // Headers and commands.
        ("Authorization: Basic YW5uOlp4OSFrUTc=", "Authorization: Basic <AUTHORIZATION>"),
        ("\"Authorization\": \"Bearer {key}\"", "\"Authorization\": \"Bearer <AUTHORIZATION>\""),
        ("curl -u ann:Zx9!kQ7 http://localhost/", "curl -u ann:<PASSWORD> http://localhost/"),
        ("curl --user \"ann:Zx9!kQ7\" http://localhost/", "curl --user \"ann:<PASSWORD>\" http://localhost/"),
        // URLs.
        ("postgres://ann:Zx9kQ7@db.internal:5432/app", "postgres://ann:<URL_CREDENTIAL>@db.internal:5432/app"),
        (
            "mongodb+srv://ann:Zx9!kQ7@cluster0.example.com/x",
            "mongodb+srv://ann:<URL_CREDENTIAL>@cluster0.example.com/x",
        ),
        ("redis://:Zx9kQ7vv@cache:6379/0", "redis://:<URL_CREDENTIAL>@cache:6379/0"),
        ("amqp://svc:p@ss9!x@mq.internal", "amqp://svc:<URL_CREDENTIAL>@mq.internal"),
        ("https://hooks.slack.com/services/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", "<SLACK_WEBHOOK>"),
        // Prose.
        ("Password: hunter2.", "Password: <PASSWORD>."),
        ("**Password:** `hunter2`", "**Password:** `<PASSWORD>`"),
        ("the password is hunter2, ok?", "the password is <PASSWORD>, ok?"),
        ("my api token is {hex}\nplease rotate it", "my api token is <API_KEY>\nplease rotate it"),
        ("password=q(9Z&kX!7v", "password=<PASSWORD>"),
        ("DB_PASSWORD=$k9q!Xz7w\n", "DB_PASSWORD=<PASSWORD>\n"),
        ("密码是Shanghai_3410。", "密码是<PASSWORD>。"),
        ("(password: Zx9!kQ7)", "(password: <PASSWORD>)"),
        ("connect(user, password=Zx9!kQ7)", "connect(user, password=<PASSWORD>)"),
        ("密码：Zx9kQ7，请勿外传", "密码：<PASSWORD>，请勿外传"),
        ("登录密码是Zx9kQ7。", "登录密码是<PASSWORD>。"),
        ("密码Abc@12345，请修改", "密码<PASSWORD>，请修改"),
        ("密码：“Zx9!kQ”", "密码：“<PASSWORD>”"),
        ("账号admin，密码 admin@123456", "账号admin，密码 <PASSWORD>"),
        ("log in with password Tr0ub4dor&3 please", "log in with password <PASSWORD> please"),
        ("sent Bearer {key} to it", "sent Bearer <AUTHORIZATION> to it"),
        ("API Key是{key}。", "API Key是<API_KEY>。"),
        ("口令: 'Zx9!kQ'", "口令: '<PASSWORD>'"),
        ("密钥：{key}；", "密钥：<API_KEY>；"),
        ("访问令牌为{key}，有效期一天", "访问令牌为<API_KEY>，有效期一天"),
    ];
    let fill = |text: &str| {
        text.replace("{hex}", &hex).replace("{key}", &key).replace("{base64}", &base64).replace("{storage}", &storage)
    };
    rows.iter().map(|(given, expected)| (fill(given), (*expected).to_owned())).collect()
}

#[test]
fn what_a_name_announces_is_found() {
    for (given, expected) in named() {
        assert_eq!(redact(&given), expected, "{given}");
    }
}

#[test]
fn private_keys_are_found_whole() {
    let line = plain(64);
    let key = format!("-----BEGIN RSA PRIVATE KEY-----\n{line}\n{line}\n-----END RSA PRIVATE KEY-----");
    let pgp = format!(
        "-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: GnuPG v2\n\n{line}\n=aB3x\n-----END PGP PRIVATE KEY BLOCK-----"
    );
    let cut_off = format!("-----BEGIN OPENSSH PRIVATE KEY-----\n{line}\n{line}");
    for text in [key.clone(), pgp, cut_off, key.replace('\n', "\\n"), key.replace('\n', " ")] {
        assert_eq!(redact(&format!("see {text} end").replace("\n end", " end")), "see <PRIVATE_KEY> end", "{text}");
    }
    let json = serde_json::json!([{ "private_key": key }]).to_string();
    assert_eq!(redact(&json), r#"[{"private_key":"<PRIVATE_KEY>"}]"#);
}

/// What is no secret: code about passwords, types, documentation, stand-ins, identifiers, hashes, names.
const NOTHING: &[&str] = &[
    // Code and types.
    "password: str",
    "def login(user: str, password: str) -> Token:",
    "password = os.environ[\"DB_PASSWORD\"]",
    "token = os.environ.get('API_TOKEN')",
    "const token = process.env.GITHUB_TOKEN;",
    "password = md5(user1, salt2)",
    "password: $db_password1",
    "password = &args.password2",
    "{\"password\": values[0]}",
    "password=str(row[2])",
    "password = getpass.getpass(prompt=\"Password: \")",
    "let secret = config.secret.clone();",
    "self.password = password",
    "user.password_hash == hash(password)",
    "if (password.length < 8) return false;",
    "interface Login { user: string; password: string; }",
    "type Credentials = { token?: string | null }",
    "password varchar(255) NOT NULL",
    "client_secret = var.client_secret",
    "api_key=api_key, timeout=30",
    "connect(host=host, password=new_password2)",
    "tokens = tokenizer.encode(text)",
    "tokenizer.pad_token = tokenizer.eos_token",
    "\"eos_token\": \"<|endoftext|>\"",
    "max_tokens=4096, stop_token: 50256",
    "let token: Token = lexer.next_token();",
    "private_key = load_pem_private_key(data, None)",
    "auth: { type: 'oauth2' }",
    "std::env::var(\"SECRET_KEY\")?",
    "passwordField.setText(\"Enter your password\");",
    "<input type=\"password\" name=\"password\" placeholder=\"Password\">",
    "<label for=\"password\">Password</label>",
    "\"forgot_password\": \"Forgot password?\"",
    "\"password\": \"Passwort\"",
    "{\"type\": \"string\", \"format\": \"password\"}",
    "{\"password\": {\"type\": \"string\", \"minLength\": 8}}",
    // Variables and templates.
    "password: ${DB_PASSWORD}",
    "DB_PASSWORD=$(cat /run/secrets/db)",
    "password: {{ .Values.db.password }}",
    "token: ${{ secrets.GITHUB_TOKEN }}",
    "PASSWORD=%DB_PASSWORD%",
    "api_key: <your-api-key>",
    "Authorization: Bearer <token>",
    "Authorization: Bearer ${TOKEN}",
    "headers = {\"Authorization\": f\"Bearer {token}\"}",
    "curl -u $USER:$PASSWORD http://localhost/",
    "curl -u user:password http://localhost/",
    "docker run -u 1000:1000 image",
    "postgres://user:password@localhost/db",
    "postgres://${USER}:${PASSWORD}@db/app",
    "https://user:xxx@localhost/",
    "https://<user>:<password>@localhost/",
    "mysql://root:***@db/app",
    "git clone ssh://git@localhost:2222/a/b.git",
    "http://localhost:8080/a@b",
    // Stand-ins of documentation.
    "AKIAIOSFODNN7EXAMPLE",
    "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "API_KEY=YOUR_API_KEY",
    "OPENAI_API_KEY=sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "token = \"insert-your-token-here\"",
    "password=changeme",
    "password: ********",
    "\"api_key\": \"1234567890abcdef1234567890abcdef\"",
    "sk-ant-api03-...",
    "secret: null",
    "password: true",
    "SECRET_KEY=",
    // Prose.
    "The password is required.",
    "Your password: must be at least 8 characters",
    "The token is a JWT2 token",
    "a password is sha256 hashed",
    "Passwords are stored with bcrypt.",
    "Token: the unit of text that a model reads",
    "密码：至少八位，含数字",
    "密码是必填项",
    "密码MD5加密后存入数据库",
    "密码Base64编码，密码8位以上",
    "use password123 as a bad example of a password",
    "\"AWS::IAM::AccessKey\": \"62d91b17309e76c8\"",
    "arn:aws:secretsmanager:us-west-2:123456789123:secret:proxy1-Abcd1e",
    "\"IdempotencyToken\": \"527c5358-2a1a-4b9e-b1b9-7293b0ddff42\"",
    "let secret = b\"\\x9b\\xbe\\x43\\x6b\\xa9\\x40\";",
    "single_pass: \"fast42x\"",
    "请输入密码：",
    "令牌用量：1024",
    // Identifiers, hashes, names of packages and files.
    "commit 3f2a9c1e5b7d8f60a4c2e1b3d5f7a9c8e0b2d4f6",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "sk-learn-contrib-extras",
    "pip install scikit-learn task-queue-sk-utils",
    "csrf_token: 9f2c4e7a1b3d5068ac41",
    "next_page_token: CAUQAA9f2c4e7a1b3d5068",
    "next_token = \"abc\"",
    "primary_key: 9f2c4e7a-1b3d-5068-ac41-0242ac130003",
    "idempotency-key: 9f2c4e7a-1b3d-5068-ac41-0242ac130003",
    "public_key = \"Qm7RtZ2xWc9KpL4vQm7RtZ2xWc9KpL4v\"",
    "s.thisIsAMethodCallOnAnObj",
    "resource \"aws_iam_access_key\" \"ci\" {}",
    "font/Roboto-Bold-webfont_v2-hf_icons.woff2",
    "eyJ is how a header begins",
    "eyJmb28iOiJiYXIifQ.eyJ4IjoxfQ.sig",
    "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A\n-----END PUBLIC KEY-----",
    "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----",
    "grep -r \"BEGIN RSA PRIVATE KEY\" .",
    "compass: north-east",
    "PASS: test_foo2",
    "--sasl-password=projects/12345/secrets/my-sasl-secret/versions/1",
    "\"encryptionKey\": \"arn:aws:kms:eu-west-1:123456789012:alias/aws/s3\"",
    "{\"x-session-token\": self.IMDSV2_SESSION_TOKEN}",
    "const X509_SIG *SAFEBAG_get0_pkcs8(const SAFEBAG *bag);",
    "runs faster than a two-pass memchr2+SWAR loop; pass base_1=False for it",
    "token: \"cl100k_base\"",
    "model_token = \"gpt-4o-mini-2024\"",
    "monkey=banana42x",
    "a == b; c => d; e -> f; g >= h; i != j",
];

#[test]
fn what_is_no_secret_stays() {
    let hit: Vec<_> = NOTHING.iter().filter(|text| redact(text) != **text).map(|text| (text, redact(text))).collect();
    assert!(hit.is_empty(), "{} of {}: {hit:#?}", hit.len(), NOTHING.len());
}

#[test]
fn a_stream_makes_no_difference() {
    let redactor = Redactor::default();
    let keys = keys().into_iter().map(|(_, key)| format!("密钥{key}，and {key}. Next"));
    let texts = keys.chain(named().into_iter().map(|row| row.0)).chain(NOTHING.iter().map(|text| (*text).to_owned()));
    for text in texts {
        let expected = redact(&text);
        if text.starts_with(['{', '[']) {
            continue;
        }
        for place in (0..=text.len()).filter(|place| text.is_char_boundary(*place)) {
            let mut conversation = redactor.conversation();
            let mut stream = Stream::text();
            let mut given = stream.push(&redactor, &mut conversation, &text[..place]).text;
            given += &stream.push(&redactor, &mut conversation, &text[place..]).text;
            given += &stream.finish(&redactor, &mut conversation).text;
            assert_eq!(given, expected, "{text} cut at {place}");
        }
        let mut conversation = redactor.conversation();
        let mut stream = Stream::text();
        let mut given = String::new();
        for character in text.chars() {
            given += &stream.push(&redactor, &mut conversation, character.encode_utf8(&mut [0; 4])).text;
        }
        given += &stream.finish(&redactor, &mut conversation).text;
        assert_eq!(given, expected, "{text} in characters");
    }
}
