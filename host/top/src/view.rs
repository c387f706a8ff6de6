//! What is shown.

use crate::format::safe;
use crate::render;
use crate::snapshot::Snapshot;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// What is shown: the last answers, and whether the host still gives any.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    pub(crate) url: String,
    pub(crate) snapshot: Option<Snapshot>,
    /// Why the host did not answer the last time.
    pub(crate) away: Option<String>,
}

impl View {
    /// Nothing has been answered yet.
    #[must_use]
    pub fn new(url: &str) -> Self {
        Self { url: safe(url), snapshot: None, away: None }
    }

    /// The host has answered.
    pub fn show(&mut self, snapshot: Snapshot) {
        (self.snapshot, self.away) = (Some(snapshot), None);
    }

    /// The host has not answered. What it said before stays.
    pub fn away(&mut self, why: &str) {
        self.away = Some(safe(why));
    }

    /// Draws the view into a part of a buffer. It depends on nothing else, and fits into any room.
    pub fn render(&self, area: Rect, buffer: &mut Buffer) {
        render::view(self, area, buffer);
    }

    /// The view as lines of text.
    #[must_use]
    pub fn plain(&self, width: u16, height: u16) -> String {
        let area = Rect::new(0, 0, width, height);
        let mut buffer = Buffer::empty(area);
        self.render(area, &mut buffer);
        let row =
            |y| (0..width).filter_map(|x| buffer.cell((x, y))).map(ratatui::buffer::Cell::symbol).collect::<String>();
        let rows: Vec<_> = (0..height).map(|y| row(y).trim_end().to_owned()).collect();
        let used = rows.iter().rposition(|row| !row.is_empty()).map_or(0, |last| last + 1);
        rows.iter().take(used).map(|row| format!("{row}\n")).collect()
    }
}
