//! What is no file, in the place of one.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::json;

use super::{PATIENCE, bounded, record, trail};
use crate::common::{Bench, database};

/// Pipes without a writer, devices, sockets and links in a circle, wherever a file is named; Ctrl-C ends what waits.
#[cfg(unix)]
#[test]
fn pipes_and_devices_in_the_place_of_files_never_hang() {
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    let bench = Bench::new();
    bench.shell("mkfifo pipe").run().success();
    let _socket = UnixListener::bind(bench.path("socket")).expect("a socket");
    symlink("loop", bench.path("loop")).expect("a link");
    for path in ["/dev/zero", "/dev/null", "socket", "loop", "."] {
        for command in
            ["load-files", "count", "apply", "who q --identity-map", "resource-map check", "tag-org --config"]
        {
            let run = bounded(&bench, &[command, path]);
            assert!(run.code.is_some_and(|code| code != 101), "{}", run.printed());
        }
    }
    // A writer that comes later is waited for, and one that never writes is not in the way of Ctrl-C.
    bench.write("a.json", trail(&record("i-1", &json!({}))));
    bench.shell("(sleep 0.2; cat a.json > pipe) & exec trailcreator load-files pipe").run().success();
    assert_eq!(database::event_count(&bench.path("creators.db")), 1);
    bench.shell("trailcreator load-files pipe").run().code(4).shows(["no program has written to this pipe"]);
    bench.shell("trailcreator apply pipe").run().code(2).says(["regular file"]);
}

/// A first Ctrl-C ends what waits for input, after the handler is in place.
#[cfg(target_os = "linux")]
#[test]
fn an_interrupt_ends_a_command_that_waits_for_a_pipe() {
    const INTERRUPT: u64 = 1 << 1;
    let bench = Bench::new();
    bench.shell("mkfifo silent").run().success();
    // The pipe has a writer, which never writes.
    let _writer = fs::OpenOptions::new().read(true).write(true).open(bench.path("silent")).expect("a pipe");
    for args in [["load-files", "silent"], ["count", "silent"], ["load-files", "-"], ["count", "-"]] {
        let mut child = bench.trailcreator(args).spawn();
        let status = format!("/proc/{}/status", child.id());
        let is_handled = || {
            let status = fs::read_to_string(&status).unwrap_or_default();
            let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).map(str::trim);
            mask.is_some_and(|mask| u64::from_str_radix(mask, 16).expect("a mask") & INTERRUPT != 0)
        };
        let begun = Instant::now();
        while !is_handled() && begun.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(20));
        }
        assert!(bench.shell(&format!("kill -INT {}", child.id())).run().code == Some(0));
        while child.try_wait().expect("a child").is_none() {
            assert!(begun.elapsed() < PATIENCE, "{args:?} goes on after Ctrl-C");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}
