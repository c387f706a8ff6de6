//! Texts for the tests of whole texts and of streams.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test binary uses a part of it; a data set that is not as described must stop the test"
)]

use flate2::read::GzDecoder;
use proptest::prelude::*;
use serde_json::Value;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;

/// Texts made of pieces that matter, so that they touch in every way.
pub(crate) fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => prop::sample::select(vec![
            "ann@example.com", "4111 1111 1111 1111", "4111111111111111", "13812345678", "+1 415 555 0132",
            "(415) 555-0132", "079 7602 9803", "467 3395", "536-32-3065", "GB29NWBK60161331926819", "6.59.110.227",
            "2001:db8::1", "11010519491231002X", "AKIAABCDEFGH23456723", "sk-a1B2c3D4e5F6g7H8i9J0kL",
            "-----BEGIN PRIVATE KEY-----\nMIIB", "-----END PRIVATE KEY-----", "１３８１２３４５６７８",
            "password: ", "password=", "\"password\": \"", "the password is ", "密码：", "密码", "api_key = '", "token: ",
            "Zx9!kQ7", "hunterpass", "9f2c4e7a1b3d50689f2c4e7a1b3d5068", "Qm7RtZ2xWc9KpL4v", "${VAR}", "EXAMPLE",
            "https://", "ann:Zx9kQ7@db", "curl -u ", "Authorization: Bearer ", "Basic ", "YW5uOlp4OSFrUTc=",
            "eyJhbGciOiJIUzI1NiJ9", ".eyJzdWIiOiI3In0.", "ghp_", "glpat-", "xoxb-", "SG.", "AKIA", "8Q~", "value=", "</",
            "Phone: ", "电话：", "SSN ", "version ", "fax", "x12", "<PHONE_NUMBER>", "****1111",
        ]).prop_map(str::to_owned),
        4 => prop::sample::select(vec![
            " ", "-", ".", ",", ":", "/", "@", "=", "+", "_", "\n", "\\n", "\"", "中", "，", "\u{200b}", "\u{3000}", "é",
            "(", ")", "<", ">", "*", "{", "[", "\\u0040", "a", "1", "0", "#", "\\",
        ]).prop_map(str::to_owned),
        1 => "[0-9]{1,6}",
        1 => "\\PC{0,6}",
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// The folder of the data sets; without it the test says so and passes, unless the data is required.
pub(crate) fn rows(file: &str) -> Option<Vec<Value>> {
    let Ok(folder) = std::env::var("TOLLGATE_PII") else {
        assert!(std::env::var("TOLLGATE_REQUIRE_DATA").is_err(), "TOLLGATE_PII is not set");
        eprintln!("SKIPPED: TOLLGATE_PII is not set, {file} was not scored");
        return None;
    };
    let lines = BufReader::new(GzDecoder::new(File::open(PathBuf::from(folder).join(file)).unwrap())).lines();
    Some(lines.map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect())
}
