//! What goes to groups of devices and comes from them: texts, changes, proposals.

use alloc::vec::Vec;

use subrosa::Address;
use subrosa::device::{GroupChange, GroupOutgoing};

use crate::args;
use crate::call::call;
use crate::result::{subrosa_events, subrosa_outbox};
use crate::status::{Status, subrosa_status};
use crate::value::{subrosa_address, subrosa_bytes};

use super::{Given, subrosa_device, value, with, with_result};

/// Makes a change of a group: of all that was proposed, and of what is asked for here.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_device_group_change(
    device: *mut subrosa_device,
    group: *const u8,
    id: *const u8,
    id_len: usize,
    add: *const subrosa_bytes,
    add_count: usize,
    remove: *const subrosa_address,
    remove_count: usize,
    now: u64,
    sealed: *mut *mut subrosa_outbox,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let group = unsafe { value::group(group) }?;
        // SAFETY: the caller's promise.
        let id = unsafe { args::list(id, id_len) }?;
        // SAFETY: the caller's promise.
        let add = unsafe { args::bytes(add, add_count) }?;
        // SAFETY: the caller's promise.
        let remove = unsafe { args::list(remove, remove_count) }?;
        let remove: Result<Vec<Address>, Status> =
            remove.iter().map(subrosa_address::address).collect();
        let change = GroupChange {
            id,
            group,
            add: &add,
            remove: &remove?,
        };
        let work = |device: &mut super::Device<_>, rng: &mut _| {
            Ok([device.change_group(&change, now, rng)?])
        };
        // SAFETY: the caller's promise.
        unsafe { with_result(device, sealed, work, subrosa_outbox::Group) }.map(Given::write)
    })
}

/// Withdraws a change that waits.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_device_group_withdraw(
    device: *mut subrosa_device,
    group: *const u8,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let group = unsafe { value::group(group) }?;
        with(device, |device, rng| {
            Ok(device.withdraw_change(&group, rng)?)
        })
    })
}

/// Seals a text for the members of a group.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_device_group_send(
    device: *mut subrosa_device,
    group: *const u8,
    id: *const u8,
    id_len: usize,
    text: *const u8,
    text_len: usize,
    sealed: *mut *mut subrosa_outbox,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let group = unsafe { value::group(group) }?;
        // SAFETY: the caller's promise.
        let id = unsafe { args::list(id, id_len) }?;
        // SAFETY: the caller's promise.
        let text = unsafe { args::list(text, text_len) }?;
        let message = GroupOutgoing { id, group, text };
        let work =
            |device: &mut super::Device<_>, rng: &mut _| Ok([device.send_to_group(&message, rng)?]);
        // SAFETY: the caller's promise.
        unsafe { with_result(device, sealed, work, subrosa_outbox::Group) }.map(Given::write)
    })
}

/// Proposes that this device leaves.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_device_group_leave(
    device: *mut subrosa_device,
    group: *const u8,
    id: *const u8,
    id_len: usize,
    sealed: *mut *mut subrosa_outbox,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let group = unsafe { value::group(group) }?;
        // SAFETY: the caller's promise.
        let id = unsafe { args::list(id, id_len) }?;
        let work =
            |device: &mut super::Device<_>, rng: &mut _| Ok([device.leave_group(id, &group, rng)?]);
        // SAFETY: the caller's promise.
        unsafe { with_result(device, sealed, work, subrosa_outbox::Group) }.map(Given::write)
    })
}

/// The message to a group with this name in the outbox.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_device_group_retry(
    device: *mut subrosa_device,
    id: *const u8,
    id_len: usize,
    sealed: *mut *mut subrosa_outbox,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let id = unsafe { args::list(id, id_len) }?;
        let work = |device: &mut super::Device<_>, rng: &mut _| {
            let sent = device.retry_group(id, rng)?.ok_or(Status::NOT_FOUND)?;
            Ok([sent])
        };
        // SAFETY: the caller's promise.
        unsafe { with_result(device, sealed, work, subrosa_outbox::Group) }.map(Given::write)
    })
}

/// Messages to groups in the outbox, oldest first.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_device_group_outbox(
    device: *mut subrosa_device,
    from: u64,
    count: usize,
    next: *mut u64,
    sealed: *mut *mut subrosa_outbox,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let next_to = unsafe { args::out_or_null(next) }?;
        let mut next = from;
        let work = |device: &mut super::Device<_>, rng: &mut _| {
            let (sent, position) = device.group_outbox(from, count, rng)?;
            next = position;
            Ok(sent)
        };
        // SAFETY: the caller's promise.
        unsafe { with_result(device, sealed, work, subrosa_outbox::Groups) }?.write();
        if let Some(next_to) = next_to {
            next_to.write(next);
        }
        Ok(())
    })
}

/// The delivery service has taken these messages.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_device_group_sent(
    device: *mut subrosa_device,
    ids: *const subrosa_bytes,
    count: usize,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let ids = unsafe { args::bytes(ids, count) }?;
        with(device, |device, rng| Ok(device.group_sent(&ids, rng)?))
    })
}

/// Reads messages of groups and Welcomes, in the order in which they came.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_device_group_receive(
    device: *mut subrosa_device,
    messages: *const subrosa_bytes,
    count: usize,
    now: u64,
    events: *mut *mut subrosa_events,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let messages = unsafe { args::bytes(messages, count) }?;
        let work = |device: &mut super::Device<_>, rng: &mut _| {
            Ok(device.receive_groups(&messages, now, rng)?)
        };
        // SAFETY: the caller's promise.
        unsafe { with_result(device, events, work, subrosa_events::of_groups) }.map(Given::write)
    })
}
