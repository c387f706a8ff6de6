//! What stands before an identifier where people write it: its name, as the authority that gives it out writes it on the
//! document or the form.

/// For each type of the sets: what to write before a value, and words (in lower case) by which a text already says
/// what its value is.
const PHRASES: &[(&str, &str, &[&str])] = &[
    // American Bankers Association.
    ("ABA_ROUTING_NUMBER", "routing number: ", &["routing", "aba", "rtn"]),
    // Australian Business Register, ASIC, Services Australia, ATO.
    ("AU_ABN", "Australian business number (ABN): ", &["abn", "business number"]),
    ("AU_ACN", "Australian company number (ACN): ", &["acn", "company number"]),
    ("AU_MEDICARE", "Medicare card number: ", &["medicare"]),
    ("AU_TFN", "tax file number (TFN): ", &["tfn", "tax file"]),
    // Service Canada.
    ("CA_SIN", "social insurance number (SIN): ", &["sin", "social insurance", "nas"]),
    // Drug Enforcement Administration.
    ("MEDICAL_LICENSE", "DEA number: ", &["dea", "certificate", "license"]),
    ("CREDIT_CARD", "credit card number: ", &["card", "visa", "mastercard", "amex"]),
    ("CRYPTO", "wallet address: ", &["wallet", "bitcoin", "btc", "crypto"]),
    ("DATE_TIME", "date: ", &["date", "today"]),
    // Kassenärztliche Bundesvereinigung.
    ("DE_BSNR", "Betriebsstättennummer (BSNR): ", &["bsnr", "betriebsst"]),
    ("DE_LANR", "lebenslange Arztnummer (LANR): ", &["lanr", "arztnummer"]),
    // Fahrerlaubnis-Verordnung, Handelsgesetzbuch, SGB V and VI, Personalausweisgesetz, Passgesetz.
    ("DE_FUEHRERSCHEIN", "Führerscheinnummer: ", &["führerschein", "fuehrerschein", "fahrerlaubnis"]),
    ("DE_HANDELSREGISTER", "Handelsregister: ", &["handelsregister", "registergericht", "amtsgericht"]),
    ("DE_HEALTH_INSURANCE", "Krankenversichertennummer: ", &["krankenvers", "versichertennummer", "kvnr"]),
    ("DE_ID_CARD", "Personalausweisnummer: ", &["personalausweis", "ausweis"]),
    ("DE_KFZ", "amtliches Kennzeichen: ", &["kennzeichen", "kfz"]),
    ("DE_PASSPORT", "Reisepassnummer: ", &["reisepass", "pass"]),
    ("DE_PLZ", "Postleitzahl: ", &["postleitzahl", "plz"]),
    ("DE_SOCIAL_SECURITY", "Rentenversicherungsnummer: ", &["rentenvers", "sozialvers", "svnr"]),
    // Bundeszentralamt für Steuern.
    ("DE_TAX_ID", "Steuerliche Identifikationsnummer: ", &["steuer", "idnr", "tin"]),
    ("DE_TAX_NUMBER", "Steuernummer: ", &["steuernummer", "st.-nr", "stnr"]),
    ("DE_VAT_ID", "Umsatzsteuer-Identifikationsnummer: ", &["umsatzsteuer", "ust-id", "ust-idnr", "vat"]),
    ("EMAIL_ADDRESS", "e-mail: ", &["mail"]),
    // Dirección General de la Policía.
    ("ES_NIE", "número de identidad de extranjero (NIE): ", &["nie", "extranjero"]),
    ("ES_NIF", "número de identificación fiscal (NIF): ", &["nif", "dni"]),
    ("ES_PASSPORT", "número de pasaporte: ", &["pasaporte", "passport"]),
    // Digital and Population Data Services Agency of Finland.
    ("FI_PERSONAL_IDENTITY_CODE", "henkilötunnus: ", &["henkilö", "hetu", "identity code"]),
    ("IBAN_CODE", "IBAN: ", &["iban"]),
    // UIDAI, GST Council, Income Tax Department, Passport Seva, Ministry of Road Transport, Election Commission.
    ("IN_AADHAAR", "Aadhaar number: ", &["aadhaar", "uidai"]),
    ("IN_GSTIN", "GSTIN: ", &["gst"]),
    ("IN_PAN", "permanent account number (PAN): ", &["pan ", "permanent account"]),
    ("IN_PASSPORT", "passport number: ", &["passport"]),
    ("IN_VEHICLE_REGISTRATION", "vehicle registration number: ", &["vehicle", "registration", "rto"]),
    ("IN_VOTER", "voter ID (EPIC) number: ", &["voter", "epic"]),
    ("IP_ADDRESS", "IP address: ", &["ip"]),
    // Ministero dell'Interno, Agenzia delle Entrate.
    ("IT_DRIVER_LICENSE", "numero patente di guida: ", &["patente", "licen"]),
    ("IT_FISCAL_CODE", "codice fiscale: ", &["fiscale", "fiscal"]),
    ("IT_IDENTITY_CARD", "carta d'identità numero: ", &["carta", "identit"]),
    ("IT_PASSPORT", "numero di passaporto: ", &["passaporto", "passport"]),
    ("IT_VAT_CODE", "partita IVA: ", &["iva", "vat"]),
    // National Tax Service, Road Traffic Authority, Immigration Service and Ministry of the Interior of Korea.
    ("KR_BRN", "사업자등록번호: ", &["사업자", "brn", "business registration"]),
    ("KR_DRIVER_LICENSE", "운전면허번호: ", &["운전면허", "license"]),
    ("KR_FRN", "외국인등록번호: ", &["외국인", "frn", "foreigner"]),
    ("KR_PASSPORT", "여권번호: ", &["여권", "passport"]),
    ("KR_RRN", "주민등록번호: ", &["주민", "rrn", "resident registration"]),
    ("MAC_ADDRESS", "MAC address: ", &["mac"]),
    // NIMC and FRSC of Nigeria.
    ("NG_NIN", "national identification number (NIN): ", &["nin", "national identification"]),
    ("NG_VEHICLE_REGISTRATION", "vehicle registration number: ", &["vehicle", "registration", "plate"]),
    // NTC and BIR of the Philippines.
    ("PH_MOBILE_NUMBER", "mobile number: ", &["mobile", "phone", "call", "text"]),
    ("PH_TIN", "taxpayer identification number (TIN): ", &["tin", "taxpayer"]),
    ("PHONE_NUMBER", "phone number: ", &["phone", "number", "call", "tel"]),
    // Ministry of Digital Affairs of Poland.
    ("PL_PESEL", "numer PESEL: ", &["pesel"]),
    // Bolagsverket and Skatteverket of Sweden.
    ("SE_ORGANISATIONSNUMMER", "organisationsnummer: ", &["organisationsnummer", "orgnr", "company"]),
    ("SE_PERSONNUMMER", "personnummer: ", &["personnummer", "personal identity"]),
    // ICA and ACRA of Singapore.
    ("SG_NRIC_FIN", "NRIC number: ", &["nric", "fin"]),
    ("SG_UEN", "unique entity number (UEN): ", &["uen", "entity number"]),
    // Department of Provincial Administration of Thailand.
    ("TH_TNIN", "เลขประจำตัวประชาชน: ", &["ประชาชน", "thai", "tnin"]),
    // NVI, EGM and BTK of Turkey.
    ("TR_LICENSE_PLATE", "plaka: ", &["plaka", "plate"]),
    ("TR_NATIONAL_ID", "T.C. kimlik numarası: ", &["kimlik", "tckn"]),
    ("TR_PHONE_NUMBER", "telefon numarası: ", &["telefon", "phone", "cep", "tel"]),
    // DVLA, NHS, HMRC, HM Passport Office and Royal Mail of the United Kingdom.
    ("UK_DRIVING_LICENCE", "driving licence number: ", &["licence", "license", "dvla"]),
    ("UK_NHS", "NHS number: ", &["nhs"]),
    ("UK_NINO", "National Insurance number: ", &["insurance", "nino", "ni number"]),
    ("UK_PASSPORT", "passport number: ", &["passport"]),
    ("UK_POSTCODE", "postcode: ", &["postcode", "address"]),
    ("UK_VEHICLE_REGISTRATION", "vehicle registration number: ", &["vehicle", "registration", "plate"]),
    ("URL", "website: ", &["website", "site", "url"]),
    // IRS, CMS, SSA, Department of State of the United States, and what its banks and states write.
    ("US_BANK_NUMBER", "bank account number: ", &["account", "bank"]),
    ("US_DRIVER_LICENSE", "driver's license number: ", &["license", "driver"]),
    ("US_ITIN", "individual taxpayer identification number (ITIN): ", &["itin", "taxpayer"]),
    ("US_MBI", "Medicare beneficiary identifier (MBI): ", &["mbi", "medicare"]),
    ("US_NPI", "national provider identifier (NPI): ", &["npi", "provider"]),
    ("US_PASSPORT", "passport number: ", &["passport"]),
    ("US_SSN", "social security number: ", &["ssn", "social security"]),
    // Department of Home Affairs of South Africa.
    ("ZA_ID_NUMBER", "South African identity number: ", &["south african", "identity number", "id number"]),
];

/// What to write before the text of a case so that it says what its value is; nothing where it does already, and
/// nothing for a type without a name.
pub(crate) fn phrase(entity: &str, text: &str) -> &'static str {
    let Some((_, phrase, words)) = PHRASES.iter().find(|(name, ..)| *name == entity) else { return "" };
    let lower = text.to_lowercase();
    if words.iter().any(|word| has_word(&lower, word)) { "" } else { phrase }
}

/// Whether the text has the word with no Latin letter in front of it: `sin` is in `my sin`, not in `using`. Scripts that
/// write no spaces need no such place.
fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word)
        .any(|(at, _)| !text.get(..at).is_some_and(|before| before.ends_with(|last: char| last.is_ascii_alphabetic())))
}

/// Whether the type has a phrase.
pub(crate) fn is_known(entity: &str) -> bool {
    PHRASES.iter().any(|(name, ..)| *name == entity)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_has_one_phrase_and_the_phrase_has_a_word_of_it() {
        for (place, (name, phrase, words)) in PHRASES.iter().enumerate() {
            assert!(PHRASES.iter().skip(place + 1).all(|(other, ..)| other != name), "{name} twice");
            assert!(words.iter().any(|word| has_word(&phrase.to_lowercase(), word)), "{name}");
            assert!(phrase.ends_with(": "), "{name}");
        }
    }

    #[test]
    fn a_text_that_says_what_its_value_is_gets_no_phrase() {
        assert_eq!(phrase("CA_SIN", "my SIN is 1"), "");
        assert_eq!(phrase("CA_SIN", "using 1"), "social insurance number (SIN): ");
        assert_eq!(phrase("KR_RRN", "주민등록번호 1"), "");
        assert_eq!(phrase("OTHER", "1"), "");
    }
}
