//! Hedged randomness (SPEC §3.6): long-term secrets and the whole context are mixed into what the caller's
//! generator gives, so that a weak, repeated or cloned generator does not repeat a secret.

use rand_core::TryCryptoRng;

use super::hash::{HmacKey, extract, sha256};
use super::{Error, Secret, labels};

/// The device's hedging key: `Extract(L("hedge"), IKs.seed || IKd.secret)`.
pub struct Hedge(HmacKey);

impl Hedge {
    /// Derives the key from the device's two private identity keys.
    #[must_use]
    pub fn new(signing_seed: &Secret<32>, dh_secret: &Secret<32>) -> Self {
        let key = extract(labels::HEDGE, &[signing_seed.expose(), dh_secret.expose()]);
        Self(HmacKey::new(key.expose()))
    }

    /// The key of what has one secret: `Extract(L("hedge"), secret)`.
    pub(crate) fn of(secret: &Secret<32>) -> Self {
        let key = extract(labels::HEDGE, &[secret.expose()]);
        Self(HmacKey::new(key.expose()))
    }

    /// `rand(purpose, context, n)`: fills `out`. `context` is never empty.
    ///
    /// # Errors
    /// [`Error::Rng`] if the generator failed; [`Error::TooLong`] over 8,160 bytes.
    pub fn fill(
        &self,
        purpose: &'static [u8],
        context: &[&[u8]],
        out: &mut [u8],
        rng: &mut (impl TryCryptoRng + ?Sized),
    ) -> Result<(), Error> {
        let fresh = fresh(rng)?;
        let key = self.0.mac(&[fresh.expose(), &sha256(context)]);
        HmacKey::new(key.expose()).expand(&[labels::RAND, purpose], out)
    }
}

/// Where the random values of a protocol step come from.
///
/// The library's own implementation is [`Hedged`]. Conformance vectors give the values themselves.
pub trait Entropy {
    /// A secret for `purpose`, bound to `context`.
    ///
    /// # Errors
    /// [`Error::Rng`].
    fn derive<const N: usize>(
        &mut self,
        purpose: &'static [u8],
        context: &[&[u8]],
    ) -> Result<Secret<N>, Error>;

    /// The 32 bytes that go into a synthetic salt.
    ///
    /// # Errors
    /// [`Error::Rng`].
    fn fresh(&mut self) -> Result<Secret<32>, Error>;
}

/// The caller's generator, hedged with the device's secrets.
pub struct Hedged<'a, R: ?Sized> {
    hedge: &'a Hedge,
    rng: &'a mut R,
}

impl<'a, R: TryCryptoRng + ?Sized> Hedged<'a, R> {
    /// Joins the two.
    pub const fn new(hedge: &'a Hedge, rng: &'a mut R) -> Self {
        Self { hedge, rng }
    }
}

impl<R: TryCryptoRng + ?Sized> Entropy for Hedged<'_, R> {
    fn derive<const N: usize>(
        &mut self,
        purpose: &'static [u8],
        context: &[&[u8]],
    ) -> Result<Secret<N>, Error> {
        let mut secret = Secret::zero();
        self.hedge
            .fill(purpose, context, secret.expose_mut(), self.rng)?;
        Ok(secret)
    }

    fn fresh(&mut self) -> Result<Secret<32>, Error> {
        fresh(self.rng)
    }
}

/// 32 bytes as the generator gives them: for synthetic salts, and for the two keys that a hedge is made from.
///
/// # Errors
/// [`Error::Rng`].
pub(crate) fn fresh(rng: &mut (impl TryCryptoRng + ?Sized)) -> Result<Secret<32>, Error> {
    let mut bytes = Secret::zero();
    rng.try_fill_bytes(bytes.expose_mut())
        .map_err(|_| Error::Rng)?;
    Ok(bytes)
}
