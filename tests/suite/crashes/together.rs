//! Two processes at once on one database: they take turns, or one ends with a message. Nothing is corrupted or doubled.

use std::process::Child;

use super::sources::{remove, write_earlier, write_logs};
use crate::common::Bench;
use crate::common::database::{assert_intact, events, loaded, query};
use crate::faults::world::{World, assert_nothing_lost};

/// Waits for processes; their exit codes and messages. None may have crashed.
fn ends(children: Vec<Child>) -> Vec<(i32, String)> {
    let end = |child: Child| {
        let output = child.wait_with_output().expect("it ends");
        let stderr = String::from_utf8(output.stderr).expect("stderr is UTF-8");
        assert!(!stderr.contains("panicked"), "{stderr}");
        (output.status.code().expect("it ends by itself"), stderr)
    };
    children.into_iter().map(end).collect()
}

#[test]
fn two_loads_at_once_load_each_file_once() {
    let bench = Bench::new();
    write_logs(&bench, 300);
    bench.trailcreator(["load-files", "logs"]).run().success();
    let (database, undisturbed) = (bench.path("creators.db"), loaded(&bench.path("creators.db")));
    remove(&database);
    let children = (0..3).map(|_| bench.trailcreator(["load-files", "logs"]).spawn()).collect();
    for (code, stderr) in ends(children) {
        assert_eq!(code, 0, "{stderr}");
    }
    assert_eq!(loaded(&database), undisturbed);
    assert_intact(&database, "after three loads");
}

#[test]
fn a_load_and_a_tag_at_once_do_their_work_both() {
    let world = World::new();
    let (first, bench) = (world.tags(), &world.lab.bench);
    write_logs(bench, 200);
    let before = events(&bench.path("creators.db")).len();
    let load = bench.trailcreator(["load-files", "logs"]).spawn();
    let tag = bench.trailcreator(["tag"]).aws(&world.lab.moto).spawn();
    for (code, stderr) in ends(vec![load, tag]) {
        assert_eq!(code, 0, "{stderr}");
    }
    assert_eq!(events(&bench.path("creators.db")).len(), before + 200);
    let now = world.tags();
    assert_nothing_lost(&first, &now, "load and tag");
    assert!(now.values().all(|tags| tags.contains_key("Owner")), "{now:#?}");
    world.undo_all();
    assert_eq!(world.tags(), first);
}

#[test]
fn two_tags_at_once_write_what_one_writes_and_are_undone() {
    let world = World::new();
    let first = world.tags();
    let tag = || world.lab.bench.trailcreator(["tag"]).aws(&world.lab.moto).spawn();
    for (code, stderr) in ends(vec![tag(), tag()]) {
        assert_eq!(code, 0, "{stderr}");
    }
    let now = world.tags();
    assert_nothing_lost(&first, &now, "two tags");
    assert!(now.values().all(|tags| tags.contains_key("Owner")), "{now:#?}");
    world.undo_all();
    assert_eq!(world.tags(), first);
    assert_intact(&world.lab.bench.path("creators.db"), "two tags");
}

#[test]
fn an_undo_and_a_tag_at_once_leave_nothing_that_can_not_be_undone() {
    let world = World::new();
    let first = world.tags();
    world.lab.run(&["tag"]).success();
    let run = |args: &[&str]| world.lab.bench.trailcreator(args).aws(&world.lab.moto).spawn();
    for (code, stderr) in ends(vec![run(&["undo", "1"]), run(&["tag"])]) {
        assert!(matches!(code, 0 | 4), "{stderr}");
    }
    assert_nothing_lost(&first, &world.tags(), "undo and tag");
    world.undo_all();
    assert_eq!(world.tags(), first);
}

#[test]
fn commands_at_once_migrate_a_database_once() {
    let bench = Bench::new();
    write_logs(&bench, 20);
    for version in [1, 12] {
        let database = bench.path("creators.db");
        remove(&database);
        write_earlier(&database, version);
        let before = query(&database, "SELECT count(*) FROM resource_events")[0].parse::<usize>().expect("a count");
        let commands: [&[&str]; 4] = [&["runs"], &["load-files", "logs"], &["who", "bucket-1"], &["runs"]];
        let children = commands.map(|args| bench.trailcreator(args).spawn()).into();
        for (code, stderr) in ends(children) {
            assert_eq!(code, 0, "{stderr}");
        }
        assert_intact(&database, "migrated");
        assert_eq!(events(&database).len(), before + 20);
    }
}
