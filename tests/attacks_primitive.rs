//! What must fail at the primitives: a test carries the name of its attack.

use std::collections::BTreeSet;
use std::fs;

use curve25519_dalek::constants::EIGHT_TORSION;
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::{Identity, IsIdentity};
use sha2::{Digest, Sha512};
use subrosa::crypto::aead::{Aes128Gcm, Aes256Gcm, ChaCha20Poly1305};
use subrosa::crypto::dh::{DhKeyPair, DhPublic};
use subrosa::crypto::hash::HmacKey;
use subrosa::crypto::hedge::{Entropy, Hedge, Hedged};
use subrosa::crypto::kem::{KEM_CIPHERTEXT, KEM_PUBLIC, KemKeyPair, KemPublic};
use subrosa::crypto::labels::purpose;
use subrosa::crypto::secret::equal;
use subrosa::crypto::sign::{Signature, SigningKey, VerifyingKey};
use subrosa::crypto::{Error, Secret, TryCryptoRng, TryRng};
use subrosa::wire::{self, Reader};

/// SHA-512 of a number: bytes that differ from test to test and not from run to run.
fn bytes<const N: usize>(seed: &str, number: u64) -> [u8; N] {
    let hash = Sha512::new()
        .chain_update(seed)
        .chain_update(number.to_be_bytes())
        .finalize();
    std::array::from_fn(|index| hash[index])
}

fn scalar(seed: &str, number: u64) -> Scalar {
    Scalar::from_bytes_mod_order_wide(&bytes(seed, number))
}

/// 2^255 - 19 + `offset`, little-endian.
fn p_plus(offset: i16) -> [u8; 32] {
    let mut number = [0xff; 32];
    (number[0], number[31]) = (u8::try_from(0xed + offset).unwrap(), 0x7f);
    number
}

fn small(value: u8) -> [u8; 32] {
    let mut number = [0; 32];
    number[0] = value;
    number
}

fn with_high_bit(mut number: [u8; 32]) -> [u8; 32] {
    number[31] |= 0x80;
    number
}

/// The u-coordinates of small order below 2^255: 0, 1, two of order 8, p - 1.
fn small_order_u() -> [[u8; 32]; 5] {
    let order_8 = [1, 3].map(|index: usize| EIGHT_TORSION[index].to_montgomery().to_bytes());
    assert_ne!(order_8[0], order_8[1]);
    [small(0), small(1), order_8[0], order_8[1], p_plus(-1)]
}

/// The same points written as u + p or u + 2p, where that fits 256 bits: with the five above the twelve encodings
/// that block lists name.
fn small_order_u_not_canonical() -> [[u8; 32]; 7] {
    let [_, _, a, b, _] = small_order_u();
    let two_p_plus = |offset: i16| {
        let mut number = [0xff; 32];
        number[0] = u8::try_from(0xda + offset).unwrap();
        number
    };
    let plus_p = |u: [u8; 32]| {
        let mut carry = 0u16;
        let mut sum = [0; 32];
        for ((to, u), p) in sum.iter_mut().zip(u).zip(p_plus(0)) {
            carry += u16::from(u) + u16::from(p);
            [*to, _] = carry.to_le_bytes();
            carry >>= 8;
        }
        assert_eq!(carry, 0);
        sum
    };
    [
        p_plus(0),
        p_plus(1),
        plus_p(a),
        plus_p(b),
        two_p_plus(-1),
        two_p_plus(0),
        two_p_plus(1),
    ]
}

/// Modulo p, of all 256 bits.
fn reduced(mut number: [u8; 32]) -> [u8; 32] {
    loop {
        let mut borrow = 0i16;
        let mut rest = [0; 32];
        for ((to, from), p) in rest.iter_mut().zip(number).zip(p_plus(0)) {
            let difference = i16::from(from) - i16::from(p) - borrow;
            borrow = i16::from(difference < 0);
            [*to, _] = difference.to_le_bytes();
        }
        if borrow == 1 {
            return number;
        }
        number = rest;
    }
}

#[test]
fn attack_p1_small_order_x25519_keys() {
    let secret = |number| bytes::<32>("p1", number);
    for number in 0..50 {
        let pair = DhKeyPair::from_secret(Secret::new(secret(number)));
        for u in small_order_u() {
            let public = DhPublic::from_bytes(&u).unwrap();
            assert!(
                matches!(pair.agree(&public), Err(Error::NonContributory)),
                "{u:02x?}"
            );
            assert_eq!(public.require_prime_order(), Err(Error::InvalidKey));
            assert_eq!(
                DhPublic::from_bytes(&with_high_bit(u)),
                Err(Error::InvalidKey)
            );
        }
        for u in small_order_u_not_canonical() {
            assert_eq!(DhPublic::from_bytes(&u), Err(Error::InvalidKey), "{u:02x?}");
        }
        // They are what they are meant to be: X25519 gives zeros for each, once it is reduced modulo p.
        for u in small_order_u()
            .into_iter()
            .chain(small_order_u_not_canonical())
        {
            assert_eq!(
                x25519_dalek::x25519(secret(number), reduced(u)),
                [0; 32],
                "{u:02x?}"
            );
        }
        for u in [p_plus(0), p_plus(1)] {
            assert_eq!(x25519_dalek::x25519(secret(number), u), [0; 32], "{u:02x?}");
        }
    }
}

#[test]
fn attack_p2_other_encodings_of_an_x25519_key() {
    for number in 0..20 {
        let honest = *DhKeyPair::from_secret(Secret::new(bytes("p2", number))).public();
        assert_eq!(honest.require_prime_order(), Ok(()));
        assert_eq!(
            DhPublic::from_bytes(&with_high_bit(*honest.as_bytes())),
            Err(Error::InvalidKey)
        );
    }
    for offset in 0..19 {
        assert_eq!(
            DhPublic::from_bytes(&p_plus(offset)),
            Err(Error::InvalidKey)
        );
        assert_eq!(
            DhPublic::from_bytes(&with_high_bit(p_plus(offset))),
            Err(Error::InvalidKey)
        );
    }
    assert!(DhPublic::from_bytes(&p_plus(-1)).is_ok());
}

#[test]
fn attack_p2_torsion_and_twist_in_an_identity() {
    let pair = DhKeyPair::from_secret(Secret::new(bytes("p2 torsion", 0)));
    for number in 1..20 {
        let point = EdwardsPoint::mul_base(&scalar("p2 torsion", number));
        let honest = DhPublic::from_bytes(&point.to_montgomery().to_bytes()).unwrap();
        let shared = pair.agree(&honest).unwrap();
        assert_eq!(honest.require_prime_order(), Ok(()));
        for torsion in &EIGHT_TORSION[1..] {
            let other = (point + torsion).to_montgomery().to_bytes();
            let other = DhPublic::from_bytes(&other).unwrap();
            // The attack: another key that agrees on the same secrets.
            assert!(other != honest && pair.agree(&other).unwrap() == shared);
            assert_eq!(other.require_prime_order(), Err(Error::InvalidKey));
        }
    }
    // Points of the twist: half of all strings are such.
    let mut on_twist = 0;
    for number in 0..40 {
        let mut u: [u8; 32] = bytes("p2 twist", number);
        u[31] &= 0x7f;
        if curve25519_dalek::MontgomeryPoint(u).to_edwards(0).is_none() {
            on_twist += 1;
            let public = DhPublic::from_bytes(&u).unwrap();
            assert_eq!(public.require_prime_order(), Err(Error::InvalidKey));
        }
    }
    assert!(on_twist > 5);
}

/// L, little-endian.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
    0x14, //
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// The signature with S + L in place of S; `None` where that passes 256 bits.
fn plus_order(signature: &[u8; 64]) -> Option<[u8; 64]> {
    let mut raised = *signature;
    let mut carry = 0u16;
    for (byte, order) in raised[32..].iter_mut().zip(ORDER) {
        carry += u16::from(*byte) + u16::from(order);
        [*byte, _] = carry.to_le_bytes();
        carry >>= 8;
    }
    (carry == 0).then_some(raised)
}

#[test]
fn attack_p3_malleated_signatures() {
    let minus_one = (-Scalar::ONE).to_bytes();
    let mut order = [0; 64];
    order[32..].copy_from_slice(&minus_one);
    order[32] += 1;
    assert_eq!(order[32..], ORDER);
    for number in 0..10_000 {
        let key = SigningKey::from_seed(&Secret::new(bytes("p3", number / 100)));
        let message: [u8; 20] = bytes("p3 message", number);
        let signature = key.sign(&message).unwrap();
        assert_eq!(key.verifying_key().verify(&message, &signature), Ok(()));
        let malleated = Signature(plus_order(&signature.0).unwrap());
        assert_eq!(
            key.verifying_key().verify(&message, &malleated),
            Err(Error::BadSignature)
        );
    }
    let key = SigningKey::from_seed(&Secret::new(bytes("p3", 0)));
    let mut signature = key.sign(b"m").unwrap().0;
    let mut refused = 0;
    while let Some(raised) = plus_order(&signature) {
        assert!(
            key.verifying_key()
                .verify(b"m", &Signature(raised))
                .is_err()
        );
        signature = raised;
        refused += 1;
    }
    assert!(refused >= 14);
}

/// A signature made from its parts, with what the two equations say of it.
struct Forgery {
    public: [u8; 32],
    message: Vec<u8>,
    signature: [u8; 64],
    cofactored: bool,
    cofactorless: bool,
}

/// Which bytes go into the challenge.
#[derive(Clone, Copy, PartialEq)]
enum Hashed {
    AsGiven,
    Canonical,
}

/// A key and a nonce: the scalar, the point of small order that is added, and the encoding that is sent.
struct Part {
    scalar: Scalar,
    torsion: EdwardsPoint,
    encoding: Option<[u8; 32]>,
}

impl Part {
    fn new(scalar: Scalar, torsion: usize) -> Self {
        Self {
            scalar,
            torsion: EIGHT_TORSION[torsion],
            encoding: None,
        }
    }

    /// A point of small order that is not sent in its canonical encoding.
    fn not_canonical(encoding: [u8; 32]) -> Self {
        let torsion = CompressedEdwardsY(encoding).decompress().unwrap();
        assert!(torsion.is_small_order() && torsion.compress().0 != encoding);
        Self {
            scalar: Scalar::ZERO,
            torsion,
            encoding: Some(encoding),
        }
    }

    fn point(&self) -> EdwardsPoint {
        EdwardsPoint::mul_base(&self.scalar) + self.torsion
    }

    fn sent(&self) -> [u8; 32] {
        self.encoding.unwrap_or(self.point().compress().0)
    }

    fn hashed(&self, hashed: Hashed) -> [u8; 32] {
        match hashed {
            Hashed::AsGiven => self.sent(),
            Hashed::Canonical => self.point().compress().0,
        }
    }
}

/// The first message whose signature satisfies the cofactored equation, and the cofactorless one or not.
fn forge(key: &Part, nonce: &Part, hashed: Hashed, cofactorless: bool) -> Forgery {
    let (a, r) = (key.point(), nonce.point());
    (0u32..1000)
        .map(|attempt| {
            let message = attempt.to_be_bytes().to_vec();
            let hash = Sha512::new()
                .chain_update(nonce.hashed(hashed))
                .chain_update(key.hashed(hashed))
                .chain_update(&message);
            let k = Scalar::from_bytes_mod_order_wide(&hash.finalize().into());
            let s = nonce.scalar + k * key.scalar;
            let difference = EdwardsPoint::mul_base(&s) - (r + k * a);
            let mut signature = [0; 64];
            signature[..32].copy_from_slice(&nonce.sent());
            signature[32..].copy_from_slice(s.as_bytes());
            Forgery {
                public: key.sent(),
                message,
                signature,
                cofactored: difference.mul_by_cofactor().is_identity(),
                cofactorless: difference == EdwardsPoint::identity(),
            }
        })
        .find(|forgery| forgery.cofactored && forgery.cofactorless == cofactorless)
        .unwrap()
}

fn verdict(forgery: &Forgery) -> Result<(), Error> {
    VerifyingKey(forgery.public).verify(&forgery.message, &Signature(forgery.signature))
}

/// The encodings of points of small order that are not canonical: y at or above p, and x = 0 with the sign bit.
fn not_canonical() -> [[u8; 32]; 6] {
    [
        with_high_bit(small(1)),
        with_high_bit(p_plus(-1)),
        p_plus(0),
        with_high_bit(p_plus(0)),
        p_plus(1),
        with_high_bit(p_plus(1)),
    ]
}

/// The twelve classes of Chalkias, Garillot and Nikolaenko, "Taming the Many EdDSAs" (SSR 2020), table 5, made anew.
#[test]
fn attack_p4_twelve_classes_of_signatures() {
    const NONE: usize = 0;
    let a = scalar("p4 key", 0);
    let r = scalar("p4 nonce", 0);
    let zero = Scalar::ZERO;
    let honest = forge(
        &Part::new(a, NONE),
        &Part::new(r, NONE),
        Hashed::AsGiven,
        true,
    );
    assert_eq!(verdict(&honest), Ok(()));
    for torsion in 1..8 {
        let small = Part::new(zero, torsion);
        let mixed_key = Part::new(a, torsion);
        let mixed_nonce = Part::new(r, torsion);
        for (class, forgery, accepted) in [
            // S = 0, A and R small.
            (0, forge(&small, &small, Hashed::AsGiven, true), false),
            // A small, R mixed.
            (1, forge(&small, &mixed_nonce, Hashed::AsGiven, true), false),
            // A mixed, R small.
            (2, forge(&mixed_key, &small, Hashed::AsGiven, true), false),
            // A and R mixed, and nothing left: the one class that the cofactorless rule accepts.
            (
                3,
                forge(&mixed_key, &mixed_nonce, Hashed::AsGiven, true),
                true,
            ),
            // A and R mixed, only the cofactored equation holds.
            (
                4,
                forge(&mixed_key, &mixed_nonce, Hashed::AsGiven, false),
                false,
            ),
            // A mixed, R of order L, only the cofactored equation holds.
            (
                5,
                forge(&mixed_key, &Part::new(r, NONE), Hashed::AsGiven, false),
                false,
            ),
        ] {
            let expected = if accepted {
                Ok(())
            } else {
                Err(Error::BadSignature)
            };
            assert_eq!(
                verdict(&forgery),
                expected,
                "class {class}, torsion {torsion}"
            );
        }
        // R mixed, A of order L: not in the table, the mirror image of 5.
        let mirrored = forge(&Part::new(a, NONE), &mixed_nonce, Hashed::AsGiven, false);
        assert_eq!(verdict(&mirrored), Err(Error::BadSignature));
    }
    // 6 and 7: S above L, and far above.
    let mut raised = honest;
    for class in [6, 7] {
        for _ in 0..if class == 6 { 1 } else { 12 } {
            raised.signature = plus_order(&raised.signature).unwrap();
        }
        assert_eq!(verdict(&raised), Err(Error::BadSignature), "class {class}");
    }
    for encoding in not_canonical() {
        let odd = Part::not_canonical(encoding);
        let mixed_key = Part::new(a, 1);
        for (class, forgery) in [
            // R small and not canonical, hashed as it is sent, and hashed in its canonical form.
            (8, forge(&mixed_key, &odd, Hashed::AsGiven, true)),
            (9, forge(&mixed_key, &odd, Hashed::Canonical, true)),
            // A small and not canonical, hashed as it is sent, and hashed in its canonical form.
            (10, forge(&odd, &Part::new(r, NONE), Hashed::AsGiven, true)),
            (
                11,
                forge(&odd, &Part::new(r, NONE), Hashed::Canonical, true),
            ),
        ] {
            assert_eq!(
                verdict(&forgery),
                Err(Error::BadSignature),
                "class {class}, {encoding:02x?}"
            );
        }
    }
}

#[test]
fn attack_p5_no_public_key_beside_a_private_one() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/p5_*.rs");
}

/// The names of the types in a signature's parameters, the receiver's included.
fn parameter_types(receiver: Option<&syn::Type>, signature: &syn::Signature) -> BTreeSet<String> {
    struct Names(BTreeSet<String>);
    impl<'a> syn::visit::Visit<'a> for Names {
        fn visit_path_segment(&mut self, segment: &'a syn::PathSegment) {
            self.0.insert(segment.ident.to_string());
            syn::visit::visit_path_segment(self, segment);
        }
    }
    let mut names = Names(BTreeSet::new());
    for input in &signature.inputs {
        match (input, receiver) {
            (syn::FnArg::Typed(typed), _) => syn::visit::Visit::visit_type(&mut names, &typed.ty),
            (syn::FnArg::Receiver(_), Some(receiver)) => {
                syn::visit::Visit::visit_type(&mut names, receiver);
            }
            (syn::FnArg::Receiver(_), None) => {}
        }
    }
    names.0
}

/// Functions of a source text that take a signing key, or secret bytes to make one, beside a verifying key.
fn signing_oracles(source: &str) -> (usize, Vec<String>) {
    let mut seen = 0;
    let mut found = Vec::new();
    let mut judge = |receiver: Option<&syn::Type>, signature: &syn::Signature| {
        seen += 1;
        let types = parameter_types(receiver, signature);
        let private = ["SigningKey", "Secret"]
            .iter()
            .any(|name| types.contains(*name));
        if private && types.contains("VerifyingKey") {
            found.push(signature.ident.to_string());
        }
    };
    for item in syn::parse_file(source).unwrap().items {
        match item {
            syn::Item::Fn(function) => judge(None, &function.sig),
            syn::Item::Impl(block) => {
                for item in &block.items {
                    if let syn::ImplItem::Fn(function) = item {
                        judge(Some(&block.self_ty), &function.sig);
                    }
                }
            }
            _ => {}
        }
    }
    (seen, found)
}

#[test]
fn attack_p5_no_function_takes_both_halves_of_a_signing_key() {
    let (seen, found) = signing_oracles(&fs::read_to_string("src/crypto/sign.rs").unwrap());
    assert!(seen >= 5);
    assert_eq!(found, Vec::<String>::new());
    for planted in [
        "impl SigningKey { pub fn sign(&self, message: &[u8], key: &VerifyingKey) {} }",
        "impl SigningKey { pub fn join(seed: &Secret<32>, key: VerifyingKey) -> Self {} }",
        "pub fn sign(seed: &Secret<32>, key: &VerifyingKey, message: &[u8]) {}",
    ] {
        assert_eq!(signing_oracles(planted).1.len(), 1, "{planted}");
    }
}

/// Replaces one of the 768 coefficients of 12 bits.
fn with_coefficient(key: &[u8; KEM_PUBLIC], index: usize, value: u16) -> [u8; KEM_PUBLIC] {
    let mut key = *key;
    let start = index / 2 * 3;
    let [low, high] = value.to_le_bytes();
    if index.is_multiple_of(2) {
        key[start] = low;
        key[start + 1] = key[start + 1] & 0xf0 | high;
    } else {
        key[start + 1] = key[start + 1] & 0x0f | low << 4;
        key[start + 2] = low >> 4 | high << 4;
    }
    key
}

#[test]
fn attack_p7_encapsulation_key_that_is_not_reduced() {
    const Q: u16 = 3329;
    let pair = KemKeyPair::from_seed(&Secret::new(bytes("p7", 0)));
    let key = *pair.public().as_bytes();
    for index in 0..768 {
        assert!(KemPublic::from_bytes(&with_coefficient(&key, index, Q - 1)).is_ok());
        for value in [Q, Q + 1, 4095] {
            let key = with_coefficient(&key, index, value);
            assert!(
                matches!(KemPublic::from_bytes(&key), Err(Error::InvalidKey)),
                "{index}"
            );
        }
    }
    assert!(matches!(
        KemPublic::from_bytes(&[0xff; KEM_PUBLIC]),
        Err(Error::InvalidKey)
    ));
}

#[test]
fn attack_p7_encapsulation_key_of_another_length() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/p7_*.rs");
    let long = [0; KEM_PUBLIC + 1];
    for length in [0, 1, KEM_PUBLIC - 1] {
        let mut reader = Reader::new(&long[..length]);
        assert_eq!(reader.array::<KEM_PUBLIC>(), Err(wire::Error::Truncated));
    }
    let mut reader = Reader::new(&long);
    assert!(reader.array::<KEM_PUBLIC>().is_ok());
    assert_eq!(reader.finish(), Err(wire::Error::Trailing));
}

#[test]
fn attack_p8_mauled_ciphertexts_give_other_secrets_and_no_error() {
    let pair = KemKeyPair::from_seed(&Secret::new(bytes("p8", 0)));
    let (ciphertext, shared) = pair.public().encapsulate(&Secret::new(bytes("p8", 1)));
    assert!(pair.decapsulate(&ciphertext) == shared);
    let mut secrets = BTreeSet::from([*shared.expose()]);
    for index in 0..KEM_CIPHERTEXT {
        let mut mauled = *ciphertext;
        mauled[index] ^= 1 << (index % 8);
        let secret = pair.decapsulate(&mauled);
        assert!(
            secret == pair.decapsulate(&mauled),
            "{index}: not repeatable"
        );
        assert!(secrets.insert(*secret.expose()), "{index}: a secret twice");
        // What is encrypted under the true secret does not open under this one.
        let mut text = *b"text";
        let tag = Aes256Gcm::seal(shared.expose(), &[0; 12], &[], &mut text).unwrap();
        let opened = Aes256Gcm::open(secret.expose(), &[0; 12], &[], &mut text, &tag);
        assert_eq!(opened, Err(Error::Decryption));
    }
    for junk in [[0; KEM_CIPHERTEXT], [0xff; KEM_CIPHERTEXT]] {
        assert!(secrets.insert(*pair.decapsulate(&junk).expose()));
    }
    let other = KemKeyPair::from_seed(&Secret::new(bytes("p8", 2)));
    assert!(secrets.insert(*other.decapsulate(&ciphertext).expose()));
}

#[test]
fn attack_p9_no_expanded_decapsulation_key() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/p9_*.rs");
}

#[test]
fn attack_p10_tags_of_another_length() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/p10_*.rs");
    let tag = [0u8; 17];
    for length in 0..16 {
        assert_eq!(
            Reader::new(&tag[..length]).array::<16>(),
            Err(wire::Error::Truncated)
        );
    }
    let mut reader = Reader::new(&tag);
    assert!(reader.array::<16>().is_ok());
    assert_eq!(reader.finish(), Err(wire::Error::Trailing));
    // A MAC's prefix, the empty one among them, is not the MAC.
    let mac = HmacKey::new(b"key").mac(&[b"message"]);
    let mac = mac.expose();
    for length in 0..32 {
        assert!(
            !equal(mac, &mac[..length]) && !equal(&mac[..length], mac),
            "{length}"
        );
    }
    assert!(equal(mac, &{ *mac }));
    assert!(!equal(mac, &[&mac[..], &[0]].concat()));
}

macro_rules! every_changed_bit_is_refused {
    ($cipher:ident) => {
        let key = bytes("p10 key", 0);
        let nonce: [u8; 12] = bytes("p10 nonce", 0);
        let (ad, plain) = (*b"associated data", *b"the text");
        let mut sealed = plain;
        let tag = $cipher::seal(&key, &nonce, &ad, &mut sealed).unwrap();
        let refused = |nonce: &[u8; 12], ad: &[u8], sealed: &[u8], tag: &[u8; 16]| {
            let mut text = sealed.to_vec();
            assert_eq!(
                $cipher::open(&key, nonce, ad, &mut text, tag),
                Err(Error::Decryption)
            );
            assert_eq!(text, sealed, "a refused text is not touched");
        };
        let flipped = |bytes: &mut [u8], bit: usize| bytes[bit / 8] ^= 1 << (bit % 8);
        for bit in 0..128 {
            let mut tag = tag;
            flipped(&mut tag, bit);
            refused(&nonce, &ad, &sealed, &tag);
        }
        for bit in 0..96 {
            let mut nonce = nonce;
            flipped(&mut nonce, bit);
            refused(&nonce, &ad, &sealed, &tag);
        }
        for bit in 0..8 * ad.len() {
            let mut ad = ad;
            flipped(&mut ad, bit);
            refused(&nonce, &ad, &sealed, &tag);
        }
        for bit in 0..8 * sealed.len() {
            let mut sealed = sealed;
            flipped(&mut sealed, bit);
            refused(&nonce, &ad, &sealed, &tag);
        }
        for length in 0..sealed.len() {
            refused(&nonce, &ad, &sealed[..length], &tag);
        }
        for length in 0..ad.len() {
            refused(&nonce, &ad[..length], &sealed, &tag);
        }
        refused(&nonce, &ad, &[&sealed[..], &[0]].concat(), &tag);
        refused(&nonce, &ad, &sealed, &[0; 16]);
        $cipher::open(&key, &nonce, &ad, &mut sealed, &tag).unwrap();
        assert_eq!(sealed, plain);
    };
}

#[test]
fn attack_p10_truncated_and_changed_ciphertexts() {
    every_changed_bit_is_refused!(Aes256Gcm);
    every_changed_bit_is_refused!(Aes128Gcm);
    every_changed_bit_is_refused!(ChaCha20Poly1305);
}

#[test]
fn attack_p11_nonces_of_another_length() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/p11_*.rs");
}

/// With a nonce of 12 bytes the counter has 32 bits of its own: it never runs into the blocks of another nonce.
#[test]
fn attack_p11_counters_of_neighbouring_nonces_do_not_meet() {
    let key = bytes("p11", 0);
    let mut blocks = BTreeSet::new();
    let mut expected = 0;
    for last in [0, 1, 2, 0xfe, 0xff] {
        for fill in [0, 0xff] {
            let mut nonce = [fill; 12];
            nonce[11] = last;
            let mut stream = [0; 16 * 300];
            Aes256Gcm::seal(&key, &nonce, &[], &mut stream).unwrap();
            blocks.extend(stream.chunks_exact(16).map(<[u8]>::to_vec));
            expected += 300;
        }
    }
    assert_eq!(blocks.len(), expected);
}

/// A broken generator: the same byte for ever, until it fails at a given call.
struct Broken {
    byte: u8,
    calls: usize,
    fails_at: Option<usize>,
}

impl Broken {
    const fn constant(byte: u8) -> Self {
        Self {
            byte,
            calls: 0,
            fails_at: None,
        }
    }

    const fn failing_at(call: usize) -> Self {
        Self {
            byte: 7,
            calls: 0,
            fails_at: Some(call),
        }
    }
}

impl TryRng for Broken {
    type Error = Error;

    fn try_next_u32(&mut self) -> Result<u32, Error> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Error> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Error> {
        let call = self.calls;
        self.calls += 1;
        if self.fails_at == Some(call) {
            // A short read: some bytes came.
            let half = out.len() / 2;
            out[..half].fill(self.byte);
            return Err(Error::TooLong);
        }
        out.fill(self.byte);
        Ok(())
    }
}

impl TryCryptoRng for Broken {}

fn hedge(number: u64) -> Hedge {
    Hedge::new(
        &Secret::new(bytes("p15 seed", number)),
        &Secret::new(bytes("p15 dh", number)),
    )
}

fn drawn(hedge: &Hedge, purpose: &'static [u8], context: &[&[u8]], rng: &mut Broken) -> [u8; 32] {
    let mut out = [0; 32];
    hedge.fill(purpose, context, &mut out, rng).unwrap();
    out
}

#[test]
fn attack_p15_constant_generator() {
    for byte in [0, 0xff, 0x55] {
        let mut rng = Broken::constant(byte);
        let mut outputs = BTreeSet::new();
        let mut expected = 0;
        for device in 0..5 {
            let hedge = hedge(device);
            for purpose in purpose::ALL {
                for context in 0u32..50 {
                    outputs.insert(drawn(&hedge, purpose, &[&context.to_be_bytes()], &mut rng));
                    expected += 1;
                }
            }
        }
        assert_eq!(
            outputs.len(),
            expected,
            "an output twice under a constant generator"
        );
        // The one thing that repeats: everything the same.
        let again = drawn(&hedge(0), purpose::ALL[0], &[&0u32.to_be_bytes()], &mut rng);
        assert!(!outputs.insert(again));
    }
    // The generator counts as well: with good randomness nothing depends on the context alone.
    let context: &[&[u8]] = &[b"context"];
    let outputs: BTreeSet<[u8; 32]> = (0..=255)
        .map(|byte| {
            drawn(
                &hedge(0),
                purpose::ALL[0],
                context,
                &mut Broken::constant(byte),
            )
        })
        .collect();
    assert_eq!(outputs.len(), 256);
}

#[test]
fn attack_p15_one_secret_of_two_is_enough() {
    let draw = |seed: u64, dh: u64| {
        let hedge = Hedge::new(&Secret::new(bytes("a", seed)), &Secret::new(bytes("b", dh)));
        drawn(
            &hedge,
            purpose::ALL[0],
            &[b"context"],
            &mut Broken::constant(0),
        )
    };
    let outputs = BTreeSet::from([draw(0, 0), draw(0, 1), draw(1, 0), draw(1, 1)]);
    assert_eq!(outputs.len(), 4);
}

#[test]
fn attack_p15_failing_generator() {
    const CALLS: usize = 6;
    let hedge = hedge(0);
    for fails_at in 0..CALLS {
        let mut rng = Broken::failing_at(fails_at);
        for call in 0..CALLS {
            let mut out = [0xaa; 40];
            let result = hedge.fill(purpose::ALL[0], &[b"context"], &mut out, &mut rng);
            if call == fails_at {
                assert_eq!(result, Err(Error::Rng));
                assert_eq!(out, [0xaa; 40], "nothing is given out");
            } else {
                assert_eq!(result, Ok(()));
            }
        }
        let mut rng = Broken::failing_at(fails_at);
        let mut entropy = Hedged::new(&hedge, &mut rng);
        for call in 0..CALLS {
            let failed = if call % 2 == 0 {
                let derived = entropy.derive::<64>(purpose::ALL[0], &[b"context"]);
                derived.err()
            } else {
                entropy.fresh().err()
            };
            assert_eq!(failed, (call == fails_at).then_some(Error::Rng));
        }
    }
}
