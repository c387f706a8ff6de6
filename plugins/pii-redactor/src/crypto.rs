//! Addresses of crypto currencies: Bitcoin and Ethereum.

mod base58;
mod bech32;
mod ethereum;

use crate::candidate::{Candidate, Proof};
use crate::kind::Kind;
use crate::text::{Text, at, before, is_word, slice, starts_token};

/// The address that the run of letters and digits `start..end` is.
pub(crate) fn find(text: &Text<'_>, start: usize, end: usize) -> Option<Candidate> {
    if end - start < 26 {
        return None;
    }
    let address = slice(text, start, end);
    let (proof, rule) = match address {
        [b'1' | b'3', ..] if base58::is_bitcoin(address) => (Proof::Checked, "CRYPTO: Bitcoin, base58 with check"),
        [b'b' | b'B', b'c' | b'C', b'1', data @ ..] if bech32::is_bitcoin(address, data) => {
            (Proof::Checked, "CRYPTO: Bitcoin, bech32 with check")
        }
        [b'0', b'x' | b'X', digits @ ..] => match ethereum::check(digits)? {
            true => (Proof::Checked, "CRYPTO: Ethereum, EIP-55 case"),
            false => (Proof::Form, "CRYPTO: Ethereum, forty hexadecimal digits"),
        },
        _ => return None,
    };
    let next = at(text, end);
    let goes_on = is_word(next)
        || next == b'='
        || (matches!(next, b'-' | b'.' | b'/') && at(text, end + 1).is_ascii_alphanumeric());
    let whole = starts_token(text, start) && before(text, start, 1) != b'%' && !goes_on;
    whole.then_some(Candidate { kind: Kind::CRYPTO, start, end, proof, rule })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Option<&str> {
        let start = text.find(|c: char| c.is_ascii_alphanumeric())?;
        let whole = Text::whole(text.as_bytes());
        let end = crate::text::run_end(&whole, start, 90, |byte| byte.is_ascii_alphanumeric());
        find(&whole, start, end).and_then(|found| text.get(found.start..found.end))
    }

    #[test]
    fn addresses_of_the_specifications() {
        for text in [
            // The first block; BIP 16; BIP 173 and BIP 350; EIP-55.
            "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
            "3P14159f73E4gFr7JterCCQh9QjiTjiZrG",
            "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4",
            "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
            "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
            "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
            "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed",
            "0x5AAEB6053F3E94C9B9A09F33669435E7EF1BEAED",
        ] {
            assert_eq!(address(text), Some(text));
            assert_eq!(address(&format!("钱包{text}。")), Some(text), "between ideographs");
        }
    }

    #[test]
    fn what_is_no_address() {
        for (text, why) in [
            ("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb", "base58 check"),
            ("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfN0", "no base58 character"),
            ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5", "bech32 check"),
            ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3T4", "mixed case"),
            (
                "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd",
                "version 1 with the constant of version 0",
            ),
            ("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD", "EIP-55 case"),
            ("0x5aaeb6053f3e94c9b9a09f33669435e7ef1beae", "39 digits"),
            ("0x0000000000000000000000000000000000000000", "nobody"),
            ("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa_x", "an identifier"),
            ("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa.png", "a file name"),
        ] {
            assert_eq!(address(text), None, "{text}: {why}");
        }
    }
}
