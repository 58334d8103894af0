//! Target `mls_state`: a stored member (SPEC §22.6) of which records are changed, cut, replaced or missing. It is refused, or it is
//! the one member that has these records.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use subrosa::mls::{CipherSuite, Error, Member, NoPsks, Processed, Signer, WireFormat};

use super::common::SeededRng;
use super::group_fixture::{NOW, group_of};
use super::script::Script;

type Records = BTreeMap<Vec<u8>, Vec<u8>>;

/// A member with everything that there can be, and a message that it has not read.
struct Stored {
    records: Records,
    message: Vec<u8>,
}

fn stored(suite: CipherSuite) -> &'static Stored {
    static STORED: [OnceLock<Stored>; 3] = [const { OnceLock::new() }; 3];
    STORED[usize::from(suite.0 - 1)].get_or_init(|| Stored::new(suite))
}

fn records(member: &mut Member) -> Records {
    member.store_anew();
    let changes = member.changes().unwrap();
    assert!(changes.deletes.is_empty());
    let puts = changes.puts.into_iter();
    puts.map(|(name, content)| (name.as_bytes().to_vec(), content.to_vec()))
        .collect()
}

fn load(records: &Records) -> Result<Member, Error> {
    Member::load(|name| Ok(records.get(name.as_bytes()).cloned().map(Into::into)))
}

impl Stored {
    fn new(suite: CipherSuite) -> Self {
        let rng = &mut SeededRng(u64::from(suite.0) + 20);
        let mut group = group_of(suite, 5, rng);
        for round in 0..2u8 {
            let sender = usize::from(round) + 2;
            for number in 0..3u8 {
                let message = group[sender].seal(&[round, number], b"", rng).unwrap();
                if number == 2 {
                    group[0].open(&message).unwrap();
                }
            }
            let commit = group[4].commit().build(&NoPsks, NOW, rng).unwrap().commit;
            group[4].merge_pending().unwrap();
            for member in &mut group[..4] {
                let Processed::Commit(staged) = member.process(&commit, &NoPsks, NOW).unwrap()
                else {
                    panic!("not a commit");
                };
                member.merge(staged.approve(|_| true).unwrap()).unwrap();
            }
        }
        let message = group[1].seal(b"not read", b"", rng).unwrap();
        let member = &mut group[0];
        let signer = Signer::generate(suite, rng).unwrap();
        member
            .propose_update(None, Some(signer), WireFormat::PublicMessage, rng)
            .unwrap();
        let signer = Signer::generate(suite, rng).unwrap();
        let commit = member.commit().with_received(false).signer(signer);
        commit.build(&NoPsks, NOW, rng).unwrap();
        Self {
            records: records(member),
            message,
        }
    }
}

pub fn mls_state(data: &[u8]) {
    let mut script = Script::new(data);
    let stored = stored(CipherSuite::ALL[script.below(3)]);
    let mut changed = stored.records.clone();
    for _ in 0..script.below(5) {
        let place = script.below(changed.len().max(1));
        let Some(name) = changed.keys().nth(place).cloned() else {
            break;
        };
        match script.u8() % 5 {
            0 => {
                changed.remove(&name);
            }
            1 => {
                let content = changed.entry(name).or_default();
                content.truncate(script.u16());
            }
            2 => {
                let content = changed.entry(name).or_default();
                content.push(script.u8());
            }
            3 => {
                let genuine: Vec<&[u8]> = stored.records.values().map(Vec::as_slice).collect();
                let content = script.message(&genuine);
                changed.insert(name, content);
            }
            _ => {
                let content = changed.entry(name).or_default();
                let place = script.u16();
                let length = content.len().max(1);
                if let Some(byte) = content.get_mut(place % length) {
                    *byte ^= script.u8();
                }
            }
        }
    }
    let mut member = match load(&changed) {
        Ok(member) => member,
        Err(error) => {
            assert!(matches!(error, Error::Integrity | Error::UnknownVersion));
            assert_ne!(changed, stored.records);
            return;
        }
    };
    // Whatever was read is written again as it was.
    for (name, content) in records(&mut member) {
        assert_eq!(changed.get(&name), Some(&content), "{name:?}");
    }
    // And is a member, if perhaps of no group that there is.
    let opened = member.open(&stored.message);
    assert!(changed != stored.records || opened.is_ok());
    let _ = member.merge_pending();
    let _ = member.ratchet_tree();
}

/// Nothing changed, and each record changed in each way.
pub fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = vec![vec![0, 0], vec![1, 0], vec![2, 0]];
    let count = stored(CipherSuite::ALL[0]).records.len();
    for place in 0..count {
        let place = u8::try_from(place).unwrap_or(u8::MAX);
        for kind in [0u8, 1, 2, 4] {
            seeds.push(vec![0, 1, place, kind, 0, 9, 1]);
        }
    }
    seeds
}
