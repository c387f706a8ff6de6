//! The tables at the end of the demo.

use super::tally::{Counts, Tally};
use std::fmt::Write;

const HEADER: [&str; 9] =
    ["provider", "model", "calls", "errors", "tokens in", "tokens out", "cached", "cost USD", "first chunk"];
/// Columns of text stand to the left, those of numbers to the right.
const TEXTS: usize = 2;

/// Tables below each other, with a title each: one line for each provider and model, and one for the sum.
pub(crate) fn tables(tallies: &[(&str, &Tally)]) -> String {
    let header = [HEADER.map(str::to_owned)];
    let tables: Vec<_> = tallies.iter().map(|(title, tally)| (*title, rows(tally))).collect();
    let mut widths = [0; 9];
    for row in header.iter().chain(tables.iter().flat_map(|(_, rows)| rows)) {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = lines(&header, &widths);
    for (title, rows) in &tables {
        text.extend(["  ", title, "\n"]);
        text.push_str(&lines(rows, &widths));
    }
    text
}

fn rows(tally: &Tally) -> Vec<[String; 9]> {
    let mut sum = Counts::default();
    let mut rows = Vec::new();
    for (key, counts) in tally {
        rows.push(row(&key.provider, &key.model, counts));
        sum.calls += counts.calls;
        sum.errors += counts.errors;
        sum.input += counts.input;
        sum.output += counts.output;
        sum.cached += counts.cached;
        sum.cost_nano_usd += counts.cost_nano_usd;
        sum.unpriced += counts.unpriced;
        sum.first_chunk.0 += counts.first_chunk.0;
        sum.first_chunk.1 += counts.first_chunk.1;
    }
    rows.push(row("", "sum", &sum));
    rows
}

fn row(provider: &str, model: &str, counts: &Counts) -> [String; 9] {
    [
        provider.to_owned(),
        model.to_owned(),
        counts.calls.to_string(),
        counts.errors.to_string(),
        counts.input.to_string(),
        counts.output.to_string(),
        counts.cached.to_string(),
        // A cost is unknown, not zero, where no call of the model has a price.
        if counts.unpriced > 0 && counts.cost_nano_usd == 0 {
            "unpriced".to_owned()
        } else {
            dollars(counts.cost_nano_usd)
        },
        first_chunk(counts.first_chunk),
    ]
}

#[expect(clippy::cast_precision_loss, reason = "a mean for a person to read")]
fn first_chunk((seconds, times): (f64, u64)) -> String {
    if times == 0 { "-".to_owned() } else { format!("{:.1} ms", seconds / times as f64 * 1000.0) }
}

/// Billionths of a dollar as dollars, to the millionth.
pub(crate) fn dollars(nanos: u64) -> String {
    let millionths = (nanos + 500) / 1000;
    format!("{}.{:06}", millionths / 1_000_000, millionths % 1_000_000)
}

fn lines(rows: &[[String; 9]], widths: &[usize; 9]) -> String {
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (column, (width, cell)) in widths.iter().zip(row).enumerate() {
            // Writing into a String cannot fail.
            let _written =
                if column < TEXTS { write!(line, "{cell:<width$}  ") } else { write!(line, "{cell:>width$}  ") };
        }
        text.push_str("    ");
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::tally::Key;

    #[test]
    fn columns_are_aligned_and_an_unknown_cost_is_not_zero() {
        let key = |provider: &str, model: &str| Key { provider: provider.into(), model: model.into() };
        let priced = Counts {
            calls: 12,
            errors: 1,
            input: 4200,
            output: 990,
            cached: 1024,
            cost_nano_usd: 12_345_678,
            first_chunk: (0.05, 2),
            ..Counts::default()
        };
        let unpriced = Counts { calls: 1, input: 9, output: 2, unpriced: 1, ..Counts::default() };
        let one = Tally::from([(key("anthropic", "claude"), priced)]);
        let other = Tally::from([(key("openai", "acme-lm-1"), unpriced)]);
        let expected = "    \
    provider   model      calls  errors  tokens in  tokens out  cached  cost USD  first chunk
  one seat
    anthropic  claude        12       1       4200         990    1024  0.012346      25.0 ms
               sum           12       1       4200         990    1024  0.012346      25.0 ms
  another
    openai     acme-lm-1      1       0          9           2       0  unpriced            -
               sum            1       0          9           2       0  unpriced            -
";
        assert_eq!(tables(&[("one seat", &one), ("another", &other)]), expected);
    }
}
