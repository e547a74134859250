//! `onrecord serve`, black box: the program is started, spoken to over HTTP, and ended.
//!
//! Most tests run the tiny model, which starts at once; those that need time to pass, or results that mean something,
//! run the embedded one.

mod access;
mod answers;
mod clients;
mod crowd;
mod endings;
mod errors;
mod exports;
mod faults;
pub mod http;
mod leaving;
mod limits;
mod malformed;
mod page;
mod pages;
mod pressure;
mod privacy;
pub mod process;
mod quotas;
mod reload;
mod startup;
mod status;
mod streams;
mod tls;
mod token_classifier;
mod unread;

use onrecord::server::ErrorCode;
use serde_json::{Value, json};

use crate::goldens::{ARTICLES, article};
use http::{Request, Response};

/// A short text.
const TEXT: &str = "“The pier is beyond repair,” said Claire Moreau.";

/// Texts on which offset arithmetic stumbles.
const ODD_TEXTS: [&str; 3] = [
    "🚂🇫🇷 “Trains 👩🏽‍🚒 run,” said Zoë Ŝmit 🦀 in Z\u{fc}rich. She e\u{301}xpects 🎉 more 🚂 by May.",
    "\u{feff}Ada Byron spoke.\r\n\r\n“We will go 🎈,” she said,\r\n“but not to Par\u{301}is.”\r\n",
    "中国 said 北京 was ready.\u{2028}\u{a0}ﬁre İstanbul ẞtraße \u{1d54f}\u{1d54f} said so\u{200b}too.",
];

fn extract(body: &Value) -> Request {
    Request::post("/v1/extract", body)
}

/// News of at least so many bytes.
fn long_text(bytes: usize) -> String {
    let mut text = String::new();
    for name in ARTICLES.iter().cycle() {
        text += &article(name);
        text += "\n\n";
        if text.len() >= bytes {
            break;
        }
    }
    text
}

/// Tokens that a server has run so far: what tells better than a clock whether work was let go, on any machine.
fn tokens_run(server: &process::Server) -> f64 {
    server.metric("onrecord_batch_tokens_sum", &[])
}

fn status_of(code: &str) -> u16 {
    let known = ErrorCode::ALL.iter().find(|known| known.name() == code);
    known.unwrap_or_else(|| panic!("{code} is not in the list")).status().as_u16()
}

/// Checks an error of this code in the server's own form; returns its message.
fn check_error(response: &Response, code: &str) -> String {
    let body = response.json();
    assert_eq!((body["error"]["code"].as_str(), response.status), (Some(code), status_of(code)), "{body}");
    check_problem(&body["error"]);
    assert_eq!(body.as_object().unwrap().len(), 1, "{body}");
    body["error"]["message"].as_str().unwrap().to_owned()
}

/// Checks the form of what went wrong.
fn check_problem(problem: &Value) {
    let fields = problem.as_object().unwrap();
    assert!(fields.keys().all(|name| ["code", "message", "details"].contains(&name.as_str())), "{problem}");
    assert!(problem["message"].as_str().is_some_and(|message| message.len() > 10), "{problem}");
    assert!(fields.get("details").is_none_or(Value::is_object), "{problem}");
}

/// Checks an error with this code's status in the form of other servers' clients.
fn check_plain_error(response: &Response, code: &str) {
    let body = response.json();
    assert_eq!(response.status, status_of(code), "{body}");
    let text = body["error"].as_str().expect("the error is a text");
    assert_eq!(body, json!({"error": text}));
    assert!(text.len() > 10, "{text}");
}
