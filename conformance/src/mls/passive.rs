//! A client that is added to groups of others, and follows what they do.

use std::path::Path;

use serde::Deserialize;
use subrosa::crypto::Secret;
use subrosa::mls::{
    CipherSuite, JoinOptions, KeyPackageSecrets, LeafNodeSource, Lifetime, Member, Message,
    Processed, Psk, PskSource,
};
use zeroize::Zeroizing;

use super::basics::signer;
use super::{Check, Hex, at, each, equal, same};
use crate::report::FileReport;

#[derive(Deserialize)]
struct Client {
    cipher_suite: u16,
    external_psks: Vec<ExternalPsk>,
    key_package: Hex,
    signature_priv: Hex,
    encryption_priv: Hex,
    init_priv: Hex,
    welcome: Hex,
    ratchet_tree: Option<Hex>,
    initial_epoch_authenticator: Hex,
    epochs: Vec<Epoch>,
}

#[derive(Deserialize)]
struct ExternalPsk {
    psk_id: Hex,
    psk: Hex,
}

#[derive(Deserialize)]
struct Epoch {
    proposals: Vec<Hex>,
    commit: Hex,
    epoch_authenticator: Hex,
}

impl PskSource for Client {
    fn psk(&self, psk: &Psk) -> Option<Zeroizing<Vec<u8>>> {
        let Psk::External(id) = psk else { return None };
        let mut all = self.external_psks.iter();
        let found = all.find(|one| one.psk_id.0 == *id)?;
        Some(Zeroizing::new(found.psk.0.clone()))
    }
}

/// 2024-03-15, in seconds since 1970: the day after the members were made whom a client with a key package for ever meets.
const MADE: u64 = 1_710_460_800;

pub(super) fn client(path: &Path) -> FileReport {
    each(path, |case: &Client| Some(case.cipher_suite), check)
}

fn check(case: &Client) -> Check {
    let suite = CipherSuite(case.cipher_suite);
    let Message::KeyPackage(key_package) =
        Message::decode(&case.key_package).map_err(at("key_package"))?
    else {
        return Err("key_package: another message".to_owned());
    };
    let array = |bytes: &Hex| {
        let bytes = <[u8; 32]>::try_from(&**bytes).map_err(|error| error.to_string());
        bytes.map(Secret::new)
    };
    let secrets = KeyPackageSecrets::from_secrets(
        suite,
        &array(&case.init_priv)?,
        &array(&case.encryption_priv)?,
    )
    .map_err(at("private keys"))?;
    same("private keys", secrets.belong_to(&key_package), true)?;
    // The lifetimes of the others begin on the same day as one's own, and end a year later.
    let now = match &key_package.leaf_node.source {
        LeafNodeSource::KeyPackage(Lifetime { not_before: 0, .. }) => MADE,
        LeafNodeSource::KeyPackage(lifetime) => lifetime.not_before.saturating_add(3_600),
        _ => return Err("the leaf is of no key package".to_owned()),
    };
    let options = JoinOptions {
        ratchet_tree: case.ratchet_tree.as_deref(),
        // Those of some files never end.
        longest_lifetime: u64::MAX,
        ..JoinOptions::default()
    };
    let mut member = Member::join(
        &case.welcome,
        &key_package,
        &secrets,
        signer(suite, &case.signature_priv)?,
        &options,
        case,
        now,
    )
    .and_then(|joining| joining.approve(|_| true))
    .map_err(at("welcome"))?;
    equal(
        "initial_epoch_authenticator",
        member.epoch_authenticator(),
        &case.initial_epoch_authenticator,
    )?;
    for (number, epoch) in case.epochs.iter().enumerate() {
        let place = format!("epoch {number}");
        for proposal in &epoch.proposals {
            match member.process(proposal, case, now).map_err(at(&place))? {
                Processed::Proposal(staged) => {
                    let approved = staged.approve(|_| true).map_err(at(&place))?;
                    member.keep_proposal(approved).map_err(at(&place))?;
                }
                _ => return Err(format!("{place}: a proposal is something else")),
            }
        }
        match member
            .process(&epoch.commit, case, now)
            .map_err(at(&place))?
        {
            Processed::Commit(staged) => {
                let approved = staged.approve(|_| true).map_err(at(&place))?;
                member.merge(approved).map_err(at(&place))?;
            }
            _ => return Err(format!("{place}: a commit is something else")),
        }
        equal(
            &place,
            member.epoch_authenticator(),
            &epoch.epoch_authenticator,
        )?;
    }
    Ok(())
}
