//! Settings files, shell completion and manual pages.

use serde_json::{Value, json};

use crate::common::{Bench, Caller, Event, Moto, Trail};

/// The option's entry in the document of `config show`.
fn option<'d>(document: &'d Value, command: &Value, name: &str) -> &'d Value {
    let options = document["options"].as_array().expect("a list");
    let is_it = |option: &&Value| option["option"] == name && option["command"] == *command;
    options.iter().find(is_it).unwrap_or_else(|| panic!("no {name} of {command}: {document}"))
}

#[test]
fn a_settings_file_takes_the_place_of_flags() {
    let (moto, bench) = (Moto::start(), Bench::new());
    let url = moto.boto3("result = client('sqs').create_queue(QueueName='jobs')['QueueUrl']");
    let event = Event::new("sqs.amazonaws.com", "CreateQueue").by(Caller::iam_user("alice"));
    let event = event.request(json!({"queueName": "jobs"})).response(json!({"queueUrl": url}));
    Trail::new().event(event).write(&bench.path("trail.json"));
    bench.write("trailcreator.yml", "db: own.db\ntag:\n  creator-tag: MadeBy\n  type: [sqs]\n");
    bench.trailcreator(["load-files", "trail.json"]).run().success();
    assert!(bench.path("own.db").is_file() && !bench.path("creators.db").exists());
    bench.trailcreator(["tag"]).aws(&moto).run().success().shows(["MadeBy=alice"]);
    bench
        .trailcreator(["tag", "--dry-run", "--creator-tag", "Other"])
        .aws(&moto)
        .run()
        .success()
        .shows(["Other=alice"]);
    // A variable is nearer than the file.
    bench.trailcreator(["runs"]).env("TRAILCREATOR_DB", "none.db").run().code(1).says(["none.db"]);
}

#[test]
fn the_file_is_the_working_directory_s_or_the_user_s_or_a_named_one() {
    let bench = Bench::new();
    std::fs::create_dir_all(bench.path(".config/trailcreator")).unwrap();
    bench.write(".config/trailcreator/trailcreator.yml", "db: user.db\n");
    let db = |args: &[&str], variable: &str| {
        let args = [args, &["config", "show", "--output", "json"]].concat();
        let run = bench.trailcreator(args).env("TRAILCREATOR_SETTINGS", variable).run();
        let document = run.success().json();
        let db = option(&document, &Value::Null, "db").clone();
        (db["value"].clone(), db["line"].clone(), document["settings_file"].is_string())
    };
    assert_eq!(db(&[], ""), (json!("user.db"), json!(1), true));
    bench.write("trailcreator.yml", "# ours\ndb: here.db\n");
    assert_eq!(db(&[], ""), (json!("here.db"), json!(2), true));
    bench.write("named.yml", "db: named.db\n");
    assert_eq!(db(&["--settings", "named.yml"], ""), (json!("named.db"), json!(1), true));
    assert_eq!(db(&[], "named.yml").0, "named.db");
    assert_eq!(db(&["--db", "flag.db"], ""), (json!("flag.db"), Value::Null, true));
    bench
        .trailcreator(["runs", "--settings", "none.yml"])
        .run()
        .code(2)
        .says(["none.yml: the settings file can't be read"]);
}

#[test]
fn config_show_names_every_origin() {
    let bench = Bench::new();
    bench.write("trailcreator.yml", "type: sqs\nload-s3: {bucket: trail}\n");
    let args = ["config", "show", "tag", "--creator-tag", "Owner", "--output", "json"];
    let run = bench.trailcreator(args).env("TRAILCREATOR_USER_SUFFIX", "@x.example").run();
    let document = run.success().json();
    let tag = json!("tag");
    assert_eq!(option(&document, &tag, "creator-tag")["origin"], "flag");
    assert_eq!(option(&document, &tag, "user-suffix")["variable"], "TRAILCREATOR_USER_SUFFIX");
    assert_eq!(option(&document, &tag, "type")["file"], "trailcreator.yml");
    assert_eq!(option(&document, &tag, "type")["value"], json!(["sqs"]));
    assert_eq!(option(&document, &tag, "creator-value")["origin"], "default");
    assert_eq!(option(&document, &tag, "identity-map")["origin"], "unset");
    let all = bench.trailcreator(["config", "show", "--output", "json"]).run().success().json();
    assert_eq!(option(&all, &json!("load-s3"), "bucket")["value"], "trail");
    let text = bench.trailcreator(["config", "show"]).run();
    text.success().shows(["command", "load-s3", "trailcreator.yml:2"]).says(["settings file: trailcreator.yml"]);
    bench.write("other.yml", "creator-tag: Team\n");
    let other = ["config", "show", "--settings", "other.yml", "tag", "--output", "json"];
    let document = bench.trailcreator(other).run().success().json();
    assert_eq!(option(&document, &tag, "creator-tag")["file"], "other.yml");
    let behind = bench.trailcreator(["config", "show", "tag", "--settings", "other.yml"]).run();
    behind.code(2).says(["--settings is behind the command's name", "config show --settings FILE tag"]);
    bench.trailcreator(["config", "show", "tga"]).run().code(2).says(["tga is not a command"]);
}

#[test]
fn errors_in_a_settings_file_name_file_line_and_remedy() {
    let bench = Bench::new();
    let errors = [
        ("regoin: eu-west-1\n", "trailcreator.yml:1:1: unknown option `regoin`; did you mean `region`?"),
        ("db: x\ntag:\n  creator-tagg: X\n", "trailcreator.yml:3:3: unknown option `creator-tagg` of tag"),
        ("\nregion: Frankfurt\n", "trailcreator.yml:2:1: invalid value 'Frankfurt' for '--region <REGION>'"),
        ("dry-run: perhaps\n", "trailcreator.yml:1:10: true or false is expected here"),
        ("a: &a [*a]\n", "trailcreator.yml:1"),
        ("db: \u{1b}[2J\n", "trailcreator.yml:1"),
    ];
    for (text, expected) in errors {
        bench.write("trailcreator.yml", text);
        bench.trailcreator(["tag"]).run().code(2).says([expected]);
        // Help needs no settings.
        bench.trailcreator(["tag", "--help"]).run().success();
        bench.trailcreator(["--version"]).run().success();
    }
    bench.write("trailcreator.yml", "load-s3: {bucket: b, jobs: many}\n");
    bench.trailcreator(["config", "show"]).run().code(2).says(["trailcreator.yml:1:22: invalid value 'many'"]);
}

#[test]
fn a_password_in_a_setting_is_not_shown() {
    let bench = Bench::new();
    bench.write("trailcreator.yml", "endpoint-url: http://user:hunter2@127.0.0.1:1\n");
    for args in [&["config", "show"][..], &["config", "show", "--output", "json"]] {
        let run = bench.trailcreator(args).run();
        assert!(!run.success().stdout.contains("hunter2"), "{run:?}");
    }
}

#[test]
fn the_schema_knows_every_option() {
    let bench = Bench::new();
    let schema = bench.trailcreator(["config", "schema"]).run().success().json();
    let show = bench.trailcreator(["config", "show", "--output", "json"]).run().success().json();
    for option in show["options"].as_array().expect("a list") {
        let name = option["option"].as_str().expect("a name");
        assert!(schema["properties"].get(name).is_some(), "{name}");
    }
}

#[test]
#[cfg(unix)]
fn bash_completes_types_runs_and_accounts() {
    let bench = Bench::new();
    bench.write("accounts.yml", "accounts: [{account_id: '123456789012', name: production, role: r}]\n");
    let complete = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let script = format!(
            "source <(trailcreator completions bash); COMP_WORDS=({line}); COMP_CWORD={}; \
             _clap_complete_trailcreator trailcreator '{}' '{}'; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            words.len() - 1,
            words[words.len() - 1],
            words[words.len() - 2],
        );
        bench.write("complete.bash", &script);
        bench.shell("bash complete.bash").run().success().stdout.clone()
    };
    assert_eq!(complete("trailcreator load-hi").trim(), "load-history");
    assert!(complete("trailcreator tag --type iam-ro").lines().any(|line| line.trim() == "iam-role"));
    assert!(complete("trailcreator tag --region eu-we").lines().any(|line| line.trim() == "eu-west-1"));
    assert_eq!(complete("trailcreator tag-org --accounts pro").trim(), "production");
    assert!(complete("trailcreator tag --creator-v").contains("--creator-value"));
}

#[test]
fn completion_scripts_and_manual_pages_are_complete() {
    let bench = Bench::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        bench.trailcreator(["completions", shell]).run().success().shows(["trailcreator"]);
    }
    bench.trailcreator(["completions", "tcsh"]).run().code(2).says(["tcsh", "fish"]);
    bench.trailcreator(["man", "tag"]).run().success().shows([".TH trailcreator-tag", "creator\\-tag"]);
    bench.trailcreator(["man", "nothing"]).run().code(2).says(["nothing is not a command"]);
    bench.trailcreator(["man", "--directory", "man1"]).run().success();
    for page in ["trailcreator.1", "trailcreator-tag-org.1", "trailcreator-resource-map-check.1"] {
        assert!(bench.path("man1").join(page).is_file(), "{page}");
    }
}
