//! Groups of devices: members of several accounts, a delivery service that takes one commit an epoch, restarts, crashes of the
//! store, backups.

mod common;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use common::server::{Server, catch_up, link, register};
use common::{NOW, SeededRng};
use subrosa::device::store::{Key, Unreadable};
use subrosa::device::{
    Commit, Content, Error, GroupChange, GroupContent, GroupEvent, GroupId, GroupOutgoing,
    GroupSent, MemoryStore, Received, Store,
};
use subrosa::mls::{self, Message};
use subrosa::{Address, AppKey, Device};

const KEY: [u8; 32] = [7; 32];

type Phone = Device<MemoryStore>;

/// The server of all that is not of groups, key packages, and the messages of each group in the order that all see.
#[derive(Default)]
struct Service {
    server: Server,
    key_packages: BTreeMap<Address, Vec<Vec<u8>>>,
    last_resort: BTreeMap<Address, Vec<u8>>,
    /// To whom each goes: all members know the log from where they joined.
    queues: BTreeMap<Address, Vec<Vec<u8>>>,
    members: BTreeMap<GroupId, Vec<Address>>,
    epochs: BTreeMap<GroupId, u64>,
}

impl Service {
    fn phone(&mut self, rng: &mut SeededRng) -> Phone {
        let mut phone = register(&mut self.server, MemoryStore::new(), KEY, NOW, rng).0;
        self.publish(&mut phone, rng);
        phone
    }

    fn publish(&mut self, phone: &mut Phone, rng: &mut SeededRng) {
        let published = phone.publish_key_packages(3, NOW, rng).unwrap();
        let held = self.key_packages.entry(*phone.address()).or_default();
        held.extend(published.one_time);
        if let Some(last_resort) = published.last_resort {
            self.last_resort.insert(*phone.address(), last_resort);
        }
    }

    fn key_package(&mut self, address: &Address) -> Vec<u8> {
        let one_time = self.key_packages.get_mut(address).and_then(Vec::pop);
        one_time.unwrap_or_else(|| self.last_resort[address].clone())
    }

    /// Takes a message, unless it is a commit of an epoch that is over; tells whether it did.
    fn take(&mut self, sent: &GroupSent) -> bool {
        let (epoch, members) = (
            self.epochs.entry(sent.group).or_default(),
            self.members.entry(sent.group).or_default(),
        );
        if let GroupContent::Commit { welcome, added } = &sent.content {
            let of = match Message::decode(&sent.message).unwrap() {
                Message::Public(message) => message.content.epoch,
                Message::Private(message) => message.epoch,
                other => panic!("{other:?}"),
            };
            if of != *epoch {
                return false;
            }
            *epoch += 1;
            for address in &*members {
                let queue = self.queues.entry(*address).or_default();
                queue.push(sent.message.clone());
            }
            for address in added {
                let queue = self.queues.entry(*address).or_default();
                queue.push(welcome.clone().unwrap());
                members.push(*address);
            }
        } else {
            for address in &*members {
                let queue = self.queues.entry(*address).or_default();
                queue.push(sent.message.clone());
            }
        }
        true
    }

    /// Reads what waits, lists fetched where they are asked for.
    fn receive(&mut self, phone: &mut Phone, rng: &mut SeededRng) -> Vec<GroupEvent> {
        let mut waiting = self.queues.remove(phone.address()).unwrap_or_default();
        let mut events = Vec::new();
        for _ in 0..3 {
            let messages: Vec<_> = waiting.iter().map(Vec::as_slice).collect();
            let mut again = Vec::new();
            for event in phone.receive_groups(&messages, NOW, rng).unwrap() {
                if let GroupEvent::ListsNeeded { message, accounts } = event {
                    again.push(waiting[message].clone());
                    for account in accounts {
                        catch_up(&self.server, phone, &account, NOW, rng).unwrap();
                    }
                } else {
                    events.push(event);
                }
            }
            waiting = again;
        }
        assert!(waiting.is_empty(), "lists that nobody has");
        events
    }

    fn found(&mut self, phone: &mut Phone, rng: &mut SeededRng) -> GroupId {
        let group = phone.create_group(NOW, rng).unwrap();
        self.members.insert(group, vec![*phone.address()]);
        group
    }

    /// Makes a change, has it taken, and takes it in.
    fn change(
        &mut self,
        phone: &mut Phone,
        group: GroupId,
        add: &[&Phone],
        remove: &[Address],
        rng: &mut SeededRng,
    ) -> Vec<GroupEvent> {
        let mut packages = Vec::new();
        for other in add {
            catch_up(&self.server, phone, &other.account().unwrap(), NOW, rng).unwrap();
            packages.push(self.key_package(other.address()));
        }
        let add: Vec<_> = packages.iter().map(Vec::as_slice).collect();
        let change = GroupChange {
            id: b"change",
            group,
            add: &add,
            remove,
        };
        let sent = phone.change_group(&change, NOW, rng).unwrap();
        assert!(self.take(&sent));
        if let Some(members) = self.members.get_mut(&group) {
            members.retain(|address| !remove.contains(address));
        }
        self.receive(phone, rng)
    }
}

fn send(
    service: &mut Service,
    phone: &mut Phone,
    group: GroupId,
    text: &[u8],
    rng: &mut SeededRng,
) -> Result<(), Error> {
    let message = GroupOutgoing {
        id: text,
        group,
        text,
    };
    let sent = phone.send_to_group(&message, rng)?;
    assert_eq!(phone.send_to_group(&message, rng).as_ref(), Ok(&sent));
    assert!(service.take(&sent));
    phone.group_sent(&[text], rng).unwrap();
    Ok(())
}

fn texts(events: &[GroupEvent]) -> Vec<(Address, Vec<u8>)> {
    let read = |event: &GroupEvent| match event {
        GroupEvent::Message(Received { from, text, .. }) => Some((*from, text.clone())),
        _ => None,
    };
    events.iter().filter_map(read).collect()
}

fn reopened(phone: Phone) -> Phone {
    Device::open(phone.into_store(), AppKey::new(KEY), None).unwrap()
}

#[test]
fn devices_of_accounts_talk_in_a_group() {
    let (service, rng) = (&mut Service::default(), &mut SeededRng(1));
    let mut alice = service.phone(rng);
    let mut laptop = link(
        &mut service.server,
        &mut alice,
        MemoryStore::new(),
        KEY,
        NOW,
        rng,
    );
    service.publish(&mut laptop, rng);
    let mut bob = service.phone(rng);
    let mut carol = service.phone(rng);
    let group = service.found(&mut alice, rng);
    let events = service.change(&mut alice, group, &[&laptop, &bob], &[], rng);
    let everybody = vec![*alice.address(), *laptop.address(), *bob.address()];
    assert_eq!(
        events,
        [GroupEvent::Changed {
            group,
            epoch: 1,
            by: *alice.address(),
            added: everybody[1..].to_vec(),
            removed: vec![],
        }]
    );
    for phone in [&mut laptop, &mut bob] {
        assert_eq!(service.receive(phone, rng), [GroupEvent::Joined { group }]);
        assert_eq!(phone.group_members(&group, rng), Ok(everybody.clone()));
        assert_eq!(phone.groups(rng), Ok(vec![group]));
        assert_eq!(
            phone.group_epoch(&group, rng),
            alice.group_epoch(&group, rng)
        );
    }
    // Bob adds carol, whose account nobody else knows before.
    send(service, &mut bob, group, b"hello", rng).unwrap();
    service.change(&mut bob, group, &[&carol], &[], rng);
    send(service, &mut bob, group, b"here is carol", rng).unwrap();
    for phone in [&mut alice, &mut laptop] {
        let events = service.receive(phone, rng);
        let said = [&b"hello"[..], b"here is carol"].map(|text| (*bob.address(), text.to_vec()));
        assert_eq!(texts(&events), said);
        assert_eq!(events.len(), 3, "{events:?}");
        let inbox = phone.inbox(0, 10, rng).unwrap();
        assert_eq!(inbox.len(), 2);
        assert!(
            inbox
                .iter()
                .all(|read| read.content == Content::Group { group })
        );
    }
    // Carol joined by a Welcome that came in one call with a message.
    let events = service.receive(&mut carol, rng);
    assert_eq!(events.len(), 2, "{events:?}");
    assert_eq!(
        texts(&events),
        [(*bob.address(), b"here is carol".to_vec())]
    );
    // Everybody restarts, and goes on.
    let mut phones = [alice, laptop, bob, carol].map(reopened);
    for sender in 0..4 {
        send(service, &mut phones[sender], group, &[sender as u8], rng).unwrap();
        for (place, phone) in phones.iter_mut().enumerate() {
            let events = service.receive(phone, rng);
            if place == sender {
                let own = mls::Error::OwnMessage.into();
                assert!(
                    matches!(&events[..], [GroupEvent::Rejected { error, .. }] if *error == own)
                );
            } else {
                assert_eq!(texts(&events).len(), 1, "{events:?}");
            }
        }
    }
    // The laptop is removed, and reads nothing more.
    let [mut alice, mut laptop, mut bob, mut carol] = phones;
    let gone = *laptop.address();
    let commit = service.change(&mut carol, group, &[], &[gone], rng);
    assert!(matches!(&commit[..], [GroupEvent::Changed { removed, .. }] if *removed == [gone]));
    for phone in [&mut alice, &mut bob] {
        let events = service.receive(phone, rng);
        assert!(matches!(&events[..], [GroupEvent::Changed { removed, .. }] if *removed == [gone]));
    }
    assert_eq!(
        service.receive(&mut laptop, rng),
        [GroupEvent::Left { group }]
    );
    let over = send(service, &mut laptop, group, b"still here", rng);
    assert_eq!(over, Err(Error::Group(mls::Error::Over)));
    laptop.forget_group(&group, rng).unwrap();
    assert_eq!(laptop.groups(rng), Ok(vec![]));
    assert_eq!(laptop.group_members(&group, rng), Err(Error::NotFound));
}

/// Two make a change in the same epoch: one is taken, the other one is gone, and can be made again.
#[test]
fn of_two_changes_one_is_taken() {
    let (service, rng) = (&mut Service::default(), &mut SeededRng(2));
    let mut alice = service.phone(rng);
    let mut bob = service.phone(rng);
    let group = service.found(&mut alice, rng);
    service.change(&mut alice, group, &[&bob], &[], rng);
    service.receive(&mut bob, rng);
    let change = |id| GroupChange {
        id,
        group,
        add: &[],
        remove: &[],
    };
    let first = alice.change_group(&change(b"a"), NOW, rng).unwrap();
    let second = bob.change_group(&change(b"b"), NOW, rng).unwrap();
    assert_eq!(
        alice.change_group(&change(b"a"), NOW, rng).as_ref(),
        Ok(&first)
    );
    let waits = alice.change_group(&change(b"other"), NOW, rng);
    assert_eq!(waits, Err(Error::Group(mls::Error::CommitWaits)));
    let (mut alice, mut bob) = (reopened(alice), reopened(bob));
    assert_eq!(alice.retry_group(b"a", rng).unwrap().as_ref(), Some(&first));
    assert_eq!(
        alice.group_outbox(0, 10, rng).unwrap().0,
        std::slice::from_ref(&first)
    );
    assert!(service.take(&first));
    assert!(!service.take(&second));
    for phone in [&mut alice, &mut bob] {
        let events = service.receive(phone, rng);
        assert!(matches!(events[..], [GroupEvent::Changed { epoch: 2, .. }]));
        assert_eq!(phone.group_outbox(0, 10, rng).unwrap().0, []);
    }
    assert_eq!(bob.retry_group(b"b", rng), Ok(None));
    service.change(&mut bob, group, &[], &[], rng);
    service.receive(&mut alice, rng);
    assert_eq!(alice.group_epoch(&group, rng), bob.group_epoch(&group, rng));
    // One that is withdrawn was never made.
    bob.change_group(&change(b"c"), NOW, rng).unwrap();
    bob.withdraw_change(&group, rng).unwrap();
    assert_eq!(bob.retry_group(b"c", rng), Ok(None));
    let none = bob.withdraw_change(&group, rng);
    assert_eq!(none, Err(Error::Group(mls::Error::NoCommitWaits)));
    send(service, &mut bob, group, b"text", rng).unwrap();
    assert_eq!(texts(&service.receive(&mut alice, rng)).len(), 1);
}

/// A device leaves: it proposes, another one commits.
#[test]
fn a_device_leaves() {
    let (service, rng) = (&mut Service::default(), &mut SeededRng(3));
    let mut alice = service.phone(rng);
    let mut bob = service.phone(rng);
    let group = service.found(&mut alice, rng);
    service.change(&mut alice, group, &[&bob], &[], rng);
    service.receive(&mut bob, rng);
    let sent = bob.leave_group(b"bye", &group, rng).unwrap();
    assert_eq!(sent.content, GroupContent::Proposal);
    assert!(service.take(&sent));
    bob.group_sent(&[b"bye"], rng).unwrap();
    let by = *bob.address();
    assert_eq!(
        service.receive(&mut alice, rng),
        [GroupEvent::Proposed { group, by }]
    );
    let mut alice = reopened(alice);
    let waits = send(service, &mut alice, group, b"text", rng);
    assert_eq!(waits, Err(Error::Group(mls::Error::ProposalsWait)));
    service.change(&mut alice, group, &[], &[], rng);
    assert_eq!(alice.group_members(&group, rng), Ok(vec![*alice.address()]));
    let events = service.receive(&mut bob, rng);
    assert_eq!(events.last(), Some(&GroupEvent::Left { group }));
    service.members.insert(group, vec![*alice.address()]);
    // And can be added again, once it has forgotten the group.
    service.publish(&mut bob, rng);
    bob.forget_group(&group, rng).unwrap();
    service.change(&mut alice, group, &[&bob], &[], rng);
    assert_eq!(
        service.receive(&mut bob, rng),
        [GroupEvent::Joined { group }]
    );
}

/// Several groups, entered and forgotten in every order: the list is what is there.
#[test]
fn the_list_of_groups() {
    let (service, rng) = (&mut Service::default(), &mut SeededRng(4));
    let mut alice = service.phone(rng);
    let mut plain: Vec<GroupId> = Vec::new();
    for step in 0..60 {
        if plain.is_empty() || rng.percent(60) {
            plain.insert(0, alice.create_group(NOW, rng).unwrap());
        } else {
            let place = rng.below(plain.len() as u64) as usize;
            let gone = plain.remove(place);
            alice.forget_group(&gone, rng).unwrap();
            assert_eq!(alice.forget_group(&gone, rng), Err(Error::NotFound));
        }
        if step % 7 == 0 {
            alice = reopened(alice);
        }
        assert_eq!(alice.groups(rng), Ok(plain.clone()));
    }
    assert!(plain.len() > 3);
}

/// A device that is in another's place: its credential is held against its account's list.
#[test]
fn attack_g7_devices_that_are_not_the_account_s() {
    let (service, rng) = (&mut Service::default(), &mut SeededRng(5));
    let mut alice = service.phone(rng);
    let mut bob = service.phone(rng);
    let mallory = service.phone(rng);
    let group = service.found(&mut alice, rng);
    let package = service.key_package(bob.address());
    let change = GroupChange {
        id: b"add",
        group,
        add: &[&package],
        remove: &[],
    };
    // Of an account that is not known.
    let unknown = alice.change_group(&change, NOW, rng);
    assert_eq!(unknown, Err(Error::UnknownAccount));
    catch_up(
        &service.server,
        &mut alice,
        &bob.account().unwrap(),
        NOW,
        rng,
    )
    .unwrap();
    catch_up(
        &service.server,
        &mut alice,
        &mallory.account().unwrap(),
        NOW,
        rng,
    )
    .unwrap();
    // Mallory's key in bob's name: the list has another one.
    let Message::KeyPackage(mut forged) = Message::decode(&package).unwrap() else {
        panic!("not a key package");
    };
    let other = service.key_package(mallory.address());
    let Message::KeyPackage(other) = Message::decode(&other).unwrap() else {
        panic!("not a key package");
    };
    forged.leaf_node.signature_key = other.leaf_node.signature_key;
    let forged = Message::KeyPackage(forged).encode().unwrap();
    let change_forged = GroupChange {
        add: &[&forged],
        ..change
    };
    assert_eq!(
        alice.change_group(&change_forged, NOW, rng),
        Err(Error::Session(subrosa::Error::IdentityChanged))
    );
    // A name that no device has.
    let nobody = GroupChange {
        add: &[],
        remove: &[*mallory.address()],
        ..change
    };
    assert_eq!(alice.change_group(&nobody, NOW, rng), Err(Error::NotFound));
    // Nothing of it has changed anything.
    assert_eq!(alice.group_outbox(0, 10, rng).unwrap().0, []);
    assert_eq!(alice.group_epoch(&group, rng).unwrap().0, 0);
    service.change(&mut alice, group, &[&bob], &[], rng);
    assert_eq!(
        service.receive(&mut bob, rng),
        [GroupEvent::Joined { group }]
    );
}

/// A Welcome is taken once; a key package of last resort more often.
#[test]
fn attack_g5_welcomes_that_come_again() {
    let (service, rng) = (&mut Service::default(), &mut SeededRng(6));
    let mut alice = service.phone(rng);
    let mut bob = service.phone(rng);
    let mut welcomes = Vec::new();
    for round in 0..6 {
        let group = service.found(&mut alice, rng);
        service.change(&mut alice, group, &[&bob], &[], rng);
        welcomes.push((group, service.queues[bob.address()][0].clone()));
        assert_eq!(
            service.receive(&mut bob, rng),
            [GroupEvent::Joined { group }],
            "{round}"
        );
    }
    assert_eq!(service.key_packages[bob.address()], Vec::<Vec<u8>>::new());
    let mut bob = reopened(bob);
    for (number, (group, welcome)) in welcomes.iter().enumerate() {
        let [
            GroupEvent::Rejected {
                group: known,
                error,
                ..
            },
        ] = &bob.receive_groups(&[welcome], NOW, rng).unwrap()[..]
        else {
            panic!("not refused");
        };
        // Three were used once; the others are of a group that is there.
        if number < 3 {
            assert_eq!(*error, Error::Group(mls::Error::NotForThisKeyPackage));
        } else {
            assert_eq!((*known, *error), (Some(*group), Error::Occupied));
        }
    }
    assert_eq!(bob.groups(rng).unwrap().len(), 6);
}

/// A store that was set back: nothing is sent in the epoch that it was in, before the device has made a change.
#[test]
fn attack_g18_a_backup_sends_nothing_in_an_old_epoch() {
    let (service, rng) = (&mut Service::default(), &mut SeededRng(7));
    let mut alice = service.phone(rng);
    let mut bob = service.phone(rng);
    let group = service.found(&mut alice, rng);
    service.change(&mut alice, group, &[&bob], &[], rng);
    service.receive(&mut bob, rng);
    let backup = bob.into_store();
    let mut bob = Device::open(backup.clone(), AppKey::new(KEY), None).unwrap();
    send(service, &mut bob, group, b"lost with the phone", rng).unwrap();
    let mut bob = Device::restore(backup, AppKey::new(KEY), NOW, rng).unwrap();
    let set_back = send(service, &mut bob, group, b"text", rng);
    assert_eq!(set_back, Err(Error::GroupSetBack));
    assert_eq!(
        bob.leave_group(b"bye", &group, rng),
        Err(Error::GroupSetBack)
    );
    // What others send is read. A commit of theirs does not make it one's own epoch.
    send(service, &mut alice, group, b"to bob", rng).unwrap();
    service.change(&mut alice, group, &[], &[], rng);
    let events = service.receive(&mut bob, rng);
    assert_eq!(texts(&events).len(), 1, "{events:?}");
    let set_back = send(service, &mut bob, group, b"text", rng);
    assert_eq!(set_back, Err(Error::GroupSetBack));
    let bob_s = service.change(&mut bob, group, &[], &[], rng);
    assert!(
        matches!(bob_s.last(), Some(GroupEvent::Changed { .. })),
        "{bob_s:?}"
    );
    send(service, &mut bob, group, b"text", rng).unwrap();
    let read = texts(&service.receive(&mut alice, rng));
    assert_eq!(read, [(*bob.address(), b"text".to_vec())]);
}

/// One store in the hands of two.
#[derive(Clone)]
struct Shared(Rc<RefCell<MemoryStore>>);

impl Store for Shared {
    fn get(&mut self, key: &Key) -> Result<Option<Vec<u8>>, Unreadable> {
        self.0.borrow_mut().get(key)
    }

    fn commit(&mut self, base: u64, puts: &[(Key, Vec<u8>)], deletes: &[Key]) -> Commit {
        self.0.borrow_mut().commit(base, puts, deletes)
    }
}

/// Another process changes the store: what was in memory is read again, and no key is used twice.
#[test]
fn attack_s6_two_processes_in_one_group() {
    let (service, rng) = (&mut Service::default(), &mut SeededRng(8));
    let mut alice = service.phone(rng);
    let mut bob = service.phone(rng);
    let group = service.found(&mut alice, rng);
    service.change(&mut alice, group, &[&bob], &[], rng);
    service.receive(&mut bob, rng);
    let shared = Shared(Rc::new(RefCell::new(bob.into_store())));
    let open = || Device::open(shared.clone(), AppKey::new(KEY), None).unwrap();
    let mut processes = [open(), open()];
    let mut stale = 0;
    for round in 0..10u8 {
        let text = [round];
        let message = GroupOutgoing {
            id: &text,
            group,
            text: &text,
        };
        let process = &mut processes[usize::from(round % 2)];
        let sent = match process.send_to_group(&message, rng) {
            Err(Error::Stale) => {
                stale += 1;
                process.send_to_group(&message, rng)
            }
            sent => sent,
        };
        assert!(service.take(&sent.unwrap()));
    }
    assert_eq!(stale, 9, "all but the first");
    let read = texts(&service.receive(&mut alice, rng));
    assert_eq!(read.len(), 10);
}

/// A store of which one commit fails, as it is told.
struct Faulty {
    store: MemoryStore,
    /// How many commits come before it.
    left: Rc<RefCell<Option<usize>>>,
    fault: Fault,
}

#[derive(Clone, Copy, Debug)]
enum Fault {
    Failed,
    /// Nobody learns what became of it: it is stored, or not.
    Unknown {
        stored: bool,
    },
}

impl Store for Faulty {
    fn get(&mut self, key: &Key) -> Result<Option<Vec<u8>>, Unreadable> {
        self.store.get(key)
    }

    fn commit(&mut self, base: u64, puts: &[(Key, Vec<u8>)], deletes: &[Key]) -> Commit {
        let mut left = self.left.borrow_mut();
        match &mut *left {
            Some(0) => *left = None,
            Some(left) => {
                *left -= 1;
                return self.store.commit(base, puts, deletes);
            }
            None => return self.store.commit(base, puts, deletes),
        }
        match self.fault {
            Fault::Failed => Commit::Failed,
            Fault::Unknown { stored } => {
                if stored {
                    assert_eq!(self.store.commit(base, puts, deletes), Commit::Committed);
                }
                Commit::Unknown
            }
        }
    }
}

/// Makes a call until it succeeds, as an app does.
fn insist<T>(
    device: &mut Device<Faulty>,
    mut call: impl FnMut(&mut Device<Faulty>) -> Result<T, Error>,
) -> T {
    for _ in 0..3 {
        match call(device) {
            Ok(value) => return value,
            Err(Error::Failed) => {}
            Err(Error::Unknown) => device.reopen().unwrap(),
            Err(error) => panic!("{error}"),
        }
    }
    panic!("it does not succeed")
}

/// One commit after another fails, in each way: nothing is lost, nothing comes twice, and the group goes on.
#[test]
fn attack_s2_every_commit_of_a_group_fails() {
    let faults = [
        Fault::Failed,
        Fault::Unknown { stored: true },
        Fault::Unknown { stored: false },
    ];
    let mut reached = 0;
    for (fault, fails_at) in faults
        .into_iter()
        .flat_map(|fault| (0..40).map(move |fails_at| (fault, fails_at)))
    {
        let (service, rng) = (&mut Service::default(), &mut SeededRng(9));
        let mut alice = service.phone(rng);
        let left = Rc::new(RefCell::new(None));
        let store = Faulty {
            store: MemoryStore::new(),
            left: Rc::clone(&left),
            fault,
        };
        let mut bob = Device::create(store, AppKey::new(KEY), NOW, rng).unwrap().0;
        let account = bob.account().unwrap();
        let list = bob.list(&account, rng).unwrap().unwrap();
        service.server.publish_list(&list);
        left.replace(Some(fails_at));

        let packages = insist(&mut bob, |bob| bob.publish_key_packages(2, NOW, rng));
        let own = *bob.address();
        service.key_packages.insert(own, packages.one_time);
        let group = service.found(&mut alice, rng);
        catch_up(&service.server, &mut alice, &account, NOW, rng).unwrap();
        let package = service.key_package(&own);
        let change = GroupChange {
            id: b"add",
            group,
            add: &[&package],
            remove: &[],
        };
        let sent = alice.change_group(&change, NOW, rng).unwrap();
        assert!(service.take(&sent));
        service.receive(&mut alice, rng);
        let hers = alice.account().unwrap();
        insist(&mut bob, |bob| {
            let lists = service.server.lists_above(&hers, None);
            bob.update_list(&hers, &lists, NOW, rng)
        });
        let mut said = Vec::new();
        for round in 0..3u8 {
            let text = [round];
            send(service, &mut alice, group, &text, rng).unwrap();
            said.push(text.to_vec());
            let waiting = service.queues.remove(&own).unwrap_or_default();
            for message in &waiting {
                insist(&mut bob, |bob| bob.receive_groups(&[message], NOW, rng));
            }
            let answer = [round, 1];
            let outgoing = GroupOutgoing {
                id: &answer,
                group,
                text: &answer,
            };
            let sent = insist(&mut bob, |bob| bob.send_to_group(&outgoing, rng));
            assert!(service.take(&sent));
            insist(&mut bob, |bob| bob.group_sent(&[&answer], rng));
            let change = GroupChange {
                id: b"keys",
                group,
                add: &[],
                remove: &[],
            };
            let sent = insist(&mut bob, |bob| bob.change_group(&change, NOW, rng));
            assert!(service.take(&sent));
            let waiting = service.queues.remove(&own).unwrap_or_default();
            for message in &waiting {
                insist(&mut bob, |bob| bob.receive_groups(&[message], NOW, rng));
            }
            let read = texts(&service.receive(&mut alice, rng));
            assert_eq!(read, [(own, answer.to_vec())], "{fault:?} at {fails_at}");
            assert_eq!(
                alice.group_epoch(&group, rng),
                bob.group_epoch(&group, rng),
                "{fault:?} at {fails_at}"
            );
        }
        let inbox = bob.inbox(0, 10, rng).unwrap();
        let read: Vec<_> = inbox.into_iter().map(|received| received.text).collect();
        assert_eq!(read, said, "{fault:?} at {fails_at}");
        assert_eq!(bob.group_outbox(0, 10, rng).unwrap().0, []);
        let waits = left.borrow().is_some();
        if !waits {
            reached += 1;
        }
        let group_again = insist(&mut bob, |bob| bob.groups(rng));
        assert_eq!(group_again, [group]);
        insist(&mut bob, |bob| match bob.forget_group(&group, rng) {
            // It was stored, and nobody had heard of it.
            Err(Error::NotFound) => Ok(()),
            forgotten => forgotten,
        });
        assert!(bob.groups(rng).unwrap().is_empty());
    }
    // Every commit of the course was one that failed.
    assert!((3 * 18..3 * 40).contains(&reached), "{reached}");
}

/// What is left of a group that was forgotten: nothing.
#[test]
fn a_forgotten_group_leaves_nothing() {
    let (service, rng) = (&mut Service::default(), &mut SeededRng(10));
    let mut alice = service.phone(rng);
    let mut bob = service.phone(rng);
    catch_up(
        &service.server,
        &mut alice,
        &bob.account().unwrap(),
        NOW,
        rng,
    )
    .unwrap();
    // The list of groups stays once there was one.
    let first = alice.create_group(NOW, rng).unwrap();
    alice.forget_group(&first, rng).unwrap();
    let keys = |phone: Phone| {
        let store = phone.into_store();
        let keys: Vec<Key> = store.iter().map(|(key, _)| *key).collect();
        let phone = Device::open(store, AppKey::new(KEY), None).unwrap();
        (keys, phone)
    };
    let (before, mut alice) = keys(alice);
    let group = service.found(&mut alice, rng);
    service.change(&mut alice, group, &[&bob], &[], rng);
    service.receive(&mut bob, rng);
    for round in 0..12u8 {
        send(service, &mut bob, group, &[round], rng).unwrap();
        send(service, &mut alice, group, &[round, 0], rng).unwrap();
        service.receive(&mut alice, rng);
        service.receive(&mut bob, rng);
        if round % 3 == 0 {
            service.change(&mut bob, group, &[], &[], rng);
            service.receive(&mut alice, rng);
        }
    }
    let (with, mut alice) = keys(alice);
    assert!(with.len() > before.len() + 10);
    let ids: Vec<u64> = alice
        .inbox(0, 100, rng)
        .unwrap()
        .iter()
        .map(|read| read.id)
        .collect();
    alice.read(&ids, rng).unwrap();
    let waiting = GroupChange {
        id: b"waits",
        group,
        add: &[],
        remove: &[],
    };
    alice.change_group(&waiting, NOW, rng).unwrap();
    alice.forget_group(&group, rng).unwrap();
    let (after, _) = keys(alice);
    assert_eq!(after, before);
}
