//! A hub on loopback: honest, or lying in one way.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use serde_json::json;
use sha1::Digest as _;

/// The commit that every branch of every model is at.
pub const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// What the hub does wrong, about the file of a name where one is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lie {
    None,
    /// The contents have another hash.
    Contents(&'static str),
    /// The file is in the list, and not there.
    Gone(&'static str),
    /// The connection breaks off in the middle.
    Cut(&'static str),
    /// The connection stays open, and nothing comes.
    Silence(&'static str),
    /// The file's tag is a path.
    Tag(&'static str),
    /// The file belongs to another commit.
    Commit(&'static str),
    /// It is larger than it says, and its tag is no hash.
    Size(&'static str),
    /// The list names a path as the commit.
    List,
    /// A redirection to nowhere.
    Nowhere(&'static str),
    /// It refuses everybody.
    Refusal,
}

/// A request, as far as it matters.
#[derive(Debug, Clone)]
pub struct Asked {
    pub path: String,
    /// The first byte that was asked for.
    pub from: usize,
    pub authorization: Option<String>,
}

/// Files by name.
pub type Files = BTreeMap<String, Vec<u8>>;

struct Shared {
    models: BTreeMap<&'static str, Files>,
    lie: Lie,
    asked: Mutex<Vec<Asked>>,
    ends: AtomicBool,
}

pub struct FakeHub {
    shared: Arc<Shared>,
    address: String,
    thread: Option<JoinHandle<()>>,
}

impl FakeHub {
    pub fn start(models: impl IntoIterator<Item = (&'static str, Files)>, lie: Lie) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a port");
        let address = listener.local_addr().expect("it has an address").to_string();
        let shared = Arc::new(Shared {
            models: models.into_iter().collect(),
            lie,
            asked: Mutex::default(),
            ends: AtomicBool::new(false),
        });
        let thread = {
            let shared = Arc::clone(&shared);
            std::thread::spawn(move || {
                for stream in listener.incoming().flatten() {
                    if shared.ends.load(Ordering::SeqCst) {
                        return;
                    }
                    let shared = Arc::clone(&shared);
                    // A client that has gone is no fault.
                    std::thread::spawn(move || drop(answer_all(&shared, &stream)));
                }
            })
        };
        Self { shared, address, thread: Some(thread) }
    }

    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Requests so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.shared.asked.lock().expect("nobody panicked").clone()
    }

    /// Requests for contents of files, without those for their sizes and tags.
    pub fn downloads(&self) -> Vec<Asked> {
        let asked = self.asked().into_iter();
        // The client asks for a file's first byte to learn of it, and then for the whole.
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        asked
            .filter(|asked| asked.path.contains("/resolve/"))
            .filter(|asked| {
                let count = seen.entry(asked.path.clone()).or_default();
                *count += 1;
                count.is_multiple_of(2)
            })
            .collect()
    }
}

impl Drop for FakeHub {
    fn drop(&mut self) {
        self.shared.ends.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(&self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The hash by which a file is known: large ones by SHA-256, others as git does.
fn tag(name: &str, contents: &[u8]) -> String {
    if name.ends_with(".safetensors") {
        return hexadecimal(&sha2::Sha256::digest(contents));
    }
    let header = format!("blob {}\0", contents.len());
    hexadecimal(&sha1::Sha1::digest([header.as_bytes(), contents].concat()))
}

/// Answers what comes on a connection, until it closes.
fn answer_all(shared: &Shared, stream: &TcpStream) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
        let (mut from, mut end, mut authorization) = (0, None, None);
        loop {
            let mut header = String::new();
            reader.read_line(&mut header)?;
            let Some((name, value)) = header.trim_end().split_once(": ") else { break };
            match name.to_ascii_lowercase().as_str() {
                "authorization" => authorization = Some(value.to_owned()),
                "range" => {
                    let range = value.trim_start_matches("bytes=").split_once('-').expect("a range has two ends");
                    from = range.0.parse().expect("it is a number");
                    end = range.1.parse::<usize>().ok();
                }
                _ => {}
            }
        }
        let asked = Asked { path: path.clone(), from, authorization };
        shared.asked.lock().expect("nobody panicked").push(asked);
        answer(shared, &path, (from, end), stream)?;
    }
}

fn plain(mut stream: &TcpStream, status: &str, headers: &[(&str, String)], body: &[u8]) -> std::io::Result<()> {
    let mut head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n", body.len());
    headers.iter().for_each(|(name, value)| head.push_str(&format!("{name}: {value}\r\n")));
    stream.write_all(&[head.as_bytes(), b"\r\n", body].concat())
}

fn answer(shared: &Shared, path: &str, range: (usize, Option<usize>), stream: &TcpStream) -> std::io::Result<()> {
    if shared.lie == Lie::Refusal {
        return plain(stream, "401 Unauthorized", &[], b"who are you?");
    }
    if let Some(rest) = path.strip_prefix("/api/models/") {
        let model = rest.split("/revision/").next().and_then(|name| shared.models.get(name));
        let revision = rest.split("/revision/").nth(1).unwrap_or_default();
        let known = ["main", "v2", COMMIT].contains(&revision);
        let Some(files) = model.filter(|_| known) else { return plain(stream, "404 Not Found", &[], b"no") };
        let siblings: Vec<_> = files.keys().map(|name| json!({"rfilename": name})).collect();
        let sha = if shared.lie == Lie::List { "../../elsewhere" } else { COMMIT };
        let body = json!({"sha": sha, "siblings": siblings}).to_string();
        return plain(stream, "200 OK", &[], body.as_bytes());
    }
    let (is_content, path) = match path.strip_prefix("/content/") {
        Some(path) => (true, path),
        None => (false, &path[1..]),
    };
    let place = path.split_once("/resolve/").and_then(|(model, rest)| Some((model, rest.split_once('/')?)));
    let Some((model, (commit, file))) = place else { return plain(stream, "404 Not Found", &[], b"no") };
    let contents = shared.models.get(model).and_then(|files| files.get(file)).filter(|_| commit == COMMIT);
    let Some(contents) = contents.filter(|_| shared.lie != Lie::Gone(name_of(file))) else {
        return plain(stream, "404 Not Found", &[], b"no");
    };
    let lies = |lie: fn(&'static str) -> Lie| shared.lie == lie(name_of(file));
    let etag = match () {
        () if lies(Lie::Tag) => "../../../../stolen".to_owned(),
        () if lies(Lie::Size) => "no-hash".to_owned(),
        () => tag(file, contents),
    };
    let commit = if lies(Lie::Commit) { "f".repeat(40) } else { COMMIT.to_owned() };
    let large = file.ends_with(".safetensors");
    if large && !is_content {
        // Large files are elsewhere.
        let location = format!("http://{}/content/{path}", stream.local_addr()?);
        let mut headers = vec![("X-Repo-Commit", commit), ("X-Linked-Etag", format!("\"{etag}\""))];
        if !lies(Lie::Nowhere) {
            headers.push(("Location", location));
        }
        return plain(stream, "302 Found", &headers, b"");
    }
    serve(shared, file, contents, range, &[("X-Repo-Commit", commit), ("ETag", format!("\"{etag}\""))], stream)
}

/// The contents of a file, or what a lie makes of them.
fn serve(
    shared: &Shared,
    file: &str,
    contents: &[u8],
    (from, end): (usize, Option<usize>),
    headers: &[(&str, String)],
    mut stream: &TcpStream,
) -> std::io::Result<()> {
    let lies = |lie: fn(&'static str) -> Lie| shared.lie == lie(name_of(file));
    let mut contents = contents.to_vec();
    if lies(Lie::Contents) {
        let last = contents.len() - 1;
        contents[last] ^= 1;
    }
    let size = contents.len() - if lies(Lie::Size) { 1 } else { 0 };
    let is_probe = end.is_some();
    let end = end.map_or(contents.len(), |end| (end + 1).min(contents.len()));
    let part = contents.get(from..end).unwrap_or_default();
    let range = format!("bytes {from}-{}/{size}", end.saturating_sub(1));
    if !is_probe && lies(Lie::Cut) {
        let head = format!("HTTP/1.1 206 Partial Content\r\nContent-Length: {}\r\n\r\n", part.len());
        stream.write_all(&[head.as_bytes(), &part[..part.len() / 2]].concat())?;
        stream.shutdown(std::net::Shutdown::Both)?;
        return Ok(());
    }
    if !is_probe && lies(Lie::Silence) {
        std::thread::sleep(std::time::Duration::from_secs(20));
        return Ok(());
    }
    let headers = [headers, &[("Content-Range", range)]].concat();
    plain(stream, "206 Partial Content", &headers, part)
}

/// A file's name as lies name it.
fn name_of(file: &str) -> &'static str {
    ["config.json", "tokenizer.json", "model.safetensors"].into_iter().find(|name| *name == file).unwrap_or_default()
}
