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

/// When we read the tags of volumes just before writing, a person has set the owner of the first. ANSWER is what we get.
const BEFORE_EC2: &str = r#"
def before(entry, environ):
    if entry['action'] == 'DescribeTags' and 'Boto3/' not in entry['user_agent']:
        from moto.ec2.models import ec2_backends
        ec2 = ec2_backends['123456789012']['us-east-1']
        ec2.create_tags([next(iter(ec2.volumes))], {'Owner': 'person'})
        return ANSWER
"#;

/// Without permission for DescribeTags, and where its answer proves nothing, the volumes are listed again.
#[test]
fn an_owner_set_on_a_volume_after_the_listing_is_kept() {
    let denied =
        "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>no</Message></Error></Errors></Response>";
    let without_tags = "<DescribeTagsResponse><requestId>1</requestId></DescribeTagsResponse>";
    for (answer, lists) in [
        ("None".to_owned(), 1),
        (format!("403, 'text/xml', '{denied}'"), 2),
        (format!("200, 'text/xml', '{without_tags}'"), 2),
        ("200, 'text/html', '<html></html>'".to_owned(), 2),
    ] {
        let mut lab = Lab::with_hook(Bench::new(), &BEFORE_EC2.replace("ANSWER", &answer));
        let volumes = lab.volumes(&["alice", "alice"]);
        lab.load();
        let run = lab.run(&["tag", "--type", "ebs"]);
        assert_eq!(lab.volume_tags(&volumes[0]), json!({"Owner": "person"}), "{answer}\n{}", run.printed());
        assert_eq!(lab.volume_tags(&volumes[1]), json!({"Owner": "alice"}), "{answer}\n{}", run.printed());
        run.success().shows([&format!("skipped ebs {}", volumes[0]), "Owner=person"]);
        assert_eq!((lab.sent("DescribeTags"), lab.sent("DescribeVolumes")), (1, lists), "{answer}");
    }
}
