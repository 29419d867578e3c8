//! Bad input and bad surroundings: what was wrong, where, and what to do next; the right exit code; nothing lost.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::common::{Bench, Caller, Event, Moto, Run, Trail, run_python};

fn role(name: &str) -> Event {
    Event::new("iam.amazonaws.com", "CreateRole")
        .by(Caller::iam_user("alice"))
        .field("eventID", json!(format!("event-of-{name}")))
        .request(json!({"roleName": name}))
        .response(json!({"role": {"roleName": name, "arn": format!("arn:aws:iam::123456789012:role/{name}")}}))
}

/// Asserts that `who` knows the role, and that alice made it.
fn assert_known(bench: &Bench, name: &str) {
    let who = bench.trailcreator(["who", name, "--output", "json"]).run();
    let resources = &who.success().json()["resources"];
    assert_eq!((&resources[0]["id"], &resources[0]["owner"]), (&json!(name), &json!("alice")), "{resources:#}");
}

fn load(bench: &Bench, paths: &[&str]) -> Run {
    bench.trailcreator(["load-files"].iter().chain(paths)).run()
}

// --- Log files ------------------------------------------------------------------------------------------------------

#[test]
fn broken_files_are_named_and_the_others_loaded_and_a_repaired_file_is_loaded_later() {
    let bench = Bench::new();
    let whole = |name: &str| Trail::new().event(role(name));
    whole("good").write(&bench.path("logs/a.json.gz"));
    let (gz, json) = (whole("cut-gzip").gz(), whole("cut-json").json());
    bench.write("logs/b.json.gz", &gz[..gz.len() / 2]);
    bench.write("logs/c.json", &json[..json.len() - 20]);
    bench.write("logs/d.json.gz", "not gzip at all");
    whole("last").write(&bench.path("logs/e.json"));

    load(&bench, &["logs"]).code(4).shows(["b.json.gz", "c.json", "d.json.gz: neither gzip nor JSON: expected"]);
    assert_known(&bench, "good");
    assert_known(&bench, "last");

    bench.write("logs/b.json.gz", &gz);
    bench.write("logs/c.json", &json);
    fs::remove_file(bench.path("logs/d.json.gz")).expect("it is there");
    load(&bench, &["logs"]).success();
    assert_known(&bench, "cut-gzip");
    assert_known(&bench, "cut-json");
}

#[test]
fn a_broken_record_does_not_cost_the_others() {
    let bench = Bench::new();
    let good = |name: &str| serde_json::to_string(&Trail::new().event(role(name)).records()[0]).expect("JSON of JSON");
    let odd = r#"{"eventSource": "iam.amazonaws.com", "eventName": "CreateRole", "responseElements": {"role": {"roleName": 7}}, "userIdentity": "alice"}"#;
    bench.write("odd.json", format!(r#"{{"Records": [{}, {odd}, 17, null, {}]}}"#, good("one"), good("two")));
    let run = load(&bench, &["odd.json"]);
    assert!(matches!(run.code, Some(0 | 4)), "{}", run.printed());
    assert_known(&bench, "one");
    assert_known(&bench, "two");
}

#[test]
fn a_missing_path_is_named() {
    load(&Bench::new(), &["nowhere/logs"]).code(2).says(["nowhere/logs", "No such file", "hint: "]);
}

// --- Resource maps --------------------------------------------------------------------------------------------------

fn with_map(content: &str, name: &str) -> Run {
    let bench = Bench::new();
    bench.write(name, content);
    Trail::new().event(role("app")).write(&bench.path("trail.json"));
    let run = bench.trailcreator(["load-files", "trail.json", "--resource-map", name]).run();
    assert!(!bench.path("creators.db").exists() || run.code == Some(0), "a refused map left a database behind");
    run
}

#[test]
fn the_example_of_c7n_trailcreator_works_unchanged() {
    // Its readme's map, in its own words.
    let map = r#"{
  "resources": [
    {
      "resource": "iam-role",
      "events": [
        {"event": "CreateRole", "service": "iam.amazonaws.com", "ids": "requestParameters.roleName"}
      ]
    }
  ]
}"#;
    with_map(map, "map.json").success();
}

#[test]
fn an_unknown_key_is_shown_with_its_place() {
    let map = "{\"resources\": [\n  {\"resource\": \"iam-role\",\n   \"eventz\": []}\n]}\n";
    with_map(map, "map.json").code(2).says(["map.json", ":3:", "eventz", "events", "hint: "]);
}

#[test]
fn a_bad_expression_is_shown_with_its_place() {
    let map = "{\"resources\": [\n  {\"resource\": \"iam-role\", \"events\": [\n    {\"event\": \"CreateRole\", \"service\": \"iam.amazonaws.com\",\n     \"ids\": \"responseElements.[role\"}]}\n]}\n";
    with_map(map, "map.json").code(2).says(["map.json", ":4:", "responseElements.[role", "hint: "]);
}

#[test]
fn a_type_given_twice_is_refused() {
    let stanza = r#"{"resource": "iam-role", "events": [{"event": "CreateRole", "service": "iam.amazonaws.com", "ids": "requestParameters.roleName"}]}"#;
    with_map(&format!("{{\"resources\": [{stanza},\n{stanza}]}}"), "map.json")
        .code(2)
        .says(["map.json", ":2:", "iam-role"]);
}

#[test]
fn a_map_that_is_not_there_is_named() {
    let bench = Bench::new();
    Trail::new().event(role("app")).write(&bench.path("trail.json"));
    bench.trailcreator(["load-files", "trail.json", "--resource-map", "none.yml"]).run().code(2).says(["none.yml"]);
}

// --- Databases ------------------------------------------------------------------------------------------------------

fn sqlite(database: &Path, sql: &str) -> Value {
    let code = format!(
        "import json, sqlite3
connection = sqlite3.connect({database:?})
rows = [row for statement in {sql:?}.split(';') for row in connection.execute(statement).fetchall()]
connection.commit(); connection.close()
print(json.dumps(rows))"
    );
    serde_json::from_str(&run_python(&code, &[])).expect("Python prints JSON")
}

fn loaded() -> Bench {
    let bench = Bench::new();
    Trail::new().event(role("app")).write(&bench.path("trail.json"));
    load(&bench, &["trail.json"]).success();
    bench
}

#[test]
fn a_newer_database_is_refused_and_left_as_it_is() {
    let bench = loaded();
    let database = bench.path("creators.db");
    sqlite(&database, "PRAGMA user_version = 9999");
    for command in [&["load-files", "trail.json"][..], &["who", "app"], &["runs"]] {
        bench.trailcreator(command).run().code(1).says(["creators.db", "9999", "hint: update trailcreator"]);
    }
    assert_eq!(sqlite(&database, "PRAGMA user_version; SELECT count(*) FROM resource_events"), json!([[9999], [1]]));
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_as_it_is() {
    let bench = loaded();
    bench.write(
        "creators.db",
        "This is a letter to my bank, not a database, and long enough to be read as a header by SQLite.",
    );
    let before = fs::read(bench.path("creators.db")).expect("it is there");
    load(&bench, &["trail.json"]).code(1).says(["creators.db", "not a database", "hint: "]);
    assert_eq!(fs::read(bench.path("creators.db")).expect("it is there"), before);
}

#[test]
fn a_database_of_c7n_trailcreator_is_an_error_that_suggests_import() {
    let bench = loaded();
    sqlite(
        &bench.path("c7n.db"),
        "CREATE TABLE events (account_id text, region text, event_date text, event_name text, event_source text, user_agent text, \
         client_ip text, user_id text, rtype text, resource_ids text); INSERT INTO events (account_id) VALUES ('1')",
    );
    let before = fs::read(bench.path("c7n.db")).expect("it is there");
    let run = bench.trailcreator(["--db", "c7n.db", "load-files", "trail.json"]).run();
    run.code(1).says(["c7n.db", "c7n-trailcreator", "hint: "]);
    assert_eq!(fs::read(bench.path("c7n.db")).expect("it is there"), before);
}

#[test]
#[cfg(unix)]
fn a_missing_or_read_only_folder_is_an_error_with_a_hint() {
    let bench = loaded();
    bench
        .trailcreator(["--db", "no/such/creators.db", "load-files", "trail.json"])
        .run()
        .code(1)
        .says(["no/such/creators.db", "hint: "]);
    // Root may write anywhere but where nothing can be: a folder in a device file, and a read-only kernel file system.
    bench
        .trailcreator(["--db", "/dev/null/creators.db", "load-files", "trail.json"])
        .run()
        .code(1)
        .says(["/dev/null/creators.db"]);
}

#[test]
#[cfg(unix)]
fn a_read_only_database_can_be_read_and_is_not_changed() {
    use std::os::unix::fs::PermissionsExt;

    let bench = loaded();
    let set =
        |path: &str, mode| fs::set_permissions(bench.path(path), fs::Permissions::from_mode(mode)).expect("it is ours");
    fs::create_dir(bench.path("kept")).expect("it is new");
    fs::copy(bench.path("creators.db"), bench.path("kept/creators.db")).expect("it is there");
    Trail::new().event(role("more")).write(&bench.path("more.json"));
    set("kept/creators.db", 0o444);
    set("kept", 0o555);
    let before = fs::read(bench.path("kept/creators.db")).expect("it is there");
    // First in a folder where files may be made, then where not.
    for mode in [0o777, 0o555] {
        set("kept", mode);
        let run = |command: &[&str]| bench.unprivileged(["--db", "kept/creators.db"].iter().chain(command)).run();
        let load = run(&["load-files", "more.json"]);
        load.code(1).says(["kept/creators.db", "hint: make the file and its folder writable"]);
        run(&["who", "app"]).success().shows(["alice"]);
        run(&["runs"]).success();
        run(&["count", "more.json"]).success();
    }
    set("kept", 0o755);
    assert_eq!(fs::read(bench.path("kept/creators.db")).expect("it is there"), before);
}

#[test]
fn a_missing_database_is_an_error_that_suggests_a_load() {
    let bench = Bench::new();
    for command in [&["who", "app"][..], &["runs"], &["undo", "1"]] {
        bench.trailcreator(command).run().code(1).says(["creators.db", "hint: ", "load-files"]);
        assert!(!bench.path("creators.db").exists(), "{command:?} made an empty database");
    }
}

// --- AWS ------------------------------------------------------------------------------------------------------------

#[test]
fn an_unknown_type_gets_the_nearest_known_one() {
    let moto = Moto::start();
    let run = loaded().trailcreator(["tag", "--type", "iam-rol"]).aws(&moto).run();
    run.code(2).says(["iam-rol", "iam-role"]);
    assert_eq!(moto.writes(), 0);
}

#[test]
fn missing_credentials_are_an_error_with_a_hint() {
    let run = loaded().trailcreator(["tag", "--region", "us-east-1"]).run();
    run.code(1).says(["credentials", "hint: ", "--profile"]);
    assert!(!run.stderr.contains("panicked"), "{}", run.printed());
}

#[test]
fn a_profile_that_does_not_exist_is_named() {
    loaded()
        .trailcreator(["tag", "--region", "us-east-1", "--profile", "missing"])
        .run()
        .code(1)
        .says(["no profile \"missing\"", "hint: check --profile and AWS_PROFILE"]);
}

#[test]
fn a_missing_region_is_an_error_with_a_hint() {
    let bench = loaded();
    let run = bench.trailcreator(["tag"]).env("AWS_ACCESS_KEY_ID", "a").env("AWS_SECRET_ACCESS_KEY", "b").run();
    run.code(1).says(["region", "hint: ", "--region"]);
}

#[test]
fn what_can_not_be_a_region_is_a_usage_error() {
    loaded().trailcreator(["tag", "--region", "frankfurt"]).run().code(2).says(["frankfurt", "eu-west-1"]);
}

#[test]
fn an_unknown_region_is_reported() {
    // A region that isn't there shows as a host name that does not resolve; names below .invalid never do (RFC 6761),
    // and nothing is asked of the real AWS.
    let run = loaded()
        .trailcreator(["tag", "--region", "eu-nowhere-9", "--endpoint-url", "http://sts.eu-nowhere-9.invalid"])
        .env("AWS_ACCESS_KEY_ID", "testing")
        .env("AWS_SECRET_ACCESS_KEY", "testing")
        .run();
    run.code(1).says(["eu-nowhere-9", "hint: "]);
}

#[test]
fn a_bucket_that_does_not_exist_is_named() {
    let moto = Moto::start();
    let run = Bench::new().trailcreator(["load-s3", "--bucket", "no-such-bucket"]).aws(&moto).run();
    run.code(1).says(["no-such-bucket", "hint: "]);
}

#[test]
fn an_endpoint_without_a_server_is_an_error_with_a_hint() {
    // Port 1 of loopback: nothing listens there, so nothing is asked of the network.
    let run = loaded()
        .trailcreator(["tag", "--region", "us-east-1", "--endpoint-url", "http://127.0.0.1:1"])
        .env("AWS_ACCESS_KEY_ID", "testing")
        .env("AWS_SECRET_ACCESS_KEY", "testing")
        .run();
    run.code(1).says(["http://127.0.0.1:1: ", "Connection refused", "hint: no server listens", "--endpoint-url"]);
}

#[test]
fn an_endpoint_that_is_set_to_nothing_is_not_set() {
    let moto = Moto::start();
    for (empty, given) in [("AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL"), ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS")] {
        let run = loaded()
            .trailcreator(["tag", "--dry-run", "--type", "sns"])
            .aws(&moto)
            .env("AWS_ENDPOINT_URL_SNS", &moto.endpoint())
            .env("AWS_ENDPOINT_URL_RESOURCE_GROUPS_TAGGING_API", &moto.endpoint())
            .env(given, &moto.endpoint())
            .env(empty, "")
            .run();
        run.success();
    }
}
