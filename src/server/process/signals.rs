//! Signals to the process: SIGHUP, SIGTERM and SIGINT; where there are no such signals, Ctrl-C alone.

/// What a signal asks for.
pub(in crate::server) enum Signal {
    /// To read keys and model again.
    #[cfg_attr(not(unix), expect(dead_code, reason = "nothing but Ctrl-C comes there"))]
    Reload,
    /// To end.
    Stop,
}

#[cfg(unix)]
mod system {
    use tokio::signal::unix::{Signal as Source, SignalKind, signal};

    use super::Signal;

    /// The signals that are waited for.
    pub struct Signals {
        hang_up: Source,
        terminate: Source,
        interrupt: Source,
    }

    impl Signals {
        /// From now on signals no longer end the process by themselves.
        pub fn new() -> std::io::Result<Self> {
            Ok(Self {
                hang_up: signal(SignalKind::hangup())?,
                terminate: signal(SignalKind::terminate())?,
                interrupt: signal(SignalKind::interrupt())?,
            })
        }

        /// Waits for the next one.
        pub async fn next(&mut self) -> Signal {
            tokio::select! {
                _ = self.hang_up.recv() => Signal::Reload,
                _ = self.terminate.recv() => Signal::Stop,
                _ = self.interrupt.recv() => Signal::Stop,
            }
        }
    }
}

#[cfg(windows)]
mod system {
    use tokio::signal::windows::{CtrlC, ctrl_c};

    use super::Signal;

    /// What is waited for.
    pub struct Signals(CtrlC);

    impl Signals {
        /// From now on Ctrl-C no longer ends the process by itself.
        pub fn new() -> std::io::Result<Self> {
            Ok(Self(ctrl_c()?))
        }

        /// Waits for the next one.
        pub async fn next(&mut self) -> Signal {
            self.0.recv().await;
            Signal::Stop
        }
    }
}

pub(in crate::server) use system::Signals;
