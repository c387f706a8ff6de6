//! What OTLP over gRPC and over HTTP do alike with a request, between its head and its answer.

use super::auth::Access;
use super::body::{Bounds, Coding, Unpacker, read};
use super::{Accepted, Intake, Received, Refusal, Signal};
use axum::body::Body;
use axum::http::HeaderMap;
use bytes::Bytes;
use std::sync::Arc;

/// A receiver as its requests see it.
#[derive(Debug)]
pub(super) struct Exchange<I> {
    pub(super) intake: Arc<I>,
    pub(super) access: Access,
    pub(super) bounds: Bounds,
    pub(super) unpacker: Unpacker,
}

/// What a request is, by its head.
pub(super) struct Head<'h> {
    pub(super) headers: &'h HeaderMap,
    pub(super) signal: Signal,
    /// Whether it is in OTLP/JSON rather than in protobuf.
    pub(super) json: bool,
}

impl<I: Intake> Exchange<I> {
    /// Reads a body, takes from it the message that `find` finds, and hands that to the stages.
    pub(super) async fn take(
        &self,
        head: Head<'_>,
        body: &mut Body,
        find: impl FnOnce(Bytes) -> Result<(Bytes, Coding), Refusal> + Send,
    ) -> Result<Accepted, Refusal> {
        self.access.check(head.headers)?;
        let mut lease = self.intake.admission().lease(0)?;
        let (packed, coding) = find(read(body, &self.bounds, &mut lease).await?)?;
        let json = head.json.then_some(head.signal);
        let (bytes, lease) = self.unpacker.unpack(packed, coding, json, self.bounds.bytes, lease).await?;
        self.intake.accept(Received { signal: head.signal, bytes, lease, origin: None }).await
    }

    /// Counts a refusal on its way to the sender.
    pub(super) fn refused(&self, refusal: &Refusal) {
        self.intake.admission().count_refusal(refusal);
    }
}
