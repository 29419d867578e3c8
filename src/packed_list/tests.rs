use super::*;

fn text(number: usize) -> String {
    format!("arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/{number}\n\"ü\u{2028}")
}

fn long() -> PackedList<String> {
    (0..10_000).map(text).collect()
}

#[test]
fn documents_come_back_in_order_and_take_little_memory() {
    let list = long();
    assert_eq!(list.len(), 10_000);
    assert!(list.iter().eq((0..10_000).map(text)));
    assert_eq!(list.iter().size_hint(), (10_000, Some(10_000)));
    assert!(list.clone().into_iter().eq(list.iter()));
    for length in [0, 1, 10_000] {
        let list: PackedList<usize> = (0..length).collect();
        let (mut all, mut owned) = (list.iter(), list.clone().into_iter());
        assert_eq!((all.by_ref().count(), owned.by_ref().count()), (length, length));
        assert_eq!((all.next(), owned.next()), (None, None), "after the end");
    }
    assert_eq!(list.clone().into_chunks(4096).map(|chunk| chunk.len()).collect::<Vec<_>>(), [4096, 4096, 1808]);
    let bytes: usize = list.blocks.iter().map(|block| block.compressed.len()).sum();
    assert!(bytes < 10_000 * text(0).len() / 5, "{bytes}");
    assert!(PackedList::<String>::new().is_empty() && PackedList::<String>::new().iter().next().is_none());
}

#[test]
fn lists_are_joined() {
    for (first, second) in [(0, 3), (3, 0), (3, 5_000), (5_000, 3), (5_000, 5_000)] {
        let mut list: PackedList<usize> = (0..first).collect();
        list.append((first..first + second).collect());
        assert!(list.iter().eq(0..first + second), "{first} {second}");
        assert_eq!(list.len(), first + second);
    }
}

#[test]
fn a_long_list_is_sorted_and_equal_keys_keep_their_order() {
    let numbers = || (0..20_000_u64).map(|number| (number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 52, number));
    let mut list: PackedList<(u64, u64)> = numbers().collect();
    list.sort_by_key(|(key, _)| *key);
    let mut expected: Vec<(u64, u64)> = numbers().collect();
    expected.sort();
    assert!(list.iter().eq(expected));
    assert_eq!(list.len(), 20_000);
}

#[test]
fn it_is_a_list_in_json() {
    let list: PackedList<u8> = [1, 2, 3].into_iter().collect();
    assert_eq!(serde_json::to_string(&list).unwrap(), "[1,2,3]");
    assert_eq!(serde_json::from_str::<PackedList<u8>>("[1, 2, 3]").unwrap(), list);
    assert!(serde_json::from_str::<PackedList<u8>>("[1, true]").is_err());
    assert_eq!(format!("{list:?}"), "[1, 2, 3]");
}
