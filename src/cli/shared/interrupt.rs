//! Requests to stop: Ctrl-C on a terminal, SIGTERM from a process manager.

use super::Outcome;
use tokio_util::sync::CancellationToken;

/// Returns when the program is asked to stop; never, if signals are not available.
pub(in crate::cli) async fn interrupted() {
    tokio::select! {
        () = ctrl_c() => {}
        () = terminated() => {}
    }
}

/// The first signal requests a stop, the second ends the process. Committed work is always safe.
pub(in crate::cli) fn stop_on_interrupt(stop: &CancellationToken) -> tokio::task::JoinHandle<()> {
    let stop = stop.clone();
    tokio::spawn(async move {
        interrupted().await;
        stop.cancel();
        interrupted().await;
        std::process::exit(Outcome::Interrupted.code().into());
    })
}

async fn ctrl_c() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}

/// SIGTERM: containers, systemd and CI send it first, and kill the process later.
#[cfg(unix)]
async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};

    let Ok(mut signals) = signal(SignalKind::terminate()) else { return std::future::pending().await };
    if signals.recv().await.is_none() {
        std::future::pending().await
    }
}

#[cfg(not(unix))]
async fn terminated() {
    std::future::pending().await
}
