//! Faults of ours and of the machine: what becomes of the request, of the others, and of the server.

use std::time::Duration;

use serde_json::json;

use super::http::Request;
use super::process::{Server, serve, tiny_model, wait_until};
use super::{TEXT, check_error, extract};

#[test]
#[cfg(debug_assertions)]
fn a_worker_that_panics_costs_its_own_document() {
    for stage in ["prepare", "run", "decode"] {
        let server = Server::with_fault(stage, "Xanthippe");
        let bad = format!("“I fail,” said Xanthippe. {TEXT}");
        for _ in 0..5 {
            // Among others that are read at the same time, in the same batches.
            let mut connections: Vec<_> = (0..8).map(|_| server.connect()).collect();
            for (number, connection) in connections.iter_mut().enumerate() {
                let text = if number == 3 { &bad } else { TEXT };
                connection.send(&extract(&json!({"documents": [{"id": "a", "text": text}]})).to_bytes());
            }
            for (number, connection) in connections.iter_mut().enumerate() {
                let answer = connection.receive().expect("every request has an answer");
                let result = &answer.json()["results"][0];
                assert_eq!(answer.status, 200, "{stage}: {}", answer.text());
                let failed = result["error"]["code"] == "inference_failed";
                assert_eq!(failed, number == 3, "{stage}: {result}");
            }
        }
        // A request that is nothing but this document.
        check_error(&server.ask(&Request::post("/v1/extract?format=csv", &json!({"text": bad}))), "inference_failed");
        assert_eq!(server.ask(&extract(&json!({"text": TEXT}))).status, 200);
        assert!(server.metric("onrecord_panics_total", &[]) >= 6.0, "{stage}: the faults are counted");
        assert_eq!(server.metric("onrecord_errors_total", &["code=\"inference_failed\""]), 6.0, "{stage}");
        wait_until("nothing waits", || server.metric("onrecord_waiting_documents", &[]) == 0.0);
        assert!(!server.log().contains("Xanthippe"), "the log shows a text");
    }
}

#[test]
fn a_server_without_descriptors_goes_on_when_there_are_some_again() {
    let mut command = std::process::Command::new("sh");
    let template = serve(&["--port", "0", "--model", tiny_model().to_str().unwrap()]);
    command.arg("-c").arg("ulimit -n 60; exec \"$0\" \"$@\"").arg(template.get_program()).args(template.get_args());
    for (name, value) in template.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::null()).stderr(std::process::Stdio::piped());
    let server = Server::run(command);
    wait_until("the server is ready", || server.ask(&Request::get("/health/ready")).status == 200);
    // More than it can have: those beyond wait in the system's queue.
    let crowd: Vec<_> = (0..100).filter_map(|_| std::net::TcpStream::connect(&server.address).ok()).collect();
    assert!(crowd.len() > 60, "too few connections to take all descriptors: {}", crowd.len());
    std::thread::sleep(Duration::from_millis(300));
    drop(crowd);
    wait_until("requests are answered again", || {
        let Ok(stream) = std::net::TcpStream::connect(&server.address) else { return false };
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let mut connection = super::http::Connection::new(stream);
        connection.send(&extract(&json!({"text": TEXT})).to_bytes());
        connection.receive().is_ok_and(|answer| answer.status == 200)
    });
}

#[test]
fn a_batch_with_a_fault_keeps_all_other_documents() {
    #[cfg(debug_assertions)]
    {
        use crate::support::site::{Run, Site};

        let site = Site::new();
        let line = |(id, text): (usize, &str)| json!({"id": id, "text": text}).to_string();
        let texts = ["Ada said no.", "Xanthippe said no.", "Bo said yes."];
        site.write("feed.jsonl", texts.into_iter().enumerate().map(line).collect::<Vec<_>>().join("\n"));
        let run = Run::whatever(site.onrecord(&["extract", "feed.jsonl"]).env("ONRECORD_FAULT", "prepare:Xanthippe"));
        let lines = run.lines();
        let failed: Vec<bool> = lines.iter().map(|line| line["error"]["code"] == "inference_failed").collect();
        assert_eq!((run.code, failed), (1, vec![false, true, false]), "{}", run.stderr);
    }
}
