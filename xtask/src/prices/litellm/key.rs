//! Keys of the table: `PROVIDER/NAME`, `NAME`, and for images `QUALITY/SIZE/NAME` in several orders.

/// What a key says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Key {
    /// The model, as a call names it; lower case.
    pub(super) name: String,
    /// How the call must have been made, as key and value.
    pub(super) when: Vec<(String, String)>,
    /// Width and height of the image, where the key has them.
    pub(super) size: Option<(u64, u64)>,
}

/// Words for the quality of an image.
const QUALITIES: &[&str] = &["standard", "hd", "low", "medium", "high", "xhigh", "max"];
/// Places that a key may name where the call does not.
const PLACES: &[&str] = &["eu", "us", "us-gov", "global", "global-standard"];

/// Reads a key of `provider`, a provider of the table. The error is why it names no model that a call could name.
pub(super) fn read(key: &str, provider: &str, images: bool) -> Result<Key, &'static str> {
    // `vertex_ai-language-models` has keys that begin with `vertex_ai/`.
    let prefix = provider.split('-').next().unwrap_or(provider);
    let key = key.to_ascii_lowercase();
    let mut segments: Vec<&str> = key.split('/').collect();
    let mut read = Key::default();
    while let [first, _, ..] = segments.as_slice() {
        if *first == prefix {
        } else if first.ends_with("-steps") || (images && *first == "max-x-max") {
            return Err("priced by the steps of making an image");
        } else if images && QUALITIES.contains(first) {
            read.when.push(("quality".to_owned(), (*first).to_owned()));
        } else if let Some((width, height)) = size(first).filter(|_| images) {
            read.when.push(("size".to_owned(), format!("{width}x{height}")));
            read.size = Some((width, height));
        } else if PLACES.contains(first) || (prefix == "bedrock" && is_region(first)) {
            return Err("for one region, which the name of a model does not tell");
        } else if *first == "streaming" {
            return Err("for streaming, or for an addition to it, which the name of a model does not tell");
        } else {
            break;
        }
        segments.remove(0);
    }
    read.name = segments.join("/");
    if read.name.starts_with("together-ai-") {
        return Err("for models of a size, not for one model");
    }
    if read.name.is_empty() || !read.name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'&') {
        return Err("not a name that a rule can hold");
    }
    read.when.sort();
    Ok(read)
}

/// `1024-x-1536`.
fn size(segment: &str) -> Option<(u64, u64)> {
    let (width, height) = segment.split_once("-x-")?;
    Some((width.parse().ok()?, height.parse().ok()?))
}

/// `us-gov-west-1`, `ap-northeast-2`.
fn is_region(segment: &str) -> bool {
    segment.matches('-').count() >= 2 && segment.ends_with(|last: char| last.is_ascii_digit()) && !segment.contains('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_taken_apart() {
        for (key, provider, name, when) in [
            ("tts-1", "openai", "tts-1", ""),
            ("azure/tts-1", "azure", "tts-1", ""),
            ("azure/speech/azure-tts", "azure", "speech/azure-tts", ""),
            ("vertex_ai/veo-3.0-generate-001", "vertex_ai-video-models", "veo-3.0-generate-001", ""),
            ("azure/hd/1024-x-1792/dall-e-3", "azure", "dall-e-3", "quality=hd size=1024x1792"),
            ("low/1024-x-1024/grok-imagine-image-2.0", "xai", "grok-imagine-image-2.0", "quality=low size=1024x1024"),
            ("fal_ai/max/1024-x-768/openai/x/edit", "fal_ai", "openai/x/edit", "quality=max size=1024x768"),
            ("512-x-512/dall-e-2", "openai", "dall-e-2", "size=512x512"),
            ("aws_polly/standard", "aws_polly", "standard", ""),
            ("azure_ai/FLUX-1.1-pro", "azure_ai", "flux-1.1-pro", ""),
        ] {
            let read = read(key, provider, true).unwrap();
            let said: Vec<_> = read.when.iter().map(|(key, value)| format!("{key}={value}")).collect();
            assert_eq!((read.name.as_str(), said.join(" ").as_str()), (name, when), "{key}");
        }
    }

    #[test]
    fn keys_that_name_no_model_are_refused() {
        for (key, provider, why) in [
            ("512-x-512/50-steps/stability.stable-diffusion-xl-v0", "bedrock", "steps"),
            ("max-x-max/max-steps/stability.stable-diffusion-xl-v0", "bedrock", "steps"),
            ("bedrock/us-gov-west-1/amazon.titan-embed-text-v1", "bedrock", "region"),
            ("azure/eu/text-embedding-3-small", "azure", "region"),
            ("deepgram/streaming/nova-3", "deepgram", "streaming"),
            ("together-ai-embedding-up-to-150m", "together_ai", "of a size"),
            ("openai/a b", "openai", "a rule can hold"),
        ] {
            assert!(read(key, provider, true).unwrap_err().contains(why), "{key}");
        }
    }
}
