//! Bearer tokens (RFC 6750): who may send.
//!
//! Several tokens are right at once, so that one can be exchanged for another while senders still have the old one.

use super::Refusal;
use crate::config::Auth;
use axum::http::{HeaderMap, header};
use sha2::{Digest, Sha256};
use std::fmt;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use subtle::ConstantTimeEq;

/// Largest file of tokens, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// A token, kept as its digest: what is compared has one length, and what is printed says nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Token([u8; 32]);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

impl Token {
    /// A token as it is configured.
    ///
    /// # Errors
    /// It is empty, or has characters that a header cannot have.
    pub fn new(text: &str) -> Result<Self, &'static str> {
        if text.is_empty() {
            return Err("is empty; write a token");
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("has characters other than visible ASCII, which a token cannot have");
        }
        Ok(Self::digest(text.as_bytes()))
    }

    fn digest(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

/// Tokens that are right.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tokens(Vec<Token>);

impl Tokens {
    /// The tokens of a file, one a line; empty lines are left out.
    ///
    /// # Errors
    /// The file cannot be read, has no token, or has one that is none.
    pub fn of_file(path: &Path) -> Result<Self, String> {
        let failed = |why: &dyn fmt::Display| format!("{}: {why}", path.display());
        let size = std::fs::metadata(path).map_err(|error| failed(&error))?.len();
        if size > MAX_FILE {
            return Err(failed(&format!("has {size} bytes; a file of tokens has at most {MAX_FILE}")));
        }
        let text = std::fs::read_to_string(path).map_err(|error| failed(&error))?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let tokens: Result<Vec<_>, _> = lines.map(Token::new).collect();
        let tokens = tokens.map_err(|why| failed(&format!("a token {why}")))?;
        if tokens.is_empty() { Err(failed(&"has no token")) } else { Ok(Self(tokens)) }
    }

    /// All tokens that a configuration and its files name.
    ///
    /// # Errors
    /// What is wrong with a file.
    pub fn read(config: &Auth) -> Result<Self, String> {
        let mut tokens = config.bearer_tokens.clone();
        for file in &config.bearer_token_files {
            tokens.extend(Self::of_file(file)?.0);
        }
        Ok(Self(tokens))
    }

    /// Whether a token is one of these. The time that this takes does not depend on which one, nor on how near it is.
    fn holds(&self, token: &[u8]) -> bool {
        let token = Token::digest(token);
        let found = self.0.iter().fold(subtle::Choice::from(0), |found, known| found | known.0.ct_eq(&token.0));
        found.into()
    }
}

/// What a receiver asks of senders. Clones share their tokens.
#[derive(Clone, Debug, Default)]
pub struct Access(Option<Arc<RwLock<Tokens>>>);

impl Access {
    /// Asks for one of these tokens.
    #[must_use]
    pub fn to(tokens: Tokens) -> Self {
        Self(Some(Arc::new(RwLock::new(tokens))))
    }

    /// Asks for one of these tokens from now on.
    pub fn exchange(&self, tokens: Tokens) {
        if let Some(known) = &self.0 {
            *known.write().unwrap_or_else(PoisonError::into_inner) = tokens;
        }
    }

    /// Whether a request may be read.
    ///
    /// # Errors
    /// It brings no token, or none that is right.
    pub fn check(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let Some(tokens) = &self.0 else { return Ok(()) };
        let mut given = headers.get_all(header::AUTHORIZATION).iter();
        let (Some(value), None) = (given.next(), given.next()) else {
            return Err(Refusal::Unauthenticated("the request has no authorization header with a bearer token"));
        };
        let (scheme, token) = value.as_bytes().split_at_checked(7).unwrap_or_default();
        let right = scheme.eq_ignore_ascii_case(b"bearer ")
            && tokens.read().unwrap_or_else(PoisonError::into_inner).holds(token.trim_ascii());
        if right { Ok(()) } else { Err(Refusal::Unauthenticated("the bearer token is not one that is known here")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn headers(values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    #[test]
    fn only_a_token_that_is_known_opens() {
        let tokens = |list: &[&str]| Tokens(list.iter().map(|text| Token::new(text).unwrap()).collect());
        let access = Access::to(tokens(&["old-token", "new-token"]));
        let cases: [(&[&str], bool); 11] = [
            (&["Bearer old-token"], true),
            (&["bearer new-token"], true),
            (&["BEARER  new-token "], true),
            (&[], false),
            (&["Bearer"], false),
            (&["Bearer "], false),
            (&["Bearer new-toke"], false),
            (&["Bearer new-token2"], false),
            (&["Basic bmV3LXRva2Vu"], false),
            (&["new-token"], false),
            (&["Bearer new-token", "Bearer new-token"], false),
        ];
        for (values, right) in cases {
            assert_eq!(access.check(&headers(values)).is_ok(), right, "{values:?}");
        }
        access.clone().exchange(tokens(&["newer-token"]));
        assert!(access.check(&headers(&["Bearer new-token"])).is_err());
        assert!(access.check(&headers(&["Bearer newer-token"])).is_ok());
        assert!(Access::default().check(&headers(&[])).is_ok());
        assert_eq!(format!("{access:?}").matches("newer").count(), 0, "a token is not printed");
    }

    #[test]
    fn what_cannot_be_a_token_is_none() {
        for text in ["", "two words", "tab\t", "Schlüssel"] {
            assert!(Token::new(text).is_err(), "{text:?}");
        }
    }
}
