//! Messages of AWS event streams, put together byte by byte, with a checksum that owes nothing to the reader's.

/// The value of a header, in each of the ten types.
#[derive(Clone, Debug)]
pub enum Value {
    True,
    False,
    Byte(i8),
    Short(i16),
    Integer(i32),
    Long(i64),
    Bytes(Vec<u8>),
    Text(String),
    Timestamp(i64),
    Uuid([u8; 16]),
}

impl Value {
    pub fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }

    fn encoded(&self) -> Vec<u8> {
        let long = |kind: u8, bytes: &[u8]| {
            let length = u16::try_from(bytes.len()).expect("a value of at most 64 KiB");
            [&[kind], length.to_be_bytes().as_slice(), bytes].concat()
        };
        match self {
            Self::True => vec![0],
            Self::False => vec![1],
            Self::Byte(value) => [&[2], value.to_be_bytes().as_slice()].concat(),
            Self::Short(value) => [&[3], value.to_be_bytes().as_slice()].concat(),
            Self::Integer(value) => [&[4], value.to_be_bytes().as_slice()].concat(),
            Self::Long(value) => [&[5], value.to_be_bytes().as_slice()].concat(),
            Self::Bytes(bytes) => long(6, bytes),
            Self::Text(text) => long(7, text.as_bytes()),
            Self::Timestamp(value) => [&[8], value.to_be_bytes().as_slice()].concat(),
            Self::Uuid(bytes) => [&[9], bytes.as_slice()].concat(),
        }
    }
}

/// A message.
pub fn message(headers: &[(&str, Value)], payload: &[u8]) -> Vec<u8> {
    let headers: Vec<u8> = headers
        .iter()
        .flat_map(|(name, value)| {
            let length = u8::try_from(name.len()).expect("a name of at most 255 bytes");
            [&[length], name.as_bytes(), &value.encoded()].concat()
        })
        .collect();
    raw_message(16 + headers.len() + payload.len(), headers.len(), &[&headers, payload].concat())
}

/// A message of which an event of the given type is told, its payload JSON.
pub fn event(event_type: &str, payload: &str) -> Vec<u8> {
    let headers = [
        (":event-type", Value::text(event_type)),
        (":content-type", Value::text("application/json")),
        (":message-type", Value::text("event")),
    ];
    message(&headers, payload.as_bytes())
}

/// A message with any lengths in its prelude, whose checksums are right.
pub fn raw_message(total: usize, headers: usize, data: &[u8]) -> Vec<u8> {
    let mut message = Vec::new();
    for length in [total, headers] {
        message.extend(u32::try_from(length).expect("a length of 32 bits").to_be_bytes());
    }
    message.extend(checksum(&message).to_be_bytes());
    message.extend(data);
    message.extend(checksum(&message).to_be_bytes());
    message
}

/// CRC-32 of ISO 3309, bit by bit.
pub fn checksum(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| if sum & 1 == 1 { sum >> 1 ^ 0xEDB8_8320 } else { sum >> 1 })
    })
}
