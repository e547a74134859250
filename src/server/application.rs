//! The application: what every connection leads to.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_http::error::DispatchError;
use actix_http::{HttpService, Protocol};
use actix_server::GracefulShutdownSignal;
use actix_service::map_config;
use actix_web::dev::{AppConfig, Extensions, ServiceFactory};
use actix_web::middleware::from_fn;
use actix_web::{App, web};
use metrics_exporter_prometheus::PrometheusHandle;

use super::admission::{access, origins};
use super::process::connection::{Connection, Socket};
use super::routes::{documentation, extract, kserve, reload, status, token_classification};
use super::state::State;
use super::{observe, page};

/// A connection as it comes in.
pub(super) type Accepted<S> = (Connection<S>, Protocol, Option<SocketAddr>);

/// HTTP on connections of this kind.
pub(super) fn http<S: Socket>(
    state: &Arc<State>,
    metrics: &PrometheusHandle,
    ending: GracefulShutdownSignal,
) -> impl ServiceFactory<Accepted<S>, Config = (), Response = (), Error = DispatchError, InitError = ()> + use<S> {
    let configuration = &state.configuration;
    let application = App::new()
        .app_data(web::Data::from(Arc::clone(state)))
        .app_data(web::Data::new(metrics.clone()))
        .configure(routes)
        .wrap(from_fn(access::check_key))
        .wrap(from_fn(origins::check_origin))
        .wrap(access::cross_origin(&configuration.cors_origin))
        .wrap(from_fn(observe::observe));
    HttpService::build()
        .keep_alive(configuration.keep_alive)
        .client_request_timeout(configuration.header_timeout)
        .client_disconnect_timeout(Duration::from_secs(1))
        // A client that closes its side has gone: its request is dropped.
        .h1_allow_half_closed(false)
        .graceful_shutdown_signal(move || {
            let ending = ending.clone();
            async move { ending.notified().await }
        })
        .on_connect_ext(|connection: &Connection<S>, data: &mut Extensions| {
            data.insert(connection.abort_handle());
        })
        .finish(map_config(application, |()| AppConfig::default()))
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
