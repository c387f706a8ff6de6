//! The types of finding.

/// What a finding is. The order is the order of rules: of two equally good findings the earlier type wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u16)]
pub enum Kind {
    /// A vendor's API key, a JSON web token or a private key in PEM form.
    ApiKey,
    /// A payment card number: brand prefix, length and Luhn digit agree.
    CreditCard,
    /// An international bank account number: country, length and check digits agree.
    IbanCode,
    /// A resident identity number of China: province, date and check character agree.
    CnIdCard,
    /// A social security number of the United States.
    UsSsn,
    /// An e-mail address.
    EmailAddress,
    /// An IPv4 or IPv6 address.
    IpAddress,
    /// A telephone number.
    PhoneNumber,
    /// The rest of a text that had more findings than the limit allows, or all of it where it is JSON; it is taken out
    /// as a whole.
    Unscanned,
}

impl Kind {
    /// Every type, in the order of their numbers.
    pub const ALL: [Self; 9] = [
        Self::ApiKey,
        Self::CreditCard,
        Self::IbanCode,
        Self::CnIdCard,
        Self::UsSsn,
        Self::EmailAddress,
        Self::IpAddress,
        Self::PhoneNumber,
        Self::Unscanned,
    ];

    /// The name that findings, placeholders and counters carry.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ApiKey => "API_KEY",
            Self::CreditCard => "CREDIT_CARD",
            Self::IbanCode => "IBAN_CODE",
            Self::CnIdCard => "CN_ID_CARD",
            Self::UsSsn => "US_SSN",
            Self::EmailAddress => "EMAIL_ADDRESS",
            Self::IpAddress => "IP_ADDRESS",
            Self::PhoneNumber => "PHONE_NUMBER",
            Self::Unscanned => "UNSCANNED",
        }
    }

    /// The number that findings carry: the place in [`Kind::ALL`].
    #[must_use]
    pub const fn number(self) -> u16 {
        self as u16
    }

    /// The type with that number.
    #[must_use]
    pub fn from_number(number: u16) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }

    /// The type with that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// How much an overlap is believed: secrets, then what has a check or a strict form, then numbers by shape.
    pub(crate) const fn rank(self) -> u8 {
        match self {
            Self::Unscanned => 3,
            Self::ApiKey => 2,
            Self::PhoneNumber => 0,
            _ => 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Kind;

    #[test]
    fn numbers_and_names_lead_back_to_the_type() {
        for (place, kind) in Kind::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(kind.number()), place);
            assert_eq!(Kind::from_number(kind.number()), Some(kind));
            assert_eq!(Kind::from_name(kind.name()), Some(kind));
        }
        assert_eq!(Kind::from_number(99), None);
        assert_eq!(Kind::from_name("email"), None);
    }
}
