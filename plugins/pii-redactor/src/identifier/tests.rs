//! What holds for all identifiers, and a table of values of each.

use super::*;
use crate::resolve::resolve;
use crate::scan::scan;
use proptest::prelude::*;

pub(super) type Expected<'a> = (Kind, &'a str);

fn found(text: &str) -> Vec<Expected<'_>> {
    let all = Kinds::of(Kind::all());
    let candidates = resolve(scan(&Text::whole(text.as_bytes()), 0, &all).found);
    candidates.into_iter().filter_map(|found| Some((found.kind, text.get(found.start..found.end)?))).collect()
}

#[track_caller]
pub(super) fn assert_found(text: &str, expected: &[Expected<'_>]) {
    assert_eq!(found(text), expected, "{text}");
}
/// A type, words that name it, a value, whether the value is found without words, and the same with an error that its
/// rules show: a wrong check, or a part that is not assigned. Values are made up or of documentation.
type Case = (Kind, &'static str, &'static str, bool, &'static str);

#[rustfmt::skip]
const CASES: &[Case] = &[
    (Kind::US_SSN, "Social security number", "536-32-3065", true, "666-32-3065"),
    (Kind::US_SSN, "SSN", "536323065", false, "536003065"),
    (Kind::US_SSN, "SSN", "536 32 3065", false, "536 32 0000"),
    (Kind::US_ITIN, "ITIN", "949-75-2209", true, "949-49-2209"),
    (Kind::US_ITIN, "ITIN", "949752209", false, "949932209"),
    (Kind::US_PASSPORT, "US passport number", "B48261937", false, ""),
    (Kind::US_PASSPORT, "US passport number", "482619375", false, "222222222"),
    (Kind::US_DRIVER_LICENSE, "Driver's license", "D4826193", false, ""),
    (Kind::US_DRIVER_LICENSE, "Driver's license", "S530-4601-8322", false, ""),
    (Kind::US_BANK_NUMBER, "Account number", "948372615", false, ""),
    (Kind::ABA_ROUTING_NUMBER, "Routing number", "112795847", false, "112795848"),
    (Kind::ABA_ROUTING_NUMBER, "ABA", "1127-9584-7", true, "4127-9584-7"),
    (Kind::US_MBI, "Medicare beneficiary identifier", "2AC3-DE4-FG56", true, "2SC3-DE4-FG56"),
    (Kind::US_NPI, "NPI", "1234987653", false, "1234987654"),
    (Kind::MEDICAL_LICENSE, "DEA number", "BM4826193", false, "BM4826194"),
    (Kind::CA_SIN, "SIN", "360223994", false, "360223995"),
    (Kind::CA_SIN, "Numéro d'assurance sociale", "360-223-994", false, "860-223-994"),
    (Kind::BR_CPF, "CPF", "620.129.980-70", true, "620.129.980-71"),
    (Kind::BR_CPF, "CPF", "50434738603", false, "50434738613"),
    (Kind::BR_CNPJ, "CNPJ", "62.149.044/0001-35", true, "62.149.044/0001-36"),
    (Kind::BR_CNPJ, "CNPJ", "12ABC34501DE35", false, "12ABC34501DE36"),
    (Kind::BR_CNPJ, "CNPJ", "12.ABC.345/01DE-35", true, "12.ABC.345/01DF-35"),
    (Kind::UK_NHS, "NHS number", "641 585 6219", false, "641 585 6218"),
    (Kind::UK_NHS, "NHS number", "3670938125", false, "3670938126"),
    (Kind::UK_NINO, "National Insurance number", "CE 48 26 19 B", true, "CE 48 26 19 E"),
    (Kind::UK_NINO, "NINO", "CE482619B", false, "GB482619B"),
    (Kind::UK_PASSPORT, "UK passport", "482619375", false, ""),
    (Kind::UK_POSTCODE, "Postcode", "SW1A 2AA", false, "QW1A 2AA"),
    (Kind::UK_POSTCODE, "Postcode", "B33 8TH", false, "B33 8TV"),
    (Kind::UK_VEHICLE_REGISTRATION, "Number plate", "BD51 SMR", false, "BD50 SMR"),
    (Kind::UK_VEHICLE_REGISTRATION, "Registration", "P482 XYZ", false, "Q482 XYZ"),
    (Kind::UK_DRIVING_LICENCE, "Driving licence", "BAKER803126JS9KL", true, "BAKER813326JS9KL"),
    (Kind::CN_ID_CARD, "身份证", "310108200704226688", true, "310108200704226689"),
    (Kind::CN_ID_CARD, "身份证", "11010519491231002X", true, "110105194913310021"),
    (Kind::CN_ID_CARD, "身份证", "310108700422668", false, "310108701322668"),
    (Kind::CN_PASSPORT, "护照", "E48261937", false, "X48261937"),
    (Kind::CN_PASSPORT, "护照号码", "EB4826193", false, ""),
    (Kind::CN_USCC, "统一社会信用代码", "11110000688244665M", false, "11110000688244665N"),
    (Kind::CN_USCC, "统一社会信用代码", "91310000MA1FL4H37W", true, "91310000MA1FL4H370"),
    (Kind::HK_ID_CARD, "HKID", "A123456(3)", true, "A123456(4)"),
    (Kind::HK_ID_CARD, "香港身份證", "G123456(A)", true, "G123456(B)"),
    (Kind::HK_ID_CARD, "香港身份證", "A1234563", false, "A1234564"),
    (Kind::TW_ID_CARD, "身分證字號", "A123456789", false, "A123456788"),
    (Kind::IN_AADHAAR, "Aadhaar", "8941 7622 6600", true, "8941 7622 6601"),
    (Kind::IN_AADHAAR, "Aadhaar", "267143531624", false, "267143531625"),
    (Kind::IN_PAN, "PAN", "BKZPQ4826L", true, "BKZXQ4826L"),
    (Kind::IN_GSTIN, "Seller", "07YKMPI3219Z1ZI", true, "07YKMPI3219Z1ZJ"),
    (Kind::IN_PASSPORT, "Indian passport", "M4826193", false, "M0826193"),
    (Kind::IN_VOTER, "Voter ID", "KZB4826193", false, ""),
    (Kind::IN_VEHICLE_REGISTRATION, "Vehicle registration", "MH 12 DE 1433", false, "XX 12 DE 1433"),
    (Kind::IN_VEHICLE_REGISTRATION, "Number plate", "22 BH 6517 A", false, ""),
    (Kind::FR_NIR, "NIR", "1 20 01 27 238 666 54", true, "1 20 01 27 238 666 55"),
    (Kind::FR_NIR, "NIR", "208129491632608", true, "208139491632608"),
    (Kind::ES_NIF, "NIF", "24195819A", true, "24195819B"),
    (Kind::ES_NIF, "DNI", "24195819-A", true, "24195819-B"),
    (Kind::ES_NIE, "NIE", "X3336140J", true, "X3336140K"),
    (Kind::ES_NUSS, "Seguridad Social", "28 12345678 40", true, "28 12345678 41"),
    (Kind::ES_PASSPORT, "Pasaporte", "ZAB482619", false, ""),
    (Kind::IT_FISCAL_CODE, "Persona", "WFPLVQ72H01D359J", true, "WFPLVQ72H01D359K"),
    (Kind::IT_VAT_CODE, "Partita IVA", "82530760410", false, "82530760411"),
    (Kind::IT_PASSPORT, "Passaporto", "YB4826193", false, ""),
    (Kind::IT_IDENTITY_CARD, "Carta d'identità", "CA48261ZX", false, ""),
    (Kind::IT_DRIVER_LICENSE, "Patente di guida", "MI4826193K", false, ""),
    (Kind::IT_DRIVER_LICENSE, "Patente", "U1C48R6T2K", false, "U1A48R6T2K"),
    (Kind::DE_TAX_ID, "Steuer-ID", "94500870310", false, "94500870311"),
    (Kind::DE_TAX_ID, "Steuer-ID", "23 948 560 447", true, "23 948 560 448"),
    (Kind::DE_TAX_NUMBER, "Steuernummer", "93/815/08152", false, ""),
    (Kind::DE_TAX_NUMBER, "Steuernummer", "2893081508152", false, "2893981508152"),
    (Kind::DE_SOCIAL_SECURITY, "Versicherungsnummer", "53270185M048", true, "53270185M049"),
    (Kind::DE_ID_CARD, "Personalausweis", "LZ6TG8K37", false, "LA6TG8K37"),
    (Kind::DE_ID_CARD, "Personalausweis", "LZ6TG8K373", false, "LZ6TG8K374"),
    (Kind::DE_PASSPORT, "Reisepass", "C4K7RT9P25", false, "C4K7RT9P26"),
    (Kind::DE_HEALTH_INSURANCE, "KVNR", "K482619377", false, "K482619378"),
    (Kind::DE_VAT_ID, "USt-IdNr.", "DE341486591", true, "DE341486592"),
    (Kind::DE_VAT_ID, "USt-IdNr.", "DE 341 486 591", true, "DE 341 486 592"),
    (Kind::DE_LANR, "LANR", "482619503", false, "482619603"),
    (Kind::DE_BSNR, "BSNR", "724826193", false, "004826193"),
    (Kind::DE_FUEHRERSCHEIN, "Führerschein", "B072RRE2I55", false, ""),
    (Kind::DE_HANDELSREGISTER, "Firma", "HRB 48261", true, "HRX 48261"),
    (Kind::DE_KFZ, "Kennzeichen", "B-MK 4826", false, "BXXX-MK 4826"),
    (Kind::DE_PLZ, "PLZ", "10119", false, "00119"),
    (Kind::FI_PERSONAL_IDENTITY_CODE, "Hetu", "120883-376R", true, "120883-376S"),
    (Kind::FI_PERSONAL_IDENTITY_CODE, "Hetu", "071240+5519", true, "071340+5519"),
    (Kind::SE_PERSONNUMMER, "Personnummer", "900412-3817", true, "900412-3818"),
    (Kind::SE_PERSONNUMMER, "Personnummer", "199004123817", false, "199013123817"),
    (Kind::SE_ORGANISATIONSNUMMER, "Organisationsnummer", "559473-5044", false, "559473-5045"),
    (Kind::PL_PESEL, "PESEL", "51412829943", false, "51412829944"),
    (Kind::TR_NATIONAL_ID, "T.C. Kimlik No", "63810549916", false, "63810549917"),
    (Kind::TR_LICENSE_PLATE, "Plaka", "34 KLM 482", false, "82 KLM 482"),
    (Kind::SWIFT_CODE, "BIC", "MARKDEF1100", false, "MARKXXF1100"),
    (Kind::SG_NRIC_FIN, "Holder", "S7654321F", true, "S7654321G"),
    (Kind::SG_NRIC_FIN, "Holder", "G7654321L", true, "G7654321M"),
    (Kind::SG_NRIC_FIN, "Holder", "M7654321J", true, "M7654321K"),
    (Kind::SG_UEN, "UEN", "49291973M", false, "49291973X"),
    (Kind::KR_RRN, "주민등록번호", "900412-1482619", true, "901312-1482619"),
    (Kind::KR_FRN, "외국인등록번호", "900412-5482619", true, "901312-5482619"),
    (Kind::KR_PASSPORT, "여권번호", "M482C6193", false, "X482C6193"),
    (Kind::KR_DRIVER_LICENSE, "운전면허번호", "11-90-482619-37", true, "10-90-482619-37"),
    (Kind::KR_BRN, "사업자등록번호", "214-87-53204", true, "214-87-53205"),
    (Kind::JP_MY_NUMBER, "マイナンバー", "310886813537", false, "310886813538"),
    (Kind::TH_TNIN, "Thai national ID", "1809054496950", false, "1809054496951"),
    (Kind::TH_TNIN, "Thai ID", "3-5205-62813-89-6", true, "3-5205-62813-89-7"),
    (Kind::PH_TIN, "TIN", "246-813-556-000", true, "246-813-557-000"),
    (Kind::AU_TFN, "Tax file number", "913 839 390", false, "913 839 391"),
    (Kind::AU_ABN, "ABN", "41 472 669 850", true, "41 472 669 851"),
    (Kind::AU_ACN, "ACN", "791 836 649", false, "791 836 640"),
    (Kind::AU_MEDICARE, "Medicare", "4952 63878 1", true, "4952 63879 1"),
    (Kind::ZA_ID_NUMBER, "Holder", "2808052335084", true, "2808052335085"),
    (Kind::NG_NIN, "NIN", "48261937508", false, "22222222222"),
    (Kind::NG_VEHICLE_REGISTRATION, "Plate number", "KJA-482PZ", false, "KJAB-482PZ"),
    (Kind::DATE_OF_BIRTH, "Date of birth", "1985-03-12", false, "1985-13-12"),
    (Kind::MAC_ADDRESS, "Adapter", "02:00:5e:10:00:0a", true, "02:00:5e:10:00:0g"),
    (Kind::IBAN_CODE, "Konto", "DE89 3704 0044 0532 0130 00", true, "DE88 3704 0044 0532 0130 00"),
];

fn has(text: &str, expected: Expected<'_>) -> bool {
    found(text).contains(&expected)
}

#[test]
fn values_are_found_with_the_words_that_name_them() {
    for &(kind, words, value, alone, _) in CASES {
        for text in [format!("{words}: {value}"), format!("{words}：{value}，谢谢"), format!("{words} {value}.\n")]
        {
            assert!(has(&text, (kind, value)), "{text}: {:?}", found(&text));
        }
        for text in [value.to_owned(), format!("然后{value}呢"), format!("(\"{value}\")")] {
            assert_eq!(has(&text, (kind, value)), alone, "{text}: {:?}", found(&text));
        }
    }
}

#[test]
fn what_breaks_a_rule_is_not_found_whatever_the_words_say() {
    for &(kind, words, _, _, broken) in CASES.iter().filter(|case| !case.4.is_empty()) {
        let text = format!("{words}: {broken}");
        assert!(found(&text).iter().all(|(other, _)| *other != kind), "{text}: {:?}", found(&text));
    }
}

#[test]
fn parts_of_longer_tokens_are_not_found() {
    for &(kind, words, value, _, _) in CASES {
        for text in [
            format!("{words}: x_{value}"),
            format!("{words}: {value}_x"),
            format!("{words}: abc-{value}"),
            format!("{words}: {value}.pdf"),
            format!("{words}: /srv/{value}"),
            format!("{words}: 0.{value}"),
            format!("{words}: q{value}"),
            format!("{words}: {value}q7"),
            format!("{words}: {value}@x"),
        ] {
            assert!(!has(&text, (kind, value)), "{text}: {:?}", found(&text));
        }
    }
}

#[test]
fn every_type_of_the_tables_has_a_case() {
    for row in &index::ROWS {
        assert!(CASES.iter().any(|case| case.0 == row.kind), "{}", row.kind.name());
        assert!(row.rule.starts_with(row.kind.name()), "{}", row.rule);
    }
}

#[test]
fn of_types_with_the_same_form_the_words_decide() {
    for (text, kind, value) in [
        ("护照E48261937", Kind::CN_PASSPORT, "E48261937"),
        ("US passport E48261937", Kind::US_PASSPORT, "E48261937"),
        ("Driver license E48261937", Kind::US_DRIVER_LICENSE, "E48261937"),
        ("여권 M48261937", Kind::KR_PASSPORT, "M48261937"),
        ("Reisepass C4K7RT9P2", Kind::DE_PASSPORT, "C4K7RT9P2"),
        ("Personalausweis C4K7RT9P2", Kind::DE_ID_CARD, "C4K7RT9P2"),
        ("passaporto AB4826193", Kind::IT_PASSPORT, "AB4826193"),
        ("British passport AB4826193", Kind::UK_PASSPORT, "AB4826193"),
        ("carta d'identità AB4826193", Kind::IT_IDENTITY_CARD, "AB4826193"),
        ("passportNumber: 482619375", Kind::US_PASSPORT, "482619375"),
    ] {
        assert_found(text, &[(kind, value)]);
    }
}

#[test]
fn a_second_number_does_not_take_the_words_of_the_first() {
    assert_found("acct 948372615 5031", &[(Kind::US_BANK_NUMBER, "948372615")]);
    assert_found("PLZ 10119, 48261 Stück", &[(Kind::DE_PLZ, "10119")]);
    assert_found("130 360 223 994 SIN", &[]);
}

/// Shares of texts in which something is found, of a thousand.
fn per_mille(texts: impl Iterator<Item = String>) -> usize {
    let (mut all, mut hit) = (0, 0);
    for text in texts {
        all += 1;
        hit += usize::from(!found(&text).is_empty());
    }
    hit * 1000 / all
}

/// The same numbers on every run.
fn random(seed: u64) -> impl FnMut(u64) -> u64 {
    let mut state = seed;
    move |below| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    }
}

#[test]
fn random_digits_without_words_are_left_alone() {
    let mut next = random(1);
    for length in 6..=20 {
        let numbers: Vec<String> = (0..3000)
            .map(|_| {
                let digits: String = (0..length).map(|_| char::from(b'0' + next(10) as u8)).collect();
                format!("order {digits} shipped")
            })
            .collect();
        // Cards have their own rules, and one in twelve runs of eleven digits is a mobile number of China.
        let other = |kind: Kind| matches!(kind, Kind::CREDIT_CARD | Kind::CN_BANK_CARD | Kind::PHONE_NUMBER);
        let share = per_mille(numbers.into_iter().filter(|text| !found(text).iter().any(|(kind, _)| other(*kind))));
        assert!(share < 30, "{share} of a thousand runs of {length} digits");
    }
}

#[test]
fn random_tokens_without_words_are_left_alone() {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    let mut next = random(2);
    for length in 6..=20 {
        let tokens: Vec<String> = (0..3000)
            .map(|_| (0..length).map(|_| char::from(ALPHABET[next(36) as usize])).collect::<String>())
            .map(|token| format!("item {token} shipped"))
            .collect();
        let share = per_mille(tokens.into_iter());
        assert!(share < 3, "{share} of a thousand tokens of {length} characters");
    }
}

proptest! {
    /// However a text is cut, a decision that was made does not change with more text.
    #[test]
    fn decisions_stand_when_more_text_comes(place in 0..CASES.len(), more in "[ -~]{0,40}") {
        let (_, words, value, _, _) = CASES[place];
        let text = format!("{words}: {value}{more}");
        let all = Kinds::of(Kind::all());
        let whole: Vec<_> = scan(&Text::whole(text.as_bytes()), 0, &all).found;
        for cut in 0..text.len() {
            if !text.is_char_boundary(cut) {
                continue;
            }
            let pass = scan(&Text::beginning(&text.as_bytes()[..cut]), 0, &all);
            let stopped = pass.stopped;
            let settled: Vec<_> = whole.iter().filter(|found| pass.found.contains(found)).collect();
            prop_assert_eq!(settled.len(), pass.found.len(), "cut at {}, stopped at {}: {:?} of {:?}", cut, stopped, pass.found, whole);
        }
    }
}
