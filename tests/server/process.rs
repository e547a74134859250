//! The server as a process of its own: started on a free port, looked at from outside, ended with the test.

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, LazyLock, Mutex};

use super::http::{Connection, Lines, Request, Response};
pub use crate::support::{LONG, wait_until};
use crate::support::{onrecord, tiny};

/// The directory of the tiny model.
pub fn tiny_model() -> &'static PathBuf {
    static MODEL: LazyLock<PathBuf> = LazyLock::new(|| {
        let files = tiny::files();
        let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("tiny-model");
        std::fs::create_dir_all(&directory).expect("the directory can be made");
        let weights = &files.weights[0];
        for (name, bytes) in
            [("config.json", &files.config), ("tokenizer.json", &files.tokenizer), ("model.safetensors", weights)]
        {
            // Whole or not at all: another run of the tests may be reading it.
            let unfinished = directory.join(format!("{name}.{}", std::process::id()));
            std::fs::write(&unfinished, bytes).expect("the file can be written");
            std::fs::rename(unfinished, directory.join(name)).expect("the file can be renamed");
        }
        directory
    });
    &MODEL
}

/// `onrecord serve` with these arguments, in an environment without settings of ours.
pub fn serve(arguments: &[&str]) -> Command {
    let template = onrecord();
    let mut command = Command::new(template.get_program());
    template.get_envs().filter(|(_, value)| value.is_none()).for_each(|(name, _)| {
        command.env_remove(name);
    });
    command.arg("serve").args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

/// A running server; killed when dropped.
pub struct Server {
    child: Child,
    /// Where it listens, as it says itself.
    pub address: String,
    log: Arc<Mutex<String>>,
    /// Panics are what is tested.
    fails_on_demand: bool,
}

impl Server {
    /// A server with the tiny model, which is ready.
    pub fn tiny(arguments: &[&str]) -> Self {
        Self::with_model(tiny_model(), arguments)
    }

    /// A server with the model in a directory, which is ready.
    pub fn with_model(directory: &Path, arguments: &[&str]) -> Self {
        let server = Self::spawn(&[&["--model", directory.to_str().expect("the path is UTF-8")], arguments].concat());
        server.wait_until_ready();
        server
    }

    /// A server with the embedded model, which is ready.
    pub fn embedded(arguments: &[&str]) -> Self {
        let server = Self::spawn(arguments);
        server.wait_until_ready();
        server
    }

    /// A server that listens, and is perhaps not ready yet.
    pub fn spawn(arguments: &[&str]) -> Self {
        Self::run(serve(&[&["--port", "0"], arguments].concat()))
    }

    /// A server with the tiny model that is ready, and of which documents with a word make it fail at a stage.
    #[cfg(debug_assertions)]
    pub fn with_fault(stage: &str, word: &str) -> Self {
        let mut command = serve(&["--port", "0", "--model", tiny_model().to_str().expect("the path is UTF-8")]);
        command.env("ONRECORD_FAULT", format!("{stage}:{word}"));
        let mut server = Self::run(command);
        server.fails_on_demand = true;
        server.wait_until_ready();
        server
    }

    /// A server that was told everything.
    pub fn run(mut command: Command) -> Self {
        let mut child = command.spawn().expect("the server starts");
        let log = Arc::new(Mutex::new(String::new()));
        let mut lines = BufReader::new(child.stderr.take().expect("standard error is a pipe"));
        let written = Arc::clone(&log);
        // Ends when the server does.
        std::thread::spawn(move || {
            let mut line = Vec::new();
            while lines.read_until(b'\n', &mut line).is_ok_and(|bytes| bytes > 0) {
                written.lock().unwrap().push_str(&String::from_utf8_lossy(&line));
                line.clear();
            }
        });
        let mut server = Self { child, address: String::new(), log, fails_on_demand: false };
        let mut address = None;
        wait_until("the server listens", || {
            let log = server.log();
            address = log.lines().find_map(|line| line.strip_prefix("listening on ")).map(str::to_owned);
            assert!(server.child.try_wait().unwrap().is_none() || address.is_some(), "it has ended: {log}");
            // The line may be there in part.
            address.is_some() && log.ends_with('\n')
        });
        let address = address.unwrap();
        server.address = address.trim_start_matches("http://").trim_start_matches("https://").to_owned();
        server
    }

    fn wait_until_ready(&self) {
        wait_until("the server is ready", || self.ask(&Request::get("/health/ready")).status == 200);
    }

    /// What it has written to standard error so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    pub fn dial(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).expect("the server accepts connections");
        stream.set_read_timeout(Some(LONG)).unwrap();
        stream.set_write_timeout(Some(LONG)).unwrap();
        stream.set_nodelay(true).unwrap();
        stream
    }

    pub fn connect(&self) -> Connection<TcpStream> {
        Connection::new(self.dial())
    }

    /// Sends a request on a connection of its own.
    pub fn ask(&self, request: &Request) -> Response {
        self.connect().ask(request)
    }

    /// Starts a stream of lines.
    pub fn lines(&self, target: &str) -> Lines {
        Lines::open(self.connect(), target, &[])
    }

    /// The sum of a metric over all its labels that contain these words.
    pub fn metric(&self, name: &str, labels: &[&str]) -> f64 {
        let response = self.ask(&Request::get("/metrics"));
        let values = response.text().lines().filter_map(|line| {
            let (key, value) = line.rsplit_once(' ')?;
            let rest = key.strip_prefix(name)?;
            let is_it = rest.is_empty() || rest.starts_with('{');
            (is_it && labels.iter().all(|label| rest.contains(label))).then(|| value.parse::<f64>().unwrap())
        });
        values.sum()
    }

    /// Memory, from `/proc`, in MiB: `VmRSS` or `VmHWM`.
    pub fn mebibytes(&self, name: &str) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("this is Linux");
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).expect("it is there");
        let kibibytes: usize = line.split_whitespace().next().unwrap().parse().unwrap();
        kibibytes / 1024
    }

    /// Sends a signal: `TERM`, `HUP`.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([format!("-{name}"), self.child.id().to_string()]).status();
        assert!(sent.expect("there is a kill command").success());
    }

    /// How it ended, once it has.
    pub fn wait(&mut self) -> ExitStatus {
        let mut status = None;
        wait_until("the server ends", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if !std::thread::panicking() {
            let log = self.log();
            assert!(self.fails_on_demand || !log.contains("panicked"), "{log}");
        } else {
            eprintln!("the server's log:\n{}", self.log());
        }
    }
}
