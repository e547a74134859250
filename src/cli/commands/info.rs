//! `onrecord model info`: what the model is and what it was made from.

use std::io::Write;

use crate::cli::ending::{ALL_GOOD, Failure};
use crate::cli::model::ModelArguments;

/// Prints the model's identity, dimensions, labels, corpora and their licences.
pub(in crate::cli) fn run(arguments: &ModelArguments) -> Result<u8, Failure> {
    let model = arguments.load()?;
    let config = model.config();
    let encoder = &config.encoder;
    let mut lines = vec![
        format!("model       {}", model.identifier()),
        format!("weights     sha256 {}", model.weights_hash()),
        format!(
            "encoder     {}, {} layers, {} wide, {} heads, vocabulary {}",
            encoder.architecture.name(),
            encoder.num_hidden_layers,
            encoder.hidden_size,
            encoder.num_attention_heads,
            encoder.vocab_size
        ),
        format!("window      {} tokens", config.max_window),
    ];
    for head in config.heads.keys() {
        let labels = model.scheme(head).map(|scheme| scheme.labels.join(" "));
        lines.push(format!("{head:<11} {}", labels.unwrap_or_default()));
    }
    if !model.finds_statements() {
        lines.push("statements  none: this model finds entities only".to_owned());
        lines
            .push("What it was trained on, and what that allows, only its makers know: see its model card.".to_owned());
        return print(&lines);
    }
    lines.push("training data, with its licence as its source states it:".to_owned());
    for data in &config.training_data {
        lines.push(format!("  {} ({}, sha256 {})", data.name, data.file, data.sha256));
        lines.push(format!("    {}", data.licence));
    }
    lines.push("The licences of the texts limit what the weights may be used for: see MODEL_CARD.md.".to_owned());
    print(&lines)
}

fn print(lines: &[String]) -> Result<u8, Failure> {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{}", lines.join("\n")).map_err(|error| Failure::output(&error))?;
    Ok(ALL_GOOD)
}
