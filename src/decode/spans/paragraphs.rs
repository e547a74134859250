//! How paragraphs hang together: which one leads into the next.

#[cfg(test)]
use crate::text::ByteRange;

/// True when what `after` says can belong to a cue in `before`, the paragraph in front of it: a colon announces it
/// ("wrote:"), or a quotation runs on (`after` opens with a mark while one of `before` is still open).
pub(in crate::decode) fn leads_into(before: &str, after: &str) -> bool {
    before.trim_end().ends_with(':') || (opens_quotation(after) && ends_quoted(before))
}

fn opens_quotation(paragraph: &str) -> bool {
    paragraph.trim_start().starts_with(['“', '"', '«', '„', '‘'])
}

/// True when the last double quotation mark of a paragraph opens and nothing closes it.
///
/// Marks are counted here rather than looked up in [`crate::decode::Quotations`]: that judges a mark by what stands beside it,
/// and so cannot tell the spaced straight marks of tokenised text apart, which a count can.
fn ends_quoted(paragraph: &str) -> bool {
    let mut open = false;
    for character in paragraph.chars() {
        match character {
            '“' | '«' | '„' => open = true,
            '”' | '»' => open = false,
            '"' => open = !open,
            _ => {}
        }
    }
    open
}

/// A text of these lines, and where each of them stands.
#[cfg(test)]
pub(in crate::decode) fn of_lines(lines: &[&str]) -> (String, Vec<ByteRange>) {
    let mut start = 0;
    let place = |line: &&str| {
        let line = start..start + line.len();
        start = line.end + 1;
        line
    };
    let paragraphs = lines.iter().map(place).collect();
    (lines.join("\n"), paragraphs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leads_into_what() {
        assert!(leads_into("In a letter the board wrote: ", "The pier stays shut."));
        assert!(leads_into("“We waited a week, Holt said. “Then we left.", "“Nobody called."));
        assert!(leads_into("\"We waited a week.", "\"Nobody called.\""));
        assert!(leads_into("Holt said : \" We waited and it has n't sunk in .", "\" Nobody called . \""));
        assert!(!leads_into("“We waited,” Holt said.", "“Nobody called,” said Ruiz."));
        assert!(!leads_into("“We waited a week.", "Nobody called."));
        assert!(!leads_into("Holt left.", "Ruiz said the pier was shut."));
    }
}
