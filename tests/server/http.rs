//! A small client: one connection, requests and answers as they stand on the wire.
//!
//! The clients that people use are tested elsewhere; this one can also be wrong, slow or rude.

use std::io::{self, BufRead, BufReader, Error, ErrorKind, Read, Write};
use std::net::TcpStream;

use serde_json::Value;

/// A request.
#[derive(Debug, Clone)]
pub struct Request {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
}

impl Request {
    pub fn new(method: &str, target: &str) -> Self {
        Self { method: method.to_owned(), target: target.to_owned(), headers: Vec::new(), body: None }
    }

    pub fn get(target: &str) -> Self {
        Self::new("GET", target)
    }

    /// A request for a body that says it is JSON.
    pub fn json(target: &str) -> Self {
        Self::new("POST", target).header("Content-Type", "application/json")
    }

    /// A request with a JSON body.
    pub fn post(target: &str, body: &Value) -> Self {
        Self::json(target).body(body.to_string())
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A body with its length.
    pub fn body(self, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        let length = body.len().to_string();
        Self { body: Some(body), ..self }.header("Content-Length", &length)
    }

    /// A body in chunks, without a length.
    pub fn chunked(self, body: &[u8]) -> Self {
        let mut chunks = Vec::new();
        body.chunks(1000).for_each(|chunk| chunks.extend(as_chunk(chunk)));
        chunks.extend(as_chunk(b""));
        Self { body: Some(chunks), ..self }.header("Transfer-Encoding", "chunked")
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\nHost: test\r\n", self.method, self.target);
        self.headers.iter().for_each(|(name, value)| head += &format!("{name}: {value}\r\n"));
        let mut bytes = (head + "\r\n").into_bytes();
        bytes.extend(self.body.iter().flatten());
        bytes
    }
}

/// A chunk of a body; an empty one ends it.
pub fn as_chunk(bytes: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}

/// An answer.
#[derive(Debug)]
pub struct Response {
    pub status: u16,
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Response {
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(given, _)| given.eq_ignore_ascii_case(name));
        let value = found.next().map(|(_, value)| value.as_str());
        assert!(found.next().is_none(), "{name} comes twice: {:?}", self.headers);
        value
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("the body is UTF-8")
    }

    pub fn json(&self) -> Value {
        assert_eq!(self.header("Content-Type"), Some("application/json"), "{self:?}");
        serde_json::from_str(self.text()).expect("the body is JSON")
    }

    /// The lines of the body, each as JSON.
    pub fn lines(&self) -> Vec<Value> {
        self.text().lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect()
    }
}

/// A connection on which answers are read.
pub struct Connection<S>(BufReader<S>);

impl Connection<TcpStream> {
    /// Half a connection more, to write while another thread reads.
    pub fn writer(&self) -> TcpStream {
        self.0.get_ref().try_clone().expect("the connection can be shared")
    }
}

impl<S: Read + Write> Connection<S> {
    pub fn new(stream: S) -> Self {
        Self(BufReader::new(stream))
    }

    /// Sends bytes. A server that has refused them already may have closed the connection: its answer says more.
    pub fn send(&mut self, bytes: &[u8]) {
        let _ = self.0.get_mut().write_all(bytes);
    }

    /// Sends a request and reads the answer.
    pub fn ask(&mut self, request: &Request) -> Response {
        self.send(&request.to_bytes());
        let mut response = self.head().expect("an answer comes");
        if request.method != "HEAD" {
            self.read_body(&mut response).expect("the answer comes whole");
        }
        response
    }

    /// Reads an answer. An error: none came, or it broke off.
    pub fn receive(&mut self) -> io::Result<Response> {
        let mut response = self.head()?;
        self.read_body(&mut response)?;
        Ok(response)
    }

    /// Reads the head of an answer.
    pub fn head(&mut self) -> io::Result<Response> {
        let first = self.line()?;
        let status = first.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok());
        let status = status.ok_or_else(|| Error::other(format!("no status line: {first:?}")))?;
        let mut headers = Vec::new();
        loop {
            let line = self.line()?;
            let Some((name, value)) = line.split_once(':') else {
                assert!(line.is_empty(), "no header: {line:?}");
                return Ok(Response { status, headers, body: Vec::new() });
            };
            headers.push((name.to_owned(), value.trim().to_owned()));
        }
    }

    /// Reads the body of an answer, after its head.
    pub fn read_body(&mut self, response: &mut Response) -> io::Result<()> {
        if response.header("Transfer-Encoding") == Some("chunked") {
            while let Some(chunk) = self.chunk()? {
                response.body.extend(chunk);
            }
        } else if let Some(length) = response.header("Content-Length") {
            response.body = vec![0; length.parse().expect("a length is a number")];
            self.0.read_exact(&mut response.body)?;
        }
        Ok(())
    }

    /// Reads a chunk of an answer; `None` at its end.
    pub fn chunk(&mut self) -> io::Result<Option<Vec<u8>>> {
        let line = self.line()?;
        let length = usize::from_str_radix(&line, 16).map_err(|_| Error::other(format!("no chunk: {line:?}")))?;
        let mut bytes = vec![0; length];
        self.0.read_exact(&mut bytes)?;
        let end = self.line()?;
        assert_eq!(end, "", "a chunk has no end");
        Ok((length > 0).then_some(bytes))
    }

    /// Reads bytes of an answer.
    pub fn read_exact(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        self.0.read_exact(bytes)
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.0.read_line(&mut line)?;
        let line = line.strip_suffix("\r\n").ok_or_else(|| Error::new(ErrorKind::UnexpectedEof, "closed"))?;
        Ok(line.to_owned())
    }

    /// Whether the server closes the connection without a further word.
    pub fn is_closed(&mut self) -> bool {
        match self.0.fill_buf() {
            Ok(bytes) => bytes.is_empty(),
            Err(error) => error.kind() == ErrorKind::ConnectionReset,
        }
    }
}

/// A stream of lines, both ways.
pub struct Lines {
    connection: Connection<TcpStream>,
    /// What came and is no whole line yet.
    rest: Vec<u8>,
}

impl Lines {
    /// Starts a stream; its answer's head is read by [`Self::head`].
    pub fn open(mut connection: Connection<TcpStream>, target: &str, headers: &[(&str, &str)]) -> Self {
        let request = Request::new("POST", target)
            .header("Content-Type", "application/x-ndjson")
            .header("Transfer-Encoding", "chunked");
        let request = headers.iter().fold(request, |request, (name, value)| request.header(name, value));
        connection.send(&request.to_bytes());
        Self { connection, rest: Vec::new() }
    }

    /// Sends bytes of the body.
    pub fn push(&mut self, bytes: impl AsRef<[u8]>) {
        self.connection.send(&as_chunk(bytes.as_ref()));
    }

    /// Ends the body.
    pub fn finish(&mut self) {
        self.connection.send(&as_chunk(b""));
    }

    pub fn head(&mut self) -> Response {
        self.connection.head().expect("an answer comes")
    }

    pub fn writer(&self) -> TcpStream {
        self.connection.writer()
    }

    /// The next line of the answer; `None` at its end.
    pub fn next(&mut self) -> io::Result<Option<Value>> {
        loop {
            if let Some(end) = self.rest.iter().position(|&byte| byte == b'\n') {
                let line: Vec<u8> = self.rest.drain(..=end).collect();
                return Ok(Some(serde_json::from_slice(&line).expect("each line is JSON")));
            }
            match self.connection.chunk()? {
                Some(bytes) => self.rest.extend(bytes),
                None => {
                    assert!(self.rest.is_empty(), "the last line has no end");
                    return Ok(None);
                }
            }
        }
    }

    /// All further lines.
    pub fn rest(&mut self) -> Vec<Value> {
        std::iter::from_fn(|| self.next().expect("the answer comes whole")).collect()
    }
}
