//! What the programs for the emulated board share: their heap, their output, their end, and the marks between phases.
//!
//! `measure` reads the lines that begin with `--`, and looks at the board's memory from outside meanwhile.

#![no_std]
#![forbid(unsafe_code)]

use core::fmt::Arguments;
use core::mem::MaybeUninit;
use core::panic::PanicInfo;
use core::sync::atomic::{AtomicU32, Ordering};

use cortex_m::register::msp;
use cortex_m_semihosting::debug::{self, EXIT_FAILURE, EXIT_SUCCESS};
use cortex_m_semihosting::hprintln;
use linked_list_allocator::LockedHeap;

#[global_allocator]
static HEAP: LockedHeap = LockedHeap::empty();

/// 1 while the program waits. `measure` writes 0, from outside, and nothing else does.
static WAITING: AtomicU32 = AtomicU32::new(0);

/// Begins: `arena` is the heap from now on.
pub fn start(arena: &'static mut [MaybeUninit<u8>]) {
    hprintln!(
        "-- heap {:p} {} waiting {:p}",
        arena.as_ptr(),
        arena.len(),
        WAITING.as_ptr()
    );
    HEAP.lock().init_from_slice(arena);
}

/// Ends a phase, and waits until `measure` has read off the stack that it took and has painted it anew.
#[inline(never)]
pub fn end_of_phase(name: &str) {
    let in_use = HEAP.lock().used();
    hprintln!(
        "-- phase {:p} {} {}",
        msp::read() as *const u8,
        in_use,
        name
    );
    // Only now is nothing of the stack in use that lies below this function.
    WAITING.store(1, Ordering::Release);
    while WAITING.load(Ordering::Acquire) == 1 {}
}

/// Ends the program as a success, with the line that `measure` waits for.
pub fn succeed(line: Arguments<'_>) -> ! {
    hprintln!("{}", line);
    debug::exit(EXIT_SUCCESS);
    stop()
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    hprintln!("{}", info);
    debug::exit(EXIT_FAILURE);
    stop()
}

/// Without a debugger nobody takes note of the end.
fn stop() -> ! {
    loop {
        cortex_m::asm::bkpt();
    }
}
