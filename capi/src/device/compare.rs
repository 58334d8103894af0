//! Comparing keys: digits, and the code for a camera.

use core::ffi::c_char;

use subrosa::identity::Fingerprint;

use crate::args;
use crate::call::call;
use crate::status::{Status, subrosa_status};
use crate::value::{SUBROSA_DIGITS, SUBROSA_QR};

use super::{subrosa_device, value, with};

/// The fingerprints of one's own account and of another.
///
/// # Safety
/// As the [crate](crate#safety).
unsafe fn fingerprints(
    device: *mut subrosa_device,
    account: *const u8,
) -> Result<(Fingerprint, Fingerprint), Status> {
    // SAFETY: the caller's promise.
    let account = unsafe { value::account(account) }?;
    with(
        device,
        |device, rng| Ok(device.fingerprints(&account, rng)?),
    )
}

/// The 60 digits that both users see, and a NUL.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_device_digits(
    device: *mut subrosa_device,
    account: *const u8,
    digits: *mut c_char,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let to = unsafe { args::out_array::<{ SUBROSA_DIGITS + 1 }>(digits.cast()) }?;
        // SAFETY: the caller's promise.
        let (own, peer) = unsafe { fingerprints(device, account) }?;
        let mut text = [0; SUBROSA_DIGITS + 1];
        let digits = Fingerprint::digits(&own, &peer);
        for (to, from) in text.iter_mut().zip(digits.as_bytes()) {
            *to = *from;
        }
        to.write(text);
        Ok(())
    })
}

/// What this user shows to the other's camera.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_device_qr(
    device: *mut subrosa_device,
    account: *const u8,
    qr: *mut u8,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let to = unsafe { args::out_array::<SUBROSA_QR>(qr) }?;
        // SAFETY: the caller's promise.
        let (own, peer) = unsafe { fingerprints(device, account) }?;
        to.write(Fingerprint::qr(&own, &peer));
        Ok(())
    })
}

/// Holds what this user's camera read against what it should be.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_device_scan(
    device: *mut subrosa_device,
    account: *const u8,
    scanned: *const u8,
    len: usize,
    equal: *mut bool,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let to = unsafe { args::out(equal) }?;
        // SAFETY: the caller's promise.
        let scanned = unsafe { args::list(scanned, len) }?;
        // SAFETY: the caller's promise.
        let (own, peer) = unsafe { fingerprints(device, account) }?;
        to.write(Fingerprint::matches(&own, &peer, scanned)?);
        Ok(())
    })
}
