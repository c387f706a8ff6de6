//! A bill as a person reads it.

use serde_json::Value;
use std::fmt::Write as _;

/// Lines of text for the explanation that the cost calculator writes, for example
///
/// ```text
/// gpt-4o at openai
///        400  cache_read   at        1.25 a million        0.0005
///        600  input        at         2.5 a million        0.0015
///        200  output       at          10 a million         0.002
///                                              total  $ 0.004
///   openai/gpt-4o, base, of genai-prices 0.2.3 (2026-11-23)
///   the provider's cache saved $ 0.0005
/// ```
pub(super) fn text(model: &str, provider: &str, bill: &Value) -> String {
    let field = |name: &str| bill.get(name).and_then(Value::as_str).unwrap_or_default();
    let mut text = String::new();
    let place = if provider.is_empty() { String::new() } else { format!(" at {provider}") };
    let _ = writeln!(text, "{model}{place}");
    for (unit, part) in bill.get("parts").and_then(Value::as_object).into_iter().flatten() {
        let of = |name: &str| part.get(name).and_then(Value::as_str).unwrap_or_default();
        let units = part.get("units").map(Value::to_string).unwrap_or_default();
        let per = part.get("per").and_then(Value::as_u64).map(per).unwrap_or_default();
        let _ = writeln!(text, "{units:>12}  {unit:<16} at {:>10} {per:<12} {:>14}", of("rate"), of("amount"));
    }
    let whose = match field("source") {
        "provider" => " as the provider reports it",
        _ => "",
    };
    let _ = writeln!(text, "{:>46} total  $ {}{whose}", "", field("total"));
    for (name, said) in [("reported", "the provider reports"), ("computed", "computed here it would be")] {
        if let Some(amount) = bill.get(name).and_then(Value::as_str)
            && amount != field("total")
        {
            let _ = writeln!(text, "  {said} $ {amount}");
        }
    }
    if let Some(price) = bill.get("price") {
        let of = |name: &str| price.get(name).and_then(Value::as_str).unwrap_or_default();
        let from = if of("from").is_empty() { String::new() } else { format!(" from {}", of("from")) };
        let _ = writeln!(text, "  {}, {}, of {}{from}", of("row"), of("tier"), of("set"));
        for adjustment in price.get("adjustments").and_then(Value::as_array).into_iter().flatten() {
            let _ = writeln!(text, "  adjusted {}", adjustment.as_str().unwrap_or_default());
        }
    }
    if let Some(reason) = bill.get("unpriced").and_then(Value::as_str) {
        let _ = writeln!(text, "  computed here it would have no price: {reason}");
    }
    for (name, said) in [("cache_read", "reading from the cache saved"), ("cache_write", "writing to the cache saved")]
    {
        let saved = bill.get("savings").and_then(|savings| savings.get(name)).and_then(Value::as_str).unwrap_or("0");
        match saved.strip_prefix('-') {
            _ if saved == "0" => {}
            Some(more) => {
                let _ = writeln!(text, "  {} $ {more} more than reading would have", said.replace("saved", "cost"));
            }
            None => {
                let _ = writeln!(text, "  {said} $ {saved}");
            }
        }
    }
    let notes: Vec<&str> =
        bill.get("notes").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    if !notes.is_empty() {
        let _ = writeln!(text, "  note: {}", notes.join(", "));
    }
    text
}

fn per(units: u64) -> String {
    match units {
        1 => "each".to_owned(),
        1_000 => "a thousand".to_owned(),
        3_600 => "an hour".to_owned(),
        1_000_000 => "a million".to_owned(),
        other => format!("for {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::text;
    use serde_json::json;

    #[test]
    fn a_bill_says_everything_there_is() {
        let bill = json!({
            "total": "0.0035", "currency": "USD", "source": "provider", "reported": "0.0035", "computed": "0.004",
            "parts": {
                "cache_read": {"units": 400, "rate": "1.25", "per": 1_000_000, "amount": "0.0005"},
                "web_search": {"units": 2, "rate": "10", "per": 1_000, "amount": "0.02"},
            },
            "savings": {"cache_read": "0.0005", "cache_write": "-0.0001"},
            "price": {"set": "s 1", "row": "openai/gpt-4o", "tier": "base", "from": "litellm", "adjustments": ["*0.9 (line 2)"]},
            "notes": ["by_model"],
        });
        let text = text("gpt-4o", "openai", &bill);
        for line in [
            "gpt-4o at openai",
            "400  cache_read       at       1.25 a million            0.0005",
            "2  web_search       at         10 a thousand             0.02",
            "total  $ 0.0035 as the provider reports it",
            "computed here it would be $ 0.004",
            "openai/gpt-4o, base, of s 1 from litellm",
            "adjusted *0.9 (line 2)",
            "reading from the cache saved $ 0.0005",
            "writing to the cache cost $ 0.0001 more than reading would have",
            "note: by_model",
        ] {
            assert!(text.lines().any(|found| found.trim() == line), "{line:?} is not in\n{text}");
        }
    }
}
