//! The stages of one document after another, on one thread: what each costs beside the encoder.
//!
//!     cargo bench --bench stages [-- FILTER]
//!
//! The document is the fixture articles, one behind the other, four times over. Throughput is in tokens. Last come the
//! speakers of a document of a megabyte, in mentions.

#![allow(clippy::expect_used, reason = "a benchmark fails by panicking")]

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use onrecord::decode::{Annotations, DocumentDecoder, Reading, complete};
use onrecord::model::{Arithmetic, Model, WindowInput, WindowOutput};
use onrecord::text::{Window, WindowSize, plan_windows};

/// The articles, one behind the other, so many times over.
fn text(times: usize) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/articles");
    let files = std::fs::read_dir(folder).expect("the fixtures are there");
    let mut paths: Vec<_> = files.map(|file| file.expect("it can be listed").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    paths.sort();
    let articles: Vec<String> =
        paths.iter().map(|path| std::fs::read_to_string(path).expect("it can be read")).collect();
    articles.join("\n\n").repeat(times)
}

fn stages(criterion: &mut Criterion) {
    let model = Model::embedded(Arithmetic::new(None).expect("there are kernels")).expect("the model loads");
    let text = text(4);
    let size = WindowSize::new(model.config().max_window - 2);
    let cut = || {
        let tokens = model.tokenizer().tokenise(&text).expect("the text has tokens");
        let windows = plan_windows(&tokens, &text, size);
        (tokens, windows)
    };
    let (tokens, windows) = cut();
    let reading = || Reading { model: &model, text: &text, tokens: &tokens };
    let heads = DocumentDecoder::heads(&model, "news9");
    let forward = || {
        let output = |window: &Window| {
            let input = WindowInput::new(&tokens, window.tokens.clone());
            model.forward(&[input], &heads).expect("the model runs").swap_remove(0)
        };
        windows.iter().map(output).collect::<Vec<WindowOutput>>()
    };
    let decode = |outputs: Vec<WindowOutput>| -> Annotations {
        let mut decoder = DocumentDecoder::new("news9");
        for (window, output) in windows.iter().zip(outputs) {
            complete(decoder.push(reading(), window.clone(), output)).expect("the output is decoded");
        }
        complete(decoder.finish(reading()))
    };
    let annotations = decode(forward());

    let mut group = criterion.benchmark_group("stages");
    group.throughput(Throughput::Elements(tokens.len() as u64));
    group.bench_function("tokens and windows", |bencher| bencher.iter(|| black_box(cut())));
    group.bench_function("encoder and heads", |bencher| bencher.iter(|| black_box(forward())));
    group.bench_function("decoding", |bencher| bencher.iter_batched(forward, decode, BatchSize::PerIteration));
    group.bench_function("speakers", |bencher| bencher.iter(|| black_box(complete(annotations.speakers(reading())))));
    group.finish();
}

fn speakers_of_a_megabyte(criterion: &mut Criterion) {
    let model = Model::embedded(Arithmetic::new(None).expect("there are kernels")).expect("the model loads");
    let text = text(95);
    let tokens = model.tokenizer().tokenise(&text).expect("the text has tokens");
    let reading = || Reading { model: &model, text: &text, tokens: &tokens };
    let heads = DocumentDecoder::heads(&model, "news9");
    let mut decoder = DocumentDecoder::new("news9");
    for window in plan_windows(&tokens, &text, WindowSize::new(model.config().max_window - 2)) {
        let input = WindowInput::new(&tokens, window.tokens.clone());
        let output = model.forward(&[input], &heads).expect("the model runs").swap_remove(0);
        complete(decoder.push(reading(), window, output)).expect("the output is decoded");
    }
    let annotations = complete(decoder.finish(reading()));
    let mut group = criterion.benchmark_group("a megabyte");
    group.throughput(Throughput::Elements(annotations.mentions.len() as u64)).sample_size(10);
    group.bench_function("speakers", |bencher| bencher.iter(|| black_box(complete(annotations.speakers(reading())))));
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).without_plots();
    targets = stages, speakers_of_a_megabyte
}
criterion_main!(benches);
