//! Base58 with a check, as Bitcoin writes addresses: a version byte, twenty bytes of a hash, and the first four bytes
//! of SHA-256 twice over both.

use sha2::{Digest, Sha256};

const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
/// Bytes of a decoded address.
const BYTES: usize = 25;

/// Whether the text is an address that pays to a key (version 0) or to a script (version 5).
pub(super) fn is_bitcoin(address: &[u8]) -> bool {
    if address.len() > 35 {
        return false;
    }
    let Some(decoded) = decode(address) else { return false };
    let Some((payload, check)) = decoded.split_at_checked(BYTES - 4) else { return false };
    let hash = Sha256::digest(Sha256::digest(payload));
    // Each leading one stands for a leading zero byte.
    let zeros = decoded.iter().take_while(|byte| **byte == 0).count();
    let ones = address.iter().take_while(|byte| **byte == b'1').count();
    zeros == ones && matches!(payload.first(), Some(0 | 5)) && hash.starts_with(check)
}

fn decode(address: &[u8]) -> Option<[u8; BYTES]> {
    let mut decoded = [0u8; BYTES];
    for byte in address {
        let mut carry = ALPHABET.iter().position(|other| other == byte)?;
        for slot in decoded.iter_mut().rev() {
            carry += usize::from(*slot) * 58;
            *slot = u8::try_from(carry % 256).ok()?;
            carry /= 256;
        }
        if carry > 0 {
            return None;
        }
    }
    Some(decoded)
}
