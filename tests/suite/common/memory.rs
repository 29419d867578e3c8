//! The most memory that a running child used, in KiB, as Linux reports it.
#![cfg(target_os = "linux")]

use std::fs;
use std::process::Child;
use std::time::Duration;

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(1);

/// Up to now; `None` once it has ended.
pub(crate) fn peak_so_far(child: &Child) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Until it ended, as last seen. What it prints must fit into a pipe.
pub(crate) fn peak_until_end(child: &mut Child) -> u64 {
    let mut peak = 0;
    while child.try_wait().expect("a child").is_none() {
        peak = peak_so_far(child).unwrap_or(peak);
        // Without a pause, looking takes a core from what is looked at.
        std::thread::sleep(PAUSE);
    }
    peak
}
