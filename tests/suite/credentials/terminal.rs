//! A profile with an MFA device: the code is asked for on a terminal, once in a run.

use serde_json::{Value, json};

use super::{ENVIRONMENT, Home};
use crate::common::{Caller, Event, Trail, run_python};

const MFA: &str = "[profile mfa]\nregion = us-east-1\nrole_arn = arn:aws:iam::222222222222:role/b\nsource_profile = keys\n\
    mfa_serial = arn:aws:iam::111111111111:mfa/me\n[profile keys]\naws_access_key_id = AKIAKEYS\naws_secret_access_key = s\n";

/// Runs the binary on a terminal of its own, and types the code whenever it is asked for; gives the exit code and the screen.
fn on_terminal(home: &Home, args: &[&str], code: &str) -> (i64, String) {
    let environment = json!({
        "HOME": home.bench.path(""), "AWS_ENDPOINT_URL": home.moto.endpoint(), "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ACCESS_KEY_ID": "AKIAENV", "AWS_SECRET_ACCESS_KEY": "s",
    });
    let task = json!({
        "binary": env!("CARGO_BIN_EXE_trailcreator"), "args": args, "environment": environment, "code": code,
        "folder": home.bench.path(""),
    });
    let printed = run_python(include_str!("terminal.py"), &[("TASK", &task.to_string())]);
    let answer: Value = serde_json::from_str(&printed).unwrap();
    (answer[0].as_i64().unwrap(), answer[1].as_str().unwrap().to_owned())
}

#[test]
#[cfg(unix)]
fn the_code_is_asked_for_on_the_terminal() {
    let home = Home::new();
    home.config(MFA);
    let args = ["tag", "--dry-run", "--type", "sns", "--profile", "mfa"];
    let (status, screen) = on_terminal(&home, &args, "123456");
    assert_eq!((status, screen.matches("MFA code").count()), (0, 1), "{screen}");
    assert!(screen.contains("profile \"mfa\" (arn:aws:iam::111111111111:mfa/me): "), "{screen}");
    let requests = home.moto.our_requests();
    let assume: Vec<_> = requests.iter().filter(|request| request.action == "AssumeRole").collect();
    assert_eq!(assume.len(), 1);
    assert!(assume[0].body.contains("SerialNumber=arn%3Aaws%3Aiam%3A%3A111111111111%3Amfa%2Fme&TokenCode=123456"));
    let rest = requests.iter().filter(|request| request.action != "AssumeRole");
    assert!(rest.clone().count() > 0 && rest.clone().all(|request| request.access_key.as_deref() == Some("ASIAB")));

    let (status, screen) = on_terminal(&home, &args, "654321");
    assert!(status == 1 && screen.contains("invalid MFA one time pass code"), "{screen}");
    let (status, screen) = on_terminal(&home, &args, "");
    assert!(status == 1 && screen.contains("none was entered"), "{screen}");
}

#[test]
#[cfg(unix)]
fn the_accounts_behind_a_profile_share_one_code() {
    let home = Home::new();
    home.config(MFA);
    let mut trail = Trail::new();
    let accounts = ["111111111111", "333333333333", "444444444444"];
    let mut file = "accounts:\n".to_owned();
    for account in accounts {
        let arn = json!({"topicArn": format!("arn:aws:sns:us-east-1:{account}:t")});
        let event = Event::new("sns.amazonaws.com", "CreateTopic").request(json!({"name": "t"})).response(arn);
        trail.push(event.by(Caller::iam_user("alice")).account(account));
        // Chains that part behind the profile.
        let roles = format!("[arn:aws:iam::{account}:role/a, arn:aws:iam::{account}:role/c]");
        file += &format!("- account_id: '{account}'\n  name: a{account}\n  profile: mfa\n  role: {roles}\n");
    }
    trail.write(&home.bench.path("organization.json"));
    home.bench.write("accounts.yml", file);
    home.bench.trailcreator(["load-files", "organization.json"]).run().success();
    let args = ["tag-org", "accounts.yml", "--dry-run", "--type", "sns", "-r", "us-east-1"];
    let (status, screen) = on_terminal(&home, &args, "123456");
    assert_eq!((status, screen.matches("MFA code").count()), (0, 1), "{screen}");
}

#[test]
fn without_a_terminal_the_error_names_profile_and_device() {
    let home = Home::new();
    home.config(MFA);
    let run = home.run(&["--profile", "mfa"], &ENVIRONMENT);
    run.code(1).says([
        "profile \"mfa\"",
        "arn:aws:iam::111111111111:mfa/me",
        "no terminal",
        "hint: ",
        "aws configure export-credentials",
    ]);
    assert!(home.moto.our_requests().is_empty());
    // Keys in the environment come before AWS_PROFILE: nothing is to be asked.
    let with_keys: Vec<_> = ENVIRONMENT.into_iter().chain([("AWS_PROFILE", "mfa")]).collect();
    assert_eq!(home.key(&[], &with_keys), "AKIAENV");
}
