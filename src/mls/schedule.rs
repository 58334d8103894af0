//! The key schedule (RFC 9420 §8).
//!
//! ```text
//!                     init_secret_[n-1]
//!                           |
//! commit_secret --> KDF.Extract
//!                           |
//!                   ExpandWithLabel(., "joiner", GroupContext_[n], KDF.Nh) = joiner_secret
//!                           |
//! psk_secret (or 0) --> KDF.Extract
//!                           |
//!                           +--> DeriveSecret(., "welcome") = welcome_secret
//!                           |
//!                   ExpandWithLabel(., "epoch", GroupContext_[n], KDF.Nh) = epoch_secret
//!                           |
//!                           +--> DeriveSecret(., <label>) = <secret>
//!                           |
//!                   DeriveSecret(., "init") = init_secret_[n]
//! ```

use alloc::boxed::Box;

use super::error::Error;
use super::labels::derive;
use super::suite::{Prk, Suite};
use crate::crypto::Secret;
use crate::crypto::hash::{HASH, extract};
use crate::crypto::hpke::KeyPair;

/// What who joins by a Welcome is given, with the pre-shared keys: the way into the epoch.
pub(super) struct Joiner {
    joiner_secret: Secret<HASH>,
    /// `KDF.Extract` of it and `psk_secret`.
    member: Prk,
}

impl Joiner {
    /// From the epoch before; `context` is the new epoch's, encoded.
    pub(super) fn advance(
        init_secret: &Secret<HASH>,
        commit_secret: &Secret<HASH>,
        psk_secret: &Secret<HASH>,
        context: &[u8],
    ) -> Result<Self, Error> {
        let extracted = extract(init_secret.expose(), &[commit_secret.expose()]);
        let joiner_secret = Prk::new(&extracted).expand(derive::JOINER, context)?;
        Ok(Self::new(joiner_secret, psk_secret))
    }

    /// From a Welcome.
    pub(super) fn new(joiner_secret: Secret<HASH>, psk_secret: &Secret<HASH>) -> Self {
        let member = extract(joiner_secret.expose(), &[psk_secret.expose()]);
        Self {
            joiner_secret,
            member: Prk::new(&member),
        }
    }

    pub(super) const fn joiner_secret(&self) -> &Secret<HASH> {
        &self.joiner_secret
    }

    pub(super) fn welcome_secret(&self) -> Result<Secret<HASH>, Error> {
        self.member.derive(derive::WELCOME)
    }

    /// The epoch's secrets; `context` is the epoch's, encoded.
    pub(super) fn epoch(&self, context: &[u8]) -> Result<Box<EpochSecrets>, Error> {
        let epoch_secret = self.member.expand(derive::EPOCH, context)?;
        EpochSecrets::new(&epoch_secret)
    }
}

/// The secrets of an epoch.
pub(super) struct EpochSecrets {
    pub(super) init: Secret<HASH>,
    pub(super) sender_data: Secret<HASH>,
    pub(super) encryption: Secret<HASH>,
    pub(super) exporter: Secret<HASH>,
    pub(super) external: Secret<HASH>,
    pub(super) confirmation: Secret<HASH>,
    pub(super) membership: Secret<HASH>,
    pub(super) resumption: Secret<HASH>,
    pub(super) authenticator: Secret<HASH>,
}

impl EpochSecrets {
    /// Of an `epoch_secret`: in the first epoch a random one (RFC 9420 §11). They are derived where they stay, as whatever is moved
    /// leaves a copy behind.
    pub(super) fn new(epoch_secret: &Secret<HASH>) -> Result<Box<Self>, Error> {
        let secret = Prk::new(epoch_secret);
        let mut secrets = Box::new(Self {
            init: Secret::zero(),
            sender_data: Secret::zero(),
            encryption: Secret::zero(),
            exporter: Secret::zero(),
            external: Secret::zero(),
            confirmation: Secret::zero(),
            membership: Secret::zero(),
            resumption: Secret::zero(),
            authenticator: Secret::zero(),
        });
        for (to, label) in [
            (&mut secrets.init, derive::INIT),
            (&mut secrets.sender_data, derive::SENDER_DATA),
            (&mut secrets.encryption, derive::ENCRYPTION),
            (&mut secrets.exporter, derive::EXPORTER),
            (&mut secrets.external, derive::EXTERNAL),
            (&mut secrets.confirmation, derive::CONFIRM),
            (&mut secrets.membership, derive::MEMBERSHIP),
            (&mut secrets.resumption, derive::RESUMPTION),
            (&mut secrets.authenticator, derive::AUTHENTICATION),
        ] {
            secret.expand_into(label, &[], to.expose_mut())?;
        }
        Ok(secrets)
    }

    /// The others, once the secret tree has `encryption_secret`: whoever held both could derive every used key again.
    pub(super) fn without_encryption(mut self: Box<Self>) -> Box<Self> {
        self.encryption = Secret::zero();
        self
    }

    /// The key pair for external commits.
    pub(super) fn external_key_pair(&self, suite: &Suite) -> Result<KeyPair, Error> {
        Ok(suite.hpke.kem.derive_key_pair(self.external.expose())?)
    }
}
