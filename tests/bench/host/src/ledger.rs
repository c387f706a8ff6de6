//! What is owed, and what has arrived: by the numbers of spans.

/// A set of numbers that begin at 0.
#[derive(Clone, Debug, Default)]
struct Bits(Vec<u64>);

impl Bits {
    /// Adds a number; whether it was new.
    fn insert(&mut self, number: u64) -> bool {
        let (word, bit) = (usize::try_from(number / 64).unwrap_or(usize::MAX), 1 << (number % 64));
        if word >= self.0.len() {
            self.0.resize(word + 1, 0);
        }
        let Some(word) = self.0.get_mut(word) else { return false };
        let new = *word & bit == 0;
        *word |= bit;
        new
    }

    fn len(&self) -> u64 {
        self.0.iter().map(|word| u64::from(word.count_ones())).sum()
    }

    /// The numbers that are not in the other set.
    fn without<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = u64> + 'a {
        (0_u64..).zip(&self.0).flat_map(|(at, word)| {
            let theirs = usize::try_from(at).ok().and_then(|at| other.0.get(at)).copied().unwrap_or(0);
            let rest = word & !theirs;
            (0..64).filter(move |bit| rest >> bit & 1 == 1).map(move |bit| at * 64 + bit)
        })
    }
}

/// Obligations and deliveries. A span is owed from the moment at which its sender has read the acknowledgement.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    owed: Bits,
    arrived: Bits,
    duplicates: u64,
}

/// Numbers beyond this were never given to a span.
const MOST: u64 = 1 << 36;

impl Ledger {
    /// Those spans were acknowledged.
    pub(crate) fn owe(&mut self, first: u64, spans: u64) {
        for number in first..first + spans {
            self.owed.insert(number);
        }
    }

    /// A span arrived; `false` where there is none of that number.
    pub(crate) fn arrive(&mut self, number: u64) -> bool {
        if number >= MOST {
            return false;
        }
        if !self.arrived.insert(number) {
            self.duplicates += 1;
        }
        true
    }

    pub(crate) fn owed(&self) -> u64 {
        self.owed.len()
    }

    /// Different spans that arrived.
    pub(crate) fn arrived(&self) -> u64 {
        self.arrived.len()
    }

    /// Deliveries after the first.
    pub(crate) const fn duplicates(&self) -> u64 {
        self.duplicates
    }

    /// Spans that are owed and have not arrived.
    pub(crate) fn missing(&self) -> impl Iterator<Item = u64> + '_ {
        self.owed.without(&self.arrived)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_acknowledged_and_did_not_arrive_is_missing() {
        let mut ledger = Ledger::default();
        ledger.owe(60, 10);
        ledger.owe(1000, 1);
        for arrived in [60, 61, 62, 62, 64, 65, 66, 67, 68, 69, 500] {
            assert!(ledger.arrive(arrived));
        }
        assert_eq!(ledger.missing().collect::<Vec<_>>(), [63, 1000]);
        assert_eq!((ledger.owed(), ledger.arrived(), ledger.duplicates()), (11, 10, 1));
        assert!(!ledger.arrive(MOST));
    }
}
