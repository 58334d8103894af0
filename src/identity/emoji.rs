//! Two people who hear or see each other compare seven emoji (SPEC §6.6).
//!
//! ```text
//! A: r_A random                      commit = H(L("emoji commit") || f_A || f_B || r_A)     ── commit ─►
//! B: r_B random                                                                            ◄── r_B ────
//! A: shows the emoji                                                                        ── r_A ────►
//! B: checks commit, shows the emoji
//! ```
//!
//! Each state is used up by the step that leaves it: no r is shown for a second answer, and none is used twice.

use core::fmt;

use super::DeviceIdentity;
use super::error::Error;
use super::fingerprint::Fingerprint;
use crate::crypto::hash::{HmacKey, extract, sha256};
use crate::crypto::hedge::{Entropy, Hedged};
use crate::crypto::labels::{self, purpose};
use crate::crypto::{Secret, TryCryptoRng, secret};

/// The salt of the extraction.
const Z: [u8; 32] = [0; 32];

/// The two accounts, in the order of the roles.
struct Accounts {
    initiator: Fingerprint,
    responder: Fingerprint,
}

impl Accounts {
    fn commit(&self, r_a: &[u8; 32]) -> [u8; 32] {
        sha256(&[
            labels::EMOJI_COMMIT,
            self.initiator.as_bytes(),
            self.responder.as_bytes(),
            r_a,
        ])
    }

    fn emoji(&self, r_a: &[u8; 32], r_b: &[u8; 32]) -> Emoji {
        let key = extract(&Z, &[r_a, r_b]);
        let info = [
            labels::EMOJI,
            self.initiator.as_bytes(),
            self.responder.as_bytes(),
        ];
        let bytes: Secret<6> = HmacKey::new(key.expose()).expand_secret(&info);
        Emoji::of(bytes.expose())
    }
}

/// A random r, hedged (SPEC §3.6).
fn random(
    own: &Fingerprint,
    peer: &Fingerprint,
    entropy: &mut impl Entropy,
) -> Result<Secret<32>, Error> {
    let context: [&[u8]; 2] = [own.as_bytes(), peer.as_bytes()];
    Ok(entropy.derive(purpose::EMOJI, &context)?)
}

/// A, who has sent the commitment and waits for r_B.
pub struct EmojiInitiator {
    accounts: Accounts,
    r_a: Secret<32>,
}

impl EmojiInitiator {
    /// Begins a comparison; the commitment goes to the peer.
    ///
    /// # Errors
    /// [`Error::Rng`].
    pub fn start(
        own: &Fingerprint,
        peer: &Fingerprint,
        device: &DeviceIdentity,
        rng: &mut (impl TryCryptoRng + ?Sized),
    ) -> Result<(Self, [u8; 32]), Error> {
        Self::start_with(own, peer, &mut Hedged::new(device.hedge(), rng))
    }

    pub(crate) fn start_with(
        own: &Fingerprint,
        peer: &Fingerprint,
        entropy: &mut impl Entropy,
    ) -> Result<(Self, [u8; 32]), Error> {
        let r_a = random(own, peer, entropy)?;
        let accounts = Accounts {
            initiator: *own,
            responder: *peer,
        };
        let commit = accounts.commit(r_a.expose());
        Ok((Self { accounts, r_a }, commit))
    }

    /// Takes r_B. Gives r_A, which goes to the peer, and the emoji to be shown.
    #[must_use]
    pub fn reveal(self, r_b: &[u8; 32]) -> ([u8; 32], Emoji) {
        let r_a = self.r_a.expose();
        (*r_a, self.accounts.emoji(r_a, r_b))
    }
}

/// B, who has answered a commitment with r_B and waits for r_A.
pub struct EmojiResponder {
    accounts: Accounts,
    commit: [u8; 32],
    r_b: [u8; 32],
}

impl EmojiResponder {
    /// Answers a commitment; r_B goes to the peer.
    ///
    /// # Errors
    /// [`Error::Rng`].
    pub fn answer(
        own: &Fingerprint,
        peer: &Fingerprint,
        commit: [u8; 32],
        device: &DeviceIdentity,
        rng: &mut (impl TryCryptoRng + ?Sized),
    ) -> Result<(Self, [u8; 32]), Error> {
        Self::answer_with(own, peer, commit, &mut Hedged::new(device.hedge(), rng))
    }

    pub(crate) fn answer_with(
        own: &Fingerprint,
        peer: &Fingerprint,
        commit: [u8; 32],
        entropy: &mut impl Entropy,
    ) -> Result<(Self, [u8; 32]), Error> {
        let r_b = *random(own, peer, entropy)?.expose();
        let accounts = Accounts {
            initiator: *peer,
            responder: *own,
        };
        let responder = Self {
            accounts,
            commit,
            r_b,
        };
        Ok((responder, r_b))
    }

    /// Takes r_A, and gives the emoji to be shown.
    ///
    /// # Errors
    /// [`Error::BadCommitment`]: the comparison has failed and is over.
    pub fn finish(self, r_a: &[u8; 32]) -> Result<Emoji, Error> {
        if !secret::equal(&self.accounts.commit(r_a), &self.commit) {
            return Err(Error::BadCommitment);
        }
        Ok(self.accounts.emoji(r_a, &self.r_b))
    }
}

impl fmt::Debug for EmojiInitiator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmojiInitiator").finish_non_exhaustive()
    }
}

impl fmt::Debug for EmojiResponder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmojiResponder").finish_non_exhaustive()
    }
}

/// Seven emoji, as numbers below 64. People say whether both sides show the same, in the same order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Emoji([u8; 7]);

impl Emoji {
    /// The first 42 bits, as numbers of 6 bits, the most significant first.
    const fn of(bytes: &[u8; 6]) -> Self {
        let [a, b, c, d, e, f] = *bytes;
        Self([
            a >> 2,
            (a << 4 | b >> 4) & 63,
            (b << 2 | c >> 6) & 63,
            c & 63,
            d >> 2,
            (d << 4 | e >> 4) & 63,
            (e << 2 | f >> 6) & 63,
        ])
    }

    /// The numbers: places in the table.
    #[must_use]
    pub const fn numbers(&self) -> &[u8; 7] {
        &self.0
    }

    /// The emoji.
    #[must_use]
    pub fn symbols(&self) -> [&'static str; 7] {
        self.0.map(|number| entry(number).0)
    }

    /// What they are called in English, for those who hear each other only. An app may translate them.
    #[must_use]
    pub fn names(&self) -> [&'static str; 7] {
        self.0.map(|number| entry(number).1)
    }
}

/// The emoji at a place in the table. Every number is below 64.
fn entry(number: u8) -> (&'static str, &'static str) {
    let entry = TABLE.get(usize::from(number));
    entry.copied().unwrap_or_default()
}

/// The table of SPEC §6.6: no two look or sound alike.
const TABLE: [(&str, &str); 64] = [
    ("🐝", "bee"),
    ("🐌", "snail"),
    ("🦊", "fox"),
    ("🐻", "bear"),
    ("🐸", "frog"),
    ("🐬", "dolphin"),
    ("🦉", "owl"),
    ("🦀", "crab"),
    ("🐪", "camel"),
    ("🐑", "sheep"),
    ("🐊", "crocodile"),
    ("🐞", "ladybird"),
    ("🌻", "sunflower"),
    ("🌲", "fir"),
    ("🍁", "maple leaf"),
    ("🌴", "palm"),
    ("🌹", "rose"),
    ("🍀", "clover"),
    ("🌈", "rainbow"),
    ("🌊", "wave"),
    ("🌋", "volcano"),
    ("⚡", "lightning"),
    ("⭐", "star"),
    ("⛄", "snowman"),
    ("🍋", "lemon"),
    ("🍇", "grapes"),
    ("🍒", "cherries"),
    ("🍉", "melon"),
    ("🥕", "carrot"),
    ("🍞", "bread"),
    ("🧀", "cheese"),
    ("🥚", "egg"),
    ("🍩", "doughnut"),
    ("🍦", "ice cream"),
    ("☕", "coffee"),
    ("🍵", "tea"),
    ("🚲", "bicycle"),
    ("🚂", "locomotive"),
    ("⛵", "sailing boat"),
    ("🚁", "helicopter"),
    ("🚜", "tractor"),
    ("🎈", "balloon"),
    ("🎁", "gift"),
    ("🎲", "die"),
    ("🎸", "guitar"),
    ("🥁", "drum"),
    ("🎺", "trumpet"),
    ("🎻", "violin"),
    ("⚽", "football"),
    ("🏆", "trophy"),
    ("🔔", "bell"),
    ("🔑", "key"),
    ("🔨", "hammer"),
    ("💡", "light bulb"),
    ("📷", "camera"),
    ("📚", "books"),
    ("⏰", "alarm clock"),
    ("⚓", "anchor"),
    ("☔", "umbrella"),
    ("👑", "crown"),
    ("💎", "diamond"),
    ("🏠", "house"),
    ("🏰", "castle"),
    ("👟", "shoe"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::vec::Vec;

    use super::*;

    #[test]
    fn the_table_is_that_of_the_specification() {
        let text = include_str!("../../SPEC.md");
        let (_, section) = text.split_once("### 6.6 Emoji").unwrap();
        let (section, _) = section.split_once("\n## 7 ").unwrap();
        let rows = section.lines().filter_map(|line| line.strip_prefix("| "));
        let rows = rows.filter(|row| row.starts_with(|first: char| first.is_ascii_digit()));
        let cells = rows.flat_map(|row| row.trim_end_matches(" |").split(" | ").skip(1));
        let entries: Vec<_> = cells.map(|cell| cell.split_once(' ').unwrap()).collect();
        assert_eq!(entries, TABLE);
        let symbols: BTreeSet<_> = TABLE.iter().map(|entry| entry.0).collect();
        let names: BTreeSet<_> = TABLE.iter().map(|entry| entry.1).collect();
        assert_eq!((symbols.len(), names.len()), (64, 64));
    }

    #[test]
    fn forty_two_bits_are_seven_numbers() {
        // Each number in turn is 63, the others 0; the last six bits belong to none.
        for place in 0..7 {
            let bits = 63u64 << (42 - 6 * place) | 63;
            let [_, _, bytes @ ..] = bits.to_be_bytes();
            let mut expected = [0; 7];
            expected[place] = 63;
            assert_eq!(Emoji::of(&bytes).numbers(), &expected);
        }
        let ascending = Emoji::of(&[0x04, 0x20, 0xc4, 0x14, 0x61, 0xc0]);
        assert_eq!(ascending.numbers(), &[1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(ascending.symbols()[0], "🐌");
        assert_eq!(ascending.names()[6], "crab");
    }
}
