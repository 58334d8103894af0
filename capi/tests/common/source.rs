//! A generator of the app's own.

use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::rc::Rc;

use subrosa_capi::rng::subrosa_rng;

/// Random bytes that depend on a seed, and may fail.
pub struct Source {
    state: Cell<u64>,
    /// How often it was asked.
    pub draws: Cell<usize>,
    /// The draw that fails, counted from 0.
    pub fails_at: Cell<usize>,
    /// What it does besides.
    pub hook: RefCell<Option<Box<dyn Fn()>>>,
}

impl Source {
    pub fn new(seed: u64) -> Rc<Self> {
        Rc::new(Self {
            state: Cell::new(seed),
            draws: Cell::new(0),
            fails_at: Cell::new(usize::MAX),
            hook: RefCell::new(None),
        })
    }

    pub fn rng(&self) -> subrosa_rng {
        subrosa_rng {
            struct_size: size_of::<subrosa_rng>(),
            context: std::ptr::from_ref(self).cast_mut().cast(),
            fill: Some(fill),
        }
    }
}

unsafe extern "C" fn fill(context: *mut c_void, out: *mut u8, len: usize) -> i32 {
    let source = unsafe { &*context.cast::<Source>() };
    let draw = source.draws.get();
    source.draws.set(draw + 1);
    if let Some(hook) = &*source.hook.borrow() {
        hook();
    }
    if draw == source.fails_at.get() {
        return 1;
    }
    for at in 0..len {
        // SplitMix64
        let state = source.state.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        source.state.set(state);
        let mixed = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        unsafe { out.add(at).write((mixed >> 33) as u8) };
    }
    0
}
