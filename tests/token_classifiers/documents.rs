//! What comes out of documents: exact offsets, whole words, every part of a text of any length.

use onrecord::engine::service::{Found, Service, ServiceOptions, Want};
use onrecord::engine::{EntityScheme, Extraction, Options};
use onrecord::model::{Arithmetic, ModelFiles, Precision};
use onrecord::text::{Document, OffsetUnit};

use super::{NAMES, directory, engine, exact, load};
use crate::support::results::check;

/// Several kilobytes, with characters of every width, in one paragraph and in many.
fn long_texts() -> [String; 3] {
    let sentence = "Zoë Weiß of the Anglers’ Union left Porto Novo 🚢 for Kraków; 東京 paid €3½ million, she’s said. ";
    [sentence.repeat(60), format!(" {}\r\n\t", sentence.trim_end()).repeat(60), sentence.replace(' ', "").repeat(220)]
}

/// In windows of so many tokens.
fn extract(name: &str, options: Options, window: Option<usize>, texts: &[&str]) -> Vec<Extraction> {
    let documents: Vec<Document> = texts.iter().map(|text| Document::new("d", *text).expect("there is text")).collect();
    let engine = engine(name, options).with_max_window(window).expect("the model can read that many");
    let found = engine.extract(&documents).into_iter();
    found.map(|one| one.unwrap_or_else(|error| panic!("{name}: {error}"))).collect()
}

#[test]
fn entities_are_exact_slices_without_white_space_at_their_ends() {
    let texts = long_texts();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    for name in NAMES {
        for offset_unit in [OffsetUnit::Codepoint, OffsetUnit::Byte, OffsetUnit::Utf16] {
            let options = Options { offset_unit, ..Options::default() };
            for (found, text) in extract(name, options, Some(64), &texts).iter().zip(&texts) {
                let found = serde_json::to_value(found).expect("it serialises");
                check(&found, text);
                let entities = found["entities"].as_array().expect("it is a list");
                let texts = entities.iter().filter_map(|entity| entity["text"].as_str());
                for entity in texts {
                    assert!(!entity.is_empty() && entity.trim() == entity, "{name}: {entity:?}");
                }
            }
        }
    }
}

#[test]
fn documents_are_read_to_their_ends() {
    for name in NAMES {
        for text in &long_texts()[..2] {
            let tokens = load(name, exact()).tokenizer().tokenise(text).expect("it is tokenised");
            let spans = tokens.spans.iter().filter(|span| !span.is_empty());
            let mut covered = 0;
            for span in spans {
                let between = text.get(covered..span.start).unwrap_or_default();
                assert!(between.trim().is_empty(), "{name}: {between:?} is in no token");
                covered = covered.max(span.end);
            }
            assert!(text[covered..].trim().is_empty(), "{name}: {:?} is in no token", &text[covered..]);
            assert!(tokens.len() > 1_000, "{name}: too short to be read in several windows");
            let options = ServiceOptions { threads: 1, max_window: Some(100), ..ServiceOptions::default() };
            let service = Service::start(load(name, exact()), options).expect("the service starts");
            let document = Document::new("d", text.as_str()).expect("there is text");
            let mut answers = service.submit(vec![document], Want::Tags(None), None).expect("there is room");
            let Found::Tags(tags) = answers.wait().expect("an answer").found.expect("it runs") else {
                panic!("{name}: tags were asked for")
            };
            let spans: Vec<_> = tags.into_iter().map(|tag| tag.bytes).collect();
            assert_eq!(spans, tokens.spans, "{name}: every token has a tag");
        }
    }
}

/// The white space before a word is part of its tokens: where a long text is cut up for the tokenizer, it must not
/// matter.
#[test]
fn long_texts_have_the_tokens_of_short_ones() {
    let line = "Ada Holt said  so.\n";
    let count = 40 * 1024 / line.len();
    for name in NAMES {
        let model = load(name, exact());
        let ids = |count: usize| {
            let text = format!("{}Ruiz left.", line.repeat(count));
            model.tokenizer().tokenise(&text).expect("it is tokenised").ids
        };
        // A line more is so many tokens more, from where the two differ.
        let (one, two) = (ids(1), ids(2));
        let same = one.iter().zip(&two).take_while(|(left, right)| left == right).count();
        let line_more = &two[same..same + two.len() - one.len()];
        let expected = [&one[..same], &line_more.repeat(count - 1), &one[same..]].concat();
        let long = ids(count);
        let first = long.iter().zip(&expected).position(|(found, expected)| found != expected);
        assert!(long == expected, "{name}: {} tokens, not {}, from {first:?} on", long.len(), expected.len());
    }
}

#[test]
fn words_are_whole() {
    let text = "Mischkowsky and Wojciechowska unveiled Hydroglider3000 at Quellenhofstadion, Thorvaldsdottir said. ";
    for name in NAMES {
        let found = extract(name, Options::default(), None, &[text]).remove(0);
        for entity in &found.entities {
            let glued = |left: Option<char>, right: Option<char>| {
                left.is_some_and(char::is_alphanumeric) && right.is_some_and(char::is_alphanumeric)
            };
            let (before, inside) = (text[..entity.start].chars().last(), entity.text.chars());
            assert!(!glued(before, inside.clone().next()), "{name}: {entity:?}");
            assert!(!glued(inside.clone().last(), text[entity.end..].chars().next()), "{name}: {entity:?}");
        }
    }
}

#[test]
fn nothing_but_entities_is_found() {
    let text = "“The pier is beyond repair,” said Claire Moreau. Le ministre a déclaré mercredi que les travaux du port \
                commenceraient au printemps, après une longue consultation avec les habitants.";
    for name in NAMES {
        let model = load(name, exact());
        assert!(!model.finds_statements());
        assert_eq!(model.identifier().split('@').next(), Some(name), "its directory names it");
        let found = extract(name, Options::default(), None, &[text]).remove(0);
        assert!(found.statements.is_empty() && found.speakers.is_empty(), "{name}");
        assert_eq!(found.warnings, [""; 0], "{name}: what language it is for is not known");
        let asked = Options { entity_scheme: Some(EntityScheme::Conll4), ..Options::default() };
        let refused =
            onrecord::engine::Engine::new(load(name, exact()), asked, 1).err().expect("it has no such labels");
        assert!(refused.to_string().contains("labels of its own"), "{refused}");
    }
}

#[test]
fn every_number_format_and_number_of_threads_gives_the_same() {
    let text = &long_texts()[1];
    for name in NAMES {
        let whole = |arithmetic: Arithmetic, threads| {
            let engine = onrecord::engine::Engine::new(load(name, arithmetic), Options::default(), threads);
            let engine = engine.and_then(|engine| engine.with_max_window(Some(80))).expect("it starts");
            engine.extract(&[Document::new("d", text.as_str()).expect("there is text")]).remove(0).expect("it runs")
        };
        for precision in Precision::ALL {
            let arithmetic = Arithmetic { precision, ..exact() };
            assert_eq!(whole(arithmetic, 1), whole(arithmetic, 3), "{name} {precision}");
        }
    }
}

#[test]
fn weights_in_several_files_are_those_of_one() {
    let files = ModelFiles::read(&directory("electra")).expect("the files are there");
    assert!(files.weights.len() > 1, "the fixture is in one file");
}
