use super::*;
use crate::vocabulary::Encoding;

fn read(json: &str, encoding: Encoding, room: usize) -> Result<(i64, bool), Unestimated> {
    let mut tally = Tally::new(encoding, room);
    count(json, Overhead::of(encoding), &mut tally)?;
    Ok((tally.tokens()?, tally.lower_bound))
}

fn o200k(json: &str) -> Result<(i64, bool), Unestimated> {
    read(json, Encoding::O200kBase, 1 << 20)
}

fn lines(encoding: Encoding, texts: &[&str]) -> i64 {
    texts.iter().map(|text| i64::try_from(encoding.count(text)).unwrap()).sum()
}

const FLAT: &str = r#"[{"type": "function", "name": "get_weather", "description": "Says how the weather is.", "parameters": {
    "type": "object", "required": ["city"], "properties": {
        "city": {"type": "string", "description": "Name of a city."},
        "unit": {"type": "string", "description": "Scale", "enum": ["celsius", "kelvin"]}}}}]"#;

#[test]
fn a_tool_is_counted_as_documented() {
    for (encoding, tool) in [(Encoding::O200kBase, 7), (Encoding::Cl100kBase, 10)] {
        let text = lines(
            encoding,
            &[
                "get_weather:Says how the weather is",
                "city:string:Name of a city",
                "unit:string:Scale",
                "celsius",
                "kelvin",
            ],
        );
        // One tool, one list of two parameters, one list of two values, and the end.
        let overhead = tool + 3 + 2 * 3 + (-3 + 2 * 3) + 12;
        assert_eq!(read(FLAT, encoding, 1 << 20), Ok((overhead + text, false)), "{encoding}");
    }
}

#[test]
fn every_shape_of_a_definition_is_the_same_tool() {
    let (expected, _) = o200k(FLAT).unwrap();
    let inner = FLAT.trim_matches(['[', ']']).replacen(r#""type": "function", "#, "", 1);
    let chat = format!(r#"[{{"type": "function", "function": {inner}}}]"#);
    assert_eq!(o200k(&chat), Ok((expected, false)));
    let anthropic = format!("[{}]", inner.replacen("parameters", "input_schema", 1));
    assert_eq!(o200k(&anthropic), Ok((expected, false)));
}

#[test]
fn nested_parameters_are_counted_by_the_same_rule() {
    let nested = r#"[{"name": "f", "parameters": {"properties": {
        "places": {"type": ["null", "array"], "items": {"type": "object", "properties": {"lat": {"type": "number"}}}},
        "any": true}}}]"#;
    let text = ["f:", "places:array:", "object", "lat:number:", "any"];
    let overhead = 7 + 3 + 3 + (3 + 3) + 3 + 12;
    assert_eq!(o200k(nested), Ok((overhead + lines(Encoding::O200kBase, &text), false)));
}

#[test]
fn tools_of_the_provider_leave_something_out() {
    assert!(o200k(r#"[{"type": "web_search_preview"}]"#).unwrap().1);
    assert_eq!(o200k("[]"), Ok((0, false)));
    assert_eq!(o200k("{}"), Ok((0, false)));
}

#[test]
fn what_is_malformed_or_too_large_is_said_to_be() {
    for json in ["", "[{", "no JSON", r#"[{"name": "f"}"#] {
        assert_eq!(o200k(json), Err(Unestimated::MalformedContent), "{json}");
    }
    let deep = format!(r#"[{{"parameters": {}"#, r#"{"items": "#.repeat(10_000));
    assert_eq!(o200k(&deep), Err(Unestimated::MalformedContent));
    assert_eq!(read(FLAT, Encoding::O200kBase, 60), Err(Unestimated::TooLarge));
    let long = format!(r#"[{{"name": "f", "description": "{}"}}]"#, "x".repeat(1_000));
    assert_eq!(read(&long, Encoding::O200kBase, 999), Err(Unestimated::TooLarge));
}
