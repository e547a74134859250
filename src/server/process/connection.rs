//! Connections: each can be cut off from elsewhere, and the end of the server waits for one that has yet to send.

use std::cell::{Cell, RefCell};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use actix_tls::accept::rustls_0_23::TlsStream;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;

use super::ending::{Ending, InFlight};

/// What a connection is made of.
pub(in crate::server) trait Socket: AsyncRead + AsyncWrite + Unpin + 'static {
    /// Makes closing drop what has not been sent, where the system would go on trying.
    fn drop_unsent(&self);
}

impl Socket for TcpStream {
    fn drop_unsent(&self) {
        let _ = SockRef::from(self).set_linger(Some(Duration::ZERO));
    }
}

impl Socket for TlsStream<TcpStream> {
    fn drop_unsent(&self) {
        self.get_ref().0.drop_unsent();
    }
}

#[cfg(unix)]
impl Socket for UnixStream {
    fn drop_unsent(&self) {}
}

/// A client's connection.
pub(in crate::server) struct Connection<S> {
    socket: S,
    abort: Rc<AbortHandle>,
    ending: Arc<Ending>,
    /// As long as something is to be sent for which the system has no room.
    unsent: Option<InFlight>,
}

/// Cuts a connection off.
#[derive(Debug, Default)]
pub(in crate::server) struct AbortHandle {
    is_aborted: Cell<bool>,
    /// Of the task that serves the connection.
    waker: RefCell<Option<Waker>>,
}

impl AbortHandle {
    /// Ends the connection and whatever it is about.
    pub fn abort(&self) {
        self.is_aborted.set(true);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

impl<S: Socket> Connection<S> {
    pub fn new(socket: S, ending: Arc<Ending>) -> Self {
        Self { socket, abort: Rc::default(), ending, unsent: None }
    }

    /// What cuts it off.
    pub fn abort_handle(&self) -> Rc<AbortHandle> {
        Rc::clone(&self.abort)
    }

    /// The socket, unless the connection has been cut off.
    fn socket(&mut self, context: &Context<'_>) -> io::Result<Pin<&mut S>> {
        if self.abort.is_aborted.get() {
            self.socket.drop_unsent();
            return Err(io::ErrorKind::TimedOut.into());
        }
        match &mut *self.abort.waker.borrow_mut() {
            Some(waker) => waker.clone_from(context.waker()),
            none => *none = Some(context.waker().clone()),
        }
        Ok(Pin::new(&mut self.socket))
    }

    /// Has the end wait for what could not be sent.
    fn note<T>(&mut self, sent: Poll<T>) -> Poll<T> {
        if sent.is_pending() && self.unsent.is_none() {
            self.unsent = Some(self.ending.wait_for_connection());
        }
        sent
    }
}

impl<S: Socket> AsyncRead for Connection<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.socket(context)?.poll_read(context, buffer)
    }
}

impl<S: Socket> AsyncWrite for Connection<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let sent = self.socket(context)?.poll_write(context, bytes);
        self.note(sent)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let sent = self.socket(context)?.poll_write_vectored(context, bytes);
        self.note(sent)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let sent = self.socket(context)?.poll_flush(context);
        if sent.is_ready() {
            self.unsent = None;
        }
        self.note(sent)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.socket(context)?.poll_shutdown(context)
    }
}
