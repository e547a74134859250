//! Steps: a document is decoded in stretches of some milliseconds, so that whoever decodes it can do something else between
//! them, or give it up.
//!
//! What takes long is asynchronous, and rests where a stretch ends. Nothing is waited for: whoever polls again goes on.
//! Dropping what was begun gives it up.

use std::future::{Future, poll_fn};
use std::pin::pin;
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

#[cfg(test)]
mod tests {
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
}
