//! The author of a pack: what signs its manifests.

use alloc::vec::Vec;
use core::fmt;

use super::Error;
use super::contents::Contents;
use super::held::Held;
use super::link::Link;
use super::manifest::{NO_PREVIOUS, Unsigned, key_hash};
use super::secret::{PackId, PackSecret};
use crate::crypto::hedge::{Entropy, Hedge, Hedged, fresh};
use crate::crypto::labels::purpose;
use crate::crypto::sign::{SigningKey, VerifyingKey};
use crate::crypto::{Secret, TryCryptoRng};
use crate::file::chunk::SALT;
use crate::wire::Reader;

/// The version of the stored form.
const VERSION: u8 = 1;

/// Bytes of the stored form.
pub const AUTHOR: usize = 1 + 32 + 32;

/// The author of one pack: its secret, and the key that signs its manifests. A new pack has both anew.
///
/// ```
/// use subrosa::file::pack::{Author, Contents, Held, Link, Update};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let rng = &mut subrosa::os_rng();
/// let author = Author::generate(rng)?;
/// let (sealed, held) = author.publish(&Contents::new("Owls", "Bob", vec![])?, None, rng)?;
/// let link = author.link().to_text("https://example.org/pack")?;
///
/// // Somebody who was given the link asks a server for what it keeps under the pack's id.
/// let (_, link) = Link::parse(&link)?;
/// let manifest = link.open(&sealed)?;
/// assert_eq!(manifest.contents().title(), "Owls");
/// let kept = Held::new(&manifest).encode();
///
/// // Some days later.
/// let (sealed, _) = author.publish(&Contents::new("Many owls", "Bob", vec![])?, Some(&held), rng)?;
/// let manifest = link.open(&sealed)?;
/// let Update::Newer(newer) = Held::decode(&kept)?.update(&manifest)? else { unreachable!() };
/// assert_eq!(newer.version(), 2);
/// # Ok(())
/// # }
/// ```
pub struct Author {
    secret: PackSecret,
    key: SigningKey,
}

impl Author {
    /// The author of a new pack: secret and seed, 32 bytes each, straight from the generator (SPEC §3.6-R1).
    ///
    /// # Errors
    /// [`Error::Rng`].
    pub fn generate(rng: &mut (impl TryCryptoRng + ?Sized)) -> Result<Self, Error> {
        let secret = fresh(rng)?;
        Ok(Self::new(secret, &fresh(rng)?))
    }

    /// The author with this pack secret and this seed of the signing key.
    fn new(secret: Secret<32>, seed: &Secret<32>) -> Self {
        Self {
            secret: PackSecret::new(secret),
            key: SigningKey::from_seed(seed),
        }
    }

    /// What shares the pack.
    #[must_use]
    pub fn link(&self) -> Link {
        Link::new(self.secret.duplicate(), key_hash(&self.author_key()))
    }

    /// Where the server keeps the manifest.
    #[must_use]
    pub fn pack_id(&self) -> PackId {
        self.secret.pack_id()
    }

    /// The public key.
    #[must_use]
    pub fn author_key(&self) -> VerifyingKey {
        self.key.verifying_key()
    }

    /// The next version of the pack: the manifest as the server gets it, and what is held of it. `held` is what is held of
    /// the version before, nothing if there is none.
    ///
    /// Two devices of an author, or one that was restored from a backup, take what the server has first
    /// ([`Link::open`], [`Held::update`]): whoever signs two versions of one number has forked the pack.
    ///
    /// # Errors
    /// [`Error::OtherPack`], [`Error::OtherKey`], [`Error::Exhausted`], [`Error::Rng`].
    pub fn publish(
        &self,
        contents: &Contents,
        held: Option<&Held>,
        rng: &mut (impl TryCryptoRng + ?Sized),
    ) -> Result<(Vec<u8>, Held), Error> {
        self.publish_version(next_version(held)?, contents, held, rng)
    }

    /// The same with a version that is given: one that leaves numbers out ends a fork, because who holds either side takes
    /// it.
    ///
    /// # Errors
    /// [`Error::Rollback`] for one that is not higher, and for another first one than 1; else as
    /// [`publish`](Self::publish).
    pub fn publish_version(
        &self,
        version: u64,
        contents: &Contents,
        held: Option<&Held>,
        rng: &mut (impl TryCryptoRng + ?Sized),
    ) -> Result<(Vec<u8>, Held), Error> {
        let hedge = Hedge::new(&self.key.seed(), &Secret::new(*self.secret.expose()));
        self.publish_with(version, contents, held, &mut Hedged::new(&hedge, rng))
    }

    /// The same with a source of randomness that is hedged, or given.
    pub(crate) fn publish_with(
        &self,
        version: u64,
        contents: &Contents,
        held: Option<&Held>,
        entropy: &mut impl Entropy,
    ) -> Result<(Vec<u8>, Held), Error> {
        let (pack, author_key) = (self.pack_id(), self.author_key());
        if let Some(held) = held {
            held.require_same(&pack, &author_key)?;
        }
        let rises = match held {
            Some(held) => version > held.version(),
            None => version == 1,
        };
        if !rises {
            return Err(Error::Rollback);
        }
        let unsigned = Unsigned {
            pack,
            version,
            previous: held.map_or(NO_PREVIOUS, |held| *held.hash()),
            contents,
        };
        let (text, hash) = unsigned.sign(&self.key)?;
        // SPEC §21.2-R3: the text is part of what the salt comes from, so that no other text has the same.
        let salt: Secret<SALT> = entropy.derive(purpose::PACK_SALT, &[&text])?;
        let sealed = self.secret.seal(&text, salt.expose())?;
        Ok((sealed, Held::of(pack, author_key, version, hash)))
    }

    /// The stored form, a secret: `u8 1 || pack secret || seed`, [`AUTHOR`] bytes.
    #[must_use]
    pub fn encode(&self) -> Secret<AUTHOR> {
        let seed = self.key.seed();
        let version = [VERSION];
        let parts = version.iter().chain(self.secret.expose());
        let mut bytes = Secret::zero();
        for (to, from) in bytes
            .expose_mut()
            .iter_mut()
            .zip(parts.chain(seed.expose()))
        {
            *to = *from;
        }
        bytes
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// [`Error::UnknownVersion`], [`Error::Malformed`].
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(bytes);
        // SPEC §21.2-R5
        if reader.u8()? != VERSION {
            return Err(Error::UnknownVersion);
        }
        let secret = Secret::new(*reader.array()?);
        let seed = Secret::new(*reader.array()?);
        reader.finish()?;
        Ok(Self::new(secret, &seed))
    }
}

/// The number of the version behind the one that is held.
pub(crate) fn next_version(held: Option<&Held>) -> Result<u64, Error> {
    let before = held.map_or(0, Held::version);
    before.checked_add(1).ok_or(Error::Exhausted)
}

impl fmt::Debug for Author {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Author").finish_non_exhaustive()
    }
}
