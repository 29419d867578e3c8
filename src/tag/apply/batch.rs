//! Which writes go into one call.

use std::collections::{BTreeMap, HashMap};

use super::Task;
use crate::model::{Arn, Region, TagKey, TagValue};
use crate::resource_map::WriteMethod;

/// ARNs a call of TagResources or UntagResources takes.
///
/// Source: <https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_TagResources.html>
const RGTA_BATCH: usize = 20;

/// Ids a call of CreateTags or DeleteTags takes.
///
/// Source: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateTags.html>
const EC2_BATCH: usize = 1_000;

/// Stacks come last: an update takes minutes, and no quick write has to wait for it.
const STACK_WAVE: usize = usize::MAX;

/// How a call is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum WriteCall {
    Ec2,
    Rgta,
    Native,
    Stack,
}

/// Writes that one call can make.
#[derive(Debug, Clone)]
pub(super) struct Batch<'t, 'm> {
    pub(super) way: WriteCall,
    /// Those of a wave are made after those of the waves before it.
    pub(super) wave: usize,
    /// Never empty; all in one region, with one change of one tag; or all of one stack.
    pub(super) tasks: Vec<&'t Task<'m>>,
    /// Which attempt at these writes it is, from 1.
    pub(super) attempt: u32,
}

impl WriteCall {
    fn of(method: WriteMethod) -> Self {
        match method {
            WriteMethod::Ec2 => Self::Ec2,
            WriteMethod::Rgta => Self::Rgta,
            WriteMethod::Native => Self::Native,
            WriteMethod::StackUpdate => Self::Stack,
        }
    }

    fn batch_size(self) -> usize {
        match self {
            Self::Ec2 => EC2_BATCH,
            Self::Rgta => RGTA_BATCH,
            Self::Native => 1,
            // All of one stack.
            Self::Stack => usize::MAX,
        }
    }
}

impl Batch<'_, '_> {
    pub(super) fn positions(&self) -> Vec<u32> {
        self.tasks.iter().map(|task| task.write.position).collect()
    }
}

/// What the writes of one call must agree on.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Sameness<'t> {
    wave: usize,
    way: WriteCall,
    region: &'t Region,
    change: Change<'t>,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Change<'t> {
    /// EC2's DeleteTags names the value that it removes.
    Tag { key: &'t TagKey, new: Option<&'t TagValue>, removed: Option<&'t TagValue> },
    /// Anything, of this stack.
    Stack(&'t Arn),
}

/// The fewest batches for these tasks, in waves; within one the tasks keep their order. No two tasks of a resource are in one
/// wave, but for a stack's, which are in one batch.
pub(super) fn batches<'t, 'm>(tasks: &'t [Task<'m>]) -> Vec<Batch<'t, 'm>> {
    let mut waves: HashMap<&Arn, usize> = HashMap::new();
    let mut groups: BTreeMap<Sameness<'t>, Vec<&'t Task<'m>>> = BTreeMap::new();
    for task in tasks {
        let way = WriteCall::of(task.writing.method);
        let (key, new) = (&task.write.key, task.write.new_value.as_ref());
        let change = match way {
            WriteCall::Stack => Change::Stack(&task.live.arn),
            _ => {
                let removed = task.write.old_value.as_ref().filter(|_| way == WriteCall::Ec2 && new.is_none());
                Change::Tag { key, new, removed }
            }
        };
        let wave = if way == WriteCall::Stack { STACK_WAVE } else { next_wave(&mut waves, &task.live.arn) };
        groups.entry(Sameness { wave, way, region: &task.live.region, change }).or_default().push(task);
    }
    let batches = groups.into_iter().flat_map(|(Sameness { wave, way, .. }, tasks)| {
        let chunks: Vec<_> = tasks.chunks(way.batch_size()).map(<[_]>::to_vec).collect();
        chunks.into_iter().map(move |tasks| Batch { way, wave, tasks, attempt: 1 })
    });
    batches.collect()
}

fn next_wave<'t>(waves: &mut HashMap<&'t Arn, usize>, arn: &'t Arn) -> usize {
    let next = waves.entry(arn).or_default();
    let wave = *next;
    *next += 1;
    wave
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::super::test_world::{queue, resource, tasks};
    use super::*;
    use crate::resource_map::ResourceMap;

    static MAP: LazyLock<&ResourceMap> = LazyLock::new(ResourceMap::built_in_once);

    fn with_keys(mut tasks: Vec<Task<'static>>, keys: &[&str]) -> Vec<Task<'static>> {
        for (task, key) in tasks.iter_mut().zip(keys) {
            task.write.key = (*key).into();
        }
        tasks
    }

    #[test]
    fn the_tags_of_one_resource_are_in_waves_and_those_of_many_in_one_call() {
        let live = vec![queue(0), queue(0), queue(1), queue(1), queue(2)];
        let tasks = with_keys(tasks(&MAP, live, None, Some("alice")), &["Owner", "By", "Owner", "By", "Owner"]);
        let found: Vec<_> = batches(&tasks).iter().map(|batch| (batch.wave, batch.positions())).collect();
        assert_eq!(found, [(0, vec![0, 2, 4]), (1, vec![1, 3])]);
    }

    #[test]
    fn all_tags_of_a_stack_are_one_update() {
        let stack = |name: &str| {
            resource(
                "cfn",
                name,
                &format!("arn:aws:cloudformation:eu-west-1:123456789012:stack/{name}/1"),
                serde_json::json!({}),
            )
        };
        let live = vec![stack("a"), stack("a"), stack("b")];
        let tasks = with_keys(tasks(&MAP, live, None, Some("alice")), &["Owner", "By", "Owner"]);
        let found: Vec<_> = batches(&tasks).iter().map(|batch| (batch.wave, batch.positions())).collect();
        assert_eq!(found, [(STACK_WAVE, vec![0, 1]), (STACK_WAVE, vec![2])]);
    }
}
