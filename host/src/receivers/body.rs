//! The body of a request: read, and unpacked, within the limits of the receiver.

use super::json::{memory, to_protobuf};
use super::{Refusal, Signal};
use crate::memory::exact;
use crate::stages::admit::Lease;
use axum::body::Body;
use bytes::Bytes;
use http_body_util::BodyExt;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// Largest window of a zstd frame, as a power of two: 8 MiB, which RFC 8878 asks every decoder to have.
const ZSTD_WINDOW_LOG: u32 = 23;
/// What is still read of a body that is refused, so that its sender comes to read the answer.
const LINGER_BYTES: usize = 16 << 20;
/// How long that may take.
const LINGER: Duration = Duration::from_secs(2);

/// How a body is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Identity,
    Gzip,
    Zstd,
}

impl Coding {
    /// The coding that a header names; `None` for one that is not known here.
    pub(super) fn of(name: Option<&[u8]>) -> Option<Self> {
        match name {
            None | Some(b"") => Some(Self::Identity),
            Some(name) if name.eq_ignore_ascii_case(b"identity") => Some(Self::Identity),
            Some(name) if name.eq_ignore_ascii_case(b"gzip") => Some(Self::Gzip),
            Some(name) if name.eq_ignore_ascii_case(b"zstd") => Some(Self::Zstd),
            Some(_) => None,
        }
    }
}

/// What a receiver lets a body be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Most bytes, before and after decompression.
    pub(super) bytes: usize,
    /// Bytes that the protocol puts around a message, beside those.
    pub(super) framing: usize,
    /// Longest that it may take to come.
    pub(super) time: Duration,
    /// How long a sender that was too slow is asked to wait.
    pub(super) retry_after: Duration,
}

/// Reads a body, taking its bytes from the bound on bytes in flight as they come.
pub(super) async fn read(body: &mut Body, bounds: &Bounds, lease: &mut Lease) -> Result<Bytes, Refusal> {
    let whole = async {
        let mut whole = Vec::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| Refusal::Invalid(format!("the body broke off: {error}")))?;
            let Ok(data) = frame.into_data() else { continue };
            if whole.len() + data.len() > bounds.bytes + bounds.framing {
                return Err(Refusal::TooLarge { limit: bounds.bytes });
            }
            append(&mut whole, &data, lease)?;
        }
        lease.shrink_to(whole.len());
        Ok(exact(whole))
    };
    match timeout(bounds.time, whole).await {
        Ok(read) => read,
        Err(_) => Err(Refusal::TooSlow { within: bounds.time, retry_after: bounds.retry_after }),
    }
}

/// Adds what has come. What is taken of the memory is all that the vector has, since many senders may each be half done.
/// Where there is no memory for room to grow, it takes what has come and no more.
fn append(whole: &mut Vec<u8>, data: &[u8], lease: &mut Lease) -> Result<(), Refusal> {
    let (has, needs) = (whole.capacity(), whole.len() + data.len());
    if needs > has {
        let mut room = needs.max(has + has / 2);
        if lease.grow(room - has).is_err() {
            lease.grow(needs - has)?;
            room = needs;
        }
        whole.reserve_exact(room - whole.len());
    }
    whole.extend_from_slice(data);
    Ok(())
}

/// Reads on after a refusal and keeps nothing. A sender that is still sending over HTTP/1 finds its connection closed
/// otherwise, and never learns why.
pub(super) async fn linger(body: &mut Body) {
    let rest = async {
        let mut read = 0;
        while let Some(Ok(frame)) = body.frame().await {
            read += frame.data_ref().map_or(0, Bytes::len);
            if read > LINGER_BYTES {
                return;
            }
        }
    };
    let _ = timeout(LINGER, rest).await;
}

/// Unpacks bodies, and turns JSON into protobuf. Clones share the number of bodies in work at once: beside what is taken
/// from the bound on bytes in flight each needs memory of its own, such as the window of zstd.
#[derive(Clone, Debug)]
pub(super) struct Unpacker(Arc<Semaphore>);

impl Unpacker {
    /// As many bodies at once as there are processors.
    pub(super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(std::thread::available_parallelism().map_or(1, usize::from))))
    }

    /// The request in protobuf. `json` names the signal of one that is in JSON.
    pub(super) async fn unpack(
        &self,
        packed: Bytes,
        coding: Coding,
        json: Option<Signal>,
        limit: usize,
        lease: Lease,
    ) -> Result<(Bytes, Lease), Refusal> {
        if coding == Coding::Identity && json.is_none() {
            return Ok((packed, lease));
        }
        let failed = |_| Refusal::Invalid("the body could not be unpacked".to_owned());
        let permit = Arc::clone(&self.0).acquire_owned().await.map_err(|_| failed(()))?;
        let work = move || {
            let _permit = permit;
            let mut lease = lease;
            let plain = match unpack(&packed, coding, limit, &mut lease)? {
                Some(plain) => plain,
                None => packed.clone(),
            };
            drop(packed);
            lease.shrink_to(plain.len());
            let Some(signal) = json else { return Ok((plain, lease)) };
            // Beside the text: what is read of it, with its strings, and what is written of that.
            let _read = lease.beside(memory(&plain).saturating_add(plain.len().saturating_mul(2)))?;
            let protobuf = exact(to_protobuf(signal, &plain)?);
            drop(plain);
            lease.shrink_to(protobuf.len());
            Ok((protobuf, lease))
        };
        tokio::task::spawn_blocking(work).await.map_err(|_| failed(()))?
    }
}

/// `None` where there is nothing to unpack.
fn unpack(packed: &[u8], coding: Coding, limit: usize, lease: &mut Lease) -> Result<Option<Bytes>, Refusal> {
    match coding {
        Coding::Identity => Ok(None),
        Coding::Gzip => gunzip(packed, limit, lease).map(Some),
        Coding::Zstd => unzstd(packed, limit, lease).map(Some),
    }
}

/// A gzip file may have several members (RFC 1952, section 2.2).
fn gunzip(packed: &[u8], limit: usize, lease: &mut Lease) -> Result<Bytes, Refusal> {
    plain(flate2::bufread::MultiGzDecoder::new(packed), "gzip", limit, lease)
}

/// A body may have several frames (RFC 8878, section 3.1).
fn unzstd(packed: &[u8], limit: usize, lease: &mut Lease) -> Result<Bytes, Refusal> {
    let decoder = zstd::stream::read::Decoder::with_buffer(packed).and_then(|mut decoder| {
        decoder.window_log_max(ZSTD_WINDOW_LOG)?;
        Ok(decoder)
    });
    match decoder {
        Ok(decoder) => plain(decoder, "zstd", limit, lease),
        Err(error) => Err(Refusal::Invalid(format!("the body is not zstd: {error}"))),
    }
}

fn plain(mut reader: impl Read, coding: &str, limit: usize, lease: &mut Lease) -> Result<Bytes, Refusal> {
    let mut whole = Vec::new();
    let mut chunk = vec![0; 64 << 10];
    loop {
        let read =
            reader.read(&mut chunk).map_err(|error| Refusal::Invalid(format!("the body is not {coding}: {error}")))?;
        let Some(data) = chunk.get(..read).filter(|data| !data.is_empty()) else { return Ok(exact(whole)) };
        if whole.len() + data.len() > limit {
            return Err(Refusal::TooLarge { limit });
        }
        append(&mut whole, data, lease)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::Memory;
    use crate::metrics::Metrics;
    use crate::stages::admit::Admission;

    #[tokio::test]
    async fn the_room_that_a_body_has_is_taken_until_it_has_come() {
        let metrics = Metrics::new(10);
        let memory = Memory::new(1000, &metrics);
        let admission = Admission::new(memory.clone(), Duration::from_secs(1), metrics);
        let mut lease = admission.lease(0).unwrap();
        let mut whole = Vec::new();
        let refused = (0..=100).find_map(|_| {
            let refused = append(&mut whole, &[7; 10], &mut lease).err();
            assert_eq!(memory.taken(), whole.capacity() as u64);
            refused
        });
        assert!(matches!(refused, Some(Refusal::Overloaded { .. })));
        assert_eq!((whole.len(), whole.capacity()), (1000, 1000));
        drop(lease);

        let bounds = Bounds { bytes: 900, framing: 0, time: Duration::from_secs(60), retry_after: Duration::ZERO };
        let mut lease = admission.lease(0).unwrap();
        let read = read(&mut Body::from(vec![7; 900]), &bounds, &mut lease).await.unwrap();
        assert_eq!((read.len(), memory.taken()), (900, 900));
    }

    #[test]
    fn what_is_unpacked_is_taken_beside_what_was_packed() {
        let metrics = Metrics::new(10);
        let memory = Memory::new(1 << 20, &metrics);
        let admission = Admission::new(memory.clone(), Duration::from_secs(1), metrics);
        let packed = zstd::encode_all(&[7; 100_000][..], 3).unwrap();
        let mut lease = admission.lease(packed.len()).unwrap();
        let plain = unpack(&packed, Coding::Zstd, 100_000, &mut lease).unwrap().unwrap();
        assert_eq!(plain.len(), 100_000);
        assert!(memory.taken() >= 100_000 + packed.len() as u64);
        assert!(matches!(unpack(&packed, Coding::Zstd, 99_999, &mut lease), Err(Refusal::TooLarge { limit: 99_999 })));
    }
}
