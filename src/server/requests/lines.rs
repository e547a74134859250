//! Lines of a body, one by one, as they come in; none is kept beyond the limit.

use actix_web::web::{Bytes, Payload};
use futures_util::StreamExt;

use super::body::Hold;

/// The media type of streams.
pub(in crate::server) const LINES: &str = "application/x-ndjson";

/// What comes next in a body of lines.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::server) enum Line {
    /// A line, without its end.
    Whole(Vec<u8>),
    /// A line beyond the limit; it was passed over.
    TooLong,
    /// There is no memory for more now: ask again a little later.
    NoRoom,
    /// The body could not be read to its end.
    Broken(String),
    /// There are no more.
    End,
}

/// Reads lines. Safe to be dropped at any await and asked again.
pub(in crate::server) struct Lines {
    payload: Payload,
    limit: usize,
    hold: Hold,
    /// Bytes that came and were not looked at yet.
    chunk: Bytes,
    line: Vec<u8>,
    /// The line is too long: the rest of it is passed over.
    skipping: bool,
    ended: bool,
}

impl Lines {
    /// Lines of at most `limit` bytes each.
    pub fn new(payload: Payload, limit: usize, hold: Hold) -> Self {
        Self { payload, limit, hold, chunk: Bytes::new(), line: Vec::new(), skipping: false, ended: false }
    }

    /// Whether a part of a line has come.
    pub fn is_within_line(&self) -> bool {
        self.skipping || !self.line.is_empty()
    }

    /// The next line that is not blank.
    pub async fn next(&mut self) -> Line {
        loop {
            if let Some(line) = self.take() {
                match line {
                    Line::Whole(line) if line.trim_ascii().is_empty() => continue,
                    line => return line,
                }
            }
            if self.ended {
                return match std::mem::take(&mut self.line) {
                    _ if std::mem::take(&mut self.skipping) => Line::TooLong,
                    line if line.trim_ascii().is_empty() => Line::End,
                    line => Line::Whole(line),
                };
            }
            match self.payload.next().await {
                Some(Ok(chunk)) => self.chunk = chunk,
                Some(Err(error)) => {
                    self.ended = true;
                    self.line.clear();
                    self.skipping = false;
                    return Line::Broken(error.to_string());
                }
                None => self.ended = true,
            }
        }
    }

    /// A line's end from the chunk in hand, or what stands in its way; `None` when the chunk is used up.
    fn take(&mut self) -> Option<Line> {
        if self.chunk.is_empty() {
            return None;
        }
        let end = self.chunk.iter().position(|&byte| byte == b'\n');
        let length = end.unwrap_or(self.chunk.len());
        if !self.skipping && self.line.len() + length > self.limit {
            self.skipping = true;
            self.line = Vec::new();
        }
        if !self.skipping {
            // What is kept of this line is on the budget; a short line is not worth the bookkeeping.
            let beyond = (self.line.len() + length).saturating_sub(self.hold.bytes().max(CHEAP));
            if beyond > 0 && !self.hold.grow(beyond) {
                return Some(Line::NoRoom);
            }
            self.line.extend_from_slice(&self.chunk[..length]);
        }
        let _ = self.chunk.split_to(length + usize::from(end.is_some()));
        end?;
        if std::mem::take(&mut self.skipping) {
            return Some(Line::TooLong);
        }
        let line = std::mem::take(&mut self.line);
        self.hold.shrink();
        Some(Line::Whole(line))
    }
}

/// Lines up to this are not on the budget: there are as many of them as connections.
const CHEAP: usize = 16 * 1024;
