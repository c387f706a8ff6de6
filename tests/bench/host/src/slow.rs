//! Senders that are many and slow: each begins a request of OTLP over HTTP and sends its body a little at a time, all
//! but the end of it.

use crate::random::Random;
use std::net::Ipv4Addr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// Bytes that a sender writes at once.
const PIECE: usize = 16 << 10;

/// So many senders.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Crowd {
    pub(crate) port: u16,
    pub(crate) senders: u64,
    /// Bytes of the body that each of them announces.
    pub(crate) bytes: usize,
    /// How long it takes to send them.
    pub(crate) time: Duration,
}

/// What they were told.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Said {
    /// Bytes that were sent.
    pub(crate) bytes: u64,
    /// Retryable refusals with `Retry-After`, and without.
    pub(crate) told_when: u64,
    pub(crate) not_told: u64,
    /// Other answers.
    pub(crate) for_good: u64,
    /// Nothing, until the senders gave up; that is no refusal, the request was not over.
    pub(crate) nothing: u64,
}

/// Sends, and adds up what was said.
pub(crate) async fn send(crowd: Crowd) -> Said {
    let mut tasks = JoinSet::new();
    for sender in 0..crowd.senders {
        tasks.spawn_local(one(crowd, sender));
    }
    let mut said = Said::default();
    while let Some(ended) = tasks.join_next().await {
        let Ok((bytes, answer)) = ended else { continue };
        said.bytes += bytes;
        match answer.as_deref().map(judge) {
            None => said.nothing += 1,
            Some((true, true)) => said.told_when += 1,
            Some((true, false)) => said.not_told += 1,
            Some((false, _)) => said.for_good += 1,
        }
    }
    said
}

/// Whether an answer is to be followed by a further attempt, and says when.
fn judge(answer: &str) -> (bool, bool) {
    let status = answer.split(' ').nth(1).unwrap_or_default();
    let told = answer.lines().any(|line| line.to_ascii_lowercase().starts_with("retry-after:"));
    (["429", "502", "503", "504"].contains(&status), told)
}

async fn one(crowd: Crowd, sender: u64) -> (u64, Option<String>) {
    let mut sent = 0;
    let Ok(mut stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, crowd.port)).await else { return (0, None) };
    let head = format!(
        "POST /v1/traces HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/x-protobuf\r\ncontent-length: {}\r\n\r\n",
        crowd.bytes
    );
    if stream.write_all(head.as_bytes()).await.is_err() {
        return (0, None);
    }
    let (mut reader, mut writer) = stream.split();
    let pieces = u32::try_from(crowd.bytes / PIECE).unwrap_or(1).max(1);
    let mut random = Random::new(sender);
    let write = async {
        for _ in 1..pieces {
            if writer.write_all(&[10; PIECE]).await.is_err() {
                break;
            }
            sent += PIECE as u64;
            sleep(crowd.time / pieces + Duration::from_millis(random.below(10))).await;
        }
        // The last piece does not come; all others are there now.
        sleep(Duration::from_secs(2)).await;
    };
    let mut answer = vec![0; 4096];
    let read = tokio::select! {
        read = timeout(crowd.time * 10, reader.read(&mut answer)) => read,
        () = write => Ok(Ok(0)),
    };
    let length = read.ok().and_then(Result::ok).unwrap_or(0);
    let answer = answer.get(..length).filter(|answer| !answer.is_empty());
    (sent, answer.map(|answer| String::from_utf8_lossy(answer).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_told_apart() {
        for (answer, expected) in [
            ("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\n\r\n", (true, true)),
            ("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n", (true, false)),
            ("HTTP/1.1 413 Payload Too Large\r\n\r\n", (false, false)),
        ] {
            assert_eq!(judge(answer), expected, "{answer}");
        }
    }
}
