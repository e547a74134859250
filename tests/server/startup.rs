//! How a server starts, where it listens, and what it says if it cannot.

use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::process::Output;
use std::time::{Duration, Instant};

use serde_json::json;

use super::http::{Connection, Request};
use super::process::{LONG, Server, serve, tiny_model, wait_until};
use super::tls::Authority;
use super::{TEXT, extract};

/// A run that ends by itself.
fn run(arguments: &[&str]) -> (i32, String) {
    let mut child = serve(arguments).spawn().expect("the server starts");
    let started = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if started.elapsed() > LONG {
            child.kill().unwrap();
            panic!("{arguments:?}: it goes on: {:?}", child.wait_with_output());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let Output { status, stderr, .. } = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(stderr).expect("messages are UTF-8");
    assert!(!stderr.contains("panicked"), "{stderr}");
    (status.code().expect("no signal ended it"), stderr)
}

#[test]
fn it_says_where_it_listens() {
    let server = Server::tiny(&[]);
    let first = server.log().lines().next().map(str::to_owned);
    assert_eq!(first, Some(format!("listening on http://{}", server.address)));
    assert!(server.address.starts_with("127.0.0.1:") && !server.address.ends_with(":0"), "{}", server.address);
    assert!(!server.log().contains("WARN"), "{}", server.log());
}

#[test]
fn an_open_door_is_warned_of() {
    let warns = |arguments: &[&str]| {
        let mut server = Server::spawn(&[&["--model", tiny_model().to_str().unwrap()], arguments].concat());
        server.address = server.address.replace("0.0.0.0", "127.0.0.1");
        wait_until("it is ready", || server.log().contains("ready"));
        server.log().contains("WARN") && server.log().contains("--api-key")
    };
    assert!(warns(&["--host", "0.0.0.0"]));
    assert!(!warns(&["--host", "0.0.0.0", "--api-key", "key"]));
    assert!(!warns(&["--host", "127.0.0.1"]));
}

#[test]
fn a_unix_socket_will_do() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("socket");
    let ask = |request: &Request| {
        let stream = UnixStream::connect(&path).expect("the server accepts connections");
        stream.set_read_timeout(Some(LONG)).unwrap();
        Connection::new(stream).ask(request)
    };
    let arguments = ["--model", tiny_model().to_str().unwrap(), "--uds", path.to_str().unwrap()];
    for _ in 0..2 {
        let server = Server::spawn(&arguments);
        assert_eq!(server.address, format!("unix:{}", path.display()));
        wait_until("it is ready", || ask(&Request::get("/health/ready")).status == 200);
        assert_eq!(ask(&extract(&json!({"text": TEXT}))).status, 200);
        // Where one listens, another one does not push it aside.
        let (code, message) = run(&arguments);
        assert_eq!(code, 2, "{message}");
        assert!(message.contains(path.to_str().unwrap()), "{message}");
        assert_eq!(ask(&Request::get("/health")).status, 200, "the first has lost its socket");
        // It is killed, and leaves its socket behind.
        drop(server);
        assert!(path.exists());
    }
    // Told to stop, it takes its socket with it; but not that of another who has taken the place.
    let ready = || wait_until("it is ready", || ask(&Request::get("/health/ready")).status == 200);
    let mut server = Server::spawn(&arguments);
    ready();
    server.signal("TERM");
    assert_eq!((server.wait().code(), path.exists()), (Some(0), false));
    let mut server = Server::spawn(&arguments);
    ready();
    std::fs::remove_file(&path).unwrap();
    let other = Server::spawn(&arguments);
    server.signal("TERM");
    assert_eq!((server.wait().code(), path.exists()), (Some(0), true));
    drop(other);
    // A file that is no socket is not deleted.
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, "precious").unwrap();
    let (code, message) = run(&arguments);
    assert_eq!((code, std::fs::read_to_string(&path).ok().as_deref()), (2, Some("precious")), "{message}");
}

#[test]
fn https_is_spoken_if_there_is_a_certificate() {
    let authority = Authority::new();
    let server = authority.serve(&[]);
    assert!(server.log().contains("listening on https://127.0.0.1:"), "{}", server.log());
    let ask = |request: &Request| Connection::new(authority.dial(&server, &[])).ask(request);
    wait_until("it is ready", || ask(&Request::get("/health/ready")).status == 200);
    let response = ask(&extract(&json!({"text": TEXT})));
    assert_eq!((response.status, &response.json()["results"][0]["id"]), (200, &json!("0")));
    // Plain HTTP finds no answer there, and does no harm.
    let mut plain = server.connect();
    plain.send(&Request::get("/health").to_bytes());
    assert!(plain.receive().is_err());
    assert_eq!(ask(&Request::get("/health")).status, 200);

    let path = |name: &str| authority.path(name).to_str().unwrap().to_owned();
    std::fs::write(path("empty.pem"), "").unwrap();
    for (certificate, key, wrong) in [
        ("cert.pem", "empty.pem", "empty.pem"),
        ("empty.pem", "key.pem", "empty.pem"),
        ("missing.pem", "key.pem", "missing.pem"),
        ("key.pem", "key.pem", "key.pem"),
    ] {
        let (code, message) = run(&["--port", "0", "--tls-cert", &path(certificate), "--tls-key", &path(key)]);
        assert_eq!(code, 2, "{certificate} {key}: {message}");
        assert!(message.contains(wrong), "{message}");
    }
}

#[test]
fn a_port_in_use_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let (code, message) = run(&["--port", &port]);
    assert_eq!(code, 2, "{message}");
    assert!(message.contains(&format!("127.0.0.1:{port}")) && message.contains("in use"), "{message}");
    let (code, message) = run(&["--host", "no.such.host.invalid"]);
    assert_eq!(code, 2, "{message}");
    assert!(message.contains("no.such.host.invalid"), "{message}");
}

#[test]
fn keys_that_cannot_be_read_keep_the_door_shut() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("keys").to_str().unwrap().to_owned();
    let (code, message) = run(&["--port", "0", "--api-key-file", &path]);
    assert_eq!(code, 2, "{message}");
    assert!(message.contains(&path), "{message}");
    std::fs::write(&path, " \n\n").unwrap();
    let (code, message) = run(&["--port", "0", "--api-key-file", &path]);
    assert!(code == 2 && message.contains("holds no key"), "{code}: {message}");
    let (code, message) = run(&["--port", "0", "--api-key", ""]);
    assert!(code == 2 && message.contains("empty"), "{code}: {message}");
}

#[test]
fn a_model_that_cannot_be_loaded_ends_the_server() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_str().unwrap();
    let (code, message) = run(&["--port", "0", "--model", path]);
    assert_eq!(code, 3, "{message}");
    assert!(message.contains(path), "{message}");
}

#[test]
fn wrong_values_are_wrong_usage() {
    for (flag, value) in [
        ("--max-body-bytes", "0"),
        ("--max-body-bytes", "10MB"),
        ("--max-documents", "-1"),
        ("--max-characters", "0"),
        ("--max-waiting-documents", "0"),
        ("--max-waiting-tokens", "many"),
        ("--max-wait", "0s"),
        ("--max-held-bytes", "0"),
        ("--max-connections", "0"),
        ("--max-batch-tokens", "0"),
        ("--request-timeout", "soon"),
        ("--header-timeout", "0s"),
        ("--body-timeout", "-1s"),
        ("--stream-idle-timeout", ""),
        ("--keep-alive", "1h"),
        ("--drain-timeout", "NaN"),
        ("--log-format", "xml"),
        ("--log", "loud=very=much"),
        ("--threads", "0"),
        ("--max-window", "2"),
    ] {
        let (code, message) = run(&["--port", "0", &format!("{flag}={value}")]);
        assert_eq!(code, 2, "{flag} {value}: {message}");
        assert!(message.contains(flag) && message.contains(value), "{flag} {value}: {message}");
    }
    for arguments in [
        &["--port", "70000"][..],
        &["--port", "http"],
        &["--tls-cert", "x"],
        &["--tls-key", "x"],
        &["--uds", "x", "--tls-cert", "x", "--tls-key", "x"],
    ] {
        let (code, message) = run(arguments);
        assert_eq!(code, 2, "{arguments:?}: {message}");
    }
}
