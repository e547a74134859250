//! Thousands of clients at the same time: each has an answer, and the server has as much memory as before.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::json;

use super::http::{Connection, Request};
use super::process::Server;
use super::{TEXT, extract};
use crate::support::results::check;

const CLIENTS: usize = 2_000;

#[test]
fn two_thousand_clients_have_answers() {
    let server = Server::embedded(&["--max-waiting-documents", "300", "--max-wait", "60s"]);
    // Each text is another one, so that an answer cannot be somebody else's.
    let text = |client: usize| format!("Client {client}. {TEXT} {}", "More was said. ".repeat(client % 20));
    let mut counts: BTreeMap<u16, usize> = BTreeMap::new();
    let mut connections: Vec<_> = (0..CLIENTS).map(|_| server.connect()).collect();
    let send = |(client, connection): (usize, &mut Connection<_>)| {
        connection.send(&extract(&json!({"documents": [{"id": client, "text": text(client)}]})).to_bytes());
    };
    connections.iter_mut().enumerate().for_each(send);
    for (client, connection) in connections.iter_mut().enumerate() {
        let response = connection.receive().unwrap_or_else(|error| panic!("client {client} has no answer: {error}"));
        *counts.entry(response.status).or_default() += 1;
        match response.status {
            200 => {
                let result = &response.json()["results"][0];
                assert_eq!(result["id"], client.to_string());
                check(result, &text(client));
            }
            _ => {
                super::check_error(&response, "overloaded");
                assert!(response.header("Retry-After").is_some());
            }
        }
    }
    assert!(counts[&200] >= 300, "{counts:?}");
    assert!(counts.contains_key(&429), "nobody was refused: nothing was tested");
    let peak = server.mebibytes("VmHWM");
    assert!(peak < 400, "{peak} MiB");
    // All of them are still there, and the server is well.
    assert_eq!(server.ask(&Request::get("/health/ready")).status, 200);
    assert_eq!(server.ask(&extract(&json!({"text": TEXT}))).status, 200);
    for gone in ["waiting_documents", "waiting_tokens", "held_bytes", "requests_in_flight"] {
        super::process::wait_until(gone, || server.metric(&format!("onrecord_{gone}"), &[]) == 0.0);
    }
}

#[test]
fn two_thousand_slow_clients_hold_little() {
    let server = Server::tiny(&[]);
    let before = server.mebibytes("VmRSS");
    let body = json!({"text": TEXT.repeat(20)}).to_string();
    let head = Request::json("/v1/extract").header("Content-Length", &body.len().to_string()).to_bytes();
    let mut connections: Vec<_> = (0..CLIENTS).map(|_| server.connect()).collect();
    connections.iter_mut().for_each(|connection| connection.send(&head));
    assert_eq!(server.ask(&extract(&json!({"text": TEXT}))).status, 200, "slow clients keep others out");
    let after = server.mebibytes("VmRSS");
    assert!(after < before + 100, "memory grew from {before} to {after} MiB");
    for (number, connection) in connections.iter_mut().enumerate().step_by(100) {
        connection.send(body.as_bytes());
        assert_eq!(connection.receive().unwrap().status, 200, "client {number}");
    }
    drop(connections);
    super::process::wait_until("they are forgotten", || server.metric("onrecord_requests_in_flight", &[]) == 0.0);
    assert_eq!(server.metric("onrecord_held_bytes", &[]), 0.0);
}

#[test]
#[ignore = "needs 10,100 open files here and there: scripts/test-long crowd"]
fn ten_thousand_idle_connections_cost_little() {
    const IDLE: usize = 10_000;
    let most = (IDLE + 100).to_string();
    let server = Server::embedded(&["--max-connections", &most, "--keep-alive", "20s", "--header-timeout", "20s"]);
    let median = || {
        let times = (0..50).map(|_| {
            let started = Instant::now();
            assert_eq!(server.ask(&extract(&json!({"text": TEXT}))).status, 200);
            started.elapsed()
        });
        let mut times: Vec<_> = times.collect();
        times.sort_unstable();
        times[times.len() / 2]
    };
    let (alone, before) = (median(), server.mebibytes("VmRSS"));
    // Half of them have asked something and keep their connection, the others have never said a word.
    let mut connections: Vec<_> = (0..IDLE).map(|_| server.connect()).collect();
    for connection in connections.iter_mut().step_by(2) {
        assert_eq!(connection.ask(&Request::get("/health/live")).status, 200);
    }
    let (beside, after) = (median(), server.mebibytes("VmRSS"));
    eprintln!("{IDLE} idle connections: {} MiB more, {beside:?} a request, {alone:?} without them", after - before);
    assert!(after < before + 150, "memory grew from {before} to {after} MiB");
    assert!(beside < alone * 2 + Duration::from_millis(5), "{beside:?}, and {alone:?} alone");
    // They are closed when their time is over, those that said nothing too.
    for (number, connection) in connections.iter_mut().enumerate() {
        // Some are told why first, with 408.
        let told = connection.receive();
        assert!(told.is_err() || connection.is_closed(), "connection {number} stays open: {told:?}");
    }
    assert_eq!(server.ask(&extract(&json!({"text": TEXT}))).status, 200);
}
