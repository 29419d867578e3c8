//! `accounts`: an organization that boto3 created becomes an accounts file that c7n-org accepts.

use std::fs;

use serde_json::{Value, json};

use crate::common::{Bench, Moto, Run, package_alone, run_python};
use crate::inventory::drive;

/// The version of c7n-org with the schema that the file is checked against.
const C7N_ORG: &str = "c7n_org==0.6.52";

/// The number of accounts in the unit that takes more than a page.
const MANY: usize = 23;

/// `/` (the management account, `lone`), `/Core` (`audit`), `/Core/Security` (`audit` again, `closed`), `/Work loads` (23 accounts).
const ORGANIZATION: &str = "
org = client('organizations')
org.create_organization(FeatureSet='ALL')
root = org.list_roots()['Roots'][0]['Id']
def unit(name, parent):
    return org.create_organizational_unit(ParentId=parent, Name=name)['OrganizationalUnit']['Id']
def account(name, parent, **tags):
    status = org.create_account(AccountName=name, Email=f'{name}@example.com',
                                Tags=[dict(Key=key, Value=value) for key, value in tags.items()])
    id = status['CreateAccountStatus']['AccountId']
    if parent != root:
        org.move_account(AccountId=id, SourceParentId=root, DestinationParentId=parent)
    return id
core = unit('Core', root)
security = unit('Security', core)
work = unit('Work loads', root)
ids = {'lone': account('lone', root), 'audit': account('audit', core, stage='prod', since='2026-01-01'),
       'twin': account('audit', security, stage='no'), 'closed': account('closed', security)}
org.close_account(AccountId=ids['closed'])
many = [account(f'work-{number}', work) for number in range(MANY)]
result = dict(ids=ids, many=many, units=dict(core=core, security=security, work=work),
              org=org.describe_organization()['Organization']['Id'])
";

/// Loads the file as PyYAML does, checks it with the schema in c7n-org's source, and prints what it read.
const CHECK: &str = include_str!("hooks/c7n_org_schema.py");

struct Lab {
    moto: Moto,
    bench: Bench,
    /// The IDs of what was created.
    made: Value,
}

impl Lab {
    fn new() -> Self {
        let moto = Moto::start();
        let made = moto.boto3(&ORGANIZATION.replace("MANY", &MANY.to_string()));
        Self { moto, bench: Bench::new(), made }
    }

    fn run(&self, args: &[&str]) -> Run {
        self.bench.trailcreator(std::iter::once("accounts").chain(args.iter().copied())).aws(&self.moto).run()
    }

    /// The accounts of a run with `--output json`.
    fn accounts(&self, args: &[&str]) -> Vec<Value> {
        let run = self.run(&[args, &["--output", "json"]].concat());
        run.success().json()["accounts"].as_array().expect("a list").clone()
    }

    fn id(&self, name: &str) -> &str {
        self.made["ids"][name].as_str().expect("it was made")
    }

    fn names(&self, args: &[&str]) -> Vec<String> {
        let mut names: Vec<String> =
            self.accounts(args).iter().map(|account| account["name"].as_str().expect("a text").to_owned()).collect();
        names.sort();
        names
    }

    fn sent(&self, action: &str) -> usize {
        self.moto.our_requests().iter().filter(|request| request.action == action).count()
    }
}

fn find<'a>(accounts: &'a Value, id: &str) -> &'a Value {
    let accounts = accounts.as_array().expect("a list");
    accounts
        .iter()
        .find(|account| account["account_id"] == id)
        .unwrap_or_else(|| panic!("{id} is not in {accounts:#?}"))
}

/// The file as c7n-org reads it.
fn as_c7n_org_reads(file: &std::path::Path) -> Value {
    let package = package_alone(C7N_ORG);
    let read = run_python(&format!("PACKAGE = {package:?}\nFILE = {file:?}\n{CHECK}"), &[]);
    serde_json::from_str(&read).expect("it prints JSON")
}

#[test]
fn file_is_valid_for_c7n_org_and_has_what_boto3_created() {
    let lab = Lab::new();
    let run = lab.run(&["-f", "accounts.yml", "--region", "eu-west-1", "--region", "us-east-1"]);
    run.success().says([
        &format!("skipped account {} closed: not active: SUSPENDED", lab.id("closed")),
        "27 accounts, 1 skipped",
    ]);
    assert_eq!(run.stdout, "");
    let file = as_c7n_org_reads(&lab.bench.path("accounts.yml"));
    assert_eq!(file["accounts"].as_array().map(Vec::len), Some(MANY + 4), "with the management account");
    let (audit, twin) = (lab.id("audit"), lab.id("twin"));
    let found = find(&file["accounts"], audit);
    assert_eq!(
        *found,
        json!({
            "account_id": audit, "name": format!("audit-{audit}"), "display_name": "audit", "org_id": lab.made["org"],
            "email": "audit@example.com", "status": "ACTIVE",
            "arn": format!("arn:aws:organizations::123456789012:account/{}/{audit}", lab.made["org"].as_str().unwrap()),
            "role": format!("arn:aws:iam::{audit}:role/OrganizationAccountAccessRole"), "regions": ["eu-west-1", "us-east-1"],
            "tags": ["path:/Core", "since:2026-01-01", "stage:prod"], "vars": {"stage": "prod", "since": "2026-01-01"},
        })
    );
    let found = find(&file["accounts"], twin);
    assert_eq!(found["name"], format!("audit-{twin}"), "names are unique");
    assert_eq!(found["tags"], json!(["path:/Core", "path:/Core/Security", "stage:no"]));
    assert_eq!(found["vars"], json!({"stage": "no"}), "a text, whatever YAML 1.1 makes of no");
    assert_eq!(find(&file["accounts"], lab.id("lone"))["tags"], json!(["path:/"]));
    assert_eq!(lab.moto.writes(), 0);
}

#[test]
fn few_calls_are_made_and_all_pages_are_read() {
    let lab = Lab::new();
    lab.run(&[]).success();
    assert_eq!(lab.sent("ListRoots"), 1);
    assert_eq!(lab.sent("ListOrganizationalUnitsForParent"), 4, "the root and three units");
    assert_eq!(lab.sent("ListAccountsForParent"), 5, "each of them, one with a second page");
    assert_eq!(lab.sent("ListTagsForResource"), MANY + 4, "not of the closed one");
    assert_eq!(lab.moto.our_requests().len(), 10 + MANY + 4);

    lab.run(&["--ou", "/Core/Security"]).success();
    assert_eq!(lab.sent("ListOrganizationalUnitsForParent") - 4, 3, "down to it, and below it");
    assert_eq!(lab.sent("ListAccountsForParent") - 5, 1);
}

#[test]
fn units_are_selected_by_path_or_id_with_all_below_them() {
    let lab = Lab::new();
    let (audit, twin) = (format!("audit-{}", lab.id("audit")), format!("audit-{}", lab.id("twin")));
    let mut core = vec![audit, twin];
    core.sort();
    let id = lab.made["units"]["core"].as_str().unwrap();
    for unit in ["/Core", "Core/", id] {
        assert_eq!(lab.names(&["--ou", unit]), core, "{unit}");
    }
    assert_eq!(lab.names(&["--ou", "/Core", "--ou", "/Core/Security"]), core, "each once");
    assert_eq!(lab.names(&["--ou", "/Core/Security"]), ["audit"]);
    assert_eq!(lab.names(&["--ou", "/Work loads"]).len(), MANY);
    assert_eq!(lab.names(&["--ou", "/"]).len(), MANY + 4);
    lab.run(&["--ou", "/Cor"]).code(2).says(["no organizational unit /Cor; did you mean /Core?"]);
    lab.run(&["--ou", "ou-none-12345678"]).code(2).says(["no organizational unit ou-none-12345678"]);
}

#[test]
fn accounts_are_excluded_and_named_by_options() {
    let lab = Lab::new();
    let core = ["--ou", "/Core"];
    let twin = lab.id("twin");
    let run = lab.run(&[&core[..], &["--ignore", twin, "--output", "json"]].concat());
    let document = run.success().json();
    assert_eq!(document["format_version"], 1);
    let mut left_out: Vec<&Value> =
        document["left_out"].as_array().unwrap().iter().map(|left| &left["reason"]).collect();
    left_out.sort_by_key(|reason| reason.to_string());
    assert_eq!(json!(left_out), json!(["excluded by --ignore", "not active: SUSPENDED"]));
    assert_eq!(document["accounts"][0]["name"], "audit", "without its twin it keeps its name");

    assert_eq!(lab.names(&["--ou", "/Core", "--active=false", "-i", "audit"]), ["closed"]);
    lab.run(&["--ignore", "no-such-account"])
        .code(2)
        .says(["--ignore no-such-account: no account has this ID or name"]);

    let named = lab
        .accounts(&[&core[..], &["--ignore", twin, "--name", "{Tags.stage}.{name}", "--role", "team/Reader"]].concat());
    assert_eq!(named[0]["name"], "prod.audit");
    assert_eq!(named[0]["role"], format!("arn:aws:iam::{}:role/team/Reader", lab.id("audit")));
    let hub = lab.accounts(&[&core[..], &["-i", twin, "--role", "arn:aws-cn:iam::{Id}:role/{Email}"]].concat());
    assert_eq!(hub[0]["role"], format!("arn:aws-cn:iam::{}:role/audit@example.com", lab.id("audit")));
    lab.run(&["--name", "{nmae}"]).code(2).says(["{nmae} has no value", "{Name}"]);
    lab.run(&["--role", "{Id"]).code(2).says(["unmatched brace"]);
}

#[test]
fn file_on_stdout_equals_the_written_file() {
    let lab = Lab::new();
    let run = lab.run(&[]);
    lab.run(&["--output-file", "accounts.yml"]).success();
    assert_eq!(fs::read_to_string(lab.bench.path("accounts.yml")).expect("written"), run.success().stdout);
    // It accepts the file, and fails at the database that does not exist.
    let tag_org = lab.bench.trailcreator(["tag-org", "accounts.yml", "--dry-run", "-t", "path:/Core/Security"]);
    tag_org.aws(&lab.moto).run().code(1).says(["there is no database"]);
    lab.run(&["-f", "nowhere/accounts.yml"]).code(1).says(["saving the accounts file to nowhere/accounts.yml"]);
}

#[test]
fn accounts_are_listed_with_one_call_per_20() {
    let lab = Lab::new();
    let summary = drive(&lab.moto, &json!({"organization": true}));
    let listed = lab.moto.boto3(
        "result = [[one['Id'], one['Name'], one['Email'], one['State'], None] for one in pages('organizations', 'list_accounts', 'Accounts')]",
    );
    assert_eq!(summary.as_array().map(Vec::len), Some(MANY + 5));
    assert_eq!(summary, listed);
    assert_eq!((lab.sent("ListAccounts"), lab.moto.our_requests().len()), (2, 2));
}

/// Access to tags is denied; the state is in the form before September 2025.
const OLD_AND_CLOSED: &str = include_str!("hooks/accounts_old_and_closed.py");

#[test]
fn denied_tags_are_reported_and_the_rest_is_written() {
    let moto = Moto::start_with(OLD_AND_CLOSED);
    let bench = Bench::new();
    let run = |args: &[&str]| bench.trailcreator(args).aws(&moto).run();
    run(&["accounts"]).code(1).says(["AWSOrganizationsNotInUse", "management account"]);
    moto.boto3("client('organizations').create_organization(FeatureSet='ALL')");
    let summary = run(&["accounts", "-f", "accounts.yml"]);
    summary
        .code(4)
        .says(["account 111111111111 is written without its tags", "allow organizations:ListTagsForResource"]);
    summary.says(["skipped account 222222222222: not active: PENDING_CLOSURE"]);
    let file = as_c7n_org_reads(&bench.path("accounts.yml"));
    assert_eq!(file["accounts"].as_array().map(Vec::len), Some(1));
    assert_eq!(file["accounts"][0]["name"], "111111111111", "it has none");
    assert_eq!(file["accounts"][0]["tags"], json!(["path:/"]));
}
