//! Devices.

use subrosa::device::Device;
use subrosa::identity::{DeviceList, RecoverySecret};
use subrosa::{AppKey, crypto};

use crate::args::{self, Out};
use crate::call::call;
use crate::handle::{self, Exclusive, Object};
use crate::list::subrosa_list;
use crate::rng::{Rng, subrosa_rng};
use crate::status::{Status, subrosa_status};
use crate::store::{Lent, subrosa_store};
use crate::value::{self, SUBROSA_SEED, subrosa_address};

mod accounts;
mod compare;
mod group_mail;
mod groups;
mod mail;
mod prekeys;

pub use accounts::{
    subrosa_device_approve, subrosa_device_forget, subrosa_device_link, subrosa_device_list,
    subrosa_device_replace_keys, subrosa_device_unlink, subrosa_device_update_list,
};
pub use compare::{subrosa_device_digits, subrosa_device_qr, subrosa_device_scan};
pub use group_mail::{
    subrosa_device_group_change, subrosa_device_group_leave, subrosa_device_group_outbox,
    subrosa_device_group_receive, subrosa_device_group_retry, subrosa_device_group_send,
    subrosa_device_group_sent, subrosa_device_group_withdraw,
};
pub use groups::{
    subrosa_device_group_create, subrosa_device_group_epoch, subrosa_device_group_forget,
    subrosa_device_group_list, subrosa_device_group_members, subrosa_device_publish_key_packages,
};
pub use mail::{
    SUBROSA_SEND_PARTIAL, subrosa_device_begin, subrosa_device_inbox, subrosa_device_outbox,
    subrosa_device_read, subrosa_device_receive, subrosa_device_refuse, subrosa_device_retry,
    subrosa_device_send, subrosa_device_sent, subrosa_device_unreached,
};
pub use prekeys::{subrosa_device_publish, subrosa_device_publish_due};

/// A device with its generator.
pub struct subrosa_device {
    pub(crate) device: Device<Lent>,
    pub(crate) rng: Rng,
}

impl Object for subrosa_device {
    const KIND: usize = 7;
}

/// What a device is made of.
struct Parts {
    store: Exclusive<subrosa_store>,
    app_key: AppKey,
    rng: Rng,
    to: Out<*mut subrosa_device>,
}

impl Parts {
    /// # Safety
    /// As the [crate](crate#safety).
    unsafe fn new(
        store: *mut subrosa_store,
        app_key: *const u8,
        rng: *const subrosa_rng,
        device: *mut *mut subrosa_device,
    ) -> Result<Self, Status> {
        // SAFETY: the caller's promise.
        let to = unsafe { args::out(device) }?;
        // SAFETY: the caller's promise.
        let app_key = unsafe { args::array(app_key) }?;
        // SAFETY: the caller's promise.
        let rng = unsafe { Rng::new(rng) }?;
        Ok(Self {
            store: handle::exclusive(store)?,
            app_key: AppKey::new(*app_key),
            rng,
            to,
        })
    }

    /// Makes the device, which takes the store, and gives it out.
    fn make<T>(
        self,
        make: impl FnOnce(Lent, AppKey, &mut Rng) -> Result<(Device<Lent>, T), Status>,
    ) -> Result<T, Status> {
        let Self {
            mut store,
            app_key,
            mut rng,
            to,
        } = self;
        let reserved = handle::reserve()?;
        let (device, rest) = make(store.store.lend()?, app_key, &mut rng)?;
        store.end();
        to.write(reserved.fill(subrosa_device { device, rng }));
        Ok(rest)
    }
}

/// The recovery key whose seed is at `seed`.
///
/// # Safety
/// As the [crate](crate#safety).
unsafe fn recovery_key(seed: *const u8) -> Result<RecoverySecret, Status> {
    // SAFETY: the caller's promise.
    let seed = unsafe { args::array(seed) }?;
    Ok(RecoverySecret::from_seed(&crypto::Secret::new(*seed)))
}

/// Makes a new account with this device as its first and primary one.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_device_create(
    store: *mut subrosa_store,
    app_key: *const u8,
    rng: *const subrosa_rng,
    now: u64,
    device: *mut *mut subrosa_device,
    recovery: *mut u8,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let recovery_to = unsafe { args::out_array::<SUBROSA_SEED>(recovery) }?;
        // SAFETY: the caller's promise.
        let parts = unsafe { Parts::new(store, app_key, rng, device) }?;
        let recovery =
            parts.make(|store, app_key, rng| Ok(Device::create(store, app_key, now, rng)?))?;
        recovery_to.write(*recovery.seed().expose());
        Ok(())
    })
}

/// Makes a device that is to be linked.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_device_create_linked(
    store: *mut subrosa_store,
    app_key: *const u8,
    rng: *const subrosa_rng,
    address: *const subrosa_address,
    now: u64,
    device: *mut *mut subrosa_device,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let address = unsafe { args::value(address) }?;
        if address.device == 0 {
            return Err(Status::ARGUMENT);
        }
        let account = subrosa::identity::AccountId::from_bytes(address.account);
        // SAFETY: the caller's promise.
        let parts = unsafe { Parts::new(store, app_key, rng, device) }?;
        parts.make(|store, app_key, rng| {
            let id = address.device;
            let device = Device::create_linked(store, app_key, &account, id, now, rng)?;
            Ok((device, ()))
        })
    })
}

/// Makes a device for an account whose primary was lost.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_device_recover(
    store: *mut subrosa_store,
    app_key: *const u8,
    rng: *const subrosa_rng,
    list: *const subrosa_list,
    recovery: *const u8,
    now: u64,
    device: *mut *mut subrosa_device,
    next_recovery: *mut u8,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let recovery_to = unsafe { args::out_array::<SUBROSA_SEED>(next_recovery) }?;
        // SAFETY: the caller's promise.
        let recovery = unsafe { recovery_key(recovery) }?;
        let list = handle::shared(list)?;
        let list: &DeviceList = &list.0;
        // SAFETY: the caller's promise.
        let parts = unsafe { Parts::new(store, app_key, rng, device) }?;
        let next = parts.make(|store, app_key, rng| {
            Ok(Device::recover(store, app_key, list, &recovery, now, rng)?)
        })?;
        recovery_to.write(*next.seed().expose());
        Ok(())
    })
}

/// Opens the device that the store holds.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_device_open(
    store: *mut subrosa_store,
    app_key: *const u8,
    rng: *const subrosa_rng,
    anchor: *const u64,
    device: *mut *mut subrosa_device,
) -> subrosa_status {
    call(|| {
        let anchor = if anchor.is_null() {
            None
        } else {
            // SAFETY: the caller's promise.
            Some(unsafe { args::value(anchor) }?)
        };
        // SAFETY: the caller's promise.
        let parts = unsafe { Parts::new(store, app_key, rng, device) }?;
        if parts.store.may_have_lost {
            return Err(Status::ROLLED_BACK);
        }
        parts.make(|store, app_key, _| Ok((Device::open(store, app_key, anchor)?, ())))
    })
}

/// Opens the device of a store that was set back.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_device_restore(
    store: *mut subrosa_store,
    app_key: *const u8,
    rng: *const subrosa_rng,
    now: u64,
    device: *mut *mut subrosa_device,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let parts = unsafe { Parts::new(store, app_key, rng, device) }?;
        parts.make(|store, app_key, rng| Ok((Device::restore(store, app_key, now, rng)?, ())))
    })
}

/// Closes a device and its store.
#[unsafe(no_mangle)]
pub extern "C" fn subrosa_device_free(device: *mut subrosa_device) -> subrosa_status {
    call(|| handle::free(device))
}

/// Where the device is reached.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_device_address(
    device: *const subrosa_device,
    address: *mut subrosa_address,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let to = unsafe { args::out(address) }?;
        let device = handle::shared(device)?;
        to.write(subrosa_address::of(device.device.address()));
        Ok(())
    })
}

/// The store's generation.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_device_generation(
    device: *const subrosa_device,
    generation: *mut u64,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let to = unsafe { args::out(generation) }?;
        let device = handle::shared(device)?;
        to.write(device.device.generation());
        Ok(())
    })
}

/// What the primary needs to put this device on the list.
///
/// # Safety
/// As the [crate](crate#safety).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn subrosa_device_link_request(
    device: *const subrosa_device,
    request: *mut u8,
    len: *mut usize,
) -> subrosa_status {
    call(|| {
        // SAFETY: the caller's promise.
        let buffer = unsafe { args::buffer(request, len) }?;
        let device = handle::shared(device)?;
        buffer.write(&device.device.link_request())
    })
}

/// Finds out what is stored after a commit of which it is not known.
#[unsafe(no_mangle)]
pub extern "C" fn subrosa_device_reopen(device: *mut subrosa_device) -> subrosa_status {
    call(|| {
        let mut device = handle::exclusive(device)?;
        Ok(device.device.reopen()?)
    })
}

/// The same with a store that was opened anew.
#[unsafe(no_mangle)]
pub extern "C" fn subrosa_device_reopen_with(
    device: *mut subrosa_device,
    store: *mut subrosa_store,
) -> subrosa_status {
    call(|| {
        let mut device = handle::exclusive(device)?;
        let mut store = handle::exclusive(store)?;
        if store.may_have_lost {
            return Err(Status::ROLLED_BACK);
        }
        device.device.reopen_with(store.store.lend()?)?;
        store.end();
        Ok(())
    })
}

/// A result that is there, and where its handle goes.
#[must_use]
struct Given<O> {
    to: Out<*mut O>,
    handle: *mut O,
}

impl<O> Given<O> {
    /// Writes the handle, which may lie where inputs lay: for who holds them no more. What `with_result` is called with does,
    /// until that has returned.
    fn write(self) {
        self.to.write(self.handle);
    }
}

/// Runs one call of a device: `work` does it, `object` makes of it what is given out, for which there is room beforehand.
///
/// # Safety
/// As the [crate](crate#safety).
unsafe fn with_result<O: Object, T>(
    device: *mut subrosa_device,
    to: *mut *mut O,
    work: impl FnOnce(&mut Device<Lent>, &mut Rng) -> Result<T, Status>,
    object: impl FnOnce(T) -> O,
) -> Result<Given<O>, Status> {
    // SAFETY: the caller's promise.
    let to = unsafe { args::out(to) }?;
    let reserved = handle::reserve()?;
    let result = with(device, work)?;
    let handle = reserved.fill(object(result));
    Ok(Given { to, handle })
}

/// Runs one call of a device.
pub(crate) fn with<T>(
    device: *mut subrosa_device,
    work: impl FnOnce(&mut Device<Lent>, &mut Rng) -> Result<T, Status>,
) -> Result<T, Status> {
    let mut device = handle::exclusive(device)?;
    let subrosa_device { device, rng } = &mut *device;
    work(device, rng)
}
