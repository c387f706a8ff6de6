//! The types of finding.

mod personal;
mod secret;

/// What a finding is: one of the types in this list, or a type that a rule of the user introduced.
///
/// The order of numbers is the order of rules: of two equally good findings the earlier type wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind(u16);

/// What kind of thing a type is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Category {
    /// The stretch was not looked at.
    Unscanned,
    /// A credential: whoever has it may act for somebody.
    Secret,
    /// Something that names, reaches or pays a person or an organisation.
    Personal,
}

/// What is known of a type.
#[derive(Clone, Copy, Debug)]
struct Entry {
    name: &'static str,
    about: &'static str,
    /// Characters that a mask leaves readable at the end.
    keeps: usize,
    category: Category,
}

/// Declares types: name, how many characters a mask keeps, what it is.
macro_rules! kinds {
    ($base:expr, $category:expr; $($name:ident $keeps:literal $about:literal,)+) => {
        #[allow(non_camel_case_types, clippy::upper_case_acronyms, reason = "the names are those of the findings")]
        #[repr(u16)]
        enum Place { $($name,)+ Count }

        impl Kind {
            $(#[doc = $about] pub const $name: Self = Self($base + Place::$name as u16);)+
        }

        /// How many types this table has.
        pub(super) const COUNT: u16 = Place::Count as u16;
        /// The types in the order of their numbers.
        pub(super) const TABLE: &[Entry] =
            &[$(Entry { name: stringify!($name), about: $about, keeps: $keeps, category: $category },)+];
    };
}
use kinds;

/// Number of the first type that is personal data.
const PERSONAL: u16 = 1;
/// Number of the first type that is a secret.
const SECRET: u16 = PERSONAL + personal::COUNT;
/// How many types are built in.
const COUNT: u16 = SECRET + secret::COUNT;

const UNSCANNED: Entry = Entry {
    name: "UNSCANNED",
    about: "A stretch that was not looked at: a text over a limit, or what follows the last finding that is allowed.",
    keeps: 0,
    category: Category::Unscanned,
};

impl Kind {
    /// A stretch that was not looked at; it is taken out as a whole.
    pub const UNSCANNED: Self = Self(0);

    /// Every type that is built in, in the order of their numbers.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..COUNT).map(Self)
    }

    /// The name that findings, placeholders and counters carry; empty for a type of the user's, whose name the
    /// manifest has.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.entry().map_or("", |entry| entry.name)
    }

    /// What a finding of this type is, in a sentence.
    #[must_use]
    pub fn about(self) -> &'static str {
        self.entry().map_or("A rule of the configuration.", |entry| entry.about)
    }

    /// Secret or personal. Types of the user's are personal.
    #[must_use]
    pub fn category(self) -> Category {
        self.entry().map_or(Category::Personal, |entry| entry.category)
    }

    /// The number that findings carry: the place in the manifest's list of types.
    #[must_use]
    pub const fn number(self) -> u16 {
        self.0
    }

    /// The type with that number; `None` past the highest that the user's rules can have.
    pub(crate) fn from_number(number: u16) -> Option<Self> {
        (number < 512).then_some(Self(number))
    }

    /// The type with that name, where it is built in.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::all().find(|kind| kind.name() == name)
    }

    /// The type that the user's rules introduced as the `place`-th.
    pub(crate) fn of_user(place: u16) -> Self {
        Self(COUNT.saturating_add(place))
    }

    /// Characters that a mask leaves readable at the end, unless configured otherwise.
    pub(crate) fn keeps(self) -> usize {
        self.entry().map_or(0, |entry| entry.keeps)
    }

    fn entry(self) -> Option<&'static Entry> {
        match self.0 {
            0 => Some(&UNSCANNED),
            number if number >= SECRET => secret::TABLE.get(usize::from(number - SECRET)),
            number => personal::TABLE.get(usize::from(number - PERSONAL)),
        }
    }
}

/// A set of types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kinds([u64; 8]);

impl Kinds {
    /// No type.
    pub(crate) const NONE: Self = Self([0; 8]);

    /// The set of these types.
    pub(crate) fn of(kinds: impl IntoIterator<Item = Kind>) -> Self {
        let mut set = Self::NONE;
        for kind in kinds {
            set.insert(kind);
        }
        set
    }

    /// Adds a type. Types past the 512th cannot be added; the configuration allows no more.
    pub(crate) fn insert(&mut self, kind: Kind) {
        if let Some(word) = self.0.get_mut(usize::from(kind.0 / 64)) {
            *word |= 1 << (kind.0 % 64);
        }
    }

    /// Takes a type out.
    pub(crate) fn remove(&mut self, kind: Kind) {
        if let Some(word) = self.0.get_mut(usize::from(kind.0 / 64)) {
            *word &= !(1 << (kind.0 % 64));
        }
    }

    /// The types that both sets have.
    pub(crate) fn both(mut self, other: Self) -> Self {
        for (word, others) in self.0.iter_mut().zip(other.0) {
            *word &= others;
        }
        self
    }

    /// Whether the set is empty.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// Whether the type is in the set.
    #[inline]
    pub(crate) fn has(&self, kind: Kind) -> bool {
        self.0.get(usize::from(kind.0 / 64)).is_some_and(|word| word & 1 << (kind.0 % 64) != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn numbers_and_names_lead_back_to_the_type() {
        let mut names = BTreeSet::new();
        for (place, kind) in Kind::all().enumerate() {
            assert_eq!(usize::from(kind.number()), place);
            assert_eq!(Kind::from_name(kind.name()), Some(kind));
            assert!(names.insert(kind.name()), "{} is there twice", kind.name());
            assert!(kind.about().ends_with('.'), "{}", kind.name());
        }
        assert_eq!(Kind::from_name("email"), None);
        assert_eq!(Kind::of_user(0).name(), "");
        assert_eq!(Kind::JWT.category(), Category::Secret);
        assert_eq!(Kind::EMAIL_ADDRESS.category(), Category::Personal);
    }

    #[test]
    fn a_set_has_what_was_put_into_it() {
        let mut set = Kinds::of([Kind::JWT, Kind::of_user(3)]);
        assert!(set.has(Kind::JWT) && set.has(Kind::of_user(3)) && !set.has(Kind::EMAIL_ADDRESS));
        set.remove(Kind::JWT);
        assert!(!set.has(Kind::JWT));
    }
}
