//! Devices, or what became of each of several bundles.

use alloc::vec::Vec;

use crate::args;
use crate::call::call;
use crate::handle::{self, Object};
use crate::status::{Status, subrosa_status};
use crate::value::subrosa_address;

/// Devices, or what became of each of several bundles.
pub struct subrosa_addresses(pub(crate) Vec<Result<subrosa_address, Status>>);

impl Object for subrosa_addresses {
    const KIND: usize = 3;
}

/// How many there are.
#[unsafe(no_mangle)]
pub extern "C" fn subrosa_addresses_count(addresses: *const subrosa_addresses) -> usize {
    handle::shared(addresses).map_or(0, |addresses| addresses.0.len())
}

/// A device, or why there is none.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_addresses_get(
    addresses: *const subrosa_addresses,
    index: usize,
    address: *mut subrosa_address,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let to = unsafe { args::out(address) }?;
        let addresses = handle::shared(addresses)?;
        let address = addresses.0.get(index).ok_or(Status::RANGE)?;
        to.write((*address)?);
        Ok(())
    })
}

/// Frees them.
#[unsafe(no_mangle)]
pub extern "C" fn subrosa_addresses_free(addresses: *mut subrosa_addresses) -> subrosa_status {
    call(|| handle::free(addresses))
}
