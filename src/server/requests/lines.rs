//! Lines of a body, one by one, as they come in; none is kept beyond the limit.

use std::sync::Arc;
use std::time::Instant;

use actix_web::web::{Bytes, Payload};
use futures_util::StreamExt;

use super::body::BodyLimits;
use super::budget::{Budget, Client, Hold};

/// The media type of streams.
pub(in crate::server) const LINES: &str = "application/x-ndjson";

/// What comes next in a body of lines.
#[derive(Debug)]
pub(in crate::server) enum Line {
    /// A line, without its end, and its place on the budget.
    Whole(Vec<u8>, Hold),
    /// A line beyond the limit; it was passed over.
    TooLong,
    /// There is no memory for more now: ask again a little later.
    NoRoom,
    /// There was no memory for a line for too long; it was passed over.
    Overloaded,
    /// The body could not be read to its end.
    Broken(String),
    /// There are no more.
    End,
}

/// Reads lines. Safe to be dropped at any await and asked again.
pub(in crate::server) struct Lines {
    payload: Payload,
    limits: BodyLimits,
    budget: Arc<Budget>,
    client: Client,
    /// The place of the line on the budget.
    hold: Hold,
    /// Bytes that came and were not looked at yet.
    chunk: Bytes,
    line: Vec<u8>,
    /// Since when there is no room for a line that has a place on the budget.
    no_room: Option<Instant>,
    /// What is said of the line whose rest is passed over.
    skipping: Option<Line>,
    ended: bool,
}

impl Lines {
    /// Lines within these limits, each.
    pub fn new(payload: Payload, limits: BodyLimits, budget: &Arc<Budget>, client: Client) -> Self {
        Self {
            payload,
            limits,
            budget: Arc::clone(budget),
            client,
            hold: budget.hold(client),
            chunk: Bytes::new(),
            line: Vec::new(),
            no_room: None,
            skipping: None,
            ended: false,
        }
    }

    /// Whether a part of a line has come.
    pub fn is_within_line(&self) -> bool {
        self.skipping.is_some() || !self.line.is_empty()
    }

    /// The next line that is not blank.
    pub async fn next(&mut self) -> Line {
        loop {
            if let Some(line) = self.take() {
                match line {
                    Line::Whole(line, _) if line.trim_ascii().is_empty() => continue,
                    line => return line,
                }
            }
            if self.ended {
                if let Some(passed_over) = self.skipping.take() {
                    return passed_over;
                }
                if self.line.trim_ascii().is_empty() {
                    return Line::End;
                }
                if self.has_room_for(self.line.len(), 0) {
                    return self.whole();
                }
                if !self.give_up() {
                    return Line::NoRoom;
                }
                continue;
            }
            match self.payload.next().await {
                Some(Ok(chunk)) => self.chunk = chunk,
                Some(Err(error)) => {
                    self.ended = true;
                    self.line.clear();
                    self.skipping = None;
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
        if self.skipping.is_none() && self.line.len() + length > self.limits.size {
            self.pass_over(Line::TooLong);
        }
        if self.skipping.is_none() {
            let free = if end.is_some() { 0 } else { CHEAP };
            if self.has_room_for(self.line.len() + length, free) {
                self.line.extend_from_slice(&self.chunk[..length]);
            } else if !self.give_up() {
                return Some(Line::NoRoom);
            }
        }
        let _ = self.chunk.split_to(length + usize::from(end.is_some()));
        end?;
        Some(self.skipping.take().unwrap_or_else(|| self.whole()))
    }

    /// Puts so many bytes on the budget, unless they are no more than what is free.
    fn has_room_for(&mut self, bytes: usize, free: usize) -> bool {
        let beyond = bytes.saturating_sub(self.hold.bytes());
        let has_room = bytes <= free || beyond == 0 || self.hold.grow(beyond).is_ok();
        if has_room {
            self.no_room = None;
        }
        has_room
    }

    /// Gives a line up that has a place on the budget and no room to grow, in time. Else several such lines would wait for
    /// each other, and everybody else for them.
    fn give_up(&mut self) -> bool {
        if self.hold.bytes() == 0 {
            return false;
        }
        let since = *self.no_room.get_or_insert_with(Instant::now);
        let is_over = since.elapsed() >= self.limits.time;
        if is_over {
            self.pass_over(Line::Overloaded);
        }
        is_over
    }

    fn pass_over(&mut self, line: Line) {
        self.skipping = Some(line);
        self.no_room = None;
        self.line = Vec::new();
        self.hold = self.budget.hold(self.client);
    }

    fn whole(&mut self) -> Line {
        let hold = std::mem::replace(&mut self.hold, self.budget.hold(self.client));
        Line::Whole(std::mem::take(&mut self.line), hold)
    }
}

/// Up to this a line is not on the budget before it has come to its end: there are as many of these as connections.
const CHEAP: usize = 16 * 1024;
