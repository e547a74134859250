//! Documents with what the model said about them, to be decoded many times with other lexicons (`examples/lexicon.rs`). Only
//! with the feature `benchmarks`.

use super::error::EngineError;
use super::extraction::Extraction;
use super::flow::Flow;
use super::options::{Options, entity_head};
use super::window_size;
use crate::decode::{DocumentDecoder, Reading, complete};
use crate::model::{Model, ModelError, WindowInput, WindowOutput};
use crate::text::{Document, Tokens, Window, plan_windows};

/// A document with the model's scores.
pub struct Recording {
    document: Document,
    flow: Flow,
    tokens: Tokens,
    windows: Vec<(Window, WindowOutput)>,
}

impl Recording {
    /// Runs the model over a document, with windows as long as those that it was trained with.
    ///
    /// # Errors
    /// [`EngineError`] where the document cannot be read.
    pub fn new(model: &Model, document: Document) -> Result<Self, EngineError> {
        let flow = Flow::new(model, &document.text);
        let text = flow.of(&document.text);
        let tokens = model.tokenizer().tokenise(text)?;
        let heads = DocumentDecoder::heads(model, entity_head(model, None)?);
        let windows = plan_windows(&tokens, text, window_size(model, None)?).into_iter();
        let output = |window: Window| {
            let input = WindowInput::new(&tokens, window.tokens.clone());
            let output = model.forward(&[input], &heads)?.swap_remove(0);
            Ok((window, output))
        };
        let windows = windows.map(output).collect::<Result<_, ModelError>>()?;
        Ok(Self { document, flow, tokens, windows })
    }

    /// What is found in it with the lexicon that is in use.
    ///
    /// # Errors
    /// [`EngineError`] where the scores cannot be decoded.
    pub fn extraction(&self, model: &Model) -> Result<Extraction, EngineError> {
        let reading = Reading { model, text: self.flow.of(&self.document.text), tokens: &self.tokens };
        let mut decoder = DocumentDecoder::new(entity_head(model, None)?);
        for (window, output) in &self.windows {
            complete(decoder.push(reading, window.clone(), output.clone()))?;
        }
        let annotations = complete(decoder.finish(reading));
        Ok(complete(Extraction::new(self.document.borrowed(), reading, annotations, &Options::default())))
    }
}
