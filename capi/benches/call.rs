//! What the C interface adds to the call of the library below it: the same device, sealing the same texts.
//!
//! `send_64_B` seals 64 bytes for one device: in Rust, and through the interface, with the view of the result read and the
//! result freed. `…_beyond_rust_and_10_us` does both in turn, and counts how much longer the second takes: `call` is the
//! call that seals, `calls` are it and the two that read and free what it gave, beside a result in Rust that is dropped.
//! `handle` is the part that does not depend on the call: an object that is looked up; one that is made, and freed.

use std::hint::black_box;
use std::ptr;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use subrosa::device::{Device, MemoryStore, Outgoing, Store};
use subrosa::identity::AccountId;
use subrosa::{AppKey, os_rng, system_now};
use subrosa_capi::device::{
    subrosa_device, subrosa_device_begin, subrosa_device_create, subrosa_device_free,
    subrosa_device_generation, subrosa_device_send, subrosa_device_sent,
    subrosa_device_update_list,
};
use subrosa_capi::result::{
    subrosa_addresses, subrosa_addresses_free, subrosa_copy, subrosa_events, subrosa_events_free,
    subrosa_outbox, subrosa_outbox_copy, subrosa_outbox_free,
};
use subrosa_capi::status::SUBROSA_OK;
use subrosa_capi::store::{subrosa_store, subrosa_store_free, subrosa_store_memory};
use subrosa_capi::value::{SUBROSA_SEED, subrosa_bytes};

const TEXT: [u8; 64] = [b't'; 64];
const ID: &[u8] = b"message";

/// Pairs of devices, so that it does not count where in memory one lies.
const PAIRS: usize = 16;

/// Bob, whom all write to: his account, his list, and a bundle for each who does.
struct Bob {
    account: AccountId,
    list: Vec<u8>,
    bundles: Vec<Vec<u8>>,
    now: u64,
}

impl Bob {
    fn new() -> Self {
        let (now, rng) = (system_now(), &mut os_rng());
        let store = MemoryStore::new();
        let (mut bob, _) = Device::create(store, AppKey::new([2; 32]), now, rng).unwrap();
        let account = bob.account().unwrap();
        let list = bob.list(&account, rng).unwrap().unwrap();
        Self {
            account,
            list: list.as_bytes().to_vec(),
            bundles: bob.publish(2, now, rng).unwrap().one_time,
            now,
        }
    }
}

fn in_rust(bob: &Bob) -> Device<&'static mut dyn Store> {
    let rng = &mut os_rng();
    // Chosen while the program runs, as behind the interface.
    let store: &mut dyn Store = Box::leak(Box::new(MemoryStore::new()));
    let (mut alice, _) = Device::create(store, AppKey::new([1; 32]), bob.now, rng).unwrap();
    let list: &[&[u8]] = &[&bob.list];
    alice.update_list(&bob.account, list, bob.now, rng).unwrap();
    let begun = alice.begin(&[&bob.bundles[0]], bob.now, rng).unwrap();
    assert!(begun[0].is_ok());
    alice
}

fn view(bytes: &[u8]) -> subrosa_bytes {
    subrosa_bytes {
        data: bytes.as_ptr(),
        len: bytes.len(),
    }
}

fn in_c(bob: &Bob) -> *mut subrosa_device {
    let mut store: *mut subrosa_store = ptr::null_mut();
    let mut device: *mut subrosa_device = ptr::null_mut();
    let mut events: *mut subrosa_events = ptr::null_mut();
    let mut begun: *mut subrosa_addresses = ptr::null_mut();
    let mut recovery = [0; SUBROSA_SEED];
    let account = bob.account.as_bytes().as_ptr();
    // SAFETY: the pointers show what the header asks for, and nobody else uses it.
    unsafe {
        assert_eq!(subrosa_store_memory(&raw mut store), SUBROSA_OK);
        let (key, rng) = ([1; 32], ptr::null());
        let recovery = recovery.as_mut_ptr();
        let status =
            subrosa_device_create(store, key.as_ptr(), rng, bob.now, &raw mut device, recovery);
        assert_eq!(status, SUBROSA_OK);
        let list = view(&bob.list);
        let status = subrosa_device_update_list(
            device,
            account,
            &raw const list,
            1,
            bob.now,
            &raw mut events,
        );
        assert_eq!(status, SUBROSA_OK);
        let bundle = view(&bob.bundles[1]);
        let status = subrosa_device_begin(device, &raw const bundle, 1, bob.now, &raw mut begun);
        assert_eq!(status, SUBROSA_OK);
    }
    assert_eq!(subrosa_events_free(events), SUBROSA_OK);
    assert_eq!(subrosa_addresses_free(begun), SUBROSA_OK);
    device
}

/// How long it took.
#[derive(Clone, Copy)]
struct Took {
    /// The call that seals.
    call: Duration,
    /// It, and what ends its result.
    calls: Duration,
}

/// Which of the two.
type Part = fn(&Took) -> Duration;

fn send_in_rust(alice: &mut Device<&'static mut dyn Store>, bob: &Bob) -> Took {
    let rng = &mut os_rng();
    let message = Outgoing {
        id: ID,
        to: bob.account,
        text: &TEXT,
        partial: false,
    };
    let start = Instant::now();
    let sent = alice.send(&message, bob.now, rng).unwrap();
    let call = start.elapsed();
    black_box(&sent.copies[0].message);
    drop(sent);
    let calls = start.elapsed();
    alice.sent(&[ID], rng).unwrap();
    Took { call, calls }
}

fn send_in_c(alice: *mut subrosa_device, bob: &Bob) -> Took {
    let mut sealed: *mut subrosa_outbox = ptr::null_mut();
    let mut copy = subrosa_copy {
        struct_size: size_of::<subrosa_copy>(),
        to: subrosa_capi::value::subrosa_address {
            account: [0; 32],
            device: 0,
        },
        message: view(&[]),
    };
    let start = Instant::now();
    // SAFETY: as above.
    let status = unsafe {
        subrosa_device_send(
            alice,
            bob.account.as_bytes().as_ptr(),
            ID.as_ptr(),
            ID.len(),
            TEXT.as_ptr(),
            TEXT.len(),
            0,
            bob.now,
            &raw mut sealed,
        )
    };
    let call = start.elapsed();
    assert_eq!(status, SUBROSA_OK);
    // SAFETY: as above.
    let status = unsafe { subrosa_outbox_copy(sealed, 0, 0, &raw mut copy) };
    assert_eq!(status, SUBROSA_OK);
    black_box(copy.message.data);
    assert_eq!(subrosa_outbox_free(sealed), SUBROSA_OK);
    let calls = start.elapsed();
    let id = view(ID);
    // SAFETY: as above.
    let status = unsafe { subrosa_device_sent(alice, &raw const id, 1) };
    assert_eq!(status, SUBROSA_OK);
    Took { call, calls }
}

/// How much longer a call through the interface takes, of so many pairs of calls, each of which goes first every other
/// time: the difference of what a tenth of them undercut, and 10 µs, so that no sample is negative.
fn beyond_rust(
    times: u64,
    in_rust: &mut [Device<&'static mut dyn Store>],
    in_c: &[*mut subrosa_device],
    bob: &Bob,
    part: Part,
) -> Duration {
    let (mut rust, mut c) = (Vec::new(), Vec::new());
    let mut pairs: Vec<_> = in_rust.iter_mut().zip(in_c).collect();
    for turn in 0..usize::try_from(times).unwrap() {
        let pair = turn % pairs.len();
        let (in_rust, in_c) = &mut pairs[pair];
        if (turn / PAIRS).is_multiple_of(2) {
            rust.push(send_in_rust(in_rust, bob));
            c.push(send_in_c(**in_c, bob));
        } else {
            c.push(send_in_c(**in_c, bob));
            rust.push(send_in_rust(in_rust, bob));
        }
    }
    let longer = (quick(&c, part) + Duration::from_micros(10)).saturating_sub(quick(&rust, part));
    longer * u32::try_from(times).unwrap()
}

/// What nine of ten took longer than: nothing else ran beside it.
fn quick(took: &[Took], part: Part) -> Duration {
    let mut durations: Vec<_> = took.iter().map(part).collect();
    durations.sort_unstable();
    durations[durations.len() / 10]
}

fn calls(c: &mut Criterion) {
    let bob = Bob::new();
    let mut group = c.benchmark_group("send_64_B");
    let mut rust = in_rust(&bob);
    group.bench_function("in_rust", |b| {
        b.iter_custom(|times| {
            (0..times)
                .map(|_| send_in_rust(&mut rust, &bob).calls)
                .sum()
        });
    });
    let alice = in_c(&bob);
    group.bench_function("through_c", |b| {
        b.iter_custom(|times| (0..times).map(|_| send_in_c(alice, &bob).calls).sum());
    });
    let mut all_in_rust: Vec<_> = (0..PAIRS).map(|_| in_rust(&bob)).collect();
    let all_in_c: Vec<_> = (0..PAIRS).map(|_| in_c(&bob)).collect();
    let parts: [(&str, Part); 2] = [("call", |took| took.call), ("calls", |took| took.calls)];
    for (name, part) in parts {
        group.bench_function(format!("{name}_beyond_rust_and_10_us"), |b| {
            let (rust, c) = (&mut all_in_rust, &all_in_c);
            b.iter_custom(|times| beyond_rust(times.max(2), rust, c, &bob, part));
        });
    }
    group.finish();
    for device in all_in_c {
        assert_eq!(subrosa_device_free(device), SUBROSA_OK);
    }

    let mut group = c.benchmark_group("handle");
    group.bench_function("looked_up", |b| {
        let mut generation = 0;
        b.iter(|| {
            // SAFETY: as above.
            let status = unsafe { subrosa_device_generation(alice, &raw mut generation) };
            assert_eq!(status, SUBROSA_OK);
            generation
        });
    });
    group.bench_function("made_and_freed", |b| {
        let mut store = ptr::null_mut();
        b.iter(|| {
            // SAFETY: as above.
            assert_eq!(unsafe { subrosa_store_memory(&raw mut store) }, SUBROSA_OK);
            assert_eq!(subrosa_store_free(store), SUBROSA_OK);
        });
    });
    group.finish();
    assert_eq!(subrosa_device_free(alice), SUBROSA_OK);
}

criterion_group!(benches, calls);
criterion_main!(benches);
