use super::*;
use crate::trail::scan::Counts;

fn figures() -> Figures {
    let without_ids = (0..7).map(|number| (format!("a.amazonaws.com:Create{number}"), number + 1)).collect();
    let counts = Counts {
        stored_bytes: 999,
        bytes: 1_250_000,
        records: 100,
        matched: 30,
        ids: 2,
        without_ids,
        broken_records: 1,
        ..Counts::default()
    };
    let failure = |name: &str| Failure { name: name.to_owned(), reason: "it is empty".to_owned() };
    let failures = vec![failure("a.json"), failure("b.json")];
    Figures { read: 3, already_loaded: 2, broken: 1, new_ids: 1, failures, counts, ..Figures::default() }
}

#[test]
fn text_lists_figures_and_every_failure() {
    let figures = figures();
    let requests = BTreeMap::from([("s3:GetObject".to_owned(), 3)]);
    let summary = Summary { requests, ..Summary::new(&figures, false) };
    assert_eq!(
        summary.text().as_str(),
        "read         3 log files; 2 already loaded
size         999 bytes, 1.2 MB uncompressed
records      100
events       30 create, delete or rename events (2 identifiers), 1 new
without id   28 events: a.amazonaws.com:Create6 7, a.amazonaws.com:Create5 6, a.amazonaws.com:Create4 5, \
         a.amazonaws.com:Create3 4, a.amazonaws.com:Create2 3, and 2 other event names
failed       1 log file and 1 record; the next load tries again
  a.json: it is empty
  b.json: it is empty
requests     s3:GetObject 3
"
    );
    assert_eq!(summary.outcome(), Outcome::ItemFailures);
}

#[test]
fn query_is_shown_in_place_of_files() {
    let figures = figures();
    let query =
        Query { id: "q-1".to_owned(), scanned_bytes: 3_000_000_000_000, seconds: 61.0, estimated_dollars: 15.0 };
    let summary = Summary { query: Some(query), ..Summary::new(&figures, false) };
    let text = summary.text().as_str().to_owned();
    assert!(
        text.starts_with(
            "query        q-1 already loaded, nothing read
Athena       3.0 TB scanned in 61.0 s, estimated cost about $15.00 (at $5 per TB)
"
        ),
        "{text}"
    );
    assert!(text.contains("failed       1 row\n") && !text.contains("log file"), "{text}");
    assert_eq!(cost(0.001), "estimated cost less than $0.01 (at $5 per TB)");
}

#[test]
fn zeros_are_left_out() {
    let figures = Figures::default();
    let summary = Summary::new(&figures, false);
    assert_eq!(
        summary.text().as_str(),
        "read         no log files
events       no create, delete or rename events
"
    );
    let loaded = Figures { already_loaded: 1234, ..Figures::default() };
    let text = Summary::new(&loaded, false).text().as_str().to_owned();
    assert!(text.starts_with("read         no new log files (1,234 already loaded)\n"), "{text}");
    let all_new = Figures { new_ids: 18_000, ..Figures::default() };
    let counts = Counts { matched: 9000, ids: 18_000, ..Counts::default() };
    let text = Summary::new(&Figures { counts, ..all_new }, false).text().as_str().to_owned();
    assert!(text.contains("9,000 create, delete or rename events (18,000 identifiers), all new"), "{text}");
    assert_eq!(summary.outcome(), Outcome::Done);
    assert_eq!(Summary { interrupted: true, ..summary }.outcome(), Outcome::Interrupted);
}
