//! The actions of each piece of work.

use super::*;

fn actions(work: Work, names: &[&str]) -> Vec<String> {
    actions_of(work, false, names)
}

fn actions_of(work: Work, inherit: bool, names: &[&str]) -> Vec<String> {
    let map = ResourceMap::built_in_once();
    let needs = needs(map, work, inherit, names.iter().map(|name| &*map.types[*name]), &|_| true);
    assert_eq!(needs.unknown, BTreeSet::new());
    needs.actions.into_iter().collect()
}

#[test]
fn a_type_needs_its_own_calls_and_nothing_more() {
    assert_eq!(
        actions(Work::Apply, &["s3"]),
        [
            "s3:GetBucketTagging",
            "s3:ListAllMyBuckets",
            "s3:ListTagsForResource",
            "s3:PutBucketTagging",
            "s3:TagResource",
            "tag:TagResources"
        ]
    );
    assert!(actions(Work::Undo, &["s3"]).contains(&"s3:UntagResource".to_owned()));
    assert_eq!(actions(Work::Apply, &["ebs"]), ["ec2:CreateTags", "ec2:DescribeTags", "ec2:DescribeVolumes"]);
    assert_eq!(actions(Work::Tag, &["ebs"]), ["ec2:CreateTags", "ec2:DescribeTags", "ec2:DescribeVolumes", IDENTITY]);
    assert_eq!(
        actions(Work::Undo, &["ebs"]),
        ["ec2:CreateTags", "ec2:DeleteTags", "ec2:DescribeTags", "ec2:DescribeVolumes"]
    );
    assert_eq!(
        actions(Work::Apply, &["cfn"]),
        [
            "cloudformation:CreateChangeSet",
            "cloudformation:DeleteChangeSet",
            "cloudformation:DescribeChangeSet",
            "cloudformation:DescribeStacks",
            "cloudformation:ExecuteChangeSet",
            "cloudformation:GetTemplate",
            "cloudformation:UpdateStack",
            "ssm:GetParameters",
        ]
    );
    assert_eq!(
        actions(Work::Undo, &["iam-role"]),
        [
            "iam:GetAccountAuthorizationDetails",
            "iam:ListRoleTags",
            "iam:TagRole",
            "iam:UntagRole",
            "tag:TagResources",
            "tag:UntagResources"
        ]
    );
}

#[test]
fn only_what_lists_all_resources_sweeps_the_tagging_api() {
    let sweeps = |work| actions(work, &["sqs"]).contains(&"tag:GetResources".to_owned());
    assert_eq!([Work::Tag, Work::Apply, Work::Undo, Work::Report].map(sweeps), [true, false, false, true]);
}

#[test]
fn a_report_only_reads_and_asks_for_users() {
    assert_eq!(
        actions(Work::Report, &["sqs"]),
        [
            "account:ListRegions",
            "ec2:DescribeRegions",
            "iam:GetAccountAuthorizationDetails",
            "sqs:ListQueueTags",
            "sqs:ListQueues",
            "tag:GetResources"
        ]
    );
}

#[test]
fn a_child_needs_its_parents_listing() {
    let of_service = actions(Work::Tag, &["ecs-service"]);
    for action in ["ecs:ListClusters", "ecs:DescribeClusters", "ecs:ListServices", "ecs:DescribeServices"] {
        assert!(of_service.iter().any(|known| known == action), "{action} is not in {of_service:?}");
    }
}

#[test]
fn to_inherit_needs_the_listings_of_whatever_may_be_a_parent() {
    let inheriting = actions_of(Work::Tag, true, &["ebs"]);
    let plain = actions(Work::Tag, &["ebs"]);
    assert!(plain.iter().all(|action| inheriting.contains(action)));
    for action in ["ec2:DescribeInstances", "autoscaling:DescribeAutoScalingGroups", "cloudformation:DescribeStacks"] {
        assert!(
            inheriting.iter().any(|known| known == action) && !plain.iter().any(|known| known == action),
            "{action}"
        );
    }
    assert!(!inheriting.iter().any(|action| action == "ec2:DescribeNatGateways"), "no volume belongs to one");
    assert!(!inheriting.iter().any(|action| action == "autoscaling:CreateOrUpdateTags"), "parents are only read");
    assert_eq!(actions_of(Work::Undo, true, &["ebs"]), actions(Work::Undo, &["ebs"]));
}

#[test]
fn wildcards_replace_several_actions_that_list_or_describe() {
    let mut needs = Needs::default();
    for action in
        ["ec2:DescribeVolumes", "ec2:DescribeInstances", "ec2:CreateTags", "sqs:ListQueues", "s3:GetObject", "s3:GetX"]
    {
        needs.add(action);
    }
    needs.shorten();
    let left: Vec<&str> = needs.actions.iter().map(String::as_str).collect();
    assert_eq!(left, ["ec2:CreateTags", "ec2:Describe*", "s3:GetObject", "s3:GetX", "sqs:ListQueues"]);
}

#[test]
fn policies_of_a_member_fit_into_a_role_with_wildcards() {
    let map = ResourceMap::built_in_once();
    let mut needs = needs(map, Work::Member, true, map.definitions(), &|_| true);
    assert!(!Fit::of(&documents(&needs, &Scope::default())).is_of_one_role(), "the wildcards are needed");
    needs.shorten();
    assert!(Fit::of(&documents(&needs, &Scope::default())).policies <= MAX_POLICIES_OF_ROLE / 2);
}

#[test]
fn loaders_need_no_types() {
    assert_eq!(actions(Work::ReadTrail, &[]), READ_TRAIL);
    assert_eq!(actions(Work::History, &["ebs"]), HISTORY);
    assert_eq!(actions(Work::Nothing, &["ebs"]), [""; 0]);
    assert!(
        ATHENA.is_sorted() && HUB.is_sorted() && HISTORY.is_sorted() && ORGANIZATION.is_sorted() && REGIONS.is_sorted()
    );
}
