//! Device lists taken apart into fields that may hold anything, and the rules of SPEC §6.4 written down a second time.

use std::collections::BTreeSet;

use subrosa::crypto::Secret;
use subrosa::crypto::hash::sha256;
use subrosa::crypto::sign::{Signature, SigningKey, VerifyingKey};
use subrosa::identity::{Change, Error};

/// An entry; the signature of entry 0 is nowhere written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub account: [u8; 32],
    pub recovery: [u8; 32],
    pub signature: [u8; 64],
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub id: u32,
    pub signing: [u8; 32],
    pub dh: [u8; 32],
}

/// The fields of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fields {
    pub entries: Vec<Entry>,
    pub version: u64,
    pub prev_hash: [u8; 32],
    pub next_id: u32,
    pub devices: Vec<Listed>,
    pub signature: [u8; 64],
}

/// What was read so far, off the front.
fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*head)
}

impl Fields {
    /// By the form of §6.4 alone: at most 255 entries and 63 devices.
    pub fn read(mut bytes: &[u8]) -> Option<Self> {
        let [1, count] = take(&mut bytes)? else {
            return None;
        };
        let mut entries = Vec::new();
        for index in 0..count {
            entries.push(Entry {
                account: take(&mut bytes)?,
                recovery: take(&mut bytes)?,
                signature: if index == 0 {
                    [0; 64]
                } else {
                    take(&mut bytes)?
                },
            });
        }
        let version = u64::from_be_bytes(take(&mut bytes)?);
        let prev_hash = take(&mut bytes)?;
        let next_id = u32::from_be_bytes(take(&mut bytes)?);
        let [count @ 0..64] = take(&mut bytes)? else {
            return None;
        };
        let mut devices = Vec::new();
        for _ in 0..count {
            devices.push(Listed {
                id: u32::from_be_bytes(take(&mut bytes)?),
                signing: take(&mut bytes)?,
                dh: take(&mut bytes)?,
            });
        }
        let signature = take(&mut bytes)?;
        bytes.is_empty().then_some(Self {
            entries,
            version,
            prev_hash,
            next_id,
            devices,
            signature,
        })
    }

    pub fn content(&self) -> Vec<u8> {
        let mut bytes = vec![1, self.entries.len() as u8];
        for (index, entry) in self.entries.iter().enumerate() {
            bytes.extend(entry.account);
            bytes.extend(entry.recovery);
            if index > 0 {
                bytes.extend(entry.signature);
            }
        }
        bytes.extend(self.version.to_be_bytes());
        bytes.extend(self.prev_hash);
        bytes.extend(self.next_id.to_be_bytes());
        bytes.push(self.devices.len() as u8);
        for device in &self.devices {
            bytes.extend(device.id.to_be_bytes());
            bytes.extend(device.signing);
            bytes.extend(device.dh);
        }
        bytes
    }

    pub fn bytes(&self) -> Vec<u8> {
        [&self.content()[..], &self.signature].concat()
    }

    /// What the account key signs, and what `hash` is of.
    fn signed(&self) -> Vec<u8> {
        [b"subrosa/1 devices\0", &self.content()[..]].concat()
    }

    pub fn hash(&self) -> [u8; 32] {
        sha256(&[&self.signed()])
    }

    pub fn account_id(&self) -> [u8; 32] {
        let first = &self.entries[0];
        sha256(&[b"subrosa/1 account\0", &first.account, &first.recovery])
    }

    /// What the recovery key of entry `index - 1` signs.
    fn replacement(&self, index: usize) -> Vec<u8> {
        let entry = &self.entries[index];
        [
            b"subrosa/1 account key\0",
            &self.account_id()[..],
            &[index as u8],
            &entry.account,
            &entry.recovery,
        ]
        .concat()
    }

    /// Signs every entry behind `from`, and the list, as far as the keys are there.
    pub fn sign(&mut self, keys: &Keys, from: usize) {
        for index in from.max(1)..self.entries.len() {
            let signer = self.entries[index - 1].recovery;
            self.entries[index].signature = keys.sign(&signer, &self.replacement(index));
        }
        if let Some(last) = self.entries.last() {
            self.signature = keys.sign(&last.account, &self.signed());
        }
    }

    /// A first list with one device, signed.
    pub fn first(keys: &Keys) -> Self {
        let mut fields = Self {
            entries: vec![Entry {
                account: keys.public(0),
                recovery: keys.public(1),
                signature: [0; 64],
            }],
            version: 1,
            prev_hash: [0; 32],
            next_id: 2,
            devices: vec![Listed {
                id: 1,
                signing: keys.public(2),
                dh: dh(1000),
            }],
            signature: [0; 64],
        };
        fields.sign(keys, 1);
        fields
    }

    /// The same once more, as the next version; not signed.
    pub fn heir(&self) -> Self {
        let mut heir = self.clone();
        heir.version = heir.version.wrapping_add(1);
        heir.prev_hash = self.hash();
        heir
    }

    /// Changes one thing; `below` chooses a number below another one.
    pub fn change(&mut self, keys: &Keys, known: &Self, below: &mut impl FnMut(u64) -> u64) {
        let kind = below(16);
        let place = below(self.devices.len() as u64 + 1) as usize;
        let entry = below(self.entries.len() as u64) as usize;
        let key = keys.public(below(40) as usize);
        let listed = |id, number| Listed {
            id,
            signing: key,
            dh: dh(number),
        };
        match kind {
            0 => self.version = self.version.wrapping_add(below(4)).wrapping_sub(2),
            1 => self.prev_hash[below(32) as usize] ^= 1,
            2 => self.prev_hash = known.prev_hash,
            3 => self.next_id = self.next_id.wrapping_add(below(5) as u32).wrapping_sub(2),
            4 => {
                let id = self.next_id.wrapping_sub(below(4) as u32);
                self.devices.insert(place, listed(id, below(60)));
            }
            5 => self.devices.truncate(place),
            6 if place < self.devices.len() => drop(self.devices.remove(place)),
            7 if place < self.devices.len() => self.devices[place].signing = key,
            8 if place < self.devices.len() => self.devices[place].dh = dh(below(60)),
            9 if place < self.devices.len() => self.devices[place].id ^= 1 << below(3),
            10 => self.devices.sort_by_key(|device| device.id),
            11 => self.entries.push(Entry {
                account: key,
                recovery: keys.public(below(40) as usize),
                signature: [0; 64],
            }),
            12 if self.entries.len() > 1 => drop(self.entries.pop()),
            13 => self.entries[entry].account = key,
            14 => self.entries[entry].recovery = key,
            _ => {
                // What an honest account does.
                let id = self.next_id;
                self.devices.push(listed(id, 1000 + u64::from(id)));
                self.next_id = id.wrapping_add(1);
            }
        }
    }

    /// R1 and R2, but for what `read` has found.
    fn has_form(&self) -> bool {
        let ids: Vec<u32> = self.devices.iter().map(|device| device.id).collect();
        let ascending = ids.windows(2).all(|two| two[0] < two[1]);
        let above_zero = ids.iter().all(|id| *id != 0);
        let below_next = ids.iter().all(|id| *id < self.next_id);
        let entries = self.entries.iter();
        let mut signing: Vec<_> = entries
            .flat_map(|entry| [entry.account, entry.recovery])
            .collect();
        signing.extend(self.devices.iter().map(|device| device.signing));
        let dh: Vec<_> = self.devices.iter().map(|device| device.dh).collect();
        let all_different =
            |keys: &[[u8; 32]]| keys.iter().collect::<BTreeSet<_>>().len() == keys.len();
        (1..=16).contains(&self.entries.len())
            && ids.len() <= 32
            && self.version != 0
            && (self.version == 1) == (self.prev_hash == [0; 32])
            && (self.version != 1 || self.entries.len() == 1)
            && ascending
            && above_zero
            && below_next
            && self.next_id != 0
            && dh.iter().all(is_canonical)
            && all_different(&signing)
            && all_different(&dh)
    }

    /// R3.
    fn is_signed(&self) -> bool {
        let holds = |key: &[u8; 32], message: &[u8], signature: &[u8; 64]| {
            let signature = Signature(*signature);
            VerifyingKey(*key).verify(message, &signature).is_ok()
        };
        let later = (1..self.entries.len()).all(|index| {
            let signer = &self.entries[index - 1].recovery;
            let signature = &self.entries[index].signature;
            holds(signer, &self.replacement(index), signature)
        });
        let last = &self.entries[self.entries.len() - 1];
        later && holds(&last.account, &self.signed(), &self.signature)
    }
}

/// A public key of X25519 of which nobody has the private half.
fn dh(number: u64) -> [u8; 32] {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&number.to_be_bytes());
    key
}

/// SPEC §3.3-R1.
fn is_canonical(key: &[u8; 32]) -> bool {
    let mut number = *key;
    number.reverse();
    let mut p = [0xff; 32];
    (p[0], p[31]) = (0x7f, 0xed);
    number < p
}

/// R1 to R3.
pub fn check(bytes: &[u8]) -> Result<Fields, Error> {
    match bytes {
        [] => return Err(Error::Malformed),
        [1, ..] => {}
        _ => return Err(Error::UnknownVersion),
    }
    let fields = Fields::read(bytes).filter(Fields::has_form);
    let fields = fields.ok_or(Error::Malformed)?;
    if fields.is_signed() {
        Ok(fields)
    } else {
        Err(Error::BadSignature)
    }
}

/// R5 to R8, of two lists that `check` accepts.
pub fn succession(known: &Fields, next: &Fields) -> Result<Option<Change>, Error> {
    if known.account_id() != next.account_id() {
        return Err(Error::OtherAccount);
    }
    let step = i128::from(next.version) - i128::from(known.version);
    match step {
        0 if known.hash() == next.hash() => return Ok(None),
        0 => return Err(Error::Equivocation),
        1 if next.prev_hash != known.hash() => return Err(Error::Equivocation),
        1 => {}
        2.. => return Err(Error::MissingLists),
        _ => return Err(Error::OldList),
    }
    if next.entries.get(..known.entries.len()) != Some(&known.entries) {
        return Err(Error::BadSignature);
    }
    let ids = |list: &Fields| -> BTreeSet<u32> { list.devices.iter().map(|one| one.id).collect() };
    let (old, new) = (ids(known), ids(next));
    let added: Vec<u32> = new.difference(&old).copied().collect();
    let find = |list: &Fields, id| list.devices.iter().find(|one| one.id == id).cloned();
    let same_keys = new
        .intersection(&old)
        .all(|id| find(known, *id) == find(next, *id));
    let fresh = added.iter().all(|id| *id >= known.next_id);
    if next.next_id < known.next_id || !same_keys || !fresh {
        return Err(Error::Malformed);
    }
    Ok(Some(Change {
        added,
        removed: old.difference(&new).copied().collect(),
        keys_changed: next.entries.len() > known.entries.len(),
    }))
}

/// Private keys, found by their public halves.
pub struct Keys(Vec<([u8; 32], SigningKey)>);

impl Keys {
    /// `count` keys, always the same.
    pub fn new(count: u8) -> Self {
        let keys = (0..count).map(|number| {
            let key = SigningKey::from_seed(&Self::seed(number));
            (*key.verifying_key().as_bytes(), key)
        });
        Self(keys.collect())
    }

    pub fn seed(number: u8) -> Secret<32> {
        Secret::new([number.wrapping_add(100); 32])
    }

    /// The number of this public half.
    pub fn number(&self, public: &[u8; 32]) -> Option<u8> {
        let place = self.0.iter().position(|(known, _)| known == public)?;
        u8::try_from(place).ok()
    }

    pub fn public(&self, number: usize) -> [u8; 32] {
        self.0[number % self.0.len()].0
    }

    /// The signature of this key, or of none.
    fn sign(&self, public: &[u8; 32], message: &[u8]) -> [u8; 64] {
        let key = self.0.iter().find(|(known, _)| known == public);
        key.map_or([0; 64], |(_, key)| key.sign(message).unwrap().0)
    }
}
