//! What must fail with objects: freed ones, those of another type, and those in use (I3, I6).

mod common;

use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::ptr::null_mut;
use std::rc::Rc;
use std::sync::mpsc;
use std::thread;

use common::mem::Mem;
use common::scene::{Scene, TYPES, calls};
use common::*;
use subrosa_capi::device::*;
use subrosa_capi::list::*;
use subrosa_capi::result::*;
use subrosa_capi::status::*;
use subrosa_capi::store::*;

fn counts(object: *mut c_void) -> [usize; 3] {
    [
        subrosa_events_count(object.cast()),
        subrosa_outbox_count(object.cast()),
        subrosa_addresses_count(object.cast()),
    ]
}

#[test]
fn attack_i3_another_type_is_refused_by_every_function() {
    let (scene, mem) = (Scene::new(), Mem::new());
    let (objects, before) = (scene.objects(), scene.state());
    let calls = calls(&scene, &mem);
    for (name, wanted, call) in &calls {
        for (given, object) in objects.iter().enumerate() {
            if given != *wanted {
                let status = call(*object);
                assert_eq!(status, SUBROSA_ERROR_HANDLE, "{name} of {}", TYPES[given]);
            }
        }
        // Neither the address of something, nor NULL, nor what was made up.
        let address = mem.at::<c_void>(0);
        for number in [0, 1, 1 << 20, usize::MAX] {
            let made_up = std::ptr::without_provenance_mut(number);
            for object in [address, made_up] {
                if object.is_null() && name.ends_with("_free") {
                    assert_eq!(call(object), SUBROSA_OK);
                } else {
                    assert_eq!(call(object), SUBROSA_ERROR_HANDLE, "{name} of {object:?}");
                }
            }
        }
    }
    for (place, object) in objects.iter().enumerate() {
        let expected = [3, 4, 6].map(|counted| usize::from(counted == place));
        assert_eq!(counts(*object), expected, "{}", TYPES[place]);
    }
    drop(calls);
    assert_eq!(scene.state(), before);
    scene.end();
}

#[test]
fn attack_i3_what_was_freed_is_refused_by_every_function() {
    let (scene, mem) = (Scene::new(), Mem::new());
    let other = Scene::new();
    let freed = other.objects();
    let before = scene.state();
    // So that the names that were freed are not those of the scene.
    let calls = calls(&scene, &mem);
    other.end();
    for (name, wanted, call) in &calls {
        assert_eq!(call(freed[*wanted]), SUBROSA_ERROR_HANDLE, "{name}");
    }
    for object in freed {
        assert_eq!(counts(object), [0; 3]);
    }
    drop(calls);
    assert_eq!(scene.state(), before);
    scene.end();
}

#[test]
fn attack_i3_a_store_that_a_device_took_is_gone() {
    let store = memory();
    let (device, _) = create(store);
    fails!(SUBROSA_ERROR_HANDLE, subrosa_store_free(store));
    fails!(
        SUBROSA_ERROR_HANDLE,
        subrosa_device_reopen_with(device, store)
    );
    ok!(subrosa_device_free(device));
    fails!(SUBROSA_ERROR_HANDLE, subrosa_device_free(device));
}

/// Calls every function of a device from within a callback of a call of that device: which are refused, and how.
fn from_within(
    scene: &Scene,
    mem: &Mem,
    set: impl FnOnce(Box<dyn Fn()>),
) -> Rc<RefCell<Vec<(&'static str, i32)>>> {
    let alice = scene.pair.alice.cast();
    let seen = Rc::new(RefCell::new(Vec::new()));
    let calls = calls(scene, mem);
    let told = Rc::clone(&seen);
    let bob = scene.pair.bob;
    set(Box::new(move || {
        for (name, _, call) in calls.iter().filter(|(_, wanted, _)| *wanted == 1) {
            told.borrow_mut().push((*name, call(alice)));
        }
        // Other objects are free.
        assert_eq!(address(bob).device, 1);
    }));
    seen
}

#[test]
fn attack_i6_callbacks_that_call_again_are_told_so() {
    let (scene, mem) = (Scene::new(), Mem::new());
    let alice = scene.pair.alice;
    for of_the_store in [false, true] {
        let seen = from_within(&scene, &mem, |hook| {
            let place = if of_the_store {
                &scene.disk.hook
            } else {
                &scene.source.hook
            };
            *place.borrow_mut() = Some(hook);
        });
        let id = [u8::from(of_the_store)];
        let message = send(alice, &scene.pair.to_bob, &id, b"text");
        *scene.disk.hook.borrow_mut() = None;
        *scene.source.hook.borrow_mut() = None;
        assert!(seen.borrow().len() >= 30);
        for (name, status) in seen.borrow().iter() {
            assert_eq!(*status, SUBROSA_ERROR_BUSY, "{name}");
        }
        // The call itself has gone on as if nothing had been.
        assert_eq!(read_one(scene.pair.bob, message), b"text");
    }
    scene.end();
}

#[test]
fn attack_i6_a_store_that_is_being_taken_is_busy() {
    let disk = common::disk::Disk::new();
    let store = disk.store();
    let seen = Rc::new(Cell::new(SUBROSA_OK));
    let told = Rc::clone(&seen);
    *disk.hook.borrow_mut() = Some(Box::new(move || told.set(subrosa_store_free(store))));
    let (device, _) = create(store);
    assert_eq!(seen.get(), SUBROSA_ERROR_BUSY);
    let told = Rc::clone(&seen);
    *disk.hook.borrow_mut() = Some(Box::new(move || told.set(subrosa_device_reopen(device))));
    // While it is released, the device is gone already.
    ok!(subrosa_device_free(device));
    assert_eq!(seen.get(), SUBROSA_ERROR_HANDLE);
    assert_eq!(disk.released.get(), 1);
}

/// A pointer that a thread may have.
struct Handed<T>(*mut T);

impl<T> Clone for Handed<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Handed<T> {}

unsafe impl<T> Send for Handed<T> {}
unsafe impl<T> Sync for Handed<T> {}

impl<T> Handed<T> {
    const fn get(&self) -> *mut T {
        self.0
    }
}

#[test]
fn attack_i6_another_thread_is_told_that_the_device_is_busy() {
    let scene = Scene::new();
    let alice = Handed(scene.pair.alice);
    let before = scene.state();
    let (ask, asked) = mpsc::channel::<()>();
    let (answer, answered) = mpsc::channel();
    let other = thread::spawn(move || {
        let alice = alice.get();
        while asked.recv().is_ok() {
            let (mut generation, mut bundles) = (77, null_mut());
            let statuses = [
                subrosa_device_reopen(alice),
                unsafe { subrosa_device_generation(alice, &mut generation) },
                unsafe { subrosa_device_publish(alice, 1, NOW, &mut bundles) },
                subrosa_device_free(alice),
            ];
            assert!(generation == 77 && bundles.is_null());
            answer.send(statuses).unwrap();
        }
    });
    let seen = Rc::new(RefCell::new(Vec::new()));
    let told = Rc::clone(&seen);
    // The other thread does all that while this one is in the midst of a call.
    *scene.disk.hook.borrow_mut() = Some(Box::new(move || {
        ask.send(()).unwrap();
        told.borrow_mut().push(answered.recv().unwrap());
    }));
    assert_eq!(inbox(scene.pair.alice).len(), 1);
    *scene.disk.hook.borrow_mut() = None;
    other.join().unwrap();
    assert!(!seen.borrow().is_empty());
    for statuses in seen.borrow().iter() {
        assert_eq!(*statuses, [SUBROSA_ERROR_BUSY; 4]);
    }
    assert_eq!(scene.state(), before);
    scene.end();
}

#[test]
fn attack_i6_const_functions_run_at_the_same_time() {
    let scene = Scene::new();
    let (alice, list) = (Handed(scene.pair.alice), Handed(scene.list));
    let (events, outbox) = (Handed(scene.events), Handed(scene.outbox));
    let bundles = Handed(scene.bundles);
    let rounds = if cfg!(miri) { 5 } else { 5_000 };
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(move || {
                for _ in 0..rounds {
                    let address = address(alice.get());
                    assert_eq!(address.device, 1);
                    let mut info = new_list_info();
                    ok!(unsafe { subrosa_list_read(list.get(), &mut info) });
                    assert_eq!(info.version, 1);
                    let mut event = new_event();
                    ok!(unsafe { subrosa_events_get(events.get(), 0, &mut event) });
                    assert_eq!(shown(event.text), b"back");
                    let mut sent = new_sent();
                    ok!(unsafe { subrosa_outbox_get(outbox.get(), 0, &mut sent) });
                    assert_eq!(shown(sent.id), b"1");
                    let mut info = new_bundles_info();
                    ok!(unsafe { subrosa_bundles_read(bundles.get(), &mut info) });
                    assert_eq!(info.one_time, 1);
                }
            });
        }
    });
    scene.end();
}
