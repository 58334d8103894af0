//! Bundles and key packages to be published.

use alloc::vec::Vec;

use subrosa::device::{Published, PublishedKeyPackages};

use crate::args::{self, Structure};
use crate::call::call;
use crate::handle::{self, Object};
use crate::status::{Status, subrosa_status};
use crate::value::subrosa_bytes;

/// Bundles or key packages to be published.
pub enum subrosa_bundles {
    /// To begin conversations with.
    Bundles(Published),
    /// To be added to groups with.
    KeyPackages(PublishedKeyPackages),
}

impl subrosa_bundles {
    fn one_time(&self) -> &[Vec<u8>] {
        match self {
            Self::Bundles(published) => &published.one_time,
            Self::KeyPackages(published) => &published.one_time,
        }
    }
}

impl Object for subrosa_bundles {
    const KIND: usize = 4;
}

/// What is to be published.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct subrosa_bundles_info {
    /// Bytes of this structure.
    pub struct_size: usize,
    /// Replaces the one that the server has, unless it has no bytes.
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
        let (last_resort, replaces) = match &*bundles {
            subrosa_bundles::Bundles(published) => {
                (Some(&published.last_resort), published.replaces)
            }
            subrosa_bundles::KeyPackages(published) => (published.last_resort.as_ref(), false),
        };
        to.write(subrosa_bundles_info {
            struct_size: size_of::<subrosa_bundles_info>(),
            last_resort: last_resort.map_or(subrosa_bytes::NONE, |bytes| subrosa_bytes::of(bytes)),
            one_time: bundles.one_time().len(),
            replaces,
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
        let bundle = bundles.one_time().get(index).ok_or(Status::RANGE)?;
        to.write(subrosa_bytes::of(bundle));
        Ok(())
    })
}

/// Frees them.
#[unsafe(no_mangle)]
pub extern "C" fn subrosa_bundles_free(bundles: *mut subrosa_bundles) -> subrosa_status {
    call(|| handle::free(bundles))
}
