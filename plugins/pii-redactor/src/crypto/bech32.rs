//! Bech32 (BIP 173) and Bech32m (BIP 350): segregated witness addresses of Bitcoin's main network.

const ALPHABET: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const GENERATOR: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
/// What the checksum of version 0 leaves, and of the later versions.
const BECH32: u32 = 1;
const BECH32M: u32 = 0x2bc8_30a3;
/// Characters of the checksum.
const CHECK: usize = 6;

/// Whether the address, whose part behind the separator is `data`, obeys both standards.
pub(super) fn is_bitcoin(address: &[u8], data: &[u8]) -> bool {
    let mixed = address.iter().any(u8::is_ascii_lowercase) && address.iter().any(u8::is_ascii_uppercase);
    if mixed || address.len() > 90 {
        return false;
    }
    // The prefix `bc`: its high bits, a zero, its low bits.
    let mut checksum = [3, 3, 0, 2, 3].into_iter().fold(1, step);
    let mut version = None;
    let mut last = 0;
    for (place, byte) in data.iter().enumerate() {
        let small = byte.to_ascii_lowercase();
        let Some(value) = (0u32..).zip(ALPHABET).find(|(_, other)| **other == small).map(|(value, _)| value) else {
            return false;
        };
        checksum = step(checksum, value);
        version = version.or(Some(value));
        if place + CHECK < data.len() {
            last = value;
        }
    }
    let groups = data.len().saturating_sub(CHECK + 1);
    let bytes = groups * 5 / 8;
    // What is left of the last group of five bits is zero and less than a group.
    let padding = groups * 5 % 8;
    let padded = padding < 5 && last & ((1 << padding) - 1) == 0;
    padded
        && match version {
            Some(0) => checksum == BECH32 && matches!(bytes, 20 | 32),
            Some(1..=16) => checksum == BECH32M && (2..=40).contains(&bytes),
            _ => false,
        }
}

fn step(checksum: u32, value: u32) -> u32 {
    let top = checksum >> 25;
    let next = (checksum & 0x01ff_ffff) << 5 ^ value;
    (0..).zip(GENERATOR).filter(|(bit, _)| top >> bit & 1 == 1).fold(next, |next, (_, generator)| next ^ generator)
}
