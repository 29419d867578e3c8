//! Forms of profile, and the key that each signs with.

use serde_json::json;

use super::{ENVIRONMENT, Home};
use crate::common::{Caller, Event, Trail, run_python};

const KEYS: &str = "aws_access_key_id = AKIAKEYS\naws_secret_access_key = s\n";
const REGION: &str = "region = us-east-1\n";
/// Of `aws login`, for `arn:aws:iam::123456789012:user/alice`. The private key is the example of the SDK's source.
const LOGIN: &str = r#"{"accessToken": {"accessKeyId": "LOGIN", "secretAccessKey": "s", "sessionToken": "t", "accountId": "123456789012",
 "expiresAt": "EXPIRY"}, "tokenType": "aws_sigv4", "refreshToken": "r", "idToken": "i", "clientId": "arn:aws:signin:::devtools/same-device",
 "dpopKey": "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIFDZHUzOG1Pzq+6F0mjMlOSp1syN9LRPBuHMoCFXTcXhoAoGCCqGSM49\nAwEHoUQDQgAE9qhj+KtcdHj1kVgwxWWWw++tqoh7H7UHs7oXh8jBbgF47rrYGC+t\ndjiIaHK3dBvvdE7MGj5HsepzLm3Kj91bqA==\n-----END EC PRIVATE KEY-----\n"}"#;
const LOGIN_FILE: &str = "b7d71d383b9557a9bad4c3346c50365819226484c6824a0fdef66637be339db0.json";
const SSO_TOKEN: &str = r#"{"startUrl": "https://corp.awsapps.com/start", "region": "us-east-1", "accessToken": "token", "expiresAt": "2999-01-01T00:00:00Z"}"#;

/// A home with what `aws login` and `aws sso login` leave there, a token and a program that prints keys.
fn home() -> Home {
    let home = Home::new();
    home.file(&format!("login/cache/{LOGIN_FILE}"), &LOGIN.replace("EXPIRY", "2999-01-01T00:00:00Z"));
    // The SHA-1 of `corp`, `my corp` and of the start URL.
    for name in [
        "ee0bfd2552fbd840c02cc48b6e823320543c450f",
        "2603e49e9877a1061664a5a7f900ffb84f872d49",
        "a51746d4aa793ae07b25e90c3a5db96fc7832bd7",
    ] {
        home.file(&format!("sso/cache/{name}.json"), SSO_TOKEN);
    }
    home.file("token", "a web identity's token");
    home.file(
        "print keys.sh",
        "[ \"$2\" = 'a b' ] && echo '{\"Version\": 1, \"AccessKeyId\": \"PROCESS\", \"SecretAccessKey\": \"s\"}'",
    );
    home
}

#[test]
fn every_form_of_profile_signs_with_its_own_credentials() {
    let home = home();
    let role = "role_arn = arn:aws:iam::222222222222:role/b\n";
    let console = "login_session = arn:aws:iam::123456789012:user/alice\n";
    let corp = "sso_account_id = 123456789012\nsso_role_name = Admin\nsso_session = corp\n";
    let portal = "sso_start_url = https://corp.awsapps.com/start\nsso_region = us-east-1\n";
    let legacy = format!("sso_account_id = 123456789012\nsso_role_name = Admin\n{portal}");
    let process = "credential_process = sh 'HOME/.aws/print keys.sh' --who \"a b\"\n";
    let rest = format!(
        "[profile keys]\n{KEYS}[profile corp]\n{corp}[profile console]\n{console}\
         [sso-session corp]\n{portal}sso_registration_scopes = sso:account:access\n[sso-session 'my corp']\n{portal}\
         [profile middle]\nrole_arn = arn:aws:iam::111111111111:role/a\nsource_profile = keys\nexternal_id = x1\n\
         [profile 'two words']\n{KEYS}"
    );
    let metadata = [("AWS_EC2_METADATA_DISABLED", ""), ("AWS_EC2_METADATA_SERVICE_ENDPOINT", "MOTO")];
    let metadata_in_profile =
        format!("{role}credential_source = Ec2InstanceMetadata\nec2_metadata_service_endpoint = MOTO\n");
    let container =
        [("AWS_CONTAINER_CREDENTIALS_FULL_URI", "MOTO/container"), ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "")];
    let none: &[(&str, &str)] = &[];
    for (name, profile, variables, key) in [
        ("keys", KEYS.to_owned(), none, "AKIAKEYS"),
        ("keys behind a comment", format!("{KEYS}output = json # text\n"), none, "AKIAKEYS"),
        ("login_session", console.to_owned(), none, "LOGIN"),
        ("role from login_session", format!("{role}source_profile = console\n"), none, "ASIAB"),
        ("sso_session", corp.to_owned(), none, "SSO"),
        ("sso_session with a space", corp.replace("= corp", "= my corp"), none, "SSO"),
        ("sso without a session", legacy, none, "SSO"),
        ("role from sso", format!("{role}source_profile = corp\n"), none, "ASIAB"),
        ("credential_process with quotes", process.to_owned(), none, "PROCESS"),
        ("role", format!("{role}source_profile = keys\n"), none, "ASIAB"),
        ("role from a name with a space", format!("{role}source_profile = two words\n"), none, "ASIAB"),
        ("chain of roles", format!("{role}source_profile = middle\n"), none, "ASIAB"),
        ("role from itself", format!("{role}source_profile = p\n{KEYS}"), none, "ASIAB"),
        ("web identity", format!("{role}web_identity_token_file = HOME/.aws/token\n"), none, "ASIAB"),
        ("role from the environment", format!("{role}credential_source = Environment\n"), &ENVIRONMENT[..], "ASIAB"),
        ("role from the instance", format!("{role}credential_source = Ec2InstanceMetadata\n"), &metadata[..], "ASIAB"),
        ("metadata endpoint of the profile", metadata_in_profile, &metadata[..1], "ASIAB"),
        ("role from the container", format!("{role}credential_source = EcsContainer\n"), &container[..], "ASIAB"),
    ] {
        home.config(&format!("[profile p]\n{REGION}{profile}{rest}"));
        // Another account's keys in the environment are not to be used.
        let with_keys: Vec<_> = ENVIRONMENT.iter().chain(variables).copied().collect();
        assert_eq!(home.key(&["--profile", "p"], &with_keys), key, "{name}, with keys in the environment");
        let named: Vec<_> = variables.iter().chain(&[("AWS_PROFILE", "p")]).copied().collect();
        let key = if variables.len() == ENVIRONMENT.len() { "AKIAENV" } else { key };
        assert_eq!(home.key(&[], &named), key, "{name}, by AWS_PROFILE");
    }
}

#[test]
fn a_role_is_assumed_with_all_that_the_profile_says() {
    let home = home();
    home.config(&format!(
        "[profile p]\n{REGION}role_arn = arn:aws:iam::222222222222:role/b\nsource_profile = keys\nexternal_id = x1\n\
         role_session_name = me\nduration_seconds = 1800\n[profile keys]\n{KEYS}"
    ));
    let requests = home.requests(&["--profile", "p"], &ENVIRONMENT);
    let assume = requests.iter().find(|request| request.action == "AssumeRole").unwrap();
    for field in ["ExternalId=x1", "RoleSessionName=me", "DurationSeconds=1800"] {
        assert!(assume.body.contains(field), "{field}: {}", assume.body);
    }
    assert_eq!(assume.access_key.as_deref(), Some("AKIAKEYS"));
    assert_eq!(requests.iter().filter(|request| request.action == "AssumeRole").count(), 1);
}

#[test]
fn an_explicit_profile_excludes_the_environment_and_aws_profile_does_not() {
    let home = home();
    let role = "role_arn = arn:aws:iam::222222222222:role/b\nweb_identity_token_file = HOME/.aws/token\n";
    home.config(&format!("[default]\n{REGION}[profile prod]\n{REGION}{KEYS}[profile web]\n{REGION}{role}"));
    let with = |variables: &[(&'static str, &'static str)]| [&ENVIRONMENT[..], variables].concat();
    let web_identity = [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "HOME/.aws/token"),
        ("AWS_ROLE_ARN", "arn:aws:iam::222222222222:role/other"),
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "MOTO/container"),
    ];
    for (name, options, variables, key) in [
        ("--profile", vec!["--profile", "prod"], with(&[]), "AKIAKEYS"),
        ("TRAILCREATOR_PROFILE", vec![], with(&[("TRAILCREATOR_PROFILE", "prod")]), "AKIAKEYS"),
        ("AWS_PROFILE", vec![], with(&[("AWS_PROFILE", "prod")]), "AKIAENV"),
        ("AWS_PROFILE without keys", vec![], vec![("AWS_PROFILE", "prod")], "AKIAKEYS"),
        ("AWS_DEFAULT_PROFILE", vec![], vec![("AWS_DEFAULT_PROFILE", "prod")], "AKIAKEYS"),
        ("both", vec![], vec![("AWS_DEFAULT_PROFILE", "web"), ("AWS_PROFILE", "prod")], "AKIAKEYS"),
        ("--profile before AWS_PROFILE", vec!["--profile", "prod"], vec![("AWS_PROFILE", "web")], "AKIAKEYS"),
        ("other variables", vec!["--profile", "prod"], web_identity.to_vec(), "AKIAKEYS"),
        ("web identity of the environment", vec![], web_identity.to_vec(), "ASIAOTHER"),
        ("web identity of the profile", vec!["--profile", "web"], web_identity.to_vec(), "ASIAB"),
        ("container", vec![], web_identity[2..].to_vec(), "ECS"),
    ] {
        assert_eq!(home.key(&options, &variables), key, "{name}");
    }
}

#[test]
fn an_empty_variable_is_not_set() {
    let home = home();
    home.config(&format!("[default]\n{KEYS}region = eu-west-1\nuse_fips_endpoint = false\n"));
    let empty: Vec<(&str, &str)> = [
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_PROFILE",
        "AWS_DEFAULT_PROFILE",
        "AWS_CONFIG_FILE",
        "AWS_SHARED_CREDENTIALS_FILE",
        "AWS_CA_BUNDLE",
        "AWS_USE_FIPS_ENDPOINT",
        "AWS_USE_DUALSTACK_ENDPOINT",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
        "AWS_ENDPOINT_URL_STS",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_ROLE_ARN",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT",
        "AWS_MAX_ATTEMPTS",
        "AWS_LOGIN_CACHE_DIRECTORY",
        "HTTPS_PROXY",
        "HTTP_PROXY",
        "NO_PROXY",
        "TRAILCREATOR_PROFILE",
        "TRAILCREATOR_REGION",
        "TRAILCREATOR_ASSUME",
        "TRAILCREATOR_EXTERNAL_ID",
        "TRAILCREATOR_ENDPOINT_URL",
        "TRAILCREATOR_DB",
        "TRAILCREATOR_RESOURCE_MAP",
        "TRAILCREATOR_EXTEND_MAP",
        "TRAILCREATOR_OUTPUT",
        "TRAILCREATOR_NO_PROGRESS",
        "TRAILCREATOR_CREATOR_TAG",
        "TRAILCREATOR_CREATOR_VALUE",
        "TRAILCREATOR_USER_SUFFIX",
        "TRAILCREATOR_IDENTITY_MAP",
        "TRAILCREATOR_MACHINE_SESSIONS",
    ]
    .map(|name| (name, ""))
    .to_vec();
    let requests = home.requests(&[], &empty);
    let identity = requests.iter().find(|request| request.action == "GetCallerIdentity").unwrap();
    assert_eq!((identity.access_key.as_deref(), identity.region.as_deref()), (Some("AKIAKEYS"), Some("eu-west-1")));
    home.bench
        .trailcreator(["tag", "--help"])
        .env("TRAILCREATOR_REGION", "")
        .run()
        .success()
        .shows(["TRAILCREATOR_REGION"]);
}

#[test]
fn the_region_is_the_options_the_environments_or_the_profiles() {
    let home = home();
    home.config(&format!("[profile p]\n{KEYS}region = eu-west-1\n"));
    for (options, variables, region) in [
        (vec![], vec![], "eu-west-1"),
        (vec![], vec![("AWS_DEFAULT_REGION", "eu-west-2")], "eu-west-2"),
        (vec![], vec![("AWS_DEFAULT_REGION", "eu-west-2"), ("AWS_REGION", "eu-west-3")], "eu-west-3"),
        (vec!["--region", "us-west-2"], vec![("AWS_REGION", "eu-west-3")], "us-west-2"),
    ] {
        let requests = home.requests(&[&["--profile", "p"], &options[..]].concat(), &variables);
        assert_eq!(requests[0].region.as_deref(), Some(region), "{options:?} {variables:?}");
    }
}

#[test]
fn endpoints_of_a_profile_are_used_and_can_be_ignored() {
    let home = home();
    let nowhere = "http://127.0.0.1:1";
    let services = format!("[services local]\nsts =\n  endpoint_url = MOTO\nsns =\n  endpoint_url = {nowhere}\n");
    let keys = format!("[profile p]\n{REGION}{KEYS}");
    for (profile, variables) in [
        ("endpoint_url = MOTO\n", vec![("AWS_ENDPOINT_URL", "")]),
        (
            "services = local\n",
            vec![
                ("AWS_ENDPOINT_URL", ""),
                ("AWS_ENDPOINT_URL_SNS", "MOTO"),
                ("AWS_ENDPOINT_URL_RESOURCE_GROUPS_TAGGING_API", "MOTO"),
            ],
        ),
        ("endpoint_url = http://127.0.0.1:1\n", vec![]),
    ] {
        home.config(&format!("{keys}{profile}{services}"));
        assert_eq!(home.key(&["--profile", "p"], &variables), "AKIAKEYS", "{profile}");
    }
    home.config(&format!("{keys}endpoint_url = {nowhere}\nignore_configured_endpoint_urls = true\n"));
    let run =
        home.run(&["--profile", "p", "--endpoint-url", "MOTO".replace("MOTO", &home.moto.endpoint()).as_str()], &[]);
    run.success();
}

#[test]
fn a_login_that_is_about_to_end_is_renewed() {
    let home = home();
    home.file(&format!("login/cache/{LOGIN_FILE}"), &LOGIN.replace("EXPIRY", "2020-01-01T00:00:00Z"));
    home.config(&format!("[profile p]\n{REGION}login_session = arn:aws:iam::123456789012:user/alice\n"));
    assert_eq!(home.key(&["--profile", "p"], &ENVIRONMENT), "LOGINRENEWED");
    let cached = std::fs::read_to_string(home.bench.path(format!(".aws/login/cache/{LOGIN_FILE}"))).unwrap();
    assert!(cached.contains("LOGINRENEWED"), "the AWS CLI goes on with it");
    let elsewhere = [("AWS_LOGIN_CACHE_DIRECTORY", "HOME/.aws/login/cache"), ("HOME", "/nonexistent")];
    let elsewhere: Vec<_> = elsewhere.into_iter().chain([("AWS_CONFIG_FILE", "HOME/.aws/config")]).collect();
    assert_eq!(home.key(&["--profile", "p"], &elsewhere), "LOGINRENEWED");
}

#[test]
fn an_accounts_profile_excludes_the_environment_and_has_to_be_of_that_account() {
    let home = home();
    home.config(&format!("[profile prod]\n{KEYS}"));
    let topic = json!({"topicArn": "arn:aws:sns:us-east-1:222222222222:t"});
    let event = Event::new("sns.amazonaws.com", "CreateTopic").request(json!({"name": "t"})).response(topic);
    Trail::new().event(event.by(Caller::iam_user("bob")).account("222222222222")).write(&home.bench.path("more.json"));
    home.bench.trailcreator(["load-files", "more.json"]).run().success();
    let run = |account: &str| {
        let file =
            format!("accounts:\n- account_id: '{account}'\n  name: a\n  profile: prod\n  regions: [us-east-1]\n");
        home.bench.write("accounts.yml", file);
        let mut command =
            home.bench.trailcreator(["tag-org", "accounts.yml", "--dry-run", "--type", "sns"]).aws(&home.moto);
        for (name, value) in ENVIRONMENT.iter().chain(&[("AWS_CONFIG_FILE", "")]) {
            command = command.env(name, value);
        }
        command.run()
    };
    let before = home.moto.our_requests().len();
    run("123456789012").success();
    let requests = home.moto.our_requests().split_off(before);
    let keys: Vec<_> = requests.iter().map(|request| request.access_key.as_deref()).collect();
    assert!(!keys.is_empty() && keys.iter().all(|key| *key == Some("AKIAKEYS")), "{requests:#?}");
    let other = run("222222222222");
    assert_ne!(other.code, Some(0), "{}", other.printed());
    other.shows(["the credentials belong to account 123456789012"]);
}

#[test]
fn the_documentation_lists_every_key_of_the_shared_configuration() {
    let page = include_str!("../../../docs/credentials.md");
    // What botocore reads of a profile, as `key` or `section.key`, and what only other tools of AWS's read.
    let keys = run_python(
        "from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES as known
print(' '.join(sorted({name for row in known.values() for name in [row[0]] if isinstance(name, str)})))",
        &[],
    );
    let others = "aws_access_key_id aws_secret_access_key aws_session_token aws_security_token aws_account_id source_profile \
        credential_source role_arn role_session_name external_id duration_seconds mfa_serial web_identity_token_file \
        credential_process login_session sso_session sso_start_url sso_region sso_account_id sso_role_name \
        sso_registration_scopes services endpoint_url ignore_configured_endpoint_urls cli_auto_prompt cli_pager output";
    for key in keys.split_whitespace().chain(others.split_whitespace()) {
        assert!(page.contains(&format!("`{key}`")), "docs/credentials.md does not list {key}");
    }
}
