//! Counts of tokens as parts that do not overlap.

use super::Sources;
use std::fmt::Write as _;

/// Places of the sources of [`crate::Conversion::UsageDetails`], which its rules give in this order.
const INPUT: usize = 0;
const OUTPUT: usize = 1;
const CACHE_READ: usize = 2;
const CACHE_WRITE: usize = 3;
const CACHE_WRITE_5M: usize = 4;
const CACHE_WRITE_1H: usize = 5;
const REASONING: usize = 6;

/// The parts as JSON, in keys that the price list of Langfuse has: what was read from the cache, written to it, and
/// neither; what was reasoning and what was not. `total` is what the provider bills by, so that the parts add up to it,
/// unless the emitter counted its parts beside the whole.
pub(super) fn details(sources: Sources<'_, '_>) -> Result<Option<String>, ()> {
    let count = |place: usize| match sources.get(place).copied().flatten() {
        None => Ok(None),
        Some(value) => value.as_integer().and_then(|count| u64::try_from(count).ok()).map(Some).ok_or(()),
    };
    let (input, output) = (count(INPUT)?, count(OUTPUT)?);
    let read = count(CACHE_READ)?;
    let (five, hour) = (count(CACHE_WRITE_5M)?, count(CACHE_WRITE_1H)?);
    let by_time = five.unwrap_or(0).saturating_add(hour.unwrap_or(0));
    let write = count(CACHE_WRITE)?.or((by_time > 0).then_some(by_time));
    let reasoning = count(REASONING)?;
    let cached = read.unwrap_or(0).saturating_add(write.unwrap_or(0).max(by_time));
    let parts = [
        ("input", input.map(|input| input.saturating_sub(cached))),
        ("input_cache_read", read),
        ("input_cache_creation", write.map(|write| write.saturating_sub(by_time))),
        ("input_cache_creation_5m", five),
        ("input_cache_creation_1h", hour),
        ("output", output.map(|output| output.saturating_sub(reasoning.unwrap_or(0)))),
        ("output_reasoning", reasoning),
    ];
    let mut json = String::from("{");
    let mut total = 0_u64;
    for (key, count) in parts {
        let Some(count) = count else { continue };
        total = total.saturating_add(count);
        // Writing to a string does not fail.
        let _ = write!(json, "\"{key}\":{count},");
    }
    if json.len() == 1 {
        return Ok(None);
    }
    let _ = write!(json, "\"total\":{total}}}");
    Ok(Some(json))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tollgate_otlp::Value;

    fn shown(counts: [Option<i64>; 7]) -> Result<Option<String>, ()> {
        details(&counts.map(|count| count.map(Value::Integer)))
    }

    #[test]
    fn parts_do_not_overlap() {
        let table = [
            ([Some(10), Some(5), None, None, None, None, None], r#"{"input":10,"output":5,"total":15}"#),
            (
                [Some(1000), Some(50), Some(600), Some(300), None, None, Some(20)],
                r#"{"input":100,"input_cache_read":600,"input_cache_creation":300,"output":30,"output_reasoning":20,"total":1050}"#,
            ),
            (
                [Some(1000), None, None, Some(300), Some(200), Some(100), None],
                r#"{"input":700,"input_cache_creation":0,"input_cache_creation_5m":200,"input_cache_creation_1h":100,"total":1000}"#,
            ),
            (
                [Some(1000), None, None, None, Some(200), None, None],
                r#"{"input":800,"input_cache_creation":0,"input_cache_creation_5m":200,"total":1000}"#,
            ),
            // An emitter that counts the cached parts beside the input.
            ([Some(5), None, Some(600), None, None, None, None], r#"{"input":0,"input_cache_read":600,"total":600}"#),
        ];
        for (counts, expected) in table {
            assert_eq!(shown(counts), Ok(Some(expected.to_owned())));
        }
        assert_eq!(shown([None; 7]), Ok(None));
        assert_eq!(shown([Some(-1), None, None, None, None, None, None]), Err(()));
        assert_eq!(details(&[Some(Value::Text("10"))]), Err(()));
    }
}
