//! Random histories of device lists (SPEC §6.4): in order every list is taken, in any other order it is refused exactly
//! as R5 to R8 say; and lists that somebody signs who has every key, held against the rules written down a second time.

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::SeededRng;
use common::lists::{self, Fields, Keys};
use subrosa::identity::{AccountSecret, Change, DeviceList, Error, IdentityKeys, RecoverySecret};
use subrosa::{Address, DeviceIdentity};

/// What an account does, and what others are to see of it.
struct Account {
    rng: SeededRng,
    account: AccountSecret,
    recovery: RecoverySecret,
    lists: Vec<DeviceList>,
    /// Between each list and the next.
    changes: Vec<Change>,
}

impl Account {
    fn new(seed: u64) -> Self {
        let mut rng = SeededRng(seed);
        let account = AccountSecret::generate(&mut rng).unwrap();
        let recovery = RecoverySecret::generate(&mut rng).unwrap();
        let first = DeviceList::first(&account, &recovery, &device(&mut rng)).unwrap();
        Self {
            rng,
            account,
            recovery,
            lists: vec![first],
            changes: Vec::new(),
        }
    }

    fn last(&self) -> &DeviceList {
        &self.lists[self.lists.len() - 1]
    }

    /// One random list more.
    fn step(&mut self) {
        let list = self.last();
        let (next_id, ids) = (list.next_id(), ids(list));
        let mut change = Change {
            added: vec![],
            removed: vec![],
            keys_changed: false,
        };
        let next = match self.rng.below(8) {
            0..4 => {
                let new = device(&mut self.rng);
                let next = self.last().with_device(&new, &self.account);
                if ids.len() == 32 {
                    assert_eq!(next, Err(Error::TooManyDevices));
                    return;
                }
                change.added.push(next_id);
                next
            }
            4..7 => {
                let choice = self.rng.below(u64::from(next_id) + 1) as u32;
                let next = self.last().without_device(choice, &self.account);
                if !ids.contains(&choice) {
                    assert_eq!(next, Err(Error::UnknownDevice));
                    return;
                }
                change.removed.push(choice);
                next
            }
            _ => {
                let account = AccountSecret::generate(&mut self.rng).unwrap();
                let recovery = RecoverySecret::generate(&mut self.rng).unwrap();
                let modulus = 2 + self.rng.below(3) as u32;
                let added = self.rng.percent(50).then(|| device(&mut self.rng));
                let keep = |id: u32| !id.is_multiple_of(modulus);
                let next = self.last().with_keys(
                    &self.recovery,
                    &account,
                    &recovery,
                    keep,
                    added.as_ref(),
                );
                if self.last().entries() == 16 {
                    assert_eq!(next, Err(Error::TooManyKeys));
                    return;
                }
                (self.account, self.recovery) = (account, recovery);
                change.keys_changed = true;
                change.removed.extend(ids.iter().filter(|id| !keep(**id)));
                change.added.extend(added.map(|_| next_id));
                next
            }
        };
        self.lists.push(next.unwrap());
        self.changes.push(change);
    }
}

fn device(rng: &mut SeededRng) -> IdentityKeys {
    let identity = DeviceIdentity::generate(Address::new(b"x").unwrap(), rng).unwrap();
    *identity.public().keys()
}

fn ids(list: &DeviceList) -> Vec<u32> {
    list.devices().iter().map(|device| device.id()).collect()
}

#[test]
fn a_history_is_taken_in_order_and_refused_in_any_other() {
    let (mut told, mut forks) = (BTreeMap::new(), 0);
    for seed in 0..20 {
        let mut account = Account::new(1000 * seed);
        for _ in 0..30 {
            account.step();
        }
        let lists: Vec<DeviceList> = account
            .lists
            .iter()
            .map(|list| DeviceList::parse(list.as_bytes()).unwrap())
            .collect();
        assert_eq!(lists, account.lists);
        for (i, known) in lists.iter().enumerate() {
            assert_eq!(known.version(), i as u64 + 1);
            for (j, next) in lists.iter().enumerate() {
                let expected = match j as i64 - i as i64 {
                    0 => Ok(None),
                    1 => Ok(Some(account.changes[i].clone())),
                    2.. => Err(Error::MissingLists),
                    _ => Err(Error::OldList),
                };
                let found = known.succession(next);
                assert_eq!(found, expected, "{seed}: {j} after {i}");
                *told.entry(format!("{:?}", found.err())).or_insert(0) += 1;
            }
        }
        // No id was ever given to two devices.
        let mut owners = BTreeMap::new();
        for device in lists.iter().flat_map(DeviceList::devices) {
            let owner = owners.entry(device.id()).or_insert(*device.keys());
            assert_eq!(owner, device.keys());
        }
        // A history that parts from this one, and one of somebody else's.
        let fork = account.rng.below(lists.len() as u64 - 1) as usize;
        let stranger = Account::new(1000 * seed + 500);
        for (i, known) in lists.iter().enumerate() {
            let other = stranger.last();
            assert_eq!(known.succession(other), Err(Error::OtherAccount));
            assert_eq!(other.succession(known), Err(Error::OtherAccount));
            if let Some(parted) = parted(&lists[fork], &account) {
                let expected = match i as i64 - fork as i64 {
                    0 => None,
                    1 => Some(Error::Equivocation),
                    2.. => Some(Error::OldList),
                    _ => Some(Error::MissingLists),
                };
                assert_eq!(known.succession(&parted).err(), expected);
                forks += 1;
            }
        }
    }
    assert!(forks > 50, "{forks}");
    assert!(
        told.len() == 3 && told.values().all(|count| *count > 500),
        "{told:?}"
    );
}

/// Another list behind `list`, if the account key is still that of then.
fn parted(list: &DeviceList, account: &Account) -> Option<DeviceList> {
    let other = device(&mut SeededRng(list.version() + 77));
    list.with_device(&other, &account.account).ok()
}

#[test]
fn whatever_is_signed_is_judged_by_the_rules() {
    let keys = Keys::new(40);
    let mut rng = SeededRng(7);
    let (mut parsed, mut judged) = (BTreeMap::new(), BTreeMap::new());
    for _ in 0..30 {
        let mut known = Fields::first(&keys);
        for _ in 0..150 {
            let mut next = known.heir();
            for _ in 0..rng.below(3) + 1 {
                next.change(&keys, &known, &mut |bound| rng.below(bound));
            }
            // Sometimes one signature is that of before, or of nobody.
            let from = if rng.percent(90) {
                1
            } else {
                next.entries.len()
            };
            next.sign(&keys, from);
            if rng.percent(5) {
                next.signature = known.signature;
            }
            let bytes = next.bytes();
            let expected = lists::check(&bytes);
            let list = DeviceList::parse(&bytes);
            assert_eq!(
                list.as_ref().map(drop),
                expected.as_ref().map(drop),
                "{next:?}"
            );
            *parsed
                .entry(format!("{:?}", list.as_ref().err()))
                .or_insert(0) += 1;
            let Ok(list) = list else {
                continue;
            };
            assert_eq!(list.as_bytes(), bytes);
            let before = DeviceList::parse(&known.bytes()).unwrap();
            let found = before.succession(&list);
            assert_eq!(
                found,
                lists::succession(&known, &next),
                "{known:?} {next:?}"
            );
            let back = list.succession(&before);
            assert_eq!(back, lists::succession(&next, &known));
            *judged
                .entry(format!("{:?}", found.as_ref().err()))
                .or_insert(0) += 1;
            if let Ok(Some(change)) = found {
                let ids: BTreeSet<u32> = ids(&list).into_iter().collect();
                assert!(change.added.iter().all(|id| ids.contains(id)));
                known = next;
            }
        }
    }
    println!("{parsed:?}\n{judged:?}");
    // All that the rules can say was said.
    assert_eq!(parsed.len(), 3, "{parsed:?}");
    assert_eq!(judged.len(), 7, "{judged:?}");
    assert!(
        parsed
            .values()
            .chain(judged.values())
            .all(|count| *count > 20)
    );
}
