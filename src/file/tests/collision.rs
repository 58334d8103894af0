//! One ciphertext and tag that AES-256-GCM accepts under two keys (Grubbs, Lu, Ristenpart: "Message Franking via Committing
//! Authenticated Encryption", eprint 2017/664; Dodis, Grubbs, Ristenpart, Woodage: "Fast Message Franking", eprint
//! 2019/016), and why a file made of it has one key all the same.
//!
//! GCM's tag is a polynomial in H with the blocks of the ciphertext as its coefficients. Two keys are two polynomials that
//! share these. Where they give the same tag is one linear equation in any one block, solved here for the last.

use super::*;
use crate::crypto::aead::{Aes256Gcm, NONCE, TAG};

/// An element of GF(2^128) as GCM writes it (NIST SP 800-38D §6.3): the first bit is the coefficient of 1.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Element(u128);

impl Element {
    const ONE: Self = Self(1 << 127);

    fn of(block: &[u8]) -> Self {
        Self(u128::from_be_bytes(block.try_into().unwrap()))
    }

    const fn plus(self, other: Self) -> Self {
        Self(self.0 ^ other.0)
    }

    fn times(self, other: Self) -> Self {
        let (mut sum, mut power) = (0, other.0);
        for bit in (0..128).rev() {
            if self.0 >> bit & 1 == 1 {
                sum ^= power;
            }
            let carry = power & 1;
            power >>= 1;
            if carry == 1 {
                power ^= 0xe1 << 120;
            }
        }
        Self(sum)
    }

    /// To the power of 2^128 - 2.
    fn inverse(self) -> Self {
        let (mut result, mut power) = (Self::ONE, self);
        for _ in 1..128 {
            power = power.times(power);
            result = result.times(power);
        }
        assert_eq!(result.times(self), Self::ONE);
        result
    }
}

/// A key, a nonce, and what the tag under them is made from.
struct Lock {
    key: [u8; 32],
    nonce: [u8; NONCE],
    /// The point at which the polynomial is taken.
    h: Element,
    /// What is added to its value.
    mask: Element,
}

impl Lock {
    fn new(key: [u8; 32], nonce: [u8; NONCE]) -> Self {
        let seal =
            |text: &mut [u8]| Element::of(&Aes256Gcm::seal(&key, &nonce, b"", text).unwrap());
        // Of no text the polynomial is 0; of a block whose ciphertext is 0 it is H times the block of lengths.
        let mask = seal(&mut []);
        let mut block = [0; 16];
        seal(&mut block);
        let tag = seal(&mut block);
        assert_eq!(block, [0; 16]);
        let h = tag.plus(mask).times(lengths(16).inverse());
        Self {
            key,
            nonce,
            h,
            mask,
        }
    }

    /// Of a chunk that is derived from a file's key and salt.
    fn of_chunk(key: &FileKey, number: u8) -> Self {
        let derived = Derived::new(key, CONTEXT, &SALT_OF_BOTH);
        let mut nonce = *derived.base.expose();
        nonce[NONCE - 1] ^= number;
        Self::new(*derived.key.expose(), nonce)
    }

    /// GHASH and the mask on it.
    fn tag(&self, ciphertext: &[u8]) -> Element {
        let blocks = ciphertext.chunks(16).map(Element::of);
        let hash = blocks
            .chain([lengths(ciphertext.len())])
            .fold(Element(0), |sum, block| sum.plus(block).times(self.h));
        hash.plus(self.mask)
    }

    fn encrypt(&self, text: &[u8]) -> Vec<u8> {
        let mut ciphertext = text.to_vec();
        Aes256Gcm::seal(&self.key, &self.nonce, b"", &mut ciphertext).unwrap();
        ciphertext
    }

    fn open(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        let (ciphertext, tag) = sealed.split_last_chunk::<TAG>().unwrap();
        let mut text = ciphertext.to_vec();
        Aes256Gcm::open(&self.key, &self.nonce, b"", &mut text, tag).ok()?;
        Some(text)
    }
}

/// The block of lengths: no associated data, and so many bytes of ciphertext.
const fn lengths(bytes: usize) -> Element {
    Element(bytes as u128 * 8)
}

/// A sealed text whose first half reads as `texts[0]` with the first key and whose second half, but for its last block, as
/// `texts[1]` with the second.
fn collide(locks: &[Lock; 2], texts: [&[u8]; 2]) -> Vec<u8> {
    let length = texts[0].len();
    assert!(length.is_multiple_of(32) && texts[1].len() == length);
    let mut sealed = locks[0].encrypt(texts[0]);
    sealed[length / 2..].copy_from_slice(&locks[1].encrypt(texts[1])[length / 2..]);
    // The last block is multiplied with H².
    sealed[length - 16..].fill(0);
    let difference = locks[0].tag(&sealed).plus(locks[1].tag(&sealed));
    let [one, other] = locks.each_ref().map(|lock| lock.h.times(lock.h));
    let last = difference.times(one.plus(other).inverse());
    sealed[length - 16..].copy_from_slice(&last.0.to_be_bytes());
    let tag = locks[0].tag(&sealed);
    assert_eq!(tag, locks[1].tag(&sealed));
    sealed.extend_from_slice(&tag.0.to_be_bytes());
    sealed
}

const SALT_OF_BOTH: [u8; SALT] = [9; SALT];

#[test]
fn attack_f3_one_ciphertext_under_two_keys_is_the_file_of_one() {
    let keys = || [key(1), key(2)];
    let texts = [vec![b'A'; CHUNK], vec![b'B'; CHUNK]];
    let [a, b] = &texts;
    // A file of two chunks, each of which both keys accept.
    let mut chunks = Vec::new();
    for (number, length) in [(0, CHUNK), (1, 96)] {
        let locks = keys().map(|key| Lock::of_chunk(&key, number));
        let sealed = collide(&locks, [&a[..length], &b[..length]]);
        let [one, other] = locks.each_ref().map(|lock| lock.open(&sealed).unwrap());
        assert!(one[..length / 2] == a[..length / 2]);
        assert!(other[length / 2..length - 16] == b[length / 2..length - 16]);
        assert!(one != other);
        let mut altered = sealed.clone();
        altered[length - 1] ^= 1;
        assert!(locks.iter().all(|lock| lock.open(&altered).is_none()));
        chunks.extend_from_slice(&sealed);
    }
    for (owner, other) in [(0, 1), (1, 0)] {
        let header = |file: usize| {
            let (_, header) = Sealer::with_salt(&keys()[file], CONTEXT, &SALT_OF_BOTH);
            header
        };
        let file = [&header(owner)[..], &chunks].concat();
        let [owners, others] =
            [owner, other].map(|file| move || keys().into_iter().nth(file).unwrap());
        let (opened, result) = open_with(owners(), CONTEXT, &file, 5_000);
        assert_eq!((opened.len(), result), (CHUNK + 96, Ok(())));

        // The other key is refused at the last byte of the header, when no byte of a chunk is there yet.
        let mut opener = Opener::new(others(), CONTEXT);
        assert_eq!(opener.feed(&mut &file[..HEADER - 1]), Ok(None));
        assert_eq!(
            opener.feed(&mut &file[HEADER - 1..HEADER]),
            Err(Error::Commitment)
        );
        assert_eq!(opener.feed(&mut &file[HEADER..]), Err(Error::Commitment));
        assert_eq!(
            open_with(others(), CONTEXT, &file, 5_000),
            (vec![], Err(Error::Commitment))
        );
        let pieces = |key: &FileKey| Pieces::new(key, CONTEXT, &header(owner), file.len() as u64);
        assert_eq!(pieces(&others()).err(), Some(Error::Commitment));
        // What it would have opened: the chunks are not what refuses it.
        let pieces = pieces(&owners()).unwrap();
        for number in 0..2 {
            let place = pieces.place(number).unwrap();
            let chunk = &file[place.start as usize..place.end as usize];
            let lock = Lock::of_chunk(&others(), number as u8);
            let text = pieces.open(number, &mut chunk.to_vec()).unwrap().to_vec();
            assert!(lock.open(chunk).unwrap() != text);
        }
    }
}

/// The same without a file: under any two keys, with one nonce for both.
#[test]
fn attack_f3_two_keys_and_one_nonce() {
    let locks = [3, 4].map(|byte| Lock::new([byte; 32], [5; NONCE]));
    let sealed = collide(&locks, [&[b'A'; 64], &[b'B'; 64]]);
    let [one, other] = locks.each_ref().map(|lock| lock.open(&sealed).unwrap());
    assert_eq!(
        (&one[..32], &other[32..48]),
        (&[b'A'; 32][..], &[b'B'; 16][..])
    );
    assert!(Lock::new([6; 32], [5; NONCE]).open(&sealed).is_none());
}
