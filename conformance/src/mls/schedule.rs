//! The key schedule, pre-shared keys, transcripts and the secret tree (RFC 9420 §§8, 9).

use std::path::Path;

use serde::Deserialize;
use subrosa::mls::hazmat::{self, MessageKeys};
use subrosa::mls::{CipherSuite, Extensions, GroupContext, LeafIndex, PreSharedKeyId, Psk};

use super::{Check, Hex, at, each, equal, same};
use crate::report::FileReport;

#[derive(Deserialize)]
struct KeySchedule {
    cipher_suite: u16,
    group_id: Hex,
    initial_init_secret: Hex,
    epochs: Vec<Epoch>,
}

#[derive(Deserialize)]
struct Epoch {
    tree_hash: Hex,
    commit_secret: Hex,
    psk_secret: Hex,
    confirmed_transcript_hash: Hex,
    group_context: Hex,
    exporter: Exporter,
    /// The secrets, by their names.
    #[serde(flatten)]
    named: std::collections::BTreeMap<String, serde_json::Value>,
}

#[derive(Deserialize)]
struct Exporter {
    label: String,
    context: Hex,
    length: usize,
    secret: Hex,
}

pub(super) fn key_schedule(path: &Path) -> FileReport {
    each(
        path,
        |case: &KeySchedule| Some(case.cipher_suite),
        |case| {
            let suite = CipherSuite(case.cipher_suite);
            let mut init_secret = case.initial_init_secret.0.clone();
            for (epoch, number) in case.epochs.iter().zip(0u64..) {
                let context = GroupContext {
                    cipher_suite: suite,
                    group_id: case.group_id.0.clone(),
                    epoch: number,
                    tree_hash: epoch.tree_hash.0.clone(),
                    confirmed_transcript_hash: epoch.confirmed_transcript_hash.0.clone(),
                    extensions: Extensions::new(),
                };
                let context = hazmat::encode_context(&context).map_err(at("context"))?;
                equal("group_context", &context, &epoch.group_context)?;
                let secrets = hazmat::key_schedule(
                    suite,
                    &init_secret,
                    &epoch.commit_secret,
                    &epoch.psk_secret,
                    &context,
                )
                .map_err(at("key schedule"))?;
                for (name, value) in &secrets {
                    let expected = epoch.named.get(*name).and_then(|value| value.as_str());
                    let expected = expected.ok_or_else(|| format!("the case has no {name}"))?;
                    same(name, hex::encode(value).as_str(), expected)?;
                }
                let value = |wanted: &str| {
                    let found = secrets.iter().find(|(name, _)| *name == wanted);
                    found.map(|(_, value)| value.to_vec()).unwrap_or_default()
                };
                let exporter = &epoch.exporter;
                let exported = hazmat::export(
                    &value("exporter_secret"),
                    exporter.label.as_bytes(),
                    &exporter.context,
                    exporter.length,
                );
                equal(
                    "exporter",
                    &exported.map_err(at("exporter"))?,
                    &exporter.secret,
                )?;
                init_secret = value("init_secret");
            }
            Ok(())
        },
    )
}

#[derive(Deserialize)]
struct PskSecret {
    cipher_suite: u16,
    psks: Vec<OnePsk>,
    psk_secret: Hex,
}

#[derive(Deserialize)]
struct OnePsk {
    psk_id: Hex,
    psk: Hex,
    psk_nonce: Hex,
}

pub(super) fn psk_secret(path: &Path) -> FileReport {
    each(
        path,
        |case: &PskSecret| Some(case.cipher_suite),
        |case| {
            let psks: Vec<_> = case
                .psks
                .iter()
                .map(|one| {
                    let id = PreSharedKeyId {
                        psk: Psk::External(one.psk_id.0.clone()),
                        nonce: one.psk_nonce.0.clone(),
                    };
                    (id, one.psk.0.clone())
                })
                .collect();
            let secret = hazmat::psk_secret(&psks).map_err(at("psk_secret"))?;
            equal("psk_secret", &secret, &case.psk_secret)
        },
    )
}

#[derive(Deserialize)]
struct Transcript {
    cipher_suite: u16,
    confirmation_key: Hex,
    authenticated_content: Hex,
    interim_transcript_hash_before: Hex,
    confirmed_transcript_hash_after: Hex,
    interim_transcript_hash_after: Hex,
}

pub(super) fn transcript_hashes(path: &Path) -> FileReport {
    each(
        path,
        |case: &Transcript| Some(case.cipher_suite),
        |case| {
            let (confirmed, interim, tag_holds) = hazmat::transcript_hashes(
                &case.interim_transcript_hash_before,
                &case.authenticated_content,
                &case.confirmation_key,
            )
            .map_err(at("transcript"))?;
            equal(
                "confirmed",
                &confirmed,
                &case.confirmed_transcript_hash_after,
            )?;
            equal("interim", &interim, &case.interim_transcript_hash_after)?;
            same("confirmation tag", tag_holds, true)
        },
    )
}

#[derive(Deserialize)]
struct SecretTree {
    cipher_suite: u16,
    sender_data: SenderData,
    encryption_secret: Hex,
    leaves: Vec<Vec<Generation>>,
}

#[derive(Deserialize)]
struct SenderData {
    sender_data_secret: Hex,
    ciphertext: Hex,
    key: Hex,
    nonce: Hex,
}

#[derive(Deserialize)]
struct Generation {
    generation: u32,
    handshake_key: Hex,
    handshake_nonce: Hex,
    application_key: Hex,
    application_nonce: Hex,
}

pub(super) fn secret_tree(path: &Path) -> FileReport {
    each(
        path,
        |case: &SecretTree| Some(case.cipher_suite),
        |case| {
            let suite = CipherSuite(case.cipher_suite);
            let own = &case.sender_data;
            let (key, nonce) = hazmat::sender_data(suite, &own.sender_data_secret, &own.ciphertext)
                .map_err(at("sender data"))?;
            equal("sender data key", &key, &own.key)?;
            equal("sender data nonce", &nonce, &own.nonce)?;
            let leaves = u32::try_from(case.leaves.len()).map_err(|error| error.to_string())?;
            let keys = || {
                MessageKeys::new(suite, leaves, &case.encryption_secret).map_err(at("secret tree"))
            };
            // In the file's order, and from its end.
            let mut forward = keys()?;
            let mut backward = keys()?;
            let all: Vec<_> = (0u32..)
                .zip(&case.leaves)
                .flat_map(|(leaf, generations)| generations.iter().map(move |one| (leaf, one)))
                .collect();
            for (leaf, one) in &all {
                generation(&mut forward, *leaf, one)?;
            }
            for (leaf, one) in all.iter().rev() {
                generation(&mut backward, *leaf, one)?;
            }
            Ok(())
        },
    )
}

fn generation(keys: &mut MessageKeys, leaf: u32, one: &Generation) -> Check {
    for (handshake, key, nonce) in [
        (true, &one.handshake_key, &one.handshake_nonce),
        (false, &one.application_key, &one.application_nonce),
    ] {
        let place = format!("leaf {leaf}, generation {}", one.generation);
        let found = keys
            .take(LeafIndex(leaf), handshake, one.generation)
            .map_err(at(&place))?;
        equal(&place, &found.0, key)?;
        equal(&place, &found.1, nonce)?;
        if keys
            .take(LeafIndex(leaf), handshake, one.generation)
            .is_ok()
        {
            return Err(format!("{place}: a key was given twice"));
        }
    }
    Ok(())
}
