//! Golden tests: what the model in the repository makes of the fixture articles, in full, in eight bits.
//!
//! After new weights, read the differences (`cargo insta review`, or `INSTA_UPDATE=always` and `git diff`) before
//! accepting them.

use onrecord::engine::{Engine, Extraction};
use onrecord::model::Precision;
use onrecord::text::Document;

use crate::support::{engines, fixture};

/// The text of a fixture article.
pub fn article(name: &str) -> String {
    let path = fixture("articles").join(format!("{name}.txt"));
    std::fs::read_to_string(path).expect("the fixture is there")
}

fn extract(name: &str) -> Extraction {
    let document = Document::new(name, article(name)).expect("the fixture has text");
    let precise = |engine: &&Engine| engine.model().arithmetic().precision == Precision::Int8;
    let engine = engines().iter().find(precise).expect("every machine can compute in eight bits");
    engine.extract(&[document]).remove(0).expect("the article is processed")
}

/// An extraction as a person would note it down: stable against small changes of scores.
pub fn notes(extraction: &Extraction) -> String {
    let texts = |segments: &[onrecord::engine::ExtractedSegment]| {
        let all: Vec<String> = segments.iter().map(|s| format!("{}..{} {:?}", s.start, s.end, s.text)).collect();
        all.join(" + ")
    };
    let mut lines = vec!["entities".to_owned()];
    lines.extend(extraction.entities.iter().map(|e| format!("  {:<7} {}..{} {:?}", e.label, e.start, e.end, e.text)));
    lines.push("statements".to_owned());
    for statement in &extraction.statements {
        let speaker = statement.speaker.as_ref().map(|s| format!("{} ({}, via {})", s.name, s.id, s.via));
        lines.push(format!("  {} {} {}", statement.id, statement.kind, statement.act));
        lines.push(format!("    speaker {}", speaker.as_deref().unwrap_or("none")));
        if !statement.co_speakers.is_empty() {
            lines.push(format!("    with    {}", statement.co_speakers.join(" ")));
        }
        lines.push(format!("    source  {}", texts(&statement.source)));
        lines.push(format!("    cue     {}", texts(&statement.cue)));
        lines.push(format!("    content {}", texts(&statement.content)));
    }
    lines.push("speakers".to_owned());
    for speaker in &extraction.speakers {
        let (name, aliases) = (&speaker.name, &speaker.aliases);
        lines.push(format!("  {} {} {name} {aliases:?}: {}", speaker.id, speaker.label, speaker.statements.join(" ")));
    }
    lines.extend(extraction.warnings.iter().map(|warning| format!("warning {warning}")));
    lines.join("\n")
}

macro_rules! golden {
    ($($name:ident)*) => {
        /// All of them.
        pub const ARTICLES: &[&str] = &[$(stringify!($name)),*];
        $(
        #[test]
        fn $name() {
            insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
                insta::assert_snapshot!(stringify!($name), notes(&extract(stringify!($name))));
            });
        }
        )*
    };
}

golden!(harbour spokesman strike council report border campaign hearing);
