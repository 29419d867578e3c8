use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};
use std::sync::Mutex;

use super::*;

/// Documents of which several megabytes stay when they are compressed.
const TOO_MANY: u64 = 200_000;

/// Different keys of [`spread`].
const KEYS: u64 = 1_000;

/// A file that takes so many bytes.
struct SmallDisk {
    file: Cursor<Vec<u8>>,
    size: usize,
}

impl Write for SmallDisk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = self.size.saturating_sub(self.file.get_ref().len());
        if room == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.file.write(&bytes[..bytes.len().min(room)])
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for SmallDisk {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.file.read(bytes)
    }
}

impl Seek for SmallDisk {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

/// Numbers that look like chance: they do not compress.
fn spread(number: u64) -> (u64, u64) {
    (number.wrapping_mul(0x9e37_79b9_7f4a_7c15) % KEYS, number.wrapping_mul(0xd1b5_4a32_d192_ed03))
}

/// A list on a disk with so much room.
fn on_disk(numbers: impl Iterator<Item = u64>, size: usize) -> PackedList<(u64, u64)> {
    let disk = SmallDisk { file: Cursor::default(), size };
    let mut list = PackedList { overflow: Some(Overflow::of(Box::new(disk))), ..PackedList::new() };
    list.extend(numbers.map(spread));
    list
}

/// How many blocks are in memory, and how many are not.
fn places<T>(list: &PackedList<T>) -> (usize, usize) {
    let in_memory = list.blocks.iter().filter(|block| matches!(block.storage, Storage::Memory(_))).count();
    (in_memory, list.blocks.len() - in_memory)
}

#[test]
fn most_of_a_long_list_is_in_a_file() {
    let list = on_disk(0..TOO_MANY, usize::MAX);
    let (in_memory, in_file) = places(&list);
    assert!(in_memory > 10 && in_file > in_memory, "{in_memory} {in_file}");
    assert!(list.in_memory <= IN_MEMORY && list.clone().overflow.is_some_and(|overflow| !overflow.is_full()));
    assert!(list.iter().eq((0..TOO_MANY).map(spread)));

    let (mut one, mut other) = (list.clone(), list.clone());
    assert!(one == other && one == list);
    one.push(&(1, 1));
    (0..TOO_MANY).for_each(|number| other.push(&(2, number)));
    assert!(one.iter().eq((0..TOO_MANY).map(spread).chain([(1, 1)])), "both write to the same file");
    assert!(other.iter().skip(list.len()).eq((0..TOO_MANY).map(|number| (2, number))));
    assert!(one != other && list.into_iter().eq((0..TOO_MANY).map(spread)));
}

#[test]
fn a_list_in_a_file_is_sorted() {
    let mut list = on_disk(0..TOO_MANY, usize::MAX);
    list.sort_by_key(|(key, _)| *key);
    assert!(places(&list).1 > 10, "so are its parts");
    let mut expected: Vec<(u64, u64)> = (0..TOO_MANY).map(spread).collect();
    expected.sort_by_key(|(key, _)| *key);
    assert!(list.into_iter().eq(expected));
}

#[test]
fn lists_in_files_are_joined() {
    let mut list = on_disk(0..TOO_MANY, usize::MAX);
    list.append(on_disk(TOO_MANY..2 * TOO_MANY, usize::MAX));
    for number in 2 * TOO_MANY..2 * TOO_MANY + 20 {
        // Each of them is short.
        list.append((0..10_000).map(|at| spread(number + at)).collect());
    }
    let expected = (0..2 * TOO_MANY).map(spread);
    let short = (2 * TOO_MANY..2 * TOO_MANY + 20).flat_map(|number| (0..10_000).map(move |at| spread(number + at)));
    assert!(list.iter().eq(expected.chain(short)));
    assert!(list.in_memory <= IN_MEMORY, "{}", list.in_memory);
}

#[test]
fn a_list_stays_in_memory_if_the_disk_is_full() {
    for room in [0, 1, 1_000_000] {
        let list = on_disk(0..TOO_MANY, room);
        let (in_memory, in_file) = places(&list);
        assert!(in_memory > 80 && (in_file > 10) == (room > 1), "{room}: {in_memory} {in_file}");
        assert!(list.into_iter().eq((0..TOO_MANY).map(spread)));
    }
}

#[test]
fn a_list_without_a_file_stays_in_memory() {
    static HAS_DISK: Mutex<bool> = Mutex::new(false);
    let create = || if *HAS_DISK.lock().unwrap() { Ok(Cursor::new(Vec::new())) } else { Err(io::Error::other("no")) };
    overflow_into(create);
    let mut list: PackedList<(u64, u64)> = (0..TOO_MANY).map(spread).collect();
    assert_eq!(places(&list).1, 0);
    *HAS_DISK.lock().unwrap() = true;
    list.extend((TOO_MANY..2 * TOO_MANY).map(spread));
    assert!(places(&list).1 > 100, "now there is one");
    assert!(list.into_iter().eq((0..2 * TOO_MANY).map(spread)));
}

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
    assert!(list.in_memory < 10_000 * text(0).len() / 5, "{}", list.in_memory);
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
