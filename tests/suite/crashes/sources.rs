//! What the killed commands read: log files, a database of c7n-trailcreator, and a database of an earlier version.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use serde_json::json;

use crate::common::{Bench, Event, Trail};

/// Rows of the databases.
pub(super) const ROWS: i64 = 20_000;

/// Log files in `logs`, with one created bucket each.
pub(super) fn write_logs(bench: &Bench, files: usize) {
    for file in 0..files {
        let bucket = json!({"bucketName": format!("b-{file}")});
        let create = Event::new("s3.amazonaws.com", "CreateBucket").request(bucket);
        let other = Event::new("ec2.amazonaws.com", "DescribeInstances");
        let events = [create, other].map(|event| event.field("eventID", json!(format!("event-{file}"))));
        let trail = events.into_iter().fold(Trail::new(), Trail::event);
        trail.write(&bench.path(format!("logs/{:02}/{file:04}.json.gz", file % 7)));
    }
}

/// A database of c7n-trailcreator.
pub(super) fn write_c7n(path: &Path) {
    let sql = format!(
        "CREATE TABLE events (account_id, region, event_date, event_name, event_source, user_agent, client_ip, user_id, rtype, resource_ids);
         WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {ROWS})
         INSERT INTO events SELECT '123456789012', 'us-east-1', strftime('%Y-%m-%dT%H:%M:%SZ', 1700000000 + n, 'unixepoch'), 'CreateBucket',
             's3.amazonaws.com', '', '', 'arn:aws:iam::123456789012:user/ann', 's3', 'bucket-' || n FROM numbers;"
    );
    Connection::open(path).unwrap().execute_batch(&sql).unwrap();
}

/// The migrations in order, without the schema that they lead to.
pub(super) fn migrations() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| !file.ends_with("schema.sql"));
    files.sort();
    files
}

/// A database as version `version` of the schema left it, with events.
pub(super) fn write_earlier(path: &Path, version: usize) {
    let connection = Connection::open(path).unwrap();
    for file in &migrations()[..version] {
        connection.execute_batch(&fs::read_to_string(file).unwrap()).unwrap();
    }
    let sql = format!(
        "PRAGMA user_version = {version};
         WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {ROWS})
         INSERT INTO resource_events (account_id, region, event_time, event_id, resource_type, resource_id, action, event_name, event_source)
         SELECT '123456789012', 'us-east-1', strftime('%Y-%m-%dT%H:%M:%SZ', 1700000000 + n, 'unixepoch'), 'event-' || n, 's3', 'bucket-' || n,
             'create', 'CreateBucket', 's3.amazonaws.com' FROM numbers;
         PRAGMA journal_mode = wal;"
    );
    connection.execute_batch(&sql).unwrap();
}

/// Removes a database with the files beside it.
pub(super) fn remove(database: &Path) {
    for suffix in ["", "-wal", "-shm", "-journal"] {
        drop(fs::remove_file(format!("{}{suffix}", database.display())));
    }
}
