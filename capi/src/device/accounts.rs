//! Accounts and their lists.

use crate::args;
use crate::call::call;
use crate::list::subrosa_list;
use crate::result::subrosa_events;
use crate::status::{Status, subrosa_status};
use crate::value::{SUBROSA_SEED, subrosa_bytes};

use super::{Given, recovery_key, subrosa_device, value, with, with_result};

/// Takes in device lists of an account.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_device_update_list(
    device: *mut subrosa_device,
    account: *const u8,
    lists: *const subrosa_bytes,
    count: usize,
    now: u64,
    events: *mut *mut subrosa_events,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let account = unsafe { value::account(account) }?;
        // SAFETY: the caller's promise.
        let lists = unsafe { args::bytes(lists, count) }?;
        let work = |device: &mut super::Device<_>, rng: &mut _| {
            Ok(device.update_list(&account, &lists, now, rng)?)
        };
        // SAFETY: the caller's promise.
        unsafe { with_result(device, events, work, subrosa_events::Devices) }.map(Given::write)
    })
}

/// The newest list known of an account.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_device_list(
    device: *mut subrosa_device,
    account: *const u8,
    list: *mut *mut subrosa_list,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let account = unsafe { value::account(account) }?;
        let work = |device: &mut super::Device<_>, rng: &mut _| {
            device.list(&account, rng)?.ok_or(Status::UNKNOWN_ACCOUNT)
        };
        // SAFETY: the caller's promise.
        unsafe { with_result(device, list, work, subrosa_list) }.map(Given::write)
    })
}

/// The user agrees to the present keys of the account.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_device_approve(
    device: *mut subrosa_device,
    account: *const u8,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let account = unsafe { value::account(account) }?;
        with(device, |device, rng| Ok(device.approve(&account, rng)?))
    })
}

/// Deletes everything that is known of an account.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_device_forget(
    device: *mut subrosa_device,
    account: *const u8,
    now: u64,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let account = unsafe { value::account(account) }?;
        with(device, |device, rng| Ok(device.forget(&account, now, rng)?))
    })
}

/// On the primary: puts a device on the account's list.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_device_link(
    device: *mut subrosa_device,
    request: *const u8,
    len: usize,
    list: *mut *mut subrosa_list,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let request = unsafe { args::list(request, len) }?;
        let work = |device: &mut super::Device<_>, rng: &mut _| Ok(device.link(request, rng)?);
        // SAFETY: the caller's promise.
        unsafe { with_result(device, list, work, subrosa_list) }.map(Given::write)
    })
}

/// On the primary: takes a device off the account's list.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_device_unlink(
    device: *mut subrosa_device,
    id: u32,
    now: u64,
    list: *mut *mut subrosa_list,
) -> subrosa_status {
    call(|| {
        let work = |device: &mut super::Device<_>, rng: &mut _| Ok(device.unlink(id, now, rng)?);
        // SAFETY: the caller's promise.
        unsafe { with_result(device, list, work, subrosa_list) }.map(Given::write)
    })
}

/// With the recovery key: replaces the account's keys.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_device_replace_keys(
    device: *mut subrosa_device,
    recovery: *const u8,
    remove: *const u32,
    count: usize,
    now: u64,
    list: *mut *mut subrosa_list,
    next_recovery: *mut u8,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let recovery_to = unsafe { args::out_array::<SUBROSA_SEED>(next_recovery) }?;
        // SAFETY: the caller's promise.
        let recovery = unsafe { recovery_key(recovery) }?;
        // SAFETY: the caller's promise.
        let remove = unsafe { args::list(remove, count) }?;
        let mut next = None;
        let work = |device: &mut super::Device<_>, rng: &mut _| {
            let (list, recovery) = device.replace_keys(&recovery, remove, now, rng)?;
            next = Some(recovery);
            Ok(list)
        };
        // SAFETY: the caller's promise.
        unsafe { with_result(device, list, work, subrosa_list) }?.write();
        if let Some(next) = next {
            recovery_to.write(*next.seed().expose());
        }
        Ok(())
    })
}
