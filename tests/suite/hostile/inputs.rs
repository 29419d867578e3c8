//! Tables of hostile input: each ends in bounded time and memory, in an error that names the file, or in data that prints safely.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

#[cfg(target_os = "linux")]
use crate::common::memory;
use crate::common::{Bench, Run, database, gzip};

/// Far more than each needs, and far less than one without bounds takes.
const PATIENCE: Duration = Duration::from_secs(600);

/// The most memory that a command may take, in KiB: buffers of two threads, and the built-in resource map.
const MEMORY: u64 = 400 * 1024;

fn record(name: &str, more: &Value) -> Value {
    let mut record = json!({
        "eventVersion": "1.08", "eventTime": "2026-03-01T10:00:00Z", "eventSource": "ec2.amazonaws.com",
        "eventName": "RunInstances", "awsRegion": "eu-west-1", "eventID": name, "recipientAccountId": "123456789012",
        "userIdentity": {"type": "IAMUser", "userName": "ann", "arn": "arn:aws:iam::123456789012:user/ann"},
        "requestParameters": null, "responseElements": instances([name]),
    });
    for (key, value) in more.as_object().expect("fields") {
        record[key] = value.clone();
    }
    record
}

fn instances<T: Into<Value>>(ids: impl IntoIterator<Item = T>) -> Value {
    let items: Vec<Value> = ids.into_iter().map(|id| json!({"instanceId": id.into()})).collect();
    json!({"instancesSet": {"items": items}})
}

fn trail(record: &Value) -> Vec<u8> {
    json!({"Records": [record]}).to_string().into_bytes()
}

fn with(field: &str, value: Value) -> Vec<u8> {
    trail(&record("with", &Value::Object([(field.to_owned(), value)].into_iter().collect())))
}

fn utf16(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(unit).collect()
}

/// The name of a log file, its content, and what is said of it; nothing if it loads, and [`EITHER`] if that is up to the reader.
const EITHER: &str = "?";

type LogFile = (&'static str, Vec<u8>, &'static str);

fn raw(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

fn good() -> String {
    String::from_utf8(trail(&record("i-good", &json!({})))).expect("JSON")
}

/// Compressed, encoded, or something else than JSON.
fn files_of_other_formats() -> Vec<LogFile> {
    let text = good();
    let zipped = gzip(text.as_bytes());
    let mut bad_sum = zipped.clone();
    let length = bad_sum.len();
    bad_sum[length - 6] ^= 0xff;
    vec![
        ("bomb.json.gz", gzip(&vec![b' '; 150 << 20]), "bomb.json.gz: "),
        ("cut.json.gz", zipped[..length / 2].to_vec(), "cut.json.gz: "),
        ("sum.json.gz", bad_sum, "sum.json.gz: "),
        ("after.json.gz", [&zipped[..], b"garbage"].concat(), "after.json.gz: "),
        ("bzip2.json", raw("BZh91AY&SY"), "compressed with bzip2"),
        ("xz.json", b"\xfd7zXZ\0\0\x04".to_vec(), "compressed with xz"),
        ("lz4.json", b"\x04\x22\x4d\x18xx".to_vec(), "compressed with lz4"),
        ("zip.json", b"PK\x03\x04xx".to_vec(), "a zip archive"),
        ("parquet.json", raw("PAR1xx"), "a Parquet file"),
        ("sqlite.json", b"SQLite format 3\0xx".to_vec(), "an SQLite database"),
        ("utf16_no_bom.json", utf16(&text, u16::to_le_bytes), "utf16_no_bom.json: it is UTF-16"),
        ("empty.json", Vec::new(), "empty.json: the file is empty"),
        ("blank.json", raw(" \n\t "), "blank.json: the file is empty"),
        ("empty.json.gz", gzip(b""), "empty.json.gz: the file is empty"),
        ("zeros.json", vec![0; 4096], "zeros.json: "),
        (
            "random.json",
            (0..9999_u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect(),
            "random.json: ",
        ),
        ("html.json", raw("<html><script>alert(1)</script>"), "html.json: "),
        ("yaml.json", raw("Records:\n- eventName: x\n"), "yaml.json: "),
    ]
}

/// JSON with structure, records or values as no CloudTrail writes them.
fn files_of_odd_records() -> Vec<LogFile> {
    let text = good();
    let nested = |open: &str, close: &str, depth: usize| format!("{}1{}", open.repeat(depth), close.repeat(depth));
    let in_record = |value: &str| text.replace("\"requestParameters\":null", &format!("\"requestParameters\":{value}"));
    let many = |count: usize| with("responseElements", instances((0..count).map(|number| format!("i{number}"))));
    vec![
        ("huge.json", with("x", json!("x".repeat(40 << 20))), "huge.json: a record is larger"),
        ("arrays.json", raw(&format!("{{\"Records\":{}}}", nested("[", "]", 500_000))), "arrays.json: "),
        ("objects.json", raw(&format!("{{\"Records\":[{}]}}", nested("{\"a\":", "}", 500_000))), EITHER),
        ("deep.json", raw(&in_record(&nested("[", "]", 127))), EITHER),
        ("deeper.json", raw(&in_record(&nested("[", "]", 100_000))), EITHER),
        ("object.json", raw("{\"Records\":{}}"), EITHER),
        ("string.json", raw("{\"Records\":\"x\"}"), EITHER),
        ("number.json", raw("{\"Records\":[1]}"), EITHER),
        ("null.json", raw("{\"Records\":[null]}"), EITHER),
        ("open.json", raw("{\"Records\":["), "open.json: "),
        ("no_name.json", raw("{\"Records\":[{}]}"), EITHER),
        ("many_ids.json", many(120_000), "is larger than 2 MiB"),
        ("more_ids.json", many(300_000), "is larger than 2 MiB"),
        ("some_ids.json", many(5_000), ""),
        ("time.json", with("eventTime", json!("99999-01-01T00:00:00Z")), "invalid eventTime"),
        ("no_time.json", with("eventTime", json!("\u{1b}[2J'; DROP TABLE")), "invalid eventTime"),
        (
            "surrogate_id.json",
            raw(&text.replace("\"instanceId\":\"i-good\"", "\"instanceId\":\"i-\\ud83d\"")),
            "can't be read in an identifier",
        ),
        ("surrogate_name.json", raw(&text.replace("RunInstances", "Run\\ud83dInstances")), EITHER),
        (
            "not_utf8.json",
            text.replace("\"ann\"", "\"\u{1}\"").bytes().map(|b| if b == 1 { 0xff } else { b }).collect(),
            "can't be read in userIdentity",
        ),
        ("big_number.json", raw(&in_record("1e999")), EITHER),
        ("sql.json", trail(&record("x'; DROP TABLE resource_events; --", &json!({}))), ""),
        ("escapes.json", trail(&record("\u{1b}]0;x\u{7}\u{202e}\u{0}\n", &json!({}))), ""),
        ("html_id.json", trail(&record("<script>alert(1)</script>&amp;", &json!({}))), ""),
        (
            "formula.json",
            with(
                "userIdentity",
                json!({"type": "IAMUser", "userName": "=cmd|' /C calc'!A0", "arn": "arn:aws:iam::1:user/x"}),
            ),
            "",
        ),
        ("formulas.json", with("recipientAccountId", json!("+1+1")), ""),
        ("path.json", with("awsRegion", json!("../../../etc/passwd")), ""),
        ("long_id.json", trail(&record(&"i".repeat(1 << 19), &json!({}))), ""),
        ("long_name.json", with("eventName", json!("n".repeat(1 << 20))), ""),
        ("bom.json", raw(&format!("\u{feff}{text}")), EITHER),
        ("lines.json", raw(&format!("{text}\r\n\r\n{text}")), EITHER),
        ("twice.json", raw(&text.replace("{\"Records\"", "{\"Records\":[1],\"Records\"")), EITHER),
        ("prototype.json", with("__proto__", json!({"eventName": "x"})), ""),
    ]
}

/// What a command printed, and that it was bounded.
fn bounded(bench: &Bench, args: &[&str]) -> Run {
    let begun = Instant::now();
    let mut child = bench.shell(&format!("exec trailcreator {} >stdout 2>stderr", args.join(" "))).spawn();
    #[cfg(target_os = "linux")]
    let peak = memory::peak_until_end(&mut child);
    #[cfg(not(target_os = "linux"))]
    let peak = 0;
    let code = child.wait().expect("a child").code();
    let read =
        |name: &str| String::from_utf8(fs::read(bench.path(name)).expect("it is there")).expect("output is UTF-8");
    let run = Run { shown: args.join(" "), code, stdout: read("stdout"), stderr: read("stderr") };
    assert!(begun.elapsed() < PATIENCE, "{:?} for {}", begun.elapsed(), run.shown);
    assert!(peak < MEMORY, "{peak} KiB for {}", run.shown);
    assert!(run.code.is_some_and(|code| code != 101), "{}", run.printed());
    let is_unsafe = |c: char| c.is_control() && !matches!(c, '\n' | '\r') || c == '\u{202e}';
    assert!(!run.stdout.contains(is_unsafe) && !run.stderr.contains(is_unsafe), "{}", run.printed());
    run
}

#[test]
fn hostile_log_files_are_named_and_the_others_are_loaded() {
    let bench = Bench::new();
    let files = [files_of_other_formats(), files_of_odd_records()].concat();
    for (name, content, _) in &files {
        bench.write(format!("logs/{name}"), content);
    }
    let run = bounded(&bench, &["load-files", "logs", "--jobs", "2"]);
    run.code(4);
    let output = format!("{}{}", run.stdout, run.stderr);
    for (name, _, said) in files.iter().filter(|(_, _, said)| *said != EITHER) {
        assert!(output.contains(said), "nothing says {said:?} of {name}\n{output}");
        assert_eq!(output.contains(&format!("/{name}: ")), !said.is_empty(), "{name}\n{output}");
    }
    bounded(&bench, &["count", "logs", "--by", "eventName,awsRegion"]).code(4);
    let csv = bounded(&bench, &["report", "--offline", "--format", "csv", "--by", "creator"]);
    csv.success();
    assert!(!csv.stdout.contains("\n=cmd") && !csv.stdout.contains(",=cmd"), "{}", csv.stdout);
    let csv = bounded(&bench, &["report", "--offline", "--format", "csv"]);
    assert!(!csv.success().stdout.contains("\n+1"), "{}", csv.stdout);
    bounded(&bench, &["report", "--offline", "--format", "json"]).success().json();
    let database = rusqlite::Connection::open(bench.path("creators.db")).expect("it opens");
    let integrity: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("it answers");
    assert_eq!(integrity, "ok");
    bench.trailcreator(["who", "x'; DROP TABLE resource_events; --"]).run().success();
}

/// What is wrong with any YAML file, whatever it is for.
fn yaml() -> Vec<(&'static str, Vec<u8>)> {
    let laughs: String = (1..30)
        .map(|n| format!("a{n}: &a{n} [*a{0},*a{0},*a{0},*a{0},*a{0},*a{0},*a{0},*a{0},*a{0}]\n", n - 1))
        .collect();
    let maps: String =
        (1..30).map(|n| format!("a{n}: &a{n} {{<<: *a{0}, x{n}: *a{0}, y{n}: *a{0}}}\n", n - 1)).collect();
    vec![
        ("laughs", raw(&format!("a0: &a0 [lol]\n{laughs}rules: *a29\naccounts: *a29\nresources: *a29\n"))),
        ("merges", raw(&format!("a0: &a0 {{a: b}}\n{maps}rules: *a29\naccounts: *a29\nresources: *a29\n"))),
        (
            "quadratic",
            raw(&format!(
                "a: &a \"{}\"\nrules: [{}]\nresources: [x]\naccounts: [x]\n",
                "x".repeat(100_000),
                "*a,".repeat(20_000)
            )),
        ),
        ("recursive", raw("rules: &a [*a]\nresources: *a\naccounts: *a\n")),
        ("deep_flow", raw(&format!("rules: {}{}", "[".repeat(100_000), "]".repeat(100_000)))),
        ("deep_maps", raw(&format!("rules: {}{}", "{a: ".repeat(100_000), "}".repeat(100_000)))),
        ("deep_block", (0..3000).flat_map(|depth| format!("{}- \n", " ".repeat(depth)).into_bytes()).collect()),
        ("dashes", raw(&"- ".repeat(200_000))),
        ("anchors", (0..50_000).flat_map(|n| format!("k{n}: &k{n} x\n").into_bytes()).collect()),
        ("long", raw(&format!("rules: \"{}\"", "x".repeat(10 << 20)))),
        ("too_large", vec![b'#'; 17 << 20]),
        ("nodes", raw(&format!("rules: [{}]", "1,".repeat(2_500_000)))),
        ("python", raw("rules: !!python/object/apply:os.system ['true']\n")),
        ("binary", raw("rules: !!binary AAAA\n")),
        ("two", raw("rules: []\n---\nrules: []\n")),
        ("empty", Vec::new()),
        ("comment", raw("# nothing\n")),
        ("tab", raw("rules:\n\t- x\n")),
        ("nul", raw("rules: \"\0\"\n")),
        ("not_utf8", b"rules: \xff\n".to_vec()),
        ("utf16", utf16("\u{feff}rules: []\n", u16::to_le_bytes)),
        ("complex_key", raw("? {a: b}\n: c\n")),
        ("twice", raw("rules: []\nrules: []\n")),
        ("escapes", raw("\"rules\\e[2J\\u202e\": x\n")),
        ("gzip", gzip(b"rules: []\n")),
    ]
}

fn written(bench: &Bench, files: &[(&str, Vec<u8>)]) -> Vec<String> {
    files
        .iter()
        .map(|(name, content)| {
            bench.write(format!("{name}.yml"), content);
            format!("{name}.yml")
        })
        .collect()
}

/// Each file that is read as YAML: by its own run for what the whole process can take.
#[test]
fn hostile_yaml_is_refused_in_every_file_that_is_read() {
    let bench = Bench::new();
    bench.trailcreator(["load-files", "-"]).run();
    let files = yaml();
    let names = written(&bench, &files);
    let mut check: Vec<&str> = vec!["resource-map", "check"];
    check.extend(names.iter().map(String::as_str));
    let run = bounded(&bench, &check);
    let output = format!("{}{}", run.stdout, run.stderr);
    assert_ne!(run.code, Some(0), "{output}");
    for name in &names {
        assert!(output.contains(name.as_str()), "{name} is not named\n{output}");
    }
    for (name, content) in &files {
        // In this process: starting a hundred takes longer than reading.
        trailcreator::fuzzing::run("identity_maps", content);
        trailcreator::fuzzing::run("accounts", content);
        if !["laughs", "merges", "recursive", "deep_flow", "too_large", "nodes", "not_utf8"].contains(name) {
            continue;
        }
        let name = format!("{name}.yml");
        for command in [
            ["who", "q", "--identity-map", &name],
            ["tag-org", "--type=sqs", "--config", &name],
            ["--settings", &name, "count", "x"],
        ] {
            let run = bounded(&bench, &command);
            assert_ne!(run.code, Some(0), "{}", run.printed());
            assert!(run.stderr.contains(&name), "{name} is not named\n{}", run.printed());
        }
    }
}

/// Patterns of identity maps that are large, or slow in engines that go back.
#[test]
fn hostile_patterns_are_refused_or_take_linear_time() {
    let bench = Bench::new();
    let session = "a".repeat(60_000);
    let identity = json!({"type": "AssumedRole", "arn": format!("arn:aws:sts::1:assumed-role/r/{session}"),
        "principalId": format!("AROA:{session}"), "sessionContext": {"sessionIssuer": {"type": "Role", "userName": "r", "arn": "arn:aws:iam::1:role/r"}}});
    bench.write("logs/a.json", trail(&record("i-1", &json!({"userIdentity": identity}))));
    bench.trailcreator(["load-files", "logs"]).run().success();
    let patterns = [
        "/((a{100}){100}){100}/".to_owned(),
        r"/\\p{L}{100000}/".to_owned(),
        "/(a+)+$b/".to_owned(),
        "/(a|aa)+$b/".to_owned(),
        format!("/{}{}/", "(a?)".repeat(300), "a".repeat(300)),
        format!("/{}/", "(".repeat(10_000)),
        format!("/{}/", "a|".repeat(500_000)),
        format!("{}b", "*a".repeat(2_000)),
        "*".repeat(100_000),
    ];
    for (number, pattern) in patterns.iter().enumerate() {
        let name = format!("map{number}.yml");
        bench.write(&name, format!("rules: [{{session: \"{pattern}\", owner: x}}]\n"));
        let run = bounded(&bench, &["who", "i-1", "--identity-map", &name]);
        assert!(run.code == Some(0) || run.stderr.contains(&name), "{}", run.printed());
    }
}

/// Expressions of resource maps that are deep, or whose results grow.
#[test]
fn hostile_expressions_are_bounded() {
    let bench = Bench::new();
    bench.write("logs/a.json", trail(&record("i-1", &json!({"requestParameters": {"x": "x".repeat(100_000)}}))));
    let expressions = [
        format!("requestParameters{}", " | join('', [@, @])".repeat(40)),
        format!("requestParameters{}", " | [@, @]".repeat(60)),
        format!("requestParameters{}", " | {a: @, b: @}".repeat(60)),
        format!("{}requestParameters{}", "(".repeat(20_000), ")".repeat(20_000)),
        format!("{}requestParameters", "!".repeat(50_000)),
        format!("requestParameters{}", ".a".repeat(50_000)),
        format!("requestParameters{}", "[*]".repeat(20_000)),
        format!("{}requestParameters{}", "[".repeat(20_000), "]".repeat(20_000)),
        format!("requestParameters{}", " || a".repeat(50_000)),
        format!("{}requestParameters{}", "to_string(".repeat(5_000), ")".repeat(5_000)),
        format!("`{}{}`", "[".repeat(50_000), "]".repeat(50_000)),
        format!("{}requestParameters{}", "map(&@, ".repeat(3_000), ")".repeat(3_000)),
    ];
    for (number, ids) in expressions.iter().enumerate() {
        let name = format!("map{number}.yml");
        let stanza =
            format!("service: ec2\nresources:\n- type: x\n  events:\n  - {{event: RunInstances, ids: \"{ids}\"}}\n");
        bench.write(&name, stanza);
        let run = bounded(&bench, &["resource-map", "check", &name, "--events", "logs/a.json"]);
        assert!(
            run.code == Some(0) || format!("{}{}", run.stdout, run.stderr).contains(&name),
            "{}",
            run.printed().get(..3000).unwrap_or_default()
        );
    }
}

/// Files in the place of the database, and databases that someone prepared.
#[test]
fn hostile_databases_are_refused() {
    let bench = Bench::new();
    bench.write("logs/a.json", trail(&record("i-1", &json!({}))));
    bench.trailcreator(["load-files", "logs"]).run().success();
    let prepared = |name: &str, sql: &str| {
        fs::copy(bench.path("creators.db"), bench.path(name)).expect("a copy");
        rusqlite::Connection::open(bench.path(name)).expect("it opens").execute_batch(sql).expect("valid SQL");
    };
    prepared(
        "trigger.db",
        "CREATE TRIGGER \"x\u{1b}[2J\" AFTER INSERT ON resource_events BEGIN DELETE FROM resource_events; END",
    );
    prepared("newer.db", "PRAGMA user_version = 2000000000");
    prepared("negative.db", "PRAGMA user_version = -1");
    prepared(
        "view.db",
        "ALTER TABLE resource_events RENAME TO other; CREATE VIEW resource_events AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x FROM n) SELECT * FROM n",
    );
    prepared("dropped.db", "DROP TABLE writes");
    let foreign = rusqlite::Connection::open(bench.path("foreign.db")).expect("it opens");
    foreign.execute_batch("CREATE TABLE places (url TEXT)").expect("valid SQL");
    drop(foreign);
    let mut damaged = fs::read(bench.path("creators.db")).expect("it is there");
    for at in (100..damaged.len()).step_by(97) {
        damaged[at] ^= 0x55;
    }
    bench.write("damaged.db", &damaged);
    bench.write("cut.db", &damaged[..2000]);
    bench.write("text.db", "not a database");
    bench.write("header.db", b"SQLite format 3\0");
    fs::create_dir(bench.path("folder.db")).expect("a folder");
    for name in
        ["trigger", "newer", "negative", "view", "dropped", "foreign", "damaged", "cut", "text", "header", "folder"]
    {
        let file = format!("{name}.db");
        for command in [&["who", "i-1"][..], &["load-files", "logs"], &["report", "--offline"]] {
            let run = bounded(&bench, &[&["--db", file.as_str()], command].concat());
            let is_sound = matches!(name, "negative" | "dropped") && run.code == Some(0);
            assert!(is_sound || run.code == Some(1) || run.code == Some(2), "{}", run.printed());
            assert!(is_sound || run.stderr.contains(&file), "{}", run.printed());
        }
    }
}

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
