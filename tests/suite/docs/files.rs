//! The files that the pages name, in a page's working folder.

use std::os::unix::fs::symlink;
use std::path::Path;

use rusqlite::Connection;
use serde_json::json;

use super::pages::code;
use crate::common::{ACCOUNT, Bench, Event};

/// The table of c7n-trailcreator, with a role that its users look up.
const OLD_DATABASE: &str = "
create table events (account_id varchar(16), region varchar(16), event_date datetime,
    event_name varchar(128), event_source varchar(128), user_agent varchar(128), client_ip varchar(32),
    user_id varchar(128), rtype varchar(42), resource_ids varchar(256));
insert into events values ('123456789012', 'us-east-1', '2026-03-01T10:00:00Z', 'CreateRole', 'iam.amazonaws.com', 'aws-cli/2.0',
    '203.0.113.7', 'arn:aws:iam::123456789012:user/ann', 'iam-role', 'my-role');";

/// c7n-trailcreator's resource map.
const RESOURCE_MAP: &str = r#"{"resources": [{"resource": "iam-role", "events": [
    {"event": "CreateRole", "service": "iam.amazonaws.com", "ids": "requestParameters.roleName"}]}]}"#;

/// The folders into which completions are written; the shells have them.
const SHELL_FOLDERS: [&str; 3] =
    [".local/share/bash-completion/completions/.keep", ".zfunc/.keep", ".config/fish/completions/.keep"];

/// Writes the files, and links to the log files and to the folders of the repository that the pages name.
pub(super) fn write(bench: &Bench, logs: &Path) {
    bench.write("groups.yml", code("README.md", "yaml", "service: resource-groups"));
    bench.write("map.yml", code("docs/owners.md", "yaml", "people: people.csv"));
    bench.write("people.csv", code("docs/owners.md", "", "user,email,"));
    bench.write("resource_map.json", RESOURCE_MAP);
    let group = json!({"group": {"groupArn": format!("arn:aws:resource-groups:us-east-1:{ACCOUNT}:group/blue")}});
    let event = Event::new("resource-groups.amazonaws.com", "CreateGroup").response(group);
    bench.write("records.json", json!({"Records": [event.record()]}).to_string());
    bench.write(
        ".aws/config",
        "[profile prod]\naws_access_key_id = testing\naws_secret_access_key = testing\nregion = us-east-1\n",
    );
    for folder in SHELL_FOLDERS {
        bench.write(folder, "");
    }
    Connection::open(bench.path("old.db")).and_then(|old| old.execute_batch(OLD_DATABASE)).expect("it can be written");
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let link = |original: &Path, name: &str| symlink(original, bench.path(name)).expect("links can be made");
    link(logs, "logs");
    link(&repository.join("tests"), "tests");
    link(&repository.join("packaging"), "packaging");
}
