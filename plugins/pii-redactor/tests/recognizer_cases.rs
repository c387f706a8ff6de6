//! Short texts for each type of identifier, positive and negative, where the data set is at hand (folder in
//! `TOLLGATE_PII`): as they are, and behind the words that name the type.
#![expect(clippy::unwrap_used, reason = "a data set that is not as its description says must stop the test")]

use flate2::read::GzDecoder;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use tollgate_pii_redactor::Redactor;

/// The types that are scored, and what their issuer calls them.
const PHRASES: &[(&str, &str)] = &[
    ("ABA_ROUTING_NUMBER", "ABA routing number"),
    ("AU_ABN", "Australian Business Number"),
    ("AU_ACN", "Australian Company Number"),
    ("AU_MEDICARE", "Medicare card number"),
    ("AU_TFN", "Tax file number"),
    ("CA_SIN", "Social Insurance Number"),
    ("CREDIT_CARD", "Credit card"),
    ("CRYPTO", "Wallet address"),
    ("DE_BSNR", "Betriebsstättennummer"),
    ("DE_FUEHRERSCHEIN", "Führerscheinnummer"),
    ("DE_HANDELSREGISTER", "Handelsregisternummer"),
    ("DE_HEALTH_INSURANCE", "Krankenversichertennummer"),
    ("DE_ID_CARD", "Personalausweisnummer"),
    ("DE_KFZ", "Kfz-Kennzeichen"),
    ("DE_LANR", "Lebenslange Arztnummer"),
    ("DE_PASSPORT", "Reisepassnummer"),
    ("DE_PLZ", "Postleitzahl"),
    ("DE_SOCIAL_SECURITY", "Rentenversicherungsnummer"),
    ("DE_TAX_ID", "Steueridentifikationsnummer"),
    ("DE_TAX_NUMBER", "Steuernummer"),
    ("DE_VAT_ID", "USt-IdNr."),
    ("ES_NIE", "Número de identificación de extranjero"),
    ("ES_NIF", "Documento nacional de identidad"),
    ("ES_PASSPORT", "Pasaporte"),
    ("FI_PERSONAL_IDENTITY_CODE", "Henkilötunnus"),
    ("IBAN_CODE", "IBAN"),
    ("IN_AADHAAR", "Aadhaar number"),
    ("IN_GSTIN", "GSTIN"),
    ("IN_PAN", "Permanent Account Number"),
    ("IN_PASSPORT", "Indian passport number"),
    ("IN_VEHICLE_REGISTRATION", "Vehicle registration number"),
    ("IN_VOTER", "Voter ID"),
    ("IP_ADDRESS", "IP address"),
    ("IT_DRIVER_LICENSE", "Patente di guida"),
    ("IT_FISCAL_CODE", "Codice fiscale"),
    ("IT_IDENTITY_CARD", "Carta d'identità"),
    ("IT_PASSPORT", "Passaporto"),
    ("IT_VAT_CODE", "Partita IVA"),
    ("KR_BRN", "Business registration number"),
    ("KR_DRIVER_LICENSE", "운전면허번호"),
    ("KR_FRN", "외국인등록번호"),
    ("KR_PASSPORT", "여권번호"),
    ("KR_RRN", "주민등록번호"),
    ("MAC_ADDRESS", "MAC address"),
    ("MEDICAL_LICENSE", "DEA number"),
    ("NG_NIN", "National Identification Number"),
    ("NG_VEHICLE_REGISTRATION", "Vehicle registration number"),
    ("PH_TIN", "Taxpayer Identification Number"),
    ("PL_PESEL", "PESEL"),
    ("SE_ORGANISATIONSNUMMER", "Organisationsnummer"),
    ("SE_PERSONNUMMER", "Personnummer"),
    ("SG_NRIC_FIN", "NRIC"),
    ("SG_UEN", "Unique Entity Number"),
    ("TH_TNIN", "เลขประจำตัวประชาชน"),
    ("TR_LICENSE_PLATE", "Plaka"),
    ("TR_NATIONAL_ID", "T.C. Kimlik No"),
    ("UK_DRIVING_LICENCE", "Driving licence number"),
    ("UK_NHS", "NHS number"),
    ("UK_NINO", "National Insurance number"),
    ("UK_PASSPORT", "UK passport number"),
    ("UK_POSTCODE", "Postcode"),
    ("UK_VEHICLE_REGISTRATION", "Registration number"),
    ("US_BANK_NUMBER", "Bank account number"),
    ("US_DRIVER_LICENSE", "Driver's license"),
    ("US_ITIN", "Individual Taxpayer Identification Number"),
    ("US_MBI", "Medicare Beneficiary Identifier"),
    ("US_NPI", "National Provider Identifier"),
    ("US_PASSPORT", "US passport number"),
    ("US_SSN", "Social Security number"),
    ("ZA_ID_NUMBER", "South African ID number"),
];

/// Texts of one type: how many, and in how many a value of the type was found, bare and behind the phrase.
#[derive(Clone, Copy, Default)]
struct Count {
    all: usize,
    bare: usize,
    named: usize,
}

impl Count {
    fn add(&mut self, bare: bool, named: bool) {
        self.all += 1;
        self.bare += usize::from(bare);
        self.named += usize::from(named);
    }

    fn and(self, other: Self) -> Self {
        Self { all: self.all + other.all, bare: self.bare + other.bare, named: self.named + other.named }
    }
}

/// The rows; without the data the test says so and passes, unless the data is required.
fn rows() -> Option<Vec<Value>> {
    let Ok(folder) = std::env::var("TOLLGATE_PII") else {
        assert!(std::env::var("TOLLGATE_REQUIRE_DATA").is_err(), "TOLLGATE_PII is not set");
        eprintln!("SKIPPED: TOLLGATE_PII is not set, the recogniser cases were not scored");
        return None;
    };
    let file = File::open(PathBuf::from(folder).join("recognizer_cases.jsonl.gz")).unwrap();
    Some(
        BufReader::new(GzDecoder::new(file))
            .lines()
            .map(|line| serde_json::from_str(&line.unwrap()).unwrap())
            .collect(),
    )
}

#[test]
fn positives_are_found_and_negatives_are_not() {
    let Some(rows) = rows() else { return };
    let redactor = Redactor::default();
    let show = std::env::var("TOLLGATE_SHOW_MISSES").is_ok();
    let hit = |text: &str, entity: &str| {
        redactor.redact_text(text).1.iter().any(|finding| redactor.type_name(finding.kind) == entity)
    };
    let mut counts: BTreeMap<&str, (Count, Count)> = BTreeMap::new();
    for row in &rows {
        let (entity, text) = (row["entity"].as_str().unwrap(), row["text"].as_str().unwrap());
        let Some((_, phrase)) = PHRASES.iter().find(|(name, _)| *name == entity) else { continue };
        let positive = row["expected"].as_u64().unwrap() > 0;
        let with_phrase = format!("{phrase}: {text}");
        let (bare, named) = (hit(text, entity), hit(&with_phrase, entity));
        let (positives, negatives) = counts.entry(entity).or_default();
        if positive { positives } else { negatives }.add(bare, named);
        if show && named != positive {
            let found: Vec<_> =
                redactor.redact_text(&with_phrase).1.iter().map(|f| redactor.type_name(f.kind)).collect();
            eprintln!("{} {with_phrase:?} {found:?}", if positive { "missed" } else { "wrong" });
        } else if show && bare && !positive {
            eprintln!("wrong {entity} {text:?}");
        }
    }
    println!(
        "{:26} {:>9} {:>6} {:>6}   {:>9} {:>6} {:>6}",
        "", "positives", "bare", "named", "negatives", "bare", "named"
    );
    for (entity, (positive, negative)) in &counts {
        println!(
            "{entity:26} {:9} {:6} {:6}   {:9} {:6} {:6}",
            positive.all, positive.bare, positive.named, negative.all, negative.bare, negative.named
        );
    }
    let (positive, negative) = counts
        .values()
        .fold((Count::default(), Count::default()), |sum, count| (sum.0.and(count.0), sum.1.and(count.1)));
    println!(
        "{:26} {:9} {:6} {:6}   {:9} {:6} {:6}",
        "all", positive.all, positive.bare, positive.named, negative.all, negative.bare, negative.named
    );
    assert!(positive.named * 100 >= positive.all * 95, "{} of {} positives", positive.named, positive.all);
    assert!(negative.named * 20 <= negative.all, "{} of {} negatives with a phrase", negative.named, negative.all);
    assert!(negative.bare * 20 <= negative.all, "{} of {} negatives", negative.bare, negative.all);
}
