//! Messages that were sealed.

use alloc::vec::Vec;
use core::ops::Deref;

use subrosa::device::Sent;

use crate::args::{self, Structure};
use crate::call::call;
use crate::handle::{self, Object};
use crate::status::{Status, subrosa_status};
use crate::value::{SUBROSA_ACCOUNT, subrosa_address, subrosa_bytes};

/// Messages that were sealed.
pub enum subrosa_outbox {
    /// One, for which nothing more is allocated.
    One([Sent; 1]),
    /// Any number.
    Many(Vec<Sent>),
}

impl Deref for subrosa_outbox {
    type Target = [Sent];

    fn deref(&self) -> &[Sent] {
        match self {
            Self::One(one) => one,
            Self::Many(many) => many,
        }
    }
}

impl Object for subrosa_outbox {
    const KIND: usize = 5;
}

/// A message.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct subrosa_sent {
    /// Bytes of this structure.
    pub struct_size: usize,
    /// The app's own name of it.
    pub id: subrosa_bytes,
    /// To whom.
    pub to: [u8; SUBROSA_ACCOUNT],
    /// For how many devices it was sealed.
    pub copies: usize,
}

// SAFETY: its size comes first.
unsafe impl Structure for subrosa_sent {}

/// A copy of a message.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct subrosa_copy {
    /// Bytes of this structure.
    pub struct_size: usize,
    /// The device that it is for.
    pub to: subrosa_address,
    /// What the server carries.
    pub message: subrosa_bytes,
}

// SAFETY: its size comes first.
unsafe impl Structure for subrosa_copy {}

/// How many messages there are.
#[unsafe(no_mangle)]
pub extern "C" fn subrosa_outbox_count(outbox: *const subrosa_outbox) -> usize {
    handle::shared(outbox).map_or(0, |outbox| outbox.len())
}

/// A message.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_outbox_get(
    outbox: *const subrosa_outbox,
    index: usize,
    sent: *mut subrosa_sent,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let to = unsafe { args::out_structure(sent) }?;
        let outbox = handle::shared(outbox)?;
        let sent = outbox.get(index).ok_or(Status::RANGE)?;
        to.write(subrosa_sent {
            struct_size: size_of::<subrosa_sent>(),
            id: subrosa_bytes::of(&sent.id),
            to: *sent.to.as_bytes(),
            copies: sent.copies.len(),
        });
        Ok(())
    })
}

/// A copy of a message.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_outbox_copy(
    outbox: *const subrosa_outbox,
    index: usize,
    copy: usize,
    sealed: *mut subrosa_copy,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let to = unsafe { args::out_structure(sealed) }?;
        let outbox = handle::shared(outbox)?;
        let sent = outbox.get(index).ok_or(Status::RANGE)?;
        let sealed = sent.copies.get(copy).ok_or(Status::RANGE)?;
        to.write(subrosa_copy {
            struct_size: size_of::<subrosa_copy>(),
            to: subrosa_address::of(&sealed.to),
            message: subrosa_bytes::of(&sealed.message),
        });
        Ok(())
    })
}

/// Frees them.
#[unsafe(no_mangle)]
pub extern "C" fn subrosa_outbox_free(outbox: *mut subrosa_outbox) -> subrosa_status {
    call(|| handle::free(outbox))
}
