//! The end: whether it has begun, and for whom it waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::watch;

/// The end of the server, which lets those go first who are being answered.
#[derive(Debug)]
pub(in crate::server) struct Ending {
    begun: watch::Sender<bool>,
    requests: Arc<AtomicUsize>,
    connections: Arc<AtomicUsize>,
}

impl Ending {
    pub fn new() -> Arc<Self> {
        Arc::new(Self { begun: watch::Sender::new(false), requests: Arc::default(), connections: Arc::default() })
    }

    /// From now on nobody is let in.
    pub fn begin(&self) {
        self.begun.send_replace(true);
    }

    /// Whether it has begun.
    pub fn has_begun(&self) -> bool {
        *self.begun.borrow()
    }

    /// Waits until it begins.
    pub async fn begun(&self) {
        // An error would say that the sender has gone, which is here.
        let _ = self.begun.subscribe().wait_for(|begun| *begun).await;
    }

    /// Waits for a request, until its answer has been handed to its connection.
    pub fn wait_for_request(&self) -> InFlight {
        InFlight::new(&self.requests)
    }

    /// Waits for a connection, until the system has taken what it is to send.
    pub fn wait_for_connection(&self) -> InFlight {
        InFlight::new(&self.connections)
    }

    /// Requests that are being answered.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    /// How many requests and connections it waits for.
    pub fn waits_for(&self) -> usize {
        self.requests() + self.connections.load(Ordering::SeqCst)
    }
}

/// One for whom the end waits, as long as this lives.
#[derive(Debug)]
pub(in crate::server) struct InFlight(Arc<AtomicUsize>);

impl InFlight {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(count))
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}
