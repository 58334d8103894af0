//! Plain values of the header.

use subrosa::Address;
use subrosa::device::GroupId;
use subrosa::identity::AccountId;

use crate::args;
use crate::status::Status;

/// Bytes of an account id.
pub const SUBROSA_ACCOUNT: usize = 32;
/// Bytes of an address on the wire.
pub const SUBROSA_ADDRESS: usize = 36;
/// Bytes of the key that a store is encrypted under.
pub const SUBROSA_APP_KEY: usize = 32;
/// Bytes of a recovery key.
pub const SUBROSA_SEED: usize = 32;
/// Bytes of the key of a stored value.
pub const SUBROSA_KEY: usize = 16;
/// Bytes of a boot id.
pub const SUBROSA_BOOT: usize = 16;
/// Longest name that an app gives a message, bytes.
pub const SUBROSA_CLIENT_ID_MAX: usize = 64;
/// Longest text, bytes.
pub const SUBROSA_TEXT_MAX: usize = 1_032_074;
/// Digits of a comparison.
pub const SUBROSA_DIGITS: usize = 60;
/// Bytes of a comparison by camera.
pub const SUBROSA_QR: usize = 65;
/// Bytes of a request to be linked.
pub const SUBROSA_LINK_REQUEST: usize = 165;
/// Bytes of a group's id.
pub const SUBROSA_GROUP: usize = 32;
/// Bytes of the authenticator of a group's epoch.
pub const SUBROSA_AUTHENTICATOR: usize = 32;

const _: () = assert!(SUBROSA_TEXT_MAX == subrosa::device::TEXT_MAX);
const _: () = assert!(SUBROSA_CLIENT_ID_MAX == subrosa::device::limits::CLIENT_ID_MAX);

/// Bytes that belong to somebody else.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct subrosa_bytes {
    /// The first one.
    pub data: *const u8,
    /// How many.
    pub len: usize,
}

impl subrosa_bytes {
    /// A view of bytes that stay where they are until their object is freed.
    pub(crate) const fn of(bytes: &[u8]) -> Self {
        Self {
            data: bytes.as_ptr(),
            len: bytes.len(),
        }
    }

    /// No bytes.
    pub(crate) const NONE: Self = Self {
        data: core::ptr::null(),
        len: 0,
    };
}

/// A device of an account.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct subrosa_address {
    /// The account.
    pub account: [u8; SUBROSA_ACCOUNT],
    /// The device; 0 for none.
    pub device: u32,
}

impl subrosa_address {
    /// Nobody.
    pub(crate) const NONE: Self = Self {
        account: [0; SUBROSA_ACCOUNT],
        device: 0,
    };

    pub(crate) fn of(address: &Address) -> Self {
        AccountId::of(address).map_or(Self::NONE, |(account, device)| Self {
            account: *account.as_bytes(),
            device,
        })
    }

    pub(crate) const fn of_account(account: &AccountId) -> Self {
        Self {
            account: *account.as_bytes(),
            device: 0,
        }
    }

    /// The device's address.
    pub(crate) fn address(&self) -> Result<Address, Status> {
        if self.device == 0 {
            return Err(Status::ARGUMENT);
        }
        Ok(AccountId::from_bytes(self.account).device(self.device))
    }
}

/// The account whose id is at `account`.
///
/// # Safety
/// As the [crate](crate#safety).
pub(crate) unsafe fn account(account: *const u8) -> Result<AccountId, Status> {
    // SAFETY: the caller's promise.
    let bytes = unsafe { args::array(account) }?;
    Ok(AccountId::from_bytes(*bytes))
}

/// The group whose id is at `group`.
///
/// # Safety
/// As the [crate](crate#safety).
pub(crate) unsafe fn group(group: *const u8) -> Result<GroupId, Status> {
    // SAFETY: the caller's promise.
    let bytes = unsafe { args::array(group) }?;
    Ok(GroupId::from_bytes(*bytes))
}
