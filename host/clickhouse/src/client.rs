//! Queries and inserts over ClickHouse's HTTP interface.

use crate::compress::Compression;
use crate::exception::{self, Meaning};
use crate::sql;
use bytes::Bytes;
use reqwest::header::{CONTENT_ENCODING, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{RequestBuilder, Response, StatusCode, Url};
use sha2::{Digest, Sha256};
use std::fmt;
use std::time::{Duration, SystemTime};

/// Most bytes of an answer that are read.
const ANSWER_BYTES: usize = 1 << 20;
/// Most characters of the server's words that are passed on.
const WORDS: usize = 500;

/// Who asks.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Credentials {
    /// User; empty for the server's default.
    pub username: String,
    /// Password.
    pub password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("username", &self.username).finish_non_exhaustive()
    }
}

/// Why a query or an insert failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Failure {
    /// What it means for what was sent.
    pub meaning: Meaning,
    /// The server's exception, where there was one.
    pub code: Option<u32>,
    /// What went wrong.
    pub why: String,
    /// How long the server asked to wait, where it did.
    pub after: Option<Duration>,
}

/// A server.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    endpoint: Url,
    database: String,
    headers: HeaderMap,
}

/// Rows on their way into a table.
#[derive(Clone, Debug)]
pub struct Insert<'a> {
    /// The table.
    pub table: &'a str,
    /// Rows in `RowBinaryWithNames`, compressed.
    pub rows: Bytes,
    /// How they are compressed.
    pub compression: Compression,
    /// What the server knows the insert by when it comes again: see [`token`].
    pub token: &'a str,
    /// Whether the server may put the rows of several inserts together before it writes them. It remembers each of them by
    /// its token nevertheless, where [`Client::remembers_asynchronous`] says so.
    pub asynchronous: bool,
}

/// A name for an insert that is the same whenever the same request is sent, so that the server knows it again.
#[must_use]
pub fn token(request: &[u8]) -> String {
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(request) {
        for digit in [byte >> 4, byte & 15] {
            text.extend(char::from_digit(digit.into(), 16));
        }
    }
    text
}

impl Client {
    /// A server at `endpoint`, an http or https URL. `http` says how long an attempt may take, and how TLS is spoken.
    ///
    /// # Errors
    /// The endpoint is no URL, or the credentials do not fit into headers.
    pub fn new(
        http: reqwest::Client,
        endpoint: &str,
        database: &str,
        credentials: &Credentials,
    ) -> Result<Self, String> {
        let mut headers = HeaderMap::new();
        // Headers, and not parameters, because addresses are what proxies log.
        for (name, value) in [("x-clickhouse-user", &credentials.username), ("x-clickhouse-key", &credentials.password)]
        {
            if !value.is_empty() {
                let mut value = HeaderValue::from_str(value).map_err(|error| format!("{name}: {error}"))?;
                value.set_sensitive(true);
                headers.insert(name, value);
            }
        }
        let endpoint = Url::parse(endpoint).map_err(|error| format!("{endpoint:?} is not a URL: {error}"))?;
        Ok(Self { http, endpoint, database: database.to_owned(), headers })
    }

    /// The address that it asks.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        self.endpoint.as_str()
    }

    /// Runs a statement, and gives the beginning of what it answers. The database has to be named in it.
    ///
    /// # Errors
    /// It was not run, or failed.
    pub async fn query(&self, statement: &str) -> Result<String, Failure> {
        let request = self.post(&[("wait_end_of_query", "1")]);
        let body = self.send(request.body(statement.to_owned())).await?;
        Ok(String::from_utf8_lossy(&body).into_owned())
    }

    /// Inserts rows. It returns once the server has them in a table; an insert of the same token that comes again is answered
    /// as the first was, and adds nothing.
    ///
    /// A server takes rows of up to a hundred days at once, because more is mostly a mistake. It is none of those who insert
    /// here that some sender's clock is wrong, so that an insert which is refused for that is sent again without the limit.
    ///
    /// # Errors
    /// It is not known that the server has the rows.
    pub async fn insert(&self, insert: &Insert<'_>) -> Result<(), Failure> {
        match self.insert_once(insert, &[]).await {
            Err(failure) if failure.code == Some(252) && failure.meaning == Meaning::TooLarge => {
                self.insert_once(insert, &[("max_partitions_per_insert_block", "0")]).await
            }
            outcome => outcome,
        }
    }

    async fn insert_once(&self, insert: &Insert<'_>, more: &[(&str, &str)]) -> Result<(), Failure> {
        let table = format!("{}.{}", sql::name(&self.database), sql::name(insert.table));
        let statement = format!("INSERT INTO {table} FORMAT RowBinaryWithNames");
        let settings = [
            ("query", statement.as_str()),
            ("async_insert", if insert.asynchronous { "1" } else { "0" }),
            ("wait_for_async_insert", "1"),
            ("insert_deduplicate", "1"),
            ("async_insert_deduplicate", "1"),
            ("insert_deduplication_token", insert.token),
            ("deduplicate_blocks_in_dependent_materialized_views", "1"),
        ];
        let mut request = self.post(&[&settings[..], more].concat());
        if let Some(coding) = insert.compression.coding() {
            request = request.header(CONTENT_ENCODING, coding);
        }
        let answer = self.send(request.body(insert.rows.clone())).await?;
        if answer.iter().all(u8::is_ascii_whitespace) {
            return Ok(());
        }
        // An insert has no answer; a page of something that stands before the server is one.
        Err(again(format!("an insert was answered with {:?}", short(&String::from_utf8_lossy(&answer)))))
    }

    /// Whether an asynchronous insert that comes again adds nothing, to its table and to the views of it.
    ///
    /// Source: ClickHouse's changelog of 26.1. Servers before that refuse the two settings together, or remember
    /// asynchronous inserts in replicated tables only.
    ///
    /// # Errors
    /// The server did not say its version.
    pub async fn remembers_asynchronous(&self) -> Result<bool, Failure> {
        let version = self.query("SELECT version() FORMAT TSV").await?;
        let mut numbers = version.trim().split('.').map(|number| number.parse::<u32>().unwrap_or(0));
        Ok((numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= (26, 1))
    }

    fn post(&self, parameters: &[(&str, &str)]) -> RequestBuilder {
        let mut url = self.endpoint.clone();
        url.query_pairs_mut().extend_pairs(parameters);
        self.http.post(url)
    }

    async fn send(&self, request: RequestBuilder) -> Result<Vec<u8>, Failure> {
        let sent = request.headers(self.headers.clone()).send().await;
        let response = sent.map_err(|error| again(chain(&error)))?;
        let head = Head::of(&response);
        // An answer that breaks off is not known to be the server's whole answer.
        let body = body(response).await.map_err(|error| again(chain(&error)))?;
        head.judge(&body)?;
        Ok(body)
    }
}

/// What the head of an answer says.
struct Head {
    status: StatusCode,
    code: Option<u32>,
    after: Option<Duration>,
    /// Whether it is ClickHouse that answers.
    is_clickhouse: bool,
}

impl Head {
    fn of(response: &Response) -> Self {
        let text = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::trim);
        Self {
            status: response.status(),
            code: text("x-clickhouse-exception-code").and_then(|code| code.parse().ok()),
            after: text(RETRY_AFTER.as_str()).and_then(retry_after),
            is_clickhouse: response.headers().keys().any(|name| name.as_str().starts_with("x-clickhouse-")),
        }
    }

    /// An exception counts whatever the status: the server may have begun to answer when it happened.
    fn judge(&self, body: &[u8]) -> Result<(), Failure> {
        let words = String::from_utf8_lossy(body);
        let code = self.code.or_else(|| exception::code(&words));
        let status = self.status;
        let failure = |meaning, why| Err(Failure { meaning, code, why, after: self.after });
        if let Some(code) = code {
            return failure(
                exception::meaning(code, &words),
                format!("the server answered {status}: {}", short(&words)),
            );
        }
        if status.is_success() {
            return match self.is_clickhouse {
                true => Ok(()),
                false => failure(Meaning::Again, format!("what answers {status} is not ClickHouse: {}", short(&words))),
            };
        }
        let meaning = if status == StatusCode::PAYLOAD_TOO_LARGE { Meaning::TooLarge } else { Meaning::Again };
        failure(meaning, format!("the server answered {status}: {}", short(&words)))
    }
}

fn again(why: String) -> Failure {
    Failure { meaning: Meaning::Again, code: None, why, after: None }
}

/// The beginning of an answer's body.
async fn body(mut response: Response) -> Result<Vec<u8>, reqwest::Error> {
    let mut whole = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        let room = ANSWER_BYTES.saturating_sub(whole.len());
        whole.extend_from_slice(chunk.get(..room.min(chunk.len())).unwrap_or_default());
        if whole.len() == ANSWER_BYTES {
            break;
        }
    }
    Ok(whole)
}

/// Seconds, or a date of HTTP (RFC 9110, 10.2.3). A date that has passed is none.
fn retry_after(value: &str) -> Option<Duration> {
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    httpdate::parse_http_date(value).ok()?.duration_since(SystemTime::now()).ok()
}

/// The beginning of a text, without what would break a line of a log.
fn short(text: &str) -> String {
    text.trim().chars().take(WORDS).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// The error with what is under it: the client's own sentences hide the cause. The address is left out, because
/// statements and tokens are in it.
fn chain(error: &reqwest::Error) -> String {
    let mut text = String::from("the server cannot be reached");
    if error.is_timeout() {
        text = "the server did not answer in time".to_owned();
    }
    let mut under = std::error::Error::source(error);
    while let Some(cause) = under {
        let more = cause.to_string();
        if !text.ends_with(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        under = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_of_the_content() {
        assert_eq!(token(b"a"), token(b"a"));
        assert_ne!(token(b"a"), token(b"b"));
        assert_eq!(token(b""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }

    #[test]
    fn passwords_are_not_shown() {
        let credentials = Credentials { username: "u".to_owned(), password: "geheim".to_owned() };
        assert!(!format!("{credentials:?}").contains("geheim"));
    }

    #[test]
    fn answers_are_told_apart() {
        let head = |status, code, is_clickhouse| Head {
            status: StatusCode::from_u16(status).unwrap(),
            code,
            after: None,
            is_clickhouse,
        };
        let meaning = |head: Head, body: &str| head.judge(body.as_bytes()).map_err(|failure| failure.meaning);
        let table = "Code: 60. DB::Exception: Table t does not exist";
        assert_eq!(meaning(head(200, None, true), ""), Ok(()));
        assert_eq!(meaning(head(200, None, false), "<html>"), Err(Meaning::Again));
        assert_eq!(meaning(head(200, None, true), table), Err(Meaning::Again));
        assert_eq!(meaning(head(200, Some(469), true), ""), Err(Meaning::Never));
        assert_eq!(meaning(head(400, Some(27), true), ""), Err(Meaning::Never));
        assert_eq!(meaning(head(500, Some(307), true), ""), Err(Meaning::TooLarge));
        assert_eq!(meaning(head(413, None, false), ""), Err(Meaning::TooLarge));
        for status in [301, 400, 401, 403, 404, 429, 500, 503] {
            assert_eq!(meaning(head(status, None, false), ""), Err(Meaning::Again), "{status}");
        }
    }
}
