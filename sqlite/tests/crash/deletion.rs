//! What was replaced or deleted is not in the files any more, as soon as the log is empty.

use std::collections::{BTreeMap, BTreeSet};

use subrosa::device::store::{Commit, Key, Store};

use super::folder::Folder;
use super::judge::{NORMAL, open};
use super::random::{Random, rounds};

/// Eight bytes that a value is made of, over and over: so that any sixteen bytes of it tell which value it was.
type Tag = [u8; 8];

/// Which tags are anywhere in `bytes`.
fn found(bytes: &[u8], tags: &BTreeSet<Tag>) -> BTreeSet<Tag> {
    // Few windows get beyond the first look-up.
    let mut firsts = vec![false; 1 << 16];
    for tag in tags {
        firsts[usize::from(u16::from_le_bytes([tag[0], tag[1]]))] = true;
    }
    let windows = bytes
        .windows(8)
        .filter(|window| firsts[usize::from(u16::from_le_bytes([window[0], window[1]]))]);
    let hits = windows.filter_map(|window| tags.get(window).copied());
    hits.collect()
}

/// Values that grow, shrink, come and go: SQLite moves rows of such lengths between its pages, and leaves copies there.
#[test]
fn attack_r18_deleted_value_is_nowhere_in_the_files() {
    const KEYS: usize = 600;
    const LENGTHS: [&[usize]; 3] = [
        &[20, 100, 900],
        &[10, 20, 40, 80, 200, 400, 1_000, 1_500, 2_500],
        &[10, 1_900, 2_100, 5_000, 20_000],
    ];
    let mut random = Random::new("deletion");
    for round in 0..rounds(3) {
        let lengths = LENGTHS[round % 3];
        let folder = Folder::new();
        let mut store = open(&folder, NORMAL);
        let mut live: BTreeMap<Key, Tag> = BTreeMap::new();
        let mut dead = BTreeSet::new();
        for generation in 0..600 {
            let mut puts = BTreeMap::new();
            let mut deletes = BTreeSet::new();
            // It fills, and it empties.
            let deleted = if generation / 60 % 2 == 0 { 1 } else { 6 };
            for _ in 0..20 {
                let mut key = [0; 16];
                key[..8].copy_from_slice(
                    &Random::from_seed(random.next() % KEYS as u64)
                        .next()
                        .to_le_bytes(),
                );
                if random.below(8) < deleted {
                    deletes.insert(key);
                } else {
                    let tag: Tag = random.next().to_le_bytes();
                    let length = 16 + lengths[random.below(lengths.len())] + random.below(20);
                    let value: Vec<u8> = tag.iter().copied().cycle().take(length).collect();
                    puts.insert(key, (tag, value));
                }
            }
            deletes.retain(|key| !puts.contains_key(key));
            dead.extend(deletes.iter().filter_map(|key| live.remove(key)));
            dead.extend(
                puts.iter()
                    .filter_map(|(key, (tag, _))| live.insert(*key, *tag)),
            );
            let puts: Vec<_> = puts
                .into_iter()
                .map(|(key, (_, value))| (key, value))
                .collect();
            let deletes: Vec<_> = deletes.into_iter().collect();
            assert_eq!(store.commit(generation, &puts, &deletes), Commit::Committed);
        }
        let alive: BTreeSet<_> = live.values().copied().collect();
        // What was replaced last is still in the log: it is found where it is.
        assert!(!found(&folder.read().log, &dead).is_empty());
        store.checkpoint().expect("nobody else is there");
        let files = folder.read();
        assert!(files.log.is_empty());
        assert_eq!(found(&files.file, &alive), alive, "what is stored is found");
        assert_eq!(
            found(&files.file, &dead),
            BTreeSet::new(),
            "of {} values",
            dead.len()
        );
        assert!(dead.len() > 5_000);
    }
}

/// The log stays short by itself.
#[test]
fn log_is_emptied_when_it_is_long() {
    let folder = Folder::new();
    let mut store = open(&folder, NORMAL);
    let mut longest = 0;
    let mut emptied = 0;
    let mut before = 0;
    for generation in 0..60_u8 {
        let puts = [([1; 16], vec![generation; 400_000])];
        assert_eq!(
            store.commit(u64::from(generation), &puts, &[]),
            Commit::Committed
        );
        let log = folder.read().log.len();
        longest = longest.max(log);
        emptied += usize::from(log < before);
        before = log;
    }
    assert!(longest < 5 << 20, "{longest}");
    assert!(emptied >= 4, "{emptied}");
}
