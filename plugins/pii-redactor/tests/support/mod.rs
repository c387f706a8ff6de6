//! Texts for the tests of whole texts and of streams.

use proptest::prelude::*;

/// Texts made of pieces that matter, so that they touch in every way.
pub(crate) fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => prop::sample::select(vec![
            "ann@example.com", "4111 1111 1111 1111", "4111111111111111", "13812345678", "+1 415 555 0132",
            "(415) 555-0132", "079 7602 9803", "467 3395", "536-32-3065", "GB29NWBK60161331926819", "6.59.110.227",
            "2001:db8::1", "11010519491231002X", "AKIAABCDEFGH23456723", "sk-a1B2c3D4e5F6g7H8i9J0kL",
            "-----BEGIN PRIVATE KEY-----\nMIIB", "-----END PRIVATE KEY-----", "１３８１２３４５６７８",
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
