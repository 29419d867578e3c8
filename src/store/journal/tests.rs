use super::*;
use crate::plan::updates::Rollback;

fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("creators.db")).unwrap();
    (folder, store)
}

fn new_run(kind: RunKind, undoes: Option<RunId>) -> NewRun {
    NewRun {
        kind,
        undoes,
        account: "123456789012".into(),
        region: "eu-west-1".into(),
        key: "Owner".into(),
        caller: "arn:aws:iam::123456789012:user/ops".into(),
        organization: None,
    }
}

fn write(position: u32) -> Write {
    Write {
        position,
        resource_type: "sqs".into(),
        id: format!("q{position}").into(),
        arn: format!("arn:aws:sqs:eu-west-1:123456789012:q{position}").into(),
        region: "eu-west-1".into(),
        key: "Owner".into(),
        old_key: (position == 1).then(|| "owner".into()),
        owner_keys: if position == 0 { vec!["OwnerEmail".into(), "Made By".into()] } else { Vec::new() },
        skip_tags: if position == 0 { vec!["Temp".parse().unwrap(), "team=red".parse().unwrap()] } else { Vec::new() },
        old_value: (position == 1).then(|| "old".into()),
        new_value: Some("alice".into()),
        event_id: Some("e".to_owned()),
    }
}

fn ended(position: u32, outcome: WriteOutcome) -> BTreeMap<u32, WriteOutcome> {
    BTreeMap::from([(position, outcome)])
}

fn written() -> WriteOutcome {
    WriteOutcome::Written { request_id: Some("r".to_owned()) }
}

fn failed() -> WriteOutcome {
    WriteOutcome::Failed("denied".to_owned())
}

#[test]
fn run_is_finished_when_all_writes_ended() {
    let (_folder, store) = store();
    let run = store.begin_run(&new_run(RunKind::Tag, None), &[write(0), write(1), write(2)]).unwrap();
    store.start_writes(run, &[0, 1]).unwrap();
    store.end_writes(run, &ended(0, written())).unwrap();
    assert!(!store.finish_run(run).unwrap());
    let counts = store.run(run).unwrap().unwrap().counts;
    assert_eq!(counts, WriteCounts { planned: 1, started: 1, written: 1, ..WriteCounts::default() });

    store.end_writes(run, &BTreeMap::from([(1, failed()), (2, WriteOutcome::Vanished("gone".to_owned()))])).unwrap();
    assert!(store.finish_run(run).unwrap());
    assert!(store.runs().unwrap()[0].finished_at.is_some());
}

#[test]
fn writes_are_read_as_stored() {
    let (_folder, store) = store();
    let run = store.begin_run(&new_run(RunKind::Tag, None), &[write(1), write(0)]).unwrap();
    store.end_writes(run, &ended(1, written())).unwrap();
    let writes = store.writes_of(run).unwrap();
    assert_eq!(writes.iter().map(|row| row.write.clone()).collect::<Vec<_>>(), [write(0), write(1)]);
    assert_eq!(writes[1].outcome, written());
    assert_eq!(writes[0].outcome, WriteOutcome::Unfinished(String::new()));
}

#[test]
fn only_successful_undo_writes_count_as_undone() {
    let (_folder, store) = store();
    let run = store.begin_run(&new_run(RunKind::Tag, None), &[write(0), write(1)]).unwrap();
    let undo = store.begin_run(&new_run(RunKind::Undo, Some(run)), &[write(0), write(1)]).unwrap();
    store
        .end_writes(undo, &BTreeMap::from([(1, written()), (0, WriteOutcome::Skipped("changed".to_owned()))]))
        .unwrap();
    assert_eq!(store.undone(run).unwrap(), HashMap::from([(1, undo)]));
    assert!(store.undone(undo).unwrap().is_empty());
}

#[test]
fn write_has_its_own_key_and_older_ones_have_their_runs() {
    let (_folder, store) = store();
    let more = Write { key: "CreatedAt".into(), ..write(1) };
    let run = store.begin_run(&new_run(RunKind::Tag, None), &[write(0), more]).unwrap();
    let keys = || store.writes_of(run).unwrap().into_iter().map(|row| row.write.key.to_string()).collect::<Vec<_>>();
    assert_eq!(keys(), ["Owner", "CreatedAt"]);
    store.connection.execute("UPDATE writes SET tag_key = NULL", []).unwrap();
    assert_eq!(keys(), ["Owner", "Owner"]);
}

#[test]
fn a_rollback_is_remembered_until_a_write_goes_well() {
    let (_folder, store) = store();
    let run = store.begin_run(&new_run(RunKind::Tag, None), &[write(0), write(1)]).unwrap();
    store.note_rollback(run, 0, "the role is gone").unwrap();
    let noted = Rollback { arn: write(0).arn, run, reason: "the role is gone".to_owned() };
    assert_eq!(store.rollbacks().unwrap(), std::slice::from_ref(&noted));
    store.end_writes(run, &BTreeMap::from([(0, failed()), (1, written())])).unwrap();
    assert_eq!(store.rollbacks().unwrap(), [noted], "its own write failed, another's went well");
    let again = store.begin_run(&new_run(RunKind::Tag, None), &[write(0)]).unwrap();
    store.note_rollback(again, 0, "and again").unwrap();
    assert_eq!(store.rollbacks().unwrap()[0].run, again, "the last attempt counts");
    store.end_writes(again, &ended(0, written())).unwrap();
    assert_eq!(store.rollbacks().unwrap(), []);
}
