//! What the events of a stream share.
//!
//! Deltas of a stream are the same bytes but for a few values: id, model, time, the way down to the text and out again are
//! those of the event before. What is shared is read once, from one value that differs to the next. Where another event
//! goes on with the same bytes, reading goes on behind them, at the value. Only what has said nothing is passed over in
//! this way; what has said something (counts that come with each event) is read, and the place behind it is known again.

use crate::api::{Memory, Reading};
use crate::same::same;
use tollgate_json::{Mark, Reader};

/// Bytes of an event that are held for comparison.
const MAX_SHARED: usize = 512;
/// Stretches of an event that are compared.
const MAX_STRETCHES: usize = 6;
/// Bytes that are worth being passed over before a value: where an event begins, and behind another value. Events of
/// different kinds begin alike, but not for long.
const MIN_BEGINNING: usize = 16;
const MIN_SHARED: usize = 8;
/// Events in a row that are alike, after which it is seen whether they are for longer: the first of a stream is often
/// unlike the others.
const SETTLED: u8 = 3;
/// Events in a row that go on otherwise, after which what they share is learned anew.
const PATIENCE: u8 = 2;
/// Events in a row that go on otherwise, after which no more is tried.
const MAX_MISSES: u8 = 16;

/// The stretches of an event that others have too, in order, with a value that differs behind each but the last.
#[derive(Debug, Default)]
pub(super) struct Prefix {
    stretches: Vec<Stretch>,
}

#[derive(Debug, Default)]
struct Stretch {
    /// What an event had here; once it is settled, no more of it than is shared.
    text: Vec<u8>,
    known: Option<Known>,
    /// Events in a row that were different, and events that were alike, until that is settled.
    misses: u8,
    hits: u8,
}

#[derive(Debug)]
struct Known {
    /// Bytes that are shared.
    length: usize,
    mark: Mark,
    /// Of a stretch that says nothing, what is remembered before and behind it.
    quiet: Option<(Memory, Memory)>,
}

/// How an event went on.
enum Pass<'c> {
    /// As others did, and with this behind the value.
    On(&'c [u8]),
    /// As others did, but it is read otherwise, and has this behind it.
    Off(&'c [u8]),
    /// Otherwise.
    No,
}

impl Prefix {
    /// Reads an event of which nothing has been read, as far as it is like others, and gives what is left to be read of
    /// `piece`.
    #[inline]
    pub(super) fn read<'c, R: Reading>(&mut self, piece: &'c [u8], reader: &mut Reader, answer: &mut R) -> &'c [u8] {
        let mut rest = piece;
        for (place, stretch) in self.stretches.iter_mut().enumerate() {
            match stretch.pass(rest, reader, answer) {
                Pass::On(behind) => rest = behind,
                Pass::Off(behind) => return behind,
                Pass::No => return self.differ(place, rest, reader, answer),
            }
            if rest.is_empty() || reader.is_complete() {
                return rest;
            }
        }
        if self.stretches.len() < MAX_STRETCHES {
            self.begin(rest);
        }
        rest
    }

    /// Holds what comes behind the stretches that are known.
    #[cold]
    fn begin(&mut self, rest: &[u8]) {
        let room = self.room();
        if room > 0 {
            let text = rest.get(..room).unwrap_or(rest).to_vec();
            self.stretches.reserve_exact(1);
            self.stretches.push(Stretch { text, ..Stretch::default() });
        }
    }

    /// The event goes on otherwise than the one that a stretch was made of.
    #[cold]
    fn differ<'c, R: Reading>(
        &mut self,
        place: usize,
        rest: &'c [u8],
        reader: &mut Reader,
        answer: &mut R,
    ) -> &'c [u8] {
        let Some(stretch) = self.stretches.get_mut(place) else { return rest };
        // A piece that ends within the stretch says nothing about the rest of the event.
        if stretch.known.is_some() && stretch.text.starts_with(rest) {
            return rest;
        }
        if stretch.hits != SETTLED {
            stretch.misses = stretch.misses.saturating_add(1);
            if stretch.misses >= MAX_MISSES || stretch.known.is_some() && stretch.misses <= PATIENCE {
                return rest;
            }
            stretch.hits = 0;
        }
        self.stretches.truncate(place + 1);
        let others: usize = self.stretches.iter().take(place).map(|stretch| stretch.text.len()).sum();
        match self.stretches.last_mut() {
            Some(stretch) => stretch.learn(rest, MAX_SHARED.saturating_sub(others), place == 0, reader, answer),
            None => rest,
        }
    }

    /// Bytes that may be held besides.
    fn room(&self) -> usize {
        MAX_SHARED.saturating_sub(self.stretches.iter().map(|stretch| stretch.text.len()).sum())
    }

    pub(super) fn heap_bytes(&self) -> usize {
        let texts: usize = self.stretches.iter().map(|stretch| stretch.text.capacity()).sum();
        texts + self.stretches.capacity() * size_of::<Stretch>()
    }
}

impl Stretch {
    /// Passes the stretch and the value behind it.
    #[inline]
    fn pass<'c, R: Reading>(&mut self, rest: &'c [u8], reader: &mut Reader, answer: &mut R) -> Pass<'c> {
        let Some(known) = &self.known else { return Pass::No };
        let Some((text, behind)) = rest.split_at_checked(known.length) else { return Pass::No };
        if !self.text.get(..known.length).is_some_and(|shared| same(text, shared)) {
            return Pass::No;
        }
        if self.hits <= SETTLED {
            self.hits += 1;
            if self.hits == SETTLED {
                return Pass::No;
            }
        }
        // Errors stay in the reader.
        if let Some((before, after)) = &known.quiet {
            if answer.memory().as_ref() != Some(before) {
                return Pass::No;
            }
            reader.resume(&known.mark, text.len());
            answer.recall(after);
        } else if reader.push_one(text, answer).is_err() {
            return Pass::Off(&[]);
        } else if !reader.is_at(&known.mark) {
            return Pass::Off(behind);
        }
        self.misses = 0;
        Pass::On(reader.push_value(behind, answer).unwrap_or_default())
    }

    /// Reads what an event has here, and remembers how far it is like the one before.
    fn learn<'c, R: Reading>(
        &mut self,
        rest: &'c [u8],
        room: usize,
        begins: bool,
        reader: &mut Reader,
        answer: &mut R,
    ) -> &'c [u8] {
        let shared = self.text.iter().zip(rest).take_while(|(one, other)| one == other).count();
        if shared == rest.len() && shared < self.text.len() {
            // It was cut, and tells less than what is held.
            return rest;
        }
        let before = answer.memory();
        let said = answer.facts().said;
        let cut = shared == self.text.len() && shared < rest.len() && shared < room;
        self.known = None;
        if cut || shared == 0 || begins && before.is_none() {
            self.text.clear();
            self.text.extend_from_slice(rest.get(..room).unwrap_or(rest));
            return rest;
        }
        let (mut quiet, mut loud) = (None, None);
        let left = reader.push_marking(rest, answer, shared, |answer, mark, length| {
            let memory = answer.memory().filter(|_| answer.facts().said == said);
            match before.zip(memory) {
                Some(memories) => quiet = Some((mark, length, Some(memories))),
                None => loud = Some((mark, length, None)),
            }
        });
        // An end is worth its while however short it is.
        let ends = shared == rest.len();
        let least = if begins { MIN_BEGINNING } else { MIN_SHARED };
        let worth = |(_, length, _): &(Mark, usize, _)| *length >= least || ends && *length == shared;
        let found = quiet.filter(worth).or(loud.filter(|_| !begins).filter(worth));
        self.known = found.map(|(mark, length, quiet)| Known { length, mark, quiet });
        let settled = self.known.as_ref().filter(|_| self.hits == SETTLED).map(|known| known.length);
        self.text.clear();
        self.text.extend_from_slice(rest.get(..settled.unwrap_or(room)).unwrap_or(rest));
        self.text.shrink_to_fit();
        self.hits = if settled.is_some() { SETTLED + 1 } else { 0 };
        // Errors stay in the reader.
        left.unwrap_or_default()
    }
}
