//! What a member of a group knows, read past the library from where its device has stored it.

use subrosa::device::hazmat::{open_value, store_key};
use subrosa::mls::{Error, KeyPackage, Member, Message};

use super::KEY;
use super::disk::Disk;

/// The kind of a group's records (SPEC §19.4).
pub const RECORD: u16 = 13;

/// The member that is stored there.
pub fn member(disk: &Disk, group: &[u8; 32]) -> Member {
    let contents = disk.contents.borrow();
    let read = |name: &[u8]| {
        let name = [group, name].concat();
        let value = contents.values.get(&store_key(&KEY, RECORD, &name))?;
        Some(open_value(&KEY, RECORD, &name, value).unwrap().1)
    };
    Member::load::<Error>(|name| Ok(read(name.as_bytes()))).unwrap()
}

pub fn key_package(message: &[u8]) -> KeyPackage {
    match Message::decode(message).unwrap() {
        Message::KeyPackage(key_package) => key_package,
        other => panic!("{other:?}"),
    }
}
