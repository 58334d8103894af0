//! What is allocated: one output for each message of a steady chain, never more than the input is long, and two chunks for a
//! file of any length.

mod common;

use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};

use allocation_counter::{AllocationInfo, measure};
use common::server::{Server, messages, receive, register, send};
use common::{APP_KEY, Device, NOW, SLOT, SeededRng, pair, snapshot};
use subrosa::crypto::Secret;
use subrosa::crypto::hedge::{Hedge, Hedged};
use subrosa::device::store::{Key, Unreadable};
use subrosa::device::{Commit, MemoryStore, Store};
use subrosa::file::io::{Reader, SeekReader, Writer};
use subrosa::file::{CHUNK, FileKey};
use subrosa::state::{Format, seal};
use subrosa::{AppKey, Bundle, Conversation, DeviceIdentity, Incoming, Prekeys, import};

#[test]
fn a_message_of_a_steady_chain_takes_one_allocation_on_each_side() {
    let (mut alice, mut at_alice, _, mut at_bob) = pair(1);
    // The Braid has its fill of the chain in the first messages: of these each side makes or completes an object in
    // one, and the others take one allocation like all that follow.
    let mut more = [0, 0];
    for _ in 0..40 {
        let mut message = Vec::new();
        let sealed = measure(|| message = alice.seal(&mut at_alice, b"", NOW));
        let reading = measure(|| {
            let incoming = Incoming::parse(&message).unwrap();
            drop(at_bob.open(&incoming, NOW).unwrap());
        });
        for (more, info) in more.iter_mut().zip([sealed, reading]) {
            *more += u32::from(info.count_total > 1);
            require_bounded("the Braid", message.len(), &info);
        }
    }
    // Bob's other one begins the chain.
    assert_eq!(more, [1, 2]);
    for length in [0, 64, 1024, 65_536] {
        let text = vec![b'x'; length];
        // The first message of a burst may begin a chain.
        let message = alice.seal(&mut at_alice, &text, NOW);
        at_bob
            .open(&Incoming::parse(&message).unwrap(), NOW)
            .unwrap();
        for _ in 0..10 {
            let mut message = Vec::new();
            let sealed = measure(|| message = alice.seal(&mut at_alice, &text, NOW));
            assert_eq!(sealed.count_total, 1, "seal {length}");
            assert_eq!(sealed.bytes_total, message.capacity() as u64);
            let mut opened = Vec::new();
            let reading = measure(|| {
                let incoming = Incoming::parse(&message).unwrap();
                opened = at_bob.open(&incoming, NOW).unwrap().text;
            });
            assert_eq!(reading.count_total, 1, "open {length}");
            assert!(reading.bytes_total <= message.len() as u64);
            assert_eq!(opened, text);
        }
    }
}

/// What `work` may allocate for an input of `length` bytes: two copies of it, and a constant for keys and tables, of
/// which 2 kB are the Braid's: room for the 72 symbols of an encapsulation key with their indices, for one object
/// beside them, and for the seeds of six epochs.
fn require_bounded(what: &str, length: usize, info: &AllocationInfo) {
    let bound = 2 * length as u64 + 8_192 + 2_048;
    assert!(
        info.bytes_max <= bound && info.bytes_total <= 2 * bound,
        "{what}: {length} bytes in, {info:?}"
    );
}

/// Inputs that claim far more than they have, at every place where a length or a number of elements can stand.
fn liars(genuine: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    (0..genuine.len()).step_by(7).flat_map(move |at| {
        [
            &[0xbf, 0xff, 0xff, 0xff][..],
            &[0x7f, 0xff],
            &[0x3f],
            &[0xff; 9],
        ]
        .map(|claim| {
            let mut input = genuine.to_vec();
            let end = (at + claim.len()).min(input.len());
            input[at..end].copy_from_slice(&claim[..end - at]);
            input
        })
        // By chance it was the truth.
        .into_iter()
        .filter(move |input| input != genuine)
    })
}

#[test]
fn attack_r9_messages_and_bundles_allocate_no_more_than_they_are_long() {
    let mut bob = Device::new("bob", 3);
    let bundle = bob.prekeys.last_resort_bundle(&bob.identity).unwrap();
    for input in liars(&bundle) {
        let info = measure(|| drop(Bundle::parse(&input).map(|bundle| bundle.verify(NOW))));
        require_bounded("bundle", input.len(), &info);
    }
    let (mut alice, mut at_alice, _, mut at_bob) = pair(4);
    let message = alice.seal(&mut at_alice, &[b'x'; 5_000], NOW);
    let mut new = alice.begin(&mut bob, NOW);
    let first = alice.seal(&mut new, b"hello", NOW);
    for input in liars(&message).chain(liars(&first)) {
        let info = measure(|| {
            if let Ok(incoming) = Incoming::parse(&input) {
                let _ = at_bob.open(&incoming, NOW);
            }
        });
        require_bounded("message", input.len(), &info);
    }
    at_bob
        .open(&Incoming::parse(&message).unwrap(), NOW)
        .unwrap();
}

/// The plaintext of a genuine container, made to lie.
fn import_liars(kind: u16, plaintext: &[u8], read: impl Fn(&[u8]) -> bool) {
    let hedge = Hedge::new(&Secret::new([1; 32]), &Secret::new([2; 32]));
    let mut rng = SeededRng(5);
    let format = Format { kind, version: 1 };
    let mut contain = |plaintext: &[u8]| {
        let entropy = &mut Hedged::new(&hedge, &mut rng);
        seal(format, SLOT, plaintext, &AppKey::new(APP_KEY), entropy).unwrap()
    };
    assert!(read(&contain(plaintext)), "the genuine state is read");
    for lie in liars(plaintext) {
        let exported = contain(&lie);
        let info = measure(|| {
            let _ = read(&exported);
        });
        require_bounded("state", exported.len(), &info);
    }
}

#[test]
fn attack_r9_stored_states_allocate_no_more_than_they_are_long() {
    let (mut alice, mut at_alice, bob, mut at_bob) = pair(6);
    for _ in 0..50 {
        let lost = alice.seal(&mut at_alice, b"lost", NOW);
        drop(lost);
    }
    let message = alice.seal(&mut at_alice, b"read", NOW);
    at_bob
        .open(&Incoming::parse(&message).unwrap(), NOW)
        .unwrap();
    let key = AppKey::new(APP_KEY);
    let plaintext = |exported: &[u8], kind| {
        let format = Format { kind, version: 1 };
        subrosa::state::open(format, SLOT, exported, &key)
            .unwrap()
            .to_vec()
    };
    import_liars(
        1,
        &plaintext(&snapshot(&bob.identity, &bob.identity), 1),
        |exported| import::<DeviceIdentity>(exported, SLOT, &key).is_ok(),
    );
    import_liars(
        2,
        &plaintext(&snapshot(&bob.prekeys, &bob.identity), 2),
        |exported| import::<Prekeys>(exported, SLOT, &key).is_ok(),
    );
    import_liars(
        3,
        &plaintext(&snapshot(&at_bob, &bob.identity), 3),
        |exported| import::<Conversation>(exported, SLOT, &key).is_ok(),
    );
}

/// However many conversations are stored: two values are read.
#[test]
fn a_device_is_opened_in_a_few_kilobytes() {
    struct Counting(MemoryStore, u32);
    impl Store for Counting {
        fn get(&mut self, key: &Key) -> Result<Option<Vec<u8>>, Unreadable> {
            self.1 += 1;
            self.0.get(key)
        }
        fn commit(&mut self, base: u64, puts: &[(Key, Vec<u8>)], deletes: &[Key]) -> Commit {
            self.0.commit(base, puts, deletes)
        }
    }
    let (mut server, mut rng) = (Server::default(), SeededRng(3));
    let store = Counting(MemoryStore::new(), 0);
    let mut device = register(&mut server, store, APP_KEY, NOW, &mut rng).0;
    let account = device.account().unwrap();
    for peer in 0..30u8 {
        let store = MemoryStore::new();
        let mut peer_device = register(&mut server, store, [peer; 32], NOW, &mut rng).0;
        send(
            &mut server,
            &mut peer_device,
            &account,
            b"1",
            b"text",
            NOW,
            &mut rng,
        )
        .unwrap();
    }
    let events = receive(&mut server, &mut device, NOW, &mut rng).unwrap();
    assert_eq!(messages(&mut device, &events, &mut rng).len(), 30);
    let mut store = device.into_store();
    assert!(store.0.iter().count() > 100, "conversations and their tags");
    store.1 = 0;
    let mut opened = None;
    let info = measure(|| {
        let key = AppKey::new(APP_KEY);
        opened = Some(subrosa::Device::open(store, key, None).unwrap());
    });
    assert!(info.bytes_max < 4_096, "{} bytes", info.bytes_max);
    assert_eq!(opened.unwrap().into_store().1, 2);
}

/// Sealed, opened, and read at many places: one chunk, and less than another for keys and state.
#[test]
fn a_file_of_any_length_takes_the_memory_of_two_chunks() {
    const LENGTH: u64 = 40 * 1024 * 1024 + 5;
    let key = || FileKey::from_bytes(Secret::new([1; 32]));
    let require_small = |what: &str, info: AllocationInfo| {
        assert!(info.bytes_max <= 2 * CHUNK as u64, "{what}: {info:?}");
        assert!(info.bytes_max >= CHUNK as u64, "{what}: it was measured");
    };
    let mut sealed = Vec::with_capacity(LENGTH as usize + LENGTH as usize / 1000 + 100);
    let info = measure(|| {
        let mut writer = Writer::new(&mut sealed, &key(), b"", &mut SeededRng(7)).unwrap();
        let mut piece = [7; 5000];
        let mut text = io::repeat(7).take(LENGTH);
        loop {
            let count = text.read(&mut piece).unwrap();
            if count == 0 {
                break;
            }
            writer.write_all(&piece[..count]).unwrap();
        }
        writer.finish().unwrap();
    });
    require_small("sealing", info);
    let read_to_end = |reader: &mut dyn Read| {
        let mut piece = [0; 5000];
        let mut length = 0;
        loop {
            let count = reader.read(&mut piece).unwrap();
            if count == 0 {
                return length;
            }
            assert!(piece[..count].iter().all(|byte| *byte == 7));
            length += count as u64;
        }
    };
    let info = measure(|| {
        let mut reader = Reader::new(sealed.as_slice(), key(), b"");
        assert_eq!(read_to_end(&mut reader), LENGTH);
    });
    require_small("opening", info);
    let info = measure(|| {
        let mut reader = SeekReader::new(Cursor::new(&sealed), &key(), b"").unwrap();
        assert_eq!(reader.seek(SeekFrom::End(0)).unwrap(), LENGTH);
        let mut piece = [0; 4_096];
        for at in (0..LENGTH - 4_096).step_by(123_457) {
            assert_eq!(reader.read_at(at, &mut piece).unwrap(), 4_096);
            assert_eq!(piece, [7; 4_096]);
        }
    });
    require_small("reading at places", info);
}

/// The calling thread allocates everything that the others work in.
#[cfg(feature = "threads")]
#[test]
fn threads_take_eight_chunks_each() {
    use std::num::NonZeroUsize;
    use subrosa::file::{SEALED_CHUNK, parallel};

    let text = vec![7; 5_000_000];
    let key = FileKey::from_bytes(Secret::new([1; 32]));
    for count in [1, 2, 4] {
        let threads = NonZeroUsize::new(count).unwrap();
        let mut sealed = Vec::with_capacity(text.len() + 10_000);
        let mut opened = Vec::with_capacity(text.len());
        let sealing = measure(|| {
            let rng = &mut SeededRng(7);
            parallel::seal(&text[..], &mut sealed, &key, b"", threads, rng).unwrap();
        });
        let opening = measure(|| {
            parallel::open(&sealed[..], &mut opened, &key, b"", threads).unwrap();
        });
        assert!(opened == text);
        let buffers = 8 * count as u64 * SEALED_CHUNK as u64;
        for info in [sealing, opening] {
            assert!(info.bytes_max < 1024 * 1024, "{count}: {info:?}");
            assert!(info.bytes_max < buffers + 16_384, "{count}: {info:?}");
            assert!(info.bytes_max >= buffers, "it was measured");
        }
    }
}
