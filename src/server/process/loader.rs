//! The loader: gets the model, again and again, and starts the service with it.

use std::sync::Arc;

use tokio::sync::Mutex;

use super::configuration::Configuration;
use super::startup::{EngineConfiguration, ServerError};
use crate::engine::service::{Service, ServiceOptions};
use crate::model::{Model, ModelError};

/// Gets the model, again and again.
pub(in crate::server) struct Loader {
    engine: EngineConfiguration,
    load: Box<dyn Fn() -> Result<Model, ModelError> + Send + Sync>,
    /// Held while a model is loaded: one at a time.
    pub busy: Arc<Mutex<()>>,
}

impl Loader {
    pub fn new(
        engine: EngineConfiguration,
        load: impl Fn() -> Result<Model, ModelError> + Send + Sync + 'static,
    ) -> Self {
        Self { engine, load: Box::new(load), busy: Arc::default() }
    }

    /// Reads the model.
    pub fn load(&self) -> Result<Model, ModelError> {
        (self.load)()
    }

    /// Starts a service, and runs one batch.
    pub fn service(&self, configuration: &Configuration, model: Model) -> Result<Service, ServerError> {
        let defaults = ServiceOptions::default();
        let options = ServiceOptions {
            threads: self.engine.threads,
            max_window: self.engine.max_window,
            max_batch_tokens: configuration.max_batch_tokens.unwrap_or(defaults.max_batch_tokens),
            max_waiting_documents: configuration.max_waiting_documents,
            max_waiting_tokens: configuration.max_waiting_tokens,
            max_wait: configuration.max_wait,
        };
        Ok(Service::start(model, options)?)
    }
}
