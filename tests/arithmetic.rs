//! In whatever numbers and on whatever kernels the model computes: the same to the last bit beside any other windows
//! and on any number of threads; and the same on every path that rounds products and sums once.

use std::ops::ControlFlow;

use onrecord::engine::{Engine, Extraction};
use onrecord::model::{KernelPath, Precision, WindowInput, WindowOutput};
use onrecord::text::{Document, Tokens};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::goldens::{ARTICLES, article, notes};
use crate::support::engines;

fn tokens() -> Tokens {
    let text: Vec<String> = ARTICLES.iter().map(|name| article(name)).collect();
    engines()[0].model().tokenizer().tokenise(&text.join("\n\n")).expect("it tokenises")
}

/// A window from `start` on, of so many tokens.
fn window(tokens: &Tokens, (start, length): (usize, usize)) -> WindowInput<'_> {
    let range = start..(start + length).min(tokens.len());
    WindowInput::new(tokens, range)
}

/// All numbers of an output, bit by bit.
fn bits(output: &WindowOutput) -> Vec<u32> {
    output.tag_scores.iter().flatten().chain(&output.states).map(|number| number.to_bits()).collect()
}

#[test]
fn neither_company_nor_threads_change_a_bit() {
    let tokens = tokens();
    let places = prop::collection::vec((0..tokens.len() - 1, 1usize..150), 1..5);
    let pools: Vec<rayon::ThreadPool> = (1..=3)
        .map(|threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads start"))
        .collect();
    for model in engines().iter().map(Engine::model) {
        let mut runner = TestRunner::new(Config { cases: 4, failure_persistence: None, ..Config::default() });
        let outcome = runner.run(&places, |places| {
            let windows: Vec<WindowInput<'_>> = places.iter().map(|&place| window(&tokens, place)).collect();
            let heads = ["news9", "statement"];
            let alone: Vec<Vec<u32>> = windows
                .iter()
                .map(|&window| bits(&model.forward(&[window], &heads).expect("the model runs")[0]))
                .collect();
            let together: Vec<Vec<u32>> =
                model.forward(&windows, &heads).expect("the model runs").iter().map(bits).collect();
            prop_assert!(alone == together, "company makes a difference");
            for pool in &pools {
                let mut go_on = || ControlFlow::Continue(());
                let shared = pool.install(|| model.forward_together(&windows, &heads, &mut go_on));
                let shared = shared.expect("the model runs");
                prop_assert!(alone == shared.iter().map(bits).collect::<Vec<_>>(), "threads make a difference");
            }
            Ok(())
        });
        assert!(outcome.is_ok(), "{:?}: {outcome:?}", model.arithmetic());
    }
}

/// Everything that an engine finds in the fixture articles.
fn found(engine: &Engine) -> Vec<Extraction> {
    let documents: Vec<Document> =
        ARTICLES.iter().map(|&name| Document::new(name, article(name)).expect("it has text")).collect();
    engine.extract(&documents).into_iter().map(|result| result.expect("the article is processed")).collect()
}

#[test]
fn machines_with_fused_multiplication_agree_to_the_last_digit() {
    for precision in Precision::ALL {
        let arithmetic = |engine: &Engine| engine.model().arithmetic();
        let same = |engine: &&Engine| {
            arithmetic(engine).precision == precision && arithmetic(engine).kernels != KernelPath::Portable
        };
        let mut engines = engines().iter().filter(same);
        let Some(first) = engines.next() else { continue };
        let expected = found(first);
        for other in engines {
            assert!(found(other) == expected, "{:?} and {:?} differ", arithmetic(other), arithmetic(first));
        }
    }
}

#[test]
fn portable_kernels_find_the_same_spans() {
    let of_single_precision = || engines().iter().filter(|e| e.model().arithmetic().precision == Precision::F32);
    let spans: Vec<String> =
        of_single_precision().map(|engine| found(engine).iter().map(notes).collect::<Vec<_>>().join("\n\n")).collect();
    for other in &spans[1..] {
        assert!(*other == spans[0], "other spans:\n{other}\n\n{}", spans[0]);
    }
}
