use super::*;
use proptest::prelude::*;

/// What the other implementation of the vocabularies counts, for the whole text at once.
fn peer(encoding: Encoding, text: &str) -> u64 {
    let peer = match encoding {
        Encoding::O200kBase => tiktoken_rs::o200k_base_singleton(),
        Encoding::Cl100kBase => tiktoken_rs::cl100k_base_singleton(),
    };
    peer.encode_ordinary(text).len() as u64
}

#[test]
fn counts_are_those_of_the_other_implementation() {
    let texts = [
        "",
        " ",
        "hello world",
        "Hello, World! It's 2026; they'll've said 1234567890.",
        "fn main() {\n    println!(\"{}\", x);\n}\n\n\n",
        "\t\t  \r\n \n x  y   ",
        "https://example.com/a/b?c=d&e=f#g",
        "今天天气很好。我们去公园吧！",
        "こんにちは、世界。ﾊﾝｶｸ ＡＢＣ１２３",
        "Привет, мир! Ça va? Ωμέγα naïve Straße İstanbul",
        "👩‍👩‍👧‍👦 🇩🇪 e\u{301} \u{200b}\u{feff}\u{0}",
        "<|endoftext|> is text <|im_start|>",
        "camelCaseAndPascalCase SCREAMING_SNAKE XMLHttpRequest ABCdefGHI",
    ];
    for encoding in Encoding::ALL {
        for text in texts {
            assert_eq!(encoding.count(text), peer(encoding, text), "{encoding}: {text:?}");
        }
    }
}

#[test]
fn published_counts_are_met() {
    // From the documentation of the vocabularies' publisher.
    for (encoding, text, tokens) in [
        (Encoding::Cl100kBase, "tiktoken is great!", 6),
        (Encoding::O200kBase, "antidisestablishmentarianism", 6),
        (Encoding::Cl100kBase, "antidisestablishmentarianism", 6),
        (Encoding::Cl100kBase, "2 + 2 = 4", 7),
        (Encoding::O200kBase, "2 + 2 = 4", 7),
        (Encoding::Cl100kBase, "お誕生日おめでとう", 9),
        (Encoding::O200kBase, "お誕生日おめでとう", 8),
    ] {
        assert_eq!(encoding.count(text), tokens, "{encoding}: {text}");
    }
}

#[test]
fn no_segment_is_larger_than_the_limit_whatever_the_text_and_none_is_small_but_the_last() {
    let one_mebibyte = |unit: &str| unit.repeat((1 << 20) / unit.len());
    for unit in
        ["a", "A", " ", "\n", "\n ", ".", "0", "é", "語", "👩‍👩", "a b ", "aA", "ab'", " \u{a0}", "word after word "]
    {
        let text = one_mebibyte(unit);
        let cut: Vec<_> = segments(&text).collect();
        assert_eq!(cut.concat(), text, "{unit:?}");
        assert!(cut.iter().all(|segment| segment.len() <= SEGMENT), "{unit:?}");
        let (_, but_last) = cut.split_last().unwrap();
        assert!(but_last.iter().all(|segment| segment.len() >= SEGMENT / 2 - 4), "{unit:?}");
    }
}

#[test]
fn a_text_of_one_letter_is_counted_to_within_a_few_tokens_a_segment() {
    for unit in ["a", " ", "é", "="] {
        let text = unit.repeat(100_000 / unit.len());
        let segments = (text.len() / SEGMENT + 1) as u64;
        for encoding in Encoding::ALL {
            let (ours, whole) = (encoding.count(&text), encoding.words().count(&text) as u64);
            assert!(ours.abs_diff(whole) <= 4 * segments, "{encoding} {unit:?}: {ours}, not {whole}");
        }
    }
}

proptest! {
    #[test]
    fn any_text_is_counted_as_the_other_implementation_counts_it(text in "\\PC{0,80}|[ \\r\\n\\ta-zA-Z0-9'./é語]{0,80}") {
        for encoding in Encoding::ALL {
            prop_assert_eq!(encoding.count(&text), peer(encoding, &text), "{} {:?}", encoding, text);
        }
    }

    #[test]
    fn a_text_has_no_more_tokens_than_bytes_and_none_only_if_it_is_empty(text in any::<String>()) {
        for encoding in Encoding::ALL {
            let count = encoding.count(&text);
            prop_assert!(count <= text.len() as u64);
            prop_assert_eq!(count == 0, text.is_empty());
        }
    }

    #[test]
    fn a_cut_before_a_word_changes_no_count(before in "\\PC{0,40}[a-zA-Z]", after in "[a-zA-Z]\\PC{0,40}") {
        for encoding in Encoding::ALL {
            let parts = encoding.count(&before) + encoding.count(&format!(" {after}"));
            prop_assert_eq!(encoding.count(&format!("{before} {after}")), parts);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn long_prose_is_counted_in_segments_as_it_is_in_one(words in proptest::collection::vec("[a-zA-Z'é,.]{1,12}", 4_000..6_000)) {
        let text = words.join(" ");
        for encoding in Encoding::ALL {
            prop_assert_eq!(encoding.count(&text), encoding.words().count(&text) as u64);
        }
    }
}
