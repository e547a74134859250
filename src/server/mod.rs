//! The server skin: the service over HTTP. Knows requests, limits, keys and clients' formats; nothing of tensors.
//!
//! A request passes the middleware (id, log line, counts; then the key), its body is read within limits, its
//! documents go to [`crate::engine::service`], and the answer goes out in the form of the route. Everything that takes
//! time runs on the service's workers; the network has threads of its own, which never wait for them.

mod admission;
mod codes;
mod errors;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
pub mod hugging_face;
pub mod inference_protocol;
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
use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer, web};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

pub use admission::allowed_origin::AllowedOrigin;
pub use codes::ErrorCode;
pub use process::configuration::{Configuration, LogFormat};
pub use process::startup::{EngineConfiguration, ServerError};

use crate::model::{Model, ModelError};
use admission::keys::Keys;
use admission::{access, origins};
use process::loader::Loader;
use process::signals::{Signal, Signals};
#[cfg(unix)]
use process::socket;
#[cfg(feature = "otlp")]
use process::traces;
use process::{logs, tls};
use routes::{documentation, extract, kserve, reload, status, token_classification};
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
    let server = listen(&state, metrics)?;
    // Goes with the end, whatever the reason for it.
    #[cfg(unix)]
    let _socket = state.configuration.uds.as_deref().map(socket::SocketFile::new);
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

/// Threads that move bytes; the work is done elsewhere.
fn network_threads() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| cores.get().div_ceil(4))
}

fn listen(state: &Arc<State>, metrics: PrometheusHandle) -> Result<actix_web::dev::Server, ServerError> {
    let configuration = &state.configuration;
    let data = web::Data::from(Arc::clone(state));
    let metrics = web::Data::new(metrics);
    let origins = configuration.cors_origin.clone();
    let threads = network_threads();
    let server = HttpServer::new(move || {
        App::new()
            .app_data(data.clone())
            .app_data(metrics.clone())
            .configure(routes)
            .wrap(from_fn(access::check_key))
            .wrap(from_fn(origins::check_origin))
            .wrap(access::cross_origin(&origins))
            .wrap(from_fn(observe::observe))
    })
    .workers(threads)
    .max_connections(configuration.max_connections.div_ceil(threads))
    .keep_alive(configuration.keep_alive)
    .client_request_timeout(configuration.header_timeout)
    .client_disconnect_timeout(Duration::from_secs(1))
    // A client that closes its side has gone: its request is dropped.
    .h1_allow_half_closed(false)
    .disable_signals()
    .shutdown_timeout(1);
    let unusable = |address: &str, error: std::io::Error| {
        ServerError::Configuration(format!("cannot listen on {address}: {error}"))
    };
    #[cfg(unix)]
    if let Some(path) = &configuration.uds {
        let socket = socket::bind(path);
        let path = path.display().to_string();
        let server = socket.and_then(|socket| server.listen_uds(socket)).map_err(|error| unusable(&path, error))?;
        logs::announce(&format!("listening on unix:{path}"));
        return Ok(server.run());
    }
    let host = &configuration.host;
    let address = format!("{host}:{}", configuration.port);
    let bound = (host.as_str(), configuration.port);
    let server = match tls::server(configuration).map_err(ServerError::Configuration)? {
        Some(tls) => server.bind_rustls_0_23(bound, tls),
        None => server.bind(bound),
    };
    let server = server.map_err(|error| unusable(&address, error))?;
    for (address, scheme) in server.addrs_with_scheme() {
        logs::announce(&format!("listening on {scheme}://{address}"));
        if !address.ip().is_loopback() && !state.keys.are_required() {
            tracing::warn!(%address, "anybody who reaches this address may use the server: set --api-key");
        }
    }
    Ok(server.run())
}

/// All routes.
fn routes(configuration: &mut web::ServiceConfig) {
    use access::only;
    configuration
        .service(only("/v1/extract", web::post().to(extract::extract), "POST"))
        .service(only("/info", access::read().to(status::info), "GET"))
        .service(only("/health", access::read().to(status::overall), "GET"))
        .service(only("/health/live", access::read().to(status::live), "GET"))
        .service(only("/health/ready", access::read().to(status::ready), "GET"))
        .service(only("/admin/reload", web::post().to(reload::endpoint), "POST"))
        .service(only("/metrics", access::read().to(status::prometheus), "GET"))
        .service(
            only("/", web::post().to(token_classification::default_model), "GET, POST")
                .route(access::read().to(page::root)),
        )
        .service(only("/page/{name}", access::read().to(page::file), "GET"))
        .service(only("/models/{name}", web::post().to(token_classification::named_model), "POST"))
        .service(only("/v2", access::read().to(kserve::server), "GET"))
        .service(only("/v2/health/live", access::read().to(kserve::live), "GET"))
        .service(only("/v2/health/ready", access::read().to(kserve::ready), "GET"))
        .service(only("/v2/models/{name}", access::read().to(kserve::model), "GET"))
        .service(only("/v2/models/{name}/ready", access::read().to(kserve::model_ready), "GET"))
        .service(only("/v2/models/{name}/infer", web::post().to(kserve::infer), "POST"))
        .service(only("/v2/models/{name}/versions/{version}", access::read().to(kserve::model_version), "GET"))
        .service(only(
            "/v2/models/{name}/versions/{version}/ready",
            access::read().to(kserve::model_version_ready),
            "GET",
        ))
        .service(only("/v2/models/{name}/versions/{version}/infer", web::post().to(kserve::infer_version), "POST"))
        .configure(documentation::routes)
        .default_service(web::to(access::not_found));
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
    tracing::info!(requests = state.in_flight(), "finishing what is under way");
    let until = Instant::now() + limit;
    while state.in_flight() > 0 && Instant::now() < until {
        actix_web::rt::time::sleep(Duration::from_millis(10)).await;
    }
    let left = state.in_flight();
    if left > 0 {
        tracing::warn!(requests = left, "not finished within {} s", limit.as_secs_f64());
    }
    handle.stop(left == 0).await;
}
