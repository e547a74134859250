//! Where the server listens: addresses, with HTTPS or without, or a Unix socket.

use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::sync::Arc;

use actix_http::Protocol;
use actix_server::{Server, ServerBuilder};
use actix_service::{ServiceFactoryExt, fn_service};
use actix_tls::accept::rustls_0_23::{Acceptor, TlsStream};
use metrics_exporter_prometheus::PrometheusHandle;
#[cfg(target_os = "linux")]
use socket2::SockRef;
use socket2::{Domain, Socket, Type};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;

use super::application::{Accepted, http};
use super::process::connection::{self, Connection};
use super::process::ending::Ending;
#[cfg(unix)]
use super::process::socket;
use super::process::startup::ServerError;
use super::process::{logs, tls};
use super::state::State;

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 1024;

/// Bytes that the system keeps unsent for a client. More would hide for longer whether it takes its answer.
#[cfg(target_os = "linux")]
const UNSENT: u32 = 128 * 1024;

/// Threads that move bytes; the work is done elsewhere.
fn network_threads() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| cores.get().div_ceil(4))
}

/// Listens where it was told to; says where.
pub(super) fn listen(state: &Arc<State>, metrics: &PrometheusHandle) -> Result<Server, ServerError> {
    let configuration = &state.configuration;
    let threads = network_threads();
    let builder = Server::build()
        .workers(threads)
        .max_concurrent_connections(configuration.max_connections.div_ceil(threads))
        .disable_signals()
        .shutdown_timeout(1);
    let unusable = |address: &str, error: std::io::Error| {
        ServerError::Configuration(format!("cannot listen on {address}: {error}"))
    };
    #[cfg(unix)]
    if let Some(path) = &configuration.uds {
        let builder = on_socket(builder, path, state, metrics);
        let path = path.display();
        let builder = builder.map_err(|error| unusable(&path.to_string(), error))?;
        logs::announce(&format!("listening on unix:{path}"));
        return Ok(builder.run());
    }
    let tls = tls::server(configuration).map_err(ServerError::Configuration)?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    let listeners = bind(&configuration.host, configuration.port).and_then(|listeners| {
        let with_addresses = listeners.into_iter().map(|listener| Ok((listener.local_addr()?, listener)));
        with_addresses.collect::<std::io::Result<Vec<_>>>()
    });
    let unusable = |error| unusable(&format!("{}:{}", configuration.host, configuration.port), error);
    let listeners = listeners.map_err(unusable)?;
    let addresses: Vec<SocketAddr> = listeners.iter().map(|(address, _)| *address).collect();
    let mut builder = builder;
    for (address, listener) in listeners {
        builder = on_address(builder, address, listener, tls.clone(), state, metrics).map_err(unusable)?;
    }
    for address in addresses {
        logs::announce(&format!("listening on {scheme}://{address}"));
        if !address.ip().is_loopback() && !state.keys.are_required() {
            tracing::warn!(%address, "anybody who reaches this address may use the server: set --api-key");
        }
    }
    Ok(builder.run())
}

/// Listens on all addresses that a name has; at least one of them must be usable.
fn bind(host: &str, port: u16) -> std::io::Result<Vec<TcpListener>> {
    let mut failure = std::io::Error::other("the name has no address");
    let mut listeners = Vec::new();
    for address in (host, port).to_socket_addrs()? {
        match bind_one(address) {
            Ok(listener) => listeners.push(listener),
            Err(error) => failure = error,
        }
    }
    if listeners.is_empty() { Err(failure) } else { Ok(listeners) }
}

fn bind_one(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    // Connections of a server that has ended may linger on the port.
    #[cfg(not(windows))]
    socket.set_reuse_address(true)?;
    // As elsewhere: an address of IPv6 for all is one for IPv4, too.
    #[cfg(windows)]
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

fn on_address(
    builder: ServerBuilder,
    address: SocketAddr,
    listener: TcpListener,
    tls: Option<rustls::ServerConfig>,
    state: &Arc<State>,
    metrics: &PrometheusHandle,
) -> std::io::Result<ServerBuilder> {
    let (state, metrics, signal) = (Arc::clone(state), metrics.clone(), builder.graceful_shutdown_signal());
    let name = address.to_string();
    let Some(mut tls) = tls else {
        return builder.listen(name, listener, move || {
            let ending = Arc::clone(&state.ending);
            let accept = move |stream: TcpStream| {
                let peer = prepare(&stream);
                std::future::ready(Ok::<_, ()>(accepted(stream, Protocol::Http1, peer, &ending)))
            };
            fn_service(accept).and_then(http(&state, &metrics, signal.clone()).map_err(drop))
        });
    };
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let acceptor = Acceptor::new(tls);
    builder.listen(name, listener, move || {
        let ending = Arc::clone(&state.ending);
        let accept = move |stream: TlsStream<TcpStream>| {
            let (socket, session) = stream.get_ref();
            let peer = prepare(socket);
            let protocol =
                if session.alpn_protocol() == Some(b"h2".as_slice()) { Protocol::Http2 } else { Protocol::Http1 };
            std::future::ready(Ok::<_, ()>(accepted(stream, protocol, peer, &ending)))
        };
        let accept = acceptor.clone().map_err(drop).and_then(accept);
        accept.and_then(http(&state, &metrics, signal.clone()).map_err(drop))
    })
}

#[cfg(unix)]
fn on_socket(
    builder: ServerBuilder,
    path: &std::path::Path,
    state: &Arc<State>,
    metrics: &PrometheusHandle,
) -> std::io::Result<ServerBuilder> {
    let listener = socket::bind(path)?;
    let (state, metrics, signal) = (Arc::clone(state), metrics.clone(), builder.graceful_shutdown_signal());
    builder.listen_uds(path.display().to_string(), listener, move || {
        let ending = Arc::clone(&state.ending);
        let accept =
            move |stream: UnixStream| std::future::ready(Ok::<_, ()>(accepted(stream, Protocol::Http1, None, &ending)));
        fn_service(accept).and_then(http(&state, &metrics, signal.clone()).map_err(drop))
    })
}

/// Sets a connection up; whose it is.
fn prepare(stream: &TcpStream) -> Option<SocketAddr> {
    #[cfg(target_os = "linux")]
    let _ = SockRef::from(stream).set_tcp_notsent_lowat(UNSENT);
    stream.peer_addr().ok()
}

fn accepted<S: connection::Socket>(
    socket: S,
    protocol: Protocol,
    peer: Option<SocketAddr>,
    ending: &Arc<Ending>,
) -> Accepted<S> {
    (Connection::new(socket, Arc::clone(ending)), protocol, peer)
}
