//! Steps: a document is decoded in stretches of some milliseconds, so that whoever decodes it can do something else between
//! them, or give it up.
//!
//! What takes long is asynchronous, and rests where a stretch ends. Nothing is waited for: whoever polls again goes on.
//! Dropping what was begun gives it up.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};

/// Ends a stretch.
pub(super) async fn rest() {
    let mut has_rested = false;
    poll_fn(|context| {
        if std::mem::replace(&mut has_rested, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Decodes to the end, without a rest.
pub fn complete<T>(decoding: impl Future<Output = T>) -> T {
    let mut decoding = pin!(decoding);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(decoded) = decoding.as_mut().poll(&mut context) {
            return decoded;
        }
    }
}

/// Decodes to the end, or gives it up where it rests once `stop` is set: `None`.
pub(crate) fn complete_until<T>(stop: &AtomicBool, decoding: impl Future<Output = T>) -> Option<T> {
    let mut decoding = pin!(decoding);
    let mut context = Context::from_waker(Waker::noop());
    while !stop.load(Ordering::Relaxed) {
        if let Poll::Ready(decoded) = decoding.as_mut().poll(&mut context) {
            return Some(decoded);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[test]
    fn whoever_polls_again_goes_on() {
        let mut decoding = pin!(async {
            rest().await;
            rest().await;
            7
        });
        let mut context = Context::from_waker(Waker::noop());
        let mut polled = || decoding.as_mut().poll(&mut context);
        assert_eq!([polled(), polled(), polled()], [Poll::Pending, Poll::Pending, Poll::Ready(7)]);
        assert_eq!(complete(async { rest().await }), ());
    }

    #[test]
    fn what_is_stopped_goes_to_its_next_rest() {
        let (stop, steps) = (AtomicBool::new(false), AtomicUsize::new(0));
        let decoding = async {
            for step in 0..4 {
                steps.fetch_add(1, Ordering::Relaxed);
                stop.store(step == 1, Ordering::Relaxed);
                rest().await;
            }
        };
        assert_eq!(complete_until(&stop, decoding), None);
        assert_eq!(steps.into_inner(), 2);
    }
}
