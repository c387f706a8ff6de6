//! What names, reaches or pays somebody. Names are those of Presidio where it has one, and formed like them elsewhere.

use super::{Category, Entry, Kind, PERSONAL, kinds};

kinds! {
    PERSONAL, Category::Personal;
    CREDIT_CARD 4 "A payment card number: issuer prefix, length and Luhn digit agree.",
    CN_BANK_CARD 4 "A bank card of China UnionPay: prefix 62, length and Luhn digit agree.",
    IBAN_CODE 4 "An international bank account number: country, length, form and check digits agree.",
    CN_ID_CARD 4 "A resident identity number of China: province, date and check character agree.",
    US_SSN 4 "A social security number of the United States, of a range that may be assigned.",
    EMAIL_ADDRESS 0 "An e-mail address.",
    IP_ADDRESS 0 "An IPv4 or IPv6 address that may belong to somebody.",
    PHONE_NUMBER 4 "A telephone number.",
    URL 0 "A web address with its scheme, or one that begins with www.",
}
