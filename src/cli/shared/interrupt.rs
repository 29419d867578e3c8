//! Requests to stop: Ctrl-C on a terminal, SIGTERM from a process manager.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::Outcome;

/// The number of requests so far. Before the first [`interrupted`] there is none, and a signal ends the process.
static REQUESTS: OnceLock<watch::Sender<u64>> = OnceLock::new();

/// The number of requests that a waiter has returned for. A request that arrives while the program does something between two
/// waits, such as writing the plan to the journal, is returned by the next wait: it must not be lost.
static RETURNED: AtomicU64 = AtomicU64::new(0);

/// Returns when the program is asked to stop, or at once if it was asked to since the last wait; never, if signals are not
/// available.
pub(in crate::cli) async fn interrupted() {
    let mut requests = REQUESTS.get_or_init(count_requests).subscribe();
    let known = RETURNED.load(Ordering::SeqCst);
    match requests.wait_for(|count| *count > known).await.map(|count| *count) {
        Ok(count) => {
            RETURNED.fetch_max(count, Ordering::SeqCst);
        }
        Err(_) => std::future::pending().await,
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

/// Counts signals in a thread of its own, as long as the process runs: a command can have several runtimes, one after the other.
/// Returns when signals no longer end the process.
fn count_requests() -> watch::Sender<u64> {
    let requests = watch::Sender::new(0);
    let counted = requests.clone();
    let (ready, is_ready) = std::sync::mpsc::channel::<()>();
    thread::spawn(move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        runtime.block_on(async {
            let Ok(mut signals) = Signals::new() else { return };
            drop(ready);
            while signals.next().await.is_some() {
                counted.send_modify(|count| *count += 1);
            }
        });
    });
    // The other end is dropped, with or without signals.
    is_ready.recv().unwrap_or_default();
    requests
}

/// Ctrl-C and SIGTERM: containers, systemd and CI send the latter first, and kill the process later.
#[cfg(unix)]
struct Signals {
    interrupts: tokio::signal::unix::Signal,
    terminations: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};

        Ok(Self { interrupts: signal(SignalKind::interrupt())?, terminations: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) -> Option<()> {
        tokio::select! {
            request = self.interrupts.recv() => request,
            request = self.terminations.recv() => request,
        }
    }
}

/// Ctrl-C.
#[cfg(windows)]
struct Signals {
    interrupts: tokio::signal::windows::CtrlC,
}

#[cfg(windows)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self { interrupts: tokio::signal::windows::ctrl_c()? })
    }

    async fn next(&mut self) -> Option<()> {
        self.interrupts.recv().await
    }
}

#[cfg(all(test, unix))]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn regression_a_request_between_two_waits_is_returned_by_the_next() {
        assert_eq!(interrupted().now_or_never(), None, "from here on signals are counted");
        let pid = std::process::id().to_string();
        assert!(std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
        let mut requests = REQUESTS.get().unwrap().subscribe();
        assert_eq!(*requests.wait_for(|count| *count > 0).await.unwrap(), 1);
        assert_eq!(interrupted().now_or_never(), Some(()));
        assert_eq!(interrupted().now_or_never(), None, "each request is returned once");
    }
}
