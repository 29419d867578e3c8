//! The command line's words: every command helps, and c7n-trailcreator's flags are all understood.

use crate::common::{Bench, Run};

/// Each command with flags its help must explain.
const COMMANDS: [(&str, &[&str]); 22] = [
    ("prune", &["--before", "--forget-creators", "--keep-parents", "--no-vacuum", "--dry-run", "--db"]),
    (
        "load-athena",
        &[
            "--table",
            "--athena-db",
            "--workgroup",
            "--athena-output",
            "--query-id",
            "--print-query",
            "--account",
            "--year",
            "--day",
        ],
    ),
    (
        "load-files",
        &[
            "PATH",
            "--chains",
            "--year",
            "--month",
            "--day",
            "--since",
            "--until",
            "--db",
            "--resource-map",
            "--extend-map",
        ],
    ),
    (
        "load-s3",
        &[
            "--bucket",
            "--prefix",
            "--org-id",
            "--account",
            "--region",
            "--engine",
            "--jobs",
            "--chains",
            "--year",
            "--day",
            "--profile",
            "--assume",
        ],
    ),
    ("load-logs", &["--log-group", "--region", "--chains", "--year", "--since", "--profile", "--assume", "--db"]),
    ("load-history", &["--region", "--chains", "--year", "--since", "--profile", "--assume", "--db"]),
    (
        "watch",
        &[
            "--queue",
            "--until-empty",
            "--tag",
            "--gather",
            "--retry-for",
            "--visibility",
            "--heartbeat",
            "--chains",
            "--creator-tag",
            "--type",
            "--not-type",
            "--skip-tag",
            "--dry-run",
            "--inherit",
            "--allow-updates",
            "--identity-map",
            "--config",
            "--accounts",
            "--profile",
        ],
    ),
    ("import", &["FILE", "--db", "--resource-map", "--extend-map", "--output"]),
    ("who", &["ID", "--live", "--identity-map", "--resolve-chains", "--db", "--output"]),
    (
        "tag",
        &[
            "--creator-tag",
            "--user-suffix",
            "--type",
            "--dry-run",
            "--overwrite",
            "--refresh",
            "--not-type",
            "--skip-tag",
            "--id",
            "--max-changes",
            "--yes",
            "--inherit",
            "--save-plan",
            "--allow-updates",
            "--retry-rolled-back",
            "--creator-value",
            "--machine-sessions",
            "--identity-map",
            "--resolve-chains",
            "--tag",
            "--profile",
            "--region",
            "--assume",
            "--external-id",
            "--endpoint-url",
        ],
    ),
    (
        "tag-org",
        &[
            "ACCOUNTS_FILE",
            "--config",
            "--org",
            "--role",
            "--accounts",
            "--not-accounts",
            "--tags",
            "--region",
            "--max-concurrency",
            "--results",
            "--stats",
            "--resume",
            "--creator-tag",
            "--type",
            "--dry-run",
            "--overwrite",
            "--inherit",
            "--save-plan",
            "--allow-updates",
            "--creator-value",
            "--resolve-chains",
            "--profile",
        ],
    ),
    ("apply", &["PLAN", "--dry-run", "--max-changes", "--db", "--config", "--allow-updates"]),
    ("undo", &["RUN", "--db", "--config", "--allow-updates"]),
    ("runs", &["--db", "--output"]),
    (
        "accounts",
        &["--ou", "--ignore", "--active", "--role", "--name", "--region", "--output-file", "--profile", "--assume"],
    ),
    (
        "report",
        &[
            "--type",
            "--region",
            "--offline",
            "--inherit",
            "--account",
            "--top",
            "--format",
            "--by",
            "--config",
            "--creator-value",
            "--resolve-chains",
        ],
    ),
    ("resource-map", &["list", "show", "check"]),
    (
        "policy",
        &[
            "COMMAND",
            "--type",
            "--service",
            "--inherit",
            "--allow-updates",
            "--wildcards",
            "--bucket",
            "--queue",
            "--log-group",
            "--kms-key",
            "--role",
            "--format",
            "--output-dir",
            "load-s3",
            "undo",
            "member",
            "hub",
        ],
    ),
    ("config", &["show", "schema"]),
    ("completions", &["SHELL", "bash", "fish"]),
    ("man", &["COMMAND", "--directory"]),
    ("count", &["--by", "--top", "--year", "--since", "--output"]),
];

#[test]
fn every_command_explains_its_flags() {
    let bench = Bench::new();
    let general = bench.trailcreator(["--help"]).run();
    for (command, flags) in COMMANDS {
        assert!(general.success().stdout.contains(command), "{command} is not in --help");
        let help = bench.trailcreator([command, "--help"]).run();
        for flag in flags {
            assert!(help.success().stdout.contains(flag), "{flag} is not in {command} --help\n{}", help.stdout);
        }
    }
}

#[test]
fn a_misspelt_flag_is_a_usage_error_that_suggests_the_right_one() {
    let run = Bench::new().trailcreator(["tag", "--creator-tga", "Owner"]).run();
    run.code(2).says(["--creator-tag"]);
}

/// clap's own refusals; what happens after parsing (no database, no bucket) is not this test's matter.
fn assert_understood(run: &Run) {
    for refusal in
        ["unexpected argument", "unrecognized subcommand", "invalid value", "required arguments", "cannot be used with"]
    {
        assert!(!run.stderr.contains(refusal), "{}\n{}", run.shown, run.printed());
    }
    assert!(!run.stderr.contains("panicked"), "{}\n{}", run.shown, run.printed());
}

#[test]
fn spellings_of_c7n_orgs_aws_accounts_are_understood() {
    let accounts =
        ["accounts", "--ou", "/Core", "-r", "us-east-1", "--regions", "eu-west-1", "-a", "-i", "123456789012"];
    let rest = ["--assume", "arn:aws:iam::123456789012:role/r", "--profile", "none", "-f", "accounts.yml"];
    assert_understood(&Bench::new().trailcreator(accounts.iter().chain(&rest)).run());
}

#[test]
fn spellings_of_c7n_trailcreator_are_understood() {
    let bench = Bench::new();
    let map = bench.write(
        "map.json",
        r#"{"resources": [{"resource": "iam-role", "events": [
            {"event": "CreateRole", "service": "iam.amazonaws.com", "ids": "requestParameters.roleName"}]}]}"#,
    );
    let map = map.to_str().expect("the temporary folder is UTF-8");
    let role = "arn:aws:iam::123456789012:role/reader";
    let load_s3 =
        ["load-s3", "--bucket", "b", "--prefix", "p", "--org-id", "o-abc1234567", "--account", "123456789012"];
    let place = ["--region", "us-east-1", "--assume", role, "--profile", "none", "--resource-map", map, "--db", "c.db"];
    for window in [["--day", "2019/02/01"], ["--month", "2019/11"], ["--year", "2019"]] {
        assert_understood(&bench.trailcreator(load_s3.iter().chain(&place).chain(&window)).run());
    }
    let tag = [
        "tag",
        "--dryrun",
        "--user-suffix",
        "@example.com",
        "--creator-tag",
        "Owner",
        "--type",
        "iam-role",
        "--type",
        "aws.ec2",
        "--assume",
        role,
        "--profile",
        "none",
        "--region",
        "us-east-1",
        "--db",
        "c.db",
        "--resource-map",
        map,
    ];
    assert_understood(&bench.trailcreator(tag).run());
    let accounts =
        ["tag-org", "--config", "accounts.yml", "-a", "prod", "-a", "lab", "-t", "stage:prod", "-r", "us-east-1"];
    let rest =
        ["-r", "eu-west-1", "--creator-tag", "Owner", "--user-suffix", "@example.com", "--dryrun", "--debug", "-v"];
    let more = ["--type", "iam-role", "--type", "ec2", "--db", "c.db"];
    let org = bench.trailcreator(accounts.iter().chain(&rest).chain(&more)).run();
    assert_understood(&org);
    org.code(2).says(["accounts.yml"]);
}
