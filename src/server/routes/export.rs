//! `POST /v1/extract?format=`: the result of one document in a form of other tools.

use std::time::Instant;

use actix_web::HttpResponse;

use crate::engine::service::Service;
use crate::export::{Annotated, Format};
use crate::server::admission::quotas::Quota;
use crate::server::codes::ErrorCode;
use crate::server::errors::ApiError;
use crate::server::requests::body::HeldBody;
use crate::server::requests::budget::Hold;
use crate::server::requests::options::RequestOptions;
use crate::server::requests::results::{Documents, extraction};
use crate::server::requests::run::{off_the_network, run};
use crate::server::state::State;

/// What is asked for.
pub(in crate::server) struct Asked<'a> {
    pub options: &'a RequestOptions,
    pub format: Format,
    pub deadline: Instant,
    pub quota: Option<&'a Quota>,
}

/// Answers with one document. A form that has a place for one result has none for an error: what is wrong with the
/// document is wrong with the request.
pub(in crate::server) async fn answer(
    state: &State,
    service: &Service,
    documents: Documents,
    Asked { options, format, deadline, quota }: Asked<'_>,
    hold: Hold,
) -> Result<HttpResponse, ApiError> {
    let invalid = |message: &str| ApiError::new(ErrorCode::InvalidRequest, message);
    let mut documents = documents.into_iter();
    let (Some(document), None) = (documents.next(), documents.next()) else {
        return Err(invalid("format: a request with a format is for one document; send the others by themselves"));
    };
    let document = document.map_err(|failed| ApiError::from(failed.error))?;
    let want = options.want(service.model())?;
    let answers = run(state, service, quota, vec![document.clone()], want, deadline).await?;
    let failed = |reason: String| ApiError::new(ErrorCode::InferenceFailed, reason);
    let found = answers.into_iter().next().ok_or_else(|| failed("the engine gave no answer".to_owned()))?.found;
    let extraction = options.reduced(extraction(found)?);
    let rendered = off_the_network(document.text.len(), move || {
        let annotated = Annotated::new(&document.id, &document.text, &extraction).map_err(|error| error.to_string())?;
        let mut rendered = Vec::new();
        let written = format.write_head(&mut rendered).and_then(|()| format.write(&annotated, &mut rendered));
        written.map(|()| rendered).map_err(|error| error.to_string())
    });
    let rendered = rendered.await?.map_err(failed)?;
    // The page is no part of this site: it gets no more rights than a file would have.
    let name = format!("attachment; filename=\"extraction{}\"", format.suffix());
    let mut response = HttpResponse::Ok();
    response.content_type(format.media_type()).insert_header(("Content-Disposition", name));
    Ok(response.body(HeldBody::new(rendered, hold)))
}
