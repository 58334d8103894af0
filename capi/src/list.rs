//! Device lists.

use subrosa::identity::DeviceList;

use crate::args::{self, Structure};
use crate::call::call;
use crate::handle::{self, Object};
use crate::status::{Status, subrosa_status};
use crate::value::{SUBROSA_ACCOUNT, subrosa_address, subrosa_bytes};

/// The devices of an account, signed with the account's key.
pub struct subrosa_list(pub(crate) DeviceList);

impl Object for subrosa_list {
    const KIND: usize = 2;
}

/// What a list says.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct subrosa_list_info {
    /// Bytes of this structure.
    pub struct_size: usize,
    /// What is published.
    pub bytes: subrosa_bytes,
    /// The account.
    pub account: [u8; SUBROSA_ACCOUNT],
    /// Grows with every list of the account.
    pub version: u64,
    /// How many devices are on it.
    pub devices: usize,
    /// The id of the next device that is linked.
    pub next_id: u32,
}

// SAFETY: its size comes first.
unsafe impl Structure for subrosa_list_info {}

/// Reads and checks a list.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_list_parse(
    bytes: *const u8,
    len: usize,
    list: *mut *mut subrosa_list,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let to = unsafe { args::out(list) }?;
        // SAFETY: the caller's promise.
        let bytes = unsafe { args::list(bytes, len) }?;
        let reserved = handle::reserve()?;
        let list = DeviceList::parse(bytes)?;
        to.write(reserved.fill(subrosa_list(list)));
        Ok(())
    })
}

/// What the list says.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_list_read(
    list: *const subrosa_list,
    info: *mut subrosa_list_info,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let to = unsafe { args::out_structure(info) }?;
        let list = handle::shared(list)?;
        let list = &list.0;
        to.write(subrosa_list_info {
            struct_size: size_of::<subrosa_list_info>(),
            bytes: subrosa_bytes::of(list.as_bytes()),
            account: *list.account_id().as_bytes(),
            version: list.version(),
            devices: list.devices().len(),
            next_id: list.next_id(),
        });
        Ok(())
    })
}

/// A device on the list.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_list_device(
    list: *const subrosa_list,
    index: usize,
    address: *mut subrosa_address,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let to = unsafe { args::out(address) }?;
        let list = handle::shared(list)?;
        let device = list.0.devices().get(index).ok_or(Status::RANGE)?;
        to.write(subrosa_address {
            account: *list.0.account_id().as_bytes(),
            device: device.id(),
        });
        Ok(())
    })
}

/// Frees a list.
#[unsafe(no_mangle)]
pub extern "C" fn subrosa_list_free(list: *mut subrosa_list) -> subrosa_status {
    call(|| handle::free(list))
}
