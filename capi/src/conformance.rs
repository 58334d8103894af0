//! Every operation of the conformance vectors, behind one function: what `include/subrosa_conformance.h` declares.
//!
//! Most vectors give what a device draws behind its hedged generator, which no function for apps takes. So the operations
//! come in and go out as the JSON of `test-vectors/README.md`; the pointers, the handle and the views are those of the rest.

use alloc::string::String;
use core::mem::offset_of;
use core::str;

use subrosa_conformance::target::{Response, Subrosa};

use crate::args::{self, Structure};
use crate::call::call;
use crate::handle::{self, Object};
use crate::layout::layouts;
use crate::status::subrosa_status;
use crate::value::subrosa_bytes;

/// The operation succeeded.
pub const SUBROSA_ANSWER_OUT: i32 = 1;
/// The operation refused its input.
pub const SUBROSA_ANSWER_ERROR: i32 = 2;
/// There is no such operation.
pub const SUBROSA_ANSWER_UNSUPPORTED: i32 = 3;
/// The input is none of this operation.
pub const SUBROSA_ANSWER_INVALID: i32 = 4;

/// What an operation answered.
pub struct subrosa_answer {
    kind: i32,
    json: String,
}

impl Object for subrosa_answer {
    const KIND: usize = 15;
}

/// What an operation answered.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct subrosa_answer_info {
    /// Bytes of this structure.
    pub struct_size: usize,
    /// Which kind of answer it is.
    pub kind: i32,
    /// The response of the line protocol.
    pub json: subrosa_bytes,
}

// SAFETY: its size comes first.
unsafe impl Structure for subrosa_answer_info {}

layouts! {
    subrosa_answer_info [32, 16, 16] [8, 4, 4] {
        struct_size [0, 0, 0],
        kind [8, 4, 4],
        json [16, 8, 8],
    }
}

/// Performs an operation.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_conformance_perform(
    op: *const u8,
    op_len: usize,
    input: *const u8,
    input_len: usize,
    answer: *mut *mut subrosa_answer,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let to = unsafe { args::out(answer) }?;
        // SAFETY: the caller's promise.
        let op = unsafe { args::list(op, op_len) }?;
        // SAFETY: the caller's promise.
        let input = unsafe { args::list(input, input_len) }?;
        let reserved = handle::reserve()?;
        let response = match (str::from_utf8(op), str::from_utf8(input)) {
            (Ok(op), Ok(input)) => Subrosa::read(op, input),
            _ => Response::Invalid("not UTF-8".into()),
        };
        to.write(reserved.fill(subrosa_answer::new(response)));
        Ok(())
    })
}

impl subrosa_answer {
    fn new(response: Response) -> Self {
        let kind = match response {
            Response::Out { .. } => SUBROSA_ANSWER_OUT,
            Response::Error(_) => SUBROSA_ANSWER_ERROR,
            Response::Unsupported => SUBROSA_ANSWER_UNSUPPORTED,
            Response::Invalid(_) | Response::Failed(_) | Response::NotAsked => {
                SUBROSA_ANSWER_INVALID
            }
        };
        let json = response.to_json();
        Self { kind, json }
    }
}

/// What was answered.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_answer_read(
    answer: *const subrosa_answer,
    info: *mut subrosa_answer_info,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let to = unsafe { args::out_structure(info) }?;
        let answer = handle::shared(answer)?;
        to.write(subrosa_answer_info {
            struct_size: size_of::<subrosa_answer_info>(),
            kind: answer.kind,
            json: subrosa_bytes::of(answer.json.as_bytes()),
        });
        Ok(())
    })
}

/// Frees an answer.
#[unsafe(no_mangle)]
pub extern "C" fn subrosa_answer_free(answer: *mut subrosa_answer) -> subrosa_status {
    call(|| handle::free(answer))
}
