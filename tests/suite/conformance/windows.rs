//! Records at the borders of time ranges: half-open to the second, from one source of each kind. `load_athena` tests all shapes
//! of Athena's tables.

use serde_json::json;

use super::cases::{Case, bucket, case};
use super::sources::SOURCES;
use super::world::{World, assert_same, rows};
use crate::common::{Event, day, moment};

/// Times at borders of old years, months and days, and of a day that is still in Event history.
fn borders() -> Case {
    let old = [
        "2018-12-31T23:59:59Z",
        "2019-01-01T00:00:00Z",
        "2019-01-31T23:59:59Z",
        "2019-02-01T00:00:00Z",
        "2019-02-01T23:59:59Z",
        "2019-02-02T00:00:00Z",
        "2019-10-31T23:59:59Z",
        "2019-11-01T00:00:00Z",
        "2019-11-30T23:59:59Z",
        "2019-12-01T00:00:00Z",
        "2019-12-31T23:59:59Z",
        "2020-01-01T00:00:00Z",
    ];
    let recent = [(6, "23:59:59"), (5, "00:00:00"), (5, "12:00:00"), (5, "23:59:59"), (4, "00:00:00")];
    let times = old.into_iter().map(str::to_owned).chain(recent.map(|(ago, time)| moment(ago, time)));
    let events: Vec<Event> = times.map(|time| bucket(&format!("at-{time}")).at(&time)).collect();
    case("borders", events.len(), events)
}

/// One source of each kind.
const KINDS: [&str; 4] = ["get", "select", "athena-partitions", "history"];

#[test]
fn every_time_range_gives_the_same_rows_from_every_source() {
    let world = World::new(&[borders()]);
    let (recent_day, noon, last) = (day(5), moment(5, "12:00:00"), moment(5, "23:59:59"));
    let windows: [(&[&str], usize); 9] = [
        (&["--year", "2019"], 10),
        (&["--month", "2019/11"], 2),
        (&["--day", "2019/02/01"], 2),
        (&["--since", "2019-12-01T00:00:01Z", "--until", "2020"], 1),
        (&["--until", "2019-02-01T00:00:00Z"], 3),
        (&["--day", &recent_day], 3),
        (&["--since", &noon], 3),
        (&["--since", &noon, "--until", &last], 1),
        (&["--since", &last, "--until", &moment(4, "00:00:00")], 1),
    ];
    let sources: Vec<_> = SOURCES.iter().filter(|source| KINDS.contains(&source.name)).collect();
    assert_eq!(sources.len(), KINDS.len());
    let is_recent = |window: &[&str]| windows[5..].iter().any(|(recent, _)| *recent == window);
    for (number, (window, count)) in windows.iter().enumerate() {
        std::fs::remove_file(world.database("files")).ok();
        world.load_files(window);
        let reference = rows(&world.database("files"));
        assert_eq!(reference.len(), *count, "{window:?}");
        for source in sources.iter().filter(|source| !source.forgets() || is_recent(window)) {
            let database = format!("{}-{number}", source.name);
            let summary = source.load(&world, &database, window).success().json();
            assert_eq!(summary["new_ids"], json!(count), "{} {window:?}", source.name);
            assert_same(source, &source.of_reference(&reference), &rows(&world.database(&database)));
        }
    }
}
