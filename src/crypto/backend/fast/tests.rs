use std::vec::Vec;

use super::*;
use crate::crypto::hash::sha256;

/// Bytes that differ with each label and number.
fn sample(label: &str, number: u32) -> [u8; 32] {
    sha256(&[label.as_bytes(), &number.to_be_bytes()])
}

fn nonce(number: u32) -> [u8; 12] {
    *sample("nonce", number).first_chunk().unwrap()
}

/// Else the comparisons of this file, and those of `tests/fast_backend.rs`, hold of nothing.
#[test]
fn a_processor_that_has_the_instructions_is_used() {
    let supported = is_cpu_supported();
    let seed = Secret::new([1; 32]);
    assert_eq!(matches!(Gcm::new(&[1; 32]), Gcm::Fast(_)), supported);
    assert_eq!(matches!(Point::new(&[9; 32]), Point::Fast(_)), supported);
    assert_eq!(matches!(Signer::new(&seed), Signer::Fast { .. }), supported);
}

/// What a processor without the instructions gets, and what this one gets: the same, refusals and what they leave included.
#[test]
fn both_seal_and_open_alike() {
    for number in 0..300 {
        let key = sample("key", number);
        let nonce = nonce(number);
        let both = [Gcm::on(false, &key), Gcm::on(is_cpu_supported(), &key)];
        // From nothing to more than a chunk of a file.
        let length = (number * number) as usize % 17_000;
        let text: Vec<u8> = (0..length).map(|place| (place / 7 % 251) as u8).collect();
        let results = both.map(|gcm| {
            let mut sealed = text.clone();
            let tag = gcm.seal(&nonce, &mut sealed).unwrap();
            let mut into = std::vec![7; length];
            assert_eq!(gcm.seal_into(&nonce, &text, &mut into), Ok(tag));
            assert!(into == sealed);

            let mut opened = sealed.clone();
            assert_eq!(gcm.open(&nonce, &mut opened, &tag), Ok(()));
            assert!(opened == text);
            assert_eq!(gcm.open_into(&nonce, &sealed, &mut into, &tag), Ok(()));
            assert!(into == text);

            let mut other = tag;
            other[number as usize % 16] ^= 1;
            let refused = Err(Error::Decryption);
            let mut gone = sealed.clone();
            assert_eq!(gcm.open(&nonce, &mut gone, &other), refused);
            assert!(gone.iter().all(|byte| *byte == 0));
            assert_eq!(gcm.open_into(&nonce, &sealed, &mut into, &other), refused);
            assert!(into.iter().all(|byte| *byte == 0));

            // A place of another length: nothing is written.
            let mut longer = std::vec![7; length + 1];
            let tag_or = gcm.seal_into(&nonce, &text, &mut longer);
            assert_eq!(tag_or, Err(Error::TooLong));
            let opened = gcm.open_into(&nonce, &sealed, &mut longer, &tag);
            assert_eq!(opened, refused);
            assert!(longer.iter().all(|byte| *byte == 7));
            (sealed, tag)
        });
        assert!(results[0] == results[1], "{number}");
    }
}

#[test]
fn both_agree_alike() {
    let mut zero = 0;
    for number in 0..300 {
        let secret = Secret::new(sample("secret", number));
        let mut public = sample("public", number);
        public[31] &= 0x7f;
        if number < 2 {
            // u = 0 and u = 1 have small order.
            public = [0; 32];
            public[0] = number as u8;
        }
        let [portable, fast] =
            [false, is_cpu_supported()].map(|supported| Point::on(supported, &public));
        assert!(portable.multiply(&secret) == fast.multiply(&secret));
        assert_eq!(portable.has_prime_order(), fast.has_prime_order());
        zero += u32::from(fast.multiply(&secret) == Secret::zero());
        assert_eq!(public_key(&secret), portable::public_key(&secret));
    }
    assert_eq!(zero, 2);
}

#[test]
fn both_sign_alike() {
    for number in 0..300 {
        let seed = Secret::new(sample("seed", number));
        let message = sample("message", number).repeat(number as usize % 9);
        let [portable, fast] =
            [false, is_cpu_supported()].map(|supported| Signer::on(supported, &seed));
        assert_eq!(portable.public(), fast.public());
        assert_eq!(portable.sign(&message), fast.sign(&message));
        assert!(portable.seed() == seed && fast.seed() == seed);
    }
}
