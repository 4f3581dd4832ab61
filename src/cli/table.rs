//! Aligned tables on the screen.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// What stands between two columns.
const GAP: &str = "  ";

/// A narrowed column keeps at least this many cells.
const NARROWEST: usize = 8;

/// A column of a [`Table`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its head.
    pub head: &'static str,
    /// Whether its cells stand at the right: numbers.
    pub right: bool,
    /// Whether it may be cut where the table is wider than the terminal.
    pub shrinks: bool,
}

impl Column {
    /// Text that is never cut: what people copy.
    #[must_use]
    pub const fn text(head: &'static str) -> Self {
        Self { head, right: false, shrinks: false }
    }

    /// Text that may be cut.
    #[must_use]
    pub const fn prose(head: &'static str) -> Self {
        Self { head, right: false, shrinks: true }
    }

    /// A number.
    #[must_use]
    pub const fn number(head: &'static str) -> Self {
        Self { head, right: true, shrinks: false }
    }
}

/// Rows under heads, each column as wide as its widest cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table.
    #[must_use]
    pub fn new(columns: impl Into<Vec<Column>>) -> Self {
        Self { columns: columns.into(), rows: Vec::new() }
    }

    /// Adds a row; a cell that is missing is empty, one too many is dropped.
    pub fn row<T: Into<String>>(&mut self, cells: impl IntoIterator<Item = T>) {
        let mut cells: Vec<String> = cells.into_iter().map(|cell| super::screen::plain(&cell.into())).collect();
        cells.resize(self.columns.len(), String::new());
        self.rows.push(cells);
    }

    /// Whether it has no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The text, a line per row; columns that shrink are cut to keep lines within `width` cells as far as that goes.
    #[must_use]
    pub fn render(&self, width: Option<usize>) -> String {
        let widths = self.widths(width);
        let heads: Vec<String> = self.columns.iter().map(|column| column.head.to_owned()).collect();
        let mut text = String::new();
        for row in std::iter::once(&heads).chain(&self.rows) {
            let mut line = String::new();
            for (index, ((cell, column), &width)) in row.iter().zip(&self.columns).zip(&widths).enumerate() {
                let cell = truncate(cell, width);
                let pad = " ".repeat(width - cell.width());
                let (before, after) = if column.right { (pad, String::new()) } else { (String::new(), pad) };
                if index > 0 {
                    line.push_str(GAP);
                }
                line.extend([before, cell, after]);
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }

    fn widths(&self, limit: Option<usize>) -> Vec<usize> {
        let mut widths: Vec<usize> = self.columns.iter().map(|column| column.head.width()).collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.width());
            }
        }
        let Some(limit) = limit else { return widths };
        let gaps = GAP.len() * widths.len().saturating_sub(1);
        // The widest column that shrinks gives up cells first, so that short ones stay whole.
        loop {
            let excess = (widths.iter().sum::<usize>() + gaps).saturating_sub(limit);
            let shrinking = (0..widths.len()).filter(|&i| self.columns[i].shrinks && widths[i] > NARROWEST);
            let Some(widest) = shrinking.max_by_key(|&i| (widths[i], std::cmp::Reverse(i))) else { return widths };
            if excess == 0 {
                return widths;
            }
            let second = (0..widths.len())
                .filter(|&i| i != widest && self.columns[i].shrinks)
                .map(|i| widths[i])
                .max()
                .unwrap_or(0)
                .max(NARROWEST);
            let step = excess.min((widths[widest] - second).max(1));
            widths[widest] -= step;
        }
    }
}

/// Cuts a text to a number of cells, with `…` at the end of what was cut.
#[must_use]
pub fn truncate(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut cut = String::new();
    let mut used = 1;
    for character in text.chars() {
        used += character.width().unwrap_or(0);
        if used > width {
            break;
        }
        cut.push(character);
    }
    if width > 0 {
        cut.push('…');
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Table {
        let mut table = Table::new([Column::text("image"), Column::prose("package"), Column::number("size")]);
        table.row(["web", "libfoo-with-a-long-name2", "1.20 kB"]);
        table.row(["データ", "é", "999 B"]);
        table.row(["short"]);
        table
    }

    #[test]
    fn columns_are_aligned_by_cells_not_characters() {
        assert_eq!(
            sample().render(None),
            "image   package                      size\n\
             web     libfoo-with-a-long-name2  1.20 kB\n\
             データ  é                           999 B\n\
             short\n"
        );
    }

    #[test]
    fn only_what_shrinks_is_cut() {
        let text = sample().render(Some(30));
        assert_eq!(text.lines().nth(1), Some("web     libfoo-with-…  1.20 kB"));
        assert!(text.lines().all(|line| line.width() <= 30), "{text}");
        let narrow = sample().render(Some(3));
        assert_eq!(narrow.lines().nth(1), Some("web     libfoo-…  1.20 kB"), "never narrower than eight cells");
    }

    #[test]
    fn the_widest_is_cut_first() {
        let mut table = Table::new([Column::prose("a"), Column::prose("b")]);
        table.row(["x".repeat(30), "y".repeat(10)]);
        assert_eq!(table.render(Some(24)).lines().nth(1).unwrap(), "xxxxxxxxxxx…  yyyyyyyyyy");
        assert_eq!(table.render(Some(20)).lines().nth(1).unwrap(), "xxxxxxxx…  yyyyyyyy…");
    }

    #[test]
    fn a_cut_never_splits_a_wide_character() {
        assert_eq!(truncate("データ", 4), "デ…");
        assert_eq!(truncate("データ", 6), "データ");
        assert_eq!(truncate("abc", 0), "");
        assert_eq!(truncate("abc", 1), "…");
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        let mut table = Table::new([Column::text("a")]);
        table.row(["x\u{1b}[31m\ny"]);
        assert_eq!(table.render(None).lines().count(), 2);
        assert!(!table.render(None).contains('\u{1b}'));
    }
}
