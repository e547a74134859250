//! Quotas: how many requests and tokens a key may ask for in a minute. Without keys everybody shares one quota.
//!
//! Each is a bucket that fills up evenly and holds as much as a minute gives. What costs more than the bucket holds is let
//! through when it is full, and then paid off.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use actix_web::{HttpMessage, HttpRequest};
use serde_json::json;

use crate::server::codes::ErrorCode;
use crate::server::errors::{ApiError, Problem};

/// The quotas of all keys.
#[derive(Default)]
pub(in crate::server) struct Quotas {
    requests: Option<u32>,
    tokens: Option<u32>,
    /// By the digest of the key. There are no more of them than keys that were valid once.
    buckets: Mutex<HashMap<[u8; 32], Buckets>>,
}

struct Buckets {
    requests: f64,
    tokens: f64,
    filled: Instant,
}

/// One key's quota, for a request.
#[derive(Clone)]
pub(in crate::server) struct Quota {
    quotas: Arc<Quotas>,
    key: [u8; 32],
}

impl Quotas {
    /// So many requests and tokens a minute; `None`: as many as come.
    pub fn new(requests: Option<u32>, tokens: Option<u32>) -> Arc<Self> {
        Arc::new(Self { requests, tokens, ..Self::default() })
    }

    /// The quota of the key with this digest.
    pub fn of(self: &Arc<Self>, key: [u8; 32]) -> Quota {
        Quota { quotas: Arc::clone(self), key }
    }

    /// Takes from both buckets, or from none.
    fn take(&self, key: [u8; 32], requests: f64, tokens: f64, now: Instant) -> Result<(), ApiError> {
        if self.requests.is_none() && self.tokens.is_none() {
            return Ok(());
        }
        let most = |limit: Option<u32>| limit.map_or(f64::INFINITY, f64::from);
        let (most_requests, most_tokens) = (most(self.requests), most(self.tokens));
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let full = Buckets { requests: most_requests, tokens: most_tokens, filled: now };
        let bucket = buckets.entry(key).or_insert(full);
        let minutes = now.saturating_duration_since(bucket.filled).as_secs_f64() / 60.0;
        bucket.requests = (bucket.requests + minutes * most_requests).min(most_requests);
        bucket.tokens = (bucket.tokens + minutes * most_tokens).min(most_tokens);
        bucket.filled = now;
        for (what, asked, there, limit) in
            [("requests", requests, bucket.requests, most_requests), ("tokens", tokens, bucket.tokens, most_tokens)]
        {
            let lacking = asked.min(limit) - there;
            if asked > 0.0 && lacking > 1e-9 {
                return Err(exceeded(what, limit, lacking / limit * 60.0));
            }
        }
        bucket.requests -= requests;
        bucket.tokens -= tokens;
        Ok(())
    }
}

impl Quota {
    /// The quota that this request counts against; none has been set where its key was not looked at.
    pub fn of(request: &HttpRequest) -> Option<Self> {
        request.extensions().get::<Self>().cloned()
    }

    /// Counts a request.
    ///
    /// # Errors
    /// `quota_exceeded`, with the time when to come again.
    pub fn take_request(&self) -> Result<(), ApiError> {
        self.quotas.take(self.key, 1.0, 0.0, Instant::now())
    }

    /// Counts tokens.
    ///
    /// # Errors
    /// `quota_exceeded`, with the time when to come again.
    pub fn take_tokens(&self, tokens: usize) -> Result<(), ApiError> {
        self.quotas.take(self.key, 0.0, tokens as f64, Instant::now())
    }

    /// Gives tokens back that were not run.
    pub fn give_back(&self, tokens: usize) {
        let mut buckets = self.quotas.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = buckets.get_mut(&self.key) {
            bucket.tokens += tokens as f64;
        }
    }
}

fn exceeded(what: &str, limit: f64, seconds: f64) -> ApiError {
    let seconds = seconds.ceil().max(1.0) as u64;
    let message = format!("this key's quota of {limit} {what} a minute is used up: try again in {seconds} s");
    let problem =
        Problem::new(ErrorCode::QuotaExceeded, message).with(json!({"quota": what, "per_minute": limit as u64}));
    ApiError { retry_after: Some(seconds), ..problem.into() }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const KEY: [u8; 32] = [7; 32];

    fn wait(result: Result<(), ApiError>) -> Option<u64> {
        result.err().map(|error| {
            assert_eq!(error.problem.code, ErrorCode::QuotaExceeded);
            error.retry_after.unwrap()
        })
    }

    #[test]
    fn a_bucket_fills_up_evenly_and_holds_a_minute() {
        let quotas = Quotas::new(Some(6), None);
        let start = Instant::now();
        let take = |seconds| wait(quotas.take(KEY, 1.0, 0.0, start + Duration::from_secs(seconds)));
        assert!((0..6).all(|_| take(0).is_none()));
        assert_eq!([take(0), take(4), take(10), take(10)], [Some(10), Some(6), None, Some(10)]);
        // Another key has its own, and a long rest gives no more than a minute's worth.
        assert_eq!(wait(quotas.take([8; 32], 1.0, 0.0, start)), None);
        assert!((0..6).all(|_| take(100_000).is_none()));
        assert_eq!(take(100_000), Some(10));
    }

    #[test]
    fn what_is_larger_than_the_bucket_is_paid_off() {
        let quotas = Quotas::new(None, Some(600));
        let start = Instant::now();
        let take = |tokens, seconds| wait(quotas.take(KEY, 0.0, tokens, start + Duration::from_secs(seconds)));
        assert_eq!(take(1200.0, 0), None);
        assert_eq!([take(10.0, 0), take(10.0, 60), take(10.0, 62)], [Some(61), Some(1), None]);
    }

    #[test]
    fn what_was_not_run_is_given_back() {
        let quotas = Quotas::new(None, Some(600));
        let quota = quotas.of(KEY);
        assert_eq!(wait(quota.take_tokens(600)), None);
        assert!(quota.take_tokens(600).is_err());
        quota.give_back(600);
        assert_eq!(wait(quota.take_tokens(600)), None);
    }

    #[test]
    fn without_quotas_nothing_is_counted() {
        let quota = Quotas::new(None, None).of(KEY);
        assert!((0..1000).all(|_| quota.take_request().is_ok() && quota.take_tokens(usize::MAX / 2).is_ok()));
        assert!(quota.quotas.buckets.lock().unwrap().is_empty());
    }
}
