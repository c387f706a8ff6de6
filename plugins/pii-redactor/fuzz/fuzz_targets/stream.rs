//! Any text, cut anywhere: the stream gives what the whole gives, and holds little.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tollgate_pii_redactor::{Redactor, Stream};

fuzz_target!(|given: (Vec<u8>, &str)| {
    let (steps, text) = given;
    let redactor = Redactor::default();
    let mut conversation = redactor.conversation();
    for json in [false, true] {
        let open = || if json { Stream::json() } else { Stream::text() };
        let mut whole = open();
        let mut expected = whole.push(&redactor, &mut conversation, text);
        let last = whole.finish(&redactor, &mut conversation);
        expected.text.push_str(&last.text);
        expected.findings.extend(last.findings);
        let mut stream = open();
        let (mut written, mut findings, mut from) = (String::new(), Vec::new(), 0);
        for step in steps.iter().cycle().take(if steps.is_empty() { 0 } else { text.len() }) {
            if from == text.len() {
                break;
            }
            let to = text.ceil_char_boundary(from + 1 + usize::from(step % 32));
            let piece = stream.push(&redactor, &mut conversation, &text[from..to]);
            written.push_str(&piece.text);
            findings.extend(piece.findings);
            from = to;
        }
        let piece = stream.push(&redactor, &mut conversation, &text[from..]);
        written.push_str(&piece.text);
        findings.extend(piece.findings);
        let last = stream.finish(&redactor, &mut conversation);
        written.push_str(&last.text);
        findings.extend(last.findings);
        assert_eq!(written, expected.text);
        assert_eq!(findings, expected.findings);
    }
});
