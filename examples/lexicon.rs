//! Documents read with one lexicon after another, for `scripts/eval/lexicon.py`: the model runs once.
//!
//! ```text
//! lexicon DIRECTORY LEXICON... < documents.jsonl
//! ```
//!
//! A document is a line `{"id": ..., "text": ...}`. For each file LEXICON, of the form of `src/decode/lexicon/lexicon.toml`,
//! results go to `DIRECTORY/NAME.jsonl`, in the form of `onrecord extract`; NAME is the file's name without `.toml`. The
//! model is the embedded one, in single precision.

use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write, stdin};
use std::path::Path;

use onrecord::decode::use_lexicon;
use onrecord::engine::recording::Recording;
use onrecord::model::{Arithmetic, Model, Precision};
use onrecord::text::Document;
use serde::Deserialize;

#[derive(Deserialize)]
struct Input {
    id: String,
    text: String,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let directory = arguments.next().ok_or("name the directory for results")?;
    let model = Model::embedded(Arithmetic::new(Some(Precision::F32))?)?;
    let mut recordings = Vec::new();
    for line in stdin().lines() {
        let Input { id, text } = serde_json::from_str(&line?)?;
        recordings.push(Recording::new(&model, Document::new(id, text)?)?);
    }
    for lexicon in arguments {
        use_lexicon(&std::fs::read_to_string(&lexicon)?)?;
        let name = Path::new(&lexicon).file_stem().ok_or("a lexicon is a file")?;
        let path = Path::new(&directory).join(name).with_extension("jsonl");
        let mut results = BufWriter::new(File::create(path)?);
        for recording in &recordings {
            writeln!(results, "{}", serde_json::to_string(&recording.extraction(&model)?)?)?;
        }
        results.flush()?;
    }
    Ok(())
}
