//! How paragraphs hang together: which one leads into the next.

use super::Quotations;
use crate::text::ByteRange;

/// True when what `after` says can belong to a cue in `before`, the paragraph in front of it: a colon announces it
/// ("wrote:"), or a quotation runs on (`after` opens with a mark while one of `before` is still open).
pub(super) fn leads_into(text: &str, quotations: &Quotations, before: &ByteRange, after: &ByteRange) -> bool {
    let opens = text[after.clone()].starts_with(['“', '"', '«', '„', '‘']);
    text[before.clone()].ends_with(':') || (opens && quotations.is_open_at(before.end))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As tokens bound paragraphs: without the white space around them.
    fn leads(before: &str, after: &str) -> bool {
        let text = format!("{before}\n{after}");
        let after = before.len() + 1..text.len();
        leads_into(&text, &Quotations::find(&text), &(0..before.trim_end().len()), &after)
    }

    #[test]
    fn what_leads_into_what() {
        assert!(leads("In a letter the board wrote: ", "The pier stays shut."));
        assert!(leads("“We waited a week, Holt said. “Then we left.", "“Nobody called."));
        assert!(leads("\"We waited a week.", "\"Nobody called.\""));
        assert!(!leads("“We waited,” Holt said.", "“Nobody called,” said Ruiz."));
        assert!(!leads("“We waited a week.", "Nobody called."));
        assert!(!leads("Holt left.", "Ruiz said the pier was shut."));
    }
}
