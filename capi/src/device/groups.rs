//! Groups of devices: what there is, and what a device publishes to be added.

use alloc::vec::Vec;

use crate::args;
use crate::call::call;
use crate::result::{subrosa_addresses, subrosa_bundles};
use crate::status::subrosa_status;
use crate::value::{SUBROSA_AUTHENTICATOR, SUBROSA_GROUP, subrosa_address};

use super::{Given, subrosa_device, value, with, with_result};

/// Makes key packages to be published.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_device_publish_key_packages(
    device: *mut subrosa_device,
    count: usize,
    now: u64,
    key_packages: *mut *mut subrosa_bundles,
) -> subrosa_status {
    call(|| {
        let work = |device: &mut super::Device<_>, rng: &mut _| {
            Ok(device.publish_key_packages(count, now, rng)?)
        };
        // SAFETY: the caller's promise.
        unsafe { with_result(device, key_packages, work, subrosa_bundles::KeyPackages) }
            .map(Given::write)
    })
}

/// Makes a group with this device as its only member.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_device_group_create(
    device: *mut subrosa_device,
    now: u64,
    group: *mut u8,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let to = unsafe { args::out_array::<SUBROSA_GROUP>(group) }?;
        let group = with(device, |device, rng| Ok(device.create_group(now, rng)?))?;
        to.write(*group.as_bytes());
        Ok(())
    })
}

/// Every group that this device has something of.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_device_group_list(
    device: *mut subrosa_device,
    groups: *mut u8,
    len: *mut usize,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let buffer = unsafe { args::buffer(groups, len) }?;
        let groups = with(device, |device, rng| Ok(device.groups(rng)?))?;
        let bytes: Vec<u8> = groups
            .iter()
            .flat_map(|group| group.as_bytes())
            .copied()
            .collect();
        buffer.write(&bytes)
    })
}

/// The members of a group.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_device_group_members(
    device: *mut subrosa_device,
    group: *const u8,
    members: *mut *mut subrosa_addresses,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let group = unsafe { value::group(group) }?;
        let work = |device: &mut super::Device<_>, rng: &mut _| {
            let members = device.group_members(&group, rng)?;
            Ok(members
                .iter()
                .map(|address| Ok(subrosa_address::of(address)))
                .collect())
        };
        // SAFETY: the caller's promise.
        unsafe { with_result(device, members, work, subrosa_addresses) }.map(Given::write)
    })
}

/// The epoch of a group, and its authenticator.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_device_group_epoch(
    device: *mut subrosa_device,
    group: *const u8,
    epoch: *mut u64,
    authenticator: *mut u8,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let epoch_to = unsafe { args::out(epoch) }?;
        // SAFETY: the caller's promise.
        let to = unsafe { args::out_array::<SUBROSA_AUTHENTICATOR>(authenticator) }?;
        // SAFETY: the caller's promise.
        let group = unsafe { value::group(group) }?;
        let (epoch, authenticator) =
            with(device, |device, rng| Ok(device.group_epoch(&group, rng)?))?;
        epoch_to.write(epoch);
        to.write(authenticator);
        Ok(())
    })
}

/// Deletes everything that is known of a group.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_device_group_forget(
    device: *mut subrosa_device,
    group: *const u8,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let group = unsafe { value::group(group) }?;
        with(device, |device, rng| Ok(device.forget_group(&group, rng)?))
    })
}
