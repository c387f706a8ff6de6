//! All calls of a minute, an hour or a window.

use crate::entry::Entry;
use crate::limits::Limits;
use crate::sums::Totals;
use crate::table::Table;

/// The reason of a call that has no cost and does not say why.
pub(crate) const NOT_STATED: &str = "not_stated";

/// Calls, added up.
#[derive(Clone, Debug)]
pub(crate) struct Bucket {
    pub(crate) totals: Totals,
    pub(crate) model: Table,
    pub(crate) provider: Table,
    pub(crate) operation: Table,
    pub(crate) source: Table,
    pub(crate) dimensions: Vec<Table>,
    /// Only calls without a cost.
    pub(crate) unpriced_reason: Table,
    /// Only calls without a cost.
    pub(crate) unpriced_model: Table,
}

impl Bucket {
    pub(crate) fn new(limits: &Limits) -> Self {
        let (open, words) = (|| Table::new(limits.values), || Table::new(limits.words()));
        Self {
            totals: Totals::default(),
            model: open(),
            provider: words(),
            operation: words(),
            source: words(),
            dimensions: (0..limits.dimensions).map(|_| open()).collect(),
            unpriced_reason: words(),
            unpriced_model: open(),
        }
    }

    /// Adds a call. How many values had to make room for its own.
    pub(crate) fn add(&mut self, entry: &Entry<'_>) -> u64 {
        let totals = entry.totals();
        let sums = &totals.sums;
        self.totals.add(&totals);
        let mut folded = 0;
        let mut add = |table: &mut Table, value: Option<&str>| folded += u64::from(table.add(value, sums));
        add(&mut self.model, entry.model);
        add(&mut self.provider, entry.provider);
        add(&mut self.operation, entry.operation);
        add(&mut self.source, entry.source.filter(|_| entry.cost.is_some()));
        let mut values = entry.values.iter();
        for table in &mut self.dimensions {
            add(table, values.next().and_then(Option::as_deref));
        }
        if entry.cost.is_none() {
            add(&mut self.unpriced_reason, entry.unpriced.or(Some(NOT_STATED)));
            add(&mut self.unpriced_model, entry.model);
        }
        folded
    }

    /// Adds the calls of another bucket of the same limits.
    pub(crate) fn merge(&mut self, from: &Self) {
        self.totals.add(&from.totals);
        self.tables().zip(from.each()).for_each(|(mine, theirs)| mine.merge(theirs));
    }

    /// Gives back the memory that a merge needed.
    pub(crate) fn shrink(&mut self) {
        self.tables().for_each(Table::shrink);
    }

    fn tables(&mut self) -> impl Iterator<Item = &mut Table> {
        let fixed = [&mut self.model, &mut self.provider, &mut self.operation, &mut self.source];
        let unpriced = [&mut self.unpriced_reason, &mut self.unpriced_model];
        fixed.into_iter().chain(unpriced).chain(&mut self.dimensions)
    }

    /// The tables in the order of [`tables`](Self::tables).
    fn each(&self) -> impl Iterator<Item = &Table> {
        let fixed = [&self.model, &self.provider, &self.operation, &self.source];
        let unpriced = [&self.unpriced_reason, &self.unpriced_model];
        fixed.into_iter().chain(unpriced).chain(&self.dimensions)
    }
}
