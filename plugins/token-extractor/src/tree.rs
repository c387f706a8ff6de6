//! Places in a JSON document, and what is found there.
//!
//! A place is written as the keys that lead to it: `usage.prompt_tokens`. Elements of an array are `[]`; where it
//! matters what the elements are, `[choice]` says that each is an answer of its own, and `[block]` that each is a block
//! of content. A key that has a dot or a bracket in it cannot be written.

use crate::same::same;
use tollgate_json::Node;

/// Most places of a tree.
pub(crate) const MAX_NODES: usize = 200;

/// What the elements of an array are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Elements {
    Any,
    Choices,
    Blocks,
}

/// One place.
#[derive(Clone, Debug)]
struct Place<F> {
    children: Vec<(Box<[u8]>, Node)>,
    item: Option<(Elements, Node)>,
    fields: Vec<F>,
}

/// Places that somebody wants to know about. The document itself is place 0.
#[derive(Clone, Debug)]
pub(crate) struct Tree<F> {
    places: Vec<Place<F>>,
}

impl<F> Tree<F> {
    pub(crate) fn new() -> Self {
        Self { places: vec![Place::new()] }
    }

    /// Adds a field at a place.
    ///
    /// # Errors
    /// What is wrong with the place, as it is written.
    pub(crate) fn add(&mut self, path: &str, field: F) -> Result<(), String> {
        let mut at = 0;
        for segment in path.split('.') {
            let (key, brackets) =
                segment.split_at_checked(segment.find('[').unwrap_or(segment.len())).unwrap_or_default();
            if !key.is_empty() {
                at = self.child(at, key)?;
            } else if brackets.is_empty() {
                return Err(format!("{path:?} has a key without a name"));
            }
            let mut rest = brackets;
            while !rest.is_empty() {
                let (bracket, after) =
                    rest.split_at_checked(rest.find(']').map_or(0, |end| end + 1)).unwrap_or_default();
                let elements = match bracket {
                    "[]" => Elements::Any,
                    "[choice]" => Elements::Choices,
                    "[block]" => Elements::Blocks,
                    _ => return Err(format!("{path:?} has {rest:?} where [], [choice] or [block] can be")),
                };
                at = self.element(at, elements)?;
                rest = after;
            }
        }
        if let Some(place) = self.places.get_mut(usize::from(at)) {
            place.fields.push(field);
        }
        Ok(())
    }

    fn child(&mut self, at: Node, key: &str) -> Result<Node, String> {
        if let Some(known) = self.key(at, key.as_bytes()) {
            return Ok(known);
        }
        let new = self.place()?;
        if let Some(place) = self.places.get_mut(usize::from(at)) {
            place.children.push((key.as_bytes().into(), new));
        }
        Ok(new)
    }

    fn element(&mut self, at: Node, elements: Elements) -> Result<Node, String> {
        if let Some((known, item)) = self.item(at) {
            if known != elements && elements != Elements::Any {
                return Err("an array has elements of one kind only".to_owned());
            }
            return Ok(item);
        }
        let new = self.place()?;
        if let Some(place) = self.places.get_mut(usize::from(at)) {
            place.item = Some((elements, new));
        }
        Ok(new)
    }

    fn place(&mut self) -> Result<Node, String> {
        let new = self.places.len();
        self.places.push(Place::new());
        Node::try_from(new)
            .ok()
            .filter(|_| new < MAX_NODES)
            .ok_or_else(|| format!("there are more than {MAX_NODES} places"))
    }

    /// The place under a key.
    #[inline]
    pub(crate) fn key(&self, at: Node, key: &[u8]) -> Option<Node> {
        let place = self.places.get(usize::from(at))?;
        place.children.iter().find(|(known, _)| same(known, key)).map(|(_, child)| *child)
    }

    /// The place of an array's elements, and what they are.
    #[inline]
    pub(crate) fn item(&self, at: Node) -> Option<(Elements, Node)> {
        self.places.get(usize::from(at))?.item
    }

    /// What is wanted of a place itself.
    #[inline]
    pub(crate) fn fields(&self, at: Node) -> &[F] {
        self.places.get(usize::from(at)).map_or(&[], |place| place.fields.as_slice())
    }
}

impl<F> Place<F> {
    fn new() -> Self {
        Self { children: Vec::new(), item: None, fields: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_found_by_their_keys() {
        let mut tree = Tree::new();
        for (number, path) in ["a", "a.b", "list[choice].x", "list[].y", "deep[][block]", "a.b"].iter().enumerate() {
            tree.add(path, number).unwrap();
        }
        let key = |at, key: &str| tree.key(at, key.as_bytes()).unwrap();
        assert_eq!(tree.fields(key(0, "a")), [0]);
        assert_eq!(tree.fields(key(key(0, "a"), "b")), [1, 5]);
        let (elements, item) = tree.item(key(0, "list")).unwrap();
        assert_eq!(
            (elements, tree.fields(key(item, "x")), tree.fields(key(item, "y"))),
            (Elements::Choices, &[2][..], &[3][..])
        );
        let (_, inner) = tree.item(key(0, "deep")).unwrap();
        assert_eq!(tree.item(inner).unwrap().0, Elements::Blocks);
        assert_eq!(tree.key(0, b"b"), None);
    }

    #[test]
    fn what_is_no_place_is_said() {
        for path in ["", ".a", "a..b", "a[", "a[x]", "a]b[", "a[]b"] {
            let refused = Tree::new().add(path, ()).is_err();
            assert_eq!(refused, path != "a]b[" || refused, "{path}");
        }
        let mut tree = Tree::new();
        tree.add("a[choice]", ()).unwrap();
        assert!(tree.add("a[block]", ()).is_err());
        let mut full = Tree::new();
        let last = (0..MAX_NODES).map(|number| full.add(&format!("k{number}"), ())).find_map(Result::err);
        assert!(last.is_some());
    }
}
