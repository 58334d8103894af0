//! What a device publishes.

use crate::args;
use crate::call::call;
use crate::result::subrosa_bundles;
use crate::status::subrosa_status;

use super::{Given, subrosa_device, with, with_result};

/// Whether bundles should be published.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_device_publish_due(
    device: *mut subrosa_device,
    now: u64,
    due: *mut bool,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let to = unsafe { args::out(due) }?;
        to.write(with(device, |device, rng| {
            Ok(device.publish_due(now, rng)?)
        })?);
        Ok(())
    })
}

/// Makes bundles to be published.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_device_publish(
    device: *mut subrosa_device,
    count: usize,
    now: u64,
    bundles: *mut *mut subrosa_bundles,
) -> subrosa_status {
    call(|| {
        let work =
            |device: &mut super::Device<_>, rng: &mut _| Ok(device.publish(count, now, rng)?);
        // SAFETY: the caller's promise.
        unsafe { with_result(device, bundles, work, subrosa_bundles::Bundles) }.map(Given::write)
    })
}
