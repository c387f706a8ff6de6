//! Bodies that take from the bound on bytes in flight as they arrive, and not only when they are whole: many senders
//! that each send most of a message hold no more memory than the bound.

use super::Refusal;
use crate::stages::admit::{Admission, Lease};
use bytes::{Buf, Bytes};
use http_body::{Body as HttpBody, Frame};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use tonic::Status;
use tonic::body::Body;

/// A body to come.
pub(super) struct Arriving {
    admission: Admission,
    held: Held,
}

/// What the bytes of one call have taken.
#[derive(Clone)]
pub(super) struct Held(Arc<Mutex<Option<Lease>>>);

impl Arriving {
    /// A body that has brought nothing yet, and what it will hold.
    ///
    /// # Errors
    /// The process is ending.
    pub(super) fn new(admission: Admission) -> Result<(Self, Held), Refusal> {
        let held = Held(Arc::new(Mutex::new(Some(admission.lease(0)?))));
        Ok((Self { admission, held: held.clone() }, held))
    }

    /// The body, counted.
    pub(super) fn of(self, body: Body) -> Counted {
        Counted { body, arriving: self }
    }
}

impl Held {
    /// The share of a message of `bytes` that came whole: what arrived, and what decompression added.
    ///
    /// # Errors
    /// The bound is reached, or the process is ending.
    pub(super) fn for_message(&self, admission: &Admission, bytes: usize) -> Result<Lease, Refusal> {
        let mut lease = match self.lock().take() {
            Some(lease) => lease,
            None => admission.lease(0)?,
        };
        lease.grow_to(bytes)?;
        Ok(lease)
    }

    fn grow(&self, bytes: usize) -> Result<(), Refusal> {
        self.lock().as_mut().map_or(Ok(()), |lease| lease.grow(bytes))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Lease>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A body whose bytes are counted as they come. Past the bound it ends with the status of the refusal.
pub(super) struct Counted {
    body: Body,
    arriving: Arriving,
}

impl HttpBody for Counted {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let Some(frame) = ready!(Pin::new(&mut self.body).poll_frame(context)) else { return Poll::Ready(None) };
        let counted = frame.and_then(|frame| {
            let bytes = frame.data_ref().map_or(0, Buf::remaining);
            self.arriving.held.grow(bytes).map_err(|refusal| {
                self.arriving.admission.count_refusal(&refusal);
                Status::from(&refusal)
            })?;
            Ok(frame)
        });
        Poll::Ready(Some(counted))
    }
}
