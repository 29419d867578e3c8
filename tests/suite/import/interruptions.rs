//! Imports that are interrupted, of files that are damaged or no database, and of large ones.

use super::*;

fn many(rows: usize) -> impl Iterator<Item = Row> {
    (0..rows).map(|number| {
        let time = format!(
            "2026-{:02}-{:02}T{:02}:{:02}:{:02}Z",
            number / 2_419_200 + 1,
            number / 86_400 % 28 + 1,
            number / 3600 % 24,
            number / 60 % 60,
            number % 60
        );
        Row::new(&format!("bucket-{number:07}")).at(&time)
    })
}

/// The number of rows in a database; 0 if it does not exist.
fn stored(db: &Path) -> i64 {
    let count =
        |connection: Connection| connection.query_row("SELECT count(*) FROM resource_events", [], |row| row.get(0));
    Connection::open_with_flags(db, OpenFlags::SQLITE_OPEN_READ_WRITE).and_then(count).unwrap_or_default()
}

/// Waits until a database has this many rows or the process has ended.
fn wait_for_rows(child: &mut Child, db: &Path, rows: i64) {
    while stored(db) < rows && child.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
}

#[test]
fn killed_import_is_completed_by_the_same_command() {
    const ROWS: i64 = 15_000;
    let bench = Bench::new();
    write(&bench, "c7n.db", many(15_000));
    import(&bench, &["c7n.db", "--db", "undisturbed.db"]).success();
    let undisturbed = loaded(&bench.path("undisturbed.db"));
    let mut interrupted = 0;
    for (run, rows) in [0, 1, 6_000].into_iter().enumerate() {
        let db = bench.path(format!("killed-{run}.db"));
        let mut child = bench.trailcreator(["import", "c7n.db", "--db", db.to_str().unwrap()]).spawn();
        wait_for_rows(&mut child, &db, rows);
        child.kill().unwrap();
        child.wait().unwrap();
        interrupted += usize::from(stored(&db) < ROWS);
        import(&bench, &["c7n.db", "--db", db.to_str().unwrap()]).success();
        assert_eq!(loaded(&db), undisturbed, "killed at {rows} rows");
    }
    assert!(interrupted >= 1, "all imports were done before they were killed");
}

#[test]
fn regression_interrupted_import_keeps_what_it_read_and_the_next_one_goes_on_there() {
    let bench = Bench::new();
    write(&bench, "c7n.db", many(40_000));
    let db = bench.path("creators.db");
    let mut child = bench.trailcreator(["import", "c7n.db"]).spawn();
    wait_for_rows(&mut child, &db, 10_000);
    // Delays the import: it waits for the lock.
    let lock = Connection::open(&db).unwrap();
    lock.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let mut messages = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(messages.next().unwrap().unwrap().starts_with("stopping"));
    drop(lock);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert!(messages.any(|line| line.unwrap().contains("run the same command again to import the rest")));
    assert!((1..40_000).contains(&stored(&db)));
    assert!(String::from_utf8_lossy(&output.stdout).contains("partly imported"));

    // The rest alone is read, and the result is that of an undisturbed import.
    let rest = import(&bench, &["c7n.db"]).success().json();
    assert!(rest["resumed_at_row"].as_i64() >= Some(8192), "{rest}");
    assert!(rest["rows"].as_i64() <= Some(40_000 - 8191), "{rest}");
    import(&bench, &["c7n.db", "--db", "undisturbed.db"]).success();
    assert_eq!(loaded(&db), loaded(&bench.path("undisturbed.db")));
}

#[test]
fn other_files_are_refused_with_a_hint_and_nothing_is_created() {
    let bench = Bench::new();
    let refused = |file: &str, says: &[&str]| {
        import(&bench, &[file]).code(2).says(says);
        assert!(!bench.path("creators.db").exists(), "{file}");
    };
    let database = |name: &str, sql: &str| Connection::open(bench.path(name)).unwrap().execute_batch(sql).unwrap();
    refused("none.db", &["none.db: No such file", "check the path"]);
    bench.write("folder/x", "");
    refused("folder", &["folder is a folder", "c7n-trailcreator wrote"]);
    bench.write("empty.db", "");
    refused("empty.db", &["empty.db is empty", "c7n-trailcreator wrote"]);
    bench.write("log.json", Trail::new().json());
    refused("log.json", &["log.json is not a SQLite database", "load-files"]);
    database("things.db", "CREATE TABLE things (a)");
    refused("things.db", &["it has no table `events`", "c7n-trailcreator wrote"]);
    database("columns.db", "CREATE TABLE events (account_id, region, event_date, event_name, event_source, user_id)");
    refused("columns.db", &["has no user_agent, client_ip, rtype, resource_ids"]);
    bench.write("logs/one.json", Trail::new().json());
    bench.trailcreator(["load-files", "logs", "--db", "ours.db"]).run().success();
    refused("ours.db", &["a database of trailcreator itself", "no import is needed"]);
    bench.trailcreator(["import"]).run().code(2);
}

#[test]
fn same_file_for_both_databases_is_refused() {
    let bench = Bench::new();
    let file = write(&bench, "creators.db", [Row::new("a")]);
    let before = fs::read(&file).unwrap();
    import(&bench, &["creators.db"]).code(2).says(["imported into itself", "--db"]);
    for command in [&["who", "a"][..], &["load-files", "."], &["tag", "--dry-run"]] {
        bench
            .trailcreator(command)
            .run()
            .code(1)
            .says(["c7n-trailcreator", "trailcreator import creators.db --db creators.new.db"]);
    }
    assert_eq!(fs::read(&file).unwrap(), before);
    import(&bench, &["creators.db", "--db", "new.db"]).success();
    assert_eq!(query(&bench.path("new.db"), VIEW), query(&file, VIEW));
}

#[test]
fn damaged_database_is_imported_up_to_the_damage() {
    let bench = Bench::new();
    let file = write(&bench, "c7n.db", many(20_000));
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..middle + 4096].fill(0xff);
    fs::write(&file, bytes).unwrap();
    import(&bench, &["c7n.db"]).code(1).says(["c7n.db", "malformed", ".recover"]);
    let stored = query(&bench.path("creators.db"), "SELECT count(*) FROM resource_events");
    assert!((1..20_000).contains(&stored[0].parse::<usize>().unwrap()), "{stored:?}");
}

#[test]
fn database_of_a_killed_writer_is_read_after_sqlite_rolled_it_back() {
    let bench = Bench::new();
    let writer = Connection::open(write(&bench, "writing.db", many(2_000))).unwrap();
    // A small cache makes SQLite write before the end, with a rollback journal.
    writer.execute_batch("PRAGMA cache_size = 5; BEGIN; UPDATE events SET user_id = 'half of a change'").unwrap();
    for suffix in ["", "-journal"] {
        fs::copy(bench.path(format!("writing.db{suffix}")), bench.path(format!("c7n.db{suffix}"))).unwrap();
    }
    let run = import(&bench, &["c7n.db"]);
    run.code(2).says(["c7n.db holds an unfinished transaction", "DELETE FROM events WHERE 0"]);
    Connection::open(bench.path("c7n.db")).unwrap().execute_batch("DELETE FROM events WHERE 0").unwrap();
    assert_eq!(figures(import(&bench, &["c7n.db"]).success()), [2_000, 2_000, 2_000, 0, 0]);
    let users = query(&bench.path("creators.db"), "SELECT DISTINCT user_id FROM events");
    assert_eq!(users, ["arn:aws:iam::123456789012:user/ann"]);
}

#[test]
#[cfg(target_os = "linux")]
fn memory_does_not_grow_with_the_import() {
    let bench = Bench::new();
    let peak = |rows: usize| {
        let (file, db) = (format!("{rows}.db"), format!("out-{rows}.db"));
        write(&bench, &file, many(rows).map(|row| row.set(5, Some(&"agent ".repeat(200)))));
        let mut child = bench.trailcreator(["import", &file, "--db", &db]).spawn();
        let peak = memory::peak_until_end(&mut child);
        assert!(child.wait().unwrap().success());
        peak
    };
    // SQLite's page cache has a fixed size, and is full after the first of these.
    let (small, large) = (peak(25_000), peak(75_000));
    assert!(large < 110 * 1024, "{large} KiB");
    assert!(large * 10 <= small * 13, "{small} KiB, {large} KiB for three times as much");
}
