//! Pages of other origins: what a browser sends for them is not worked on, unless the operator has named their origin.
//!
//! A browser that must ask first learns from [`super::access::cross_origin`] that it may not. But it sends plain requests
//! without asking, and only keeps the answer from the page: the work would be done.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{Method, header};
use actix_web::middleware::Next;
use actix_web::{Error, HttpRequest, web};

use super::access::refuse;
use super::allowed_origin::{AllowedOrigin, normal};
use crate::server::codes::ErrorCode;
use crate::server::errors::ApiError;
use crate::server::state::State;

/// Where the browser says a request comes from.
struct Provenance<'request> {
    /// `Origin`: every browser sends it with what is no GET.
    origin: Option<&'request str>,
    /// `Sec-Fetch-Site`: browsers from 2023 on send it over HTTPS and to the machine itself; no page can write it.
    site: Option<&'request str>,
    /// The address that was called.
    host: Option<&'request str>,
    /// Whether the connection itself is HTTPS.
    secure: bool,
}

impl Provenance<'_> {
    /// Whether it is a page that is neither the server's own nor allowed.
    fn is_foreign(&self, allowed: &[AllowedOrigin]) -> bool {
        if allowed.contains(&AllowedOrigin::Any) {
            return false;
        }
        let is_named = |origin: &str| {
            allowed
                .iter()
                .any(|allowed| matches!(allowed, AllowedOrigin::Named(named) if named.eq_ignore_ascii_case(origin)))
        };
        if self.origin.is_some_and(is_named) {
            return false;
        }
        match (self.site, self.origin) {
            // Whatever a proxy has made of the address: the browser knows which it called.
            (Some("same-origin" | "none"), _) => false,
            (Some(_), _) => true,
            (None, None) => false,
            (None, Some(origin)) => !self.is_own(origin),
        }
    }

    /// Whether an origin is the address that was called. HTTPS may have ended before us, in a proxy.
    fn is_own(&self, origin: &str) -> bool {
        let Some((scheme, authority)) = origin.split_once("://") else { return false };
        let is_scheme = scheme.eq_ignore_ascii_case("https") || (!self.secure && scheme.eq_ignore_ascii_case("http"));
        let scheme = scheme.to_ascii_lowercase();
        is_scheme && self.host.is_some_and(|host| normal(&scheme, host) == normal(&scheme, authority))
    }
}

/// Refuses what pages of other origins ask for. GET does no work, and the page cannot read its answer.
pub(in crate::server) async fn check_origin(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let works = ![Method::GET, Method::HEAD, Method::OPTIONS].contains(request.method());
    let state = request.app_data::<web::Data<State>>();
    let allowed = state.map_or(&[][..], |state| state.configuration.cors_origin.as_slice());
    if works && is_foreign(request.request(), allowed) {
        let message = "a page of another origin may not ask this server: name its origin with --cors-origin; if it is \
                       the server's own page behind a proxy, let the proxy hand on the header Host";
        let refusal = refuse(request.request(), &ApiError::new(ErrorCode::ForeignOrigin, message).closing());
        return Ok(request.into_response(refusal));
    }
    Ok(next.call(request).await?.map_into_boxed_body())
}

fn is_foreign(request: &HttpRequest, allowed: &[AllowedOrigin]) -> bool {
    let header = |name: &str| {
        // What is no text is no address of ours.
        let value = request.headers().get(name)?;
        Some(value.to_str().unwrap_or("null"))
    };
    let host = header("host").or_else(|| request.uri().authority().map(|authority| authority.as_str()));
    let secure = request.app_config().secure();
    Provenance { origin: header(header::ORIGIN.as_str()), site: header("sec-fetch-site"), host, secure }
        .is_foreign(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from<'request>(origin: Option<&'request str>, site: Option<&'request str>) -> Provenance<'request> {
        Provenance { origin, site, host: Some("news.example:8080"), secure: false }
    }

    #[test]
    fn own_pages_and_programs_are_no_strangers() {
        let allowed = ["https://ours.example".parse().unwrap()];
        for (origin, site) in [
            (None, None),
            (Some("http://news.example:8080"), None),
            (Some("http://NEWS.example:8080"), None),
            (Some("https://news.example:8080"), None),
            (Some("https://public.example"), Some("same-origin")),
            (None, Some("none")),
            (Some("https://ours.example"), None),
            (Some("https://ours.example"), Some("cross-site")),
        ] {
            assert!(!from(origin, site).is_foreign(&allowed), "{origin:?} {site:?}");
        }
        let any = [AllowedOrigin::Any];
        assert!(!from(Some("null"), Some("cross-site")).is_foreign(&any));
        let usual = |host| Provenance { host: Some(host), ..from(Some("https://news.example"), None) };
        assert!(!usual("news.example").is_foreign(&[]) && !usual("news.example:443").is_foreign(&[]));
    }

    #[test]
    fn others_are() {
        let allowed = ["https://ours.example".parse().unwrap()];
        for (origin, site) in [
            (Some("null"), None),
            (Some(""), None),
            (Some("https://other.example"), None),
            (Some("https://ours.example.other"), None),
            (Some("http://ours.example"), None),
            (Some("http://news.example"), None),
            (Some("http://news.example:80800"), None),
            (Some("ftp://news.example:8080"), None),
            (Some("news.example:8080"), None),
            (Some("http://news.example:8080"), Some("cross-site")),
            (Some("http://news.example:8080"), Some("same-site")),
            (None, Some("cross-site")),
        ] {
            assert!(from(origin, site).is_foreign(&allowed), "{origin:?} {site:?}");
        }
        let nameless = Provenance { host: None, ..from(Some("http://news.example:8080"), None) };
        assert!(nameless.is_foreign(&[]));
        // Nobody between us and the browser has taken HTTPS off.
        let secure = Provenance { secure: true, ..from(Some("http://news.example:8080"), None) };
        assert!(secure.is_foreign(&[]));
    }
}
