//! docs/questions.md: each question is answered by its command.

use serde_json::json;

use crate::common::{Caller, Event, moment};
use crate::tag::lab::Lab;

const QUESTIONS: &str = include_str!("../../docs/questions.md");

const TERRAFORM: &str = "APN/1.0 HashiCorp/1.0 Terraform/1.9.5 (+https://www.terraform.io) aws-sdk-go-v2/1.30.3";

/// The commands of a page, with their arguments.
fn commands(page: &str) -> Vec<Vec<String>> {
    let blocks = page.split("```sh\n").skip(1).filter_map(|block| block.split_once("```"));
    let lines = blocks.flat_map(|(block, _)| block.lines());
    let commands = lines.filter_map(|line| line.strip_prefix("trailcreator "));
    commands.map(|line| shlex::split(line.split("  #").next().unwrap_or(line)).expect("a shell can read it")).collect()
}

/// The command below a question.
fn command(question: &str) -> Vec<String> {
    let (_, after) = QUESTIONS.split_once(&format!("## {question}\n")).expect("the page has the question");
    commands(after).remove(0)
}

/// Queues: of dana by the console and by Terraform, one of hers that is deleted, an old one, and one of bob.
fn lab() -> Lab {
    let mut lab = Lab::new();
    lab.queue("bobs", "bob", &json!({}));
    let mut queue = |name: &str, days: i64, agent: &str, tags: &serde_json::Value, exists: bool| {
        let url = format!("https://sqs.us-east-1.amazonaws.com/123456789012/{name}");
        if exists {
            lab.moto.boto3(&format!("client('sqs').create_queue(QueueName='{name}', tags={tags})"));
        }
        let event = Event::new("sqs.amazonaws.com", "CreateQueue").at(&moment(days, "10:00:00"));
        let event = event.request(json!({"queueName": name})).response(json!({"queueUrl": url}));
        lab.event(event.by(Caller::assumed_role("Admins", "dana@example.com")).field("userAgent", json!(agent)));
    };
    let console = "[S3Console/0.4, aws-internal/3 aws-sdk-java/1.12.488]";
    queue("by-hand", 10, console, &json!({}), true);
    queue("vanished", 9, console, &json!({}), false);
    queue("old", 200, console, &json!({"Owner": "dana"}), true);
    queue("by-terraform", 5, TERRAFORM, &json!({"Owner": "ci"}), true);
    lab.bench.write("people.csv", "user,email\ndana@example.com,dana@corp.example\n");
    lab.bench.write("map.yml", "people: people.csv\nrules:\n  - owner: '{email}'\n");
    lab.load();
    lab
}

fn answer(lab: &Lab, question: &str) -> Vec<String> {
    let args: Vec<String> = command(question).into_iter().chain(["--output", "json"].map(str::to_owned)).collect();
    let run = lab.run(&args.iter().map(String::as_str).collect::<Vec<_>>());
    let document = run.success().json();
    let resources = document["resources"].as_array().expect("a list").iter();
    let mut names: Vec<String> = resources.map(|one| one["name"].as_str().expect("a name").to_owned()).collect();
    names.sort();
    names
}

#[test]
fn each_question_has_its_answer() {
    let lab = lab();
    assert_eq!(answer(&lab, "What did Dana create with the console last month?"), ["by-hand", "vanished"]);
    assert_eq!(answer(&lab, "What of it still exists?"), ["by-hand"]);
    assert_eq!(answer(&lab, "Who owns this account's untagged resources?"), ["bobs", "by-hand"]);
    assert_eq!(answer(&lab, "What will Terraform revert?"), ["by-terraform"]);
    let run = |question: &str| {
        let command = command(question);
        lab.run(&command.iter().map(String::as_str).chain(["--output", "json"]).collect::<Vec<_>>()).success().json()
    };
    let plan = run("Which of our people own these resources, and who is missing from our list?");
    assert_eq!(
        plan["summary"]["missing_people"],
        json!([{"name": "bob", "resources": 1, "reason": "people.csv has no row for bob"}])
    );
    let list = run("Which rule made this person the owner?");
    let reason = "identity map, rule 1 (map.yml:3), dana@example.com (people.csv:2)";
    assert!(list.to_string().contains(reason), "{list:#}");
    assert_eq!(lab.moto.writes(), 0);
}
