//! Disks that are full or read-only, and databases that are removed while they are in use.

use std::fs;
use std::io::Write;

use super::sources::write_logs;
use crate::common::database::{assert_intact, events, ledger_units, loaded};
use crate::common::{Bench, Run};

/// Log files, more than the small disk and the limit leave room for.
const FILES: usize = 1500;

/// A shell line with a small disk in `disk`, in a mount namespace of its own; `None` where the system does not permit that.
fn on_small_disk(bench: &Bench, line: &str) -> Option<Run> {
    fs::create_dir_all(bench.path("disk")).expect("the folder is ours");
    let in_namespace = |line: &str| {
        let script = format!("mount -t tmpfs -o size=400k none disk && {{ {line}; }}");
        bench.shell(&format!("unshare -rm sh -c '{script}'")).run()
    };
    (in_namespace("true").code == Some(0)).then(|| in_namespace(line))
}

#[test]
fn a_load_onto_a_full_disk_fails_with_a_hint_and_what_was_loaded_is_kept() {
    let bench = Bench::new();
    write_logs(&bench, FILES);
    let line = "trailcreator load-files logs/00/0000.json.gz --db disk/creators.db && \
                trailcreator load-files logs --db disk/creators.db; code=$?; cp disk/creators.db* .; exit $code";
    let Some(run) = on_small_disk(&bench, line) else { return };
    run.code(1).says(["disk/creators.db", "hint: free disk space, then run the same command again to resume"]);
    let database = bench.path("creators.db");
    assert_intact(&database, "full disk");
    assert!((1..FILES).contains(&ledger_units(&database)));
    bench.trailcreator(["load-files", "logs"]).run().success();
    bench.trailcreator(["load-files", "logs", "--db", "undisturbed.db"]).run().success();
    assert_eq!(loaded(&database), loaded(&bench.path("undisturbed.db")));
}

#[test]
fn regression_a_load_that_fails_before_anything_is_stored_leaves_no_empty_database() {
    let bench = Bench::new();
    write_logs(&bench, 3);
    bench.trailcreator(["load-files", "none"]).run().code(2);
    assert!(!bench.path("creators.db").exists());
    // No byte, and then less than the tables need.
    for size in [0, 16] {
        let line = format!("trap \"\" XFSZ; ulimit -f {size}; trailcreator load-files logs --db small.db");
        let run = bench.shell(&line).run();
        run.code(1).says(["small.db", "hint: "]);
        let left: Vec<_> =
            fs::read_dir(bench.path(".")).expect("ours").map(|entry| entry.expect("ours").file_name()).collect();
        assert!(left.iter().all(|name| !name.to_string_lossy().starts_with("small.db")), "{size}: {left:?}");
    }
    // A database that was there stays.
    bench.write("empty/x", "");
    bench.trailcreator(["load-files", "empty"]).run();
    bench.trailcreator(["load-files", "logs/00"]).run().success();
    bench.trailcreator(["load-files", "none"]).run().code(2);
    assert!(!events(&bench.path("creators.db")).is_empty());
}

#[test]
fn a_limit_of_the_size_of_files_is_an_error_with_a_hint_and_no_loss() {
    let bench = Bench::new();
    write_logs(&bench, FILES);
    bench.trailcreator(["load-files", "logs/00/0000.json.gz"]).run().success();
    let run = bench.shell("trap \"\" XFSZ; ulimit -f 100; trailcreator load-files logs").run();
    run.code(1).says(["creators.db", "hint: ", "run the same command again to resume"]);
    let database = bench.path("creators.db");
    assert_intact(&database, "limit of files");
    assert!((1..FILES).contains(&ledger_units(&database)));
    bench.trailcreator(["load-files", "logs"]).run().success();
    bench.trailcreator(["load-files", "logs", "--db", "undisturbed.db"]).run().success();
    assert_eq!(loaded(&database), loaded(&bench.path("undisturbed.db")));
}

#[test]
fn a_read_only_file_system_is_an_error_with_a_hint() {
    let bench = Bench::new();
    write_logs(&bench, 3);
    let line = "trailcreator load-files logs/00 --db disk/creators.db && mount -o remount,ro disk && \
                trailcreator who b-0 --db disk/creators.db && trailcreator load-files logs --db disk/creators.db";
    let Some(run) = on_small_disk(&bench, line) else { return };
    run.code(1).shows(["b-0"]).says(["disk/creators.db", "hint: make the file and its folder writable"]);
}

#[test]
fn regression_a_database_removed_during_a_load_is_an_error() {
    let bench = Bench::new();
    write_logs(&bench, 3);
    let mut child = bench.trailcreator(["load-files", "logs", "-"]).spawn();
    while ledger_units(&bench.path("creators.db")) < 3 {
        assert!(child.try_wait().expect("a child").is_none(), "it waits for stdin");
        std::thread::yield_now();
    }
    super::sources::remove(&bench.path("creators.db"));
    let record = fs::read(bench.path("logs/00/0000.json.gz")).expect("it is there");
    child.stdin.take().expect("piped").write_all(&record).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(
        stderr.contains("deleted or replaced while in use") && stderr.contains("run the same command again"),
        "{stderr}"
    );
}
