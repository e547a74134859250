//! What all handlers share.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use actix_web::HttpRequest;

use super::admission::keys::Keys;
use super::admission::quotas::Quotas;
use super::codes::ErrorCode;
use super::errors::{ApiError, draining, starting};
use super::process::configuration::Configuration;
use super::process::ending::Ending;
use super::process::loader::Loader;
use super::requests::body::BodyLimits;
use super::requests::budget::Budget;
use crate::engine::service::Service;

/// The application.
pub(super) struct State {
    pub configuration: Configuration,
    pub keys: Keys,
    pub budget: Arc<Budget>,
    pub loader: Loader,
    pub quotas: Arc<Quotas>,
    /// Set when the model is loaded, and anew when it is loaded again.
    service: RwLock<Option<Arc<Service>>>,
    pub ending: Arc<Ending>,
}

/// A client's own limit on the time of a request, in milliseconds.
pub(super) const TIMEOUT_HEADER: &str = "X-Request-Timeout-Ms";

impl State {
    pub fn new(configuration: Configuration, keys: Keys, loader: Loader) -> Self {
        Self {
            budget: Budget::new(configuration.max_held_bytes),
            quotas: Quotas::new(configuration.max_requests_per_minute, configuration.max_tokens_per_minute),
            loader,
            configuration,
            keys,
            service: RwLock::default(),
            ending: Ending::new(),
        }
    }

    /// From now on requests are answered, by this service; returns the one before it.
    pub fn start(&self, service: Service) -> Option<Arc<Service>> {
        let mut place = self.service.write().unwrap_or_else(PoisonError::into_inner);
        // Looked at while nobody can drain what stands in the place.
        if self.ending.has_begun() {
            service.drain();
        }
        place.replace(Arc::new(service))
    }

    /// From now on requests are refused; those that are here are finished.
    pub fn drain(&self) {
        self.ending.begin();
        if let Some(service) = self.loaded() {
            service.drain();
        }
    }

    /// Whether requests are refused because the end is near.
    pub fn is_draining(&self) -> bool {
        self.ending.has_begun()
    }

    /// Whether requests are answered.
    pub fn is_ready(&self) -> bool {
        self.service().is_ok()
    }

    /// The service, once it runs, and until it stops.
    pub fn service(&self) -> Result<Arc<Service>, ApiError> {
        if self.is_draining() {
            return Err(draining());
        }
        self.loaded().ok_or_else(starting)
    }

    /// The service, once it runs.
    pub fn loaded(&self) -> Option<Arc<Service>> {
        self.service.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What a body may be.
    pub fn body_limits(&self) -> BodyLimits {
        BodyLimits { size: self.configuration.max_body_bytes, time: self.configuration.body_timeout }
    }

    /// How long this request may take: the server's limit, or the client's, if that is less.
    pub fn time_for(&self, request: &HttpRequest) -> Result<Duration, ApiError> {
        let limit = self.configuration.request_timeout;
        let Some(header) = request.headers().get(TIMEOUT_HEADER) else { return Ok(limit) };
        let milliseconds = header.to_str().ok().and_then(|text| text.trim().parse::<u64>().ok());
        match milliseconds {
            Some(milliseconds @ 1..) => Ok(limit.min(Duration::from_millis(milliseconds))),
            _ => {
                let message = format!("the header {TIMEOUT_HEADER} must be a whole number of milliseconds, at least 1");
                Err(ApiError::new(ErrorCode::InvalidHeader, message))
            }
        }
    }

    /// When this request's time is over.
    pub fn deadline(&self, request: &HttpRequest) -> Result<Instant, ApiError> {
        Ok(Instant::now() + self.time_for(request)?)
    }
}
