//! Ethereum addresses: forty hexadecimal digits, whose case may carry a check (EIP-55).

use tiny_keccak::{Hasher, Keccak};

/// Whether the digits behind `0x` are checked by their case: nothing where they are no address; not where all letters
/// are of one case.
pub(super) fn check(digits: &[u8]) -> Option<bool> {
    let filled = digits.windows(2).all(|pair| matches!(pair, [one, two] if one == two));
    if digits.len() != 40 || filled || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let mixed = digits.iter().any(u8::is_ascii_lowercase) && digits.iter().any(u8::is_ascii_uppercase);
    if !mixed {
        return Some(false);
    }
    let mut keccak = Keccak::v256();
    let mut hash = [0u8; 32];
    keccak.update(&digits.to_ascii_lowercase());
    keccak.finalize(&mut hash);
    let nibbles = hash.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let right = |(digit, nibble): (&u8, u8)| digit.is_ascii_digit() || digit.is_ascii_uppercase() == (nibble >= 8);
    digits.iter().zip(nibbles).all(right).then_some(true)
}
