//! `onrecord serve`: the server's flags.

use clap::Args;

use crate::cli::arguments::EngineArguments;
use crate::cli::ending::{ALL_GOOD, Failure};
use crate::server::{self, Configuration, EngineConfiguration, ServerError};

#[derive(Debug, Args)]
pub(in crate::cli) struct ServeArguments {
    #[command(flatten)]
    server: Configuration,

    #[command(flatten)]
    engine: EngineArguments,
}

/// Serves until it is told to stop; returns the exit code.
pub(in crate::cli) fn run(arguments: ServeArguments) -> Result<u8, Failure> {
    let ServeArguments { server, engine } = arguments;
    let runs = EngineConfiguration { threads: engine.threads.map_or(0, usize::from), max_window: engine.max_window };
    server::serve(server, runs, engine.model.loader()?).map_err(|error| match error {
        ServerError::Configuration(_) => Failure::Usage(error.to_string()),
        ServerError::Model(error) => error.into(),
        ServerError::Engine(error) => error.into(),
        ServerError::Network(_) => Failure::Unusable(error.to_string()),
    })?;
    Ok(ALL_GOOD)
}
