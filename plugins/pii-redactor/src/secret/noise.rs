//! Telling what was drawn at random from what people write: words, stand-ins and patterns.

/// Words that say that a value stands for another.
const STAND_INS: &[&[u8]] = &[
    b"example",
    b"sample",
    b"placeholder",
    b"changeme",
    b"change_me",
    b"change-me",
    b"your",
    b"redacted",
    b"dummy",
    b"replace",
    b"insert",
    b"goes-here",
    b"_here",
    b"-here",
    b"todo",
    b"xxxx",
    b"<",
    b"${",
    b"{{",
    b"...",
];

/// Followers of each letter that are frequent in English and in the names of programs.
const FOLLOWERS: [&[u8]; 26] = [
    b"bcdgilmnprstuvy",
    b"aeiloruy",
    b"acehiklorstu",
    b"adeilorsu",
    b"acdefglmnprstvwxy",
    b"aefiloru",
    b"aeghilnorsu",
    b"aeiortu",
    b"abcdefglmnoprstvz",
    b"aeou",
    b"einsy",
    b"adefiklmostuvy",
    b"abeimopsuy",
    b"acdefgiknostuv",
    b"abcdfgklmnoprstuvw",
    b"aehiloprstu",
    b"u",
    b"acdegiklmnorstuvy",
    b"acehiklmopqstuwy",
    b"aehilmorstuwy",
    b"abcdegilmnprst",
    b"aeio",
    b"aehinor",
    b"aceipt",
    b"emopst",
    b"aeio",
];

/// [`FOLLOWERS`] as a mask of letters for each letter.
const FREQUENT: [u32; 26] = {
    let mut masks = [0; 26];
    let mut letter = 0;
    #[expect(clippy::indexing_slicing, reason = "below the lengths, and evaluated by the compiler")]
    while letter < 26 {
        let mut place = 0;
        while place < FOLLOWERS[letter].len() {
            masks[letter] |= 1 << (FOLLOWERS[letter][place] - b'a');
            place += 1;
        }
        letter += 1;
    }
    masks
};

/// Whether the value is one that documentation writes: a word for it, one character again and again, or the alphabet.
pub(super) fn is_placeholder(value: &[u8]) -> bool {
    is_masked(value) || is_sequence(value)
}

/// Whether a password is one that documentation writes. People do count in passwords, but not only.
pub(super) fn is_password_placeholder(value: &[u8]) -> bool {
    let alone = value.iter().all(u8::is_ascii_digit) || value.iter().all(u8::is_ascii_alphabetic);
    is_masked(value) || (alone && is_sequence(value))
}

/// Whether the value is a word for it or one character again and again.
pub(super) fn is_masked(value: &[u8]) -> bool {
    is_repetitive(value) || STAND_INS.iter().any(|word| contains(value, word))
}

/// Whether the word stands in the value, in any case.
pub(super) fn contains(value: &[u8], word: &[u8]) -> bool {
    value.windows(word.len()).any(|window| window.eq_ignore_ascii_case(word))
}

/// Whether one character stands six times in a row, a mask four times, or few characters make up the value.
fn is_repetitive(value: &[u8]) -> bool {
    let mut run = 0;
    let mut last = 0;
    let mut seen = [0_u64; 4];
    for byte in value {
        run = if *byte == last { run + 1 } else { 1 };
        last = *byte;
        if run >= if matches!(byte, b'x' | b'X' | b'*' | b'.' | b'#' | b'?') { 4 } else { 6 } {
            return true;
        }
        if let Some(word) = seen.get_mut(usize::from(byte / 64)) {
            *word |= 1 << (byte % 64);
        }
    }
    let distinct: u32 = seen.iter().map(|word| word.count_ones()).sum();
    match value.len() {
        0 => true,
        1..=7 => distinct < 3,
        8..=15 => distinct < 4,
        _ => distinct < 6,
    }
}

/// Whether six characters follow each other as in the alphabet or in counting.
fn is_sequence(value: &[u8]) -> bool {
    let mut run = 1;
    value.windows(2).any(|pair| {
        let &[first, second] = pair else { return false };
        let next = second == first.wrapping_add(1) && first.is_ascii_alphanumeric() && second.is_ascii_alphanumeric();
        run = if next { run + 1 } else { 1 };
        run >= 6
    })
}

/// Whether an unbroken run of letters and digits of the wanted length has both.
pub(super) fn is_mixed(value: &[u8], run: usize) -> bool {
    value.split(|byte| !byte.is_ascii_alphanumeric()).any(|part| {
        part.len() >= run && part.iter().any(u8::is_ascii_alphabetic) && part.iter().any(u8::is_ascii_digit)
    })
}

/// Whether an unbroken run of letters and digits of the wanted length has both, or capitals and small letters that make
/// no words: one key in thirty has no digit in twenty characters.
pub(super) fn is_drawn(value: &[u8], run: usize) -> bool {
    let cases = |part: &[u8]| part.iter().any(u8::is_ascii_uppercase) && part.iter().any(u8::is_ascii_lowercase);
    is_mixed(value, run)
        || value
            .split(|byte| !byte.is_ascii_alphanumeric())
            .any(|part| part.len() >= run.max(16) && cases(part) && !is_wordy(part))
}

/// Whether the value looks as if it was drawn at random: at least ten characters, letters and digits mixed or many
/// letters in both cases, of high entropy, and not made of words; or more digits than numbers have.
pub(super) fn is_random(value: &[u8]) -> bool {
    let any = |class: fn(&u8) -> bool| value.iter().any(class);
    if value.len() >= 24 && value.iter().all(u8::is_ascii_digit) {
        return true;
    }
    let letters = any(u8::is_ascii_alphabetic);
    let mixed = letters && any(u8::is_ascii_digit);
    let cases = value.len() >= 20 && any(u8::is_ascii_uppercase) && any(u8::is_ascii_lowercase);
    let floor = match value.len() {
        0..=9 => return false,
        10..=15 => 2.7,
        16..=23 => 2.9,
        _ => 3.1,
    };
    (mixed || cases) && !is_wordy(value) && !is_identifier(value) && entropy(value) >= floor
}

/// Whether words make up most of the value: long parts of letters whose neighbours are those of English.
pub(super) fn is_wordy(value: &[u8]) -> bool {
    let (mut letters, mut pairs, mut frequent) = (0, 0, 0);
    for part in value.split(|byte| !byte.is_ascii_alphabetic()).filter(|part| part.len() >= 3) {
        letters += part.len();
        for pair in part.windows(2) {
            let &[first, second] = pair else { continue };
            let mask = FREQUENT.get(usize::from((first | 32) - b'a')).copied().unwrap_or(0);
            pairs += 1;
            frequent += usize::from(mask >> ((second | 32) - b'a') & 1 == 1);
        }
    }
    letters * 2 >= value.len() && frequent * 5 >= pairs * 4
}

/// Whether the value is a name in code with numbers: small letters, separators, and a part that is a word.
fn is_identifier(value: &[u8]) -> bool {
    value.len() < 32
        && !value.iter().any(u8::is_ascii_uppercase)
        && value.iter().any(|byte| matches!(byte, b'_' | b'-' | b'.' | b':'))
        && value.split(|byte| !byte.is_ascii_alphabetic()).any(|part| part.len() >= 4 && is_wordy(part))
}

/// Shannon entropy of the bytes, in bits a byte.
fn entropy(value: &[u8]) -> f32 {
    let mut counts = [0_u16; 256];
    for byte in value {
        if let Some(count) = counts.get_mut(usize::from(*byte)) {
            *count = count.saturating_add(1);
        }
    }
    let total = f32::from(u16::try_from(value.len()).unwrap_or(u16::MAX)).max(1.0);
    let shares = counts.iter().filter(|count| **count > 0).map(|count| f32::from(*count) / total);
    -shares.map(|share| share * share.log2()).sum::<f32>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stand_ins_are_told_from_values() {
        let cases: &[(&str, bool)] = &[
            ("IOSFODNN7EXAMPLE", true),
            ("XXXXXXXXXXXXXXXX", true),
            ("xxxx-1f", true),
            ("YOUR_API_KEY", true),
            ("insert-token", true),
            ("abcdefghijklmnop", true),
            ("q9123456789z", true),
            ("0000000000000000", true),
            ("abababababababab", true),
            ("9f2c4e7a1b3d5068", false),
            ("Qm7RtZ2xWc9KpL4v", false),
            ("hunter2", false),
        ];
        for (value, expected) in cases {
            assert_eq!(is_placeholder(value.as_bytes()), *expected, "{value}");
        }
    }

    #[test]
    fn words_are_no_random_values() {
        let cases: &[(&str, bool)] = &[
            ("9f2c4e7a1b3d5068", true),
            ("Qm7RtZ2xWc9KpL4v", true),
            ("zk5vq1nd8hw3", true),
            ("GqvHwRzNxkTbLpJdWmXs", true),
            ("44187f95-3dee-c549-d5e9-aefc69d32f00", true),
            ("my-service-account-2", false),
            ("organization_settings_v2", false),
            ("application/json;v=1", false),
            ("getAccessTokenFromCache", false),
            ("cl100k_base", false),
            ("gpt-4o-mini-2024", false),
            ("12345", false),
            ("2987123498712", false),
            ("release-candidate-15", false),
        ];
        for (value, expected) in cases {
            assert_eq!(is_random(value.as_bytes()), *expected, "{value}");
        }
    }
}
