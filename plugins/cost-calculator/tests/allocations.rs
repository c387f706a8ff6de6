//! Pricing a call asks for no memory, in either of the builtin sets and with an overlay.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use tollgate_call::Usage;
use tollgate_cost_calculator::document::Document;
use tollgate_cost_calculator::{Call, DOCUMENT, Overlay, PriceSet, Served};

struct Counting;

thread_local! {
    static ASKED: Cell<u64> = const { Cell::new(0) };
}

#[expect(unsafe_code, reason = "an allocator is unsafe by its trait; this one only counts")]
// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = ASKED.try_with(|asked| asked.set(asked.get() + 1));
        // SAFETY: as for the caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        // SAFETY: as for the caller.
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn no_call_of_the_catalogue_asks_for_memory() -> Result<(), Box<dyn std::error::Error>> {
    let document = Document::parse(DOCUMENT)?;
    let overlay = "overlay a 1 2026-01-01\nadjust -10%\nalias equals:ours to openai gpt-4o\n";
    let adjusted = PriceSet::builtin().with_overlay(Overlay::parse("a", overlay)?);
    let usage = Usage { input_tokens: Some(9), cache_read_tokens: Some(4), output_tokens: Some(2), ..Usage::default() };
    let mut priced = 0;
    for set in [PriceSet::builtin(), PriceSet::builtin_core(), &adjusted] {
        for provider in &document.providers {
            for model in provider.models.iter().map(|model| model.id.as_str()).chain(["Ours", "no-such-model"]) {
                for named in [Some(provider.id.as_str()), None] {
                    let served = Served::tier(Some("priority"));
                    let call = Call { provider: named, model, usage: &usage, at_unix_seconds: 1_793_534_400, served };
                    let before = ASKED.get();
                    priced += u64::from(set.price_or_as_asked(&call, Some("gpt-4o")).is_ok());
                    assert_eq!(ASKED.get(), before, "{named:?} {model}");
                }
            }
        }
    }
    assert!(priced > 5_000, "too few of the calls had a price: {priced}");
    Ok(())
}
