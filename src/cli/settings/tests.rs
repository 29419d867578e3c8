use super::*;
use crate::cli::command;
use crate::cli::command_line::whole;

fn settings(text: &str) -> Result<Settings, String> {
    let settings = file::read(Source { name: "t.yml", text }, &command()).map_err(|error| error.to_string())?;
    Ok(Settings { path: Some("t.yml".into()), settings })
}

/// The value of a command's option by a settings file and a command line, or the error.
fn value(text: &str, line: &str, id: &str) -> Result<String, String> {
    let settings = settings(text)?;
    let args: Vec<&str> = ["trailcreator"].into_iter().chain(line.split(' ')).collect();
    let given = whole().ignore_errors(true).try_get_matches_from(&args).expect("errors are ignored");
    let command = settings.put_into(whole(), &given).map_err(|error| error.to_string())?;
    let matches = command.try_get_matches_from(&args).map_err(|error| {
        settings.refused(&whole(), &given).map_or_else(|| error.to_string(), |refused| refused.to_string())
    })?;
    let values = innermost(&matches).get_raw(id).into_iter().flatten();
    Ok(values.map(|value| value.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" "))
}

#[test]
fn a_flag_is_nearer_than_the_command_s_section_and_that_nearer_than_the_top() {
    let text = "creator-tag: Top\ntag: {creator-tag: Section}\n";
    assert_eq!(value(text, "tag", "creator_tag"), Ok("Section".to_owned()));
    assert_eq!(value(text, "tag-org", "creator_tag"), Ok("Top".to_owned()));
    assert_eq!(value(text, "tag --creator-tag Flag", "creator_tag"), Ok("Flag".to_owned()));
    assert_eq!(value("", "tag", "creator_tag"), value("# nothing\n", "tag", "creator_tag"));
}

#[test]
fn every_kind_of_option_takes_its_values() {
    assert_eq!(value("type: [sqs, s3]\n", "tag", "types"), Ok("sqs s3".to_owned()));
    assert_eq!(value("type: sqs, s3\n", "tag", "types"), Ok("sqs s3".to_owned()));
    assert_eq!(value("dry-run: true\n", "tag", "dry_run"), Ok("true".to_owned()));
    assert_eq!(value("dry-run: false\n", "tag", "dry_run"), Ok("false".to_owned()));
    assert_eq!(value("verbose: 2\n", "tag", "verbose"), Ok("2".to_owned()));
    assert_eq!(value("year: 2019\nbucket: b\n", "load-s3", "year"), Ok("2019".to_owned()));
    assert_eq!(value("db: a.db\n", "resource-map list", "db"), Ok("a.db".to_owned()));
    assert_eq!(value("resource-map: {list: {service: iam}}\n", "resource-map list", "services"), Ok("iam".to_owned()));
    assert_eq!(value("db: \"it's: a.db\" # mine\n", "who x", "db"), Ok("it's: a.db".to_owned()));
}

#[test]
fn account_ids_keep_their_zeros() {
    let text = "load-s3: {bucket: b, account: 012345678901, region: [eu-west-1]} # ours\n";
    assert_eq!(value(text, "load-s3", "account"), Ok("012345678901".to_owned()));
    let text = "load-s3:\n  bucket: b\n  account: 000000000001 # ours\n";
    assert_eq!(value(text, "load-s3", "account"), Ok("000000000001".to_owned()));
}

#[test]
fn a_flag_ends_settings_that_it_excludes() {
    let text = "since: 90d\noverwrite: true\n";
    assert_eq!(value(text, "load-s3 --bucket b --year 2019", "since"), Ok(String::new()));
    assert_eq!(value(text, "load-s3 --bucket b", "since"), Ok("90d".to_owned()));
    assert_eq!(value(text, "tag --refresh", "overwrite"), Ok("false".to_owned()));
    assert_eq!(value(text, "tag", "overwrite"), Ok("true".to_owned()));
}

#[test]
fn errors_name_the_place_and_the_remedy() {
    let errors = [
        ("load-s4: {}\n", "t.yml:1:1: unknown option `load-s4`; did you mean `load-s3`?"),
        ("regin: eu-west-1\n", "t.yml:1:1: unknown option `regin`; did you mean `region`?"),
        ("tag:\n  creator-tga: X\n", "t.yml:2:3: unknown option `creator-tga` of tag; did you mean `creator-tag`?"),
        ("tag: X\n", "a mapping"),
        ("db:\n", "t.yml:1:1: `db` has no value"),
        ("db: [a, b]\n", "t.yml:1:1: `db` takes one value, not a list"),
        ("db: {a: b}\n", "t.yml:1:1: `db` is an option"),
        ("dry-run: maybe\n", "t.yml:1:10: true or false is expected here, not `maybe`"),
        ("verbose: loud\n", "t.yml:1:10: a number"),
        ("db: a\ndb: b\n", "the key `db` is given twice"),
        ("settings: other.yml\n", "t.yml:1:1: unknown option `settings`"),
        ("- db\n", "t.yml:1:1: a mapping from options to values is expected here"),
        ("apply: {what: x}\n", "t.yml:1:9: unknown option `what` of apply"),
    ];
    for (text, expected) in errors {
        let error = settings(text).err().unwrap_or_default();
        let is_right = error.contains(expected) || (text == "tag: X\n" && settings(text).is_ok());
        assert!(is_right, "{text:?}: {error}");
    }
    let error = value("year: 2019\nsince: 90d\n", "load-s3", "year").unwrap_err();
    assert_eq!(error, "t.yml:1:1: `year` can't be used with `since` (t.yml:2): remove one of them");
    let error = value("db: x\nregion: Frankfurt\n", "tag", "region").unwrap_err();
    assert!(error.starts_with("t.yml:2:1: invalid value 'Frankfurt' for '--region <REGION>'"), "{error}");
}

#[test]
fn a_section_is_nearer_than_an_excluded_option_of_the_top() {
    let text = "since: 90d\nload-s3: {year: 2019}\n";
    assert_eq!(value(text, "load-s3 --bucket b", "year"), Ok("2019".to_owned()));
    assert_eq!(value(text, "load-s3 --bucket b", "since"), Ok(String::new()));
}

#[test]
fn invalid_values_are_found_in_every_section() {
    let settings = settings("tag: {max-changes: many}\n").unwrap();
    let error = settings.first_invalid(&whole()).expect("an error").to_string();
    assert!(error.starts_with("t.yml:1:7: invalid value 'many'"), "{error}");
}
