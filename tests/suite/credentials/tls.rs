//! `AWS_CA_BUNDLE` and `ca_bundle` against a server with a certificate of an authority that the system does not know; proxies.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};

use super::Home;
use crate::common::python_command;

const KEYS: &str = "[profile p]\nregion = us-east-1\naws_access_key_id = AKIAKEYS\naws_secret_access_key = s\n";

/// TLS before a home's server. Ends with this value.
struct Tls {
    process: Child,
    address: String,
    proxy: String,
}

impl Tls {
    fn before(home: &Home) -> Self {
        let endpoint = home.moto.endpoint();
        let port = endpoint.rsplit(':').next().unwrap();
        let server = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/credentials/tls_server.py");
        let mut command = python_command();
        command.arg(server).arg(port).arg(home.bench.path("")).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let (tls, proxy) = line.trim().split_once(' ').expect("two ports");
        Self { process, address: format!("https://127.0.0.1:{tls}"), proxy: format!("http://127.0.0.1:{proxy}") }
    }
}

impl Drop for Tls {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

#[test]
fn a_private_authority_is_trusted_where_the_environment_or_the_profile_names_it() {
    let home = Home::new();
    let tls = Tls::before(&home);
    let endpoint = ("AWS_ENDPOINT_URL", tls.address.as_str());
    home.config(KEYS);
    home.run(&["--profile", "p"], &[endpoint]).code(1).says(["certificate", tls.address.as_str()]);
    // A client of the SDK's and the generic caller.
    let requests = home.requests(&["--profile", "p"], &[endpoint, ("AWS_CA_BUNDLE", "HOME/ca.pem")]);
    let services: Vec<_> = requests.iter().filter_map(|request| request.service.as_deref()).collect();
    assert!(["sts", "sns"].iter().all(|service| services.contains(service)), "{services:?}");
    home.config(&format!("{KEYS}ca_bundle = HOME/ca.pem\n"));
    home.run(&["--profile", "p"], &[endpoint]).success();
    home.run(&["--profile", "p"], &[endpoint, ("AWS_CA_BUNDLE", "")]).success();
    // Sources of credentials: a role's, and Identity Center's.
    home.config(&format!(
        "{KEYS}[profile r]\nregion = us-east-1\nrole_arn = arn:aws:iam::222222222222:role/b\nsource_profile = p\n\
         [profile s]\nregion = us-east-1\nsso_account_id = 123456789012\nsso_role_name = A\nsso_region = us-east-1\n\
         sso_start_url = https://corp.awsapps.com/start\n"
    ));
    home.file(
        "sso/cache/a51746d4aa793ae07b25e90c3a5db96fc7832bd7.json",
        r#"{"startUrl": "https://corp.awsapps.com/start", "region": "us-east-1", "accessToken": "token", "expiresAt": "2999-01-01T00:00:00Z"}"#,
    );
    for (profile, key) in [("r", "ASIAB"), ("s", "SSO")] {
        assert_eq!(home.key(&["--profile", profile], &[endpoint, ("AWS_CA_BUNDLE", "HOME/ca.pem")]), key);
        home.run(&["--profile", profile], &[endpoint]).code(1).says(["certificate"]);
    }
}

#[test]
fn a_bundle_that_can_not_be_used_is_named_with_its_setting() {
    let home = Home::new();
    home.bench.write("empty.pem", "");
    home.config(&format!("{KEYS}ca_bundle = HOME/empty.pem\n"));
    for (value, problem) in [
        ("HOME/none.pem", "none.pem: the file can't be read"),
        ("HOME/trail.json", "trail.json: the file has no PEM certificate"),
    ] {
        home.run(&["--profile", "p"], &[("AWS_CA_BUNDLE", value)]).code(1).says([
            "AWS_CA_BUNDLE = ",
            problem,
            "hint: ",
        ]);
    }
    let run = home.run(&["--profile", "p"], &[]);
    run.code(1).says([
        "ca_bundle of profile \"p\" of ",
        ".aws/config = ",
        "empty.pem: the file has no PEM certificate",
    ]);
}

#[test]
fn a_proxy_is_used_but_for_the_hosts_of_no_proxy() {
    let home = Home::new();
    let tls = Tls::before(&home);
    home.config(KEYS);
    let through = [
        ("AWS_ENDPOINT_URL", "https://aws.corp.invalid"),
        ("AWS_CA_BUNDLE", "HOME/ca.pem"),
        ("HTTPS_PROXY", tls.proxy.as_str()),
    ];
    assert_eq!(home.key(&["--profile", "p"], &through), "AKIAKEYS");
    let direct: Vec<_> = through.into_iter().chain([("NO_PROXY", "corp.invalid")]).collect();
    home.run(&["--profile", "p"], &direct).code(1).says(["aws.corp.invalid"]);
}
