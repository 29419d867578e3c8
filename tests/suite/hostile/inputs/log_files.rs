//! Log files of other formats, and with records as no CloudTrail writes them.

use serde_json::json;

use super::{bounded, instances, raw, record, trail, utf16, with};
use crate::common::{Bench, gzip};

/// The name of a log file, its content, and what is said of it; nothing if it loads, and [`EITHER`] if that is up to the reader.
const EITHER: &str = "?";

type LogFile = (&'static str, Vec<u8>, &'static str);

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
