//! Messages, out and in.

use subrosa::device::Outgoing;

use crate::args;
use crate::call::call;
use crate::result::{subrosa_addresses, subrosa_events, subrosa_outbox};
use crate::status::{Status, subrosa_status};
use crate::value::{subrosa_address, subrosa_bytes};

use super::{Given, subrosa_device, value, with, with_result};

/// Send although some device cannot be reached.
pub const SUBROSA_SEND_PARTIAL: u32 = 1;

/// The devices that a message to the account would not reach.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_device_unreached(
    device: *mut subrosa_device,
    account: *const u8,
    now: u64,
    unreached: *mut *mut subrosa_addresses,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let account = unsafe { value::account(account) }?;
        let work = |device: &mut super::Device<_>, rng: &mut _| {
            let unreached = device.unreached(&account, now, rng)?;
            Ok(unreached
                .iter()
                .map(|address| Ok(subrosa_address::of(address)))
                .collect())
        };
        // SAFETY: the caller's promise.
        unsafe { with_result(device, unreached, work, subrosa_addresses) }.map(Given::write)
    })
}

/// Begins conversations.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_device_begin(
    device: *mut subrosa_device,
    bundles: *const subrosa_bytes,
    count: usize,
    now: u64,
    begun: *mut *mut subrosa_addresses,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let bundles = unsafe { args::bytes(bundles, count) }?;
        let work = |device: &mut super::Device<_>, rng: &mut _| {
            let begun = device.begin(&bundles, now, rng)?;
            let each = begun.into_iter().map(|begun| {
                begun
                    .map(|address| subrosa_address::of(&address))
                    .map_err(Status::from)
            });
            Ok(each.collect())
        };
        // SAFETY: the caller's promise.
        unsafe { with_result(device, begun, work, subrosa_addresses) }.map(Given::write)
    })
}

/// Seals a text for every device of the account.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_device_send(
    device: *mut subrosa_device,
    account: *const u8,
    id: *const u8,
    id_len: usize,
    text: *const u8,
    text_len: usize,
    flags: u32,
    now: u64,
    sealed: *mut *mut subrosa_outbox,
) -> subrosa_status {
    call(|| {
        if flags & !SUBROSA_SEND_PARTIAL != 0 {
            return Err(Status::ARGUMENT);
        }
        // SAFETY: the caller's promise.
        let to = unsafe { value::account(account) }?;
        // SAFETY: the caller's promise.
        let id = unsafe { args::list(id, id_len) }?;
        // SAFETY: the caller's promise.
        let text = unsafe { args::list(text, text_len) }?;
        let message = Outgoing {
            id,
            to,
            text,
            partial: flags & SUBROSA_SEND_PARTIAL != 0,
        };
        let work =
            |device: &mut super::Device<_>, rng: &mut _| Ok([device.send(&message, now, rng)?]);
        // SAFETY: the caller's promise.
        unsafe { with_result(device, sealed, work, subrosa_outbox::One) }.map(Given::write)
    })
}

/// The message with this name in the outbox.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_device_retry(
    device: *mut subrosa_device,
    id: *const u8,
    id_len: usize,
    sealed: *mut *mut subrosa_outbox,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let id = unsafe { args::list(id, id_len) }?;
        let work = |device: &mut super::Device<_>, rng: &mut _| {
            let sent = device.retry(id, rng)?.ok_or(Status::NOT_FOUND)?;
            Ok([sent])
        };
        // SAFETY: the caller's promise.
        unsafe { with_result(device, sealed, work, subrosa_outbox::One) }.map(Given::write)
    })
}

/// Messages of the outbox, oldest first.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_device_outbox(
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
            let (sent, position) = device.outbox(from, count, rng)?;
            next = position;
            Ok(sent)
        };
        // SAFETY: the caller's promise.
        unsafe { with_result(device, sealed, work, subrosa_outbox::Many) }?.write();
        if let Some(next_to) = next_to {
            next_to.write(next);
        }
        Ok(())
    })
}

/// The server has taken every copy of these messages.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_device_sent(
    device: *mut subrosa_device,
    ids: *const subrosa_bytes,
    count: usize,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let ids = unsafe { args::bytes(ids, count) }?;
        with(device, |device, rng| Ok(device.sent(&ids, rng)?))
    })
}

/// Reads envelopes, in the order in which they came.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_device_receive(
    device: *mut subrosa_device,
    envelopes: *const subrosa_bytes,
    count: usize,
    now: u64,
    events: *mut *mut subrosa_events,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let envelopes = unsafe { args::bytes(envelopes, count) }?;
        let work =
            |device: &mut super::Device<_>, rng: &mut _| Ok(device.receive(&envelopes, now, rng)?);
        // SAFETY: the caller's promise.
        unsafe { with_result(device, events, work, subrosa_events::Devices) }.map(Given::write)
    })
}

/// Gives up a first message whose sender is on no device list.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_device_refuse(
    device: *mut subrosa_device,
    envelope: *const u8,
    len: usize,
    now: u64,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let envelope = unsafe { args::list(envelope, len) }?;
        with(device, |device, rng| Ok(device.refuse(envelope, now, rng)?))
    })
}

/// Messages that were received and not yet acknowledged, oldest first.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_device_inbox(
    device: *mut subrosa_device,
    from: u64,
    count: usize,
    events: *mut *mut subrosa_events,
) -> subrosa_status {
    call(|| {
        let work = |device: &mut super::Device<_>, rng: &mut _| Ok(device.inbox(from, count, rng)?);
        // SAFETY: the caller's promise.
        unsafe { with_result(device, events, work, subrosa_events::messages) }.map(Given::write)
    })
}

/// The app has these messages.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_device_read(
    device: *mut subrosa_device,
    ids: *const u64,
    count: usize,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let ids = unsafe { args::list(ids, count) }?;
        with(device, |device, rng| Ok(device.read(ids, rng)?))
    })
}
