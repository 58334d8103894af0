//! What every test of the interface needs. Each function is one call of the interface, or a few, that must succeed; all
//! of them hand over nothing but what C hands over.
// Every test program uses a part of it.
#![allow(dead_code)]

pub mod disk;
pub mod files;
pub mod groups;
pub mod insider;
pub mod mem;
pub mod scene;
pub mod source;
pub mod stored;

use std::ffi::CStr;
use std::ptr::{null, null_mut};

use subrosa_capi::device::*;
use subrosa_capi::list::*;
use subrosa_capi::result::*;
use subrosa_capi::status::*;
use subrosa_capi::store::*;
use subrosa_capi::value::*;

pub const NOW: u64 = 1_700_000_000_000;
pub const DAY: u64 = 24 * 60 * 60 * 1000;
pub const KEY: [u8; 32] = [9; 32];

/// A call that must succeed.
#[macro_export]
macro_rules! ok {
    ($call:expr) => {{
        let status: i32 = $call;
        assert_eq!(
            status,
            subrosa_capi::status::SUBROSA_OK,
            "{}: {}",
            stringify!($call),
            $crate::common::text(status)
        );
    }};
}

/// A call that must fail with this status.
#[macro_export]
macro_rules! fails {
    ($expected:expr, $call:expr) => {{
        let status: i32 = $call;
        assert_eq!(
            status,
            $expected,
            "{}: {}",
            stringify!($call),
            $crate::common::text(status)
        );
    }};
}

pub fn text(status: subrosa_status) -> &'static str {
    let text = subrosa_status_str(status);
    assert!(!text.is_null());
    unsafe { CStr::from_ptr(text) }.to_str().unwrap()
}

pub fn view(bytes: &[u8]) -> subrosa_bytes {
    subrosa_bytes {
        data: bytes.as_ptr(),
        len: bytes.len(),
    }
}

pub fn views<T: AsRef<[u8]>>(all: &[T]) -> Vec<subrosa_bytes> {
    all.iter().map(|bytes| view(bytes.as_ref())).collect()
}

/// What a view shows.
pub fn shown(bytes: subrosa_bytes) -> Vec<u8> {
    if bytes.len == 0 {
        return Vec::new();
    }
    unsafe { std::slice::from_raw_parts(bytes.data, bytes.len) }.to_vec()
}

/// A structure of zeros that says its size.
macro_rules! sized {
    ($name:ident, $type:ty) => {
        pub fn $name() -> $type {
            let mut value: $type = unsafe { std::mem::zeroed() };
            value.struct_size = size_of::<$type>();
            value
        }
    };
}
pub(crate) use sized;

sized!(new_event, subrosa_event);
sized!(new_sent, subrosa_sent);
sized!(new_copy, subrosa_copy);
sized!(new_bundles_info, subrosa_bundles_info);
sized!(new_list_info, subrosa_list_info);
sized!(new_shown, subrosa_capi::emoji::subrosa_emoji_shown);

pub fn memory() -> *mut subrosa_store {
    let mut store = null_mut();
    ok!(unsafe { subrosa_store_memory(&mut store) });
    assert!(!store.is_null());
    store
}

/// A device of an account of its own, and the recovery key.
pub fn create(store: *mut subrosa_store) -> (*mut subrosa_device, [u8; 32]) {
    let mut device = null_mut();
    let mut recovery = [0; SUBROSA_SEED];
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
    assert!(!device.is_null());
    (device, recovery)
}

pub fn open(store: *mut subrosa_store) -> *mut subrosa_device {
    let mut device = null_mut();
    ok!(unsafe { subrosa_device_open(store, KEY.as_ptr(), null(), null(), &mut device) });
    device
}

pub fn address(device: *mut subrosa_device) -> subrosa_address {
    let mut address = subrosa_address {
        account: [0; SUBROSA_ACCOUNT],
        device: 0,
    };
    ok!(unsafe { subrosa_device_address(device, &mut address) });
    address
}

pub fn account(device: *mut subrosa_device) -> [u8; 32] {
    address(device).account
}

pub fn generation(device: *mut subrosa_device) -> u64 {
    let mut generation = 0;
    ok!(unsafe { subrosa_device_generation(device, &mut generation) });
    generation
}

/// What a list says, whose handle ends.
pub fn list_bytes(list: *mut subrosa_list) -> Vec<u8> {
    let mut info = new_list_info();
    ok!(unsafe { subrosa_list_read(list, &mut info) });
    let bytes = shown(info.bytes);
    ok!(subrosa_list_free(list));
    bytes
}

/// The list that a device knows of an account.
pub fn known_list(device: *mut subrosa_device, account: &[u8; 32]) -> Vec<u8> {
    let mut list = null_mut();
    ok!(unsafe { subrosa_device_list(device, account.as_ptr(), &mut list) });
    list_bytes(list)
}

/// Hands a device lists of an account.
pub fn learn(device: *mut subrosa_device, account: &[u8; 32], lists: &[Vec<u8>]) -> Vec<Told> {
    let lists = views(lists);
    let mut events = null_mut();
    ok!(unsafe {
        subrosa_device_update_list(
            device,
            account.as_ptr(),
            lists.as_ptr(),
            lists.len(),
            NOW,
            &mut events,
        )
    });
    told(events)
}

/// Hands a device the list that another one has of its own account.
pub fn introduce(device: *mut subrosa_device, other: *mut subrosa_device) -> Vec<Told> {
    let account = account(other);
    learn(device, &account, &[known_list(other, &account)])
}

/// Bundles that a device publishes: the last-resort one, then `count` that are handed out once.
pub fn publish(device: *mut subrosa_device, count: usize, now: u64) -> Vec<Vec<u8>> {
    let mut bundles = null_mut();
    ok!(unsafe { subrosa_device_publish(device, count, now, &mut bundles) });
    published(bundles)
}

/// What is in an object, which is freed: the last-resort one first.
pub fn published(bundles: *mut subrosa_bundles) -> Vec<Vec<u8>> {
    let mut info = new_bundles_info();
    ok!(unsafe { subrosa_bundles_read(bundles, &mut info) });
    let mut all = vec![shown(info.last_resort)];
    for index in 0..info.one_time {
        let mut bundle = view(&[]);
        ok!(unsafe { subrosa_bundles_one_time(bundles, index, &mut bundle) });
        all.push(shown(bundle));
    }
    ok!(subrosa_bundles_free(bundles));
    all
}

/// What became of each bundle.
pub fn begin<T: AsRef<[u8]>>(
    device: *mut subrosa_device,
    bundles: &[T],
    now: u64,
) -> Vec<Result<subrosa_address, subrosa_status>> {
    let bundles = views(bundles);
    let mut begun = null_mut();
    ok!(unsafe { subrosa_device_begin(device, bundles.as_ptr(), bundles.len(), now, &mut begun) });
    let results = addresses(begun);
    assert_eq!(results.len(), bundles.len());
    results
}

/// What is in an object, which is freed.
pub fn addresses(
    addresses: *mut subrosa_addresses,
) -> Vec<Result<subrosa_address, subrosa_status>> {
    let results = (0..subrosa_addresses_count(addresses))
        .map(|index| {
            let mut address = subrosa_address {
                account: [0; SUBROSA_ACCOUNT],
                device: 0,
            };
            match unsafe { subrosa_addresses_get(addresses, index, &mut address) } {
                SUBROSA_OK => Ok(address),
                status => Err(status),
            }
        })
        .collect();
    ok!(subrosa_addresses_free(addresses));
    results
}

pub fn unreached(
    device: *mut subrosa_device,
    account: &[u8; 32],
    now: u64,
) -> Vec<subrosa_address> {
    let mut unreached = null_mut();
    ok!(unsafe { subrosa_device_unreached(device, account.as_ptr(), now, &mut unreached) });
    addresses(unreached)
        .into_iter()
        .map(Result::unwrap)
        .collect()
}

/// A message in the outbox: its name, to whom, and its copies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    pub id: Vec<u8>,
    pub to: [u8; 32],
    pub copies: Vec<(subrosa_address, Vec<u8>)>,
    pub kind: i32,
    pub group: [u8; 32],
}

/// What is in an object, which is freed.
pub fn sealed(outbox: *mut subrosa_outbox) -> Vec<Outgoing> {
    let all = (0..subrosa_outbox_count(outbox))
        .map(|index| {
            let mut sent = new_sent();
            ok!(unsafe { subrosa_outbox_get(outbox, index, &mut sent) });
            let copies = (0..sent.copies)
                .map(|place| {
                    let mut copy = new_copy();
                    ok!(unsafe { subrosa_outbox_copy(outbox, index, place, &mut copy) });
                    (copy.to, shown(copy.message))
                })
                .collect();
            Outgoing {
                id: shown(sent.id),
                to: sent.to,
                copies,
                kind: sent.kind,
                group: sent.group,
            }
        })
        .collect();
    ok!(subrosa_outbox_free(outbox));
    all
}

/// The status of a call that seals, and what it has given out.
pub fn try_send(
    device: *mut subrosa_device,
    to: &[u8; 32],
    id: &[u8],
    text: &[u8],
    now: u64,
) -> Result<Outgoing, subrosa_status> {
    let mut outbox = null_mut();
    let status = unsafe {
        subrosa_device_send(
            device,
            to.as_ptr(),
            id.as_ptr(),
            id.len(),
            text.as_ptr(),
            text.len(),
            0,
            now,
            &mut outbox,
        )
    };
    if status != SUBROSA_OK {
        assert!(outbox.is_null());
        return Err(status);
    }
    let mut sent = sealed(outbox);
    assert_eq!(sent.len(), 1);
    Ok(sent.remove(0))
}

/// Seals a text for the only device of an account that is not one's own.
pub fn send(device: *mut subrosa_device, to: &[u8; 32], id: &[u8], text: &[u8]) -> Vec<u8> {
    let mut sent = try_send(device, to, id, text, NOW).unwrap();
    assert_eq!(sent.copies.len(), 1);
    sent.copies.remove(0).1
}

/// An event, with a copy of its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub kind: i32,
    pub status: subrosa_status,
    pub action: subrosa_action,
    pub content: i32,
    pub notices: u32,
    pub address: subrosa_address,
    pub envelope: usize,
    pub version: u64,
    pub id: u64,
    pub received_at: u64,
    pub to: [u8; 32],
    pub text: Vec<u8>,
    pub group: [u8; 32],
    pub epoch: u64,
}

/// What is in an object, which is freed.
pub fn told(events: *mut subrosa_events) -> Vec<Told> {
    let all = (0..subrosa_events_count(events))
        .map(|index| {
            let mut event = new_event();
            ok!(unsafe { subrosa_events_get(events, index, &mut event) });
            Told {
                kind: event.kind,
                status: event.status,
                action: event.action,
                content: event.content,
                notices: event.notices,
                address: event.address,
                envelope: event.envelope,
                version: event.version,
                id: event.id,
                received_at: event.received_at,
                to: event.to,
                text: shown(event.text),
                group: event.group,
                epoch: event.epoch,
            }
        })
        .collect();
    ok!(subrosa_events_free(events));
    all
}

pub fn receive<T: AsRef<[u8]>>(
    device: *mut subrosa_device,
    envelopes: &[T],
    now: u64,
) -> Vec<Told> {
    let envelopes = views(envelopes);
    let mut events = null_mut();
    ok!(unsafe {
        subrosa_device_receive(
            device,
            envelopes.as_ptr(),
            envelopes.len(),
            now,
            &mut events,
        )
    });
    told(events)
}

/// The text of the only event, which is a message.
pub fn read_one<T: AsRef<[u8]>>(device: *mut subrosa_device, envelope: T) -> Vec<u8> {
    let events = receive(device, &[envelope], NOW);
    let [event] = &events[..] else {
        panic!("{events:?}");
    };
    assert_eq!(event.kind, SUBROSA_EVENT_MESSAGE, "{}", text(event.status));
    event.text.clone()
}

/// Why the only envelope was refused.
pub fn refused<T: AsRef<[u8]>>(
    device: *mut subrosa_device,
    envelope: T,
    now: u64,
) -> subrosa_status {
    let events = receive(device, &[envelope], now);
    let rejected: Vec<_> = events
        .iter()
        .filter(|event| event.kind == SUBROSA_EVENT_REJECTED)
        .collect();
    let [event] = &rejected[..] else {
        panic!("{events:?}");
    };
    assert_eq!(event.envelope, 0);
    event.status
}

pub fn inbox(device: *mut subrosa_device) -> Vec<Told> {
    let mut events = null_mut();
    ok!(unsafe { subrosa_device_inbox(device, 0, 1_000, &mut events) });
    told(events)
}

pub fn outbox(device: *mut subrosa_device) -> Vec<Outgoing> {
    let mut sealed = null_mut();
    ok!(unsafe { subrosa_device_outbox(device, 0, 1_000, null_mut(), &mut sealed) });
    self::sealed(sealed)
}

/// Two devices of two accounts that know of each other, and who they are.
pub struct Pair {
    pub alice: *mut subrosa_device,
    pub bob: *mut subrosa_device,
    pub to_alice: [u8; 32],
    pub to_bob: [u8; 32],
}

impl Pair {
    /// Over these stores. Alice has begun a conversation, and Bob has read nothing yet.
    pub fn new(alice: *mut subrosa_store, bob: *mut subrosa_store) -> Self {
        let (alice, _) = create(alice);
        let (bob, _) = create(bob);
        introduce(alice, bob);
        introduce(bob, alice);
        let bundles = publish(bob, 1, NOW);
        assert_eq!(begin(alice, &bundles[1..], NOW), [Ok(address(bob))]);
        Self {
            alice,
            bob,
            to_alice: account(alice),
            to_bob: account(bob),
        }
    }

    /// The same after each has answered the other.
    pub fn talking(alice: *mut subrosa_store, bob: *mut subrosa_store) -> Self {
        let pair = Self::new(alice, bob);
        assert_eq!(pair.to_bob(b"1", b"there"), b"there");
        assert_eq!(pair.to_alice(b"1", b"back"), b"back");
        pair
    }

    pub fn to_bob(&self, id: &[u8], text: &[u8]) -> Vec<u8> {
        read_one(self.bob, send(self.alice, &self.to_bob, id, text))
    }

    pub fn to_alice(&self, id: &[u8], text: &[u8]) -> Vec<u8> {
        read_one(self.alice, send(self.bob, &self.to_alice, id, text))
    }

    pub fn free(self) {
        ok!(subrosa_device_free(self.alice));
        ok!(subrosa_device_free(self.bob));
    }
}
