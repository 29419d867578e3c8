//! Being asked to stop: Ctrl-C at the terminal, SIGTERM from whoever else runs the program.

use super::Outcome;
use tokio_util::sync::CancellationToken;

/// Ends when the program is asked to stop; never where that can't be heard.
pub(in crate::cli) async fn interrupted() {
    tokio::select! {
        () = ctrl_c() => {}
        () = terminated() => {}
    }
}

/// The first wish asks to stop, the second ends the process: what is committed is safe at any moment.
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

/// SIGTERM: containers, systemd and CI end programs by it, and kill those that go on.
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
