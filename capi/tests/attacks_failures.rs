//! A generator or a store that fails in the midst of a call: nothing is written, nothing is changed, and the same call
//! succeeds afterwards.

mod common;

use std::ptr::{null, null_mut};
use std::rc::Rc;

use common::disk::{Contents, Disk, Fate};
use common::mem::Mem;
use common::source::Source;
use common::*;
use subrosa_capi::device::*;
use subrosa_capi::emoji::*;
use subrosa_capi::status::*;
use subrosa_capi::value::*;

/// Alice over a store and a generator that can fail, and what she can be made to do.
struct Scene {
    disk: Rc<Disk>,
    source: Rc<Source>,
    pair: Pair,
    recovery: [u8; 32],
    /// Of a device that can be linked.
    request: Vec<u8>,
    /// Bob's bundle, and a message from him.
    bundle: Vec<u8>,
    message: Vec<u8>,
}

impl Scene {
    fn new() -> Self {
        let (disk, source) = (Disk::new(), Source::new(1));
        let (mut alice, mut recovery) = (null_mut(), [0; SUBROSA_SEED]);
        let (rng, to) = (source.rng(), recovery.as_mut_ptr());
        let store = disk.store();
        ok!(unsafe { subrosa_device_create(store, KEY.as_ptr(), &rng, NOW, &mut alice, to) });
        let (bob, _) = create(memory());
        introduce(alice, bob);
        introduce(bob, alice);
        let mut bundles = publish(bob, 2, NOW);
        begin(alice, &bundles[1..2], NOW);
        let pair = Pair {
            alice,
            bob,
            to_alice: account(alice),
            to_bob: account(bob),
        };
        pair.to_bob(b"1", b"there");
        pair.to_alice(b"1", b"back");
        let address = subrosa_address {
            account: pair.to_alice,
            device: 2,
        };
        let mut tablet = null_mut();
        ok!(unsafe {
            subrosa_device_create_linked(memory(), KEY.as_ptr(), null(), &address, NOW, &mut tablet)
        });
        let (mut request, mut len) = ([0; SUBROSA_LINK_REQUEST], SUBROSA_LINK_REQUEST);
        ok!(unsafe { subrosa_device_link_request(tablet, request.as_mut_ptr(), &mut len) });
        ok!(subrosa_device_free(tablet));
        let message = send(bob, &pair.to_alice, b"2", b"from Bob");
        Self {
            disk,
            source,
            pair,
            recovery,
            request: request[..len].to_vec(),
            bundle: bundles.remove(2),
            message,
        }
    }

    fn state(&self) -> (Contents, u64) {
        (self.disk.contents(), generation(self.pair.alice))
    }
}

/// A call of Alice's whose outputs lie in the memory.
type Call = fn(&Scene, &Mem) -> subrosa_status;

/// Everything that changes something.
const CALLS: [(&str, Call); 12] = [
    ("publish", |scene, mem| unsafe {
        subrosa_device_publish(scene.pair.alice, 1, NOW, mem.at(0))
    }),
    ("begin", |scene, mem| unsafe {
        subrosa_device_begin(scene.pair.alice, &view(&scene.bundle), 1, NOW, mem.at(0))
    }),
    ("send", |scene, mem| unsafe {
        let (to, text) = (scene.pair.to_bob.as_ptr(), b"text".as_ptr());
        subrosa_device_send(scene.pair.alice, to, text, 4, text, 4, 0, NOW, mem.at(0))
    }),
    ("sent", |scene, _| unsafe {
        subrosa_device_sent(scene.pair.alice, &view(b"1"), 1)
    }),
    ("receive", |scene, mem| unsafe {
        subrosa_device_receive(scene.pair.alice, &view(&scene.message), 1, NOW, mem.at(0))
    }),
    ("read", |scene, _| unsafe {
        subrosa_device_read(scene.pair.alice, [0, 1].as_ptr(), 2)
    }),
    ("approve", |scene, _| unsafe {
        subrosa_device_approve(scene.pair.alice, scene.pair.to_bob.as_ptr())
    }),
    ("forget", |scene, _| unsafe {
        subrosa_device_forget(scene.pair.alice, scene.pair.to_bob.as_ptr(), NOW)
    }),
    ("link", |scene, mem| unsafe {
        let request = scene.request.as_ptr();
        subrosa_device_link(scene.pair.alice, request, scene.request.len(), mem.at(0))
    }),
    ("unlink", |scene, mem| unsafe {
        subrosa_device_unlink(scene.pair.alice, 1, NOW, mem.at(0))
    }),
    ("replace_keys", |scene, mem| unsafe {
        let recovery = scene.recovery.as_ptr();
        let alice = scene.pair.alice;
        subrosa_device_replace_keys(alice, recovery, null(), 0, NOW, mem.at(0), mem.at(64))
    }),
    ("emoji_start", |scene, mem| unsafe {
        let account = scene.pair.to_bob.as_ptr();
        subrosa_emoji_start(scene.pair.alice, account, mem.at(0), mem.at(64))
    }),
];

const UNTOUCHED: [u8; 128] = [0xee; 128];

/// Whether a call draws randomness at all: `emoji_start` changes nothing that is stored.
fn commits(name: &str) -> bool {
    name != "emoji_start"
}

#[test]
fn a_generator_that_fails_at_any_draw_fails_the_call() {
    for (name, call) in CALLS {
        let scene = Scene::new();
        let mem = Mem::with(&UNTOUCHED);
        let before = scene.state();
        let mut failed = 0;
        loop {
            assert!(failed < 1_000, "{name}");
            scene.source.fails_at.set(scene.source.draws.get() + failed);
            let status = call(&scene, &mem);
            scene.source.fails_at.set(usize::MAX);
            if status == SUBROSA_OK {
                break;
            }
            assert_eq!(status, SUBROSA_ERROR_RNG, "{name}, draw {failed}");
            assert!(mem.take(0, 128) == UNTOUCHED, "{name}, draw {failed}");
            assert_eq!(scene.state(), before, "{name}, draw {failed}");
            failed += 1;
        }
        assert!(failed > 0, "{name}");
        assert_eq!(scene.state() != before, commits(name), "{name}");
        scene.pair.free();
    }
}

#[test]
fn a_store_that_fails_fails_the_call() {
    for (name, call) in CALLS.into_iter().filter(|(name, _)| commits(name)) {
        let scene = Scene::new();
        let mem = Mem::with(&UNTOUCHED);
        let before = scene.state();
        let unchanged = |what| {
            assert!(mem.take(0, 128) == UNTOUCHED, "{name}, {what}");
            assert_eq!(scene.state(), before, "{name}, {what}");
        };
        for (fate, status) in [
            (Fate::Failed, SUBROSA_ERROR_FAILED),
            (Fate::Stale, SUBROSA_ERROR_STALE),
            (Fate::UnknownLost, SUBROSA_ERROR_UNKNOWN),
        ] {
            scene.disk.fate.set(fate);
            assert_eq!(call(&scene, &mem), status, "{name}");
            unchanged("a commit");
        }
        scene.disk.fate.set(Fate::Done);
        // It is not known what is stored.
        assert_eq!(call(&scene, &mem), SUBROSA_ERROR_UNKNOWN, "{name}");
        unchanged("what is unknown");
        ok!(subrosa_device_reopen(scene.pair.alice));
        scene.disk.unreadable.set(true);
        assert_eq!(call(&scene, &mem), SUBROSA_ERROR_UNREADABLE, "{name}");
        scene.disk.unreadable.set(false);
        unchanged("a read");
        ok!(call(&scene, &mem));
        assert_ne!(scene.state(), before, "{name}");
        scene.pair.free();
    }
}

#[test]
fn a_device_that_could_not_be_made_has_left_its_store() {
    let disk = Disk::new();
    let store = disk.store();
    let source = Source::new(1);
    let rng = source.rng();
    let (mut device, mut recovery) = (null_mut(), [0xee; SUBROSA_SEED]);
    let mut create = || {
        let to = recovery.as_mut_ptr();
        let status =
            unsafe { subrosa_device_create(store, KEY.as_ptr(), &rng, NOW, &mut device, to) };
        assert_eq!(device.is_null(), status != SUBROSA_OK);
        assert_eq!(recovery == [0xee; SUBROSA_SEED], status != SUBROSA_OK);
        status
    };
    for (fate, status) in [
        (Fate::Failed, SUBROSA_ERROR_FAILED),
        (Fate::Stale, SUBROSA_ERROR_OCCUPIED),
        (Fate::UnknownLost, SUBROSA_ERROR_UNKNOWN),
    ] {
        disk.fate.set(fate);
        fails!(status, create());
    }
    disk.fate.set(Fate::Done);
    disk.unreadable.set(true);
    fails!(SUBROSA_ERROR_UNREADABLE, create());
    disk.unreadable.set(false);
    let mut failed = 0;
    let status = loop {
        source.fails_at.set(source.draws.get() + failed);
        let status = create();
        if status != SUBROSA_ERROR_RNG {
            break status;
        }
        failed += 1;
    };
    ok!(status);
    assert!(failed > 3, "{failed}");
    assert_eq!((disk.commits.get(), disk.released.get()), (4, 0));
    ok!(subrosa_device_free(device));
    assert_eq!(disk.released.get(), 1);
}

#[test]
fn what_failed_to_be_received_is_received_afterwards() {
    let scene = Scene::new();
    let alice = scene.pair.alice;
    for fate in [Fate::Failed, Fate::UnknownLost, Fate::UnknownStored] {
        let message = send(
            scene.pair.bob,
            &scene.pair.to_alice,
            &[fate as u8],
            b"again",
        );
        scene.disk.fate.set(fate);
        let mut events = null_mut();
        let status = unsafe { subrosa_device_receive(alice, &view(&message), 1, NOW, &mut events) };
        assert_ne!(status, SUBROSA_OK);
        assert!(events.is_null());
        scene.disk.fate.set(Fate::Done);
        ok!(subrosa_device_reopen(alice));
        if fate == Fate::UnknownStored {
            // It is in the inbox, for which nobody needs the message.
            assert_eq!(inbox(alice).last().unwrap().text, b"again");
            assert_eq!(refused(alice, &message, NOW), SUBROSA_ERROR_DUPLICATE);
        } else {
            assert_eq!(read_one(alice, &message), b"again");
        }
    }
    scene.pair.free();
}
