//! A JSON text as a flat list of its values, each with the bytes that it stands in.
//!
//! The text is not copied and not changed: whoever edits it replaces stretches of bytes and leaves the rest as it came.

use crate::json_text;
use crate::text::cut;
use memchr::memchr2;
use std::borrow::Cow;
use std::ops::Range;

/// Most values of one document: 32 bytes each.
const MOST: usize = 1 << 18;

/// Digits that a whole number has at least to be of interest; shorter ones are no values of anybody.
const DIGITS: usize = 7;

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Object,
    Array,
    /// A string; its bytes are those between the quotation marks.
    Text,
    Number,
    /// `true`, `false` or `null`.
    Word,
}

/// Which values are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    /// Containers, strings, truth values, and numbers that may mean something.
    Values,
    /// Everything.
    All,
}

/// A value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    start: u32,
    end: u32,
    /// The name that it has in its object, without the quotation marks; empty where it is an element of an array.
    key: (u32, u32),
    /// The container; its own number for the root.
    parent: u32,
    /// Which element of its array it is.
    pub(crate) position: u32,
    /// One past the last value within it.
    after: u32,
}

impl Node {
    /// Its bytes.
    pub(crate) fn range(&self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// The bytes of its name.
    pub(crate) fn key_range(&self) -> Range<usize> {
        self.key.0 as usize..self.key.1 as usize
    }
}

/// The values of a document, in the order of the text.
#[derive(Debug)]
pub(crate) struct Tree<'a> {
    text: &'a str,
    nodes: Vec<Node>,
}

/// Why there is no tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoTree {
    NotJson,
    TooMany,
}

impl<'a> Tree<'a> {
    /// Reads a document.
    pub(crate) fn of(text: &'a str, detail: Detail) -> Result<Self, NoTree> {
        if !json_text::parses(text.as_bytes()) {
            return Err(NoTree::NotJson);
        }
        if u32::try_from(text.len()).is_err() {
            return Err(NoTree::TooMany);
        }
        let mut builder = Builder { text: text.as_bytes(), detail, nodes: Vec::new(), open: Vec::new(), key: None };
        builder.read()?;
        Ok(Self { text, nodes: builder.nodes })
    }

    /// The numbers of all values.
    pub(crate) fn all(&self) -> Range<usize> {
        0..self.nodes.len()
    }

    /// A value by its number.
    pub(crate) fn node(&self, number: usize) -> Option<&Node> {
        self.nodes.get(number)
    }

    /// The bytes of a value, as they are written.
    pub(crate) fn raw(&self, number: usize) -> &'a str {
        self.node(number).and_then(|node| self.text.get(node.range())).unwrap_or("")
    }

    /// The name of a value in its object.
    pub(crate) fn key(&self, number: usize) -> Cow<'a, str> {
        let raw = self.node(number).and_then(|node| self.text.get(node.key_range())).unwrap_or("");
        unescaped(raw)
    }

    /// What a string says.
    pub(crate) fn text(&self, number: usize) -> Cow<'a, str> {
        unescaped(self.raw(number))
    }

    /// The container of a value; `None` for the root.
    pub(crate) fn parent(&self, number: usize) -> Option<usize> {
        let parent = self.node(number)?.parent as usize;
        (parent != number).then_some(parent)
    }

    /// The values from the root to this one, both included.
    pub(crate) fn path(&self, number: usize) -> Vec<usize> {
        let mut path = vec![number];
        let mut at = number;
        while let Some(parent) = self.parent(at) {
            path.push(parent);
            at = parent;
        }
        path.reverse();
        path
    }

    /// What is directly in a container.
    pub(crate) fn children(&self, number: usize) -> impl Iterator<Item = usize> + '_ {
        let end = self.node(number).map_or(0, |node| node.after as usize);
        let mut at = number + 1;
        std::iter::from_fn(move || {
            let child = at;
            at = self.node(child).filter(|_| child < end)?.after as usize;
            Some(child)
        })
    }

    /// A member of an object by its name.
    pub(crate) fn member(&self, object: usize, name: &str) -> Option<usize> {
        self.children(object).find(|child| self.key(*child) == name)
    }

    /// The value that has the byte at `place`, and whether the byte is in its name. A number that is not listed is its
    /// container's.
    pub(crate) fn at(&self, place: usize) -> Option<(usize, bool)> {
        let next = self.nodes.partition_point(|node| node.range().start <= place);
        if self.node(next).is_some_and(|node| node.key_range().contains(&place)) {
            return Some((next, true));
        }
        let mut at = next.checked_sub(1)?;
        while !self.node(at).is_some_and(|node| node.range().contains(&place)) {
            at = self.parent(at)?;
        }
        Some((at, false))
    }
}

/// A string as it is meant; as it is written where it has no escapes.
fn unescaped(raw: &str) -> Cow<'_, str> {
    if !raw.contains('\\') {
        return Cow::Borrowed(raw);
    }
    serde_json::from_str(&format!("\"{raw}\"")).map_or(Cow::Borrowed(raw), Cow::Owned)
}

struct Builder<'a> {
    text: &'a [u8],
    detail: Detail,
    nodes: Vec<Node>,
    /// Containers that are open, and how many elements of each have passed.
    open: Vec<(u32, u32)>,
    /// The name of the member whose value comes next.
    key: Option<(u32, u32)>,
}

impl Builder<'_> {
    /// Walks over the text, which is known to be JSON.
    fn read(&mut self) -> Result<(), NoTree> {
        let mut place = 0;
        while let Some(&byte) = self.text.get(place) {
            place = match byte {
                b'{' | b'[' => {
                    let kind = if byte == b'{' { Kind::Object } else { Kind::Array };
                    let number = self.push(kind, place, place)?;
                    self.open.push((number, 0));
                    place + 1
                }
                b'}' | b']' => {
                    self.close(place + 1);
                    place + 1
                }
                b',' => {
                    if let Some((_, position)) = self.open.last_mut() {
                        *position += 1;
                    }
                    place + 1
                }
                b'"' => {
                    let end = string_end(self.text, place + 1);
                    if self.expects_key() {
                        self.key = Some((short(place + 1), short(end)));
                    } else {
                        self.push(Kind::Text, place + 1, end)?;
                    }
                    end + 1
                }
                b':' | b' ' | b'\t' | b'\n' | b'\r' => place + 1,
                _ => self.scalar(place)?,
            };
        }
        Ok(())
    }

    fn expects_key(&self) -> bool {
        let object = self.open.last().and_then(|(number, _)| self.nodes.get(*number as usize));
        self.key.is_none() && object.is_some_and(|node| node.kind == Kind::Object)
    }

    fn scalar(&mut self, place: usize) -> Result<usize, NoTree> {
        let rest = cut(self.text, place, self.text.len());
        let length =
            rest.iter().position(|byte| matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r' | b':'));
        let end = place + length.unwrap_or(rest.len()).max(1);
        let word = cut(self.text, place, end);
        let number = word.first().is_some_and(|byte| byte.is_ascii_digit() || *byte == b'-');
        let whole = number && word.iter().all(|byte| byte.is_ascii_digit() || *byte == b'-');
        let wanted = match self.detail {
            Detail::All => true,
            Detail::Values => {
                matches!(word, b"true" | b"false") || (whole && (word.len() >= DIGITS || self.is_index()))
            }
        };
        if wanted {
            self.push(if number { Kind::Number } else { Kind::Word }, place, end)?;
        }
        self.key = None;
        Ok(end)
    }

    /// Whether the value is one that tells elements apart.
    fn is_index(&self) -> bool {
        let key = self.key.map_or(&[][..], |(start, end)| cut(self.text, start as usize, end as usize));
        key.ends_with(b"ndex")
    }

    fn push(&mut self, kind: Kind, start: usize, end: usize) -> Result<u32, NoTree> {
        if self.nodes.len() >= MOST {
            return Err(NoTree::TooMany);
        }
        let number = short(self.nodes.len());
        let (parent, position) = self.open.last().copied().unwrap_or((number, 0));
        let key = self.key.take().unwrap_or_default();
        let (start, end) = (short(start), short(end));
        self.nodes.push(Node { kind, start, end, key, parent, position, after: number + 1 });
        Ok(number)
    }

    fn close(&mut self, end: usize) {
        let after = short(self.nodes.len());
        if let Some((number, _)) = self.open.pop()
            && let Some(node) = self.nodes.get_mut(number as usize)
        {
            (node.end, node.after) = (short(end), after);
        }
    }
}

/// The closing quotation mark of the string whose content starts at `place`.
fn string_end(text: &[u8], place: usize) -> usize {
    let mut at = place;
    while let Some(step) = memchr2(b'"', b'\\', cut(text, at, text.len())) {
        if text.get(at + step) == Some(&b'"') {
            return at + step;
        }
        at += step + 2;
    }
    text.len()
}

/// A place in a text whose length is known to fit.
fn short(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_names_are_where_they_are_written() {
        let text =
            r#"{"a": {"b\u0063": "x\"y", "n": 4111111111111111, "short": 12}, "l": [true, {"index": 3}, "z", {}]}"#;
        let tree = Tree::of(text, Detail::Values).unwrap();
        let a = tree.member(0, "a").unwrap();
        let bc = tree.member(a, "bc").unwrap();
        assert_eq!((tree.text(bc).as_ref(), tree.raw(bc)), ("x\"y", "x\\\"y"));
        assert_eq!(tree.raw(tree.member(a, "n").unwrap()), "4111111111111111");
        assert_eq!(tree.member(a, "short"), None);
        let list = tree.member(0, "l").unwrap();
        let kinds: Vec<_> =
            tree.children(list).map(|child| tree.node(child).unwrap()).map(|n| (n.kind, n.position)).collect();
        assert_eq!(kinds, [(Kind::Word, 0), (Kind::Object, 1), (Kind::Text, 2), (Kind::Object, 3)]);
        assert_eq!(tree.path(bc).len(), 3);
        assert_eq!(tree.at(text.find("x\\").unwrap()), Some((bc, false)));
        assert_eq!(tree.at(text.find("b\\u").unwrap()), Some((bc, true)));
        assert_eq!(tree.at(text.find("12").unwrap()), Some((a, false)));
        let all = Tree::of(text, Detail::All).unwrap();
        assert_eq!(all.raw(all.member(1, "short").unwrap()), "12");
    }

    #[test]
    fn what_is_no_json_or_too_much_of_it_has_no_tree() {
        for text in ["", "{", "nul", "{\"a\":1}}", "[1,]"] {
            assert_eq!(Tree::of(text, Detail::All).map(|_| ()), Err(NoTree::NotJson), "{text}");
        }
        for text in ["1", "\"\"", "[]", "null", " {} "] {
            assert!(Tree::of(text, Detail::All).is_ok(), "{text}");
        }
        let many = format!("[{}0]", "0,".repeat(MOST));
        assert_eq!(Tree::of(&many, Detail::All).map(|_| ()), Err(NoTree::TooMany));
        assert!(Tree::of(&many, Detail::Values).is_ok());
    }
}
