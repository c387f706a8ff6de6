//! JSON documents as the elements of one array, as Gemini sends them where no events are asked for.

use super::{Kind, Reason};

/// Where in a JSON text a byte is: how deep, and whether in a string.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Depth {
    pub(crate) depth: u32,
    in_string: bool,
    escaped: bool,
}

impl Depth {
    /// Takes a byte. Whether a container or a string at depth 0 has been closed by it.
    pub(crate) fn step(&mut self, byte: u8) -> bool {
        if self.escaped {
            self.escaped = false;
            return false;
        }
        match byte {
            b'\\' if self.in_string => self.escaped = true,
            b'"' => {
                self.in_string = !self.in_string;
                return !self.in_string && self.depth == 0;
            }
            b'{' | b'[' if !self.in_string => self.depth = self.depth.saturating_add(1),
            b'}' | b']' if !self.in_string => {
                self.depth = self.depth.saturating_sub(1);
                return self.depth == 0;
            }
            _ => {}
        }
        false
    }
}

/// Where in the array the reading is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct State {
    /// The bracket that opens it has been seen.
    opened: bool,
    closed: bool,
    element: Option<Depth>,
}

impl State {
    /// The end of the first element, or of what stands between two: blanks, commas and brackets.
    pub(crate) fn end(&mut self, held: &[u8], seen: &mut usize) -> Result<Option<(usize, Kind)>, Reason> {
        while let Some(&byte) = held.get(*seen) {
            if let Some(depth) = &mut self.element {
                // A number or word ends where the next thing begins.
                let scalar = depth.depth == 0 && !depth.in_string && matches!(byte, b',' | b']');
                if scalar {
                    self.element = None;
                    return Ok(Some((*seen, Kind::Event)));
                }
                *seen += 1;
                if depth.step(byte) {
                    self.element = None;
                    return Ok(Some((*seen, Kind::Event)));
                }
                continue;
            }
            let between =
                byte.is_ascii_whitespace() || (byte == b',' && !self.closed) || (byte == b'[' && !self.opened);
            if byte == b']' && !self.closed {
                if *seen > 0 {
                    return Ok(Some((*seen, Kind::Between)));
                }
                self.closed = true;
                return Ok(Some((1, Kind::End)));
            }
            if !between {
                if self.closed {
                    return Err(Reason::NotJson);
                }
                if *seen > 0 {
                    return Ok(Some((*seen, Kind::Between)));
                }
                self.element = Some(Depth::default());
                continue;
            }
            self.opened |= byte == b'[';
            *seen += 1;
        }
        Ok((self.element.is_none() && *seen > 0).then_some((*seen, Kind::Between)))
    }
}
