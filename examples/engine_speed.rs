//! The engine alone: how fast it takes documents that lie in memory, with nothing read or written meanwhile. What
//! `scripts/bench/batch` compares `onrecord batch` with.
//!
//! ```text
//! engine_speed DOCUMENTS.jsonl THREADS      # prints {"documents": ..., "tokens": ..., "seconds": ...}
//! ```

use std::error::Error;
use std::fs::File;
use std::io::BufReader;
use std::time::Instant;

use onrecord::engine::{Engine, Options};
use onrecord::model::{Arithmetic, Model};
use onrecord::text::Document;
use serde::Deserialize;

/// Documents are extracted together until they hold this much text, in bytes: more gains nothing.
const TOGETHER: usize = 1 << 20;

#[derive(Deserialize)]
struct Line {
    text: String,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (path, threads) = (arguments.next().ok_or("which file?")?, arguments.next().ok_or("how many threads?")?);
    let lines = serde_json::Deserializer::from_reader(BufReader::new(File::open(path)?)).into_iter::<Line>();
    let documents: Vec<Document> =
        lines.map(|line| Ok(Document::new("document", line?.text)?)).collect::<Result<_, Box<dyn Error>>>()?;
    let engine = Engine::new(Model::embedded(Arithmetic::new(None)?)?, Options::default(), threads.parse()?)?;
    let started = Instant::now();
    let mut group = 0..0;
    while group.start < documents.len() {
        let mut bytes = 0;
        while group.end < documents.len() && bytes < TOGETHER {
            bytes += documents[group.end].text.len();
            group.end += 1;
        }
        for result in engine.extract(&documents[group.clone()]) {
            drop(result?);
        }
        group.start = group.end;
    }
    let (documents, tokens, seconds) = (documents.len(), engine.tokens_run(), started.elapsed().as_secs_f64());
    println!("{}", serde_json::json!({"documents": documents, "tokens": tokens, "seconds": seconds}));
    Ok(())
}
