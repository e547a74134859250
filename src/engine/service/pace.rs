//! How fast the workers are, by what they did last.

use std::time::Duration;

/// Each report leaves this share of the ones before it: the last hundred count, some seconds of a busy machine.
const KEPT: f64 = 0.99;

/// Work that was done, and the time that it took; the older, the less of both.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Pace {
    tokens: f64,
    seconds: f64,
}

impl Pace {
    /// A worker has run so many tokens, in so much time of its own.
    pub fn report(&mut self, tokens: usize, spent: Duration) {
        self.tokens = self.tokens * KEPT + tokens as f64;
        self.seconds = self.seconds * KEPT + spent.as_secs_f64();
    }

    /// Seconds of one worker for a token; 0 before anything was done.
    pub fn seconds_per_token(&self) -> f64 {
        self.seconds / self.tokens.max(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_reports_count_most() {
        let mut pace = Pace::default();
        assert_eq!(pace.seconds_per_token(), 0.0);
        pace.report(100, Duration::from_secs(1));
        assert!((pace.seconds_per_token() - 0.01).abs() < 1e-9);
        for _ in 0..1000 {
            pace.report(100, Duration::from_secs(3));
        }
        assert!((pace.seconds_per_token() - 0.03).abs() < 1e-4, "{pace:?}");
    }
}
