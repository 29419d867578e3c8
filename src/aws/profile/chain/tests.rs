//! Forms of profile, and what each becomes.

use super::*;

/// `BASE < ROLE < ROLE` or the error of a profile of these files.
async fn chain(config: &str, credentials: &str, profile: &str) -> String {
    let profiles = Profiles::of_texts(config, credentials).await;
    match Chain::of(&profiles, profile) {
        Ok(chain) => {
            let roles = chain.roles.iter().map(|role| format!(" < {}", role.arn));
            format!("{:?}{}", chain.base, roles.collect::<String>())
        }
        Err(error) => error.to_string(),
    }
}

const KEYS: &str = "aws_access_key_id = AKIA\naws_secret_access_key = s\n";

#[tokio::test]
async fn each_form_has_its_source() {
    for (profile, expected) in [
        (KEYS.to_owned(), "Keys(AKIA)"),
        ("login_session = arn:x".to_owned(), "Login(arn:x)"),
        ("credential_process = print keys".to_owned(), "Process"),
        ("role_arn = r\nweb_identity_token_file = /t".to_owned(), "WebIdentity(r)"),
        ("role_arn = r\ncredential_source = Ec2InstanceMetadata".to_owned(), "Named(Ec2InstanceMetadata) < r"),
        ("role_arn = r\ncredential_source = environment".to_owned(), "Named(Environment) < r"),
        ("credential_source = EcsContainer".to_owned(), "Named(EcsContainer)"),
        (format!("{KEYS}role_arn = r\nsource_profile = p"), "Keys(AKIA) < r"),
        // The AWS CLI's order where there is more than one.
        (format!("{KEYS}credential_process = x"), "Process"),
        (format!("{KEYS}login_session = arn:x\ncredential_process = x"), "Login(arn:x)"),
        (format!("{KEYS}sso_session = corp"), "Keys(AKIA)"),
    ] {
        assert_eq!(chain(&format!("[profile p]\n{profile}"), "", "p").await, expected, "{profile}");
    }
    let both = chain("[profile p]\ncredential_process = x", &format!("[p]\n{KEYS}"), "p").await;
    assert_eq!(both, "Keys(AKIA)", "keys in the credentials file come before a process");
}

#[tokio::test]
async fn roles_are_assumed_from_the_source_outwards() {
    let config = format!(
        "[profile a]\nrole_arn = A\nsource_profile = b\n[profile b]\nrole_arn = B\nsource_profile = c d\n\
         duration_seconds = 900\nmfa_serial = m\nexternal_id = e\nrole_session_name = s\n[profile 'c d']\n{KEYS}"
    );
    assert_eq!(chain(&config, "", "a").await, "Keys(AKIA) < B < A");
    let profiles = Profiles::of_texts(&config, "").await;
    let chain = Chain::of(&profiles, "a").unwrap();
    let (some, text) = (|text: &str| Some(text.to_owned()), |text: &str| text.to_owned());
    let wanted = RoleStep {
        profile: text("b"),
        arn: text("B"),
        external_id: some("e"),
        session_name: some("s"),
        duration_seconds: Some(900),
        mfa_serial: some("m"),
    };
    assert_eq!((chain.roles.first(), chain.base_profile.as_str(), chain.needs_code()), (Some(&wanted), "c d", true));
}

#[tokio::test]
async fn a_source_gives_its_own_keys_before_it_assumes_a_role() {
    let config =
        format!("[profile a]\nrole_arn = A\nsource_profile = b\n[profile b]\n{KEYS}role_arn = B\nsource_profile = c");
    assert_eq!(chain(&config, "", "a").await, "Keys(AKIA) < A");
}

#[tokio::test]
async fn identity_center_is_read_from_its_section_or_from_the_profile() {
    let account = "sso_account_id = 1\nsso_role_name = Admin\n";
    let section = "[sso-session corp]\nsso_start_url = u\nsso_region = r\n";
    let center = |session: &str| {
        format!(
            "IdentityCenter {{ session: {session}, start_url: \"u\", region: \"r\", account_id: \"1\", role_name: \"Admin\" }}"
        )
    };
    for (profile, expected) in [
        ("sso_session = corp\n", center("Some(\"corp\")")),
        ("sso_session = corp\nsso_start_url = u\n", center("Some(\"corp\")")),
        ("sso_start_url = u\nsso_region = r\n", center("None")),
        ("sso_session = corp\nsso_region = other\n", "profile \"p\" of config: sso_region differs from the value in its sso_session: remove it, or change the section [sso-session corp]".to_owned()),
        ("sso_session = crop\n", "profile \"p\" of config: sso_session = crop: there is no section [sso-session crop]".to_owned()),
        ("sso_start_url = u\n", "profile \"p\" of config: it has sso_account_id but not sso_region".to_owned()),
    ] {
        assert_eq!(chain(&format!("[profile p]\n{account}{profile}{section}"), "", "p").await, expected, "{profile}");
    }
}

#[tokio::test]
async fn a_profile_that_can_not_work_says_what_is_missing() {
    for (profile, expected) in [
        ("region = x", "it has no credentials: it needs role_arn, "),
        ("sso_session = corp", "it has no credentials: "),
        ("aws_access_key_id = A", "it has aws_access_key_id but not aws_secret_access_key"),
        ("aws_secret_access_key = A", "it has aws_secret_access_key but not aws_access_key_id"),
        ("role_arn = r", "it has role_arn but not source_profile, credential_source or web_identity_token_file"),
        (
            "role_arn = r\nsource_profile = p\ncredential_source = Environment",
            "both source_profile and credential_source",
        ),
        ("role_arn = r\ncredential_source = Ec2", "credential_source = Ec2: it is not Environment, "),
        ("role_arn = r\nsource_profile = q", "source_profile = q: there is no such profile"),
        ("role_arn = r\nsource_profile = p", "it has no credentials"),
        ("role_arn = r\nsource_profile = p\nduration_seconds = 1h", "duration_seconds = 1h: it is not a whole number"),
        ("web_identity_token_file = /t", "it has web_identity_token_file but not role_arn"),
        ("sso_account_id = 1", "it has sso_account_id but not sso_role_name"),
        ("sso_role_name = 1", "it has sso_role_name but not sso_account_id"),
    ] {
        let error = chain(&format!("[profile p]\n{profile}"), "", "p").await;
        assert!(error.starts_with("profile \"p\" of config: ") && error.contains(expected), "{profile}: {error}");
    }
    let config = "[profile a]\nrole_arn = A\nsource_profile = b\n[profile b]\nrole_arn = B\nsource_profile = a";
    let error = chain(config, "", "a").await;
    assert!(error.ends_with("its source_profile leads back to itself: a → b → a"), "{error}");
}
