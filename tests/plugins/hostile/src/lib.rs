//! A plugin that misbehaves as its configuration says, so that tests can watch it being stopped: an enricher, and with
//! fewer modes a redactor and a sampler.
//!
//! The configuration is `{"mode": "<mode>"}` or, for the canary, `{"mode": "canary", "pattern": "<bytes>"}`, where the
//! bytes are the secret to look for, each with its lowest bit turned. It reads `secret` and writes the text `word` and
//! the integer `number`.

mod redactor;
mod sampler;

use std::hint::black_box;
use tollgate_sdk::{
    Attribute, Batch, ColumnEnricher, ConfigError, Edits, EnricherManifest, Integers, Kind, Problem, Reals, Texts,
};

tollgate_sdk::export_column_enricher!(Hostile);

/// The attribute numbers that it writes.
const WORD: u16 = 0;
const NUMBER: u16 = 1;

struct Hostile {
    mode: String,
    pattern: Vec<u8>,
    calls: i64,
    hoard: Vec<Vec<u8>>,
}

impl ColumnEnricher for Hostile {
    fn configure(config: &str) -> Result<Self, ConfigError> {
        let mode = text_member(config, "mode").unwrap_or("polite").to_owned();
        match mode.as_str() {
            "trap in configure" => trap(),
            "loop in configure" => spin(),
            "grow in configure" => grow(),
            "config error" => {
                let problem = |path: &str, message: &str| Problem { path: path.into(), message: message.into() };
                let problems = vec![problem("rules[2].ratio", "must be at most 1"), problem("", "no table given")];
                return Err(ConfigError { problems });
            }
            _ => {}
        }
        let pattern = text_member(config, "pattern").unwrap_or_default().as_bytes().to_vec();
        Ok(Self { mode, pattern, calls: 0, hoard: Vec::new() })
    }

    fn manifest(&self) -> EnricherManifest {
        let writes = match self.mode.as_str() {
            "one attribute twice" => vec![Attribute::new("word", Kind::Text), Attribute::new("word", Kind::Integer)],
            "write a span field" => vec![Attribute::new("span:name", Kind::Text)],
            _ => vec![Attribute::new("word", Kind::Text), Attribute::new("number", Kind::Integer)],
        };
        let name = if self.mode == "no name" { "" } else { "hostile" };
        EnricherManifest { name: name.into(), version: "0.0.1".into(), reads: vec!["secret".into()], writes }
    }

    fn enrich(&mut self, spans: &Batch) -> Result<Batch, String> {
        self.calls += 1;
        let items = spans.items;
        let text = |attribute, rows: &[u32], offsets: &[u32], data: &[u8]| Batch {
            items,
            texts: vec![Texts { attribute, rows: rows.into(), offsets: offsets.into(), data: data.into() }],
            ..Batch::default()
        };
        let integers = |columns| Batch { items, integers: columns, ..Batch::default() };
        let calls = || Integers { attribute: NUMBER, rows: vec![0], values: vec![self.calls] };
        Ok(match self.mode.as_str() {
            "tally" => tally(spans),
            "trap" => trap(),
            "trap on second call" if self.calls == 2 => trap(),
            "loop" => spin(),
            "fill" => fill(),
            "recurse" => text(WORD, &[0], &[0, 1], &[recurse(0)]),
            "grow" => grow(),
            "refuse" => return Err("today is \u{1b}[31ma holiday".into()),
            "refuse at length" => return Err("no ".repeat(1 << 20)),
            "huge output" => text(WORD, &[0], &[0, 20 << 20], &vec![b'a'; 20 << 20]),
            "attribute outside the manifest" => text(7, &[0], &[0, 1], b"a"),
            "text for an integer" => text(NUMBER, &[0], &[0, 1], b"a"),
            "real for a text" => {
                let reals = vec![Reals { attribute: WORD, rows: vec![0], values: vec![0.5] }];
                Batch { items, reals, ..Batch::default() }
            }
            "column twice" => integers(vec![calls(), calls()]),
            "rows not ascending" => text(WORD, &[1, 0], &[0, 1, 2], b"ab"),
            "row past the end" => text(WORD, &[items], &[0, 1], b"a"),
            "offsets broken" => text(WORD, &[0], &[0, 9], b"a"),
            "not utf-8" => text(WORD, &[0], &[0, 1], b"\xff"),
            "rows without values" => integers(vec![Integers { attribute: NUMBER, rows: vec![0], values: vec![] }]),
            "wrong number of items" => Batch { items: items + 1, ..Batch::default() },
            "canary" => {
                self.hoard.extend(spans.texts.iter().map(|column| column.data.clone()));
                integers(vec![Integers { attribute: NUMBER, rows: vec![0], values: vec![sightings(&self.pattern)] }])
            }
            _ => integers(vec![calls()]),
        })
    }
}

/// No harm at all, for measuring what the boundary costs: of each span two texts and two integers are read, and a text
/// and an integer are set.
fn tally(spans: &Batch) -> Batch {
    let mut edits = Edits::new(spans.items);
    for span in spans.rows() {
        let total = span.integer(2).unwrap_or_default() + span.integer(3).unwrap_or_default();
        edits.integer(span.index(), NUMBER, total);
        let word = span.text(0).or_else(|| span.text(1)).unwrap_or_default();
        edits.text(span.index(), WORD, word);
    }
    edits.finish()
}

/// The value of a text member, without JSON's escapes.
fn text_member<'a>(config: &'a str, name: &str) -> Option<&'a str> {
    let mut words = config.split('"');
    words.find(|word| *word == name)?;
    words.nth(1)
}

#[expect(clippy::panic, reason = "this is the misbehaviour under test")]
fn trap() -> ! {
    panic!("hostile")
}

fn spin() -> ! {
    let mut turns = 0_u64;
    loop {
        turns = black_box(turns.wrapping_add(1));
    }
}

/// Fills one large block for ever: nearly all the time passes inside single bulk instructions.
fn fill() -> ! {
    let mut block = vec![0_u8; 16 << 20];
    let mut byte = 0_u8;
    loop {
        byte = byte.wrapping_add(1);
        black_box(&mut block).fill(byte);
    }
}

#[expect(unconditional_recursion, reason = "this is the misbehaviour under test")]
fn recurse(depth: u64) -> u8 {
    recurse(black_box(depth) + 1).wrapping_add(1)
}

fn grow() -> ! {
    let mut blocks = Vec::new();
    loop {
        blocks.push(black_box(vec![1_u8; 1 << 20]));
    }
}

/// How often a secret is found in the whole linear memory, spare pages included. `hidden` is the secret with the
/// lowest bit of each byte turned, so that the pattern is no sighting itself.
#[cfg(target_family = "wasm")]
fn sightings(hidden: &[u8]) -> i64 {
    while core::arch::wasm32::memory_grow::<0>(1) != usize::MAX {}
    let bytes = core::arch::wasm32::memory_size::<0>() * 65_536;
    let mut found = 0;
    for start in 1..bytes.saturating_sub(hidden.len()) {
        #[expect(unsafe_code, reason = "all of linear memory is what is searched; the addresses are below its size")]
        let byte = |at: usize| unsafe { core::ptr::read_volatile((start + at) as *const u8) };
        if hidden.iter().enumerate().all(|(at, hidden)| byte(at) == hidden ^ 1) {
            found += 1;
        }
    }
    found
}

#[cfg(not(target_family = "wasm"))]
fn sightings(_hidden: &[u8]) -> i64 {
    0
}
