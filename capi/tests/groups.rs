//! Groups of devices do what the header says: members come and go, changes compete, messages wait for lists and for changes.

mod common;

use std::ptr::{null, null_mut};
use std::slice::from_ref;

use common::disk::Disk;
use common::groups::*;
use common::insider::{key_package, member};
use common::*;
use subrosa::mls::{Psk, WireFormat};
use subrosa::os_rng;
use subrosa_capi::device::*;
use subrosa_capi::result::*;
use subrosa_capi::status::*;
use subrosa_capi::value::*;

const NOBODY: subrosa_address = subrosa_address {
    account: [0; 32],
    device: 0,
};

#[test]
fn devices_talk_in_a_group() {
    let (alice, bob, carol) = (create(memory()).0, create(memory()).0, create(memory()).0);
    assert_eq!(groups(alice), [[0; 32]; 0]);
    let group = found(alice);
    assert_eq!(groups(alice), [group]);
    assert_eq!(members(alice, &group), [address(alice)]);
    assert_eq!(epoch(alice, &group).0, 0);
    let mut packages = Vec::new();
    for other in [bob, carol] {
        introduce(alice, other);
        introduce(other, alice);
        let mut published = key_packages(other, 2, NOW);
        assert_eq!(published.len(), 3);
        assert!(!published[0].is_empty(), "one of last resort, at first");
        packages.push(published.remove(1));
        let mut again = null_mut();
        ok!(unsafe { subrosa_device_publish_key_packages(other, 0, NOW, &mut again) });
        let mut info = new_bundles_info();
        ok!(unsafe { subrosa_bundles_read(again, &mut info) });
        assert_eq!((info.last_resort.len, info.one_time), (0, 0), "none is due");
        assert!(info.last_resort.data.is_null());
        ok!(subrosa_bundles_free(again));
    }
    introduce(bob, carol);
    introduce(carol, bob);
    let add: Vec<_> = packages.iter().map(Vec::as_slice).collect();
    let made = change(alice, &group, &add, &[]);
    assert_eq!((&made.id[..], made.to), (&b"change"[..], [0; 32]));
    let to: Vec<_> = made.copies.iter().map(|(to, _)| *to).collect();
    assert_eq!(to, [NOBODY, address(bob), address(carol)]);
    // The group is what it was until the change comes back.
    assert_eq!(members(alice, &group), [address(alice)]);
    let events = hear(alice, &[&made.copies[0].1]);
    assert_eq!(
        kinds(&events),
        [
            SUBROSA_EVENT_GROUP_CHANGED,
            SUBROSA_EVENT_GROUP_ADDED,
            SUBROSA_EVENT_GROUP_ADDED
        ]
    );
    let of: Vec<_> = events.iter().map(|event| event.address).collect();
    assert_eq!(of, [alice, bob, carol].map(address));
    assert!(events.iter().all(|event| event.group == group));
    assert_eq!((events[0].epoch, events[1].epoch), (1, 0));
    for (phone, (_, welcome)) in [bob, carol].into_iter().zip(&made.copies[1..]) {
        let events = hear(phone, &[welcome]);
        assert_eq!(kinds(&events), [SUBROSA_EVENT_GROUP_JOINED]);
        assert_eq!((events[0].group, events[0].address), (group, NOBODY));
        assert_eq!(members(phone, &group), [alice, bob, carol].map(address));
        assert_eq!(epoch(phone, &group), epoch(alice, &group));
    }

    let message = tell(bob, &group, b"hello");
    for phone in [alice, carol] {
        let events = hear(phone, &[&message]);
        assert_eq!(kinds(&events), [SUBROSA_EVENT_MESSAGE]);
        let event = &events[0];
        assert_eq!((event.content, event.group), (SUBROSA_CONTENT_GROUP, group));
        assert_eq!(
            (event.address, &event.text[..]),
            (address(bob), &b"hello"[..])
        );
        assert_eq!((event.received_at, event.notices), (NOW, 0));
        // It is in the inbox like others, until the app has it.
        assert_eq!(inbox(phone), events);
        ok!(unsafe { subrosa_device_read(phone, &event.id, 1) });
        assert_eq!(inbox(phone), []);
    }
    let waits = outbox_of_groups(bob);
    assert_eq!(waits.len(), 1);
    assert_eq!(
        try_tell(bob, &group, b"hello", b"other"),
        Ok(waits[0].clone())
    );
    // What is for groups is not among what is for accounts.
    assert_eq!(outbox(bob), []);
    ok!(unsafe { subrosa_device_group_sent(bob, &view(b"hello"), 1) });
    assert_eq!(outbox_of_groups(bob), []);

    // A second group, entered last; and one that is forgotten.
    let second = found(carol);
    assert_eq!(groups(carol), [second, group]);
    let mut len = 33;
    let mut room = [0xee; 64];
    fails!(SUBROSA_ERROR_BUFFER, unsafe {
        subrosa_device_group_list(carol, room.as_mut_ptr(), &mut len)
    });
    assert_eq!((len, room), (64, [0xee; 64]));
    ok!(unsafe { subrosa_device_group_list(carol, room.as_mut_ptr(), &mut len) });
    assert_eq!(room[..], [second, group].concat());
    ok!(unsafe { subrosa_device_group_forget(carol, group.as_ptr()) });
    assert_eq!(groups(carol), [second]);
    let mut none = null_mut();
    fails!(SUBROSA_ERROR_NOT_FOUND, unsafe {
        subrosa_device_group_members(carol, group.as_ptr(), &mut none)
    });
    for phone in [alice, bob, carol] {
        ok!(subrosa_device_free(phone));
    }
}

#[test]
fn of_two_changes_one_is_taken() {
    let circle = Circle::new(2);
    let [alice, bob] = circle.phones[..] else {
        panic!("two");
    };
    let group = &circle.group;
    let make = |phone, id: &[u8]| try_change(phone, group, id, (&[], &[]), NOW);
    let first = make(alice, b"a").unwrap();
    let second = make(bob, b"b").unwrap();
    assert_eq!(first.copies.len(), 1, "nobody is added");
    assert_eq!(make(alice, b"a").as_ref(), Ok(&first));
    assert_eq!(make(alice, b"other"), Err(SUBROSA_ERROR_GROUP_CHANGE_WAITS));
    // A change leaves the outbox by itself, and not before.
    ok!(unsafe { subrosa_device_group_sent(alice, &view(b"a"), 1) });
    let mut retried = null_mut();
    ok!(unsafe { subrosa_device_group_retry(alice, b"a".as_ptr(), 1, &mut retried) });
    assert_eq!(sealed(retried), from_ref(&first));
    let (mut part, mut next) = (null_mut(), 0);
    ok!(unsafe { subrosa_device_group_outbox(alice, 0, 1, &mut next, &mut part) });
    assert_eq!(sealed(part), from_ref(&first));
    ok!(unsafe { subrosa_device_group_outbox(alice, next, 1, null_mut(), &mut part) });
    assert_eq!(sealed(part), []);
    for place in [0, 1] {
        let events = circle.take(place, &first);
        assert_eq!((events.len(), events[0].epoch), (1, 2));
        assert_eq!(events[0].address, address(alice));
        assert_eq!(outbox_of_groups(circle.phones[place]), []);
    }
    assert_eq!(
        not_heard(alice, &second.copies[0].1),
        SUBROSA_ERROR_GROUP_EPOCH
    );
    fails!(SUBROSA_ERROR_NOT_FOUND, unsafe {
        subrosa_device_group_retry(bob, b"b".as_ptr(), 1, &mut part)
    });
    // One that is withdrawn was never made.
    make(bob, b"c").unwrap();
    ok!(unsafe { subrosa_device_group_withdraw(bob, group.as_ptr()) });
    fails!(SUBROSA_ERROR_GROUP_NO_CHANGE_WAITS, unsafe {
        subrosa_device_group_withdraw(bob, group.as_ptr())
    });
    assert_eq!(outbox_of_groups(bob), []);
    circle.change(1, &[0]);
    assert_eq!(epoch(alice, group), epoch(bob, group));
    circle.free();
}

#[test]
fn a_device_leaves_and_another_is_removed() {
    let circle = Circle::new(3);
    let [alice, bob, carol] = circle.phones[..] else {
        panic!("three");
    };
    let group = &circle.group;
    let leaves = try_leave(bob, group, b"bye").unwrap();
    assert_eq!((leaves.kind, leaves.group), (SUBROSA_SENT_PROPOSAL, *group));
    assert_eq!(leaves.copies.len(), 1);
    let proposal = &leaves.copies[0].1;
    for phone in [alice, carol] {
        let events = hear(phone, &[proposal]);
        assert_eq!(kinds(&events), [SUBROSA_EVENT_GROUP_PROPOSED]);
        assert_eq!((events[0].address, events[0].group), (address(bob), *group));
        assert_eq!(
            try_tell(phone, group, b"1", b"1"),
            Err(SUBROSA_ERROR_GROUP_PROPOSALS_WAIT)
        );
    }
    let made = change(alice, group, &[], &[]);
    for place in [0, 2] {
        let events = circle.take(place, &made);
        assert_eq!(
            kinds(&events),
            [SUBROSA_EVENT_GROUP_CHANGED, SUBROSA_EVENT_GROUP_REMOVED]
        );
        assert_eq!(events[1].address, address(bob));
    }
    let events = hear(bob, &[&made.copies[0].1]);
    assert_eq!(kinds(&events), [SUBROSA_EVENT_GROUP_LEFT]);
    assert_eq!(events[0].group, *group);
    assert_eq!(
        try_tell(bob, group, b"1", b"1"),
        Err(SUBROSA_ERROR_GROUP_OVER)
    );
    // Removed by name, and added anew in the same change as somebody else is removed.
    ok!(unsafe { subrosa_device_group_forget(bob, group.as_ptr()) });
    let package = key_packages(bob, 1, NOW).remove(1);
    let made = change(alice, group, &[&package], &[address(carol)]);
    let events = circle.take(0, &made);
    assert_eq!(
        kinds(&events),
        [
            SUBROSA_EVENT_GROUP_CHANGED,
            SUBROSA_EVENT_GROUP_REMOVED,
            SUBROSA_EVENT_GROUP_ADDED
        ]
    );
    assert_eq!(events[1].address, address(carol));
    assert_eq!(events[2].address, address(bob));
    assert_eq!(
        kinds(&hear(bob, &[&made.copies[1].1])),
        [SUBROSA_EVENT_GROUP_JOINED]
    );
    assert_eq!(members(bob, group), [alice, bob].map(address));
    assert_eq!(
        kinds(&hear(carol, &[&made.copies[0].1])),
        [SUBROSA_EVENT_GROUP_LEFT]
    );
    circle.free();
}

#[test]
fn a_message_waits_for_lists_and_for_changes() {
    let circle = Circle::new(2);
    let [alice, bob] = circle.phones[..] else {
        panic!("two");
    };
    let group = &circle.group;
    let (dave, _) = create(memory());
    introduce(bob, dave);
    let package = key_packages(dave, 1, NOW).remove(1);
    let made = change(bob, group, &[&package], &[]);
    circle.take(1, &made);
    let text = circle.tell(1, b"here is dave");
    // Behind what is missing.
    let events = hear(alice, &[&text]);
    assert_eq!(kinds(&events), [SUBROSA_EVENT_GROUP_EARLY]);
    assert_eq!((events[0].envelope, events[0].group), (0, *group));
    let both = [&made.copies[0].1, &text];
    let events = hear(alice, &both);
    assert_eq!(kinds(&events), [SUBROSA_EVENT_LIST_NEEDED; 2]);
    let needed = subrosa_address {
        account: account(dave),
        device: 0,
    };
    for (place, event) in events.iter().enumerate() {
        assert_eq!((event.envelope, event.address), (place, needed));
    }
    introduce(alice, dave);
    let events = hear(alice, &both);
    assert_eq!(
        kinds(&events),
        [
            SUBROSA_EVENT_GROUP_CHANGED,
            SUBROSA_EVENT_GROUP_ADDED,
            SUBROSA_EVENT_MESSAGE
        ]
    );
    assert_eq!(events[2].text, b"here is dave");
    // Of two accounts that the joining one does not know there are two events.
    let events = hear(dave, &[&made.copies[1].1]);
    assert_eq!(kinds(&events), [SUBROSA_EVENT_LIST_NEEDED; 2]);
    let accounts: Vec<_> = events.iter().map(|event| event.address.account).collect();
    assert_eq!(accounts, [account(alice), account(bob)]);
    assert_eq!([events[0].envelope, events[1].envelope], [0, 0]);
    introduce(dave, alice);
    introduce(dave, bob);
    let events = hear(dave, &[&made.copies[1].1, &text]);
    assert_eq!(
        kinds(&events),
        [SUBROSA_EVENT_GROUP_JOINED, SUBROSA_EVENT_MESSAGE]
    );
    ok!(subrosa_device_free(dave));
    circle.free();
}

/// Members by other programs propose whom to add: the Welcome of a change is for these as well.
#[test]
fn a_change_welcomes_whom_others_have_proposed() {
    let circle = Circle::new(2);
    let [alice, bob] = circle.phones[..] else {
        panic!("two");
    };
    let group = &circle.group;
    let (dave, _) = create(memory());
    introduce(alice, dave);
    introduce(dave, alice);
    introduce(dave, bob);
    let package = key_package(&key_packages(dave, 1, NOW)[1]);
    let mut bobs = member(&circle.disks[1], group);
    let proposal = bobs.propose_add(
        package,
        WireFormat::PrivateMessage,
        NOW / 1_000,
        &mut os_rng(),
    );
    let events = hear(alice, &[proposal.unwrap()]);
    assert_eq!(kinds(&events), [SUBROSA_EVENT_GROUP_PROPOSED]);
    let made = change(alice, group, &[], &[]);
    let to: Vec<_> = made.copies.iter().map(|(to, _)| *to).collect();
    assert_eq!(to, [NOBODY, address(dave)]);
    circle.take(0, &made);
    assert_eq!(
        kinds(&hear(dave, &[&made.copies[1].1])),
        [SUBROSA_EVENT_GROUP_JOINED]
    );
    assert_eq!(epoch(dave, group), epoch(alice, group));
    ok!(subrosa_device_free(dave));
    circle.free();
}

#[test]
fn a_restored_device_changes_the_group_before_it_sends() {
    let circle = Circle::new(2);
    let group = &circle.group;
    let backup = Disk::with(circle.disks[1].contents());
    let lost = circle.tell(1, b"lost");
    assert_eq!(hear(circle.phones[0], &[lost])[0].text, b"lost");
    let mut bob = null_mut();
    ok!(unsafe { subrosa_device_restore(backup.store(), KEY.as_ptr(), null(), NOW, &mut bob) });
    assert_eq!(
        try_tell(bob, group, b"1", b"1"),
        Err(SUBROSA_ERROR_GROUP_SET_BACK)
    );
    assert_eq!(
        try_leave(bob, group, b"1"),
        Err(SUBROSA_ERROR_GROUP_SET_BACK)
    );
    let made = change(bob, group, &[], &[]);
    circle.take(0, &made);
    assert_eq!(
        kinds(&hear(bob, &[&made.copies[0].1])),
        [SUBROSA_EVENT_GROUP_CHANGED]
    );
    let text = tell(bob, group, b"back");
    assert_eq!(hear(circle.phones[0], &[text])[0].text, b"back");
    ok!(subrosa_device_free(bob));
    circle.free();
}

/// A member proposes what nobody can commit: a change takes what else there is, and the group goes on.
#[test]
fn a_proposal_that_nobody_can_take_holds_nobody_up() {
    let circle = Circle::new(3);
    let [alice, bob, carol] = circle.phones[..] else {
        panic!("three");
    };
    let group = &circle.group;
    let mut bobs = member(&circle.disks[1], group);
    let format = WireFormat::PrivateMessage;
    // She is a member already.
    let alices = key_package(&key_packages(alice, 1, NOW)[1]);
    let twice = bobs.propose_add(alices, format, NOW / 1_000, &mut os_rng());
    hear(alice, &[twice.unwrap()]);
    change(alice, group, &[], &[]);
    ok!(unsafe { subrosa_device_group_withdraw(alice, group.as_ptr()) });
    // Nobody has such a key.
    let key = bobs.propose_psk(Psk::External(b"mine".to_vec()), format, &mut os_rng());
    let leaves = try_leave(carol, group, b"bye").unwrap();
    let events = hear(alice, &[&key.unwrap(), &leaves.copies[0].1]);
    assert_eq!(kinds(&events), [SUBROSA_EVENT_GROUP_PROPOSED; 2]);
    let made = change(alice, group, &[], &[]);
    assert_eq!(made.copies.len(), 1, "nobody is added");
    for place in [0, 1] {
        let events = circle.take(place, &made);
        assert_eq!(
            kinds(&events),
            [SUBROSA_EVENT_GROUP_CHANGED, SUBROSA_EVENT_GROUP_REMOVED]
        );
        assert_eq!(events[1].address, address(carol));
    }
    let left = hear(carol, &[&made.copies[0].1]);
    assert_eq!(kinds(&left), [SUBROSA_EVENT_GROUP_LEFT]);
    let text = circle.tell(0, b"and on");
    assert_eq!(hear(bob, &[text])[0].text, b"and on");
    circle.free();
}
