//! Every function of a device does what the header says, where nothing goes wrong.

mod common;

use std::ptr::{null, null_mut};
use std::slice::from_ref;

use common::disk::Disk;
use common::source::Source;
use common::*;
use subrosa_capi::device::*;
use subrosa_capi::emoji::*;
use subrosa_capi::file::*;
use subrosa_capi::list::*;
use subrosa_capi::pack::*;
use subrosa_capi::result::*;
use subrosa_capi::status::*;
use subrosa_capi::store::*;
use subrosa_capi::value::*;
use subrosa_capi::version::*;

fn ids(device: *mut subrosa_device, account: &[u8; 32]) -> (u64, u32, Vec<u32>) {
    let mut list = null_mut();
    ok!(unsafe { subrosa_device_list(device, account.as_ptr(), &mut list) });
    let mut info = new_list_info();
    ok!(unsafe { subrosa_list_read(list, &mut info) });
    assert_eq!(info.account, *account);
    let devices = (0..info.devices)
        .map(|index| {
            let mut address = address(device);
            ok!(unsafe { subrosa_list_device(list, index, &mut address) });
            assert_eq!(address.account, *account);
            address.device
        })
        .collect();
    let mut address = address(device);
    fails!(SUBROSA_ERROR_RANGE, unsafe {
        subrosa_list_device(list, info.devices, &mut address)
    });
    ok!(subrosa_list_free(list));
    (info.version, info.next_id, devices)
}

/// A device that is on no list yet.
fn create_linked(account: &[u8; 32], id: u32) -> *mut subrosa_device {
    let wanted = subrosa_address {
        account: *account,
        device: id,
    };
    let mut device = null_mut();
    ok!(unsafe {
        subrosa_device_create_linked(memory(), KEY.as_ptr(), null(), &wanted, NOW, &mut device)
    });
    assert_eq!(address(device), wanted);
    device
}

/// A second device of the primary's account, on its list.
fn second(primary: *mut subrosa_device) -> *mut subrosa_device {
    let account = account(primary);
    let (_, next, _) = ids(primary, &account);
    let device = create_linked(&account, next);
    let mut request = [0; SUBROSA_LINK_REQUEST];
    let mut len = request.len();
    ok!(unsafe { subrosa_device_link_request(device, request.as_mut_ptr(), &mut len) });
    let mut list = null_mut();
    ok!(unsafe { subrosa_device_link(primary, request.as_ptr(), len, &mut list) });
    assert_eq!(list_bytes(list), known_list(primary, &account));
    assert_eq!(introduce(device, primary), []);
    device
}

#[test]
fn the_version_is_that_of_the_header() {
    assert_eq!(
        subrosa_abi_version(),
        SUBROSA_ABI_MAJOR << 16 | SUBROSA_ABI_MINOR
    );
    let header = include_str!("../include/subrosa.h");
    assert!(header.contains(&format!("#define SUBROSA_ABI_MAJOR {SUBROSA_ABI_MAJOR}\n")));
    assert!(header.contains(&format!("#define SUBROSA_ABI_MINOR {SUBROSA_ABI_MINOR}\n")));
}

#[test]
fn two_devices_talk() {
    let pair = Pair::new(memory(), memory());
    let first = send(pair.alice, &pair.to_bob, b"id", b"hello");
    let events = receive(pair.bob, &[&first], NOW + 1);
    let [event] = &events[..] else {
        panic!("{events:?}");
    };
    assert_eq!(event.kind, SUBROSA_EVENT_MESSAGE);
    assert_eq!(event.content, SUBROSA_CONTENT_MESSAGE);
    assert_eq!(event.address, address(pair.alice));
    assert_eq!(event.received_at, NOW + 1);
    assert_eq!(event.text, b"hello");
    assert_eq!((event.status, event.action, event.notices), (0, 0, 0));
    assert_eq!((event.to, event.version), ([0; 32], 0));
    assert_eq!(event.envelope, SUBROSA_NO_ENVELOPE);
    assert_eq!((event.group, event.epoch), ([0; 32], 0));

    // It is in the inbox until the app has it.
    assert_eq!(inbox(pair.bob), events);
    let mut later = null_mut();
    ok!(unsafe { subrosa_device_inbox(pair.bob, event.id + 1, 10, &mut later) });
    assert_eq!(told(later), []);
    let unknown = event.id + 7;
    ok!(unsafe { subrosa_device_read(pair.bob, [event.id, unknown].as_ptr(), 2) });
    assert_eq!(inbox(pair.bob), []);

    for round in 0..3_u8 {
        let id = [b'r', round];
        assert_eq!(pair.to_alice(&id, &[round; 100]), [round; 100]);
        assert_eq!(pair.to_bob(&id, b""), b"");
    }
    // Several at once, in any order.
    let two = [
        send(pair.alice, &pair.to_bob, b"x", b"x"),
        send(pair.alice, &pair.to_bob, b"y", b"y"),
    ];
    let events = receive(pair.bob, &[&two[1], &two[0], &two[1]], NOW);
    let kinds: Vec<_> = events.iter().map(|event| event.kind).collect();
    assert_eq!(
        kinds,
        [
            SUBROSA_EVENT_MESSAGE,
            SUBROSA_EVENT_MESSAGE,
            SUBROSA_EVENT_REJECTED
        ]
    );
    assert_eq!([&events[0].text[..], &events[1].text], [b"y", b"x"]);
    assert!(events[1].id > events[0].id);
    assert_eq!(events[2].envelope, 2);
    assert_eq!(events[2].status, SUBROSA_ERROR_DUPLICATE);
    assert_eq!(events[2].action, SUBROSA_ACTION_DROP);
    pair.free();
}

#[test]
fn the_outbox_keeps_a_message_until_it_was_sent() {
    let pair = Pair::talking(memory(), memory());
    let ids = [&b"1"[..]].map(view);
    ok!(unsafe { subrosa_device_sent(pair.alice, ids.as_ptr(), 1) });
    assert_eq!(outbox(pair.alice), []);
    let first = try_send(pair.alice, &pair.to_bob, b"first", b"one", NOW).unwrap();
    let second = try_send(pair.alice, &pair.to_bob, b"second", b"two", NOW).unwrap();
    assert_eq!(first.id, b"first");
    assert_eq!(first.to, pair.to_bob);
    assert_eq!((first.kind, first.group), (SUBROSA_SENT_ACCOUNT, [0; 32]));
    assert_eq!(first.copies[0].0, address(pair.bob));
    assert_eq!(outbox(pair.alice), [first.clone(), second.clone()]);
    // Under the same name the same bytes, whatever the text is.
    let again = try_send(pair.alice, &pair.to_bob, b"first", b"other", NOW).unwrap();
    assert_eq!(again, first);
    let mut retried = null_mut();
    ok!(unsafe { subrosa_device_retry(pair.alice, b"second".as_ptr(), 6, &mut retried) });
    assert_eq!(sealed(retried), from_ref(&second));
    // One at a time.
    let (mut part, mut next) = (null_mut(), 0);
    ok!(unsafe { subrosa_device_outbox(pair.alice, 0, 1, &mut next, &mut part) });
    assert_eq!(sealed(part), from_ref(&first));
    ok!(unsafe { subrosa_device_outbox(pair.alice, next, 5, &mut next, &mut part) });
    assert_eq!(sealed(part), from_ref(&second));
    ok!(unsafe { subrosa_device_outbox(pair.alice, next, 5, null_mut(), &mut part) });
    assert_eq!(sealed(part), []);

    let gone = [&b"first"[..], b"never there"].map(view);
    ok!(unsafe { subrosa_device_sent(pair.alice, gone.as_ptr(), gone.len()) });
    assert_eq!(outbox(pair.alice), [second]);
    ok!(unsafe { subrosa_device_sent(pair.alice, null(), 0) });

    let mut events = null_mut();
    let message = first.copies[0].1.as_slice();
    let envelopes = [view(message)];
    ok!(unsafe { subrosa_device_receive(pair.bob, envelopes.as_ptr(), 1, NOW, &mut events) });
    // A view stays where it is while others look.
    let (mut one, mut other) = (new_event(), new_event());
    ok!(unsafe { subrosa_events_get(events, 0, &mut one) });
    ok!(unsafe { subrosa_events_get(events, 0, &mut other) });
    assert_eq!(one.text.data, other.text.data);
    assert_eq!(shown(one.text), b"one");
    fails!(SUBROSA_ERROR_RANGE, unsafe {
        subrosa_events_get(events, 1, &mut other)
    });
    ok!(subrosa_events_free(events));
    pair.free();
}

#[test]
fn a_second_device_gets_copies_until_it_is_unlinked() {
    let pair = Pair::talking(memory(), memory());
    let tablet = second(pair.alice);
    let (version, next, devices) = ids(pair.alice, &pair.to_alice);
    assert_eq!((version, next, devices), (2, 3, vec![1, 2]));

    // Alice's message goes to Bob, and as a copy to her tablet.
    let missing = unreached(pair.alice, &pair.to_bob, NOW);
    assert_eq!(missing, [address(tablet)]);
    assert_eq!(
        try_send(pair.alice, &pair.to_bob, b"m", b"m", NOW),
        Err(SUBROSA_ERROR_UNREACHED)
    );
    let mut part = null_mut();
    ok!(unsafe {
        subrosa_device_send(
            pair.alice,
            pair.to_bob.as_ptr(),
            b"part".as_ptr(),
            4,
            b"part".as_ptr(),
            4,
            SUBROSA_SEND_PARTIAL,
            NOW,
            &mut part,
        )
    });
    assert_eq!(sealed(part)[0].copies.len(), 1);
    let bundles = publish(tablet, 2, NOW);
    assert_eq!(bundles.len(), 3);
    assert_eq!(
        begin(pair.alice, &bundles[1..2], NOW),
        [Ok(address(tablet))]
    );
    let sent = try_send(pair.alice, &pair.to_bob, b"m", b"m", NOW).unwrap();
    let to: Vec<_> = sent.copies.iter().map(|(to, _)| *to).collect();
    assert_eq!(to, [address(pair.bob), address(tablet)]);
    let events = receive(tablet, &[&sent.copies[1].1], NOW);
    assert_eq!(events[0].kind, SUBROSA_EVENT_MESSAGE);
    assert_eq!(events[0].content, SUBROSA_CONTENT_COPY);
    assert_eq!(events[0].to, pair.to_bob);
    assert_eq!(events[0].text, b"m");

    // Bob has not heard of the tablet, until the list says so.
    introduce(tablet, pair.bob);
    let bobs = publish(pair.bob, 1, NOW);
    begin(tablet, &bobs[1..], NOW);
    let sent = try_send(tablet, &pair.to_bob, b"t", b"t", NOW).unwrap();
    let to_bob = &sent.copies[0];
    assert_eq!(to_bob.0, address(pair.bob));
    let events = receive(pair.bob, &[&to_bob.1], NOW);
    assert_eq!(events[0].kind, SUBROSA_EVENT_LIST_NEEDED);
    assert_eq!(events[0].envelope, 0);
    assert_eq!(
        events[0].address,
        subrosa_address {
            account: pair.to_alice,
            device: 0
        }
    );
    // The message of the primary, which knows of the new list, tells of it, too.
    let primarys = receive(pair.bob, &[send_to_bob(&pair, b"n")], NOW);
    let behind: Vec<_> = primarys
        .iter()
        .filter(|event| event.kind == SUBROSA_EVENT_LIST_BEHIND)
        .collect();
    assert_eq!(behind[0].version, 2);
    let events = introduce(pair.bob, pair.alice);
    assert_eq!(events[0].kind, SUBROSA_EVENT_DEVICE_ADDED);
    assert_eq!(events[0].address, address(tablet));
    assert_eq!(read_one(pair.bob, &to_bob.1), b"t");

    let mut list = null_mut();
    ok!(unsafe { subrosa_device_unlink(pair.alice, 2, NOW, &mut list) });
    assert_eq!(list_bytes(list), known_list(pair.alice, &pair.to_alice));
    let (version, next, devices) = ids(pair.alice, &pair.to_alice);
    assert_eq!((version, next, devices), (3, 3, vec![1]));
    let events = introduce(tablet, pair.alice);
    assert_eq!(events[0].kind, SUBROSA_EVENT_UNLINKED);
    let events = introduce(pair.bob, pair.alice);
    assert_eq!(events[0].kind, SUBROSA_EVENT_DEVICE_REMOVED);
    assert_eq!(
        try_send(tablet, &pair.to_bob, b"u", b"u", NOW),
        Err(SUBROSA_ERROR_NOT_LINKED)
    );
    ok!(subrosa_device_free(tablet));
    pair.free();
}

/// Alice's copy for Bob, whoever else gets one.
fn send_to_bob(pair: &Pair, id: &[u8]) -> Vec<u8> {
    let sent = try_send(pair.alice, &pair.to_bob, id, id, NOW).unwrap();
    let bob = address(pair.bob);
    let mut copies = sent.copies.into_iter();
    copies.find(|(to, _)| *to == bob).unwrap().1
}

#[test]
fn a_message_of_an_unknown_device_can_be_refused() {
    let (alice, _) = create(memory());
    let (bob, _) = create(memory());
    introduce(alice, bob);
    let bundles = publish(bob, 1, NOW);
    begin(alice, &bundles[1..], NOW);
    let first = send(alice, &account(bob), b"1", b"who am I");
    let events = receive(bob, &[&first], NOW);
    assert_eq!(events[0].kind, SUBROSA_EVENT_LIST_NEEDED);
    ok!(unsafe { subrosa_device_refuse(bob, first.as_ptr(), first.len(), NOW) });
    introduce(bob, alice);
    assert_eq!(refused(bob, &first, NOW), SUBROSA_ERROR_PREKEY_GONE);
    fails!(SUBROSA_ERROR_PREKEY_GONE, unsafe {
        subrosa_device_refuse(bob, first.as_ptr(), first.len(), NOW)
    });
    ok!(subrosa_device_free(alice));
    ok!(subrosa_device_free(bob));
}

#[test]
fn publishing_is_due_and_then_no_more() {
    let (device, _) = create(memory());
    let due = |now| {
        let mut due = false;
        ok!(unsafe { subrosa_device_publish_due(device, now, &mut due) });
        due
    };
    assert!(due(NOW));
    let mut bundles = null_mut();
    ok!(unsafe { subrosa_device_publish(device, 3, NOW, &mut bundles) });
    let mut info = new_bundles_info();
    ok!(unsafe { subrosa_bundles_read(bundles, &mut info) });
    assert!(info.replaces);
    assert_eq!(info.one_time, 3);
    let mut bundle = view(&[]);
    fails!(SUBROSA_ERROR_RANGE, unsafe {
        subrosa_bundles_one_time(bundles, 3, &mut bundle)
    });
    ok!(subrosa_bundles_free(bundles));
    assert!(!due(NOW));
    assert!(due(NOW + 7 * DAY));
    // No more than may be held.
    assert_eq!(publish(device, 10_000, NOW).len(), 1 + 500 - 3);
    assert_eq!(publish(device, 1, NOW).len(), 1);
    ok!(subrosa_device_free(device));
}

#[test]
fn keys_are_replaced_and_the_user_agrees() {
    let (alice, recovery) = create(memory());
    let (bob, _) = create(memory());
    let tablet = second(alice);
    let account = account(alice);
    introduce(bob, alice);
    let (mut list, mut next) = (null_mut(), [0; SUBROSA_SEED]);
    let remove = [1_u32, 99];
    ok!(unsafe {
        subrosa_device_replace_keys(
            tablet,
            recovery.as_ptr(),
            remove.as_ptr(),
            remove.len(),
            NOW,
            &mut list,
            next.as_mut_ptr(),
        )
    });
    assert_ne!(next, recovery);
    assert_eq!(list_bytes(list), known_list(tablet, &account));
    assert_eq!(ids(tablet, &account), (3, 3, vec![2]));
    let events = introduce(bob, tablet);
    let kinds: Vec<_> = events.iter().map(|event| event.kind).collect();
    assert_eq!(
        kinds,
        [SUBROSA_EVENT_DEVICE_REMOVED, SUBROSA_EVENT_KEY_CHANGED]
    );
    assert_eq!(
        try_send(bob, &account, b"1", b"1", NOW),
        Err(SUBROSA_ERROR_KEY_CHANGED)
    );
    ok!(unsafe { subrosa_device_approve(bob, account.as_ptr()) });
    let bundles = publish(tablet, 1, NOW);
    begin(bob, &bundles[1..], NOW);
    let message = send(bob, &account, b"1", b"1");
    introduce(tablet, bob);
    assert_eq!(read_one(tablet, message), b"1");

    // The new recovery key is the one that counts, and brings a new primary.
    let bytes = known_list(tablet, &account);
    let mut known = null_mut();
    ok!(unsafe { subrosa_list_parse(bytes.as_ptr(), bytes.len(), &mut known) });
    let (mut phone, mut last) = (null_mut(), [0; SUBROSA_SEED]);
    let store = memory();
    fails!(SUBROSA_ERROR_WRONG_KEY, unsafe {
        subrosa_device_recover(
            store,
            KEY.as_ptr(),
            null(),
            known,
            recovery.as_ptr(),
            NOW,
            &mut phone,
            last.as_mut_ptr(),
        )
    });
    assert!(phone.is_null());
    assert_eq!(last, [0; SUBROSA_SEED]);
    ok!(unsafe {
        subrosa_device_recover(
            store,
            KEY.as_ptr(),
            null(),
            known,
            next.as_ptr(),
            NOW,
            &mut phone,
            last.as_mut_ptr(),
        )
    });
    ok!(subrosa_list_free(known));
    assert_eq!(address(phone), subrosa_address { account, device: 3 });
    assert_eq!(ids(phone, &account), (4, 4, vec![3]));
    let last_list = learn(bob, &account, &[known_list(phone, &account)]);
    assert_eq!(last_list.last().unwrap().kind, SUBROSA_EVENT_KEY_CHANGED);
    for device in [alice, bob, tablet, phone] {
        ok!(subrosa_device_free(device));
    }
}

#[test]
fn an_account_is_forgotten() {
    let pair = Pair::talking(memory(), memory());
    ok!(unsafe { subrosa_device_forget(pair.alice, pair.to_bob.as_ptr(), NOW) });
    assert_eq!(
        try_send(pair.alice, &pair.to_bob, b"2", b"2", NOW),
        Err(SUBROSA_ERROR_UNKNOWN_ACCOUNT)
    );
    let events = receive(
        pair.alice,
        &[send(pair.bob, &pair.to_alice, b"2", b"2")],
        NOW,
    );
    assert_eq!(events[0].status, SUBROSA_ERROR_NO_SESSION);
    assert_eq!(events[0].action, SUBROSA_ACTION_ASK_AGAIN);
    pair.free();
}

#[test]
fn both_users_see_the_same_digits_and_codes() {
    let pair = Pair::new(memory(), memory());
    let digits = |device, account: &[u8; 32]| {
        let mut digits = [1; SUBROSA_DIGITS + 1];
        ok!(unsafe { subrosa_device_digits(device, account.as_ptr(), digits.as_mut_ptr()) });
        digits
    };
    let seen = digits(pair.alice, &pair.to_bob);
    assert_eq!(seen, digits(pair.bob, &pair.to_alice));
    assert_eq!(seen[SUBROSA_DIGITS], 0);
    assert!(
        seen[..SUBROSA_DIGITS]
            .iter()
            .all(|digit| (*digit as u8).is_ascii_digit())
    );

    let mut code = [0; SUBROSA_QR];
    ok!(unsafe { subrosa_device_qr(pair.alice, pair.to_bob.as_ptr(), code.as_mut_ptr()) });
    let scan = |device, account: &[u8; 32]| {
        let mut equal = false;
        ok!(unsafe {
            subrosa_device_scan(
                device,
                account.as_ptr(),
                code.as_ptr(),
                code.len(),
                &mut equal,
            )
        });
        equal
    };
    assert!(scan(pair.bob, &pair.to_alice));
    // Her own code is not the one that she should see.
    assert!(!scan(pair.alice, &pair.to_bob));
    pair.free();
}

#[test]
fn both_users_see_the_same_emoji() {
    let pair = Pair::new(memory(), memory());
    let (mut started, mut answered) = (null_mut(), null_mut());
    let (mut commitment, mut answer, mut reveal) = ([0; 32], [0; 32], [0; 32]);
    ok!(unsafe {
        subrosa_emoji_start(
            pair.alice,
            pair.to_bob.as_ptr(),
            &mut started,
            commitment.as_mut_ptr(),
        )
    });
    ok!(unsafe {
        subrosa_emoji_answer(
            pair.bob,
            pair.to_alice.as_ptr(),
            commitment.as_ptr(),
            &mut answered,
            answer.as_mut_ptr(),
        )
    });
    let (mut alice, mut bob) = (new_shown(), new_shown());
    ok!(unsafe { subrosa_emoji_reveal(started, answer.as_ptr(), reveal.as_mut_ptr(), &mut alice) });
    ok!(unsafe { subrosa_emoji_finish(answered, reveal.as_ptr(), &mut bob) });
    assert_eq!(alice.numbers, bob.numbers);
    assert!(alice.numbers.iter().all(|number| *number < 64));
    ok!(subrosa_emoji_free(started));
    ok!(subrosa_emoji_free(answered));
    // They are valid for ever.
    for place in 0..7 {
        assert_eq!(shown(alice.symbols[place]), shown(bob.symbols[place]));
        let symbol = String::from_utf8(shown(alice.symbols[place])).unwrap();
        assert!(!symbol.is_ascii());
        let name = String::from_utf8(shown(alice.names[place])).unwrap();
        assert!(name.is_ascii() && !name.is_empty());
    }
    pair.free();
}

#[test]
fn a_device_is_opened_again_and_goes_on() {
    let (a, b) = (Disk::new(), Disk::new());
    let pair = Pair::talking(a.store(), b.store());
    let counted = generation(pair.alice);
    assert_eq!(counted, a.contents().generation);
    let (to_alice, to_bob, bob) = (pair.to_alice, pair.to_bob, pair.bob);
    ok!(subrosa_device_free(pair.alice));

    let mut alice = null_mut();
    ok!(unsafe { subrosa_device_open(a.store(), KEY.as_ptr(), null(), &counted, &mut alice) });
    assert_eq!(generation(alice), counted);
    let pair = Pair {
        alice,
        bob,
        to_alice,
        to_bob,
    };
    assert_eq!(pair.to_bob(b"2", b"again"), b"again");
    assert_eq!(pair.to_alice(b"2", b"and back"), b"and back");
    pair.free();
    assert_eq!((a.released.get(), b.released.get()), (2, 1));
}

#[test]
fn a_restored_device_begins_anew() {
    let disk = Disk::new();
    let pair = Pair::talking(disk.store(), memory());
    let backup = Disk::with(disk.contents());
    assert_eq!(pair.to_bob(b"lost", b"lost"), b"lost");
    ok!(subrosa_device_free(pair.alice));
    let mut alice = null_mut();
    ok!(unsafe { subrosa_device_restore(backup.store(), KEY.as_ptr(), null(), NOW, &mut alice) });
    let pair = Pair { alice, ..pair };
    // Nothing that was begun before sends.
    assert_eq!(
        try_send(pair.alice, &pair.to_bob, b"2", b"2", NOW),
        Err(SUBROSA_ERROR_UNREACHED)
    );
    assert_eq!(
        unreached(pair.alice, &pair.to_bob, NOW),
        [address(pair.bob)]
    );
    let bundles = publish(pair.bob, 1, NOW);
    begin(pair.alice, &bundles[1..], NOW);
    assert_eq!(pair.to_bob(b"2", b"2"), b"2");
    assert_eq!(pair.to_alice(b"2", b"2"), b"2");
    pair.free();
}

#[test]
fn a_generator_of_the_app_makes_the_same_account_twice() {
    let make = |seed| {
        let source = Source::new(seed);
        let (mut device, mut recovery) = (null_mut(), [0; SUBROSA_SEED]);
        ok!(unsafe {
            subrosa_device_create(
                memory(),
                KEY.as_ptr(),
                &source.rng(),
                NOW,
                &mut device,
                recovery.as_mut_ptr(),
            )
        });
        assert!(source.draws.get() > 0);
        // It is copied, and used by later calls.
        let before = source.draws.get();
        publish(device, 1, NOW);
        assert!(source.draws.get() > before);
        let account = account(device);
        ok!(subrosa_device_free(device));
        (account, recovery)
    };
    assert_eq!(make(1), make(1));
    assert_ne!(make(1), make(2));
}

#[test]
fn what_is_no_object_has_no_elements() {
    assert_eq!(subrosa_events_count(null()), 0);
    assert_eq!(subrosa_outbox_count(null()), 0);
    assert_eq!(subrosa_addresses_count(null()), 0);
}

#[test]
fn to_free_null_is_fine() {
    ok!(subrosa_store_free(null_mut()));
    ok!(subrosa_list_free(null_mut()));
    ok!(subrosa_events_free(null_mut()));
    ok!(subrosa_outbox_free(null_mut()));
    ok!(subrosa_bundles_free(null_mut()));
    ok!(subrosa_addresses_free(null_mut()));
    ok!(subrosa_device_free(null_mut()));
    ok!(subrosa_emoji_free(null_mut()));
    ok!(subrosa_sealer_free(null_mut()));
    ok!(subrosa_opener_free(null_mut()));
    ok!(subrosa_reader_free(null_mut()));
    ok!(subrosa_blob_free(null_mut()));
    ok!(subrosa_pack_free(null_mut()));
    ok!(subrosa_store_free(memory()));
}
