//! Bundles to be published.

use subrosa::device::Published;

use crate::args::{self, Structure};
use crate::call::call;
use crate::handle::{self, Object};
use crate::status::{Status, subrosa_status};
use crate::value::subrosa_bytes;

/// Bundles to be published.
pub struct subrosa_bundles(pub(crate) Published);

impl Object for subrosa_bundles {
    const KIND: usize = 4;
}

/// What is to be published.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct subrosa_bundles_info {
    /// Bytes of this structure.
    pub struct_size: usize,
    /// Replaces the one that the server has.
    pub last_resort: subrosa_bytes,
    /// How many there are that are handed out once each.
    pub one_time: usize,
    /// The server forgets all one-time bundles that it had of this device.
    pub replaces: bool,
}

// SAFETY: its size comes first.
unsafe impl Structure for subrosa_bundles_info {}

/// What is to be published.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_bundles_read(
    bundles: *const subrosa_bundles,
    info: *mut subrosa_bundles_info,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let to = unsafe { args::out_structure(info) }?;
        let bundles = handle::shared(bundles)?;
        to.write(subrosa_bundles_info {
            struct_size: size_of::<subrosa_bundles_info>(),
            last_resort: subrosa_bytes::of(&bundles.0.last_resort),
            one_time: bundles.0.one_time.len(),
            replaces: bundles.0.replaces,
        });
        Ok(())
    })
}

/// A one-time bundle.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_bundles_one_time(
    bundles: *const subrosa_bundles,
    index: usize,
    bundle: *mut subrosa_bytes,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let to = unsafe { args::out(bundle) }?;
        let bundles = handle::shared(bundles)?;
        let bundle = bundles.0.one_time.get(index).ok_or(Status::RANGE)?;
        to.write(subrosa_bytes::of(bundle));
        Ok(())
    })
}

/// Frees them.
#[unsafe(no_mangle)]
pub extern "C" fn subrosa_bundles_free(bundles: *mut subrosa_bundles) -> subrosa_status {
    call(|| handle::free(bundles))
}
