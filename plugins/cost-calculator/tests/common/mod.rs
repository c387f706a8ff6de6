//! What the tests of bills share.

use tollgate_call::Usage;

/// Usage from words such as `input 1000 cache_read 400`.
pub(crate) fn usage(words: &str) -> Usage {
    let mut usage = Usage::default();
    let words: Vec<_> = words.split_whitespace().collect();
    for pair in words.chunks(2) {
        let number = pair[1].replace('_', "").parse().unwrap();
        let count = Some(number);
        match pair[0] {
            "input" => usage.input_tokens = count,
            "output" => usage.output_tokens = count,
            "cache_read" => usage.cache_read_tokens = count,
            "cache_write" => usage.cache_write_tokens = count,
            "cache_write_5m" => usage.cache_write_5m_tokens = count,
            "cache_write_1h" => usage.cache_write_1h_tokens = count,
            "searches" => {
                usage.server_tool_calls.insert("web_search".to_owned(), number);
            }
            "reasoning" => usage.reasoning_tokens = count,
            "audio_input" => usage.audio_input_tokens = count,
            "cache_read_audio" => usage.cache_read_audio_tokens = count,
            "audio_output" => usage.audio_output_tokens = count,
            other => panic!("{other} is not usage"),
        }
    }
    usage
}
