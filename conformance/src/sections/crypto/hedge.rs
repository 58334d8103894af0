//! SPEC §3.6: the hedged generator.

use serde_json::json;
use subrosa::crypto::hash::{HASH, HmacKey, extract, sha256};
use subrosa::crypto::hedge::Hedge;
use subrosa::crypto::{Error, Secret, TryCryptoRng, TryRng, labels};

use super::super::labels::{purpose, purposes};
use crate::generate::Cases;
use crate::op::{Input, Kind, Op, Output, Refusal, field, refused};

/// Longest output of HKDF-Expand, and of the generator.
const LENGTH_MAX: u64 = 255 * HASH as u64;

pub(super) const OPS: &[Op] = &[Op {
    name: "crypto.hedge",
    summary: "`rand(purpose, context, length)` of a device with these identity secrets, when the caller's generator \
              gives the bytes `fresh` and then fails.",
    input: &[
        field("signing_seed", Kind::HexOf(32)),
        field("dh_secret", Kind::HexOf(32)),
        field("purpose", Kind::Text),
        field("context", Kind::Hex),
        field("fresh", Kind::Hex),
        field("length", Kind::Integer(0xffff)),
    ],
    output: &[field("output", Kind::Hex)],
    trace: &[
        field("hedge", Kind::HexOf(HASH)),
        field("context_hash", Kind::HexOf(HASH)),
        field("key", Kind::HexOf(HASH)),
    ],
    errors: &["Rng", "TooLong"],
    run: hedge,
}];

fn hedge(input: &Input<'_>) -> Result<Output, Refusal> {
    let seed = Secret::new(input.array("signing_seed")?);
    let secret = Secret::new(input.array("dh_secret")?);
    let context = input.bytes("context")?;
    let fresh = input.bytes("fresh")?;
    let mut rng = Given(fresh.clone());
    let mut output = vec![0; input.integer("length")?];
    Hedge::new(&seed, &secret)
        .fill(
            purpose(input.text("purpose")?)?,
            &[&context],
            &mut output,
            &mut rng,
        )
        .map_err(refused)?;
    // The steps once more, by the formula of SPEC §3.6.
    let hedge = extract(labels::HEDGE, &[seed.expose(), secret.expose()]);
    let context_hash = sha256(&[&context]);
    let used = fresh.get(..32).unwrap_or(&fresh);
    let key = HmacKey::new(hedge.expose()).mac(&[used, &context_hash]);
    Ok(Output::new()
        .hex("output", output)
        .trace_hex("hedge", hedge.expose())
        .trace_hex("context_hash", context_hash)
        .trace_hex("key", key.expose()))
}

/// A generator that gives these bytes and then fails.
struct Given(Vec<u8>);

impl TryRng for Given {
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
        if self.0.len() < out.len() {
            return Err(Error::Rng);
        }
        let rest = self.0.split_off(out.len());
        out.copy_from_slice(&self.0);
        self.0 = rest;
        Ok(())
    }
}

impl TryCryptoRng for Given {}

pub(super) fn cases(cases: &mut Cases) {
    let seed = cases.hex("hedge seed", 32);
    let secret = cases.hex("hedge secret", 32);
    let other = cases.hex("hedge other secret", 32);
    let fresh = cases.hex("hedge fresh", 32);
    let context = cases.hex("hedge context", 100);
    let zeros = hex::encode([0; 32]);
    for purpose in purposes() {
        cases.accept(
            &format!("hedge-purpose-{}", purpose.replace(' ', "-")),
            "hedge",
            "",
            json!({"signing_seed": seed, "dh_secret": secret, "purpose": purpose, "context": context,
                   "fresh": fresh, "length": 32}),
        );
    }
    let Some(purpose) = purposes().into_iter().next() else {
        cases.fault("hedge: there is no purpose".to_owned());
        return;
    };
    for (id, comment, secret, context, fresh, length) in [
        (
            "other-secret",
            "Another device.",
            &other,
            &context[..],
            &fresh,
            32u64,
        ),
        ("other-context", "", &secret, "00", &fresh, 32),
        (
            "zero-generator",
            "The caller's generator gives zeros.",
            &secret,
            &context,
            &zeros,
            32,
        ),
        (
            "zero-generator-other-context",
            "The same generator, another step: another output.",
            &secret,
            "00",
            &zeros,
            32,
        ),
        (
            "longer",
            "Longer than a block of the hash.",
            &secret,
            &context,
            &fresh,
            64,
        ),
    ] {
        cases.accept(
            &format!("hedge-{id}"),
            "hedge",
            comment,
            json!({"signing_seed": seed, "dh_secret": secret, "purpose": purpose, "context": context,
                   "fresh": fresh, "length": length}),
        );
    }
    for (id, error, fresh, length) in [
        ("generator-fails", "Rng", "", 32),
        ("generator-stops", "Rng", &fresh[..62], 32),
        ("too-long", "TooLong", &fresh, LENGTH_MAX + 1),
    ] {
        cases.refuse(
            &format!("hedge-{id}"),
            "hedge",
            error,
            "",
            json!({"signing_seed": seed, "dh_secret": secret, "purpose": purpose, "context": context,
                   "fresh": fresh, "length": length}),
        );
    }
}
