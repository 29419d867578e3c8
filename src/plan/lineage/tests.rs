//! Owners of resources that a service created: by facts alone, without a store or AWS.

use std::sync::LazyLock;

use serde_json::{Value, json};

use super::*;
use crate::creator::OwnerRules;
use crate::plan::join::Joined;
use crate::plan::test_data::{live, stored, tags};
use crate::plan::updates::Updates;
use crate::plan::{Scope, ScopeFacts, SkipKind, plan};

static MAP: LazyLock<&ResourceMap> = LazyLock::new(ResourceMap::built_in_once);

const ACCOUNT: &str = "123456789012";
const GROUP: &str = "aws:autoscaling:groupName";
const STACK: &str = "aws:cloudformation:stack-id";

fn definition(name: &str) -> &'static TypeDefinition {
    &MAP.types[&ResourceType::from(name)]
}

fn resource(name: &str, id: &str, item: Value, tag_pairs: &[(&str, &str)]) -> LiveResource {
    let arn = format!("arn:aws:x:eu-west-1:{ACCOUNT}:{name}/{id}");
    LiveResource { resource_type: name.into(), item: item.into(), tags: Tags::Known(tags(tag_pairs)), ..live(id, &arn) }
}

fn stack_arn(name: &str) -> String {
    format!("arn:aws:cloudformation:eu-west-1:{ACCOUNT}:stack/{name}/51af3dc0-da77-11e4-872e-1234567db123")
}

fn by_person(user: &str, second: u8) -> Vec<StoredEvent> {
    vec![stored("create", "it", user, &format!("2026-03-01T10:00:{second:02}Z"))]
}

/// A creation by a service-linked role.
fn by_service(second: u8) -> Vec<StoredEvent> {
    by_session("AWSServiceRoleForAutoScaling", "AutoScaling", second)
}

fn by_session(role: &str, name: &str, second: u8) -> Vec<StoredEvent> {
    let mut events = by_person("", second);
    let identity = &mut events[0].event.identity;
    identity.kind = Some("AssumedRole".into());
    identity.user_name = None;
    identity.arn = Some(format!("arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{name}").into());
    events
}

fn parent(name: &str, id: &str) -> ParentRef {
    ParentRef { resource_type: name.into(), region: Some("eu-west-1".into()), id: id.to_owned(), arn: None }
}

fn stack(name: &str) -> ParentRef {
    ParentRef { arn: Some(stack_arn(name)), ..parent("cfn", name) }
}

/// Facts of parents, one by one.
struct World(Lineage<'static>);

impl World {
    fn new() -> Self {
        Self(Lineage::new(&MAP, ACCOUNT.into()))
    }

    /// A parent that only the store knows.
    fn recorded(mut self, parent: ParentRef, recorded: Vec<StoredEvent>) -> Self {
        self.0.parents.insert(parent, Parent { recorded, live: Live::Unasked });
        self
    }

    fn gone(mut self, parent: ParentRef, recorded: Vec<StoredEvent>) -> Self {
        self.0.parents.insert(parent, Parent { recorded, live: Live::Gone });
        self
    }

    fn alive(mut self, parent: ParentRef, recorded: Vec<StoredEvent>, resource: LiveResource) -> Self {
        let definition = definition(resource.resource_type.as_str());
        let live = Live::Alive(Box::new(Relative { definition, resource, events: Vec::new() }));
        self.0.parents.insert(parent, Parent { recorded, live });
        self
    }

    /// The owner and the reason; or what was tried.
    fn owner(&self, child: &LiveResource, events: &[StoredEvent]) -> Result<(String, String), String> {
        let found = self.0.owner_of(&question(), definition(child.resource_type.as_str()), child, events);
        let found = found.map(|inherited| (inherited.owner.value.clone(), inherited.reason()));
        found.map_err(|orphan| match orphan {
            tried @ Orphan::NoOwnerFound(_) => tried.to_string(),
            Orphan::Unreadable(why) => panic!("unreadable: {why}"),
        })
    }

    fn needs(&self, child: &LiveResource, events: &[StoredEvent]) -> Vec<Need> {
        let facts = facts(child, events);
        self.0.needs(&question(), &facts).into_iter().collect()
    }
}

fn facts(child: &LiveResource, events: &[StoredEvent]) -> TypeFacts<'static> {
    TypeFacts {
        definition: definition(child.resource_type.as_str()),
        live: vec![child.clone()],
        joined: Joined { events: vec![events.to_vec()], records: 0 },
        scope: ScopeFacts::default(),
        source: None,
    }
}

fn question() -> Question {
    Question {
        account: ACCOUNT.into(),
        region: "eu-west-1".into(),
        key: "Owner".into(),
        owner_keys: Vec::new(),
        more_tags: Vec::new(),
        overwrite: false,
        inherit: true,
        rules: OwnerRules::default(),
        updates: Updates::default(),
        scope: Scope::default(),
    }
}

fn found(owner: &str, reason: &str) -> Result<(String, String), String> {
    Ok((owner.to_owned(), reason.to_owned()))
}

fn instance(tags: &[(&str, &str)]) -> LiveResource {
    resource("ec2", "i-1", json!({}), tags)
}

#[test]
fn the_way_leads_from_volume_to_instance_to_group_to_stack_to_person() {
    let attachment = json!({"attachmentSet": [{"instanceId": "i-1", "deleteOnTermination": "true"}]});
    let volume = resource("ebs", "vol-1", attachment, &[]);
    let group = resource("asg", "web", json!({}), &[(STACK, &stack_arn("site"))]);
    let world = World::new()
        .alive(parent("ec2", "i-1"), by_service(30), instance(&[(GROUP, "web")]))
        .alive(parent("asg", "web"), by_session("stacks", "AWSCloudFormation", 20), group)
        .recorded(stack("site"), by_person("alice", 10));
    let arn = stack_arn("site");
    let way = format!("inherited from ec2 i-1, from asg web ({GROUP}), from cfn {arn} ({STACK})");
    let reason = format!("{way}: IAM user name, CreateQueue 2026-03-01T10:00:10Z");
    assert_eq!(world.owner(&volume, &[]), found("alice", &reason));
}

#[test]
fn the_nearest_person_is_the_owner_and_the_first_parent_with_one_decides() {
    let child = instance(&[(STACK, &stack_arn("site")), (GROUP, "web")]);
    let both = World::new()
        .recorded(parent("asg", "web"), by_person("bob", 20))
        .recorded(stack("site"), by_person("alice", 10));
    assert_eq!(both.owner(&child, &by_service(30)).unwrap().0, "bob");
    let second = World::new().gone(parent("asg", "web"), Vec::new()).recorded(stack("site"), by_person("alice", 10));
    assert_eq!(second.owner(&child, &by_service(30)).unwrap().0, "alice");
}

#[test]
fn the_reason_lists_the_parents_that_were_tried_without_an_owner() {
    let child = instance(&[(GROUP, "web"), (STACK, &stack_arn("site"))]);
    let world = World::new().gone(parent("asg", "web"), Vec::new()).gone(stack("site"), by_service(10));
    let tried = format!(
        "its parent asg web has no record; it is not among the live resources; its parent cfn {} has no owner: service-linked role \
         AWSServiceRoleForAutoScaling; it is not among the live resources",
        stack_arn("site")
    );
    assert_eq!(world.owner(&child, &by_service(30)), Err(tried));
    assert_eq!(World::new().owner(&instance(&[]), &by_service(30)), Err(String::new()), "nothing names a parent");
}

#[test]
fn a_circle_ends() {
    let nested = |id: &str, above: &str| resource("cfn", id, json!({"ParentId": stack_arn(above)}), &[]);
    let world = World::new().alive(parent("cfn", "a"), Vec::new(), nested("a", "b")).alive(
        parent("cfn", "b"),
        Vec::new(),
        nested("b", "a"),
    );
    assert_eq!(
        world.owner(&nested("c", "a"), &by_service(30)),
        Err("its parent cfn a has no record; its parent cfn b has no record".to_owned())
    );
}

#[test]
fn a_long_line_ends() {
    let nested =
        |n: usize| resource("cfn", &format!("s{n}"), json!({"ParentId": stack_arn(&format!("s{}", n + 1))}), &[]);
    let mut world = World::new();
    for n in 1..=MAX_GENERATIONS + 1 {
        world = world.alive(parent("cfn", &format!("s{n}")), Vec::new(), nested(n));
    }
    let tried = world.owner(&nested(0), &by_service(30)).unwrap_err();
    assert!(tried.ends_with(&format!("is its ancestor in the {MAX_GENERATIONS}th generation")), "{tried}");
}

#[test]
fn a_name_that_was_used_again_is_the_one_that_was_there_when_the_child_was_made() {
    let mut events = by_person("alice", 10);
    events.push(stored("delete", "it", "alice", "2026-03-01T10:00:40Z"));
    events.extend(by_person("bob", 50));
    let group = |events: &[StoredEvent]| World::new().recorded(parent("asg", "web"), events.to_vec());
    let child = instance(&[(GROUP, "web")]);
    assert_eq!(group(&events).owner(&child, &by_service(30)).unwrap().0, "alice");
    assert_eq!(group(&events).owner(&child, &by_service(55)).unwrap().0, "bob");
    assert_eq!(group(&events[..2]).owner(&child, &by_service(30)).unwrap().0, "alice", "also when it is gone");
    let retained = resource("sqs", "q", json!({}), &[(STACK, &stack_arn("site"))]);
    let gone = World::new().gone(stack("site"), events.clone());
    assert!(
        gone.owner(&retained, &[]).is_err(),
        "bob's stack has another ARN, and the queue's creation time is unknown"
    );
    let live = resource("cfn", "site", json!({}), &[]);
    let alive = World::new().alive(stack("site"), events, live);
    assert_eq!(alive.owner(&retained, &[]).unwrap().0, "bob");
}

#[test]
fn resources_that_a_cluster_creates_belong_to_it() {
    let world = || World::new().recorded(parent("eks", "prod"), by_person("alice", 10));
    let mut by_cluster = by_session("eks-cluster-role", "1692148309803252560", 30);
    by_cluster[0].event.identity.invoked_by = Some("eks.amazonaws.com".into());
    let auto_mode = instance(&[("eks:eks-cluster-name", "prod")]);
    assert_eq!(world().owner(&auto_mode, &by_cluster).unwrap().0, "alice");
    let owned = resource("elb", "a1b2", json!({}), &[("kubernetes.io/cluster/prod", "owned")]);
    let (owner, reason) = world().owner(&owned, &by_cluster).unwrap();
    assert_eq!(owner, "alice");
    assert!(reason.contains("eks prod (kubernetes.io/cluster/prod)"), "{reason}");
    let shared = resource("elb", "a1b2", json!({}), &[("kubernetes.io/cluster/prod", "shared")]);
    assert!(world().owner(&shared, &by_cluster).is_err());
}

#[test]
fn without_a_record_only_what_aws_says_counts() {
    let world = || World::new().recorded(parent("eks", "prod"), by_person("alice", 10));
    let tagged = |tag: &str| instance(&[(tag, "prod")]);
    assert!(world().owner(&tagged("eks:cluster-name"), &[]).is_err(), "anybody can write that tag");
    assert_eq!(world().owner(&tagged("eks:cluster-name"), &by_service(30)).unwrap().0, "alice");
    assert_eq!(world().owner(&tagged("aws:eks:cluster-name"), &[]).unwrap().0, "alice");
    assert!(world().owner(&tagged("eks:eks-cluster-name"), &[]).is_err(), "anybody can write that tag");
    let world = World::new().recorded(parent("ec2", "i-1"), by_person("alice", 10));
    let volume = |stays: &str| {
        let item = json!({"attachmentSet": [{"instanceId": "i-1", "deleteOnTermination": stays}]});
        resource("ebs", "vol-1", item, &[])
    };
    assert_eq!(world.owner(&volume("true"), &[]).unwrap().0, "alice");
    assert!(world.owner(&volume("false"), &[]).is_err(), "a person created it, and attached it later");
    assert_eq!(world.owner(&volume("false"), &by_service(30)).unwrap().0, "alice");
}

#[test]
fn interfaces_of_services_belong_to_what_those_made() {
    let balancer = format!("arn:aws:elasticloadbalancing:eu-west-1:{ACCOUNT}:loadbalancer/app/web/50dc6c495c0c9188");
    let of = |description: &str, managed: &str, kind: &str| {
        let item = json!({"requesterManaged": managed, "interfaceType": kind, "description": description});
        resource("eni", "eni-1", item, &[])
    };
    let world = World::new()
        .recorded(parent("nat-gateway", "nat-1"), by_person("alice", 10))
        .recorded(parent("app-elb", "app/web/50dc6c495c0c9188"), by_person("bob", 10))
        .recorded(parent("elb", "old"), by_person("carol", 10));
    let owner = |resource: &LiveResource| world.owner(resource, &[]).map(|(owner, _)| owner);
    assert_eq!(
        owner(&of("Interface for NAT Gateway nat-1", "true", "nat_gateway")).as_deref(),
        Ok("alice"),
        "{balancer}"
    );
    assert_eq!(owner(&of("ELB app/web/50dc6c495c0c9188", "true", "interface")).as_deref(), Ok("bob"));
    assert_eq!(owner(&of("ELB old", "true", "interface")).as_deref(), Ok("carol"));
    assert!(owner(&of("ELB old", "false", "interface")).is_err(), "anybody can describe his own so");
    assert!(owner(&of("Interface for NAT Gateway nat-1", "true", "interface")).is_err());
}

#[test]
fn a_principal_is_taken_as_it_is() {
    let tag = "aws:servicecatalog:provisioningPrincipalArn";
    let product = |arn: &str| instance(&[(tag, arn), (GROUP, "web")]);
    let world = World::new().recorded(parent("asg", "web"), by_person("bob", 10));
    let anna = product(&format!("arn:aws:sts::{ACCOUNT}:assumed-role/Endusers/anna"));
    let reason = format!("inherited from its provisioning principal ({tag}): session name of role Endusers");
    assert_eq!(world.owner(&anna, &by_service(30)), found("anna", &reason));
    let service = product(&format!("arn:aws:sts::{ACCOUNT}:assumed-role/AWSServiceRoleForX/x"));
    assert_eq!(world.owner(&service, &by_service(30)).unwrap().0, "bob", "the next parent");
}

#[test]
fn a_parent_in_another_account_is_reported_and_one_in_another_region_is_looked_up_there() {
    let other = "arn:aws:cloudformation:eu-west-1:444455556666:stack/site/1";
    let child = resource("sqs", "q", json!({}), &[(STACK, other)]);
    assert_eq!(
        World::new().owner(&child, &by_service(30)),
        Err(format!("its parent cfn {other} is in another account"))
    );
    let arn = stack_arn("site").replace("eu-west-1", "us-west-2");
    let bucket = resource("s3", "photos", json!({}), &[(STACK, &arn)]);
    let there = ParentRef { region: Some("us-west-2".into()), id: "site".to_owned(), arn: Some(arn), ..stack("site") };
    assert_eq!(World::new().needs(&bucket, &by_service(30)), [Need::Recorded(there.clone())]);
    let world = World::new().recorded(there, by_person("alice", 10));
    assert_eq!(world.owner(&bucket, &by_service(30)).unwrap().0, "alice");
}

#[test]
fn a_parent_created_by_a_role_gives_the_role_if_no_person_is_above_it() {
    let child = instance(&[(STACK, &stack_arn("site"))]);
    let live = resource("cfn", "site", json!({}), &[]);
    let world = World::new().alive(stack("site"), by_session("stack-sets", "AWSCloudFormation", 10), live);
    assert_eq!(world.owner(&child, &by_service(30)).unwrap().0, "stack-sets");
}

#[test]
fn a_parent_that_could_not_be_read_leaves_the_resource_alone() {
    let child = instance(&[(GROUP, "web"), (STACK, &stack_arn("site"))]);
    let mut world = World::new().recorded(stack("site"), by_person("alice", 10));
    let known =
        Parent { recorded: by_session("r", "AWSCloudFormation", 10), live: Live::Unreadable("denied".to_owned()) };
    world.0.parents.insert(parent("asg", "web"), known);
    let left = |events: &[StoredEvent]| {
        let plan = plan(&question(), Some(&world.0), &[facts(&child, events)]);
        (plan.skipped.get(0).kind, plan.skipped.get(0).reason)
    };
    let why = "its parent asg web could not be read: denied";
    let service = format!("service-linked role AWSServiceRoleForAutoScaling; {why}");
    assert_eq!(left(&by_service(30)), (SkipKind::NoOwner, service));
    assert_eq!(left(&by_session("r", "AWSCloudFormation", 30)), (SkipKind::NoOwner, why.to_owned()), "not the role");
    assert_eq!(left(&[]).0, SkipKind::NoRecord);
    let unread = LiveResource { tags: Tags::Unknown("denied".to_owned()), ..resource("asg", "web", json!({}), &[]) };
    let world = World::new().alive(parent("asg", "web"), by_service(10), unread);
    let orphan = world.0.owner_of(&question(), definition("ec2"), &child, &by_service(30)).unwrap_err();
    assert!(matches!(orphan, Orphan::Unreadable(_)), "{orphan:?}");
    assert_eq!(orphan.to_string(), "the tags of its parent asg web could not be read: denied");
}

#[test]
fn the_store_is_read_first_and_live_parents_only_if_it_has_no_owner() {
    let child = instance(&[(GROUP, "web")]);
    let events = by_service(30);
    assert_eq!(World::new().needs(&child, &events), [Need::Recorded(parent("asg", "web"))]);
    let person = World::new().recorded(parent("asg", "web"), by_person("alice", 10));
    assert_eq!(person.needs(&child, &events), []);
    for recorded in [Vec::new(), by_service(10)] {
        let without_owner = World::new().recorded(parent("asg", "web"), recorded);
        assert_eq!(without_owner.needs(&child, &events), [Need::Live(parent("asg", "web"))]);
    }
    assert_eq!(World::new().needs(&child, &by_person("zoe", 30)), [], "a person is known");
    let tagged = instance(&[(GROUP, "web"), ("Owner", "zoe")]);
    assert_eq!(World::new().needs(&tagged, &events), [], "it has the tag");
}

#[test]
fn the_plan_names_the_way_keeps_known_persons_and_counts_the_rest_as_before() {
    let world = World::new().recorded(parent("asg", "web"), by_person("alice", 10));
    let child = instance(&[(GROUP, "web")]);
    let plan_of =
        |child: &LiveResource, events: &[StoredEvent]| plan(&question(), Some(&world.0), &[facts(child, events)]);
    let inherited = plan_of(&child, &by_service(30));
    let write = &inherited.actions.get(0);
    assert_eq!(write.value.as_str(), "alice");
    assert_eq!(write.event_id.as_deref(), Some("it-2026-03-01T10:00:10Z"), "it rests on the parent's creation");
    assert!(write.reason.starts_with("inherited from asg web"), "{}", write.reason);
    let kept = plan_of(&child, &by_person("zoe", 30));
    assert_eq!(kept.actions.get(0).value.as_str(), "zoe");
    let orphan = plan_of(&instance(&[]), &by_service(30));
    assert_eq!(
        (orphan.skipped.get(0).kind, orphan.skipped.get(0).reason.as_str()),
        (SkipKind::NoOwner, "service-linked role AWSServiceRoleForAutoScaling")
    );
    let unknown = plan_of(&instance(&[]), &[]);
    assert_eq!(unknown.skipped.get(0).kind, SkipKind::NoRecord);
    let worker = plan_of(&child, &by_session("app", "i-05c30218156bcc246", 30));
    assert_eq!(worker.actions.get(0).value.as_str(), "app", "software on an instance is no service at work");
    let by_stack = plan_of(&instance(&[]), &by_session("stacks", "AWSCloudFormation", 30));
    assert_eq!(by_stack.actions.get(0).value.as_str(), "stacks", "without a parent as without the option");
}

#[test]
fn additional_tags_use_the_resources_own_event_and_only_the_parents_owner() {
    let world = World::new().recorded(parent("asg", "web"), by_person("alice", 10));
    let more = ["By={owner}", "At={event_time}"].map(|text| text.parse().unwrap()).to_vec();
    let question = Question { more_tags: more, ..question() };
    let child = instance(&[(GROUP, "web")]);
    let tags = |events: &[StoredEvent]| {
        let plan = plan(&question, Some(&world.0), &[facts(&child, events)]);
        let write = |write: crate::plan::PlannedWrite| format!("{}={}", write.key, write.value);
        plan.actions.iter().map(write).chain(plan.skipped.iter().map(|left| left.reason)).collect::<Vec<_>>()
    };
    assert_eq!(tags(&by_service(30)), ["Owner=alice", "By=alice", "At=2026-03-01T10:00:30Z"]);
    let unrecorded = tags(&[]);
    assert_eq!(unrecorded[..2], ["Owner=alice", "By=alice"]);
    assert!(unrecorded[2].starts_with("no At: "), "{unrecorded:?}");
}
