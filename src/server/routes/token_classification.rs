//! `POST /` and `POST /models/{name}`: Hugging Face's form of token classification.

use actix_web::{HttpRequest, HttpResponse, web};

use super::refusals::{PlainBodyRefusal, PlainRefusal};
use crate::engine::EntityScheme;
use crate::engine::service::{Found, Want};
use crate::json::Unambiguous;
use crate::model::Model;
use crate::server::admission::quotas::Quota;
use crate::server::codes::ErrorCode;
use crate::server::errors::{ApiError, Problem};
use crate::server::hugging_face::{Inputs, Member, Parameters, Request, Response, token_classification};
use crate::server::inference_protocol::ProtocolError;
use crate::server::models;
use crate::server::requests::body::{self, HeldBody, JSON};
use crate::server::requests::parsing::json;
use crate::server::requests::run::{check_number, checked, off_the_network, run};
use crate::server::state::State;
use crate::text::Document;

/// Named entities, in the form of the Hugging Face Inference API.
#[utoipa::path(
    post, path = "/", tag = "Hugging Face",
    request_body = Request,
    responses(
        (status = 200, description = "A list for one text, a list of lists for a list of texts", body = Vec<Member>),
        (status = 400, description = "Not JSON", body = ProtocolError),
        (status = 422, description = "JSON of another form", body = ProtocolError),
        PlainBodyRefusal,
        PlainRefusal,
    ),
    security((), ("key" = [])),
)]
pub(in crate::server) async fn default_model(
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<State>,
) -> HttpResponse {
    answer(&request, payload, &state, None).await.unwrap_or_else(|error| error.in_plain_form())
}

/// The same, by name of a model: `onrecord-small` (nine labels) or `onrecord-small-conll4` (four), or what `/info` names.
#[utoipa::path(
    post, path = "/models/{name}", tag = "Hugging Face",
    params(("name" = String, Path, description = "onrecord-small or onrecord-small-conll4, or what /info names")),
    request_body = Request,
    responses(
        (status = 200, description = "A list for one text, a list of lists for a list of texts", body = Vec<Member>),
        (status = 400, description = "Not JSON", body = ProtocolError),
        (status = 404, description = "No such model", body = ProtocolError),
        (status = 422, description = "JSON of another form", body = ProtocolError),
        PlainBodyRefusal,
        PlainRefusal,
    ),
    security((), ("key" = [])),
)]
pub(in crate::server) async fn named_model(
    request: HttpRequest,
    name: web::Path<String>,
    payload: web::Payload,
    state: web::Data<State>,
) -> HttpResponse {
    answer(&request, payload, &state, Some(&name)).await.unwrap_or_else(|error| error.in_plain_form())
}

async fn answer(
    request: &HttpRequest,
    payload: web::Payload,
    state: &web::Data<State>,
    name: Option<&str>,
) -> Result<HttpResponse, ApiError> {
    let service = state.service().map_err(ApiError::closing)?;
    let scheme =
        name.map(|name| models::scheme(service.model(), name)).transpose().map_err(ApiError::closing)?.flatten();
    body::check_type(request, &[JSON])?;
    let (deadline, quota) = (state.deadline(request)?, Quota::of(request));
    let window = service.window_tokens();
    let (body, hold) = body::read(request, payload, state.body_limits(), &state.budget, &state.ending).await?;
    service.check_room()?;
    let size = body.len();
    let invalid = |message| ApiError::new(ErrorCode::InvalidRequest, message);
    let parsed =
        off_the_network(size, move || json::<Unambiguous>(&body).map(|Unambiguous(body)| Request::try_from(body)))
            .await??;
    let Request { inputs, parameters } = parsed.map_err(invalid)?;
    parameters.check(window).map_err(invalid)?;
    let (texts, is_list) = match inputs {
        Inputs::One(text) => (vec![text], false),
        Inputs::Many(texts) => (texts, true),
    };
    check_number(texts.len(), &state.configuration)?;
    // The pipeline finds nothing in a blank text; here it is no document.
    let blank = |text: &String| text.trim().is_empty();
    let documents: Vec<Document> = texts
        .iter()
        .filter(|text| !blank(text))
        .map(|text| checked(String::new(), text.clone(), &state.configuration))
        .collect::<Result<_, Problem>>()?;
    let answers = run(state, &service, quota.as_ref(), documents, Want::Tags(scheme), deadline).await?;
    let rendered = off_the_network(size, move || {
        let mut answers = answers.into_iter();
        let items = texts.iter().map(|text| {
            let answer = if blank(text) { None } else { answers.next() };
            let found = answer.map(|answer| answer.found).transpose().map_err(|error| Problem::from(&error))?;
            let tokens = match found {
                Some(Found::Tags(tokens)) => tokens,
                _ => Vec::new(),
            };
            items(service.model(), scheme, text, &tokens, &parameters)
        });
        let mut items = items.collect::<Result<Vec<_>, ApiError>>()?;
        let response = if is_list { Response::Many(items) } else { Response::One(items.pop().unwrap_or_default()) };
        serde_json::to_vec(&response).map_err(|error| ApiError::new(ErrorCode::InferenceFailed, error.to_string()))
    });
    let rendered = rendered.await??;
    Ok(HttpResponse::Ok().content_type("application/json").body(HeldBody::new(rendered, hold)))
}

fn items(
    model: &Model,
    scheme: Option<EntityScheme>,
    text: &str,
    tokens: &[crate::decode::TaggedToken],
    parameters: &Parameters,
) -> Result<Vec<crate::server::hugging_face::Item>, ApiError> {
    let failed = |reason: String| ApiError::new(ErrorCode::InferenceFailed, reason);
    let scheme = model.entity_head(scheme.map(EntityScheme::name)).and_then(|head| model.scheme(head));
    let scheme = scheme.map_err(|error| failed(error.to_string()))?;
    token_classification(model.tokenizer(), scheme, text, tokens, parameters).map_err(|error| failed(error.to_string()))
}
