//! A request in parts: each with some of the items, and with the resource and scope that belong to them.

use crate::encode::{header, header_size};
use crate::error::{Fault, Limits, ScanError};
use crate::wire::{Frame, Payload, Reader};

/// What a request is counted and split by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Items {
    /// Spans of an `ExportTraceServiceRequest`.
    Spans,
    /// Log records of an `ExportLogsServiceRequest`.
    LogRecords,
    /// Data points of an `ExportMetricsServiceRequest`.
    DataPoints,
}

impl Items {
    /// How many messages there are around an item, the request included.
    const fn around(self) -> usize {
        match self {
            Self::Spans | Self::LogRecords => 3,
            Self::DataPoints => 5,
        }
    }

    /// Whether field `number` of the message that `depth` others are around leads to items.
    ///
    /// A request has resources (1), a resource scopes (2), a scope spans, log records or metrics (2). A metric has its
    /// points in one of `gauge` (5), `sum` (7), `histogram` (9), `exponential_histogram` (10) and `summary` (11), and
    /// each of those has them in field 1.
    const fn leads_on(self, depth: usize, number: u32) -> bool {
        match depth {
            0 => number == 1,
            1 | 2 => number == 2,
            3 => matches!(number, 5 | 7 | 9 | 10 | 11),
            _ => number == 1,
        }
    }
}

/// Most messages around an item.
const AROUND: usize = 5;

/// One part of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// An encoded request.
    pub bytes: Vec<u8>,
    /// How many items it has.
    pub items: u64,
}

/// The parts of a request, made one by one. See [`split`].
#[derive(Debug)]
pub struct Parts<'a> {
    tree: Tree<'a>,
    next: usize,
    most_bytes: u64,
    most_items: usize,
}

/// How many items an encoded request has.
///
/// ```
/// use tollgate_otlp::{Items, items};
/// // A resource, in it a scope, in it two empty spans.
/// assert_eq!(items(b"\x0a\x06\x12\x04\x12\x00\x12\x00", Items::Spans), Ok(2));
/// ```
///
/// # Errors
/// The bytes are no request.
pub fn items(bytes: &[u8], items: Items) -> Result<u64, ScanError> {
    Tree::read(bytes, items).map(|tree| tree.leaves.len() as u64)
}

/// Splits an encoded request into parts of at most `most_bytes` and `most_items` items.
///
/// Items are copied byte by byte and stay in their order. What is around an item (resource, scope, schema URL, name
/// and temporality of a metric, fields that are not known here) is repeated in each part. A part with a single item
/// may be larger than `most_bytes`, since an item is not cut. Resources, scopes and metrics without items are left out.
///
/// # Errors
/// The bytes are no request.
pub fn split(bytes: &[u8], items: Items, most_bytes: usize, most_items: u64) -> Result<Parts<'_>, ScanError> {
    Ok(Parts {
        tree: Tree::read(bytes, items)?,
        next: 0,
        most_bytes: most_bytes as u64,
        most_items: usize::try_from(most_items).unwrap_or(usize::MAX),
    })
}

impl Iterator for Parts<'_> {
    type Item = Part;

    fn next(&mut self) -> Option<Part> {
        let rest = self.tree.leaves.get(self.next..).unwrap_or_default();
        let mut sizes = Sizes::default();
        let mut taken = 0;
        for leaf in rest {
            let mut grown = sizes;
            grown.add(&self.tree, *leaf, &mut |_| ());
            if taken > 0 && (taken >= self.most_items || grown.total(&self.tree) > self.most_bytes) {
                break;
            }
            sizes = grown;
            taken += 1;
        }
        let leaves = rest.get(..taken).filter(|leaves| !leaves.is_empty())?;
        self.next += taken;
        Some(Part { bytes: self.tree.write(leaves), items: taken as u64 })
    }
}

/// A message around items: the request itself, a resource's, a scope's, a metric's, or its points'.
#[derive(Debug)]
struct Node {
    /// Index of the message around this one; the request has itself.
    parent: usize,
    /// Number of the field that this message is in.
    number: u32,
    /// What belongs to all its items: ranges of the request.
    context: Vec<(u32, u32)>,
    /// Bytes of the context.
    size: u64,
}

/// An item, with the tag before it.
#[derive(Clone, Copy, Debug)]
struct Leaf {
    node: usize,
    at: u32,
    end: u32,
}

#[derive(Debug)]
struct Tree<'a> {
    bytes: &'a [u8],
    items: Items,
    nodes: Vec<Node>,
    leaves: Vec<Leaf>,
}

impl<'a> Tree<'a> {
    fn read(bytes: &'a [u8], items: Items) -> Result<Self, ScanError> {
        let limit = i32::MAX as usize;
        if bytes.len() > limit {
            return Err(ScanError::TooLarge { size: bytes.len(), limit });
        }
        let mut tree = Self { bytes, items, nodes: Vec::new(), leaves: Vec::new() };
        let whole = Frame { length: 0, body: 0, end: bytes.len() as u32 };
        match tree.message(0, 0, whole, 0) {
            Ok(()) => Ok(tree),
            Err(fault) => Err(ScanError::from_fault(fault, &Limits::default())),
        }
    }

    /// Reads a message that `depth` others are around.
    fn message(&mut self, parent: usize, number: u32, frame: Frame, depth: usize) -> Result<(), Fault> {
        let at = self.nodes.len();
        self.nodes.push(Node { parent, number, context: Vec::new(), size: 0 });
        let (mut context, mut size) = (Vec::new(), 0);
        let mut reader = Reader::within(self.bytes, frame);
        while let Some(field) = reader.field()? {
            match field.payload {
                Payload::Bytes(inner) if self.items.leads_on(depth, field.number) => {
                    if depth + 1 == self.items.around() {
                        self.leaves.push(Leaf { node: at, at: field.at, end: field.end });
                    } else {
                        self.message(at, field.number, inner, depth + 1)?;
                    }
                }
                _ => {
                    context.push((field.at, field.end));
                    size += u64::from(field.end - field.at);
                }
            }
        }
        if let Some(node) = self.nodes.get_mut(at) {
            (node.context, node.size) = (context, size);
        }
        Ok(())
    }

    /// The messages around an item, from the request inwards.
    fn path(&self, leaf: Leaf) -> [usize; AROUND] {
        let mut path = [0; AROUND];
        let mut node = leaf.node;
        for slot in path.iter_mut().take(self.items.around()).rev() {
            *slot = node;
            node = self.nodes.get(node).map_or(0, |node| node.parent);
        }
        path
    }

    /// A request with these items, which stand next to each other.
    fn write(&self, leaves: &[Leaf]) -> Vec<u8> {
        // Lengths come before contents, so they are computed first: one for each message, in the order of opening.
        let mut lengths: Vec<(usize, u64)> = Vec::new();
        let mut sizes = Sizes::default();
        let mut note = |closed: Closed| match closed {
            Closed::Opened(node) => lengths.push((node, 0)),
            Closed::Size(node, size) => {
                if let Some(length) = lengths.iter_mut().rev().find(|length| length.0 == node) {
                    length.1 = size;
                }
            }
        };
        leaves.iter().for_each(|leaf| sizes.add(self, *leaf, &mut note));
        let total = sizes.close(self, &mut note);
        let mut out = Vec::with_capacity(usize::try_from(total).unwrap_or(0));
        let mut lengths = lengths.into_iter();
        let mut open: Option<[usize; AROUND]> = None;
        for leaf in leaves {
            let path = self.path(*leaf);
            for depth in 0..self.items.around() {
                let (Some(&node), known) = (path.get(depth), open.and_then(|open| open.get(depth).copied())) else {
                    continue;
                };
                if known == Some(node) {
                    continue;
                }
                let Some((message, (_, size))) = self.nodes.get(node).zip(lengths.next()) else { continue };
                if depth > 0 {
                    header(&mut out, message.number, usize::try_from(size).unwrap_or(usize::MAX));
                }
                for &(at, end) in &message.context {
                    out.extend_from_slice(self.bytes.get(at as usize..end as usize).unwrap_or_default());
                }
            }
            open = Some(path);
            out.extend_from_slice(self.bytes.get(leaf.at as usize..leaf.end as usize).unwrap_or_default());
        }
        out
    }
}

/// What happens to a message while sizes are added up.
enum Closed {
    /// It begins.
    Opened(usize),
    /// It has this many bytes.
    Size(usize, u64),
}

/// The sizes of the messages that are open while items are added.
#[derive(Clone, Copy, Debug, Default)]
struct Sizes {
    open: [(usize, u64); AROUND],
    depth: usize,
}

impl Sizes {
    fn add(&mut self, tree: &Tree<'_>, leaf: Leaf, note: &mut impl FnMut(Closed)) {
        let path = tree.path(leaf);
        let path = path.get(..tree.items.around()).unwrap_or_default();
        let open = self.open.get(..self.depth).unwrap_or_default();
        let common = open.iter().zip(path).take_while(|((open, _), node)| open == *node).count();
        while self.depth > common {
            self.pop(tree, note);
        }
        for &node in path.iter().skip(common) {
            if let Some(slot) = self.open.get_mut(self.depth) {
                *slot = (node, tree.nodes.get(node).map_or(0, |node| node.size));
            }
            self.depth += 1;
            note(Closed::Opened(node));
        }
        self.grow(u64::from(leaf.end - leaf.at));
    }

    /// Adds to the innermost message that is open.
    fn grow(&mut self, by: u64) {
        if let Some((_, size)) = self.depth.checked_sub(1).and_then(|last| self.open.get_mut(last)) {
            *size += by;
        }
    }

    /// Closes the innermost message and gives its size.
    fn pop(&mut self, tree: &Tree<'_>, note: &mut impl FnMut(Closed)) -> u64 {
        self.depth = self.depth.saturating_sub(1);
        let (node, size) = self.open.get(self.depth).copied().unwrap_or_default();
        note(Closed::Size(node, size));
        if self.depth > 0 {
            debug_assert!(tree.nodes.get(node).is_none_or(|node| node.number < 16), "tags of one byte");
            self.grow(header_size(usize::try_from(size).unwrap_or(usize::MAX)) as u64 + size);
        }
        size
    }

    /// Closes all messages and gives the size of the request.
    fn close(mut self, tree: &Tree<'_>, note: &mut impl FnMut(Closed)) -> u64 {
        let mut size = 0;
        while self.depth > 0 {
            size = self.pop(tree, note);
        }
        size
    }

    /// The size of the request if nothing more is added.
    fn total(self, tree: &Tree<'_>) -> u64 {
        self.close(tree, &mut |_| ())
    }
}
