//! The most memory that a process used, and what it wrote, as Linux reports it.

use std::fs;

/// Of this process until now.
pub(crate) fn of_this_process() -> String {
    text(of("self"))
}

/// Of a process that runs, in KiB. `None` once it has ended, and on other systems.
pub(crate) fn of(process: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The bytes that a process that runs has written to files, whether or not they have reached a disk.
pub(crate) fn written(process: &str) -> Option<u64> {
    let io = fs::read_to_string(format!("/proc/{process}/io")).ok()?;
    io.lines().find_map(|line| line.strip_prefix("wchar: "))?.parse().ok()
}

/// As it is printed.
pub(crate) fn text(kib: Option<u64>) -> String {
    kib.map_or_else(|| "unknown on this system".to_owned(), |kib| format!("{} MB", kib * 1024 / 1_000_000))
}
