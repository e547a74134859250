//! The page at `GET /`, for people: an article goes in, and who said what in it can be seen, checked and corrected.
//!
//! Its files lie in `page/` and are embedded. They hold nothing secret, so they need no key; what they ask the server
//! for does. Nothing on the page comes from anywhere else, and its policy forbids that anything should.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::LazyLock;

use actix_web::http::header::{self, Accept, AcceptEncoding, Encoding, EntityTag, Header, IfNoneMatch};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, web};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Serialize;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::admission::access;

/// What the browser lets the page do: run and show its own files, ask this server, and nothing else. Text can never
/// become markup, because no script may make markup from text.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
    trusted-types 'none'";

const HTML: &str = "text/html; charset=utf-8";

macro_rules! files {
    ($($name:literal: $media:expr),* $(,)?) => {
        /// The files with their media types.
        const FILES: &[(&str, &str, &[u8])] = &[$(($name, $media, include_bytes!(concat!("page/", $name)))),*];
    };
}

const SCRIPT: &str = "text/javascript; charset=utf-8";

files! {
    "index.html": HTML,
    "style.css": "text/css; charset=utf-8",
    "icon.svg": "image/svg+xml",
    "example.txt": "text/plain; charset=utf-8",
    "main.js": SCRIPT,
    "desk.js": SCRIPT,
    "service.js": SCRIPT,
    "annotation.js": SCRIPT,
    "segments.js": SCRIPT,
    "filters.js": SCRIPT,
    "article.js": SCRIPT,
    "selection.js": SCRIPT,
    "people.js": SCRIPT,
    "inspector.js": SCRIPT,
    "notices.js": SCRIPT,
    "exports.js": SCRIPT,
    "elements.js": SCRIPT,
}

/// A file as it goes out.
struct Prepared {
    media: &'static str,
    plain: Encoded,
    packed: Encoded,
}

/// The bytes of a file in one encoding, and the tag by which caches know them.
struct Encoded {
    bytes: Bytes,
    tag: EntityTag,
}

static PREPARED: LazyLock<BTreeMap<&str, Prepared>> =
    LazyLock::new(|| FILES.iter().map(|&(name, media, bytes)| (name, Prepared::new(media, bytes))).collect());

impl Prepared {
    fn new(media: &'static str, bytes: &'static [u8]) -> Self {
        let digest: String = Sha256::digest(bytes).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let plain = Encoded { bytes: Bytes::from_static(bytes), tag: EntityTag::new_strong(digest.clone()) };
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        // Writing into memory does not fail; if it did, the plain bytes would do.
        let packed = match encoder.write_all(bytes).and_then(|()| encoder.finish()) {
            Ok(packed) => Encoded { bytes: packed.into(), tag: EntityTag::new_strong(format!("{digest}-gzip")) },
            Err(_) => Encoded { bytes: plain.bytes.clone(), tag: plain.tag.clone() },
        };
        Self { media, plain, packed }
    }

    /// The file, or the news that the client's copy of it is still good.
    fn respond(&self, request: &HttpRequest) -> HttpResponse {
        let is_packed = accepts_gzip(request);
        let encoded = if is_packed { &self.packed } else { &self.plain };
        if holds(request, &encoded.tag) {
            return head(&mut HttpResponse::NotModified(), &encoded.tag).finish();
        }
        let mut response = HttpResponse::Ok();
        head(&mut response, &encoded.tag).content_type(self.media);
        if is_packed {
            response.insert_header((header::CONTENT_ENCODING, "gzip"));
        }
        response.body(encoded.bytes.clone())
    }
}

/// The headers of all files. A copy may be kept, but it must be asked for whether it is still good: the next version of
/// the program has other files under the same names.
fn head<'response>(
    response: &'response mut HttpResponseBuilder,
    tag: &EntityTag,
) -> &'response mut HttpResponseBuilder {
    response
        .insert_header((header::ETAG, tag.to_string()))
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .insert_header((header::VARY, "Accept, Accept-Encoding"))
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .insert_header(("Cross-Origin-Opener-Policy", "same-origin"))
}

fn accepts_gzip(request: &HttpRequest) -> bool {
    let known = [Encoding::gzip(), Encoding::identity()];
    request.headers().contains_key(header::ACCEPT_ENCODING)
        && AcceptEncoding::parse(request)
            .is_ok_and(|accepted| accepted.negotiate(known.iter()) == Some(Encoding::gzip()))
}

/// Whether the client has what goes by this tag.
fn holds(request: &HttpRequest, tag: &EntityTag) -> bool {
    match IfNoneMatch::parse(request) {
        Ok(IfNoneMatch::Any) => request.headers().contains_key(header::IF_NONE_MATCH),
        Ok(IfNoneMatch::Items(tags)) => tags.iter().any(|held| held.weak_eq(tag)),
        Err(_) => false,
    }
}

/// Whether the client would rather read a page than JSON: only who names HTML is a browser.
fn prefers_html(request: &HttpRequest) -> bool {
    let ranked = Accept::parse(request).map(|accepted| accepted.ranked()).unwrap_or_default();
    let first = ranked.iter().find(|media| {
        let (kind, form) = (media.type_().as_str(), media.subtype().as_str());
        matches!((kind, form), ("text", "html" | "*") | ("application", "json" | "*") | ("*", "*"))
    });
    first.is_some_and(|media| media.type_() == "text")
}

/// Where to find what.
#[derive(Debug, Serialize, ToSchema)]
pub struct Directory {
    /// "onrecord".
    name: &'static str,
    /// For people: this path, in a browser.
    page: &'static str,
    /// Entities, statements and speakers of documents.
    extract: &'static str,
    /// Model, labels, limits, version.
    info: &'static str,
    /// Whether requests are answered.
    health: &'static str,
    /// The interface, to read and try.
    documentation: &'static str,
    /// The interface, for programs.
    description: &'static str,
}

const DIRECTORY: Directory = Directory {
    name: "onrecord",
    page: "/",
    extract: "/v1/extract",
    info: "/info",
    health: "/health",
    documentation: "/docs/",
    description: "/openapi.json",
};

/// The page, for browsers; for programs, where to find what.
#[utoipa::path(get, path = "/", tag = "onrecord", responses(
    (status = 200, description = "The page, if HTML is asked for", content(
        (Directory = "application/json"),
        (String = "text/html"),
    )),
))]
pub(super) async fn root(request: HttpRequest) -> HttpResponse {
    match PREPARED.get("index.html") {
        Some(page) if prefers_html(&request) => page.respond(&request),
        _ => HttpResponse::Ok().insert_header((header::VARY, "Accept, Accept-Encoding")).json(DIRECTORY),
    }
}

/// A file of the page.
pub(super) async fn file(request: HttpRequest, name: web::Path<String>) -> HttpResponse {
    match PREPARED.get(name.as_str()) {
        Some(file) => file.respond(&request),
        None => access::not_found(request).await,
    }
}
