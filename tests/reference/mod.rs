//! The references in `docs`, which are made from the program itself. Each begins with a part that is written by hand, up to
//! a mark; what follows is generated, and a test compares it with what is there.
//!
//! After a change of flags or routes, renew them and read the difference:
//!
//! ```text
//! RENEW_REFERENCE=1 cargo test --test tests reference
//! ```

mod command_line;
mod interface;

use std::path::PathBuf;

/// Ends the part that is written by hand.
const MARK: &str = "<!-- From here on generated: RENEW_REFERENCE=1 cargo test --test tests reference -->\n";

/// Compares the generated part of a document, or renews it if that is asked for.
fn check(document: &str, generated: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs").join(document);
    let there = std::fs::read_to_string(&path).expect("the document can be read");
    let (by_hand, found) = there.split_once(MARK).unwrap_or_else(|| panic!("docs/{document} has no line {MARK}"));
    if std::env::var_os("RENEW_REFERENCE").is_some() {
        std::fs::write(&path, format!("{by_hand}{MARK}{generated}")).expect("the document can be written");
        return;
    }
    let difference = found.lines().zip(generated.lines()).find(|(found, generated)| found != generated);
    assert!(
        found == generated,
        "docs/{document} is out of date (first difference: {difference:?}): run RENEW_REFERENCE=1 cargo test --test tests \
         reference, and read what has changed"
    );
}

/// A table; empty without rows.
fn table<const COLUMNS: usize>(head: [&str; COLUMNS], rows: impl IntoIterator<Item = [String; COLUMNS]>) -> String {
    let rows: Vec<String> = rows.into_iter().map(|row| format!("| {} |\n", row.join(" | "))).collect();
    if rows.is_empty() {
        return String::new();
    }
    format!("| {} |\n|{}\n{}\n", head.join(" | "), "---|".repeat(COLUMNS), rows.concat())
}

/// A text as a cell of a table: on one line, and without what Markdown would take for its own.
fn cell(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    linked(&words.join(" ").replace('|', "\\|").replace('*', "\\*").replace('<', "&lt;"))
}

/// A text in which other documents are links.
fn linked(text: &str) -> String {
    let name = regex::Regex::new(r"docs/(\w+\.md)").expect("it is a pattern");
    name.replace_all(text, "[$1]($1)").into_owned()
}
