//! A secret is planted into any text, standing by itself: it is never in what goes on.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tollgate_pii_redactor::{Redactor, Stream};

const PLANTED: &[&str] = &[
    "ann.lee@example.com",
    "4111111111111111",
    "GB29NWBK60161331926819",
    "11010519491231002X",
    "ghp_a1B2c3D4e5F6g7H8i9J0kLmNoPqRsTuVwXyZ",
    "sk-ant-api03-a1B2c3D4e5F6g7H8i9J0kLmNoPqRsTuVwXyZ",
];

fuzz_target!(|given: (u8, u8, &str, &str)| {
    let (which, step, before, behind) = given;
    let planted = PLANTED[usize::from(which) % PLANTED.len()];
    // Blanks set it apart from what could make it a part of something else.
    let text = format!("{before}\n\n{planted}\n\n{behind}");
    if before.contains(planted) || behind.contains(planted) {
        return;
    }
    let redactor = Redactor::default();
    let (redacted, _) = redactor.redact_text(&text);
    assert!(redacted.is_some_and(|redacted| !redacted.contains(planted)));
    let mut conversation = redactor.conversation();
    let mut stream = Stream::text();
    let (mut written, mut from) = (String::new(), 0);
    while from < text.len() {
        let to = text.ceil_char_boundary((from + 1 + usize::from(step % 48)).min(text.len()));
        written.push_str(&stream.push(&redactor, &mut conversation, &text[from..to]).text);
        from = to;
    }
    written.push_str(&stream.finish(&redactor, &mut conversation).text);
    assert!(!written.contains(planted));
});
