//! What a store holds, read and written past the library: for states that take a device months to come to.

use subrosa::device::hazmat::{Place, open_value, seal_value, store_key};
use subrosa::identity::AccountId;
use subrosa::wire::Reader;
use subrosa::{DeviceIdentity, os_rng};
use subrosa_capi::value::subrosa_address;

use super::KEY;
use super::disk::Disk;

/// Kinds of values (SPEC §19.3).
pub const PREKEYS: u16 = 2;
pub const PEER: u16 = 5;
pub const ACCOUNT: u16 = 6;

/// The name of what is stored of a device of somebody: `vec(address)` without its length.
pub fn peer(address: &subrosa_address) -> Vec<u8> {
    let account = AccountId::from_bytes(address.account);
    account.device(address.device).as_bytes().to_vec()
}

/// The plaintext of a value.
pub fn read(disk: &Disk, kind: u16, name: &[u8]) -> Vec<u8> {
    let contents = disk.contents.borrow();
    let value = &contents.values[&store_key(&KEY, kind, name)];
    open_value(&KEY, kind, name, value).unwrap().1.to_vec()
}

/// Changes the plaintext of a value, which stays of its generation.
pub fn change(disk: &Disk, kind: u16, name: &[u8], work: impl FnOnce(&mut Vec<u8>)) {
    let mut contents = disk.contents.borrow_mut();
    let key = store_key(&KEY, kind, name);
    let (generation, plaintext) = open_value(&KEY, kind, name, &contents.values[&key]).unwrap();
    let mut plaintext = plaintext.to_vec();
    work(&mut plaintext);
    let place = Place {
        kind,
        name,
        generation,
    };
    let anybody = AccountId::from_bytes([1; 32]).device(1);
    let hedge = DeviceIdentity::generate(anybody, &mut os_rng()).unwrap();
    let value = seal_value(&KEY, place, &plaintext, &hedge, &mut os_rng()).unwrap();
    contents.values.insert(key, value);
}

/// Where the chain that sends stands in the plaintext of a conversation with one state (SPEC §12.4, §12.5).
pub struct Sending {
    pub session_id: [u8; 32],
    pub ratchet_key: [u8; 32],
    pub header_key: [u8; 32],
    pub epoch: u32,
    pub previous_count: u32,
    /// Where its number stands.
    pub number_at: usize,
}

pub fn sending(plaintext: &[u8]) -> Sending {
    let mut reader = Reader::new(plaintext);
    // What belongs to the device, the peer, and when the conversation was begun last.
    reader.take(20).unwrap();
    let address = reader.vector_length().unwrap();
    reader.take(address + 32 + 32 + 8).unwrap();
    assert_eq!(reader.vector_length(), Ok(1));
    reader.take(8).unwrap();
    match reader.u8().unwrap() {
        1 => {}
        2 => drop(reader.take(32).unwrap()),
        other => panic!("not answered: {other}"),
    }
    assert_eq!(reader.u8(), Ok(0), "it sends");
    let session_id = *reader.array().unwrap();
    reader.take(64).unwrap();
    assert_eq!(reader.u8(), Ok(0), "in the midst of a chain");
    reader.take(32).unwrap();
    let ratchet_key = *reader.array().unwrap();
    reader.take(32).unwrap();
    assert_eq!(reader.flag(), Ok(true));
    let header_key = *reader.array().unwrap();
    reader.take(96).unwrap();
    let epoch = reader.u32().unwrap();
    let number_at = plaintext.len() - reader.rest().len();
    reader.u32().unwrap();
    Sending {
        session_id,
        ratchet_key,
        header_key,
        epoch,
        previous_count: reader.u32().unwrap(),
        number_at,
    }
}
