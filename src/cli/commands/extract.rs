//! `onrecord extract`: documents in, results out, in order.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, BufWriter, IsTerminal};

use clap::{Args, ValueEnum};

use crate::cli::arguments::{EngineArguments, ExtractionArguments};
use crate::cli::complaints::complain_at;
use crate::cli::ending::{ALL_GOOD, Failure, SOME_FAILED};
use crate::cli::input::InputArguments;
use crate::cli::output::{OutputFormat, Writer};
use crate::cli::results::{self, Outcome};

#[derive(Debug, Args)]
pub(in crate::cli) struct ExtractArguments {
    #[command(flatten)]
    input: InputArguments,

    /// How results are written [default: pretty on a terminal, else jsonl]
    #[arg(long, value_name = "FORMAT", env = "ONRECORD_OUTPUT_FORMAT")]
    output_format: Option<OutputFormat>,

    /// When to colour the pretty output; NO_COLOR is respected
    #[arg(long, value_name = "WHEN", env = "ONRECORD_COLOR", default_value = "auto")]
    color: Color,

    #[command(flatten)]
    extraction: ExtractionArguments,

    #[command(flatten)]
    engine: EngineArguments,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Color {
    Auto,
    Always,
    Never,
}

impl Color {
    fn is_on(self) -> bool {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => !unwanted && io::stdout().is_terminal(),
        }
    }
}

/// Runs the command; returns the exit code.
pub(in crate::cli) fn run(arguments: &ExtractArguments) -> Result<u8, Failure> {
    let engine = arguments.engine.start(arguments.extraction.options())?;
    let by_terminal = if io::stdout().is_terminal() { OutputFormat::Pretty } else { OutputFormat::Jsonl };
    let format = arguments.output_format.unwrap_or(by_terminal);
    let output = BufWriter::new(io::stdout().lock());
    let mut writer = Writer::new(output, format, arguments.color.is_on());
    let mut documents = arguments.input.documents();
    let (mut seen, mut code) = (Seen::default(), ALL_GOOD);
    while let Some(group) = results::next_group(&mut documents, &engine) {
        for Outcome { path, line, result } in group {
            let written = match result {
                Ok((document, mut extraction)) => {
                    if seen.is_repeated(&extraction.id) {
                        let warning = format!("the id {:?} occurs more than once in the input", extraction.id);
                        complain_at(&path, line, &warning);
                        extraction.warnings.push(warning);
                    }
                    writer.extraction(&document, &extraction)
                }
                Err(problem) => {
                    code = SOME_FAILED;
                    writer.problem(&problem)
                }
            };
            written.map_err(|error| Failure::output(&error))?;
        }
        writer.flush().map_err(|error| Failure::output(&error))?;
    }
    writer.finish().map_err(|error| Failure::output(&error))?;
    Ok(code)
}

/// Hashes of the ids seen so far: eight bytes a document, however long its id.
#[derive(Default)]
struct Seen(HashSet<u64>);

impl Seen {
    fn is_repeated(&mut self, id: &str) -> bool {
        let mut hasher = DefaultHasher::new();
        id.hash(&mut hasher);
        !self.0.insert(hasher.finish())
    }
}
