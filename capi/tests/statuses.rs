//! Every status comes out of a call. (`HANDLES` does in full_table.rs, those of files in files.rs, and `INTERNAL` in the
//! crate's own tests, as there is no known way to it.)

mod common;

use std::cell::Cell;
use std::ptr::{null, null_mut};
use std::rc::Rc;

use common::disk::{Disk, Fate};
use common::source::Source;
use common::stored;
use common::*;
use subrosa::hazmat::{MessageParts, braid, seal_message};
use subrosa_capi::device::*;
use subrosa_capi::emoji::*;
use subrosa_capi::list::*;
use subrosa_capi::memory::*;
use subrosa_capi::result::*;
use subrosa_capi::status::*;
use subrosa_capi::store::*;
use subrosa_capi::value::*;

/// A device whose state is on a disk, opened anew after what is stored was changed.
fn reopened(
    device: *mut subrosa_device,
    disk: &Disk,
    change: impl FnOnce(),
) -> *mut subrosa_device {
    ok!(subrosa_device_free(device));
    change();
    open(disk.store())
}

/// A second device of the account, made with this generator, and its request.
fn linked(account: &[u8; 32], id: u32, source: Option<&Source>) -> (*mut subrosa_device, Vec<u8>) {
    let address = subrosa_address {
        account: *account,
        device: id,
    };
    let rng = source.map(Source::rng);
    let rng = rng.as_ref().map_or(null(), std::ptr::from_ref);
    let mut device = null_mut();
    ok!(unsafe {
        subrosa_device_create_linked(memory(), KEY.as_ptr(), rng, &address, NOW, &mut device)
    });
    let mut request = [0; SUBROSA_LINK_REQUEST];
    let mut len = request.len();
    ok!(unsafe { subrosa_device_link_request(device, request.as_mut_ptr(), &mut len) });
    (device, request[..len].to_vec())
}

fn link(primary: *mut subrosa_device, request: &[u8]) -> subrosa_status {
    let mut list = null_mut();
    let status =
        unsafe { subrosa_device_link(primary, request.as_ptr(), request.len(), &mut list) };
    assert_eq!(list.is_null(), status != SUBROSA_OK);
    ok!(subrosa_list_free(list));
    status
}

fn update(device: *mut subrosa_device, account: &[u8; 32], lists: &[Vec<u8>]) -> subrosa_status {
    let lists = views(lists);
    let mut events = null_mut();
    let status = unsafe {
        subrosa_device_update_list(
            device,
            account.as_ptr(),
            lists.as_ptr(),
            lists.len(),
            NOW,
            &mut events,
        )
    };
    assert_eq!(events.is_null(), status != SUBROSA_OK);
    ok!(subrosa_events_free(events));
    status
}

#[test]
fn mistakes_of_the_caller() {
    let (device, _) = create(memory());
    fails!(SUBROSA_ERROR_ARGUMENT, unsafe {
        subrosa_device_address(device, null_mut())
    });
    fails!(SUBROSA_ERROR_HANDLE, subrosa_device_reopen(null_mut()));
    let (mut short, mut len) = ([7; 3], 3);
    fails!(SUBROSA_ERROR_BUFFER, unsafe {
        subrosa_device_link_request(device, short.as_mut_ptr(), &mut len)
    });
    let mut bundles = null_mut();
    ok!(unsafe { subrosa_device_publish(device, 0, NOW, &mut bundles) });
    let mut bundle = view(&[]);
    fails!(SUBROSA_ERROR_RANGE, unsafe {
        subrosa_bundles_one_time(bundles, 0, &mut bundle)
    });
    ok!(subrosa_bundles_free(bundles));
    unsafe extern "C" fn allocate(
        _: *mut core::ffi::c_void,
        _: usize,
        _: usize,
    ) -> *mut core::ffi::c_void {
        null_mut()
    }
    unsafe extern "C" fn release(
        _: *mut core::ffi::c_void,
        _: *mut core::ffi::c_void,
        _: usize,
        _: usize,
    ) {
    }
    let mut allocator = subrosa_allocator {
        struct_size: size_of::<subrosa_allocator>(),
        context: null_mut(),
        allocate: Some(allocate),
        release: Some(release),
    };
    fails!(SUBROSA_ERROR_UNSUPPORTED, unsafe {
        subrosa_set_allocator(&allocator)
    });
    allocator.release = None;
    fails!(SUBROSA_ERROR_ARGUMENT, unsafe {
        subrosa_set_allocator(&allocator)
    });
    ok!(subrosa_device_free(device));
}

#[test]
fn a_device_is_busy_while_it_works() {
    let source = Source::new(1);
    let (mut device, mut recovery) = (null_mut(), [0; SUBROSA_SEED]);
    let rng = source.rng();
    ok!(unsafe {
        subrosa_device_create(
            memory(),
            KEY.as_ptr(),
            &rng,
            NOW,
            &mut device,
            recovery.as_mut_ptr(),
        )
    });
    let seen = Rc::new(Cell::new(SUBROSA_OK));
    let at = Rc::clone(&seen);
    *source.hook.borrow_mut() = Some(Box::new(move || at.set(subrosa_device_reopen(device))));
    publish(device, 1, NOW);
    assert_eq!(seen.get(), SUBROSA_ERROR_BUSY);
    *source.hook.borrow_mut() = None;
    ok!(subrosa_device_free(device));
}

#[test]
fn a_comparison_has_an_order() {
    let pair = Pair::new(memory(), memory());
    let (mut started, mut answered) = (null_mut(), null_mut());
    let (mut commitment, mut answer) = ([0; 32], [0; 32]);
    let (account, to) = (pair.to_bob.as_ptr(), commitment.as_mut_ptr());
    ok!(unsafe { subrosa_emoji_start(pair.alice, account, &mut started, to) });
    ok!(unsafe {
        subrosa_emoji_answer(
            pair.bob,
            pair.to_alice.as_ptr(),
            commitment.as_ptr(),
            &mut answered,
            answer.as_mut_ptr(),
        )
    });
    let (mut reveal, mut seen) = ([5; 32], new_shown());
    fails!(SUBROSA_ERROR_STEP, unsafe {
        subrosa_emoji_finish(started, answer.as_ptr(), &mut seen)
    });
    fails!(SUBROSA_ERROR_STEP, unsafe {
        subrosa_emoji_reveal(answered, answer.as_ptr(), reveal.as_mut_ptr(), &mut seen)
    });
    assert_eq!((reveal, seen.numbers), ([5; 32], [0; 7]));
    ok!(unsafe { subrosa_emoji_reveal(started, answer.as_ptr(), reveal.as_mut_ptr(), &mut seen) });
    let once = reveal;
    fails!(SUBROSA_ERROR_STEP, unsafe {
        subrosa_emoji_reveal(started, answer.as_ptr(), reveal.as_mut_ptr(), &mut seen)
    });
    assert_eq!(reveal, once);
    reveal[0] ^= 1;
    let mut nothing = new_shown();
    fails!(SUBROSA_ERROR_BAD_COMMITMENT, unsafe {
        subrosa_emoji_finish(answered, reveal.as_ptr(), &mut nothing)
    });
    assert_eq!(nothing.numbers, [0; 7]);
    // It is over, whatever comes.
    fails!(SUBROSA_ERROR_STEP, unsafe {
        subrosa_emoji_finish(answered, once.as_ptr(), &mut nothing)
    });
    ok!(subrosa_emoji_free(started));
    ok!(subrosa_emoji_free(answered));
    pair.free();
}

#[test]
fn what_a_device_refuses() {
    let (alice, _) = create(memory());
    let (bob, _) = create(memory());
    let (to_alice, to_bob) = (account(alice), account(bob));
    let refused = |to: &[u8; 32], id: &[u8], text: &[u8]| try_send(alice, to, id, text, NOW);
    assert_eq!(
        refused(&to_bob, b"1", b""),
        Err(SUBROSA_ERROR_UNKNOWN_ACCOUNT)
    );
    introduce(alice, bob);
    assert_eq!(refused(&to_bob, b"1", b""), Err(SUBROSA_ERROR_UNREACHED));
    assert_eq!(refused(&to_bob, b"", b""), Err(SUBROSA_ERROR_CLIENT_ID));
    assert_eq!(
        refused(&to_bob, &[1; 65], b""),
        Err(SUBROSA_ERROR_CLIENT_ID)
    );
    let text = vec![1; SUBROSA_TEXT_MAX + 1];
    assert_eq!(refused(&to_bob, b"1", &text), Err(SUBROSA_ERROR_TOO_LONG));
    let mut outbox = null_mut();
    fails!(SUBROSA_ERROR_NOT_FOUND, unsafe {
        subrosa_device_retry(alice, b"1".as_ptr(), 1, &mut outbox)
    });
    fails!(SUBROSA_ERROR_NOT_FOUND, unsafe {
        subrosa_device_forget(alice, to_alice.as_ptr(), NOW)
    });
    let mut list = null_mut();
    fails!(SUBROSA_ERROR_NOT_FOUND, unsafe {
        subrosa_device_unlink(alice, 7, NOW, &mut list)
    });

    let (tablet, request) = linked(&to_alice, 2, None);
    let mut digits = [0; SUBROSA_DIGITS + 1];
    fails!(SUBROSA_ERROR_NOT_LINKED, unsafe {
        subrosa_device_digits(tablet, to_alice.as_ptr(), digits.as_mut_ptr())
    });
    ok!(link(alice, &request));
    introduce(tablet, alice);
    fails!(
        SUBROSA_ERROR_NOT_PRIMARY,
        link(tablet, &linked(&to_alice, 3, None).1)
    );

    let bundles = publish(bob, 1, NOW);
    begin(alice, &bundles[1..], NOW);
    begin(alice, &publish(tablet, 1, NOW)[1..], NOW);
    let longest = vec![1; SUBROSA_TEXT_MAX];
    assert!(refused(&to_bob, &[1; 64], &longest).is_ok());
}

#[test]
fn the_keys_of_an_account_change() {
    let (alice, mut recovery) = create(memory());
    let (bob, _) = create(memory());
    let to_alice = account(alice);
    introduce(bob, alice);
    let replace = |recovery: &mut [u8; 32]| {
        let (mut list, mut next) = (null_mut(), [0; 32]);
        let (from, to) = (recovery.as_ptr(), next.as_mut_ptr());
        let status =
            unsafe { subrosa_device_replace_keys(alice, from, null(), 0, NOW, &mut list, to) };
        assert_eq!(next == [0; 32], status != SUBROSA_OK);
        if status == SUBROSA_OK {
            *recovery = next;
        }
        ok!(subrosa_list_free(list));
        status
    };
    fails!(SUBROSA_ERROR_WRONG_KEY, replace(&mut [1; 32]));
    ok!(replace(&mut recovery));
    introduce(bob, alice);
    let mut none = null_mut();
    fails!(SUBROSA_ERROR_KEY_CHANGED, unsafe {
        subrosa_device_unreached(bob, to_alice.as_ptr(), NOW, &mut none)
    });
    for _ in 1..15 {
        ok!(replace(&mut recovery));
    }
    fails!(SUBROSA_ERROR_TOO_MANY_KEYS, replace(&mut recovery));
}

#[test]
fn a_store_does_not_take_part() {
    let disk = Disk::new();
    let mut device = null_mut();
    let mut recovery = [0; SUBROSA_SEED];
    let store = disk.store();
    fails!(SUBROSA_ERROR_EMPTY, unsafe {
        subrosa_device_open(store, KEY.as_ptr(), null(), null(), &mut device)
    });
    ok!(unsafe {
        subrosa_device_create(
            store,
            KEY.as_ptr(),
            null(),
            NOW,
            &mut device,
            recovery.as_mut_ptr(),
        )
    });
    let other = disk.store();
    let mut twin = null_mut();
    fails!(SUBROSA_ERROR_OCCUPIED, unsafe {
        subrosa_device_create(
            other,
            KEY.as_ptr(),
            null(),
            NOW,
            &mut twin,
            recovery.as_mut_ptr(),
        )
    });
    fails!(SUBROSA_ERROR_ROLLED_BACK, unsafe {
        subrosa_device_open(other, KEY.as_ptr(), null(), &2, &mut twin)
    });
    ok!(subrosa_store_free(other));
    let mut bundles = null_mut();
    let mut publish = || unsafe { subrosa_device_publish(device, 1, NOW, &mut bundles) };
    disk.fate.set(Fate::Stale);
    fails!(SUBROSA_ERROR_STALE, publish());
    disk.fate.set(Fate::Failed);
    fails!(SUBROSA_ERROR_FAILED, publish());
    disk.unreadable.set(true);
    fails!(SUBROSA_ERROR_UNREADABLE, publish());
    disk.unreadable.set(false);
    disk.fate.set(Fate::UnknownLost);
    fails!(SUBROSA_ERROR_UNKNOWN, publish());
    assert!(bundles.is_null());
    disk.fate.set(Fate::Done);
    let before = disk.contents();
    for value in disk.contents.borrow_mut().values.values_mut() {
        *value.last_mut().unwrap() ^= 1;
    }
    fails!(SUBROSA_ERROR_INTEGRITY, subrosa_device_reopen(device));
    *disk.contents.borrow_mut() = before;
    ok!(subrosa_device_reopen(device));
    ok!(subrosa_device_free(device));
}

#[test]
fn a_generator_fails() {
    let source = Source::new(1);
    source.fails_at.set(0);
    let store = memory();
    let (mut device, mut recovery) = (null_mut(), [0; SUBROSA_SEED]);
    let rng = source.rng();
    fails!(SUBROSA_ERROR_RNG, unsafe {
        subrosa_device_create(
            store,
            KEY.as_ptr(),
            &rng,
            NOW,
            &mut device,
            recovery.as_mut_ptr(),
        )
    });
    ok!(subrosa_store_free(store));
}

#[test]
fn messages_that_nobody_reads() {
    let pair = Pair::new(memory(), memory());
    let first = send(pair.alice, &pair.to_bob, b"1", b"1");
    let altered = |at: usize, byte| {
        let mut message = first.clone();
        message[at] = byte;
        message
    };
    assert_eq!(refused(pair.bob, b"", NOW), SUBROSA_ERROR_MALFORMED);
    assert_eq!(refused(pair.bob, altered(0, 9), NOW), SUBROSA_ERROR_VERSION);
    assert_eq!(refused(pair.bob, altered(1, 9), NOW), SUBROSA_ERROR_KIND);
    assert_eq!(read_one(pair.bob, &first), b"1");
    assert_eq!(refused(pair.bob, &first, NOW), SUBROSA_ERROR_DUPLICATE);
    pair.to_alice(b"1", b"1");
    let message = send(pair.alice, &pair.to_bob, b"2", b"2");
    assert_eq!(refused(pair.alice, &message, NOW), SUBROSA_ERROR_NO_SESSION);
    assert_eq!(read_one(pair.bob, &message), b"2");
    pair.free();
}

#[test]
fn a_first_message_comes_again() {
    let (alice, _) = create(memory());
    let disk = Disk::new();
    let (bob, _) = create(disk.store());
    introduce(alice, bob);
    introduce(bob, alice);
    let (to_alice, to_bob) = (account(alice), account(bob));
    let last_resort = publish(bob, 1, NOW).remove(0);
    begin(alice, &[&last_resort], NOW);
    let first = send(alice, &to_bob, b"1", b"1");
    assert_eq!(read_one(bob, &first), b"1");
    ok!(unsafe { subrosa_device_forget(bob, to_alice.as_ptr(), NOW) });
    introduce(bob, alice);
    assert_eq!(refused(bob, &first, NOW), SUBROSA_ERROR_REPLAYED_FIRST);

    // As many as may be remembered.
    begin(alice, &[&last_resort], NOW + 1);
    let second = send(alice, &to_bob, b"2", b"2");
    let bob = reopened(bob, &disk, || {
        stored::change(&disk, stored::PREKEYS, &[], |prekeys| {
            // Behind the ids and keys of the one generation: one record.
            let count_at = 4 + 1 + 4 + 32 + 4 + 64 + 8 + 1;
            assert_eq!(prekeys[count_at], 1);
            let record: [u8; 16] = prekeys[count_at + 1..][..16].try_into().unwrap();
            let mut records: Vec<[u8; 16]> = (0..8_191_u128)
                .map(u128::to_be_bytes)
                .chain([record])
                .collect();
            records.sort_unstable();
            let mut behind = prekeys.split_off(count_at + 17);
            prekeys.truncate(count_at);
            prekeys.extend([0x40 | (8_192_u16 >> 8) as u8, 0]);
            prekeys.extend(records.concat());
            prekeys.append(&mut behind);
        });
    });
    assert_eq!(refused(bob, &second, NOW), SUBROSA_ERROR_REPLAY_RECORD_FULL);
    let mut due = false;
    ok!(unsafe { subrosa_device_publish_due(bob, NOW, &mut due) });
    assert!(due);

    // No id is left.
    let bob = reopened(bob, &disk, || {
        stored::change(&disk, stored::PREKEYS, &[], |prekeys| {
            prekeys[..4].copy_from_slice(&(u32::MAX - 1).to_be_bytes());
        });
    });
    let mut bundles = null_mut();
    fails!(SUBROSA_ERROR_PREKEYS_EXHAUSTED, unsafe {
        subrosa_device_publish(bob, 1, NOW, &mut bundles)
    });
    ok!(subrosa_device_free(alice));
    ok!(subrosa_device_free(bob));
}

#[test]
fn a_chain_is_too_long_or_forked() {
    let disk = Disk::new();
    let pair = Pair::talking(disk.store(), memory());
    assert_eq!(pair.to_bob(b"2", b"2"), b"2");
    let name = stored::peer(&address(pair.bob));
    let chain = stored::sending(&stored::read(&disk, stored::PEER, &name));

    // Two of Alice.
    let twin = Disk::with(disk.contents());
    let copy = open(twin.store());
    let (here, there) = (
        send(pair.alice, &pair.to_bob, b"3", b"here"),
        send(copy, &pair.to_bob, b"3", b"there"),
    );
    ok!(subrosa_device_free(copy));
    assert_eq!(read_one(pair.bob, here), b"here");
    let events = receive(pair.bob, &[there], NOW);
    let kinds: Vec<_> = events.iter().map(|event| event.kind).collect();
    assert_eq!(
        kinds,
        [
            SUBROSA_EVENT_FORK_SUSPECTED,
            SUBROSA_EVENT_BEGIN_ANEW,
            SUBROSA_EVENT_REJECTED
        ]
    );
    assert_eq!(events[2].status, SUBROSA_ERROR_FORKED);
    assert_eq!(events[2].action, SUBROSA_ACTION_BEGIN_ANEW);

    // Numbers that no honest Alice reaches.
    let frame = braid::FrameParts::default();
    let forged = |number| {
        let parts = MessageParts {
            session_id: chain.session_id,
            header_key: chain.header_key,
            message_key: [1; 32],
            ratchet_key: chain.ratchet_key,
            number,
            previous_count: chain.previous_count,
            epoch: chain.epoch,
        };
        let prefix = [1, 2];
        seal_message(&parts, &prefix, b"", &frame, 192, [2; 32])
            .unwrap()
            .message
    };
    assert_eq!(
        refused(pair.bob, forged(1 << 20), NOW),
        SUBROSA_ERROR_CHAIN_EXHAUSTED
    );
    assert_eq!(
        refused(pair.bob, forged(5_000), NOW),
        SUBROSA_ERROR_GAP_TOO_LARGE
    );

    // A device that has sent so many, or waits for so long, has to begin anew.
    let to_bob = pair.to_bob;
    let alice = reopened(pair.alice, &disk, || {
        stored::change(&disk, stored::PEER, &name, |peer| {
            peer[chain.number_at..][..4].copy_from_slice(&(1_u32 << 20).to_be_bytes());
        });
    });
    assert_eq!(
        try_send(alice, &to_bob, b"4", b"4", NOW),
        Err(SUBROSA_ERROR_UNREACHED)
    );
    ok!(subrosa_device_free(alice));
    let waiting = Pair::new(memory(), memory());
    let late = NOW + 31 * DAY;
    assert_eq!(
        try_send(waiting.alice, &waiting.to_bob, b"1", b"1", late),
        Err(SUBROSA_ERROR_UNREACHED)
    );
    waiting.free();
}

#[test]
fn bundles_that_begin_nothing() {
    let (alice, _) = create(memory());
    let (bob, _) = create(memory());
    introduce(alice, bob);
    let bundles = publish(bob, 1, NOW);
    let one_time = &bundles[1];
    let begun = |bundle: &[u8], now| begin(alice, &[bundle], now)[0];
    assert_eq!(begun(b"", NOW), Err(SUBROSA_ERROR_MALFORMED));
    let mut other = one_time.clone();
    other[0] ^= 0x80;
    assert_eq!(begun(&other, NOW), Err(SUBROSA_ERROR_VERSION));
    let mut other = one_time.clone();
    // A byte of the signature of the identity.
    other[130] ^= 1;
    assert_eq!(begun(&other, NOW), Err(SUBROSA_ERROR_SIGNATURE));
    assert_eq!(
        begun(one_time, NOW + 60 * DAY),
        Err(SUBROSA_ERROR_STALE_BUNDLE)
    );
    assert_eq!(
        begun(&publish(alice, 0, NOW)[0], NOW),
        Err(SUBROSA_ERROR_OWN_IDENTITY)
    );
    // A device on no list that is known.
    let (tablet, _) = linked(&account(bob), 2, None);
    assert_eq!(
        begun(&publish(tablet, 0, NOW)[0], NOW),
        Err(SUBROSA_ERROR_IDENTITY_CHANGED)
    );
    let (carol, _) = create(memory());
    assert_eq!(
        begun(&publish(carol, 0, NOW)[0], NOW),
        Err(SUBROSA_ERROR_UNKNOWN_ACCOUNT)
    );
    assert_eq!(begun(one_time, NOW), Ok(address(bob)));
    // Its one-time keys are used up by the first who writes.
    introduce(bob, alice);
    introduce(carol, bob);
    introduce(bob, carol);
    assert_eq!(begin(carol, &[one_time], NOW), [Ok(address(bob))]);
    assert_eq!(read_one(bob, send(alice, &account(bob), b"1", b"1")), b"1");
    let second = send(carol, &account(bob), b"1", b"1");
    assert_eq!(refused(bob, second, NOW), SUBROSA_ERROR_PREKEY_GONE);
    for device in [alice, bob, carol, tablet] {
        ok!(subrosa_device_free(device));
    }
}

#[test]
fn lists_that_are_refused() {
    let disk = Disk::new();
    let (alice, _) = create(disk.store());
    let (bob, _) = create(memory());
    let to_alice = account(alice);
    let parse = |bytes: &[u8]| {
        let mut list = null_mut();
        let status = unsafe { subrosa_list_parse(bytes.as_ptr(), bytes.len(), &mut list) };
        assert_eq!(list.is_null(), status != SUBROSA_OK);
        ok!(subrosa_list_free(list));
        status
    };
    let first = known_list(alice, &to_alice);
    ok!(parse(&first));
    fails!(SUBROSA_ERROR_LIST_MALFORMED, parse(b""));
    let mut other = first.clone();
    other[0] = 9;
    fails!(SUBROSA_ERROR_LIST_VERSION, parse(&other));
    let mut other = first.clone();
    *other.last_mut().unwrap() ^= 1;
    fails!(SUBROSA_ERROR_LIST_SIGNATURE, parse(&other));
    let to_bob = account(bob);
    fails!(
        SUBROSA_ERROR_OTHER_ACCOUNT,
        update(bob, &to_bob, from(&first))
    );

    let twin = Disk::with(disk.contents());
    let copy = open(twin.store());
    ok!(link(alice, &linked(&to_alice, 2, None).1));
    ok!(link(copy, &linked(&to_alice, 2, None).1));
    let second = known_list(alice, &to_alice);
    let contrary = known_list(copy, &to_alice);
    ok!(link(alice, &linked(&to_alice, 3, None).1));
    let third = known_list(alice, &to_alice);
    ok!(update(bob, &to_alice, from(&first)));
    fails!(
        SUBROSA_ERROR_MISSING_LISTS,
        update(bob, &to_alice, from(&third))
    );
    ok!(update(bob, &to_alice, &[second, third]));
    fails!(SUBROSA_ERROR_OLD_LIST, update(bob, &to_alice, from(&first)));
    ok!(subrosa_device_free(copy));
    let (carol, _) = create(memory());
    ok!(update(carol, &to_alice, from(&contrary)));
    let contradiction = known_list(alice, &to_alice);
    fails!(
        SUBROSA_ERROR_EQUIVOCATION,
        update(carol, &to_alice, from(&contradiction))
    );
    let mut equal = false;
    fails!(SUBROSA_ERROR_LIST_MALFORMED, unsafe {
        subrosa_device_scan(carol, to_alice.as_ptr(), [1; 3].as_ptr(), 3, &mut equal)
    });
    for device in [alice, bob, carol] {
        ok!(subrosa_device_free(device));
    }
}

fn from(list: &Vec<u8>) -> &[Vec<u8>] {
    std::slice::from_ref(list)
}

#[test]
fn devices_that_are_not_linked() {
    let disk = Disk::new();
    let (alice, _) = create(disk.store());
    let to_alice = account(alice);
    fails!(SUBROSA_ERROR_LIST_MALFORMED, link(alice, b""));
    fails!(
        SUBROSA_ERROR_OTHER_ACCOUNT,
        link(alice, &linked(&to_alice, 3, None).1)
    );
    let (tablet, mut request) = linked(&to_alice, 2, Some(&Source::new(4)));
    *request.last_mut().unwrap() ^= 1;
    fails!(SUBROSA_ERROR_LIST_SIGNATURE, link(alice, &request));
    *request.last_mut().unwrap() ^= 1;
    ok!(link(alice, &request));
    // A generator that repeats itself has made the same keys once more.
    let (again, request) = linked(&to_alice, 3, Some(&Source::new(4)));
    fails!(SUBROSA_ERROR_KEY_IN_USE, link(alice, &request));
    ok!(subrosa_device_free(tablet));
    ok!(subrosa_device_free(again));
    for id in 3..=32 {
        let (device, request) = linked(&to_alice, id, None);
        ok!(link(alice, &request));
        ok!(subrosa_device_free(device));
    }
    let (device, request) = linked(&to_alice, 33, None);
    fails!(SUBROSA_ERROR_TOO_MANY_DEVICES, link(alice, &request));
    ok!(subrosa_device_free(device));
    let mut list = null_mut();
    ok!(unsafe { subrosa_device_unlink(alice, 32, NOW, &mut list) });
    ok!(subrosa_list_free(list));

    // The last id was given out.
    let alice = reopened(alice, &disk, || {
        stored::change(&disk, stored::ACCOUNT, &to_alice, |account| {
            let at = account
                .windows(4)
                .rposition(|id| id == 33_u32.to_be_bytes());
            account[at.unwrap()..][..4].copy_from_slice(&u32::MAX.to_be_bytes());
        });
    });
    let (device, request) = linked(&to_alice, u32::MAX, None);
    fails!(SUBROSA_ERROR_EXHAUSTED, link(alice, &request));
    ok!(subrosa_device_free(device));

    let before = disk.contents();
    ok!(subrosa_device_free(alice));
    let mut alice = null_mut();
    let store = disk.store();
    ok!(unsafe { subrosa_device_restore(store, KEY.as_ptr(), null(), NOW, &mut alice) });
    assert_ne!(disk.contents(), before);
    fails!(SUBROSA_ERROR_LIST_DUE, link(alice, &request));
    ok!(subrosa_device_free(alice));
}
