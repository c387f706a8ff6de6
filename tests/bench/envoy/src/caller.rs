//! Callers: each has a connection to Envoy and makes one exchange at a time.

use crate::answer::Answer;
use crate::fault::Fault;
use crate::stage::Lane;
use crate::wire::{Connection, Kind, Piece};
use std::rc::Rc;
use std::time::Duration;
use tokio::time::timeout;

/// Seconds that an exchange may take.
const PATIENCE: u64 = 60;

/// What came of an exchange.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Got {
    /// Status.
    pub(crate) status: u16,
    /// Bytes of the body.
    pub(crate) body: usize,
    /// HTTP chunks: one for every time that Envoy's filters got a part of the body.
    pub(crate) chunks: usize,
}

/// A caller.
#[derive(Debug)]
pub(crate) struct Caller {
    port: u16,
    number: usize,
    lane: Rc<Lane>,
    connection: Option<Connection>,
}

impl Caller {
    /// A caller of the Envoy at this port, on a lane and its number.
    pub(crate) const fn new(port: u16, number: usize, lane: Rc<Lane>) -> Self {
        Self { port, number, lane, connection: None }
    }

    /// The number of the caller's lane.
    pub(crate) const fn number(&self) -> usize {
        self.number
    }

    /// The caller's lane.
    pub(crate) const fn lane(&self) -> &Rc<Lane> {
        &self.lane
    }

    /// Makes an exchange and reads the whole answer.
    ///
    /// # Errors
    /// The answer does not come, or not whole, in time.
    pub(crate) async fn call(&mut self, request: &[u8], answer: &Rc<Answer>) -> Result<Got, Fault> {
        let mut connection = self.begin(answer).await?;
        let (got, close) = in_time(exchange(&mut connection, request, &self.lane, usize::MAX)).await?;
        if !close {
            self.connection = Some(connection);
        }
        Ok(got)
    }

    /// Makes an exchange whose answer goes in steps, and closes the connection when so much of it has come: 1 for the
    /// head, and 1 for each byte of the body. The provider then still waits to send the next step.
    ///
    /// # Errors
    /// So much does not come in time.
    pub(crate) async fn abandon(&mut self, request: &[u8], answer: &Rc<Answer>, until: usize) -> Result<(), Fault> {
        let mut connection = self.begin(answer).await?;
        in_time(async {
            tokio::select! {
                ended = exchange(&mut connection, request, &self.lane, until) => ended.map(drop),
                () = self.lane.enough() => Ok(()),
            }
        })
        .await
    }

    async fn begin(&mut self, answer: &Rc<Answer>) -> Result<Connection, Fault> {
        self.lane.begin(Rc::clone(answer));
        match self.connection.take() {
            Some(open) => Ok(open),
            None => Connection::open(self.port).await,
        }
    }
}

async fn in_time<T>(exchange: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    timeout(Duration::from_secs(PATIENCE), exchange).await.map_err(|_| Fault::Late(PATIENCE))?
}

async fn exchange(
    connection: &mut Connection,
    request: &[u8],
    lane: &Lane,
    until: usize,
) -> Result<(Got, bool), Fault> {
    connection.send(request).await?;
    let Some(head) = connection.head(Kind::Answer).await? else { return Err(Fault::CutOff { received: 0 }) };
    let mut got = Got { status: head.status, ..Got::default() };
    lane.reach(1);
    connection
        .body(head.framing, |piece| match piece {
            Piece::Data(data) => {
                got.body += data.len();
                match 1 + got.body {
                    position if position < until => lane.reach(position),
                    _ => lane.suffice(),
                }
            }
            Piece::ChunkEnd => got.chunks += 1,
        })
        .await?;
    Ok((got, head.close))
}
