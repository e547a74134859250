//! What training the coreference head starts from (`scripts/train`): the mentions that the product finds in texts, with
//! all that its resolver knows of them.
//!
//! ```text
//! mentions STATES [MODEL] < documents.jsonl > mentions.jsonl
//! ```
//!
//! A document is a line `{"id": ..., "text": ..., "names": [[start, end, label]], "nominals": [[start, end]]}`; `names` and
//! `nominals` are mentions that are to be there whether the model finds them or not. Offsets count code points. The
//! encoder's states of the first and last token of each mention go to the file STATES, in order, in half precision. MODEL
//! is a model directory; by default the embedded one reads the documents.

use std::error::Error;
use std::fs::File;
use std::io::{BufRead, BufWriter, Write, stdin, stdout};
use std::path::Path;

use half::f16;
use onrecord::decode::{
    Act, Annotations, DocumentDecoder, Entity, Kind, Polarity, Reading, Segment, Statement, complete, find_mentions,
    find_referents,
};
use onrecord::model::{Arithmetic, Model, WindowInput};
use onrecord::text::{ByteRange, Document, WindowSize, plan_windows};
use rayon::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Input {
    id: String,
    text: String,
    #[serde(default)]
    names: Vec<(usize, usize, String)>,
    #[serde(default)]
    nominals: Vec<(usize, usize)>,
}

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Documents that are read together.
const GROUP: usize = 64;

fn main() -> Outcome<()> {
    let states = std::env::args().nth(1).ok_or("name the file for the states")?;
    let mut states = BufWriter::new(File::create(states)?);
    let model = match std::env::args().nth(2) {
        Some(directory) => Model::load(Path::new(&directory), Arithmetic::new(None)?)?,
        None => Model::embedded(Arithmetic::new(None)?)?,
    };
    let mut output = stdout().lock();
    let lines: Vec<String> = stdin().lock().lines().collect::<Result<_, _>>()?;
    for group in lines.chunks(GROUP) {
        let read = |line: &String| mentions(&model, serde_json::from_str(line)?);
        for (found, ends) in group.par_iter().map(read).collect::<Outcome<Vec<_>>>()? {
            writeln!(output, "{found}")?;
            states.write_all(&ends)?;
        }
    }
    Ok(states.flush()?)
}

/// What is known of a document's mentions, and their states.
fn mentions(model: &Model, input: Input) -> Outcome<(Value, Vec<u8>)> {
    let document = Document::new(input.id, input.text)?;
    let text = document.text.as_str();
    let mut starts: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
    starts.push(text.len());
    let tokens = model.tokenizer().tokenise(text)?;
    let reading = Reading { model, text, tokens: &tokens };
    let mut decoder = DocumentDecoder::new("news9");
    let hidden = model.config().encoder.hidden_size;
    let mut states = vec![0.0; tokens.len() * hidden];
    for window in plan_windows(&tokens, text, WindowSize::new(model.config().max_window - 2)) {
        let input = WindowInput::new(&tokens, window.tokens.clone());
        for output in model.forward(&[input], &DocumentDecoder::heads(model, "news9"))? {
            states[window.tokens.start * hidden..window.tokens.end * hidden].copy_from_slice(&output.states);
            complete(decoder.push(reading, window.clone(), output))?;
        }
    }
    let Annotations { mut entities, mut statements, .. } = complete(decoder.finish(reading));
    for (start, end, label) in input.names {
        let bytes = starts[start]..starts[end];
        if entities.iter().all(|entity| entity.bytes.end <= bytes.start || entity.bytes.start >= bytes.end) {
            entities.push(Entity { label, bytes, score: 1.0 });
        }
    }
    entities.sort_by_key(|entity| entity.bytes.start);
    let found = statements.len();
    // A description is a mention where it is a source; a statement without a content makes it one.
    statements.extend(input.nominals.iter().map(|&(start, end)| empty_statement(starts[start]..starts[end])));
    let mentions = find_mentions(text, &tokens, &entities, &statements);
    let referents = find_referents(reading, &entities, &statements, &mentions);
    let place = |byte: usize| starts.partition_point(|&start| start < byte);
    let mut ends = Vec::new();
    let mentions = mentions.iter().zip(referents).filter_map(|(mention, referent)| {
        let mut known = json!(referent?);
        known["start"] = place(mention.bytes.start).into();
        known["end"] = place(mention.bytes.end).into();
        for token in [mention.tokens.start, mention.tokens.end - 1] {
            let state = &states[token * hidden..(token + 1) * hidden];
            ends.extend(state.iter().flat_map(|&value| f16::from_f32(value).to_le_bytes()));
        }
        if known["source"].as_u64().is_some_and(|statement| statement >= found as u64) {
            known["source"] = Value::Null;
        }
        Some(known)
    });
    let mentions: Vec<Value> = mentions.collect();
    Ok((json!({"id": document.id, "tokens": tokens.len(), "mentions": mentions}), ends))
}

fn empty_statement(source: ByteRange) -> Statement {
    Statement {
        source: vec![Segment { bytes: source, score: 1.0 }],
        cue: Vec::new(),
        content: Vec::new(),
        kind: Kind::Indirect,
        act: Act::Speech,
        polarity: Polarity::Positive,
        floating: false,
        score: 1.0,
    }
}
