//! The attributes that edits may set.

use crate::names::Names;
use tollgate_columns::{Attribute, Kind};

/// Lists of attributes to set, each the list of one plugin, ready for [edits](crate::EditSet) of all of them.
#[derive(Clone, Debug, Default)]
pub struct Writes {
    /// The slot of each name.
    pub(crate) names: Names,
    /// How many names there are.
    pub(crate) slots: usize,
    pub(crate) lists: Vec<Vec<Write>>,
}

/// One attribute of a list.
#[derive(Clone, Debug)]
pub(crate) struct Write {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// The same for all attributes of this name, whoever sets them.
    pub(crate) slot: u16,
}

impl Writes {
    /// Prepares lists. Edits refer to a list by its place, and to an attribute by its place in the list. Names after the
    /// first 65,536 different ones cannot be set.
    #[must_use]
    pub fn compile(lists: &[&[Attribute]]) -> Self {
        let mut names: Vec<&str> = lists.iter().flat_map(|list| list.iter().map(|write| write.name.as_str())).collect();
        names.sort_unstable();
        names.dedup();
        let slot = |name: &str| names.binary_search(&name).ok().and_then(|slot| u16::try_from(slot).ok());
        let write = |write: &Attribute| {
            let slot = slot(&write.name).unwrap_or(u16::MAX);
            Write { name: write.name.clone(), kind: write.kind, slot }
        };
        let lists = lists.iter().map(|list| list.iter().map(write).collect()).collect();
        Self { names: Names::new(names.iter().copied().zip(0..u16::MAX)), slots: names.len(), lists }
    }
}
