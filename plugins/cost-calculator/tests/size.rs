//! How large the price sets are. `cargo test -p tollgate-cost-calculator --test size -- --nocapture` prints it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;
use tollgate_cost_calculator::PriceSet;

/// The tables as the source that the build script writes. Compressed, it is larger than what the same tables add to a
/// compressed module.
const CORE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/core.rs"));
const FULL: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/full.rs"));
const DOCUMENT: &[u8] = include_bytes!("../data/prices.txt");

/// Most bytes that the core set may take, compressed: it lies inside the filter.
const MOST: usize = 60_000;

fn compressed(bytes: &[u8]) -> usize {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap().len()
}

#[test]
fn the_core_set_is_small_enough_for_a_filter() {
    let core = compressed(CORE);
    let models = [PriceSet::builtin_core(), PriceSet::builtin()].map(PriceSet::models);
    eprintln!(
        "core set: {} models, tables {core} bytes with gzip; whole set: {} models, tables {} bytes with gzip; price \
         document {} bytes, {} with gzip",
        models[0],
        models[1],
        compressed(FULL),
        DOCUMENT.len(),
        compressed(DOCUMENT)
    );
    assert!(core < MOST, "the core set takes {core} bytes, more than {MOST}; take providers out of CORE in build.rs");
}
