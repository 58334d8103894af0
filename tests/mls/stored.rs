//! Members that are stored after every call, and read back.

use std::collections::BTreeMap;

use subrosa::mls::RecordName;

use crate::*;

/// What a store has of one member.
#[derive(Clone, Default, PartialEq)]
pub struct Records(BTreeMap<RecordName, Zeroizing<Vec<u8>>>);

impl Records {
    /// Stores what has changed; gives how many bytes were written, names included.
    fn store(&mut self, member: &mut Member) -> usize {
        let changes = member.changes().unwrap();
        let mut bytes = 0;
        for (name, content) in changes.puts {
            bytes += name.as_bytes().len() + content.len();
            self.0.insert(name, content);
        }
        for name in changes.deletes {
            self.0.remove(&name);
        }
        member.were_stored().unwrap();
        let changes = member.changes().unwrap();
        assert!(changes.puts.is_empty() && changes.deletes.is_empty());
        bytes
    }

    fn load(&self) -> Result<Member, Error> {
        Member::load(|name| Ok(self.0.get(name).cloned()))
    }

    /// The member after a restart. What was stored bit by bit is what it would be if it were stored at once.
    fn restart(&mut self, member: &mut Member) {
        self.store(member);
        let mut again = self.load().unwrap();
        assert_eq!(again.context(), member.context());
        let mut at_once = Self::default();
        again.store_anew();
        at_once.store(&mut again);
        let names = |records: &Self| records.0.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(self), names(&at_once));
        assert!(*self == at_once, "the same names, and other contents");
        let listed = member.records();
        assert!(self.0.keys().all(|name| listed.contains(name)));
        *member = again;
    }
}

/// The stores of a group's members, by their names.
#[derive(Default)]
pub struct Stores(BTreeMap<Vec<u8>, Records>);

impl Stores {
    /// All members restart.
    pub fn restart(&mut self, group: &mut [Member]) {
        for member in group {
            let leaf = member.leaf_node(member.leaf()).unwrap();
            let Credential::Basic(name) = leaf.credential.clone() else {
                panic!("another credential");
            };
            self.0.entry(name).or_default().restart(member);
        }
    }
}

/// What a message and a commit change, at any size of the group: the first is small, the second grows as the height.
#[test]
fn what_changes_is_small() {
    let rng = &mut Rng(70);
    let mut commits = Vec::new();
    for size in [8, 64, 512, 4_096] {
        let suite = CipherSuite::X25519_AES128;
        let mut one = create(suite, Extensions::new(), rng);
        let mut commit = one.commit();
        let mut others = Vec::new();
        for number in 1..size {
            let newcomer = Newcomer::new(suite, &format!("member {number}"), rng);
            commit = commit.add_client(newcomer.key_package.clone());
            if number == 1 || number == size - 1 {
                others.push(newcomer);
            }
        }
        let welcome = commit.build(&NoPsks, NOW, rng).unwrap().welcome.unwrap();
        one.merge_pending().unwrap();
        let mut group = vec![one];
        for newcomer in others {
            group.push(newcomer.join(&welcome, &JoinOptions::default()).unwrap());
        }
        let mut store = Records::default();
        let mut sender_store = Records::default();
        store.store(&mut group[1]);
        sender_store.store(&mut group[2]);
        // From the other half of the tree: the longest way to a sender's first key.
        for number in 0..40 {
            let message = group[2].seal(&[7; 64], b"", rng).unwrap();
            let sent = sender_store.store(&mut group[2]);
            group[1].open(&message).unwrap();
            let read = store.store(&mut group[1]);
            let most = if number == 0 { 1_000 } else { 120 };
            assert!(sent < most && read < most, "{size}: {sent}, {read}");
        }
        // Every path is taken once, so that the tree is as it is in the long run.
        let mut bytes = Vec::new();
        for committer in [2, 0, 1, 2, 0, 1] {
            let commit = group[committer].commit().build(&NoPsks, NOW, rng).unwrap();
            if committer == 1 {
                let built = store.store(&mut group[1]);
                everybody_but_new(&mut group, committer, &commit.commit);
                bytes.push(built + store.store(&mut group[1]));
            } else {
                everybody_but_new(&mut group, committer, &commit.commit);
                bytes.push(store.store(&mut group[1]));
            }
            sender_store.store(&mut group[2]);
        }
        println!("{size}: {bytes:?}");
        commits.push(*bytes.iter().max().unwrap());
        store.restart(&mut group[1]);
        sender_store.restart(&mut group[2]);
        talk(&mut group, rng);
    }
    // Eight times as many members are three levels more: one record of the tree.
    for pair in commits.windows(2) {
        assert!(pair[1] < pair[0] + 4_000, "{commits:?}");
    }
}

/// Messages that are skipped, used, and given up, with a restart after each.
#[test]
fn skipped_keys_are_stored() {
    let rng = &mut Rng(71);
    let mut group = group_of(CipherSuite::X25519_CHACHA20, 3, rng);
    let mut store = Records::default();
    let messages: Vec<_> = (0..2_100)
        .map(|number: u32| group[0].seal(&number.to_be_bytes(), b"", rng).unwrap())
        .collect();
    let reader = &mut group[2];
    for number in [1_999usize, 3, 1_000, 0, 2_050, 2_099, 1_998, 2_098, 700] {
        reader.open(&messages[number]).unwrap();
        let bytes = store.store(reader);
        assert!(number == 1_999 || bytes < 4_000, "{number}: {bytes}");
        store.restart(reader);
        assert_eq!(reader.open(&messages[number]), Err(Error::GenerationUsed));
    }
    // Of the last 2,000 that were skipped: 1,999, then 50 and 48 more.
    for (number, message) in messages.iter().enumerate() {
        let read = reader.open(message);
        let held =
            number > 96 && ![1_999, 1_000, 2_050, 2_099, 1_998, 2_098, 700].contains(&number);
        assert_eq!(read.is_ok(), held, "{number}");
        if number % 97 == 0 {
            store.restart(reader);
        }
    }
    store.restart(reader);
    assert!(store.0.len() < 20, "nothing is left of the keys");
}

/// A commit that waits, and proposals, survive a restart: merged or cleared, and committed.
#[test]
fn what_waits_is_stored() {
    for suite in CipherSuite::ALL {
        let rng = &mut Rng(72);
        let mut group = group_of(suite, 4, rng);
        let mut stores = Stores::default();
        stores.restart(&mut group);
        for merged in [true, false] {
            let signer = Signer::generate(suite, rng).unwrap();
            let commit = group[1].commit().signer(signer).build(&NoPsks, NOW, rng);
            let commit = commit.unwrap().commit;
            stores.restart(&mut group);
            assert!(group[1].has_pending_commit());
            if merged {
                everybody(&mut group, 1, &commit);
            } else {
                let other = group[2].commit().build(&NoPsks, NOW, rng).unwrap();
                stores.restart(&mut group);
                merge(&mut group[1], &other.commit).unwrap();
                assert!(!group[1].has_pending_commit());
                merge(&mut group[0], &other.commit).unwrap();
                group[2].merge_pending().unwrap();
                merge(&mut group[3], &other.commit).unwrap();
            }
            stores.restart(&mut group);
            agree(&mut group);
            talk(&mut group, rng);
        }
        // An update with a new key of signing waits at its sender, too.
        let signer = Signer::generate(suite, rng).unwrap();
        let update = group[3]
            .propose_update(None, Some(signer), WireFormat::PrivateMessage, rng)
            .unwrap();
        for member in &mut group[..3] {
            keep(member, &update).unwrap();
        }
        stores.restart(&mut group);
        let commit = group[0].commit().build(&NoPsks, NOW, rng).unwrap().commit;
        stores.restart(&mut group);
        everybody(&mut group, 0, &commit);
        stores.restart(&mut group);
        talk(&mut group, rng);
        // What was removed stays removed.
        let gone = group[3].leaf();
        let commit = group[0].commit().remove_member(gone);
        let commit = commit.build(&NoPsks, NOW, rng).unwrap().commit;
        everybody_but_new(&mut group, 0, &commit);
        stores.restart(&mut group);
        assert!(group[3].is_removed());
        assert_eq!(group[3].seal(b"", b"", rng), Err(Error::Over));
    }
}

/// Late messages are read after a restart, as long as their epoch is held, and leave nothing behind.
#[test]
fn past_epochs_are_stored() {
    let rng = &mut Rng(73);
    let mut group = group_of(CipherSuite::X25519_AES128, 3, rng);
    let mut stores = Stores::default();
    group[1].keep_past_epochs(2);
    let mut late = Vec::new();
    let mut sizes = Vec::new();
    for _ in 0..8 {
        late.push([
            group[0].seal(b"one", b"", rng).unwrap(),
            group[0].seal(b"other", b"", rng).unwrap(),
        ]);
        let commit = group[0].commit().build(&NoPsks, NOW, rng).unwrap().commit;
        everybody(&mut group, 0, &commit);
        stores.restart(&mut group);
        sizes.push(stores.0[&b"member 1"[..]].0.len());
    }
    for (number, messages) in late.iter().enumerate() {
        for message in messages {
            let read = group[1].open(message).map(|_| ());
            let held = number >= 6;
            assert_eq!(read, if held { Ok(()) } else { Err(Error::EpochGone) });
            stores.restart(&mut group);
            if held {
                assert_eq!(group[1].open(message), Err(Error::GenerationUsed));
            }
        }
    }
    assert_eq!(
        sizes[4..].iter().min(),
        sizes[4..].iter().max(),
        "{sizes:?}"
    );
}

/// Every record that is cut, changed in a byte or missing is refused, or the member is the same in all but that.
#[test]
fn attack_s1_changed_records() {
    let rng = &mut Rng(74);
    let mut group = group_of(CipherSuite::X25519_AES128, 5, rng);
    let commit = group[1].commit().build(&NoPsks, NOW, rng).unwrap().commit;
    everybody(&mut group, 1, &commit);
    let update = group[3]
        .propose_update(None, None, WireFormat::PublicMessage, rng)
        .unwrap();
    keep(&mut group[0], &update).unwrap();
    let late = group[4].seal(b"skipped", b"", rng);
    assert_eq!(late.map(|_| ()), Ok(()));
    let message = group[4].seal(b"read", b"", rng).unwrap();
    group[0].open(&message).unwrap();
    group[0].commit().build(&NoPsks, NOW, rng).unwrap();
    let mut store = Records::default();
    store.store(&mut group[0]);
    let names: Vec<_> = store.0.keys().cloned().collect();
    let kinds: std::collections::BTreeSet<_> =
        names.iter().map(|name| name.as_bytes()[0]).collect();
    assert_eq!(
        kinds,
        BTreeMap::from([0, 1, 2, 3, 5, 6, 7, 8, 9, 10].map(|kind| (kind, ())))
            .into_keys()
            .collect()
    );
    for name in names {
        let content = store.0[&name].clone();
        let mut without = store.clone();
        without.0.remove(&name);
        let kind = name.as_bytes()[0];
        assert!(without.load().is_err(), "without {name:?}");
        for length in (0..content.len()).step_by(3) {
            without
                .0
                .insert(name.clone(), Zeroizing::new(content[..length].to_vec()));
            assert!(without.load().is_err(), "{name:?} cut at {length}");
        }
        let mut longer = content.clone();
        longer.push(0);
        without.0.insert(name.clone(), longer);
        assert!(without.load().is_err(), "{name:?} and a byte");
        for place in (0..content.len()).step_by(7) {
            let mut changed = content.clone();
            changed[place] ^= 1;
            without.0.insert(name.clone(), changed);
            let read = without.load();
            // What the group agrees on is held against its hash.
            assert!(read.is_err() || kind != 10, "{name:?} at {place}");
        }
    }
    let mut head = store.clone();
    let name = head.0.keys().next().unwrap().clone();
    head.0.get_mut(&name).unwrap()[1] = 2;
    assert_eq!(head.load().map(|_| ()), Err(Error::UnknownVersion));
}
