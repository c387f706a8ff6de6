//! What is counted and priced.

macro_rules! units {
    ($($variant:ident $name:literal $per:literal $meaning:literal;)*) => {
        /// What a rate is for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Unit { $(#[doc = $meaning] $variant,)* }

        impl Unit {
            /// Every unit, in the order in which documents list them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word for it in documents and in explanations.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// How many of it the rate is for.
            #[must_use]
            pub const fn per(self) -> u32 {
                match self { $(Self::$variant => $per,)* }
            }
        }
    };
}

units! {
    Input "input" 1_000_000 "Tokens read.";
    CacheRead "cache_read" 1_000_000 "Tokens read from the prompt cache.";
    CacheWrite "cache_write" 1_000_000 "Tokens written to the prompt cache.";
    CacheWrite5m "cache_write_5m" 1_000_000 "Tokens written to the prompt cache for five minutes.";
    CacheWrite1h "cache_write_1h" 1_000_000 "Tokens written to the prompt cache for an hour.";
    AudioInput "audio_input" 1_000_000 "Audio tokens read.";
    CacheReadAudio "cache_read_audio" 1_000_000 "Audio tokens read from the prompt cache.";
    ImageInput "image_input" 1_000_000 "Image tokens read.";
    CacheReadImage "cache_read_image" 1_000_000 "Image tokens read from the prompt cache.";
    VideoInput "video_input" 1_000_000 "Video tokens read.";
    Output "output" 1_000_000 "Tokens written.";
    Reasoning "reasoning" 1_000_000 "Tokens written while reasoning.";
    Citation "citation" 1_000_000 "Tokens of citations.";
    AudioOutput "audio_output" 1_000_000 "Audio tokens written.";
    ImageOutput "image_output" 1_000_000 "Image tokens written.";
    VideoOutput "video_output" 1_000_000 "Video tokens written.";
    Characters "characters" 1_000_000 "Characters read.";
    Messages "messages" 1_000 "Text messages read.";
    Images "images" 1 "Images made.";
    AudioTime "audio_time" 3_600 "Seconds of audio; the rate is for an hour.";
    AudioInputTime "audio_input_time" 3_600 "Seconds of audio read; the rate is for an hour.";
    AudioOutputTime "audio_output_time" 3_600 "Seconds of audio made; the rate is for an hour.";
    VideoTime "video_time" 1 "Seconds of video made.";
    Pages "pages" 1_000 "Pages of documents read.";
    AnnotatedPages "annotated_pages" 1_000 "Pages of documents read and annotated.";
    WebSearch "web_search" 1_000 "Web searches made by the provider.";
    GroundedPrompts "grounded_prompts" 1_000 "Prompts that the provider searched the web for, however often.";
    SearchUnits "search_units" 1_000 "Units of search, of which a reranking may take several.";
    StorageSearch "storage_search" 1_000 "Searches of stored files made by the provider.";
    Request "request" 1_000 "Requests.";
}

impl Unit {
    /// How many units there are.
    pub const COUNT: usize = Self::ALL.len();

    /// The unit of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|unit| unit.name() == name)
    }

    /// Whether it counts tokens.
    #[must_use]
    pub const fn is_token(self) -> bool {
        self.per() == 1_000_000 && !matches!(self, Self::Characters)
    }
}
