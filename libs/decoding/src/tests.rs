use super::*;
use ::brotli::enc::BrotliEncoderParams;
use ::zstd::stream::write::Encoder;
use flate2::{Compression, write};
use proptest::prelude::*;
use std::io::Write;

const WINDOW: u64 = 8 << 20;

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = write::GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

/// Brotli at a quality (0 to 11) with a window of so many bits.
fn br(plain: &[u8], quality: i32, lgwin: i32) -> Vec<u8> {
    let params = BrotliEncoderParams { quality, lgwin, ..BrotliEncoderParams::default() };
    let mut compressed = Vec::new();
    ::brotli::BrotliCompress(&mut &*plain, &mut compressed, &params).unwrap();
    compressed
}

/// Zstd at a level, its header without the size, so that it asks for a window of so many bits.
fn zstd_window(plain: &[u8], level: i32, window_log: u32) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new(), level).unwrap();
    encoder.window_log(window_log).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

/// Zstd in one go, its header with the size.
fn zstd(plain: &[u8], level: i32) -> Vec<u8> {
    ::zstd::bulk::compress(plain, level).unwrap()
}

/// A frame that decoders skip.
fn skippable(length: u32) -> Vec<u8> {
    let mut frame = (SKIPPABLE + length % 16).to_le_bytes().to_vec();
    frame.extend(length.to_le_bytes());
    frame.resize(8 + length as usize, 0xFD);
    frame
}
const SKIPPABLE: u32 = 0x184D_2A50;

fn decoder(encodings: &str) -> Decoder {
    let mut decoder = Decoder::new(200, WINDOW);
    decoder.add(encodings.as_bytes());
    decoder
}

/// What a body decodes to, why not whole, and the most memory that took.
fn decode_measured(encodings: &str, body: &[u8], size: usize) -> (Vec<u8>, Option<&'static str>, usize) {
    let (mut decoder, mut plain, mut memory) = (decoder(encodings), Vec::new(), 0);
    for chunk in body.chunks(size) {
        decoder.push(chunk, |bytes| plain.extend_from_slice(bytes));
        memory = memory.max(decoder.heap_bytes());
    }
    (plain, decoder.note(), memory)
}

fn decode(encodings: &str, body: &[u8], size: usize) -> (Vec<u8>, Option<&'static str>) {
    let (plain, note, _) = decode_measured(encodings, body, size);
    (plain, note)
}

fn assert_decodes(name: &str, encodings: &str, body: &[u8], plain: &[u8]) {
    // A byte at a time takes long, and says no more of large bodies than of small ones.
    let least = if body.len() < 10_000 { 1 } else { 7 };
    for size in [least, 1000, 70_000, body.len().max(1)] {
        let (got, note) = decode(encodings, body, size);
        let same = got.iter().zip(plain).take_while(|(a, b)| a == b).count();
        assert!(
            got == plain && note.is_none(),
            "{name} ({encodings}) in chunks of {size}: {note:?}, {} bytes of {}, the same up to {same}",
            got.len(),
            plain.len()
        );
    }
}

/// Numbers that look random, from a seed.
fn noise(seed: u64) -> impl Iterator<Item = u64> {
    std::iter::successors(Some(seed), |seed| {
        Some(seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407))
    })
    .map(|number| number >> 33)
}

fn events(count: usize) -> Vec<u8> {
    let words = ["the", "model", "says", "über", "tokens", "\\n", "and", "a", "stream", "日本語"];
    let event = |number: u64| {
        let word = words[number as usize % words.len()];
        format!("data: {{\"id\":\"c-{number}\",\"choices\":[{{\"delta\":{{\"content\":\" {word}\"}}}}]}}\n\n")
            .into_bytes()
    };
    noise(7).take(count).flat_map(event).collect()
}

/// Texts that make encoders use every part of their formats.
fn plains() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("nothing", Vec::new()),
        ("a byte", b"x".to_vec()),
        ("a sentence", b"some text that is compressed, some text that is not".to_vec()),
        ("numbers", (0..10_000_u32).flat_map(|n| format!("{} ", n % 777).into_bytes()).collect()),
        ("events", events(1000)),
        ("zeros", vec![0; 140_000]),
        ("noise", noise(1).take(140_000).map(|n| n as u8).collect()),
        ("few symbols", noise(2).take(70_000).map(|n| b"aaaaaaabbbbccd"[n as usize % 14]).collect()),
        ("half a byte", noise(3).take(30_000).map(|n| (n & 15) as u8 | 64).collect()),
        ("rising", (0..90_000_u32).map(|n| (n / 331) as u8).collect()),
        (
            "far repetitions",
            [noise(4).take(50_000).map(|n| n as u8).collect::<Vec<_>>(), events(200)].concat().repeat(3),
        ),
    ]
}

#[test]
fn gzip_and_deflate_decode_at_every_chunk_size() {
    for (name, plain) in plains() {
        let mut zlib = write::ZlibEncoder::new(Vec::new(), Compression::best());
        zlib.write_all(&plain).unwrap();
        let mut raw = write::DeflateEncoder::new(Vec::new(), Compression::best());
        raw.write_all(&plain).unwrap();
        let mut named = flate2::GzBuilder::new()
            .filename("a name")
            .comment("a comment")
            .extra(vec![1; 300])
            .write(Vec::new(), Compression::fast());
        named.write_all(&plain).unwrap();
        let (head, tail) = plain.split_at(plain.len() / 2);
        assert_decodes(name, "identity", &plain, &plain);
        assert_decodes(name, "", &plain, &plain);
        assert_decodes(name, "gzip", &gzip(&plain), &plain);
        assert_decodes(name, " X-GZip ", &named.finish().unwrap(), &plain);
        assert_decodes(name, "gzip", &[gzip(head), gzip(tail)].concat(), &plain);
        assert_decodes(name, "deflate", &zlib.finish().unwrap(), &plain);
        assert_decodes(name, "deflate", &raw.finish().unwrap(), &plain);
    }
}

#[test]
fn brotli_decodes_at_every_chunk_size() {
    for (name, plain) in plains() {
        for (quality, lgwin) in [(0, 22), (1, 10), (4, 17), (5, 18), (6, 11), (9, 22), (11, 22)] {
            if quality == 11 && plain.len() > 20_000 {
                continue;
            }
            assert_decodes(name, "br", &br(&plain, quality, lgwin), &plain);
        }
    }
    assert_decodes("an encoding in capitals", "BR", &br(b"x", 5, 22), b"x");
}

#[test]
fn zstd_decodes_at_every_chunk_size() {
    for (name, plain) in plains() {
        for level in [-50, 1, 3, 5, 9, 13, 19, 22] {
            assert_decodes(name, "zstd", &zstd(&plain, level), &plain);
        }
        for (level, window_log) in [(1, 10), (6, 14), (13, 17), (19, 12)] {
            assert_decodes(name, "zstd", &zstd_window(&plain, level, window_log), &plain);
        }
        let (head, tail) = plain.split_at(plain.len() / 2);
        let frames =
            [skippable(0), zstd(head, 3), skippable(1), skippable(70_000), zstd_window(tail, 5, 12), skippable(15)];
        assert_decodes(name, "zstd", &frames.concat(), &plain);
    }
}

#[test]
fn lists_of_encodings_decode_from_the_last_to_the_first() {
    let plain = events(2000);
    let cases: [(&str, Vec<u8>); 7] = [
        ("gzip, br", br(&gzip(&plain), 5, 22)),
        ("br, gzip", gzip(&br(&plain, 5, 22))),
        ("zstd,gzip", gzip(&zstd(&plain, 3))),
        ("gzip , identity,, gzip", gzip(&gzip(&plain))),
        ("identity, zstd", zstd(&plain, 3)),
        ("gzip, br, zstd", zstd(&br(&gzip(&plain), 5, 22), 3)),
        ("zstd, zstd, zstd", zstd(&zstd(&zstd(&plain, 1), 1), 1)),
    ];
    for (encodings, body) in cases {
        assert_decodes("events", encodings, &body, &plain);
        // Several headers are one list.
        let (mut decoder, mut got) = (Decoder::new(200, WINDOW), Vec::new());
        encodings.split(',').for_each(|encoding| decoder.add(encoding.as_bytes()));
        decoder.push(&body, |bytes| got.extend_from_slice(bytes));
        assert!(got == plain && decoder.note().is_none(), "{encodings}");
    }
}

#[test]
fn what_was_flushed_is_read_at_once() {
    /// Writes, flushes, and takes what has come out.
    trait Flushing {
        fn event(&mut self, event: &[u8]) -> Vec<u8>;
    }
    struct Encoding<W>(W, fn(&mut W) -> &mut Vec<u8>);
    impl<W: Write> Flushing for Encoding<W> {
        fn event(&mut self, event: &[u8]) -> Vec<u8> {
            self.0.write_all(event).unwrap();
            self.0.flush().unwrap();
            std::mem::take(self.1(&mut self.0))
        }
    }
    let brotli = |quality| ::brotli::CompressorWriter::new(Vec::new(), 4096, quality, 22);
    let encoders: [(&str, Box<dyn Flushing>); 6] = [
        ("gzip", Box::new(Encoding(write::GzEncoder::new(Vec::new(), Compression::fast()), |w| w.get_mut()))),
        ("br", Box::new(Encoding(brotli(1), |w| w.get_mut()))),
        ("br", Box::new(Encoding(brotli(5), |w| w.get_mut()))),
        ("br", Box::new(Encoding(brotli(11), |w| w.get_mut()))),
        ("zstd", Box::new(Encoding(Encoder::new(Vec::new(), 3).unwrap(), |w| w.get_mut()))),
        ("zstd", Box::new(Encoding(Encoder::new(Vec::new(), 19).unwrap(), |w| w.get_mut()))),
    ];
    for (encoding, mut encoder) in encoders {
        let mut decoder = decoder(encoding);
        for number in 0..300 {
            // Some larger than any buffer on the way.
            let word = format!("{number} ").repeat(if number % 100 == 7 { 5000 } else { 1 });
            let event = format!("data: {{\"choices\":[{{\"delta\":{{\"content\":\"{word}\"}}}}]}}\n\n");
            let mut plain = Vec::new();
            decoder.push(&encoder.event(event.as_bytes()), |bytes| plain.extend_from_slice(bytes));
            let same = plain == event.as_bytes();
            assert!(same, "{encoding}, event {number}: {} bytes of {}", plain.len(), event.len());
        }
        assert_eq!(decoder.note(), Some(notes::TRUNCATED_ENCODING));
    }
}

/// A match that passes the end of the window of 32 KiB gives all of it, whether or not more of the body comes.
#[test]
fn a_match_over_the_end_of_the_window_is_read_at_once() {
    let plain = vec![b'a'; (1 << 15) + 1_000];
    let mut encoder = flate2::Compress::new(flate2::Compression::best(), false);
    let mut body = Vec::with_capacity(plain.len());
    encoder.compress_vec(&plain, &mut body, flate2::FlushCompress::Finish).unwrap();
    for end in 1..=body.len() {
        let (whole, _) = decode("deflate", &body[..end], body.len());
        let (cut, _) = decode("deflate", &body[..end], 1);
        assert_eq!(whole.len(), cut.len(), "{end} of {} bytes", body.len());
    }
}

#[test]
fn what_cannot_be_decoded_is_noted() {
    let whole = gzip(b"some text that is compressed");
    let cut = &whole[..whole.len() - 9];
    let text = events(20);
    let (brotli, zstandard) = (br(&text, 5, 22), zstd(&text, 3));
    let head = |descriptor: u8, rest: &[u8]| [&[0x28, 0xB5, 0x2F, 0xFD, descriptor], rest].concat();
    let cases: &[(&str, &[u8], &str)] = &[
        ("compress", b"x", notes::UNSUPPORTED_CONTENT_ENCODING),
        ("dcb", b"x", notes::UNSUPPORTED_CONTENT_ENCODING),
        ("gzip, aes128gcm", b"x", notes::UNSUPPORTED_CONTENT_ENCODING),
        ("gzip, gzip, gzip, gzip", b"x", notes::UNSUPPORTED_CONTENT_ENCODING),
        ("gzip", b"{\"plain\":1}", notes::UNDECODABLE_BODY),
        ("gzip", b"\x1f\x8b\x08\x00\0\0\0\0\0\xff\xff\xff\xff\xff", notes::UNDECODABLE_BODY),
        ("gzip", cut, notes::TRUNCATED_ENCODING),
        ("gzip", &whole[..5], notes::TRUNCATED_ENCODING),
        ("br", b"{\"plain\":1}", notes::UNDECODABLE_BODY),
        ("br", &brotli[..brotli.len() - 1], notes::TRUNCATED_ENCODING),
        ("br", &brotli[..1], notes::TRUNCATED_ENCODING),
        ("br", &br(&text, 5, 24), notes::WINDOW_LIMIT),
        ("br", b"\x11\x1e", notes::WINDOW_LIMIT),
        ("zstd", b"{\"plain\":1}", notes::UNDECODABLE_BODY),
        ("zstd", &zstandard[..zstandard.len() - 1], notes::TRUNCATED_ENCODING),
        ("zstd", &zstandard[..3], notes::TRUNCATED_ENCODING),
        ("zstd", &zstandard[..5], notes::TRUNCATED_ENCODING),
        ("zstd", &skippable(9)[..16], notes::TRUNCATED_ENCODING),
        ("zstd", &zstd_window(&text, 3, 24), notes::WINDOW_LIMIT),
        // A window of an eighth more than the limit.
        ("zstd", &head(0, &[13 << 3 | 1]), notes::WINDOW_LIMIT),
        // A size of 2^32 in one segment.
        ("zstd", &head(0xE0, &[0, 0, 0, 0, 1, 0, 0, 0]), notes::WINDOW_LIMIT),
        // A dictionary; a bit that is reserved.
        ("zstd", &head(0x21, &[7, 1]), notes::UNDECODABLE_BODY),
        ("zstd", &head(0x28, &[1]), notes::UNDECODABLE_BODY),
        // A block of the type that is reserved, and one larger than the window.
        ("zstd", &head(0x20, &[5, 0x2F, 0, 0]), notes::UNDECODABLE_BODY),
        ("zstd", &head(0x20, &[5, 0x33, 0, 0]), notes::UNDECODABLE_BODY),
        ("gzip, br", &br(cut, 5, 22), notes::TRUNCATED_ENCODING),
        ("gzip, br", &br(b"{\"plain\":1}", 5, 22), notes::UNDECODABLE_BODY),
    ];
    for (encoding, body, note) in cases {
        for size in [1, 100] {
            assert_eq!(decode(encoding, body, size).1, Some(*note), "{encoding} {body:?}");
        }
    }
    for encoding in ["gzip", "deflate", "br", "zstd", "gzip, br"] {
        assert_eq!(decode(encoding, b"", 1), (Vec::new(), None));
    }
}

#[test]
fn a_body_that_is_cut_off_is_read_up_to_there_and_noted() {
    let plain = events(30);
    for (encoding, body) in [("br", br(&plain, 5, 22)), ("zstd", zstd_window(&plain, 3, 17)), ("gzip", gzip(&plain))] {
        for cut in 1..body.len() {
            let (got, note) = decode(encoding, &body[..cut], 50);
            assert!(plain.starts_with(&got), "{encoding} cut at {cut}");
            assert_eq!(note, Some(notes::TRUNCATED_ENCODING), "{encoding} cut at {cut} of {}", body.len());
        }
    }
}

#[test]
fn a_body_that_grows_too_much_is_stopped() {
    let zeros = vec![b' '; 16 << 20];
    let bombs = [
        ("gzip", gzip(&zeros)),
        ("br", br(&zeros, 2, 22)),
        ("zstd", zstd_window(&zeros, 3, 20)),
        ("gzip, gzip", gzip(&gzip(&zeros))),
        ("gzip, zstd", zstd(&gzip(&zeros), 3)),
        ("zstd, br", br(&zstd_window(&zeros, 3, 20), 5, 22)),
    ];
    for (encodings, bomb) in bombs {
        for size in [1, 8192] {
            let (plain, note, memory) = decode_measured(encodings, &bomb, size);
            assert_eq!(note, Some(notes::EXPANSION_LIMIT), "{encodings}");
            assert!(plain.len() <= (1 << 20) + 200 * bomb.len(), "{encodings}: {}", plain.len());
            assert!(memory <= 8 << 20, "{encodings}: {memory}");
        }
    }
}

/// The table of the module's documentation.
#[test]
fn memory_is_what_the_window_in_use_takes() {
    const KIB: usize = 1024;
    let (small, large) = (events(40), events(140_000));
    assert!(small.len() < 5 * KIB && large.len() > 9 << 20, "{} {}", small.len(), large.len());
    let cases: Vec<(&str, &str, Vec<u8>, usize)> = vec![
        ("small", "gzip", gzip(&small), 50),
        ("large", "gzip", gzip(&large), 50),
        ("small", "br", br(&small, 5, 22), 100),
        ("large, 64 KiB", "br", br(&large, 2, 16), 200),
        ("large, 4 MiB", "br", br(&large, 2, 22), 4400),
        ("small", "zstd", zstd_window(&small, 3, 21), 30),
        ("large, 64 KiB", "zstd", zstd_window(&large, 3, 16), 250),
        ("large, 2 MiB", "zstd", zstd_window(&large, 3, 21), 2400),
        ("large, 8 MiB", "zstd", zstd_window(&large, 3, 23), 8600),
    ];
    for (name, encoding, body, most) in cases {
        let (_, note, memory) = decode_measured(encoding, &body, (body.len() / 8).min(16 * KIB));
        println!("{encoding:<5} {name:<14} {:>6} KiB", memory.div_ceil(KIB));
        assert!(note.is_none() && memory <= most * KIB, "{encoding}, {name}: {memory}, {note:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_bodies_break_nothing_and_read_the_same_at_any_split(
        encoding in prop::sample::select(vec!["gzip", "deflate", "br", "zstd", "gzip, zstd", "zstd, br"]),
        level in 1..12_i32,
        count in 1..60_usize,
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
        size in 1..200_usize,
    ) {
        let plain = events(count);
        let mut body = match encoding {
            "gzip" | "deflate" => gzip(&plain),
            "br" => br(&plain, level.min(9), 18),
            "gzip, zstd" => zstd(&gzip(&plain), level),
            "zstd, br" => br(&zstd(&plain, level), level.min(9), 18),
            _ => zstd_window(&plain, level, 17),
        };
        for (at, byte) in damage {
            let at = at.index(body.len());
            body[at] = byte;
        }
        let whole = decode(encoding, &body, body.len());
        let cut = decode(encoding, &body, size);
        if encoding == "zstd" {
            prop_assert!(whole == cut, "{:?} {:?}", whole.1, cut.1);
        } else {
            prop_assert_eq!(whole.1, cut.1);
            prop_assert!(whole == cut || whole.1 == Some(notes::UNDECODABLE_BODY), "{:?}", whole.1);
        }
    }
}
