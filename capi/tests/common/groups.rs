//! Groups of devices: each function is one call of the interface, or a few, that must succeed.

use std::ptr::null_mut;
use std::rc::Rc;

use subrosa_capi::device::*;
use subrosa_capi::result::*;
use subrosa_capi::status::*;
use subrosa_capi::value::*;

use super::disk::Disk;
use super::*;
use crate::ok;

pub type Group = [u8; SUBROSA_GROUP];

/// Key packages that a device publishes: the last-resort one, or no bytes, then `count` that are handed out once.
pub fn key_packages(device: *mut subrosa_device, count: usize, now: u64) -> Vec<Vec<u8>> {
    let mut published = null_mut();
    ok!(unsafe { subrosa_device_publish_key_packages(device, count, now, &mut published) });
    let mut info = new_bundles_info();
    ok!(unsafe { subrosa_bundles_read(published, &mut info) });
    assert!(!info.replaces);
    super::published(published)
}

pub fn found(device: *mut subrosa_device) -> Group {
    let mut group = [0; SUBROSA_GROUP];
    ok!(unsafe { subrosa_device_group_create(device, NOW, group.as_mut_ptr()) });
    group
}

pub fn groups(device: *mut subrosa_device) -> Vec<Group> {
    let mut bytes = vec![0; 100 * SUBROSA_GROUP];
    let mut len = bytes.len();
    ok!(unsafe { subrosa_device_group_list(device, bytes.as_mut_ptr(), &mut len) });
    let (groups, rest) = bytes[..len].as_chunks();
    assert!(rest.is_empty());
    groups.to_vec()
}

pub fn members(device: *mut subrosa_device, group: &Group) -> Vec<subrosa_address> {
    let mut members = null_mut();
    ok!(unsafe { subrosa_device_group_members(device, group.as_ptr(), &mut members) });
    addresses(members).into_iter().map(Result::unwrap).collect()
}

/// The epoch and its authenticator.
pub fn epoch(device: *mut subrosa_device, group: &Group) -> (u64, [u8; 32]) {
    let (mut epoch, mut authenticator) = (u64::MAX, [0; SUBROSA_AUTHENTICATOR]);
    let to = authenticator.as_mut_ptr();
    ok!(unsafe { subrosa_device_group_epoch(device, group.as_ptr(), &mut epoch, to) });
    assert_ne!(authenticator, [0; 32]);
    (epoch, authenticator)
}

/// What a call has given out, if it has.
fn one(status: subrosa_status, outbox: *mut subrosa_outbox) -> Result<Outgoing, subrosa_status> {
    if status != SUBROSA_OK {
        assert!(outbox.is_null());
        return Err(status);
    }
    let mut sent = sealed(outbox);
    assert_eq!(sent.len(), 1);
    Ok(sent.remove(0))
}

pub fn try_change(
    device: *mut subrosa_device,
    group: &Group,
    id: &[u8],
    (add, remove): (&[&[u8]], &[subrosa_address]),
    now: u64,
) -> Result<Outgoing, subrosa_status> {
    let (add, mut outbox) = (views(add), null_mut());
    let status = unsafe {
        subrosa_device_group_change(
            device,
            group.as_ptr(),
            id.as_ptr(),
            id.len(),
            add.as_ptr(),
            add.len(),
            remove.as_ptr(),
            remove.len(),
            now,
            &mut outbox,
        )
    };
    one(status, outbox)
}

/// A change, made and named `change`.
pub fn change(
    device: *mut subrosa_device,
    group: &Group,
    add: &[&[u8]],
    remove: &[subrosa_address],
) -> Outgoing {
    let made = try_change(device, group, b"change", (add, remove), NOW).unwrap();
    assert_eq!((made.kind, made.group), (SUBROSA_SENT_CHANGE, *group));
    made
}

pub fn try_tell(
    device: *mut subrosa_device,
    group: &Group,
    id: &[u8],
    text: &[u8],
) -> Result<Outgoing, subrosa_status> {
    let mut outbox = null_mut();
    let status = unsafe {
        subrosa_device_group_send(
            device,
            group.as_ptr(),
            id.as_ptr(),
            id.len(),
            text.as_ptr(),
            text.len(),
            &mut outbox,
        )
    };
    one(status, outbox)
}

/// A text, sealed for the group under the name that it is itself.
pub fn tell(device: *mut subrosa_device, group: &Group, text: &[u8]) -> Vec<u8> {
    let mut sent = try_tell(device, group, text, text).unwrap();
    assert_eq!((sent.kind, sent.group), (SUBROSA_SENT_GROUP, *group));
    assert_eq!((sent.copies.len(), sent.to), (1, [0; 32]));
    sent.copies.remove(0).1
}

pub fn try_leave(
    device: *mut subrosa_device,
    group: &Group,
    id: &[u8],
) -> Result<Outgoing, subrosa_status> {
    let mut outbox = null_mut();
    let (to, name) = (group.as_ptr(), id.as_ptr());
    let status = unsafe { subrosa_device_group_leave(device, to, name, id.len(), &mut outbox) };
    one(status, outbox)
}

pub fn outbox_of_groups(device: *mut subrosa_device) -> Vec<Outgoing> {
    let mut outbox = null_mut();
    ok!(unsafe { subrosa_device_group_outbox(device, 0, 1_000, null_mut(), &mut outbox) });
    sealed(outbox)
}

pub fn hear<T: AsRef<[u8]>>(device: *mut subrosa_device, messages: &[T]) -> Vec<Told> {
    let (messages, mut events) = (views(messages), null_mut());
    let (data, count) = (messages.as_ptr(), messages.len());
    ok!(unsafe { subrosa_device_group_receive(device, data, count, NOW, &mut events) });
    told(events)
}

/// Why the only message was refused.
pub fn not_heard<T: AsRef<[u8]>>(device: *mut subrosa_device, message: T) -> subrosa_status {
    let events = hear(device, &[message]);
    let [event] = &events[..] else {
        panic!("{events:?}");
    };
    assert_eq!(
        (event.kind, event.envelope),
        (SUBROSA_EVENT_REJECTED, 0),
        "{event:?}"
    );
    assert_eq!(event.action, subrosa_status_action(event.status));
    event.status
}

pub fn kinds(events: &[Told]) -> Vec<i32> {
    events.iter().map(|event| event.kind).collect()
}

/// Devices of an account each, which know each other; all are members of a group, by a change of the first.
pub struct Circle {
    pub disks: Vec<Rc<Disk>>,
    pub phones: Vec<*mut subrosa_device>,
    pub group: Group,
}

impl Circle {
    pub fn new(count: usize) -> Self {
        let disks: Vec<_> = (0..count).map(|_| Disk::new()).collect();
        let phones: Vec<_> = disks.iter().map(|disk| create(disk.store()).0).collect();
        for one in &phones {
            for other in phones.iter().filter(|other| *other != one) {
                introduce(*one, *other);
            }
        }
        let group = found(phones[0]);
        let circle = Self {
            disks,
            phones,
            group,
        };
        let packages: Vec<_> = circle.phones[1..]
            .iter()
            .map(|phone| key_packages(*phone, 1, NOW).remove(1))
            .collect();
        if !packages.is_empty() {
            let packages: Vec<_> = packages.iter().map(Vec::as_slice).collect();
            let made = change(circle.phones[0], &group, &packages, &[]);
            circle.take(0, &made);
            for (to, welcome) in &made.copies[1..] {
                let phone = circle.phones.iter().find(|phone| address(**phone) == *to);
                let events = hear(*phone.unwrap(), &[welcome]);
                assert_eq!(kinds(&events), [SUBROSA_EVENT_GROUP_JOINED]);
                assert_eq!(events[0].group, group);
            }
        }
        circle
    }

    /// A change of this one comes back to it.
    pub fn take(&self, place: usize, made: &Outgoing) -> Vec<Told> {
        let events = hear(self.phones[place], &[&made.copies[0].1]);
        assert_eq!(events[0].kind, SUBROSA_EVENT_GROUP_CHANGED, "{events:?}");
        events
    }

    /// A change of this one, made and taken by all who are given here.
    pub fn change(&self, place: usize, others: &[usize]) {
        let made = change(self.phones[place], &self.group, &[], &[]);
        self.take(place, &made);
        for other in others {
            self.take(*other, &made);
        }
    }

    /// A text of this one.
    pub fn tell(&self, place: usize, text: &[u8]) -> Vec<u8> {
        tell(self.phones[place], &self.group, text)
    }

    pub fn free(self) {
        for phone in self.phones {
            ok!(subrosa_device_free(phone));
        }
    }
}
