//! X25519 by multiplication on the Edwards curve, held against the ladder of RFC 7748 §5 of another crate.
//!
//! A million random pairs of keys, about half of the public ones on the twist, on all cores (three minutes of CPU time):
//! `cargo test --release --test x25519_ladder -- --ignored --nocapture`

mod common;

use std::num::NonZeroU64;
use std::ops::AddAssign;
use std::path::PathBuf;
use std::{env, fs, thread};

use common::SeededRng;
use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::{MontgomeryPoint, Scalar};
use serde_json::Value;
use subrosa::crypto::dh::{DhKeyPair, DhPoint, DhPublic};
use subrosa::crypto::{Error, Secret, TryRng as _};

const MILLION: u64 = 1_000_000;

/// What X25519 gives for a private key and the u-coordinate of a public one; all zero is never a result.
type Agreement = fn([u8; 32], [u8; 32]) -> Option<[u8; 32]>;

/// The library's.
fn ours(secret: [u8; 32], public: [u8; 32]) -> Option<[u8; 32]> {
    let pair = DhKeyPair::from_secret(Secret::new(secret));
    let public = DhPublic::from_bytes(&public).unwrap();
    match pair.agree(&public) {
        Ok(shared) => Some(*shared.expose()),
        Err(error) => {
            assert_eq!(error, Error::NonContributory);
            None
        }
    }
}

fn ladder(secret: [u8; 32], public: [u8; 32]) -> Option<[u8; 32]> {
    let shared = x25519_dalek::x25519(secret, public);
    (shared != [0; 32]).then_some(shared)
}

/// What a comparison has seen.
#[derive(Default, Debug)]
struct Counts {
    on_the_curve: u64,
    on_the_twist: u64,
    /// Pairs with another result than the ladder's.
    different: u64,
    /// The first of them: the private and the public key.
    witness: Option<([u8; 32], [u8; 32])>,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.on_the_curve += other.on_the_curve;
        self.on_the_twist += other.on_the_twist;
        self.different += other.different;
        self.witness = self.witness.or(other.witness);
    }
}

/// Compares `agreement` with the ladder for `count` pairs of random keys.
fn compare(agreement: Agreement, count: u64, mut rng: SeededRng) -> Counts {
    let mut counts = Counts::default();
    for _ in 0..count {
        let (mut secret, mut public) = ([0; 32], [0; 32]);
        let Ok(()) = rng.try_fill_bytes(&mut secret);
        let Ok(()) = rng.try_fill_bytes(&mut public);
        public[31] &= 0x7f;
        match MontgomeryPoint(public).to_edwards(0) {
            Some(_) => counts.on_the_curve += 1,
            None => counts.on_the_twist += 1,
        }
        if agreement(secret, public) != ladder(secret, public) {
            counts.different += 1;
            counts.witness.get_or_insert((secret, public));
        }
    }
    counts
}

/// The same on all cores; seeds come from the operating system.
fn compare_on_all_cores(agreement: Agreement, count: u64) -> Counts {
    let cores = thread::available_parallelism().map_or(NonZeroU64::MIN, |cores| {
        NonZeroU64::try_from(cores).unwrap_or(NonZeroU64::MIN)
    });
    let mut counts = Counts::default();
    thread::scope(|scope| {
        let shares: Vec<_> = (0..cores.get())
            .map(|core| {
                let share = count / cores + u64::from(core < count % cores);
                let rng = SeededRng(subrosa::os_rng().try_next_u64().unwrap());
                scope.spawn(move || compare(agreement, share, rng))
            })
            .collect();
        for share in shares {
            counts += share.join().unwrap();
        }
    });
    counts
}

#[test]
#[ignore = "three minutes of CPU time in release: cargo test --release --test x25519_ladder -- --ignored --nocapture"]
fn a_million_random_pairs_agree_as_the_ladder() {
    let counts = compare_on_all_cores(ours, MILLION);
    println!(
        "{} random public keys on the curve, {} on its twist: {} results differ from the ladder's",
        counts.on_the_curve, counts.on_the_twist, counts.different
    );
    assert_eq!(counts.different, 0, "{counts:02x?}");
    assert_eq!(counts.on_the_curve + counts.on_the_twist, MILLION);
    // Half of them, ten standard deviations either way.
    assert!((495_000..505_000).contains(&counts.on_the_curve));
}

/// Keeps the bits of the private key that clamping clears.
fn unclamped(secret: [u8; 32], public: [u8; 32]) -> Option<[u8; 32]> {
    let point = MontgomeryPoint(public).to_edwards(0);
    let scalar = Scalar::from_bytes_mod_order(secret);
    point.map_or_else(
        || ladder(secret, public),
        |point| Some((point * scalar).to_montgomery().0),
    )
}

/// Reduces the private key modulo the order of the base point, and so keeps the torsion of a public one.
fn reduced(secret: [u8; 32], public: [u8; 32]) -> Option<[u8; 32]> {
    let scalar = Scalar::from_bytes_mod_order(curve25519_dalek::scalar::clamp_integer(secret));
    let point = MontgomeryPoint(public).to_edwards(0);
    point.map_or_else(
        || ladder(secret, public),
        |point| Some((point * scalar).to_montgomery().0),
    )
}

/// Multiplies the base point where the public key is on the twist.
fn without_a_twist(secret: [u8; 32], public: [u8; 32]) -> Option<[u8; 32]> {
    let point = MontgomeryPoint(public).to_edwards(0);
    let base = EdwardsPoint::mul_base(&Scalar::ONE);
    Some(point.unwrap_or(base).mul_clamped(secret).to_montgomery().0)
}

/// Wrong for one key in 1,024 of those on the curve.
fn rarely_wrong(secret: [u8; 32], public: [u8; 32]) -> Option<[u8; 32]> {
    if public[0] == 0 && public[1] & 3 == 0 && MontgomeryPoint(public).to_edwards(0).is_some() {
        return None;
    }
    ours(secret, public)
}

#[test]
fn the_comparison_finds_what_is_wrong() {
    for (wrong, at_least, keys) in [
        (unclamped as Agreement, 400, 1_000),
        (reduced, 300, 1_000),
        (without_a_twist, 400, 1_000),
        (rarely_wrong, 1, 8_000),
    ] {
        let counts = compare(wrong, keys, SeededRng(1));
        assert!(counts.different >= at_least, "{counts:?}");
        let (secret, public) = counts.witness.unwrap();
        assert_ne!(wrong(secret, public), ladder(secret, public));
    }
}

/// Every case of Wycheproof's file: both forms of the library's agreement, and the ladder, give its shared secret.
#[test]
fn every_case_of_wycheproof_agrees_as_the_ladder() {
    let Some(folder) = env::var_os("SUBROSA_VECTORS") else {
        println!("NOT RUN: SUBROSA_VECTORS is not set, so Wycheproof's cases are absent");
        return;
    };
    let path = PathBuf::from(folder).join("wycheproof/x25519_test.json");
    let text = fs::read_to_string(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
    let vectors: Value = serde_json::from_str(&text).unwrap();
    let cases = vectors["testGroups"].as_array().unwrap();
    let cases = cases
        .iter()
        .flat_map(|group| group["tests"].as_array().unwrap());
    let (mut equal, mut zero, mut refused) = (0u64, 0u64, 0u64);
    for case in cases {
        let bytes = |name: &str| -> [u8; 32] {
            let bytes = hex::decode(case[name].as_str().unwrap()).unwrap();
            bytes.try_into().unwrap()
        };
        let (secret, public, shared) = (bytes("private"), bytes("public"), bytes("shared"));
        // The ladder takes every encoding.
        assert_eq!(x25519_dalek::x25519(secret, public), shared, "{case}");
        let Ok(key) = DhPublic::from_bytes(&public) else {
            let mut number = public;
            number.reverse();
            let mut p = [0xff; 32];
            (p[0], p[31]) = (0x7f, 0xed);
            assert!(number >= p, "{case}");
            refused += 1;
            continue;
        };
        let pair = DhKeyPair::from_secret(Secret::new(secret));
        for agreed in [pair.agree(&key), pair.agree_at(&DhPoint::new(&key))] {
            let expected = (shared != [0; 32]).then_some(shared);
            let agreed = agreed.map(|shared| *shared.expose());
            assert_eq!(agreed, expected.ok_or(Error::NonContributory), "{case}");
        }
        *(if shared == [0; 32] {
            &mut zero
        } else {
            &mut equal
        }) += 1;
    }
    println!(
        "Wycheproof: {equal} equal, {zero} all zero and refused, {refused} refused for their encoding"
    );
    assert_eq!(
        Some(equal + zero + refused),
        vectors["numberOfTests"].as_u64()
    );
    assert!(equal > 400 && zero > 0 && refused > 0);
}
