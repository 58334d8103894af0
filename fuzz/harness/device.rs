//! Targets `device_value`, what a device stores (SPEC §19.4), and `device_body`, what devices seal for each other (§19.1).

use subrosa::device::hazmat::{Body, rewrite};
use subrosa::identity::{AccountSecret, DeviceList, RecoverySecret};

use super::common::{Device, SeededRng};
use super::conversation;
use super::stored::{CONVERSATION, plaintext};

/// Kinds 4 to 11.
const KINDS: std::ops::Range<u16> = 4..12;

/// The first byte chooses the kind; the rest is a plaintext. What is accepted is the one encoding of what it says.
pub fn device_value(data: &[u8]) {
    let Some((choice, value)) = data.split_first() else {
        return;
    };
    let kind = KINDS.start + u16::from(*choice) % (KINDS.end - KINDS.start);
    if let Ok(again) = rewrite(kind, value) {
        assert_eq!(*again, value);
    }
}

/// Every body is read or refused, and what is read says all that was in it.
pub fn device_body(data: &[u8]) {
    match Body::parse(data) {
        Ok(body) => assert_eq!(body.write(), data),
        // Only one that ends early.
        Err(_) => assert!(data.len() < 1 + 80 + 32),
    }
}

/// One value of each kind, some of them twice.
pub fn values() -> Vec<Vec<u8>> {
    let mut rng = SeededRng(11);
    let account = AccountSecret::generate(&mut rng).unwrap();
    let recovery = RecoverySecret::generate(&mut rng).unwrap();
    let device = Device::new("device", 12).identity;
    let list = DeviceList::first(&account, &recovery, device.public().keys()).unwrap();
    let address: Vec<u8> = [&[36][..], list.account_id().device(1).as_bytes()].concat();
    let numbers = |numbers: &[u64]| -> Vec<u8> {
        numbers
            .iter()
            .flat_map(|number| number.to_be_bytes())
            .collect()
    };
    let length = |length: usize| (0x4000 | length as u16).to_be_bytes();
    let conversation = plaintext(CONVERSATION, &conversation::fixture().at_bob);
    let values: [(u8, Vec<u8>); 11] = [
        (
            4,
            [
                &[0, 1][..],
                &numbers(&[1, 5, 0, 0]),
                &[1, 0],
                &numbers(&[9]),
            ]
            .concat(),
        ),
        (
            5,
            [&[0, 0, 0, 2][..], &numbers(&[1, 2]), &conversation].concat(),
        ),
        (
            6,
            [&[1][..], &length(list.as_bytes().len()), list.as_bytes()].concat(),
        ),
        (7, [&[1][..], &address].concat()),
        (7, [&[2][..], &address, &address].concat()),
        (
            8,
            [&numbers(&[3])[..], &[5; 32], &[1], &address, &[3, 1, 2, 3]].concat(),
        ),
        (8, [&numbers(&[3])[..], &[5; 32], &[0]].concat()),
        (9, vec![2, 7, 7]),
        (
            10,
            [&[0, 0][..], &address, &numbers(&[1]), &[0x0f, 0], b"text"].concat(),
        ),
        (
            10,
            [
                &[0, 0][..],
                &address,
                &numbers(&[1]),
                &[0, 1],
                &[5; 32],
                b"text",
            ]
            .concat(),
        ),
        (11, vec![1; 32]),
    ];
    let values = values.into_iter();
    values
        .map(|(kind, value)| [&[kind - 4][..], &value].concat())
        .collect()
}

pub fn bodies() -> Vec<Vec<u8>> {
    let views = [1; 80];
    vec![
        b"\x10text".to_vec(),
        [b"\x18", &views[..], b"text"].concat(),
        [b"\x11", &[2; 32][..], b"text"].concat(),
        [b"\x19", &views[..], &[2; 32], b"text"].concat(),
        vec![0x10],
        vec![0x12, 1],
        vec![0x20],
        [&[0x19][..], &views, &[2; 31]].concat(),
    ]
}
