//! Every command that a message suggests is run as it is printed, by a shell, in the folder where it was printed; and does what the
//! message says.

use std::fs;

use serde_json::{Value, json};

use crate::common::{Bench, Run};
use crate::tag::lab::Lab;

/// A database's name that a shell takes apart unless it is quoted.
const DB: &str = "it's my $HOME.db";

/// The command that comes after `before`, up to the end of its line.
fn suggested(run: &Run, before: &str) -> String {
    let line = run.stderr.lines().find_map(|line| line.split_once(&format!("{before}trailcreator ")));
    let (_, rest) = line.unwrap_or_else(|| panic!("nothing suggested after {before:?}\n{}", run.printed()));
    format!("trailcreator {rest}")
}

/// A volume by alice, loaded into [`DB`].
fn lab() -> (Lab, String) {
    filled(Lab::new())
}

fn filled(mut lab: Lab) -> (Lab, String) {
    let volume = lab.volumes(&["alice"]).remove(0);
    lab.load();
    fs::rename(lab.bench.path("creators.db"), lab.bench.path(DB)).expect("it was loaded");
    (lab, volume)
}

fn paste(lab: &Lab, line: &str) -> Run {
    lab.bench.shell(line).aws(&lab.moto).run()
}

#[test]
fn what_a_run_wrote_is_undone_by_the_command_that_it_prints() {
    let (lab, volume) = lab();
    let tag = lab.run(&[
        "tag",
        "--db",
        DB,
        "--creator-tag",
        "Made By",
        "--region",
        "us-east-1",
        "--type",
        "AWS::EC2::Volume",
    ]);
    let undo = suggested(tag.success(), "undo with: ");
    assert_eq!(lab.volume_tags(&volume), json!({"Made By": "alice"}));
    assert!(undo.contains("--region us-east-1") && !undo.contains("Made By"), "{undo}");
    paste(&lab, &undo).success().shows(["untagged ebs"]);
    assert_eq!(lab.volume_tags(&volume), json!({}));
}

#[test]
fn a_saved_plan_is_applied_by_the_command_that_is_printed() {
    let (lab, volume) = lab();
    let plan = "my plan.json";
    let saved = lab.run(&["tag", "--db", DB, "--save-plan", plan, "--tag", "By={creator}"]);
    let apply = suggested(saved.success(), "apply it with: ");
    paste(&lab, &apply).success();
    assert_eq!(lab.volume_tags(&volume), json!({"Owner": "alice", "By": "alice"}));
}

#[test]
fn commands_that_list_runs_or_make_plans_work_as_printed() {
    let (lab, _) = lab();
    lab.run(&["tag", "--db", DB]).success();
    let unknown = lab.run(&["undo", "7", "--db", DB]);
    paste(&lab, &suggested(unknown.code(2), "list the runs with: ")).success().shows(["1 ", "written finished"]);
    lab.bench.write("plan.json", "not a plan");
    let no_plan = lab.run(&["apply", "plan.json", "--db", DB]);
    paste(&lab, &suggested(no_plan.code(2), "save one with: ")).success();
    lab.run(&["apply", "new-plan.json", "--db", DB]).success();
    assert_eq!(fs::read_to_string(lab.bench.path("plan.json")).unwrap(), "not a plan", "it was not replaced");
}

#[test]
fn without_a_database_the_suggested_load_makes_one() {
    let lab = Lab::new();
    let endpoint = lab.moto.endpoint();
    let args = ["tag", "--db", "new one.db", "--region", "eu-west-1", "--endpoint-url", &endpoint, "--dry-run"];
    let load = suggested(lab.run(&args).code(1), "no trail needed): ");
    assert!(load.starts_with("trailcreator load-history ") && load.contains("--region eu-west-1"), "{load}");
    assert!(load.contains("--endpoint-url") && !load.contains("--dry-run"), "{load}");
    let loaded = paste(&lab, &load);
    assert!(matches!(loaded.code, Some(0 | 1)), "moto may not have Event history: {}", loaded.printed());
    assert!(!loaded.stderr.contains("error: unexpected argument"), "{}", loaded.printed());
}

#[test]
fn an_endpoint_s_password_is_not_printed() {
    let (lab, _) = lab();
    let endpoint = lab.moto.endpoint().replace("http://", "http://me:secret@");
    let tag = lab.run(&["tag", "--db", DB, "--endpoint-url", &endpoint]);
    assert!(!tag.printed().contains("secret"), "{}", tag.printed());
    if tag.code == Some(0) {
        let undo = suggested(&tag, "undo with: ");
        paste(&lab, &undo).success();
    }
}

#[test]
fn a_dry_run_over_all_types_counts_no_read_as_a_write() {
    let (lab, _) = filled(Lab::with_hook(Bench::new(), include_str!("hooks/suggestions_unknown_services.py")));
    let types = lab.run(&["resource-map", "list", "--output", "json"]).json();
    let types = types["resource_types"].as_array().expect("a list");
    let listed = types.iter().filter(|known| known["listed_by"].as_array().is_some_and(|calls| !calls.is_empty()));
    let names: Vec<&str> = listed.filter_map(|known| known["type"].as_str()).collect();
    assert!(names.len() > 300, "{}", names.len());
    let run = lab.run(&["tag", "--db", DB, "--dry-run", "--type", &names.join(","), "--output", "json"]);
    // Moto doesn't have all services.
    assert!(matches!(run.code, Some(0 | 4)), "{}", run.printed());
    assert!(
        run.stderr.contains(" read call") && !run.stderr.contains("write call"),
        "{}",
        run.stderr.lines().last().unwrap_or_default()
    );
}

#[test]
fn every_write_is_counted_as_one() {
    let (lab, _) = lab();
    let document: Value = lab.run(&["tag", "--db", DB, "--output", "json"]).success().json();
    let writes = document["summary"]["calls"]["writes"].as_u64().expect("a number");
    assert_eq!(usize::try_from(writes).unwrap(), lab.moto.writes(), "{document:#}");
}
