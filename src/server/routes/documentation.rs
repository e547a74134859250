//! The description of the interface, made from the code that answers: OpenAPI, and a page to read and try it.

use actix_web::web;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_swagger_ui::SwaggerUi;

use super::{extract, kserve, reload, status, token_classification};
use crate::export::Format;
use crate::server::page;
use crate::server::requests::results;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "onrecord",
        description = "Reads news text and tells its named entities and who said what. Offsets are half-open; \
                       `text[start..end]`, in the unit that was asked for, is exactly the `text` shown.",
    ),
    paths(
        extract::extract, page::root,
        token_classification::default_model, token_classification::named_model,
        kserve::server, kserve::live, kserve::ready,
        kserve::model, kserve::model_version, kserve::model_ready, kserve::model_version_ready,
        kserve::infer, kserve::infer_version,
        reload::endpoint, status::overall, status::live, status::ready, status::info, status::prometheus,
    ),
    components(schemas(Format, results::FailedDocument)),
    tags((name = "onrecord"), (name = "Hugging Face"), (name = "Open Inference Protocol"), (name = "status")),
    modifiers(&Key),
)]
struct Description;

/// The API key, where there is one.
struct Key;

impl Modify for Key {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        let components = description.components.get_or_insert_with(Default::default);
        components.add_security_scheme("key", SecurityScheme::Http(scheme));
    }
}

/// `/openapi.json` and `/docs`.
pub(in crate::server) fn routes(configuration: &mut web::ServiceConfig) {
    let page = SwaggerUi::new("/docs/{_:.*}").url("/openapi.json", Description::openapi());
    configuration.service(web::redirect("/docs", "/docs/")).service(page);
}
