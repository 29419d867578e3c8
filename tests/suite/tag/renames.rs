//! `tag` on what was renamed: boto3 makes and renames it on moto, and the maker of its first name is its owner.

use serde_json::{Value, json};

use super::lab::{Lab, entry};
use crate::common::{Caller, Event};

fn call(source: &str, name: &str, day: u8, user: &str, request: Value) -> Event {
    let event = Event::new(source, name).at(&format!("2026-03-{day:02}T10:00:00Z"));
    event.by(Caller::iam_user(user)).request(request)
}

fn rds(name: &str, day: u8, user: &str, request: Value) -> Event {
    call("rds.amazonaws.com", name, day, user, request)
}

fn iam(name: &str, day: u8, user: &str, request: Value) -> Event {
    call("iam.amazonaws.com", name, day, user, request)
}

/// `orders` became `orders-old`, and `orders-new` took its name; one IAM user was renamed, a group twice, two users swapped names.
fn world() -> Lab {
    let mut lab = Lab::new();
    lab.moto.boto3(
        "
rds, iam = client('rds'), client('iam')
make = lambda name: rds.create_db_instance(DBInstanceIdentifier=name, Engine='mysql', DBInstanceClass='db.t3.micro')
make('orders')
rds.modify_db_instance(DBInstanceIdentifier='orders', NewDBInstanceIdentifier='orders-old', ApplyImmediately=True)
make('orders-new')
rds.modify_db_instance(DBInstanceIdentifier='orders-new', NewDBInstanceIdentifier='orders', ApplyImmediately=True)
for name in ('jdoe', 'blue', 'green'):
    iam.create_user(UserName=name)
for old, new in (('jdoe', 'jane.doe'), ('blue', 'tmp'), ('green', 'blue'), ('tmp', 'green')):
    iam.update_user(UserName=old, NewUserName=new)
iam.create_group(GroupName='dev')
iam.update_group(GroupName='dev', NewGroupName='devs')
iam.update_group(GroupName='devs', NewGroupName='developers')
",
    );
    let database = |name: &str| json!({"dBInstanceIdentifier": name});
    lab.event(rds("CreateDBInstance", 1, "alice", database("orders")));
    let request =
        json!({"dBInstanceIdentifier": "orders", "newDBInstanceIdentifier": "Orders-Old", "applyImmediately": true});
    lab.event(rds("ModifyDBInstance", 2, "carol", request));
    lab.event(rds("CreateDBInstance", 3, "bob", database("orders-new")));
    let request =
        json!({"dBInstanceIdentifier": "orders-new", "newDBInstanceIdentifier": "orders", "applyImmediately": true});
    lab.event(rds("ModifyDBInstance", 4, "carol", request));
    for (day, (name, maker)) in (1..).zip([("jdoe", "alice"), ("blue", "bob"), ("green", "dora")]) {
        lab.event(iam("CreateUser", day, maker, json!({"userName": name})));
    }
    for (old, new) in [("jdoe", "jane.doe"), ("blue", "tmp"), ("green", "blue"), ("tmp", "green")] {
        lab.event(iam("UpdateUser", 5, "carol", json!({"userName": old, "newUserName": new})));
    }
    lab.event(iam("UpdateUser", 6, "carol", json!({"userName": "jane.doe", "newPath": "/people/"})));
    lab.event(iam("CreateGroup", 1, "alice", json!({"groupName": "dev"})));
    lab.event(iam("UpdateGroup", 2, "carol", json!({"groupName": "dev", "newGroupName": "devs"})));
    lab.event(iam("UpdateGroup", 3, "carol", json!({"groupName": "devs", "newGroupName": "developers"})));
    lab.load();
    lab
}

#[test]
fn the_first_maker_owns_what_was_renamed_and_the_next_one_what_took_its_name() {
    let lab = world();
    let plan = lab.run(&["tag", "--dry-run", "--output", "json"]).success().json();
    let value = |id: &str| entry(&plan["actions"], id)["value"].clone();
    let expected =
        [("orders-old", "alice"), ("orders", "bob"), ("jane.doe", "alice"), ("blue", "dora"), ("green", "bob")];
    assert_eq!(expected.map(|(id, _)| value(id)), expected.map(|(_, owner)| json!(owner)), "{plan:#}");
    let reason = entry(&plan["actions"], "orders-old")["reason"].as_str().expect("a text").to_owned();
    let renamed = "CreateDBInstance 2026-03-01T10:00:00Z, renamed from orders to orders-old by ModifyDBInstance at 2026-03-02T10:00:00Z";
    assert!(reason.ends_with(renamed), "{reason}");

    lab.run(&["tag"]).success();
    let tags = lab.moto.boto3(
        "result = {one['DBInstanceIdentifier']: one['TagList'] for one in client('rds').describe_db_instances()['DBInstances']}",
    );
    let owner = |name: &str| json!({"orders-old": [{"Key": "Owner", "Value": name}], "orders": [{"Key": "Owner", "Value": "bob"}]});
    assert_eq!(tags, owner("alice"));
    let writes = lab.moto.writes();
    lab.run(&["tag"]).success();
    assert_eq!(lab.moto.writes(), writes, "the second run writes nothing");
}

#[test]
fn the_report_counts_it_under_its_new_name_with_and_without_aws() {
    let lab = world();
    for live in [true, false] {
        let args: &[&str] = if live { &["report", "--type", "rds"] } else { &["report", "--offline", "--type", "rds"] };
        let report = lab.run(&[args, &["--output", "json"]].concat()).success().json();
        assert_eq!(report["totals"]["would_be_owned"], 2, "{live} {report:#}");
    }
    lab.run(&["tag"]).success();
    let offline = lab.run(&["report", "--offline", "--type", "iam-user", "--output", "json"]).success().json();
    assert_eq!(offline["totals"]["owned"], 3, "{offline:#}");
}

#[test]
fn a_name_that_was_given_up_without_another_creation_has_no_owner_and_says_why() {
    let mut lab = Lab::new();
    lab.moto.boto3("client('iam').create_user(UserName='jdoe')");
    lab.event(iam("CreateUser", 1, "alice", json!({"userName": "jdoe"})));
    lab.event(iam("UpdateUser", 2, "carol", json!({"userName": "jdoe", "newUserName": "jane.doe"})));
    lab.load();
    let plan = lab.run(&["tag", "--dry-run", "--output", "json"]).success().json();
    let reason = entry(&plan["skipped"], "jdoe")["reason"].as_str().expect("a text");
    let expected = "no create event since the earlier resource with this name was renamed to jane.doe by UpdateUser at 2026-03-02T10:00:00Z";
    assert_eq!(reason, expected);
}
