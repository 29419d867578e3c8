//! Which writes go into one call.

use std::collections::{BTreeMap, HashMap};

use super::ReadyWrite;
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
pub(super) struct WriteBatch<'t, 'm> {
    pub(super) call: WriteCall,
    /// Those of a wave are made after those of the waves before it.
    pub(super) wave: usize,
    /// Never empty; all in one region, with one change of one tag; or all of one stack.
    pub(super) writes: Vec<&'t ReadyWrite<'m>>,
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

impl WriteBatch<'_, '_> {
    pub(super) fn positions(&self) -> Vec<u32> {
        self.writes.iter().map(|ready| ready.write.position).collect()
    }
}

/// What the writes of one call must agree on.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Sameness<'t> {
    wave: usize,
    call: WriteCall,
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

/// The fewest batches for these writes, in waves; within one the writes keep their order. No two writes of a resource are in one
/// wave, but for a stack's, which are in one batch.
pub(super) fn batches<'t, 'm>(writes: &'t [ReadyWrite<'m>]) -> Vec<WriteBatch<'t, 'm>> {
    let mut waves: HashMap<&Arn, usize> = HashMap::new();
    let mut groups: BTreeMap<Sameness<'t>, Vec<&'t ReadyWrite<'m>>> = BTreeMap::new();
    for ready in writes {
        let call = WriteCall::of(ready.writing.method);
        let (key, new) = (&ready.write.key, ready.write.new_value.as_ref());
        let change = match call {
            WriteCall::Stack => Change::Stack(&ready.live.arn),
            _ => {
                let removed = ready.write.old_value.as_ref().filter(|_| call == WriteCall::Ec2 && new.is_none());
                Change::Tag { key, new, removed }
            }
        };
        let wave = if call == WriteCall::Stack { STACK_WAVE } else { next_wave(&mut waves, &ready.live.arn) };
        groups.entry(Sameness { wave, call, region: &ready.live.region, change }).or_default().push(ready);
    }
    let batches = groups.into_iter().flat_map(|(Sameness { wave, call, .. }, writes)| {
        let chunks: Vec<_> = writes.chunks(call.batch_size()).map(<[_]>::to_vec).collect();
        chunks.into_iter().map(move |writes| WriteBatch { call, wave, writes, attempt: 1 })
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

    use super::super::test_world::{queue, resource, writes};
    use super::*;
    use crate::resource_map::ResourceMap;

    static MAP: LazyLock<&ResourceMap> = LazyLock::new(ResourceMap::built_in_once);

    fn with_keys(mut writes: Vec<ReadyWrite<'static>>, keys: &[&str]) -> Vec<ReadyWrite<'static>> {
        for (ready, key) in writes.iter_mut().zip(keys) {
            ready.write.key = (*key).into();
        }
        writes
    }

    #[test]
    fn the_tags_of_one_resource_are_in_waves_and_those_of_many_in_one_call() {
        let live = vec![queue(0), queue(0), queue(1), queue(1), queue(2)];
        let writes = with_keys(writes(&MAP, live, None, Some("alice")), &["Owner", "By", "Owner", "By", "Owner"]);
        let found: Vec<_> = batches(&writes).iter().map(|batch| (batch.wave, batch.positions())).collect();
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
        let writes = with_keys(writes(&MAP, live, None, Some("alice")), &["Owner", "By", "Owner"]);
        let found: Vec<_> = batches(&writes).iter().map(|batch| (batch.wave, batch.positions())).collect();
        assert_eq!(found, [(STACK_WAVE, vec![0, 1]), (STACK_WAVE, vec![2])]);
    }
}
