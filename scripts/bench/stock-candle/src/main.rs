//! The benchmark's runner of candle-transformers' own BERT: `stock-candle WINDOWS WEIGHTS CONFIG`.
//!
//! Answers the same requests as `examples/encoder_speed.rs`, which says what they are; the weights are plain BERT's,
//! as `make_models.py` writes them. `RAYON_NUM_THREADS` says how many threads candle takes.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{BufReader, stdin};
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result};
use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::{BertModel, Config};
use serde::Deserialize;

/// Token kinds per shape: one for each gap (`src/text/features.rs`).
const GAPS: u32 = 4;

#[derive(Deserialize)]
struct Cases {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    windows: Vec<Window>,
}

#[derive(Deserialize)]
struct Window {
    ids: Vec<u32>,
    shapes: Vec<u32>,
    gaps: Vec<u32>,
}

impl Window {
    /// Shape and gap as one: plain BERT adds a single embedding of the token's kind.
    fn kinds(&self) -> Vec<u32> {
        self.shapes.iter().zip(&self.gaps).map(|(shape, gap)| shape * GAPS + gap).collect()
    }
}

#[derive(Deserialize)]
struct Request {
    case: String,
    batch: usize,
    #[serde(default)]
    repeats: usize,
    states: Option<PathBuf>,
}

/// Some windows side by side, padded to the longest.
struct Batch {
    windows: Vec<usize>,
    ids: Tensor,
    kinds: Tensor,
    /// `None`: nothing is padded.
    mask: Option<Tensor>,
}

impl Batch {
    fn new(windows: &[Window], indices: &[usize]) -> Result<Self> {
        let lengths = indices.iter().map(|&index| windows[index].ids.len());
        let longest = lengths.clone().max().unwrap_or(0);
        let table = |row: &dyn Fn(&Window) -> Vec<u32>| -> Result<Tensor> {
            let padded = |&index: &usize| {
                let mut row = row(&windows[index]);
                row.resize(longest, 0);
                row
            };
            let values: Vec<u32> = indices.iter().flat_map(padded).collect();
            Ok(Tensor::from_vec(values, (indices.len(), longest), &Device::Cpu)?)
        };
        let is_padded = lengths.min() != Some(longest);
        Ok(Self {
            windows: indices.to_vec(),
            ids: table(&|window| window.ids.clone())?,
            kinds: table(&Window::kinds)?,
            mask: is_padded.then(|| table(&|window| vec![1; window.ids.len()])).transpose()?,
        })
    }

    fn run(&self, model: &BertModel) -> Result<Tensor> {
        Ok(model.forward(&self.ids, &self.kinds, self.mask.as_ref())?)
    }
}

/// Batches of like length, at most `size` windows each.
fn batches(windows: &[Window], size: usize) -> Result<Vec<Batch>> {
    let mut order: Vec<usize> = (0..windows.len()).collect();
    order.sort_by_key(|&index| windows[index].ids.len());
    order.chunks(size).map(|indices| Batch::new(windows, indices)).collect()
}

/// The hidden states of all windows in their order, special tokens left out.
fn states(model: &BertModel, windows: &[Window], batches: &[Batch]) -> Result<Vec<u8>> {
    let mut states = vec![Vec::new(); windows.len()];
    for batch in batches {
        let output = batch.run(model)?;
        for (row, &window) in batch.windows.iter().enumerate() {
            let inner = output.get(row)?.narrow(0, 1, windows[window].ids.len() - 2)?;
            states[window] = inner.flatten_all()?.to_vec1::<f32>()?;
        }
    }
    Ok(states.into_iter().flatten().flat_map(f32::to_le_bytes).collect())
}

fn main() -> Result<()> {
    let [windows, weights, config] = std::env::args()
        .skip(1)
        .collect::<Vec<_>>()
        .try_into()
        .ok()
        .context("usage: stock-candle WINDOWS WEIGHTS CONFIG")?;
    let Cases { cases } = serde_json::from_reader(BufReader::new(File::open(windows)?))?;
    let config: Config = serde_json::from_reader(File::open(config)?)?;
    let weights = VarBuilder::from_buffered_safetensors(fs::read(weights)?, DType::F32, &Device::Cpu)?;
    let model = BertModel::load(weights, &config)?;
    let mut prepared: HashMap<(String, usize), Vec<Batch>> = HashMap::new();
    println!("{}", serde_json::json!({ "ready": "candle-transformers 0.11.1" }));
    for line in stdin().lines() {
        let request: Request = serde_json::from_str(&line?)?;
        let case = cases.iter().find(|case| case.name == request.case).context("no such case")?;
        let key = (request.case.clone(), request.batch);
        if !prepared.contains_key(&key) {
            prepared.insert(key.clone(), batches(&case.windows, request.batch)?);
        }
        let batches = &prepared[&key];
        if let Some(file) = request.states {
            fs::write(file, states(&model, &case.windows, batches)?)?;
        }
        let began = Instant::now();
        for _ in 0..request.repeats {
            for batch in batches {
                batch.run(&model)?;
            }
        }
        println!("{}", serde_json::json!({ "seconds": began.elapsed().as_secs_f64() }));
    }
    Ok(())
}
