//! Log lines on standard error.

use std::io::{self, IsTerminal, Write};

use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use super::configuration::{Configuration, LogFormat};

/// Starts logging. An error says what is wrong with the filter.
pub(in crate::server) fn start(configuration: &Configuration) -> Result<(), String> {
    let filter = EnvFilter::try_new(&configuration.log);
    let filter = filter.map_err(|error| format!("--log {:?}: {error}", configuration.log))?;
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr).with_ansi(io::stderr().is_terminal());
    let lines = match configuration.log_format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(true).with_span_list(false).boxed(),
    };
    let lines = tracing_subscriber::registry().with(lines.with_filter(filter));
    #[cfg(feature = "otlp")]
    let lines = lines.with(super::traces::layer(configuration)?);
    // A second server in the same process keeps the first one's log.
    let _ = lines.try_init();
    Ok(())
}

/// A line that is always written, as it is: scripts wait for it.
pub(in crate::server) fn announce(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}
