use super::*;

/// As c7n-org's `orgaccounts` writes it, by its own YAML dumper.
const ORGACCOUNTS: &str = "\
accounts:
- account_id: '012345678901'
  display_name: Audit
  email: audit@example.com
  name: audit
  org_id: o-abcdefghij
  regions:
  - us-east-1
  - eu-west-1
  role: arn:aws:iam::012345678901:role/OrganizationAccountAccessRole
  tags:
  - path:/Core
  - path:/Core/Security
  - stage:prod
  vars:
    stage: prod
";

fn parse(text: &str) -> AccountsFile {
    AccountsFile::parse("accounts.yml", text).unwrap()
}

fn refused(text: &str) -> String {
    AccountsFile::parse("accounts.yml", text).unwrap_err().to_string()
}

#[test]
fn what_orgaccounts_writes_is_read() {
    let file = parse(ORGACCOUNTS);
    let [account] = file.accounts.as_slice() else { panic!("{file:?}") };
    assert_eq!((account.id.as_str(), account.name.as_str()), ("012345678901", "audit"));
    assert_eq!(account.email.as_deref(), Some("audit@example.com"));
    assert_eq!(account.org_id.as_deref(), Some("o-abcdefghij"));
    assert_eq!(account.roles, ["arn:aws:iam::012345678901:role/OrganizationAccountAccessRole"]);
    assert_eq!(account.regions, ["us-east-1", "eu-west-1"].map(|name| RegionChoice::One(name.into())));
    assert_eq!(account.tags, ["path:/Core", "path:/Core/Security", "stage:prod"]);
    assert_eq!(account.vars["stage"], "prod");
}

#[test]
fn an_id_is_text_whatever_yaml_makes_of_it() {
    for id in ["012345670123", "'012345670123'", "\"012345670123\""] {
        let file = parse(&format!("accounts:\n- {{account_id: {id}, role: Owner}}\n"));
        assert_eq!(file.accounts[0].id.as_str(), "012345670123");
        assert_eq!(file.accounts[0].name, "012345670123");
        assert_eq!(file.accounts[0].role_arns("aws-cn"), ["arn:aws-cn:iam::012345670123:role/Owner"]);
    }
    let error = refused("accounts:\n- name: a\n  account_id: 12345\n");
    assert!(error.starts_with("accounts.yml:3:15: \"12345\" is not an account id"), "{error}");
}

#[test]
fn chains_profiles_extra_keys_and_json_are_read() {
    let file = parse(
        "vars: {a: 1}\naccounts:\n- account_id: '111111111111'\n  role: [arn:aws:iam::2:role/hub, spoke]\n  external_id: '007'\n  \
         regions: [all]\n  cost_centre: 12\n  session_name: audit\n- {account_id: '222222222222', profile: two}\n",
    );
    assert_eq!(file.accounts[0].role_arns("aws"), ["arn:aws:iam::2:role/hub", "arn:aws:iam::111111111111:role/spoke"]);
    assert_eq!(file.accounts[0].external_id.as_deref(), Some("007"));
    assert_eq!(file.accounts[0].session_name.as_deref(), Some("audit"));
    assert_eq!(file.accounts[0].regions, [RegionChoice::All]);
    assert_eq!(file.accounts[1].profile.as_deref(), Some("two"));
    assert_eq!(parse(r#"{"accounts": [{"account_id": "333333333333", "role": "x"}]}"#).accounts[0].roles, ["x"]);
}

#[test]
fn a_duplicate_account_is_refused_with_both_lines() {
    let error =
        refused("accounts:\n- account_id: '111111111111'\n- account_id: '222222222222'\n- account_id: 111111111111\n");
    assert_eq!(error, "accounts.yml:4:3: account 111111111111 is listed twice, first at line 2");
}

#[test]
fn other_clouds_and_mistakes_are_errors_with_line_and_column() {
    for (text, expected) in [
        (
            "subscriptions:\n- subscription_id: a\n",
            "accounts.yml:2:3: subscriptions are Azure's; trailcreator supports AWS only",
        ),
        ("accounts: []\nprojects: [a]\n", "accounts.yml:2:11: projects are Google Cloud's"),
        ("tenancies: [a]\n", "accounts.yml:1:12: tenancies are Oracle Cloud's"),
        ("vars: {}\n", "accounts.yml:1:1: the key `accounts` is missing"),
        ("acounts: []\n", "accounts.yml:1:1: unknown key `acounts`; did you mean `accounts`?"),
        ("accounts:\n- name: a\n", "accounts.yml:2:3: the key `account_id` is missing here"),
        ("accounts:\n- account_id: '111111111111'\n  role: []\n", "accounts.yml:3:9: `role` is empty"),
        (
            "accounts:\n- account_id: '111111111111'\n  regions: [europe]\n",
            "accounts.yml:3:13: \"europe\" is not a region code",
        ),
        ("accounts:\n- account_id: '111111111111'\n  tags: stage:prod\n", "accounts.yml:3:9: a list is expected here"),
    ] {
        let error = refused(text);
        assert!(error.starts_with(expected), "{text}: {error}");
    }
}

#[test]
fn what_is_written_is_read_again_and_nothing_in_it_looks_like_a_number_or_boolean() {
    let mut file = parse(ORGACCOUNTS);
    let account = &mut file.accounts[0];
    account.name = "no".to_owned();
    account.external_id = Some("1e3".to_owned());
    account.tags = ["on", "12:30", "~", "a: b", "# x", "2026-01-01", ""].map(str::to_owned).to_vec();
    account.roles = vec!["arn:aws:iam::1:role/a".to_owned(), "b".to_owned()];
    account.regions.push(RegionChoice::All);
    let yaml = file.to_yaml();
    assert_eq!(parse(&yaml), file, "{yaml}");
    for quoted in ["012345678901", "no", "1e3", "on", "12:30", "~", "2026-01-01"] {
        assert!(yaml.contains(&format!("'{quoted}'")) || yaml.contains(&format!("\"{quoted}\"")), "{quoted} in {yaml}");
    }
}

#[test]
fn a_file_that_is_larger_than_the_parsers_own_limit_is_read() {
    use std::fmt::Write;

    const ACCOUNTS: usize = 4_000;
    let tags = ["team:x"; 70].join(", ");
    let mut text = "accounts:\n".to_owned();
    for number in 0..ACCOUNTS {
        writeln!(text, "- {{account_id: '{number:012}', tags: [{tags}]}}").unwrap();
    }
    assert_eq!(parse(&text).accounts.len(), ACCOUNTS);
}
