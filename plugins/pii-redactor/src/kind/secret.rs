//! Credentials: one type a vendor, and the forms that many share.

use super::{Category, Entry, Kind, SECRET, kinds};

kinds! {
    SECRET, Category::Secret;
    API_KEY 0 "A key or token of a vendor that has no type of its own.",
    JWT 0 "A JSON web token: three parts, the first of which is a header with an algorithm.",
    PRIVATE_KEY 0 "A private key in PEM form.",
}
