//! Every built-in service at once: exactly the untagged resources with a creator get the right owner, nothing else
//! changes, a second run writes nothing, and undo restores the first state.

use serde_json::Value;

use super::world::{Made, assert_same, create, everything, planned, trail_of, with_owners};
use crate::common::{Bench, Moto};

/// What moto 5.2.5 gets wrong of AWS's ways and this test needs: DescribeLaunchTemplates shows only the tags that a template was
/// made with, not those of CreateTags; UpdateStack with an empty `Tags` removes all tags, which moto takes for none given.
const REPAIR_OF_MOTO: &str = r"
import urllib.parse
from moto.cloudformation.models import cloudformation_backends
from moto.ec2.models.launch_templates import LaunchTemplate
LaunchTemplate.tags = property(lambda self: self.get_tags(), lambda self, tags: None)
def before(entry, environ):
    form = urllib.parse.parse_qs(entry['body'], keep_blank_values=True)
    if entry['action'] == 'UpdateStack' and form.get('Tags') == ['']:
        cloudformation_backends['123456789012'][entry['region']].get_stack(form['StackName'][0]).tags = {}
";

#[test]
fn all_services_are_tagged_once_and_restored() {
    let (moto, bench) = (Moto::start_with(REPAIR_OF_MOTO), Bench::new());
    let made = create(&moto, "");
    let (trail, owners) = trail_of(&made);
    trail.write(&bench.path("logs/trail.json.gz"));
    bench.trailcreator(["load-files", "logs"]).run().success();
    let before = everything(&moto);

    let plan = bench.trailcreator(["tag", "--dry-run", "--output", "json"]).aws(&moto).run().success().json();
    let wanted = owners.iter().map(|(key, owner)| (key.clone(), (*owner).to_owned())).collect();
    assert_eq!(planned(&plan), wanted, "the plan is not what lacks an owner; left: {:#}", plan["left"]);
    assert_left_with_reasons(&plan, &made);
    assert_eq!(moto.writes(), 0, "a dry run wrote");

    bench.trailcreator(["tag"]).aws(&moto).run().success();
    assert_same(&everything(&moto), &with_owners(&before, &owners), "after tag");

    let writes = moto.writes();
    bench.trailcreator(["tag"]).aws(&moto).run().success();
    assert_eq!(moto.writes(), writes, "the second tag wrote");

    let runs = bench.trailcreator(["runs", "--output", "json"]).run().success().json();
    bench.trailcreator(["undo", &first_tag_run(&runs)]).aws(&moto).run().success();
    assert_same(&everything(&moto), &before, "after undo");
}

/// Each resource that is left is named once, with the right kind of reason; and counted.
fn assert_left_with_reasons(plan: &Value, made: &[Made]) {
    const KINDS: [(&str, &str); 3] = [("owned", "has-tag"), ("unrecorded", "no-record"), ("machine", "no-owner")];
    let left = plan["left"].as_array().expect("a plan tells what is left");
    for (case, kind) in KINDS {
        for resource in made.iter().filter(|resource| resource.case == case) {
            let entries: Vec<&Value> = left.iter().filter(|entry| resource.is(entry)).collect();
            let [entry] = entries[..] else { panic!("{resource:?} is left as {entries:?}") };
            assert_eq!(entry["kind"], kind, "{entry}");
            assert!(entry["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{entry}");
        }
        let entries = left.iter().filter(|entry| entry["kind"] == kind).count();
        assert_eq!(plan["summary"]["left"][kind], entries, "{:#}", plan["summary"]);
    }
}

fn first_tag_run(runs: &Value) -> String {
    let runs = runs["runs"].as_array().expect("runs are listed");
    let first = runs.iter().filter_map(|run| run["run_id"].as_i64()).min();
    first.expect("there is a run").to_string()
}
