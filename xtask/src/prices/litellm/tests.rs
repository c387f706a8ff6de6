use super::*;
use serde_json::json;

const BASE: &str = "set s 1 2026-01-01
provider anthropic
  model claude-opus-5
    match starts:claude-opus-5
    price input=5
provider openai
  model tts-1
    match equals:tts-1
    price characters=15
provider azure
  fallback openai
provider google
  model gemini-3-pro-image
    match starts:gemini-3-pro-image
    price input=2
";

fn added(table: &Value) -> (String, Report) {
    let mut document = Document::parse(BASE).unwrap();
    let before = document.to_string();
    let report = add(&mut document, table).unwrap();
    let after = document.to_string();
    let lines: Vec<_> = before.lines().collect();
    (after.lines().filter(|line| !lines.contains(line)).map(|line| format!("{}\n", line.trim())).collect(), report)
}

#[test]
fn rows_are_added_for_what_the_base_lacks() {
    let entry = |provider: &str, mode: &str, field: &str, rate: &str| json!({"litellm_provider": provider, "mode": mode, field: rate});
    let table = json!({
        "tts-1": entry("openai", "audio_speech", "input_cost_per_character", "9e-05"),
        "azure/tts-1": entry("azure", "audio_speech", "input_cost_per_character", "9e-05"),
        "gemini/gemini-3-pro-image-preview": entry("gemini", "image_generation", "output_cost_per_image", "0.1"),
        "gpt-9": entry("openai", "chat", "input_cost_per_token", "1e-06"),
        "vercel_ai_gateway/x": entry("vercel_ai_gateway", "embedding", "input_cost_per_token", "1e-06"),
        "azure/sora-2": entry("azure", "video_generation", "output_cost_per_video_per_second", "0.1"),
        "vertex_ai/veo": entry("vertex_ai-video-models", "video_generation", "output_cost_per_second", "0.5"),
        "gemini/veo": entry("gemini", "video_generation", "output_cost_per_second", "0.4"),
        "deepgram/nova-3": entry("deepgram", "audio_transcription", "input_cost_per_second", "0.0001"),
        "omni-moderation-latest": entry("openai", "moderation", "input_cost_per_token", "0.0"),
        "mistral-moderation": entry("openai", "moderation", "input_cost_per_token", "0.0"),
    });
    let (text, report) = added(&table);
    assert_eq!(
        text,
        "model omni-moderation-latest\nmatch equals:omni-moderation-latest\nfrom litellm\nprice input=0\n\
         model sora-2\nmatch equals:sora-2\nfrom litellm\nprice video_time=0.1\n\
         model veo\nmatch equals:veo\nfrom litellm\nprice video_time=0.4\n\
         provider deepgram\nnamed contains:deepgram\n\
         model nova-3\nmatch equals:nova-3\nfrom litellm\nprice audio_input_time=0.36\n"
    );
    let mut lines = report.to_string();
    lines.truncate(lines.find(" rows of").unwrap());
    assert_eq!(lines, "litellm: 4 models added, 3 entries that the base has a row for, 0");
    let left: Vec<_> = report.left_out.iter().map(|(why, keys)| (why.as_str(), keys.join(" "))).collect();
    assert_eq!(
        left,
        [
            ("another key of the same model has another price", "vertex_ai/veo".to_owned()),
            ("nothing but zeros, or nothing at all", "mistral-moderation".to_owned()),
            (
                "the provider is a gateway, or hosts language models that the base lacks",
                "vercel_ai_gateway/x".to_owned()
            ),
        ]
    );
}

#[test]
fn sizes_and_qualities_are_variants_of_one_model() {
    let image =
        |rate: &str| json!({"litellm_provider": "openai", "mode": "image_generation", "input_cost_per_image": rate});
    let table =
        json!({"dall-e-9": image("0.04"), "hd/dall-e-9": image("0.08"), "hd/1024-x-1792/dall-e-9": image("0.12")});
    assert_eq!(
        added(&table).0,
        "model dall-e-9\nmatch equals:dall-e-9\nfrom litellm\nprice images=0.04\n\
         price when:quality=hd when:size=1024x1792 images=0.12\nprice when:quality=hd images=0.08\n"
    );
    let mut table = table;
    table["dall-e-9"] =
        json!({"litellm_provider": "openai", "mode": "image_generation", "output_cost_per_image_token": "4e-05"});
    let (text, report) = added(&table);
    assert_eq!(text, "model dall-e-9\nmatch equals:dall-e-9\nfrom litellm\nprice image_output=40\n");
    assert!(
        report.to_string().contains("by size and quality, where the model is priced by tokens: dall-e-9"),
        "{report}"
    );
}

#[test]
fn regions_are_factors_of_the_base_s_rows() {
    let claude =
        |places: Value| json!({"litellm_provider": "anthropic", "mode": "chat", "provider_specific_entry": places});
    let table =
        json!({"claude-opus-5": claude(json!({"us": "1.1", "fast": "2.0"})), "claude-9": claude(json!({"us": "1.1"}))});
    let (text, report) = added(&table);
    assert_eq!(text, "scale when:inference_geo=us *1.1\n");
    assert!(report.to_string().contains("of a model that the base lacks: claude-9"), "{report}");
    let mut table = table;
    table["claude-opus-5-20260101"] = claude(json!({"us": "1.2"}));
    let (text, report) = added(&table);
    assert_eq!((text.as_str(), report.scaled), ("", 0), "two factors for one row");
}
