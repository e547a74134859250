//! What nobody waits for any more ends where it is.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use onrecord::engine::{Engine, EngineError, Extraction, Options};
use onrecord::model::{Model, ModelError, WindowInput};
use onrecord::text::BorrowedDocument;

use crate::goldens::{ARTICLES, article};
use crate::support::{arithmetic, engine, wait_until};

/// An engine of its own, whose tokens no other test counts.
fn alone() -> Engine {
    let model = Model::embedded(arithmetic()).expect("the model loads");
    Engine::new(model, Options::default(), 2).expect("the engine starts")
}

fn is_given_up(found: &Result<Extraction, EngineError>) -> bool {
    matches!(found, Err(EngineError::Model(ModelError::GivenUp)))
}

#[test]
fn what_is_stopped_before_it_begins_costs_no_step() {
    let (engine, text) = (alone(), article(ARTICLES[0]));
    let found = engine.extract_until(&AtomicBool::new(true), &[BorrowedDocument { id: "d", text: &text }]);
    assert!(found.iter().all(is_given_up) && found.len() == 1, "{found:?}");
    assert_eq!(engine.tokens_run(), 0);
}

#[test]
fn a_long_document_ends_while_it_is_read() {
    let engine = alone();
    let text: Vec<String> = ARTICLES.iter().cycle().take(400).map(|name| article(name)).collect();
    let text = text.join("\n\n");
    let document = BorrowedDocument { id: "d", text: &text };
    let stop = AtomicBool::new(false);
    let found = thread::scope(|scope| {
        let work = scope.spawn(|| engine.extract_until(&stop, &[document]));
        wait_until("it reads", || engine.tokens_run() > 0);
        stop.store(true, Ordering::Relaxed);
        work.join().expect("it ends")
    });
    assert!(is_given_up(&found[0]), "{:?}", found[0].is_ok());
    let all = engine.model().tokenizer().tokenise(&text).expect("it tokenises").len() as u64;
    assert!(engine.tokens_run() < all / 2, "{} of {all} tokens were read", engine.tokens_run());
}

#[test]
fn a_forward_pass_ends_with_its_layer() {
    let model = engine().model();
    let tokens = model.tokenizer().tokenise(&article(ARTICLES[0])).expect("it tokenises");
    let window = [WindowInput::new(&tokens, 0..64)];
    let expected = model.forward(&window, &["statement"]).expect("the model runs");
    let mut pauses = 0;
    let outcome = model.forward_with_pauses(&window, &["statement"], &mut || {
        pauses += 1;
        if pauses == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert!(matches!(outcome, Err(ModelError::GivenUp)));
    assert_eq!(pauses, 2);
    // What was left lying does no harm.
    let again = model.forward(&window, &["statement"]).expect("the model runs");
    assert!(expected[0].states == again[0].states && expected[0].tag_scores == again[0].tag_scores);
}
