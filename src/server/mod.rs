//! The server skin: the service over HTTP. Knows requests, limits, keys and clients' formats; nothing of tensors.
//!
//! A request passes the middleware (id, log line, counts; then the key), its body is read within limits, its
//! documents go to [`crate::engine::service`], and the answer goes out in the form of the route. Everything that takes
//! time runs on the service's workers; the network has threads of its own, which never wait for them.

mod admission;
mod application;
mod codes;
mod errors;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
pub mod hugging_face;
pub mod inference_protocol;
mod listening;
mod models;
mod observe;
mod page;
mod process;
mod requests;
mod routes;
mod state;

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::dev::ServerHandle;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

pub use admission::allowed_origin::AllowedOrigin;
pub use codes::ErrorCode;
pub use process::configuration::{Configuration, LogFormat};
pub use process::startup::{EngineConfiguration, ServerError};

use crate::model::{Model, ModelError};
use admission::keys::Keys;
use process::loader::Loader;
use process::logs;
use process::signals::{Signal, Signals};
#[cfg(feature = "otlp")]
use process::traces;
use routes::{reload, status};
use state::State;

/// Serves until SIGTERM or SIGINT, then finishes what is under way. The model is loaded while the server listens.
///
/// # Errors
/// [`ServerError`].
pub fn serve(
    configuration: Configuration,
    engine: EngineConfiguration,
    load: impl Fn() -> Result<Model, ModelError> + Send + Sync + 'static,
) -> Result<(), ServerError> {
    logs::start(&configuration).map_err(ServerError::Configuration)?;
    let metrics = metrics_recorder()?;
    if configuration.log_text {
        tracing::warn!("the log will hold the texts of all documents (--log-text)");
    }
    let keys = Keys::new(&configuration.api_key, configuration.api_key_file.clone());
    let keys = keys.map_err(ServerError::Configuration)?;
    let state = Arc::new(State::new(configuration, keys, Loader::new(engine, load)));
    let outcome = actix_web::rt::System::new().block_on(run(state, metrics));
    #[cfg(feature = "otlp")]
    traces::flush();
    outcome
}

/// Times from a tenth of a millisecond to a minute, each 1.8 times the one before.
fn time_buckets() -> Vec<f64> {
    (0..24).map(|step| 1e-4 * 1.8_f64.powi(step)).collect()
}

fn metrics_recorder() -> Result<PrometheusHandle, ServerError> {
    let failed = |error: metrics_exporter_prometheus::BuildError| ServerError::Configuration(error.to_string());
    let tokens: Vec<f64> = (3..13).map(|power| f64::from(1 << power)).collect();
    let shares: Vec<f64> = (1..=10).map(|tenth| f64::from(tenth) / 10.0).collect();
    let handle = PrometheusBuilder::new()
        .set_buckets(&time_buckets())
        .and_then(|builder| builder.set_buckets_for_metric(Matcher::Full("onrecord_batch_tokens".to_owned()), &tokens))
        .and_then(|builder| builder.set_buckets_for_metric(Matcher::Full("onrecord_batch_fill".to_owned()), &shares))
        .and_then(PrometheusBuilder::install_recorder)
        .map_err(failed)?;
    status::describe();
    Ok(handle)
}

/// How often observations are counted. Until then each of them takes memory, however long nobody asks for metrics.
const UPKEEP: Duration = Duration::from_secs(5);

async fn count_observations(metrics: PrometheusHandle) {
    let mut ticks = actix_web::rt::time::interval(UPKEEP);
    loop {
        ticks.tick().await;
        metrics.run_upkeep();
    }
}

async fn run(state: Arc<State>, metrics: PrometheusHandle) -> Result<(), ServerError> {
    // Ends with the runtime.
    actix_web::rt::spawn(count_observations(metrics.clone()));
    let server = listening::listen(&state, &metrics)?;
    // Goes with the end, whatever the reason for it.
    #[cfg(unix)]
    let _socket = state.configuration.uds.as_deref().map(process::socket::SocketFile::new);
    let handle = server.handle();
    let server = actix_web::rt::spawn(server);
    let loading = {
        let state = Arc::clone(&state);
        actix_web::rt::task::spawn_blocking(move || reload::start(&state))
    };
    let stopping = actix_web::rt::spawn(obey(Signals::new()?, Arc::clone(&state), handle.clone()));
    match loading.await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            handle.stop(false).await;
            return Err(error);
        }
        Err(error) => {
            handle.stop(false).await;
            return Err(ServerError::Configuration(format!("the model could not be loaded: {error}")));
        }
    }
    let outcome = server.await;
    stopping.abort();
    outcome.map_err(std::io::Error::other)??;
    tracing::info!("stopped");
    Ok(())
}

/// Does what signals ask for: reads keys and model again; or ends the server, once what is under way is done.
async fn obey(mut signals: Signals, state: Arc<State>, handle: ServerHandle) {
    while let Signal::Reload = signals.next().await {
        let state = Arc::clone(&state);
        // The end must not wait for a model.
        actix_web::rt::spawn(async move {
            if let Err(error) = reload::reload(&state, reload::Meanwhile::Wait).await {
                tracing::error!(error = error.problem.message, "the signal to read model and keys again");
            }
        });
    }
    state.drain();
    let limit = state.configuration.drain_timeout;
    tracing::info!(requests = state.ending.requests(), "finishing what is under way");
    let until = Instant::now() + limit;
    let mut left = state.ending.waits_for();
    // Twice, since what has been handed on is a connection's a moment later.
    let mut looks = 0;
    while looks < 2 && Instant::now() < until {
        actix_web::rt::time::sleep(Duration::from_millis(10)).await;
        left = state.ending.waits_for();
        looks = if left == 0 { looks + 1 } else { 0 };
    }
    if left > 0 {
        tracing::warn!(left, "not finished within {} s", limit.as_secs_f64());
    }
    handle.stop(left == 0).await;
}
