//! Slips of newcomers and of tired people: each is an error or a warning that says what was looked for and what is there.

use std::fs;

use serde_json::json;

use crate::common::{Bench, Caller, Event, Moto, Run, Trail, run_python};
use crate::tag::lab::Lab;

fn volume(id: &str) -> Event {
    Event::new("ec2.amazonaws.com", "CreateVolume")
        .by(Caller::iam_user("alice"))
        .region("us-east-1")
        .at("2024-05-01T10:00:00Z")
        .request(json!({"size": 1}))
        .response(json!({"volumeId": id}))
}

/// A bench with one volume's log file, not loaded.
fn bench() -> Bench {
    let bench = Bench::new();
    Trail::new().event(volume("vol-1")).write(&bench.path("logs/one.json.gz"));
    bench
}

/// As [`bench`], loaded.
fn loaded() -> Bench {
    let bench = bench();
    run(&bench, &["load-files", "logs"]).success();
    bench
}

fn run(bench: &Bench, args: &[&str]) -> Run {
    bench.trailcreator(args).run()
}

// --- Regions ----------------------------------------------------------------------------------------------------------

#[test]
fn the_known_regions_are_those_of_botocore() {
    let made = run_python(&fs::read_to_string("tests/oracle/regions.py").unwrap(), &[]);
    let ours = fs::read_to_string("src/model/names/regions.json").unwrap();
    assert_eq!(ours.trim(), made.trim(), "make it anew with tests/oracle/regions.py");
}

#[test]
fn a_region_that_does_not_exist_is_named_with_the_nearest() {
    let (bench, moto) = (loaded(), Moto::start());
    bench.write("accounts.yml", "accounts:\n- account_id: '123456789012'\n  name: one\n  regions: [us-esat-1]\n");
    let aws = |args: &[&str]| bench.trailcreator(args).aws(&moto).run();
    for args in [
        &["tag", "--dry-run", "--region", "us-esat-1"][..],
        &["tag-org", "accounts.yml", "--dry-run"],
        &["tag-org", "accounts.yml", "--dry-run", "-r", "us-esat-1"],
        &["report", "--offline", "--region", "us-esat-1"],
        &["who", "vol-1", "--region", "us-esat-1"],
        &["load-files", "logs", "--region", "us-esat-1", "--db", "other.db"],
    ] {
        aws(args).says(["us-esat-1", "did you mean us-east-1?"]);
    }
    bench.trailcreator(["tag", "--dry-run"]).aws(&moto).env("AWS_REGION", "us-esat-1").run().says([
        "AWS_REGION: ",
        "us-esat-1",
        "did you mean us-east-1?",
    ]);
}

#[test]
fn a_name_that_no_region_can_have_is_refused() {
    let bench = loaded();
    for (region, nearest) in [("US-EAST-1", "us-east-1"), ("us-east-1a", "us-east-1"), ("useast-1", "us-east-1")] {
        let wanted = format!("is not a region code such as eu-west-1; did you mean {nearest}?");
        run(&bench, &["tag", "--region", region]).code(2).says([&wanted]);
        run(&bench, &["load-history", "--region", region]).code(2).says([&wanted]);
        run(&bench, &["load-files", "logs", "--region", region]).code(2).says([&wanted]);
    }
    let tag = bench.trailcreator(["tag"]).env("AWS_REGION", "us-east-1a").env("AWS_ACCESS_KEY_ID", "a");
    tag.env("AWS_SECRET_ACCESS_KEY", "b").run().code(1).says(["us-east-1a", "did you mean us-east-1?", "AWS_REGION"]);
}

// --- Nothing found ----------------------------------------------------------------------------------------------------

#[test]
fn a_window_or_filter_that_matches_nothing_says_what_is_there() {
    for (args, wanted) in [
        (["--year", "2019"], "the time from 2019-01-01T00:00:00Z to 2020-01-01T00:00:00Z"),
        (["--until", "2020-01-01"], "the time before 2020-01-01T00:00:00Z"),
        (["--account", "210987654321"], "account 210987654321"),
        (["--region", "eu-west-1"], "region eu-west-1"),
    ] {
        let bench = bench();
        let there = "hint: there are events of account 123456789012, region us-east-1, from 2024-05-01T10:00:00Z";
        run(&bench, &["load-files", "logs", args[0], args[1]])
            .success()
            .says([&format!("no event matches {wanted}"), there]);
    }
}

#[test]
fn a_load_that_has_nothing_new_says_nothing() {
    let bench = loaded();
    for args in [&["load-files", "logs"][..], &["load-files", "logs", "--since", "1d"]] {
        let quiet = run(&bench, args);
        assert!(!quiet.success().stderr.contains("warning"), "{}", quiet.printed());
    }
}

#[test]
fn a_folder_without_log_files_is_an_error_that_says_what_it_holds() {
    let bench = bench();
    fs::create_dir(bench.path("empty")).unwrap();
    run(&bench, &["load-files", "empty"])
        .code(1)
        .says(["there are no log files with CloudTrail records in empty", "no files were found there"]);
    bench.write("tables/a.csv", "a,b");
    bench.write("tables/b.csv", "a,b");
    run(&bench, &["load-files", "tables"]).code(1).says(["no log files", "found 2 files: a CSV file (tables/a.csv)"]);
    run(&bench, &["load-files", "logs"]).success();
    run(&bench, &["load-files", "empty"]).success().says(["warning: there are no log files"]);
}

#[test]
fn a_count_of_nothing_is_an_error() {
    let bench = Bench::new();
    bench.write("empty/notes.csv", "a,b");
    run(&bench, &["count", "empty"]).code(1).says([
        "there are no log files",
        "in empty",
        "found 1 file: a CSV file (empty/notes.csv)",
    ]);
    let loaded = loaded();
    run(&loaded, &["count", "logs", "--year", "2019"]).success().says(["no event matches the time from 2019"]);
}

#[test]
fn an_account_without_events_gets_a_message_with_what_the_database_has() {
    let (bench, moto) = (loaded(), Moto::start());
    let there = "account 123456789012 in us-east-1 (from 2024-05-01T10:00:00Z to 2024-05-01T10:00:00Z)";
    let other = bench.trailcreator(["tag", "--region", "eu-west-1"]).aws(&moto).run();
    other.success().says(["no create events for account 123456789012 in eu-west-1", there]);
    let one_type =
        |command: &str| bench.trailcreator([command, "--region", "eu-west-1", "--type", "ebs"]).aws(&moto).run();
    one_type("tag").success().says(["no create events for ebs in account 123456789012 in eu-west-1", there]);
    one_type("report").success().says(["no create events for ebs in account 123456789012 in eu-west-1", there]);
    run(&bench, &["report", "--offline", "--account", "210987654321"]).success().says(["no create events", there]);
    bench.write("accounts.yml", "accounts:\n- account_id: '210987654321'\n  name: other\n");
    let org = bench.trailcreator(["tag-org", "accounts.yml", "--dry-run"]).aws(&moto).run();
    org.success().says(["no create events for these accounts", there]);
    run(&bench, &["who", "vol-9"]).code(4).shows(["account 123456789012 in us-east-1, from 2024-05-01"]);
}

#[test]
fn a_database_that_is_not_there_names_those_that_are() {
    let bench = loaded();
    run(&bench, &["runs", "--db", "creator.db"])
        .code(1)
        .says(["there is no database creator.db", "there is creators.db"]);
}

// --- Buckets ----------------------------------------------------------------------------------------------------------

#[test]
fn a_bucket_is_taken_as_it_was_copied_and_an_empty_window_says_what_it_holds() {
    let (bench, moto) = (Bench::new(), Moto::start());
    let key = "logs/AWSLogs/123456789012/CloudTrail/us-east-1/2024/05/01/123456789012_CloudTrail_us-east-1_one.json.gz";
    Trail::new().event(volume("vol-1")).write(&bench.path("one.json.gz"));
    moto.boto3(&format!(
        "s3 = client('s3')
s3.create_bucket(Bucket='my-trail')
s3.put_object(Bucket='my-trail', Key='{key}', Body=open({:?}, 'rb').read())",
        bench.path("one.json.gz")
    ));
    let load = |args: &[&str]| bench.trailcreator(["load-s3"].iter().chain(args)).aws(&moto).run();
    for (number, bucket) in
        ["s3://my-trail/logs", "s3://my-trail/logs/", "my-trail/logs", "arn:aws:s3:::my-trail/logs/"].iter().enumerate()
    {
        load(&["--bucket", bucket, "--db", &format!("{number}.db")]).success().shows(["read         1 log file"]);
    }
    load(&["--bucket", "s3://my-trail", "--prefix", "logs"]).success();
    load(&["--bucket", "s3://my-trail/logs", "--prefix", "others"]).code(2).says(["give one of them"]);
    load(&["--bucket", "arn:aws:sqs:us-east-1:123456789012:q"]).code(2).says(["s3://BUCKET/PREFIX"]);
    load(&["--bucket", "my-trail", "--db", "new.db"]).code(1).says(["no CloudTrail logs at", "--prefix logs"]);
    let there = "hint: there are log files of region us-east-1, days from 2024/05/01 to 2024/05/01";
    let empty = ["--bucket", "s3://my-trail/logs", "--db", "new.db"];
    load(&[&empty[..], &["--year", "2019"]].concat()).success().says(["has no log files of the time from 2019", there]);
    load(&[&empty[..], &["--region", "eu-west-1"]].concat())
        .success()
        .says(["has no log files of region eu-west-1", there]);
    let again = load(&["--bucket", "s3://my-trail/logs", "--year", "2024"]);
    assert!(!again.success().stderr.contains("warning"), "{}", again.printed());
}

// --- Ages, types, names of variables ------------------------------------------------------------------------------------

#[test]
fn ages_and_dates_that_mean_nothing_are_refused() {
    let bench = bench();
    for (args, wanted) in [
        (&["--since", "3m"][..], "write 3min for minutes or 3mo for months"),
        (&["--until", "3m"], "write 3min for minutes or 3mo for months"),
        (&["--day", "2019-02-31"], "is not a day such as 2019/02/01"),
        (&["--month", "2019-13"], "is not a month"),
        (&["--since", "yesterday"], "an age (30min, 12h, 90d, 2w, 3mo, 1y)"),
        (&["--since", "2024-05-02", "--until", "2024-05-01"], "the time range is empty"),
        (&["--since", "2291-01-01"], "in the future"),
    ] {
        for command in [
            &["load-files", "logs"][..],
            &["load-history"],
            &["load-s3", "--bucket", "b"],
            &["load-athena"],
            &["count", "logs"],
        ] {
            run(&bench, &[command, args].concat()).code(2).says([wanted]);
        }
    }
    run(&bench, &["load-files", "logs", "--since", "100y"]).success();
}

#[test]
fn a_type_is_taken_by_any_of_its_names_everywhere() {
    let (bench, moto) = (loaded(), Moto::start());
    let names = ["ebs", "AWS::EC2::Volume", "aws::ec2::volume", "ec2:volume", "aws.ebs", "ebs-volume"];
    for name in names {
        run(&bench, &["resource-map", "show", name]).success().shows(["type: ebs"]);
    }
    // A wrong name is an error, and any other type would be in the output: all names of a list are the one type.
    let all = names.join(",");
    let tag = bench.trailcreator(["tag", "--dry-run", "--type", &all]).aws(&moto).run();
    tag.success().says(["tag 0 ebs resources"]);
    assert_eq!(tag.stderr.matches(" resources users:").count(), 1, "{}", tag.printed());
    run(&bench, &["who", "vol-1", "--type", &all]).success();
    run(&bench, &["report", "--offline", "--type", &all]).success().shows(["ebs"]);
    let listed = run(&bench, &["resource-map", "list", "--type", &all, "--output", "json"]).success().json();
    let types: Vec<&str> =
        listed["resource_types"].as_array().unwrap().iter().map(|known| known["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["ebs"], "{listed:#}");
    run(&bench, &["resource-map", "list", "--type", &all]).success().shows(["AWS::EC2::Volume"]);
    let policy = |types: &str| run(&bench, &["policy", "tag", "--type", types]).success().stdout.clone();
    assert!(policy("ebs").contains("ec2:DescribeVolumes"));
    assert_eq!(policy(&all), policy("ebs"));
    let unknown = "did you mean ebs? (AWS::EC2::Volume)";
    for args in [
        &["tag", "--type", "voume"][..],
        &["who", "vol-1", "--type", "voume"],
        &["report", "--type", "voume"],
        &["resource-map", "list", "--type", "voume"],
        &["resource-map", "show", "voume"],
        &["policy", "tag", "--type", "voume"],
    ] {
        run(&bench, args).code(2).says(["there is no resource type voume", unknown]);
    }
    run(&bench, &["tag", "--type", "AWS::SES::ConfigurationSet"])
        .code(2)
        .says(["several resource types", "ses-configuration-set, ses-configuration-set-v2"]);
    run(&bench, &["resource-map", "show", "rds-instance"]).success().shows(["aliases:", "rds-instance"]);
}

#[test]
fn a_misspelt_variable_is_named() {
    let bench = loaded();
    let misspelt = bench.trailcreator(["runs"]).env("TRAILCREATOR_CREATORTAG", "Made").run();
    misspelt
        .success()
        .says(["TRAILCREATOR_CREATORTAG is set, but no option reads it", "did you mean TRAILCREATOR_CREATOR_TAG?"]);
    let known = bench.trailcreator(["runs"]).env("TRAILCREATOR_CREATOR_TAG", "Made").run();
    assert!(!known.success().stderr.contains("TRAILCREATOR"), "{}", known.printed());
    bench.trailcreator(["runs"]).env("TRAILCREATOR_OUTPUT", "jsn").run().code(2).says(["jsn"]);
}

#[test]
fn files_of_the_wrong_kind_are_named_as_such() {
    let mut lab = Lab::new();
    lab.volumes(&["alice"]);
    lab.load();
    lab.run(&["tag", "--save-plan", "plan.json"]).success();
    lab.bench.write("accounts.yml", "accounts: []\n");
    lab.run(&["tag-org", "accounts.yml"]).code(2).says(["accounts.yml has no accounts"]);
    lab.run(&["tag-org", "plan.json"]).code(2).says(["plan.json"]);
    lab.run(&["apply", "accounts.yml"]).code(2).says(["not a plan", "trailcreator tag --save-plan"]);
    lab.run(&["tag-org"]).code(2).says(["no accounts file was given"]);
    lab.run(&["tag", "--creator-tag", ""]).code(2).says(["1 to 128 characters"]);
    let plan = fs::read_to_string(lab.bench.path("plan.json")).unwrap().replace("123456789012", "210987654321");
    lab.bench.write("other.json", plan);
    lab.run(&["apply", "other.json"])
        .code(2)
        .says(["the plan is in account 210987654321, but the credentials belong to 123456789012"]);
}
