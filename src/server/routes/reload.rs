//! Another model under a running server: it is loaded and warmed up beside the old one, and then takes its place. No
//! request fails for it; those under way are finished by the model that began them.

use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use actix_web::{HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::engine::service::Service;
use crate::server::codes::ErrorCode;
use crate::server::errors::{ApiError, ErrorBody};
use crate::server::process::startup::ServerError;
use crate::server::state::State;

/// How often it is looked whether the old model has ended its work.
const LOOK_UP: Duration = Duration::from_millis(50);

/// Loads the first model. Requests are answered from then on.
pub(in crate::server) fn start(state: &State) -> Result<(), ServerError> {
    let started = Instant::now();
    let service = state.loader.service(&state.configuration, state.loader.load()?)?;
    let (model, workers) = (service.model().identifier(), service.threads());
    state.start(service);
    tracing::info!(model, workers, milliseconds = started.elapsed().as_millis() as u64, "ready");
    Ok(())
}

/// Loads the model once more and puts it in the place of the old one. Where it is the same, the old one stays.
fn change(state: &State) -> Result<bool, ServerError> {
    let started = Instant::now();
    let model = state.loader.load()?;
    let identifier = model.identifier();
    if state.loaded().is_some_and(|service| service.model().identifier() == identifier) {
        tracing::info!(model = identifier, "the model is the one that runs already");
        return Ok(false);
    }
    let service = state.loader.service(&state.configuration, model)?;
    let retire = retirement()?;
    if let Some(old) = state.start(service) {
        // The thread waits for it.
        let _ = retire.send(old);
    }
    tracing::info!(model = identifier, milliseconds = started.elapsed().as_millis() as u64, "changed the model");
    Ok(true)
}

/// A thread that lets a model go once nobody asks it any more, and its last answer has been given. It is there before it is
/// needed: without it, the old model goes on.
fn retirement() -> std::io::Result<Sender<Arc<Service>>> {
    let (sender, receiver) = channel::<Arc<Service>>();
    let wait = move || {
        let Ok(service) = receiver.recv() else { return };
        while Arc::strong_count(&service) > 1 || service.load().documents > 0 {
            std::thread::sleep(LOOK_UP);
        }
        tracing::info!(model = service.model().identifier(), "the old model is gone");
    };
    std::thread::Builder::new().name("retire".to_owned()).spawn(wait).map(|_| sender)
}

/// What reloading did.
#[derive(Debug, Serialize, ToSchema)]
pub struct Reloaded {
    /// The model that answers now, `name@hash`.
    pub model: String,
    /// Whether it is another one than before.
    pub changed: bool,
    /// API keys in force.
    pub keys: usize,
}

/// What is done where a model is being loaded already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::server) enum Meanwhile {
    /// Wait for it: what a signal asks for cannot be refused.
    Wait,
    /// Refuse.
    Refuse,
}

/// Reads the keys, and then the model, again. After an error everything is as it was, but for keys that could be read.
pub(in crate::server) async fn reload(state: &Arc<State>, meanwhile: Meanwhile) -> Result<Reloaded, ApiError> {
    let failed = |reason: String| ApiError::new(ErrorCode::ReloadFailed, format!("{reason}; what ran before goes on"));
    let keys = state.keys.reload().map_err(failed)?;
    tracing::info!(keys, "read the API keys again");
    state.service()?;
    let busy = Arc::clone(&state.loader.busy);
    let turn = match meanwhile {
        Meanwhile::Wait => busy.lock_owned().await,
        Meanwhile::Refuse => busy.try_lock_owned().map_err(|_| {
            ApiError::new(ErrorCode::Reloading, "the server is reading its model again already: wait for it")
        })?,
    };
    let loading = {
        let state = Arc::clone(state);
        // Whoever asked may have gone: the turn is over when the work is.
        web::block(move || {
            let changed = change(&state).map_err(|error| error.to_string());
            drop(turn);
            changed
        })
    };
    let changed = loading.await.map_err(|error| failed(error.to_string()))?.map_err(failed)?;
    Ok(Reloaded { model: state.service()?.model().identifier(), changed, keys })
}

/// Read the model and the keys again.
///
/// For a server with API keys. The new model is loaded and warmed up beside the old one; no request fails meanwhile.
#[utoipa::path(post, path = "/admin/reload", tag = "status", responses(
    (status = 200, description = "Done", body = Reloaded),
    (status = 401, description = "No valid API key", body = ErrorBody),
    (status = 403, description = "The server has no API keys, or a page of another origin", body = ErrorBody),
    (status = 409, description = "It is under way already", body = ErrorBody),
    (status = 500, description = "The model or the keys cannot be read: nothing has changed", body = ErrorBody),
    (status = 503, description = "Starting or shutting down", body = ErrorBody),
), security((), ("key" = [])))]
pub(in crate::server) async fn endpoint(state: web::Data<State>) -> Result<HttpResponse, ApiError> {
    if !state.keys.are_required() {
        let message = "this server has no API keys, so anybody could ask for this: start it with --api-key-file, or send \
                       the process SIGHUP";
        return Err(ApiError::new(ErrorCode::Forbidden, message));
    }
    Ok(HttpResponse::Ok().json(reload(&state.into_inner(), Meanwhile::Refuse).await?))
}
