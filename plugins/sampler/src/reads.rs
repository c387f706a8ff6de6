//! The names of what is read, numbered as the columns will be.

/// Names in the order in which they were first asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReadList(Vec<String>);

impl ReadList {
    /// The number of a name. Past 65,535 names it is one that no column has; the configuration is refused then.
    pub(crate) fn number(&mut self, name: &str) -> u16 {
        let at = self.0.iter().position(|known| known == name).unwrap_or_else(|| {
            self.0.push(name.to_owned());
            self.0.len() - 1
        });
        u16::try_from(at).unwrap_or(u16::MAX)
    }

    /// The numbers of an attribute of spans and of the attribute of resources by the same name.
    pub(crate) fn attribute(&mut self, name: &str) -> Attribute {
        let resource = if name.contains(':') { None } else { Some(self.number(&format!("resource:{name}"))) };
        Attribute { span: self.number(name), resource }
    }

    /// All names.
    pub(crate) fn into_names(self) -> Vec<String> {
        self.0
    }
}

/// Where the values of an attribute stand: the span's own, and the resource's by the same name, as the Collector looks
/// both up. Names such as `span:name` are of one place only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Attribute {
    pub(crate) span: u16,
    pub(crate) resource: Option<u16>,
}

impl Attribute {
    /// Both numbers.
    pub(crate) fn places(self) -> impl Iterator<Item = u16> {
        [Some(self.span), self.resource].into_iter().flatten()
    }
}
