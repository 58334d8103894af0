//! Another library written in Rust, as an app may have one: it allocates, starts a thread, and catches a panic.

use std::collections::HashMap;
use std::panic;
use std::thread;

/// How many different words a text has, counted in a thread; -1 for NULL.
///
/// # Safety
/// `text` is NULL or ends with a zero byte.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn other_words(text: *const std::ffi::c_char) -> i32 {
    if text.is_null() {
        return -1;
    }
    // SAFETY: the caller's promise.
    let text = unsafe { std::ffi::CStr::from_ptr(text) };
    let text = text.to_string_lossy().into_owned();
    let counted = thread::spawn(move || {
        let mut words = HashMap::new();
        for word in text.split_whitespace() {
            *words.entry(word.to_owned()).or_insert(0_u32) += 1;
        }
        i32::try_from(words.len()).unwrap_or(i32::MAX)
    });
    counted.join().unwrap_or(-1)
}

/// 1 if a panic was caught.
#[unsafe(no_mangle)]
pub extern "C" fn other_catches() -> i32 {
    panic::set_hook(Box::new(|_| ()));
    i32::from(panic::catch_unwind(|| panic!("to be caught")).is_err())
}
