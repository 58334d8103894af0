//! Handles, whatever a program does with them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::*;

/// Something whose two halves are always equal.
struct Apple {
    halves: [u64; 2],
    dropped: Arc<AtomicUsize>,
}

impl Object for Apple {
    const KIND: usize = 14;
}

impl Drop for Apple {
    fn drop(&mut self) {
        assert_eq!(self.halves[0], self.halves[1]);
        self.dropped.fetch_add(1, Ordering::SeqCst);
    }
}

struct Pear;

impl Object for Pear {
    const KIND: usize = 15;
}

/// How many were dropped, and makes them.
#[derive(Default)]
struct Tree(Arc<AtomicUsize>);

impl Tree {
    fn apple(&self) -> *mut Apple {
        reserve().unwrap().fill(Apple {
            halves: [1; 2],
            dropped: Arc::clone(&self.0),
        })
    }

    /// Not in the place that was vacated last, which may be the same for ever: in that whose turn it is.
    fn apple_in_turn(&self) -> *mut Apple {
        LAST.store(usize::MAX, Ordering::SeqCst);
        self.apple()
    }

    fn dropped(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

fn why<T>(result: Result<T, Status>) -> Option<Status> {
    result.err()
}

fn place_of(handle: *mut Apple) -> (&'static Place, usize) {
    find(handle.cast_const()).unwrap()
}

fn forged(number: usize) -> *mut Apple {
    ptr::without_provenance_mut(number)
}

#[test]
fn attack_i3_a_handle_names_its_object_until_it_is_freed() {
    let tree = Tree::default();
    let apple = tree.apple();
    assert_eq!(shared(apple.cast_const()).unwrap().halves, [1; 2]);
    exclusive(apple).unwrap().halves = [2; 2];
    assert_eq!(shared(apple.cast_const()).unwrap().halves, [2; 2]);

    assert_eq!(free(apple), Ok(()));
    assert_eq!(tree.dropped(), 1);
    assert_eq!(why(shared(apple.cast_const())), Some(Status::HANDLE));
    assert_eq!(why(exclusive(apple)), Some(Status::HANDLE));
    assert_eq!(free(apple), Err(Status::HANDLE));
    assert_eq!(tree.dropped(), 1);
    assert_eq!(free::<Apple>(ptr::null_mut()), Ok(()));
}

#[test]
fn attack_i3_a_place_that_is_used_again_has_another_handle() {
    let tree = Tree::default();
    let first = tree.apple();
    let (place, uses) = place_of(first);
    free(first).unwrap();
    // It comes up again after all others, or before.
    let again = (0..1_000_000)
        .find_map(|_| {
            let next = tree.apple_in_turn();
            if ptr::eq(place_of(next).0, place) {
                return Some(next);
            }
            free(next).unwrap();
            None
        })
        .unwrap();
    assert!(place_of(again).1 > uses);
    assert_ne!(first, again);
    assert_eq!(why(shared(first.cast_const())), Some(Status::HANDLE));
    assert_eq!(free(first), Err(Status::HANDLE));
    assert_eq!(shared(again.cast_const()).unwrap().halves, [1; 2]);
    free(again).unwrap();
}

#[test]
fn attack_i3_another_type_is_no_handle() {
    let tree = Tree::default();
    let apple = tree.apple();
    let pear: *mut Pear = apple.cast();
    assert_eq!(why(shared(pear.cast_const())), Some(Status::HANDLE));
    assert_eq!(why(exclusive(pear)), Some(Status::HANDLE));
    assert_eq!(free(pear), Err(Status::HANDLE));
    // The number of the other type in front of the same place.
    let number = apple.addr() & !(15 << (USES + PLACE)) | Pear::KIND << (USES + PLACE);
    let pear: *mut Pear = ptr::without_provenance_mut(number);
    assert_eq!(why(shared(pear.cast_const())), Some(Status::HANDLE));
    assert_eq!(why(exclusive(pear)), Some(Status::HANDLE));
    assert_eq!(free(pear), Err(Status::HANDLE));
    assert_eq!(exclusive(apple).unwrap().halves, [1; 2]);
    free(apple).unwrap();
    assert_eq!(tree.dropped(), 1);
}

#[test]
fn attack_i3_what_was_never_given_out_is_no_handle() {
    let tree = Tree::default();
    let apple = tree.apple();
    let on_the_stack = 7_u64;
    let on_the_heap = Box::new(7_u64);
    let kind = Apple::KIND << (USES + PLACE);
    let numbers = [
        0,
        1,
        usize::MAX,
        usize::MAX >> 1,
        (&raw const on_the_stack).addr(),
        (&raw const *on_the_heap).addr(),
        (&raw const TABLE).addr(),
        place_of as fn(_) -> _ as usize,
        kind,
        // No use of the place, the next one, and the last one that there can be.
        apple.addr() & !USES_MAX,
        apple.addr() + 1,
        apple.addr() | USES_MAX,
        // Places that are not there yet, and that never will be.
        kind | (places(BLOCKS) - 1) << USES | 1,
        kind | places(BLOCKS) << USES | 1,
        kind | ((1 << PLACE) - 1) << USES | 1,
    ];
    for number in numbers {
        let handle = forged(number);
        assert_eq!(why(shared(handle.cast_const())), Some(Status::HANDLE));
        assert_eq!(why(exclusive(handle)), Some(Status::HANDLE));
        if !handle.is_null() {
            assert_eq!(free(handle), Err(Status::HANDLE), "{number:x}");
        }
    }
    free(apple).unwrap();
    assert_eq!(tree.dropped(), 1);
}

#[test]
fn a_place_that_nothing_was_put_into_is_no_object() {
    let reserved = reserve::<Apple>().unwrap();
    let handle = forged(reserved.number);
    assert_eq!(why(shared(handle.cast_const())), Some(Status::BUSY));
    assert_eq!(free(handle), Err(Status::BUSY));
    drop(reserved);
    assert_eq!(why(shared(handle.cast_const())), Some(Status::HANDLE));
    assert_eq!(free(handle), Err(Status::HANDLE));
}

/// Makes the vacant place of a freed object look as if it had been used `uses` times; `None` if somebody has taken it.
fn wear(place: &Place, freed: usize, uses: usize) -> Option<()> {
    let order = Ordering::SeqCst;
    let vacant = word(freed + 1, VACANT);
    let worn = word(uses, VACANT);
    place
        .word
        .compare_exchange(vacant, worn, order, order)
        .ok()?;
    Some(())
}

#[test]
fn attack_i3_a_place_whose_uses_run_out_is_not_used_again() {
    let tree = Tree::default();
    let (place, worn) = (0..100)
        .find_map(|_| {
            let apple = tree.apple();
            let (place, uses) = place_of(apple);
            free(apple).unwrap();
            wear(place, uses, USES_MAX - 1)?;
            // The last use that can be told from all others.
            (0..1_000_000).find_map(|_| {
                let next = tree.apple_in_turn();
                if ptr::eq(place_of(next).0, place) {
                    return Some((place, next));
                }
                free(next).unwrap();
                None
            })
        })
        .unwrap();
    assert_eq!(place_of(worn).1, USES_MAX - 1);
    assert_eq!(shared(worn.cast_const()).unwrap().halves, [1; 2]);
    free(worn).unwrap();
    assert_eq!(why(shared(worn.cast_const())), Some(Status::HANDLE));

    let retired = word(USES_MAX, VACANT);
    assert_eq!(place.word.load(Ordering::SeqCst), retired);
    // Every place comes up at least once.
    for _ in 0..2 * places(MADE.load(Ordering::SeqCst)) {
        let next = tree.apple_in_turn();
        assert!(!ptr::eq(place_of(next).0, place));
        free(next).unwrap();
    }
    assert_eq!(place.word.load(Ordering::SeqCst), retired);
}

#[test]
fn attack_i6_readers_share_and_nobody_else_does() {
    let tree = Tree::default();
    let apple = tree.apple();
    let one = shared(apple.cast_const()).unwrap();
    let other = shared(apple.cast_const()).unwrap();
    assert_eq!(why(exclusive(apple)), Some(Status::BUSY));
    assert_eq!(free(apple), Err(Status::BUSY));
    drop(one);
    assert_eq!(free(apple), Err(Status::BUSY));
    assert_eq!(other.halves, [1; 2]);
    drop(other);

    let mut alone = exclusive(apple).unwrap();
    assert_eq!(why(shared(apple.cast_const())), Some(Status::BUSY));
    assert_eq!(why(exclusive(apple)), Some(Status::BUSY));
    assert_eq!(free(apple), Err(Status::BUSY));
    alone.halves = [3; 2];
    drop(alone);
    assert_eq!(shared(apple.cast_const()).unwrap().halves, [3; 2]);
    assert_eq!(tree.dropped(), 0);
    free(apple).unwrap();
    assert_eq!(tree.dropped(), 1);
}

#[test]
fn more_readers_than_can_be_counted_are_not_let_in() {
    let tree = Tree::default();
    let apple = tree.apple();
    let (place, uses) = place_of(apple);
    place
        .word
        .store(word(uses, READERS_MAX - 1), Ordering::SeqCst);
    let last = shared(apple.cast_const()).unwrap();
    assert_eq!(why(shared(apple.cast_const())), Some(Status::BUSY));
    assert_eq!(why(exclusive(apple)), Some(Status::BUSY));
    drop(last);
    assert!(shared(apple.cast_const()).is_ok());
    place.word.store(word(uses, 0), Ordering::SeqCst);
    free(apple).unwrap();
}

#[test]
fn a_panic_spoils_the_object_that_can_then_only_be_freed() {
    let tree = Tree::default();
    let apple = tree.apple();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let mut apple = exclusive(apple).unwrap();
        apple.halves = [5; 2];
        panic!("half done");
    }));
    assert!(panicked.is_err());
    assert_eq!(why(shared(apple.cast_const())), Some(Status::INTERNAL));
    assert_eq!(why(exclusive(apple)), Some(Status::INTERNAL));
    assert_eq!(free::<Pear>(apple.cast()), Err(Status::HANDLE));
    let number = apple.addr() & !(15 << (USES + PLACE)) | Pear::KIND << (USES + PLACE);
    let pear: *mut Pear = ptr::without_provenance_mut(number);
    assert_eq!(free(pear), Err(Status::HANDLE));
    assert_eq!(why(shared(apple.cast_const())), Some(Status::INTERNAL));
    assert_eq!(tree.dropped(), 0);
    assert_eq!(free(apple), Ok(()));
    assert_eq!(tree.dropped(), 1);
    assert_eq!(free(apple), Err(Status::HANDLE));
}

#[test]
fn a_panic_lets_readers_and_reserved_places_go() {
    let tree = Tree::default();
    let apple = tree.apple();
    let mut number = 0;
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _reader = shared(apple.cast_const()).unwrap();
        let reserved = reserve::<Apple>().unwrap();
        number = reserved.number;
        panic!("with nothing changed");
    }));
    assert!(panicked.is_err());
    assert_eq!(why(shared(forged(number))), Some(Status::HANDLE));
    assert_eq!(free(apple), Ok(()));
}

/// Uses an object when it is dropped, as the destructor of an app may.
struct AtTheEnd(*mut Apple);

impl Drop for AtTheEnd {
    fn drop(&mut self) {
        exclusive(self.0).unwrap().halves = [6; 2];
    }
}

#[test]
fn a_panic_of_the_app_spoils_nothing() {
    let tree = Tree::default();
    let apple = tree.apple();
    let panicked = catch_unwind(|| {
        let _destructor = AtTheEnd(apple);
        panic!("somewhere else");
    });
    assert!(panicked.is_err());
    assert_eq!(shared(apple.cast_const()).unwrap().halves, [6; 2]);
    free(apple).unwrap();
}

#[test]
fn the_table_grows_and_keeps_every_object() {
    let tree = Tree::default();
    let apples: Vec<_> = (0..3 * FIRST).map(|_| tree.apple()).collect();
    for (number, apple) in apples.iter().enumerate() {
        exclusive(*apple).unwrap().halves = [number as u64; 2];
    }
    for (number, apple) in apples.iter().enumerate() {
        assert_eq!(
            shared(apple.cast_const()).unwrap().halves,
            [number as u64; 2]
        );
        assert_eq!(apples.iter().filter(|other| *other == apple).count(), 1);
    }
    for apple in &apples {
        free(*apple).unwrap();
    }
    assert_eq!(tree.dropped(), apples.len());
}

/// Threads that come to the same places at once.
const THREADS: usize = 3;
const ROUNDS: usize = if cfg!(miri) { 20 } else { 5_000 };

#[test]
fn attack_i6_threads_make_use_and_free_at_once() {
    let tree = Tree::default();
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let tree = &tree;
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    let value = [(thread * ROUNDS + round) as u64; 2];
                    let apple = tree.apple();
                    exclusive(apple).unwrap().halves = value;
                    assert_eq!(shared(apple.cast_const()).unwrap().halves, value);
                    free(apple).unwrap();
                    assert_eq!(why(exclusive(apple)), Some(Status::HANDLE));
                }
            });
        }
    });
    assert_eq!(tree.dropped(), THREADS * ROUNDS);
}

#[test]
fn attack_i6_threads_use_one_object_and_one_of_them_frees_it() {
    for _ in 0..if cfg!(miri) { 3 } else { 200 } {
        let tree = Tree::default();
        let apple = tree.apple().addr();
        let changes = AtomicUsize::new(0);
        let frees = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    let apple = forged(apple);
                    for round in 0..ROUNDS {
                        match exclusive(apple) {
                            Ok(mut alone) => {
                                let [first, second] = alone.halves;
                                assert_eq!(first, second);
                                alone.halves = [first + 1; 2];
                                changes.fetch_add(1, Ordering::SeqCst);
                            }
                            Err(status) => {
                                assert!([Status::BUSY, Status::HANDLE].contains(&status));
                            }
                        }
                        match shared(apple.cast_const()) {
                            Ok(apple) => assert_eq!(apple.halves[0], apple.halves[1]),
                            Err(status) => {
                                assert!([Status::BUSY, Status::HANDLE].contains(&status));
                            }
                        }
                        if round == ROUNDS / 2 {
                            // Whoever comes first, once the others let it go.
                            loop {
                                match free(apple) {
                                    Err(Status::BUSY) => thread::yield_now(),
                                    freed => {
                                        frees.fetch_add(
                                            usize::from(freed.is_ok()),
                                            Ordering::SeqCst,
                                        );
                                        break;
                                    }
                                }
                            }
                        }
                    }
                });
            }
        });
        assert_eq!(frees.load(Ordering::SeqCst), 1);
        assert_eq!(tree.dropped(), 1);
        assert!(changes.load(Ordering::SeqCst) > 0);
    }
}
