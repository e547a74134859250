//! Another model, and other keys, under a running server.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::http::Request;
use super::process::{Server, tiny_model, wait_until};
use super::{TEXT, check_error, extract};

/// A directory with the tiny model under another name.
fn place() -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    for name in ["config.json", "tokenizer.json", "model.safetensors"] {
        std::fs::copy(tiny_model().join(name), place.path().join(name)).unwrap();
    }
    rename(place.path(), "first");
    place
}

fn rename(model: &Path, name: &str) {
    let path = model.join("config.json");
    let mut config: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    config["name"] = json!(name);
    std::fs::write(path, config.to_string()).unwrap();
}

fn reload() -> Request {
    Request::new("POST", "/admin/reload").header("Authorization", "Bearer key").header("Content-Length", "0")
}

fn with_key(request: Request) -> Request {
    request.header("Authorization", "Bearer key")
}

fn name(model: &Value) -> String {
    model["model"].as_str().unwrap().split('@').next().unwrap().to_owned()
}

#[test]
fn a_new_model_takes_over_and_no_request_fails() {
    let place = place();
    let server = Server::with_model(place.path(), &["--api-key", "key"]);
    let (stop, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    let mut seen = Vec::new();
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..4)
            .map(|client| {
                let (server, stop, answered) = (&server, &stop, &answered);
                scope.spawn(move || {
                    let mut connection = server.connect();
                    let mut names: Vec<String> = Vec::new();
                    while !stop.load(Ordering::Relaxed) {
                        let text = format!("Client {client}. {}", TEXT.repeat(client * 20 + 1));
                        let response = connection.ask(&with_key(extract(&json!({"text": text}))));
                        assert_eq!(response.status, 200, "{}", response.text());
                        let body = response.json();
                        // The answer says which model gave it, and means it.
                        assert_eq!(body["model"], body["results"][0]["model"]);
                        names.push(name(&body));
                        answered.fetch_add(1, Ordering::Relaxed);
                    }
                    names
                })
            })
            .collect();
        // The server goes on meanwhile, whatever becomes of the model.
        let go_on = |by: usize| {
            let before = answered.load(Ordering::Relaxed);
            wait_until("requests are answered", || answered.load(Ordering::Relaxed) >= before + by);
        };
        go_on(20);
        for (number, model) in ["second", "third", "fourth"].into_iter().enumerate() {
            rename(place.path(), model);
            if number == 1 {
                server.signal("HUP");
                wait_until("the model is changed", || {
                    name(&server.ask(&with_key(Request::get("/info"))).json()) == model
                });
            } else {
                let answer = server.ask(&reload());
                assert_eq!((answer.status, name(&answer.json())), (200, model.to_owned()));
                assert_eq!((&answer.json()["changed"], &answer.json()["keys"]), (&json!(true), &json!(1)));
            }
            go_on(20);
        }
        stop.store(true, Ordering::Relaxed);
        for client in clients {
            seen.extend(client.join().expect("no request failed"));
        }
    });
    for model in ["first", "second", "third", "fourth"] {
        assert!(seen.iter().any(|name| name == model), "{model} answered nothing");
    }
    wait_until("the old models are gone", || server.log().matches("the old model is gone").count() == 3);
    assert_eq!(server.metric("onrecord_errors_total", &[]), 0.0);
}

#[test]
fn another_tokenizer_or_configuration_is_another_model() {
    let place = place();
    let server = Server::with_model(place.path(), &["--api-key", "key"]);
    let mut models = vec![server.ask(&with_key(Request::get("/info"))).json()["model"].clone()];
    for file in ["tokenizer.json", "config.json"] {
        let path = place.path().join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replacen('{', "{ ", 1)).unwrap();
        let answer = server.ask(&reload()).json();
        assert_eq!(answer["changed"], json!(true), "{file}");
        assert!(!models.contains(&answer["model"]), "{file}: {answer}");
        models.push(answer["model"].clone());
    }
}

#[test]
fn a_model_that_cannot_be_used_leaves_the_old_one_at_work() {
    let place = place();
    let server = Server::with_model(place.path(), &["--api-key", "key"]);
    assert_eq!(server.ask(&reload()).json()["changed"], json!(false));
    std::fs::write(place.path().join("model.safetensors"), b"no weights").unwrap();
    let message = check_error(&server.ask(&reload()), "reload_failed");
    assert!(message.contains("model.safetensors") && message.contains("goes on"), "{message}");
    server.signal("HUP");
    wait_until("the fault is reported", || server.log().contains("the signal to read model and keys again"));
    let answer = server.ask(&with_key(extract(&json!({"text": TEXT})))).json();
    assert_eq!(name(&answer), "first");
}

#[test]
fn those_who_ask_and_go_start_no_more_than_one_at_a_time() {
    // The turn was over when the client had gone, and not when the work was done.
    let server = Server::embedded(&["--api-key", "key"]);
    for _ in 0..12 {
        server.connect().send(&reload().to_bytes());
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    wait_until("the last one is over", || server.ask(&reload()).status == 200);
    let read = server.log().matches("the model is the one that runs already").count();
    assert!((1..12).contains(&read), "the model was read {read} times");
}

#[test]
fn it_takes_a_key_and_one_at_a_time() {
    let open = Server::tiny(&[]);
    let message = check_error(&open.ask(&reload()), "forbidden");
    assert!(message.contains("--api-key-file") && message.contains("SIGHUP"), "{message}");
    let server = Server::embedded(&["--api-key", "key"]);
    let wrong = Request::new("POST", "/admin/reload").header("Authorization", "Bearer other");
    check_error(&server.ask(&wrong.header("Content-Length", "0")), "unauthorized");
    // The embedded model takes its time to be read: of many who ask at once, somebody comes too early.
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let ask = || server.ask(&reload()).status;
        let asking: Vec<_> = (0..16).map(|_| scope.spawn(ask)).collect();
        asking.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(statuses.iter().all(|status| [200, 409].contains(status)), "{statuses:?}");
    assert!(statuses.contains(&200) && statuses.contains(&409), "{statuses:?}");
}
