//! Calls about groups whose generator or store fails in their midst (nothing is written, nothing is changed, and the same call
//! succeeds afterwards), and whose outputs lie where their inputs lay (I2).

mod common;

use std::ptr::{null, null_mut};
use std::rc::Rc;

use common::disk::{Contents, Fate};
use common::groups::*;
use common::mem::Mem;
use common::source::Source;
use common::*;
use subrosa_capi::device::*;
use subrosa_capi::result::*;
use subrosa_capi::status::*;
use subrosa_capi::value::*;

/// Alice over a store and a generator that can fail, in a group with Bob, and in one in which a change waits.
struct Scene {
    circle: Circle,
    source: Rc<Source>,
    alice: *mut subrosa_device,
    /// Where her change waits.
    waiting: Group,
    /// Of a device that she knows.
    package: Vec<u8>,
    /// From Bob, to both.
    message: Vec<u8>,
}

impl Scene {
    fn new() -> Self {
        let circle = Circle::new(2);
        let waiting = found(circle.phones[0]);
        change(circle.phones[0], &waiting, &[], &[]);
        tell(circle.phones[0], &circle.group, b"1");
        let (dave, _) = create(memory());
        introduce(circle.phones[0], dave);
        let package = key_packages(dave, 1, NOW).remove(1);
        ok!(subrosa_device_free(dave));
        ok!(subrosa_device_free(circle.phones[0]));
        let (source, mut alice) = (Source::new(1), null_mut());
        let (store, rng) = (circle.disks[0].store(), source.rng());
        ok!(unsafe { subrosa_device_open(store, KEY.as_ptr(), &rng, null(), &mut alice) });
        let message = circle.tell(1, b"from Bob");
        Self {
            circle,
            source,
            alice,
            waiting,
            package,
            message,
        }
    }

    fn state(&self) -> (Contents, u64) {
        (self.circle.disks[0].contents(), generation(self.alice))
    }

    fn free(self) {
        ok!(subrosa_device_free(self.alice));
        ok!(subrosa_device_free(self.circle.phones[1]));
    }
}

/// A call of Alice's whose outputs lie in the memory.
type Call = fn(&Scene, &Mem) -> subrosa_status;

/// Everything that changes something.
const CALLS: [(&str, Call); 10] = [
    ("publish_key_packages", |scene, mem| unsafe {
        subrosa_device_publish_key_packages(scene.alice, 1, NOW, mem.at(0))
    }),
    ("create", |scene, mem| unsafe {
        subrosa_device_group_create(scene.alice, NOW, mem.at(0))
    }),
    ("change", |scene, mem| unsafe {
        let (group, id) = (scene.circle.group.as_ptr(), b"2".as_ptr());
        let (add, alice) = (view(&scene.package), scene.alice);
        subrosa_device_group_change(alice, group, id, 1, &add, 1, null(), 0, NOW, mem.at(0))
    }),
    ("remove", |scene, mem| unsafe {
        let (group, id) = (scene.circle.group.as_ptr(), b"2".as_ptr());
        let (bob, alice) = (address(scene.circle.phones[1]), scene.alice);
        subrosa_device_group_change(alice, group, id, 1, null(), 0, &bob, 1, NOW, mem.at(0))
    }),
    ("withdraw", |scene, _| unsafe {
        subrosa_device_group_withdraw(scene.alice, scene.waiting.as_ptr())
    }),
    ("send", |scene, mem| unsafe {
        let (group, text) = (scene.circle.group.as_ptr(), b"text".as_ptr());
        subrosa_device_group_send(scene.alice, group, text, 4, text, 4, mem.at(0))
    }),
    ("leave", |scene, mem| unsafe {
        let (group, id) = (scene.circle.group.as_ptr(), b"bye".as_ptr());
        subrosa_device_group_leave(scene.alice, group, id, 3, mem.at(0))
    }),
    ("forget", |scene, _| unsafe {
        subrosa_device_group_forget(scene.alice, scene.circle.group.as_ptr())
    }),
    ("sent", |scene, _| unsafe {
        subrosa_device_group_sent(scene.alice, &view(b"1"), 1)
    }),
    ("receive", |scene, mem| unsafe {
        subrosa_device_group_receive(scene.alice, &view(&scene.message), 1, NOW, mem.at(0))
    }),
];

const UNTOUCHED: [u8; 128] = [0xee; 128];

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
        assert_ne!(scene.state(), before, "{name}");
        scene.free();
    }
}

#[test]
fn a_store_that_fails_fails_the_call() {
    for (name, call) in CALLS {
        let scene = Scene::new();
        let disk = &scene.circle.disks[0];
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
            disk.fate.set(fate);
            assert_eq!(call(&scene, &mem), status, "{name}");
            unchanged("a commit");
        }
        disk.fate.set(Fate::Done);
        // It is not known what is stored.
        assert_eq!(call(&scene, &mem), SUBROSA_ERROR_UNKNOWN, "{name}");
        unchanged("what is unknown");
        ok!(subrosa_device_reopen(scene.alice));
        disk.unreadable.set(true);
        assert_eq!(call(&scene, &mem), SUBROSA_ERROR_UNREADABLE, "{name}");
        disk.unreadable.set(false);
        unchanged("a read");
        ok!(call(&scene, &mem));
        assert_ne!(scene.state(), before, "{name}");
        scene.free();
    }
}

#[test]
fn attack_i2_groups_go_where_their_inputs_lay() {
    let circle = Circle::new(2);
    let [alice, bob] = circle.phones[..] else {
        panic!("two");
    };
    let mem = Mem::new();
    let put_view = |at: usize, of: usize, len: usize| unsafe {
        mem.at::<subrosa_bytes>(at).write(subrosa_bytes {
            data: mem.at::<u8>(of),
            len,
        });
    };
    // The handle over the group, the name, and the text in turn.
    let mut messages = Vec::new();
    for (round, at) in [0, 32, 64].into_iter().enumerate() {
        mem.put(0, &circle.group);
        mem.put(32, &[round as u8; 16]);
        mem.put(64, b"this is the text");
        ok!(unsafe {
            let (group, id, text) = (mem.at(0), mem.at(32), mem.at(64));
            subrosa_device_group_send(alice, group, id, 16, text, 16, mem.at(at))
        });
        let sent = sealed(mem.read(at)).remove(0);
        assert_eq!(
            (sent.group, &sent.id[..]),
            (circle.group, &[round as u8; 16][..])
        );
        messages.push(sent.copies[0].1.clone());
        mem.put(32, &[round as u8; 16]);
        ok!(unsafe { subrosa_device_group_retry(alice, mem.at(32), 16, mem.at(32)) });
        assert_eq!(sealed(mem.read(32)), [sent]);
    }
    // Over the message, and over the view of it.
    for (message, at) in messages.iter().zip([0, 1024, 1032]) {
        mem.put(0, message);
        put_view(1024, 0, message.len());
        ok!(unsafe { subrosa_device_group_receive(bob, mem.at(1024), 1, NOW, mem.at(at)) });
        assert_eq!(told(mem.read(at))[0].text, b"this is the text");
    }
    // Members and epoch over the group.
    for at in [0, 8, 24] {
        mem.put(0, &circle.group);
        ok!(unsafe { subrosa_device_group_members(alice, mem.at(0), mem.at(at)) });
        let seen: Vec<_> = addresses(mem.read(at))
            .into_iter()
            .map(Result::unwrap)
            .collect();
        assert_eq!(seen, [alice, bob].map(address));
    }
    let known = epoch(alice, &circle.group);
    mem.put(0, &circle.group);
    ok!(unsafe { subrosa_device_group_epoch(alice, mem.at(0), mem.at(32), mem.at(0)) });
    assert_eq!((mem.read::<u64>(32), mem.read::<[u8; 32]>(0)), known);
    mem.put(8, &circle.group);
    ok!(unsafe { subrosa_device_group_epoch(alice, mem.at(8), mem.at(8), mem.at(16)) });
    assert_eq!((mem.read::<u64>(8), mem.read::<[u8; 32]>(16)), known);

    // A change over the group, its name, the key package, the view of it, and the device that is removed.
    let (dave, _) = create(memory());
    introduce(alice, dave);
    for (round, at) in [0, 32, 64, 1024, 1048].into_iter().enumerate() {
        let package = key_packages(dave, 1, NOW).remove(1);
        mem.put(0, &circle.group);
        mem.put(32, &[round as u8 + 10; 16]);
        mem.put(64, &package);
        put_view(1024, 64, package.len());
        unsafe { mem.at::<subrosa_address>(1048).write(address(bob)) };
        ok!(unsafe {
            let (group, id, add) = (mem.at(0), mem.at(32), mem.at(1024));
            let (remove, to) = (mem.at(1048), mem.at(at));
            subrosa_device_group_change(alice, group, id, 16, add, 1, remove, 1, NOW, to)
        });
        let made = sealed(mem.read(at)).remove(0);
        assert_eq!(
            (made.kind, made.copies[1].0),
            (SUBROSA_SENT_CHANGE, address(dave))
        );
        ok!(unsafe { subrosa_device_group_withdraw(alice, circle.group.as_ptr()) });
    }
    mem.put(0, &circle.group);
    mem.put(32, b"bye");
    ok!(unsafe { subrosa_device_group_leave(bob, mem.at(0), mem.at(32), 3, mem.at(0)) });
    assert_eq!(sealed(mem.read(0))[0].kind, SUBROSA_SENT_PROPOSAL);
    ok!(subrosa_device_free(dave));
    circle.free();
}
