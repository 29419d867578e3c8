//! What is not JSON: a time stamp before a record's JSON, as CloudWatch Logs exports have it, and the kinds of other files by
//! their first bytes.

use super::Kind;

/// Bytes of a file that its kind is decided by.
const HEAD: usize = 4096;

/// First bytes of binary formats.
const MAGIC: [(&[u8], Kind); 10] = [
    (b"PAR1", Kind::Parquet),
    (b"ORC", Kind::Orc),
    (b"Obj\x01", Kind::Avro),
    (b"PK\x03\x04", Kind::Zip),
    (b"BZh", Kind::Bzip2),
    (b"\xfd7zXZ\0", Kind::Xz),
    (b"\xff\x06\0\0sNaPpY", Kind::Snappy),
    (b"\x82SNAPPY\0", Kind::Snappy),
    (b"SQLite format 3\0", Kind::Sqlite),
    (b"<", Kind::Xml),
];

/// The offset of the magic of tar, and the magic.
const TAR: (usize, &[u8]) = (257, b"ustar");

/// What AWS services write into a bucket to check that they can.
const PERMISSION_CHECKS: [&str; 3] = ["Permission Check Successful", "CWL CONTROL MESSAGE", "CWL TEST MESSAGE"];

/// The offset of the JSON in a line that begins with a time stamp: `2019-02-01T00:00:00.000Z {…}`. One word may stand between
/// them, the log stream that `aws logs tail` prints. `None` for any other line.
///
/// Source: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/S3ExportTasks.html>
pub(in crate::trail) fn json_after_time_stamp(line: &[u8]) -> Option<usize> {
    let words = line.iter().take(HEAD).position(|byte| *byte == b'{')?;
    let before = str::from_utf8(&line[..words]).ok()?;
    let mut parts = before.split_ascii_whitespace();
    let is_stamp = parts.next().is_some_and(is_time_stamp);
    (is_stamp && parts.count() <= 1 && before.ends_with([' ', '\t'])).then_some(words)
}

/// Whether a line begins with a time stamp.
pub(in crate::trail) fn begins_with_time_stamp(line: &[u8]) -> bool {
    let word: &[u8] = line.split(|byte| byte.is_ascii_whitespace()).next().unwrap_or_default();
    str::from_utf8(word).is_ok_and(is_time_stamp)
}

/// `2019-02-01T00:00:00`, with anything that belongs to a time after it.
fn is_time_stamp(word: &str) -> bool {
    const SHAPE: &[u8] = b"0000-00-00T00:00:00";
    let is_like = |(byte, like): (&u8, &u8)| if *like == b'0' { byte.is_ascii_digit() } else { byte == like };
    let bytes = word.as_bytes();
    bytes.len() >= SHAPE.len()
        && bytes.iter().zip(SHAPE).all(is_like)
        && bytes[SHAPE.len()..].iter().all(|byte| byte.is_ascii_digit() || b".,:+-Z".contains(byte))
}

/// The kind of a file by its first bytes, which are not JSON.
pub(in crate::trail) fn kind_of(bytes: &[u8]) -> Kind {
    let head = &bytes[..bytes.len().min(HEAD)];
    let magic = MAGIC.iter().find(|(magic, _)| head.starts_with(magic)).map(|(_, kind)| *kind);
    if let Some(kind) = magic {
        return kind;
    }
    if head.get(TAR.0..).is_some_and(|rest| rest.starts_with(TAR.1)) {
        return Kind::Tar;
    }
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    // The beginning can end in a character.
    let text = String::from_utf8_lossy(line);
    if head.contains(&0) || text.matches(char::REPLACEMENT_CHARACTER).count() > 1 {
        return Kind::Binary;
    }
    of_line(text.trim())
}

fn of_line(line: &str) -> Kind {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    if PERMISSION_CHECKS.iter().any(|text| line.contains(text)) {
        Kind::PermissionCheck
    } else if is_flow_log(&words) {
        Kind::FlowLog
    } else if is_load_balancer_log(&words) {
        Kind::LoadBalancerLog
    } else if is_s3_access_log(&words) {
        Kind::S3AccessLog
    } else if line.starts_with("#Version:") || line.starts_with("#Fields:") {
        Kind::CloudFrontLog
    } else if is_csv_of_events(line) {
        Kind::EventsCsv
    } else if is_csv(line) {
        Kind::Csv
    } else {
        Kind::Text
    }
}

/// The header, or a record of the default format, in which a network interface comes third.
///
/// Source: <https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html>
fn is_flow_log(words: &[&str]) -> bool {
    let header = ["version", "account-id", "interface-id", "srcaddr", "dstaddr", "start", "log-status", "vpc-id"];
    let in_header = words.iter().filter(|word| header.contains(word)).count();
    in_header > 2 || words.len() > 9 && words.iter().any(|word| word.starts_with("eni-"))
}

/// Classic, application and network load balancers.
///
/// Sources: <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html>,
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/access-log-collection.html>
fn is_load_balancer_log(words: &[&str]) -> bool {
    let is_stamp = |index: usize| words.get(index).is_some_and(|word| is_time_stamp(word));
    let is_type = matches!(words.first(), Some(&("http" | "https" | "h2" | "grpcs" | "ws" | "wss" | "tls")));
    let is_address = |index: usize| words.get(index).is_some_and(|word| word.rsplit_once(':').is_some_and(is_port));
    (is_type && (is_stamp(1) || is_stamp(2))) || (is_stamp(0) && words.len() > 11 && is_address(2))
}

fn is_port((_, port): (&str, &str)) -> bool {
    !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())
}

/// The bucket owner's canonical user ID, the bucket and a time in brackets.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html>
fn is_s3_access_log(words: &[&str]) -> bool {
    const CANONICAL_ID: usize = 64;
    let is_owner = |word: &&&str| word.len() == CANONICAL_ID && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    words.first().filter(is_owner).is_some() && words.get(2).is_some_and(|word| word.starts_with('['))
}

/// The columns of saved query results of CloudTrail Lake or Athena, or of an Event history that the console saved as CSV. One column that
/// holds the record is enough.
///
/// Sources: <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/view-cloudtrail-lake-query-results.html>,
/// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/view-cloudtrail-events-console.html>
fn is_csv_of_events(line: &str) -> bool {
    const RECORDS: [&str; 3] = ["eventdata", "eventjson", "cloudtrailevent"];
    const COLUMNS: [&str; 6] = ["eventname", "eventtime", "eventsource", "eventid", "useridentity", "awsregion"];
    let columns: Vec<String> =
        line.split(',').map(|column| column.replace(['"', ' ', '_'], "").trim().to_ascii_lowercase()).collect();
    let has = |names: &[&str]| columns.iter().filter(|column| names.contains(&column.as_str())).count();
    has(&RECORDS) > 0 || has(&COLUMNS) > 1
}

fn is_csv(line: &str) -> bool {
    let fields: Vec<&str> = line.split(',').map(str::trim).collect();
    let is_name = |field: &&str| {
        !field.is_empty() && field.len() < 100 && !field.contains(['{', '}', '[', ']']) && !field.contains(". ")
    };
    let is_table = fields.len() > 2 || (fields.len() == 2 && !line.contains(' '));
    is_table && fields.iter().all(is_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_found_after_a_time_stamp_and_a_stream() {
        let found = |line: &'static str| json_after_time_stamp(line.as_bytes()).map(|at| &line[at..]);
        for line in [
            "2019-02-01T00:00:00.000Z {}",
            "2019-02-01T00:00:00+00:00\t{}",
            "2019-02-01T00:00:00.000000+00:00 123456789012_CloudTrail_us-east-1 {}",
        ] {
            assert_eq!(found(line), Some("{}"), "{line}");
        }
        for line in ["x {}", "2019-02-01 {}", "2019-02-01T00:00:00Z{}", "2019-02-01T00:00:00Z a b {}", "{}", ""] {
            assert_eq!(found(line), None, "{line}");
        }
    }

    #[test]
    fn files_of_other_services_are_recognized() {
        let owner = "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be";
        for (text, expected) in [
            (
                "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n",
                Kind::FlowLog,
            ),
            (
                "2 123456789010 eni-1235b8ca123456789 172.31.16.139 172.31.16.21 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK",
                Kind::FlowLog,
            ),
            (
                "https 2018-07-02T22:23:00.186641Z app/my-loadbalancer/50dc6c495c0c9188 192.168.131.39:2817 10.0.0.1:80 0.086",
                Kind::LoadBalancerLog,
            ),
            (
                "tls 2.0 2018-12-20T02:59:40 net/network-loadbalancer/c6e77e28c25b2234 g3d4b5e8bb8464cd 72.21.218.154:51341",
                Kind::LoadBalancerLog,
            ),
            (
                "2015-05-13T23:39:43.945958Z my-loadbalancer 192.168.131.39:2817 10.0.0.1:80 0.000073 0.001048 0.000057 200 200 0 29 \"GET http://www.example.com:80/ HTTP/1.1\"",
                Kind::LoadBalancerLog,
            ),
            (&format!("{owner} amzn-s3-demo-bucket1 [06/Feb/2019:00:00:38 +0000] 192.0.2.3"), Kind::S3AccessLog),
            ("#Version: 1.0\n#Fields: date time", Kind::CloudFrontLog),
            ("eventData\n\"{\"\"eventVersion\"\":", Kind::EventsCsv),
            ("\"eventID\",\"eventName\",\"userIdentity\"\n", Kind::EventsCsv),
            ("User name,AWS access key,Event time,Event source,Event name,AWS region\n", Kind::EventsCsv),
            ("eventName,count\n", Kind::Csv),
            ("identity/LineItemId,identity/TimeInterval,bill/InvoiceId\n", Kind::Csv),
            ("<?xml version=\"1.0\"?>", Kind::Xml),
            ("PAR1\0\0", Kind::Parquet),
            ("Permission Check Successful", Kind::PermissionCheck),
            ("Hello, this is text, of a person. Read it, please.", Kind::Text),
            ("a\0b", Kind::Binary),
        ] {
            assert_eq!(kind_of(text.as_bytes()), expected, "{text}");
        }
    }
}
