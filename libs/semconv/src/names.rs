//! Declares constants together with the list of them all, so that a test can walk every name.

macro_rules! names {
    ($($(#[$doc:meta])+ $name:ident = $text:literal;)+) => {
        $($(#[$doc])+ pub const $name: &str = $text;)+

        /// Every name of this module, in the order of declaration.
        pub const ALL: &[&str] = &[$($name),+];
    };
}

pub(crate) use names;
