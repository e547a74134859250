//! A plain table with wrapped cells, as wide as the terminal.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

/// Writes a table of three columns: two as wide as they must be (up to a limit), the last with the rest of `width`.
pub(super) fn write(output: &mut impl Write, header: [&str; 3], rows: &[[String; 3]], width: usize) -> io::Result<()> {
    let widest = |column: usize, limit: usize| {
        let cells = rows.iter().map(|row| row[column].width());
        cells.chain([header[column].width()]).max().unwrap_or(0).min(limit)
    };
    let (first, second) = (widest(0, 28), widest(1, 20));
    let third = width.saturating_sub(first + second + 6).max(24);
    let widths = [first, second, third];
    line(output, &header.map(str::to_owned), widths)?;
    writeln!(output, "{}─┼─{}─┼─{}", "─".repeat(first), "─".repeat(second), "─".repeat(third))?;
    rows.iter().try_for_each(|row| line(output, row, widths))
}

fn line(output: &mut impl Write, cells: &[String; 3], widths: [usize; 3]) -> io::Result<()> {
    let wrapped: Vec<Vec<String>> = cells.iter().zip(widths).map(|(cell, width)| wrap(cell, width)).collect();
    let height = wrapped.iter().map(Vec::len).max().unwrap_or(0);
    for row in 0..height {
        let cell = |column: usize| wrapped[column].get(row).map_or("", String::as_str);
        let pad = |column: usize| " ".repeat(widths[column].saturating_sub(cell(column).width()));
        writeln!(output, "{}{} │ {}{} │ {}", cell(0), pad(0), cell(1), pad(1), cell(2))?;
    }
    Ok(())
}

/// Breaks a text at white space into lines of at most `width` columns; a longer word stands alone.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let full = lines.last().is_some_and(|line| !line.is_empty() && line.width() + 1 + word.width() > width);
        if full {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_wrap_and_align() {
        let rows = [["Ada".to_owned(), "said".to_owned(), "one two three four five six seven eight".to_owned()]];
        let mut output = Vec::new();
        write(&mut output, ["speaker", "cue", "statement"], &rows, 40).unwrap();
        let text = String::from_utf8(output).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "speaker │ cue  │ statement");
        assert_eq!(lines[2], "Ada     │ said │ one two three four five");
        assert_eq!(lines[3], "        │      │ six seven eight");
    }
}
