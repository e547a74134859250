//! The `onrecord` command.

use std::process::ExitCode;

/// Threads hand each other documents and results of all sizes: with the system's allocator memory falls to pieces, and
/// grows with the archive (`docs/batch.md` has the numbers; `.cargo/config.toml` has this one's settings).
#[cfg(all(feature = "jemalloc", target_arch = "x86_64", target_os = "linux"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    ExitCode::from(onrecord::cli::run(std::env::args_os()))
}
