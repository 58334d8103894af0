//! Messages: their encodings, their protection, and Welcomes (RFC 9420 §§6, 12.4.3).

use std::path::Path;

use serde::Deserialize;
use subrosa::mls::hazmat::{self, MessageKeys, Protection, Structure};
use subrosa::mls::{
    CipherSuite, Content, ContentType, Extensions, GroupContext, LeafIndex, SignaturePublicKey,
};

use super::basics::signer;
use super::{Check, Hex, at, each, equal, same};
use crate::report::FileReport;

#[derive(Deserialize)]
struct Messages {
    mls_welcome: Hex,
    mls_group_info: Hex,
    mls_key_package: Hex,
    ratchet_tree: Hex,
    group_secrets: Hex,
    add_proposal: Hex,
    update_proposal: Hex,
    remove_proposal: Hex,
    pre_shared_key_proposal: Hex,
    re_init_proposal: Hex,
    external_init_proposal: Hex,
    group_context_extensions_proposal: Hex,
    commit: Hex,
    public_message_application: Hex,
    public_message_proposal: Hex,
    public_message_commit: Hex,
    private_message: Hex,
}

pub(super) fn messages(path: &Path) -> FileReport {
    each(
        path,
        |_| None,
        |case: &Messages| {
            for (name, structure, bytes) in [
                ("mls_welcome", Structure::Message, &case.mls_welcome),
                ("mls_group_info", Structure::Message, &case.mls_group_info),
                ("mls_key_package", Structure::Message, &case.mls_key_package),
                ("ratchet_tree", Structure::RatchetTree, &case.ratchet_tree),
                (
                    "group_secrets",
                    Structure::GroupSecrets,
                    &case.group_secrets,
                ),
                ("add_proposal", Structure::Add, &case.add_proposal),
                ("update_proposal", Structure::Update, &case.update_proposal),
                ("remove_proposal", Structure::Remove, &case.remove_proposal),
                (
                    "pre_shared_key_proposal",
                    Structure::PreSharedKey,
                    &case.pre_shared_key_proposal,
                ),
                (
                    "re_init_proposal",
                    Structure::ReInit,
                    &case.re_init_proposal,
                ),
                (
                    "external_init_proposal",
                    Structure::ExternalInit,
                    &case.external_init_proposal,
                ),
                (
                    "group_context_extensions_proposal",
                    Structure::GroupContextExtensions,
                    &case.group_context_extensions_proposal,
                ),
                ("commit", Structure::Commit, &case.commit),
                (
                    "public_message_application",
                    Structure::Message,
                    &case.public_message_application,
                ),
                (
                    "public_message_proposal",
                    Structure::Message,
                    &case.public_message_proposal,
                ),
                (
                    "public_message_commit",
                    Structure::Message,
                    &case.public_message_commit,
                ),
                ("private_message", Structure::Message, &case.private_message),
            ] {
                let again = hazmat::recode(structure, bytes).map_err(at(name))?;
                equal(name, &again, bytes)?;
            }
            Ok(())
        },
    )
}

#[derive(Deserialize)]
struct MessageProtection {
    cipher_suite: u16,
    group_id: Hex,
    epoch: u64,
    tree_hash: Hex,
    confirmed_transcript_hash: Hex,
    signature_priv: Hex,
    signature_pub: Hex,
    encryption_secret: Hex,
    sender_data_secret: Hex,
    membership_key: Hex,
    proposal: Hex,
    proposal_pub: Hex,
    proposal_priv: Hex,
    commit: Hex,
    commit_pub: Hex,
    commit_priv: Hex,
    application: Hex,
    application_priv: Hex,
}

pub(super) fn protection(path: &Path) -> FileReport {
    each(
        path,
        |case: &MessageProtection| Some(case.cipher_suite),
        check_protection,
    )
}

fn check_protection(case: &MessageProtection) -> Check {
    let suite = CipherSuite(case.cipher_suite);
    let array = |bytes: &Hex| <[u8; 32]>::try_from(&**bytes).map_err(|error| error.to_string());
    let protection = Protection {
        context: GroupContext {
            cipher_suite: suite,
            group_id: case.group_id.0.clone(),
            epoch: case.epoch,
            tree_hash: case.tree_hash.0.clone(),
            confirmed_transcript_hash: case.confirmed_transcript_hash.0.clone(),
            extensions: Extensions::new(),
        },
        membership_key: array(&case.membership_key)?,
        sender_data_secret: array(&case.sender_data_secret)?,
        sender: LeafIndex(1),
        signer: signer(suite, &case.signature_priv)?,
    };
    equal(
        "signature_pub",
        &protection.signer.public().0,
        &case.signature_pub,
    )?;
    let keys = MessageKeys::new(suite, 2, &case.encryption_secret).map_err(at("keys"))?;
    for (name, kind, raw, public, private) in [
        (
            "proposal",
            ContentType::Proposal,
            &case.proposal,
            Some(&case.proposal_pub),
            &case.proposal_priv,
        ),
        (
            "commit",
            ContentType::Commit,
            &case.commit,
            Some(&case.commit_pub),
            &case.commit_priv,
        ),
        (
            "application",
            ContentType::Application,
            &case.application,
            None,
            &case.application_priv,
        ),
    ] {
        let content: Content = hazmat::decode_content(kind, raw).map_err(at(name))?;
        for message in public.into_iter().chain([private]) {
            let read = protection.unprotect(message, &keys).map_err(at(name))?;
            same(name, &read, &content)?;
            for place in [message.len() / 2, message.len().saturating_sub(1)] {
                let mut altered = message.0.clone();
                if let Some(byte) = altered.get_mut(place) {
                    *byte ^= 1;
                }
                if protection.unprotect(&altered, &keys).is_ok() {
                    return Err(format!("{name}: an altered message is read"));
                }
            }
        }
        let own = protection.protect_public(content.clone());
        match public {
            Some(_) => {
                let own = own.map_err(at(name))?;
                let read = protection.unprotect(&own, &keys).map_err(at(name))?;
                same(name, &read, &content)?;
            }
            None => same("application in clear", own.is_err(), true)?,
        }
        let own = protection
            .protect_private(content.clone(), &keys, 3, [1, 2, 3, 4], 17)
            .map_err(at(name))?;
        let read = protection.unprotect(&own, &keys).map_err(at(name))?;
        same(name, &read, &content)?;
    }
    Ok(())
}

#[derive(Deserialize)]
struct WelcomeCase {
    cipher_suite: u16,
    init_priv: Hex,
    signer_pub: Hex,
    key_package: Hex,
    welcome: Hex,
}

pub(super) fn welcome(path: &Path) -> FileReport {
    each(
        path,
        |case: &WelcomeCase| Some(case.cipher_suite),
        |case| {
            let signer = SignaturePublicKey(case.signer_pub.0.clone());
            let holds =
                hazmat::open_welcome(&case.welcome, &case.key_package, &case.init_priv, &signer)
                    .map_err(at("welcome"))?;
            same("signature and confirmation tag", holds, (true, true))
        },
    )
}
