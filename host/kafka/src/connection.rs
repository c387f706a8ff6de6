//! How brokers are reached: addresses, TLS, SASL.

use krafka::Kafka;
use krafka::auth::{AuthConfig, TlsConfig};
use std::time::Duration;

/// How old may be what is known of topics and partitions.
const METADATA_AGE: Duration = Duration::from_secs(60);

/// How brokers are reached.
#[derive(Clone, PartialEq, Eq)]
pub struct Connection {
    /// Brokers that are asked first, as `host:port`; they name the others.
    pub brokers: Vec<String>,
    /// What requests say of who sends them.
    pub client_id: String,
    /// TLS; none without it.
    pub tls: Option<Tls>,
    /// Who logs in; nobody without it.
    pub sasl: Option<Sasl>,
    /// Longest that one request may take.
    pub timeout: Duration,
}

/// TLS, with what its files hold, in PEM.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Tls {
    /// Authorities to trust in the place of the system's.
    pub authorities: Option<Vec<u8>>,
    /// The client's certificate and its key.
    pub identity: Option<(Vec<u8>, Vec<u8>)>,
    /// The name that a broker's certificate has to have, where it is another than its address.
    pub server_name: Option<String>,
}

/// A name and a password.
#[derive(Clone, PartialEq, Eq)]
pub struct Sasl {
    /// How they are shown to the broker.
    pub mechanism: Mechanism,
    /// The name.
    pub username: String,
    /// The password.
    pub password: String,
}

/// A mechanism of SASL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mechanism {
    /// RFC 4616: as they are, so only within TLS.
    Plain,
    /// RFC 7677.
    ScramSha256,
    /// The same with SHA-512.
    ScramSha512,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection")
            .field("brokers", &self.brokers)
            .field("client_id", &self.client_id)
            .field("tls", &self.tls.is_some())
            .field("sasl", &self.sasl.as_ref().map(|sasl| sasl.mechanism))
            .finish_non_exhaustive()
    }
}

impl Connection {
    /// Asks the first brokers for the others.
    pub(crate) async fn open(&self) -> krafka::Result<Kafka> {
        let mut builder = Kafka::builder(self.brokers.join(","))
            .client_id(&self.client_id)
            .request_timeout(self.timeout)
            // Topics and partitions that are new are found within this time.
            .metadata_max_age(METADATA_AGE)
            .connect_timeout(self.timeout.min(Duration::from_secs(10)));
        if let Some(security) = self.security() {
            builder = builder.security(security);
        }
        builder.connect().await
    }

    fn security(&self) -> Option<AuthConfig> {
        let login = self.sasl.as_ref().map(|sasl| match sasl.mechanism {
            Mechanism::Plain => AuthConfig::sasl_plain(&sasl.username, &sasl.password),
            Mechanism::ScramSha256 => AuthConfig::sasl_scram_sha256(&sasl.username, &sasl.password),
            Mechanism::ScramSha512 => AuthConfig::sasl_scram_sha512(&sasl.username, &sasl.password),
        });
        match (login, &self.tls) {
            (Some(login), Some(tls)) => Some(login.with_tls(tls.config())),
            (None, Some(tls)) => Some(AuthConfig::ssl(tls.config())),
            (login, None) => login,
        }
    }
}

impl Tls {
    fn config(&self) -> TlsConfig {
        let mut config = match &self.authorities {
            Some(pem) => TlsConfig::new().with_ca_cert_pem(pem.clone()),
            None => TlsConfig::new().with_native_roots(),
        };
        if let Some((certificate, key)) = &self.identity {
            config = config.with_client_cert_pem(certificate.clone(), key.clone());
        }
        match &self.server_name {
            Some(name) => config.with_sni_hostname(name),
            None => config,
        }
    }
}

/// What is wrong with the address of a broker; nothing where it is `host:port`.
#[must_use]
pub fn check_brokers(address: &str) -> Option<&'static str> {
    if address.contains("://") {
        return Some("is a URL; write host:port");
    }
    let Some((host, port)) = address.rsplit_once(':') else { return Some("has no port; write host:port") };
    let is_host = !host.is_empty()
        && (!host.contains(':') || (host.starts_with('[') && host.ends_with(']')))
        && !host.contains([' ', ',', '/']);
    match port.parse::<u16>() {
        Ok(port) if port > 0 && is_host => None,
        _ => Some("is not host:port"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use krafka::auth::{SaslMechanism, SecurityProtocol};

    #[test]
    fn addresses_of_brokers() {
        for (address, is_one) in [
            ("localhost:9092", true),
            ("kafka-0.kafka.svc:9092", true),
            ("[::1]:9092", true),
            ("::1:9092", false),
            ("localhost", false),
            ("localhost:", false),
            (":9092", false),
            ("localhost:0", false),
            ("localhost:99999", false),
            ("a:1,b:2", false),
            ("kafka://localhost:9092", false),
        ] {
            assert_eq!(check_brokers(address).is_none(), is_one, "{address}");
        }
    }

    #[test]
    fn tls_and_sasl_are_what_is_asked_for() {
        let connection = |tls: bool, mechanism: Option<Mechanism>| Connection {
            brokers: vec!["localhost:9092".to_owned()],
            client_id: "tollgate".to_owned(),
            tls: tls.then(Tls::default),
            sasl: mechanism.map(|mechanism| Sasl {
                mechanism,
                username: "me".to_owned(),
                password: "secret".to_owned(),
            }),
            timeout: Duration::from_secs(1),
        };
        assert!(connection(false, None).security().is_none());
        for (tls, mechanism, protocol, sasl) in [
            (true, None, SecurityProtocol::Ssl, None),
            (false, Some(Mechanism::Plain), SecurityProtocol::SaslPlaintext, Some(SaslMechanism::Plain)),
            (true, Some(Mechanism::Plain), SecurityProtocol::SaslSsl, Some(SaslMechanism::Plain)),
            (true, Some(Mechanism::ScramSha256), SecurityProtocol::SaslSsl, Some(SaslMechanism::ScramSha256)),
            (true, Some(Mechanism::ScramSha512), SecurityProtocol::SaslSsl, Some(SaslMechanism::ScramSha512)),
        ] {
            let connection = connection(tls, mechanism);
            let security = connection.security().unwrap();
            assert_eq!((security.security_protocol(), security.sasl_mechanism()), (&protocol, sasl.as_ref()));
            assert!(!format!("{connection:?}").contains("secret"), "no password in logs");
        }
    }
}
