//! What each primitive costs that the protocol uses: `cargo bench -p subrosa --bench primitives`.

#[path = "../tests/common/mod.rs"]
mod common;
mod kit;

use std::hint::black_box;

use common::SeededRng;
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main};
use kit::SIZES;
use subrosa::crypto::aead::Aes256Gcm;
use subrosa::crypto::dh::{DhKeyPair, DhPoint, DhPublic};
use subrosa::crypto::hash::{HmacKey, expand, extract, sha256};
use subrosa::crypto::hedge::Hedge;
use subrosa::crypto::kem::{KemKeyPair, KemPublic, encapsulate_first};
use subrosa::crypto::labels::{self, purpose};
use subrosa::crypto::sign::{SigningKey, Verifier};
use subrosa::crypto::{Secret, TryRng as _};

fn bytes<const N: usize>(seed: u64) -> [u8; N] {
    let mut bytes = [0; N];
    let Ok(()) = SeededRng(seed).try_fill_bytes(&mut bytes);
    bytes
}

fn secret<const N: usize>(seed: u64) -> Secret<N> {
    Secret::new(bytes(seed))
}

/// One benchmark: the same call over and over.
fn cost<T>(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, mut call: impl FnMut() -> T) {
    group.bench_function(name, |b| b.iter(&mut call));
}

/// A key on the twist of the curve: agreement with every key on the curve is faster.
fn on_the_twist() -> DhPublic {
    // u = 2: u^3 + 486662 u^2 + u is no square modulo p.
    let mut u = [0; 32];
    u[0] = 2;
    let key = DhPublic::from_bytes(&u).unwrap();
    assert!(key.require_prime_order().is_err());
    key
}

fn dh(c: &mut Criterion) {
    let mut group = c.benchmark_group("X25519");
    let own = DhKeyPair::from_secret(secret(1));
    let peer = *DhKeyPair::from_secret(secret(2)).public();
    let (point, twist) = (DhPoint::new(&peer), on_the_twist());
    cost(&mut group, "public key", || {
        DhKeyPair::from_secret(black_box(secret(3)))
    });
    cost(&mut group, "agree", || own.agree(black_box(&peer)).unwrap());
    cost(&mut group, "prepare a public key", || {
        DhPoint::new(black_box(&peer))
    });
    cost(&mut group, "agree with a prepared key", || {
        own.agree_at(black_box(&point)).unwrap()
    });
    cost(&mut group, "agree with a key on the twist", || {
        own.agree(black_box(&twist)).unwrap()
    });
    cost(&mut group, "prove prime order, prepared", || {
        black_box(&point).require_prime_order().unwrap()
    });
    group.finish();
}

fn sign(c: &mut Criterion) {
    let mut group = c.benchmark_group("Ed25519");
    let key = SigningKey::from_seed(&secret(1));
    // As long as a signed KEM prekey.
    let message: [u8; 1_247] = bytes(2);
    let signature = key.sign(&message).unwrap();
    let public = key.verifying_key();
    let prepared = Verifier::new(&public).unwrap();
    cost(&mut group, "key", || {
        SigningKey::from_seed(black_box(&secret(3)))
    });
    cost(&mut group, "sign 1,247 B", || {
        key.sign(black_box(&message)).unwrap()
    });
    cost(&mut group, "verify 1,247 B", || {
        public.verify(black_box(&message), &signature).unwrap()
    });
    cost(&mut group, "prepare a key", || {
        Verifier::new(black_box(&public)).unwrap()
    });
    cost(&mut group, "verify 1,247 B with a prepared key", || {
        prepared.verify(black_box(&message), &signature).unwrap()
    });
    group.finish();
}

fn kem(c: &mut Criterion) {
    let mut group = c.benchmark_group("ML-KEM-768");
    let pair = KemKeyPair::from_seed(&secret(1));
    let (public, m) = (pair.public(), secret(2));
    let (ciphertext, _) = public.encapsulate(&m);
    let hash = pair.public_hash();
    cost(&mut group, "key from its seed", || {
        KemKeyPair::from_seed(black_box(&secret(3)))
    });
    cost(&mut group, "check a public key", || {
        KemPublic::from_bytes(black_box(public.as_bytes())).unwrap()
    });
    cost(&mut group, "encapsulate", || {
        public.encapsulate(black_box(&m))
    });
    cost(&mut group, "encapsulate, first part", || {
        encapsulate_first(black_box(public.seed()), &hash, &m)
    });
    cost(&mut group, "join a public key", || {
        KemPublic::from_parts(black_box(public.vector()), public.seed(), &hash).unwrap()
    });
    cost(&mut group, "decapsulate", || {
        pair.decapsulate(black_box(&ciphertext))
    });
    group.finish();
}

fn aead(c: &mut Criterion) {
    let mut group = c.benchmark_group("AES-256-GCM, a key for each message");
    let (key, nonce, ad) = (bytes(1), bytes(2), [3; 94]);
    for (name, size) in SIZES {
        let mut text = vec![b'x'; size];
        cost(&mut group, &format!("seal {name}"), || {
            Aes256Gcm::seal(black_box(&key), &nonce, &ad, &mut text).unwrap()
        });
        let mut sealed = vec![b'x'; size];
        let tag = Aes256Gcm::seal(&key, &nonce, &ad, &mut sealed).unwrap();
        let mut text = sealed.clone();
        // With the copy of the ciphertext, which is lost by opening it in place.
        cost(&mut group, &format!("open {name}"), || {
            text.copy_from_slice(&sealed);
            Aes256Gcm::open(black_box(&key), &nonce, &ad, &mut text, &tag).unwrap();
        });
    }
    group.finish();
}

/// The operations of SHA-256, HMAC and HKDF as the ratchet makes them (SPEC §8.2, §9.2, §9.3).
fn hash(c: &mut Criterion) {
    let mut group = c.benchmark_group("SHA-256, HMAC, HKDF");
    for (name, size) in SIZES {
        let text = vec![b'x'; size];
        cost(&mut group, &format!("SHA-256 of {name}"), || {
            sha256(&[black_box(&text)])
        });
    }
    let (a, b, salt): ([u8; 32], [u8; 32], [u8; 16]) = (bytes(1), bytes(2), bytes(3));
    let key = HmacKey::new(&a);
    cost(&mut group, "HMAC: a key", || HmacKey::new(black_box(&a)));
    cost(&mut group, "HMAC of one byte, key kept", || {
        key.mac(black_box(&[&[1]]))
    });
    cost(&mut group, "HKDF-Extract of 32 B", || {
        extract(black_box(&a), &[&b])
    });
    cost(
        &mut group,
        "HKDF-Expand to 44 B, key kept: a message's key and nonce",
        || {
            let mut okm = [0; 44];
            key.expand(&[labels::BODY, black_box(&salt)], &mut okm)
                .unwrap();
            okm
        },
    );
    cost(&mut group, "a tag", || {
        expand::<8>(black_box(&a), &[labels::TAG])
    });
    cost(&mut group, "a salt over 248 B", || {
        key.mac(&[labels::SALT, &a, black_box(&[0; 46]), &[0; 192]])
    });
    cost(&mut group, "a step of the root key", || {
        let prk = extract(black_box(&a), &[&b]);
        expand::<96>(prk.expose(), &[labels::ROOT])
    });
    cost(&mut group, "a step of both chains", || {
        let (classical, quantum) = (HmacKey::new(black_box(&a)), HmacKey::new(&b));
        let shares = (classical.mac(&[&[1]]), quantum.mac(&[&[1]]));
        let key = extract(shares.1.expose(), &[shares.0.expose()]);
        (key, classical.mac(&[&[2]]), quantum.mac(&[&[2]]))
    });
    let hedge = Hedge::new(&secret(4), &secret(5));
    let mut rng = SeededRng(6);
    cost(&mut group, "32 B of hedged randomness", || {
        let mut drawn = [0; 32];
        hedge
            .fill(
                purpose::RATCHET_KEY,
                &[black_box(&a), &b],
                &mut drawn,
                &mut rng,
            )
            .unwrap();
        drawn
    });
    group.finish();
}

criterion_group!(benches, dh, sign, kem, aead, hash);
criterion_main!(benches);
