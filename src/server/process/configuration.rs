//! How the server is run: one struct, flags with environment twins.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::server::admission::allowed_origin::AllowedOrigin;

/// Everything that can be chosen about the server, except the model.
#[derive(Debug, Clone, Args)]
pub struct Configuration {
    /// Address to listen on. Anything but a loopback address is open to others: give it a key
    #[arg(long, env = "ONRECORD_HOST", default_value = "127.0.0.1", help_heading = "Address")]
    pub host: String,

    /// Port to listen on; 0: any free one, which is printed
    #[arg(long, env = "ONRECORD_PORT", default_value_t = 8080, help_heading = "Address")]
    pub port: u16,

    /// Listen on this Unix socket instead
    #[cfg(unix)]
    #[arg(long, value_name = "PATH", env = "ONRECORD_UDS", help_heading = "Address", conflicts_with = "tls_cert")]
    pub uds: Option<PathBuf>,

    /// Certificates for HTTPS (PEM, the server's own first)
    #[arg(long, value_name = "FILE", env = "ONRECORD_TLS_CERT", requires = "tls_key", help_heading = "Address")]
    pub tls_cert: Option<PathBuf>,

    /// Private key for HTTPS (PEM)
    #[arg(long, value_name = "FILE", env = "ONRECORD_TLS_KEY", requires = "tls_cert", help_heading = "Address")]
    pub tls_key: Option<PathBuf>,

    /// A key that clients must send as `Authorization: Bearer KEY`; may be given several times. Others see it in the list
    /// of processes: prefer the environment or --api-key-file
    #[arg(long, value_name = "KEY", env = "ONRECORD_API_KEY", hide_env_values = true, value_delimiter = ',')]
    #[arg(help_heading = "Access")]
    pub api_key: Vec<String>,

    /// A file of such keys, one a line (not those that start with #); read again, with the model, on SIGHUP and POST /admin/reload
    #[arg(long, value_name = "FILE", env = "ONRECORD_API_KEY_FILE", help_heading = "Access")]
    pub api_key_file: Option<PathBuf>,

    /// An origin whose pages may call the server from a browser, or "*"; may be given several times
    #[arg(long, value_name = "ORIGIN", env = "ONRECORD_CORS_ORIGIN", value_delimiter = ',', help_heading = "Access")]
    pub cors_origin: Vec<AllowedOrigin>,

    /// Most bytes in the body of a request, or in a line of a stream
    #[arg(long, value_name = "BYTES", env = "ONRECORD_MAX_BODY_BYTES", default_value_t = 10 * 1024 * 1024)]
    #[arg(help_heading = "Limits", value_parser = at_least_one)]
    pub max_body_bytes: usize,

    /// Most documents in a request
    #[arg(long, value_name = "N", env = "ONRECORD_MAX_DOCUMENTS", default_value_t = 256)]
    #[arg(help_heading = "Limits", value_parser = at_least_one)]
    pub max_documents: usize,

    /// Most characters in a document
    #[arg(long, value_name = "N", env = "ONRECORD_MAX_CHARACTERS", default_value_t = 2_000_000)]
    #[arg(help_heading = "Limits", value_parser = at_least_one)]
    pub max_characters: usize,

    /// Most documents that wait for an answer; what comes beyond is refused with 429
    #[arg(long, value_name = "N", env = "ONRECORD_MAX_WAITING_DOCUMENTS", default_value_t = 1024)]
    #[arg(help_heading = "Limits", value_parser = at_least_one)]
    pub max_waiting_documents: usize,

    /// Most tokens that wait to be read by the model (about four bytes each); what comes beyond is refused with 429
    #[arg(long, value_name = "TOKENS", env = "ONRECORD_MAX_WAITING_TOKENS", default_value_t = 1_000_000)]
    #[arg(help_heading = "Limits", value_parser = at_least_one)]
    pub max_waiting_tokens: usize,

    /// Longest time that an article may be expected to wait (for example 2s or 500ms); what comes beyond is refused
    /// with 429, unless fewer than 64 documents wait
    #[arg(long, value_name = "TIME", env = "ONRECORD_MAX_WAIT", default_value = "2s", value_parser = time)]
    #[arg(help_heading = "Limits")]
    pub max_wait: Duration,

    /// Most bytes of requests that are held at the same time, until their answers have been sent; what comes beyond is
    /// refused with 429. Half of them may be one address's, and an eighth is kept for small requests
    #[arg(long, value_name = "BYTES", env = "ONRECORD_MAX_HELD_BYTES", default_value_t = 32 * 1024 * 1024)]
    #[arg(help_heading = "Limits", value_parser = at_least_one)]
    pub max_held_bytes: usize,

    /// Most tokens in a request, or in a line of a stream (about four bytes each, which is known before any work) [default:
    /// what the bytes allow]
    #[arg(long, value_name = "TOKENS", env = "ONRECORD_MAX_REQUEST_TOKENS", help_heading = "Limits")]
    #[arg(value_parser = at_least_one)]
    pub max_request_tokens: Option<usize>,

    /// Most requests a minute with one key, or in all if there are no keys; what comes beyond is refused with 429
    #[arg(long, value_name = "N", env = "ONRECORD_MAX_REQUESTS_PER_MINUTE", help_heading = "Limits")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub max_requests_per_minute: Option<u32>,

    /// Most tokens a minute with one key, or in all if there are no keys (about four bytes each); what comes beyond is
    /// refused with 429, and streams wait
    #[arg(long, value_name = "TOKENS", env = "ONRECORD_MAX_TOKENS_PER_MINUTE", help_heading = "Limits")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub max_tokens_per_minute: Option<u32>,

    /// Most connections; others wait until one is closed
    #[arg(long, value_name = "N", env = "ONRECORD_MAX_CONNECTIONS", default_value_t = 10_000)]
    #[arg(help_heading = "Limits", value_parser = at_least_one)]
    pub max_connections: usize,

    /// Most tokens that a worker runs at a time [default: one window]
    #[arg(long, value_name = "TOKENS", env = "ONRECORD_MAX_BATCH_TOKENS", help_heading = "Limits")]
    #[arg(value_parser = at_least_one)]
    pub max_batch_tokens: Option<usize>,

    /// Time for answering a request, or a line of a stream (for example 30s or 1500ms). A client may ask for less with
    /// the header X-Request-Timeout-Ms
    #[arg(long, value_name = "TIME", env = "ONRECORD_REQUEST_TIMEOUT", default_value = "60s", value_parser = time)]
    #[arg(help_heading = "Times")]
    pub request_timeout: Duration,

    /// Time in which the head of a request must have come
    #[arg(long, value_name = "TIME", env = "ONRECORD_HEADER_TIMEOUT", default_value = "10s", value_parser = time)]
    #[arg(help_heading = "Times")]
    pub header_timeout: Duration,

    /// Time in which the body of a request must have come
    #[arg(long, value_name = "TIME", env = "ONRECORD_BODY_TIMEOUT", default_value = "30s", value_parser = time)]
    #[arg(help_heading = "Times")]
    pub body_timeout: Duration,

    /// Time in which a client must take the next 256 KiB of an answer, or what is left of it; else its connection is cut
    /// off
    #[arg(long, value_name = "TIME", env = "ONRECORD_SEND_TIMEOUT", default_value = "30s", value_parser = time)]
    #[arg(help_heading = "Times")]
    pub send_timeout: Duration,

    /// A stream that makes no progress for so long is ended
    #[arg(long, value_name = "TIME", env = "ONRECORD_STREAM_IDLE_TIMEOUT", default_value = "60s", value_parser = time)]
    #[arg(help_heading = "Times")]
    pub stream_idle_timeout: Duration,

    /// A connection without a request is closed after so long
    #[arg(long, value_name = "TIME", env = "ONRECORD_KEEP_ALIVE", default_value = "75s", value_parser = time)]
    #[arg(help_heading = "Times")]
    pub keep_alive: Duration,

    /// Time for finishing what is under way after SIGTERM
    #[arg(long, value_name = "TIME", env = "ONRECORD_DRAIN_TIMEOUT", default_value = "30s", value_parser = time)]
    #[arg(help_heading = "Times")]
    pub drain_timeout: Duration,

    /// OpenTelemetry collector that is sent a trace of every request, by OTLP over HTTP (http://host:4318/v1/traces)
    #[cfg(feature = "otlp")]
    #[arg(long, value_name = "URL", env = "ONRECORD_OTLP_ENDPOINT", help_heading = "Logs")]
    pub otlp_endpoint: Option<String>,

    /// Form of the log lines
    #[arg(long, value_name = "FORMAT", env = "ONRECORD_LOG_FORMAT", default_value = "text", help_heading = "Logs")]
    pub log_format: LogFormat,

    /// Write the texts of all documents into the log, which is otherwise never done
    #[arg(long, env = "ONRECORD_LOG_TEXT", value_parser = clap::builder::FalseyValueParser::new(), help_heading = "Logs")]
    pub log_text: bool,

    /// What is logged: error, warn, info, debug, trace or off, also by part (for example info,actix_server=warn)
    #[arg(long, value_name = "FILTER", env = "ONRECORD_LOG", default_value = "info", help_heading = "Logs")]
    pub log: String,
}

/// Form of the log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people
    Text,
    /// One JSON object a line
    Json,
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("it must be at least 1".to_owned()),
        Ok(number) => Ok(number),
        Err(_) => Err(format!("{text:?} is not a whole number")),
    }
}

/// "1500ms", "30s", "2m", or plain seconds.
fn time(text: &str) -> Result<Duration, String> {
    let (number, milliseconds) = match text.trim() {
        text if text.ends_with("ms") => (&text[..text.len() - 2], 1.0),
        text if text.ends_with('s') => (&text[..text.len() - 1], 1e3),
        text if text.ends_with('m') => (&text[..text.len() - 1], 6e4),
        text => (text, 1e3),
    };
    let number: f64 = number.parse().map_err(|_| format!("{text:?} is not a time such as 1500ms, 30s or 2m"))?;
    let milliseconds = number * milliseconds;
    if !(1.0..=1e10).contains(&milliseconds) {
        return Err(format!("{text:?} is not between 1ms and 100 days"));
    }
    Ok(Duration::from_millis(milliseconds as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        assert_eq!(time("1500ms"), Ok(Duration::from_millis(1500)));
        assert_eq!(time("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(time("2m"), Ok(Duration::from_secs(120)));
        assert_eq!(time("0.5"), Ok(Duration::from_millis(500)));
        for wrong in ["", "s", "soon", "-1s", "0s", "NaN", "1e300s"] {
            assert!(time(wrong).is_err(), "{wrong}");
        }
    }
}
