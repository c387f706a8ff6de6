//! Messages of an AWS event stream. The framing is that of the Amazon Event Stream Specification (Smithy 2.0, "Wire
//! Format"): lengths of message and headers, their checksum, headers, payload, a checksum of everything; numbers are
//! big-endian, checksums are CRC-32.

use super::super::tree::{Detail, Kind as Value, Tree};
use super::{Kind, Reason, utf8};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Bytes before the headers.
const PRELUDE: usize = 12;
/// Bytes that are neither headers nor payload.
const OVERHEAD: usize = 16;
/// Most bytes of headers, and of a payload, as the format has it.
const MOST: usize = (128 << 10) + (16 << 20) + OVERHEAD;

/// The end of the first message.
pub(crate) fn end(held: &[u8]) -> Result<Option<(usize, Kind)>, Reason> {
    let Some([total, headers, stated]) = prelude(held) else { return Ok(None) };
    let sound = held.get(..8).map(crc32fast::hash) == u32::try_from(stated).ok();
    if !sound || total < headers.saturating_add(OVERHEAD) || total > MOST {
        return Err(Reason::Damaged);
    }
    let kind = if total == headers + OVERHEAD { Kind::Between } else { Kind::Event };
    Ok((held.len() >= total).then_some((total, kind)))
}

fn prelude(held: &[u8]) -> Option<[usize; 3]> {
    let number = |place: usize| {
        let bytes = held.get(place..place + 4)?.try_into().ok()?;
        usize::try_from(u32::from_be_bytes(bytes)).ok()
    };
    Some([number(0)?, number(4)?, number(8)?])
}

/// The headers and the payload of a message whose checksums are right.
fn parts(frame: &[u8]) -> Result<(&[u8], &[u8]), Reason> {
    let parts = || {
        let [total, headers, _] = prelude(frame)?;
        let checked = frame.get(..total.checked_sub(4)?)?;
        let stated: [u8; 4] = frame.get(checked.len()..total)?.try_into().ok()?;
        if crc32fast::hash(checked) != u32::from_be_bytes(stated) {
            return None;
        }
        checked.get(PRELUDE..)?.split_at_checked(headers)
    };
    parts().ok_or(Reason::Damaged)
}

/// The headers of a message, which have texts of their own.
pub(crate) fn headers(frame: &[u8]) -> &[u8] {
    parts(frame).map_or(&[], |(headers, _)| headers)
}

/// The data of a message: its payload, or what `InvokeModel` wraps in it.
pub(crate) fn data(frame: &[u8]) -> Result<Option<String>, Reason> {
    let (_, payload) = parts(frame)?;
    let payload = utf8(payload)?;
    match wrapped(payload) {
        Some((_, inner)) => Ok(Some(inner)),
        None => Ok((!payload.is_empty()).then(|| payload.to_owned())),
    }
}

/// What is wrapped in a payload as base64, and where it stands.
fn wrapped(payload: &str) -> Option<(std::ops::Range<usize>, String)> {
    let tree = Tree::of(payload, Detail::Values).ok()?;
    let bytes = tree.member(0, "bytes")?;
    let node = tree.node(bytes).filter(|node| node.kind == Value::Text)?;
    let inner = STANDARD.decode(tree.raw(bytes)).ok()?;
    Some((node.range(), String::from_utf8(inner).ok()?))
}

/// The message with other data, its lengths and checksums made anew.
pub(crate) fn with_data(frame: &[u8], data: &str) -> Result<Vec<u8>, Reason> {
    let (headers, payload) = parts(frame)?;
    let payload = utf8(payload)?;
    let payload = match wrapped(payload) {
        Some((range, _)) => super::super::document::applied(payload, vec![(range, STANDARD.encode(data))]),
        None => data.to_owned(),
    };
    message(headers, payload.as_bytes()).ok_or(Reason::TooLarge)
}

/// A message of these headers and this payload.
fn message(headers: &[u8], payload: &[u8]) -> Option<Vec<u8>> {
    let total = headers.len().checked_add(payload.len())?.checked_add(OVERHEAD)?;
    let mut out = Vec::with_capacity(total);
    out.extend_from_slice(&u32::try_from(total).ok()?.to_be_bytes());
    out.extend_from_slice(&u32::try_from(headers.len()).ok()?.to_be_bytes());
    let checksum = crc32fast::hash(&out);
    out.extend_from_slice(&checksum.to_be_bytes());
    out.extend_from_slice(headers);
    out.extend_from_slice(payload);
    let checksum = crc32fast::hash(&out);
    out.extend_from_slice(&checksum.to_be_bytes());
    Some(out)
}
