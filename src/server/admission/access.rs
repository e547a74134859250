//! Who may do what: keys, browsers' cross-origin rules, and the answers for what is not there.

use actix_cors::Cors;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{Method, header};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpRequest, HttpResponse, Resource, ResponseError, Route, guard, web};

use super::allowed_origin::AllowedOrigin;
use crate::server::codes::ErrorCode;
use crate::server::errors::ApiError;
use crate::server::state::State;

/// What needs no key: what probes and scrapers ask for, and the page, in which a key can be typed.
fn is_open(method: &Method, path: &str) -> bool {
    let is_page = path == "/" || path.starts_with("/page/");
    path == "/health"
        || path.starts_with("/health/")
        || path == "/metrics"
        || (is_page && matches!(*method, Method::GET | Method::HEAD))
}

/// Lets nobody through without a key, where keys are required, nor with a key that has used up its quota.
pub(in crate::server) async fn check_key(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let authorization = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let state = request.app_data::<web::Data<State>>().cloned();
    let key = state.as_ref().and_then(|state| state.keys.admit(authorization));
    // Browsers ask for permission without a key.
    let asks_permission = request.method() == Method::OPTIONS;
    if is_open(request.method(), request.path()) || asks_permission {
        return Ok(next.call(request).await?.map_into_boxed_body());
    }
    if let (Some(key), Some(state)) = (key, state) {
        let quota = state.quotas.of(key);
        if let Err(error) = quota.take_request() {
            let refusal = refuse(request.request(), &error.closing());
            return Ok(request.into_response(refusal));
        }
        request.extensions_mut().insert(quota);
        return Ok(next.call(request).await?.map_into_boxed_body());
    }
    let message = "this server needs an API key: send it as \"Authorization: Bearer KEY\"";
    let refusal = refuse(request.request(), &ApiError::new(ErrorCode::Unauthorized, message).closing());
    Ok(request.into_response(refusal))
}

/// Which pages of other origins may call the server: by default none.
pub(in crate::server) fn cross_origin(origins: &[AllowedOrigin]) -> Cors {
    let cors = Cors::default()
        .allowed_methods(["GET", "POST"])
        .allow_any_header()
        .expose_headers(["X-Request-Id", "Retry-After"])
        .max_age(3600);
    // Without an allowed origin the headers are simply not sent; the request itself is not refused.
    let cors = cors.block_on_origin_mismatch(false);
    if origins.contains(&AllowedOrigin::Any) {
        return cors.allow_any_origin();
    }
    origins.iter().fold(cors, |cors, origin| cors.allowed_origin(&origin.to_string()))
}

/// A path with one method; what others it has must be added, and named.
pub(in crate::server) fn only(path: &str, route: Route, method: &'static str) -> Resource {
    let refuse_others = move |request: HttpRequest| async move {
        let message = format!("{} is not answered at {}: use {method}", request.method(), request.path());
        let mut refusal = refuse(&request, &ApiError::new(ErrorCode::MethodNotAllowed, message).closing());
        refusal.headers_mut().insert(header::ALLOW, header::HeaderValue::from_static(method));
        refusal
    };
    web::resource(path).route(route).default_service(web::to(refuse_others))
}

/// A route for those who ask: GET, and HEAD, which is GET without the body.
pub(in crate::server) fn read() -> Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}

/// Paths that are not there.
pub(in crate::server) async fn not_found(request: HttpRequest) -> HttpResponse {
    let message = format!("there is nothing at {}: see /docs for what there is", request.path());
    refuse(&request, &ApiError::new(ErrorCode::NotFound, message).closing())
}

/// A refusal in the form that the path's clients expect.
pub(in crate::server) fn refuse(request: &HttpRequest, error: &ApiError) -> HttpResponse {
    let path = request.path();
    let is_plain = path == "/v2" || path.starts_with("/v2/") || path == "/" || path.starts_with("/models/");
    if is_plain { error.in_plain_form() } else { error.error_response() }
}
