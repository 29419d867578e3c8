//! Another writer between our reads and our writes.

use serde_json::json;

use crate::common::Bench;
use crate::tag::lab::Lab;

/// When we read the tags of one role just before writing, a person has set the owner.
const HOOK: &str = r#"
def before(entry, environ):
    if entry['action'] == 'ListRoleTags' and 'Boto3/' not in entry['user_agent']:
        from moto.iam.models import iam_backends
        iam_backends['123456789012']['aws'].tag_role('app', [{'Key': 'Owner', 'Value': 'person'}])
"#;

#[test]
fn regression_an_owner_set_on_a_role_after_the_listing_is_kept() {
    let mut lab = Lab::with_hook(Bench::new(), HOOK);
    lab.role("app", "alice", &json!({"team": "one"}));
    lab.load();
    let run = lab.run(&["tag", "--type", "iam-role"]);
    assert_eq!(lab.role_tags("app"), json!({"Owner": "person", "team": "one"}), "{}", run.printed());
    run.success().shows(["skipped iam-role app", "Owner=person"]);
}
