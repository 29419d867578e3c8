//! Profiles that can't give credentials: an error that names profile, file and what is missing, never other credentials.

use super::{ENVIRONMENT, Home};

#[test]
fn a_profile_without_credentials_is_an_error_and_uses_nothing_else() {
    let home = Home::new();
    let container = ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "MOTO/container");
    let around: Vec<_> = ENVIRONMENT.into_iter().chain([container, ("AWS_REGION", "us-east-1")]).collect();
    for (profile, missing) in [
        ("", "it has no credentials"),
        ("sso_account_id = 1", "it has sso_account_id but not sso_role_name"),
        ("aws_access_key_id = A", "it has aws_access_key_id but not aws_secret_access_key"),
        ("role_arn = arn:aws:iam::1:role/r", "it has role_arn but not source_profile"),
        ("role_arn = arn:aws:iam::1:role/r\nsource_profile = q", "source_profile = q: there is no such profile"),
        ("role_arn = arn:aws:iam::1:role/r\ncredential_source = Ec2", "credential_source = Ec2: it is not Environment"),
        (
            "role_arn = arn:aws:iam::1:role/r\ncredential_source = Environment\nduration_seconds = 1h",
            "duration_seconds = 1h",
        ),
        ("sso_account_id = 1\nsso_role_name = A\nsso_session = x", "there is no section [sso-session x]"),
        ("login_session = arn:aws:iam::123456789012:user/bob", "login"),
        ("sso_account_id = 1\nsso_role_name = A\nsso_start_url = https://x\nsso_region = us-east-1", "sso login"),
    ] {
        home.config(&format!("[profile p]\n{profile}\n"));
        let before = home.moto.our_requests().len();
        let run = home.run(&["--profile", "p"], &around);
        run.code(1).says(["profile \"p\" of ", ".aws/config", missing, "hint: "]);
        assert_eq!(home.moto.our_requests().len(), before, "{profile}: nothing is asked");
    }
    for (profile, source) in [
        ("role_arn = arn:aws:iam::1:role/r\ncredential_source = Environment", "AWS_ACCESS_KEY_ID"),
        ("role_arn = arn:aws:iam::1:role/r\ncredential_source = EcsContainer", ""),
    ] {
        home.config(&format!("[profile p]\n{profile}\n"));
        home.run(&["--profile", "p"], &[("AWS_REGION", "us-east-1")]).code(1).says(["profile \"p\" of ", source]);
    }
}

#[test]
fn a_profile_that_is_missing_is_named_with_the_files_and_the_nearest_reason() {
    let home = Home::new();
    home.config("[prod]\nregion = us-east-1\n[profile dev]\nregion = us-east-1\n");
    let run = home.run(&["--profile", "prod"], &ENVIRONMENT);
    run.code(1).says(["no profile \"prod\"", ".aws/config and ", ".aws/credentials have: dev", "[profile prod]"]);
    home.run(&[], &[("AWS_DEFAULT_PROFILE", "prod")]).code(1).says(["no profile \"prod\""]);
}

#[test]
fn what_a_failing_credential_process_writes_is_not_shown() {
    let home = Home::new();
    home.config(
        "[profile p]\nregion = us-east-1\ncredential_process = sh -c 'echo the-secret >&2; exit 3' --token hidden\n",
    );
    for options in [&["--profile", "p"][..], &["-vv", "--profile", "p"]] {
        let run = home.run(options, &[]);
        run.code(1).says(["profile \"p\" of ", "credential_process failed", "3"]);
        assert!(!run.printed().contains("the-secret") && !run.printed().contains("hidden"), "{}", run.printed());
    }
    home.config("[profile p]\nregion = us-east-1\ncredential_process = echo the-secret\n");
    let run = home.run(&["--profile", "p"], &[]);
    run.code(1).says(["credential_process failed"]);
    assert!(!run.printed().contains("the-secret"), "{}", run.printed());
}

#[test]
fn an_error_about_credentials_says_where_they_are_from() {
    const EXPIRED: &str = include_str!("../hooks/credentials_refused_expired.py");
    let home = Home { moto: crate::common::Moto::start_with(EXPIRED), ..Home::new() };
    let keys = "aws_access_key_id = A\naws_secret_access_key = the-secret\n";
    home.config(&format!("[profile p]\nregion = us-east-1\n{keys}[profile r]\nregion = us-east-1\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = p\n"));
    for (options, variables, origin) in [
        (&["--profile", "p"][..], &[][..], "profile \"p\" of "),
        (&["--profile", "r"], &[], "profile \"r\" of "),
        (
            &[],
            &[("AWS_ACCESS_KEY_ID", "A"), ("AWS_SECRET_ACCESS_KEY", "the-secret"), ("AWS_REGION", "us-east-1")],
            "the environment",
        ),
    ] {
        let run = home.run(options, variables);
        run.code(1).says(["ExpiredToken", "hint: ", origin]);
        assert!(!run.printed().contains("the-secret"), "{}", run.printed());
    }
}
