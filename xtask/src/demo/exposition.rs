//! Metrics pages: the Prometheus text format, as much of it as counters, gauges and histogram sums need.

/// One line of a page.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sample {
    /// Name of the sample, with the suffix of its kind (`_total`, `_sum`, `_count`).
    pub(crate) name: String,
    labels: Vec<(String, String)>,
    /// Its value.
    pub(crate) value: f64,
}

impl Sample {
    /// A label, or the empty text where it has none of that name.
    pub(crate) fn label(&self, name: &str) -> &str {
        self.labels.iter().find(|(label, _)| label == name).map_or("", |(_, value)| value)
    }
}

/// A page of metrics.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Page {
    samples: Vec<Sample>,
}

impl Page {
    /// Reads a page; lines that are no samples (comments, or a form that is not used here) are left out.
    pub(crate) fn read(text: &str) -> Self {
        Self { samples: text.lines().filter(|line| !line.starts_with('#')).filter_map(sample).collect() }
    }

    /// The samples of a name.
    pub(crate) fn of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Sample> {
        self.samples.iter().filter(move |sample| sample.name == name)
    }

    /// What was counted after an earlier page of the same process: the samples that have changed, by how much.
    pub(crate) fn since(&self, earlier: &Self) -> Self {
        let before = |sample: &Sample| {
            let same = |other: &&Sample| other.name == sample.name && other.labels == sample.labels;
            earlier.samples.iter().find(same).map_or(0.0, |other| other.value)
        };
        let changes =
            self.samples.iter().map(|sample| Sample { value: sample.value - before(sample), ..sample.clone() });
        Self { samples: changes.filter(|sample| sample.value != 0.0).collect() }
    }

    /// Sum of the samples of a name.
    pub(crate) fn sum(&self, name: &str) -> f64 {
        self.of(name).map(|sample| sample.value).sum()
    }
}

fn sample(line: &str) -> Option<Sample> {
    let name_end = line.find(['{', ' '])?;
    let (name, mut rest) = line.split_at(name_end);
    let mut labels = Vec::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        loop {
            rest = rest.trim_start_matches([',', ' ']);
            if let Some(after) = rest.strip_prefix('}') {
                rest = after;
                break;
            }
            let (label, quoted) = rest.split_once("=\"")?;
            let (value, after) = unquote(quoted)?;
            labels.push((label.to_owned(), value));
            rest = after;
        }
    }
    let value = rest.split_whitespace().next()?.parse().ok()?;
    Some(Sample { name: name.to_owned(), labels, value })
}

/// The text up to the closing quote, with its escapes undone, and what follows.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, text.get(at + 1..)?)),
            '\\' => match characters.next()?.1 {
                'n' => value.push('\n'),
                other => value.push(other),
            },
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_read_with_its_labels() {
        let page = Page::read(
            "# TYPE calls counter\ncalls_total{model=\"gpt-4o\",note=\"a \\\"b\\\", {c}\"} 3\n\
             calls_total{} 4\ncalls_total 0.5 1700000000\nbroken{model=\"x} 1\n# EOF\n",
        );
        assert_eq!(page.sum("calls_total"), 7.5);
        let first = page.of("calls_total").next().unwrap();
        assert_eq!((first.label("model"), first.label("note"), first.label("none")), ("gpt-4o", "a \"b\", {c}", ""));
        assert_eq!(page.of("broken").count(), 0);
    }

    #[test]
    fn a_page_since_another_holds_what_has_changed() {
        let earlier = Page::read("calls{model=\"a\"} 3\ncalls{model=\"b\"} 1\n");
        let later = Page::read("calls{model=\"a\"} 3\ncalls{model=\"b\"} 5\ncalls{model=\"c\"} 2\n");
        assert_eq!(later.since(&earlier), Page::read("calls{model=\"b\"} 4\ncalls{model=\"c\"} 2\n"));
    }
}
