//! Accounts and their device lists (SPEC.md §6.3, §6.4), fingerprints and emoji (§6.5, §6.6).

use subrosa::wire::{self, Reader};

use super::formula::{
    Bytes32, expand, hash, header, hmac, is_canonical, label, sign, verifies, verifying_key,
};
use super::{Answer, error, require};

const Z: Bytes32 = [0; 32];

/// `account_key || recovery_key` (§6.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// `account_key`
    pub account: Bytes32,
    /// `recovery_key`
    pub recovery: Bytes32,
}

impl Entry {
    /// The public halves of two seeds.
    #[must_use]
    pub fn of(account: &Bytes32, recovery: &Bytes32) -> Self {
        Self {
            account: verifying_key(account),
            recovery: verifying_key(recovery),
        }
    }

    /// `account_id`, if this is entry 0.
    #[must_use]
    pub fn account_id(&self) -> Bytes32 {
        hash(&[&label("account"), &self.account, &self.recovery])
    }

    /// What `recovery_sig` of this entry signs, if it is number `index`.
    #[must_use]
    pub fn signed(&self, account_id: &Bytes32, index: u8) -> Vec<u8> {
        let name = label("account key");
        [
            &name,
            &account_id[..],
            &[index],
            &self.account,
            &self.recovery,
        ]
        .concat()
    }
}

/// `address` of a device of an account (§6.3).
#[must_use]
pub fn address(account_id: &Bytes32, device: u32) -> Vec<u8> {
    [&account_id[..], &device.to_be_bytes()].concat()
}

/// An entry that replaced another one, and `recovery_sig`.
pub type Replaced = (Entry, [u8; 64]);

/// A device in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The device id.
    pub id: u32,
    /// `IKs`
    pub iks: Bytes32,
    /// `IKd`
    pub ikd: Bytes32,
}

/// `content` (§6.4), which may hold what no list may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// Entry 0.
    pub first: Entry,
    /// Entries 1 to n - 1.
    pub later: Vec<Replaced>,
    /// `version`
    pub version: u64,
    /// `prev_hash`
    pub prev_hash: Bytes32,
    /// `next_id`
    pub next_id: u32,
    /// The devices.
    pub devices: Vec<Listed>,
}

/// What has changed in a list that follows another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Ids added.
    pub added: Vec<u32>,
    /// Ids removed.
    pub removed: Vec<u32>,
    /// Whether there are new entries.
    pub keys_changed: bool,
}

impl Content {
    /// `content` as bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let n = u8::try_from(self.later.len().saturating_add(1)).unwrap_or(u8::MAX);
        let mut out = [&[1, n][..], &self.first.account, &self.first.recovery].concat();
        for (entry, recovery_sig) in &self.later {
            out.extend(entry.account);
            out.extend(entry.recovery);
            out.extend(recovery_sig);
        }
        out.extend(self.version.to_be_bytes());
        out.extend(self.prev_hash);
        out.extend(self.next_id.to_be_bytes());
        out.extend(header(self.devices.len()));
        for device in &self.devices {
            out.extend(device.id.to_be_bytes());
            out.extend(device.iks);
            out.extend(device.ikd);
        }
        out
    }

    /// `devices`, signed by the account key of this seed.
    ///
    /// # Errors
    /// None with the present primitives.
    pub fn sign(&self, account: &Bytes32) -> Answer<Vec<u8>> {
        let content = self.encode();
        let signature = sign(account, &[&label("devices"), &content])?;
        Ok([&content[..], &signature].concat())
    }

    /// `hash`
    #[must_use]
    pub fn hash(&self) -> Bytes32 {
        hash(&[&label("devices"), &self.encode()])
    }

    /// `account_id`
    #[must_use]
    pub fn account_id(&self) -> Bytes32 {
        self.first.account_id()
    }

    /// Every entry.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        let later = self.later.iter().map(|(entry, _)| *entry);
        [self.first].into_iter().chain(later).collect()
    }

    /// The last entry.
    #[must_use]
    pub fn last(&self) -> Entry {
        self.later.last().map_or(self.first, |(entry, _)| *entry)
    }

    fn device(&self, id: u32) -> Option<&Listed> {
        self.devices.iter().find(|device| device.id == id)
    }

    fn fields(reader: &mut Reader<'_>) -> Result<Self, wire::Error> {
        let n = reader.u8()?;
        if !(1..=16).contains(&n) {
            return Err(wire::Error::Value);
        }
        let entry = |reader: &mut Reader<'_>| {
            Ok::<_, wire::Error>(Entry {
                account: *reader.array()?,
                recovery: *reader.array()?,
            })
        };
        let first = entry(reader)?;
        let later = (1..n)
            .map(|_| Ok((entry(reader)?, *reader.array()?)))
            .collect::<Result<_, wire::Error>>()?;
        let (version, prev_hash) = (reader.u64()?, *reader.array()?);
        let (next_id, count) = (reader.u32()?, reader.vector_length()?);
        if count > 32 {
            return Err(wire::Error::Value);
        }
        let device = |_| {
            Ok::<_, wire::Error>(Listed {
                id: reader.u32()?,
                iks: *reader.array()?,
                ikd: *reader.array()?,
            })
        };
        Ok(Self {
            first,
            later,
            version,
            prev_hash,
            next_id,
            devices: (0..count).map(device).collect::<Result<_, _>>()?,
        })
    }

    /// §6.4-R1: the content and the signature.
    fn read(devices: &[u8]) -> Answer<(Self, [u8; 64])> {
        let mut reader = Reader::new(devices);
        let malformed = |_| error("Malformed");
        require(reader.u8().map_err(malformed)? == 1, "UnknownVersion")?;
        let content = Self::fields(&mut reader).map_err(malformed)?;
        let signature = *reader.array().map_err(malformed)?;
        reader.finish().map_err(malformed)?;
        Ok((content, signature))
    }

    /// §6.4-R2, but for the keys that occur twice.
    fn is_numbered(&self) -> bool {
        let ids: Vec<u32> = self.devices.iter().map(|device| device.id).collect();
        let first = self.version == 1;
        self.version >= 1
            && first == (self.prev_hash == Z)
            && (!first || self.later.is_empty())
            && ids
                .iter()
                .zip(ids.iter().skip(1))
                .all(|(one, next)| one < next)
            && ids.first() != Some(&0)
            && ids.last().is_none_or(|last| *last < self.next_id)
            && self.next_id >= 1
    }

    /// §6.4-R2: no key occurs twice.
    fn is_distinct(&self) -> bool {
        let entries = self.entries();
        let mut signing: Vec<Bytes32> = entries.iter().map(|entry| entry.account).collect();
        signing.extend(entries.iter().map(|entry| entry.recovery));
        signing.extend(self.devices.iter().map(|device| device.iks));
        let dh = self.devices.iter().map(|device| device.ikd);
        occur_once(signing) && occur_once(dh.collect())
    }

    /// §6.4-R1 and R2: the form of a list.
    ///
    /// # Errors
    /// `UnknownVersion`, `Malformed`.
    pub fn form(devices: &[u8]) -> Answer<(Self, [u8; 64])> {
        let (content, signature) = Self::read(devices)?;
        let canonical = content
            .devices
            .iter()
            .all(|device| is_canonical(&device.ikd));
        let right = content.is_numbered() && content.is_distinct() && canonical;
        require(right, "Malformed")?;
        Ok((content, signature))
    }

    /// §6.4-R1 to R4; R4 if an account was asked for.
    ///
    /// # Errors
    /// `UnknownVersion`, `Malformed`, `BadSignature`, `OtherAccount`.
    pub fn check(devices: &[u8], asked: Option<&Bytes32>) -> Answer<Self> {
        let (content, signature) = Self::form(devices)?;
        let account_id = content.account_id();
        let mut before = content.first;
        for (index, (entry, recovery_sig)) in (1u8..).zip(&content.later) {
            let signed = entry.signed(&account_id, index);
            require(
                verifies(&before.recovery, &[&signed], recovery_sig),
                "BadSignature",
            )?;
            before = *entry;
        }
        let signed = [&label("devices")[..], &content.encode()].concat();
        require(
            verifies(&before.account, &[&signed], &signature),
            "BadSignature",
        )?;
        require(
            asked.is_none_or(|asked| *asked == account_id),
            "OtherAccount",
        )?;
        Ok(content)
    }

    /// §6.4-R5 to R8: what changed in `next`, or nothing.
    ///
    /// # Errors
    /// `OtherAccount`, `Equivocation`, `OldList`, `MissingLists`, `BadSignature`, `Malformed`.
    pub fn succession(&self, next: &Self) -> Answer<Option<Change>> {
        require(self.account_id() == next.account_id(), "OtherAccount")?;
        if next.version == self.version {
            require(next.hash() == self.hash(), "Equivocation")?;
            return Ok(None);
        }
        require(next.version > self.version, "OldList")?;
        require(
            next.version.saturating_sub(1) == self.version,
            "MissingLists",
        )?;
        require(next.prev_hash == self.hash(), "Equivocation")?;
        let kept = next.later.get(..self.later.len());
        let unchanged = next.first == self.first && kept == Some(&self.later);
        require(unchanged, "BadSignature")?;
        require(next.next_id >= self.next_id, "Malformed")?;
        for device in &next.devices {
            let right = match self.device(device.id) {
                Some(known) => known == device,
                None => device.id >= self.next_id,
            };
            require(right, "Malformed")?;
        }
        let missing = |of: &Self, other: &Self| {
            let ids = of.devices.iter().map(|device| device.id);
            ids.filter(|id| other.device(*id).is_none()).collect()
        };
        Ok(Some(Change {
            added: missing(next, self),
            removed: missing(self, next),
            keys_changed: next.later.len() > self.later.len(),
        }))
    }
}

fn occur_once(mut keys: Vec<Bytes32>) -> bool {
    keys.sort_unstable();
    keys.iter()
        .zip(keys.iter().skip(1))
        .all(|(one, next)| one != next)
}

/// The lists that an account makes (§14.1-R5).
impl Content {
    /// The first list, not signed yet.
    ///
    /// # Errors
    /// `KeyInUse`.
    pub fn initial(entry: Entry, iks: Bytes32, ikd: Bytes32) -> Answer<Self> {
        let mut content = Self {
            first: entry,
            later: Vec::new(),
            version: 1,
            prev_hash: Z,
            next_id: 1,
            devices: Vec::new(),
        };
        content.add(iks, ikd)?;
        content.usable()
    }

    fn following(&self) -> Answer<Self> {
        let mut next = self.clone();
        next.version = self.version.checked_add(1).ok_or(error("Exhausted"))?;
        next.prev_hash = self.hash();
        Ok(next)
    }

    fn add(&mut self, iks: Bytes32, ikd: Bytes32) -> Answer<()> {
        require(self.devices.len() < 32, "TooManyDevices")?;
        let id = self.next_id;
        self.next_id = id.checked_add(1).ok_or(error("Exhausted"))?;
        self.devices.push(Listed { id, iks, ikd });
        Ok(())
    }

    fn usable(self) -> Answer<Self> {
        require(self.is_distinct(), "KeyInUse")?;
        Ok(self)
    }

    /// The next list, with a device more, made with the account key of a seed.
    ///
    /// # Errors
    /// `WrongKey`, `TooManyDevices`, `KeyInUse`, `Exhausted`.
    pub fn with_device(&self, account: &Bytes32, iks: Bytes32, ikd: Bytes32) -> Answer<Self> {
        require(verifying_key(account) == self.last().account, "WrongKey")?;
        let mut next = self.following()?;
        next.add(iks, ikd)?;
        next.usable()
    }

    /// The next list, with a device less.
    ///
    /// # Errors
    /// `WrongKey`, `UnknownDevice`, `Exhausted`.
    pub fn without_device(&self, account: &Bytes32, id: u32) -> Answer<Self> {
        require(verifying_key(account) == self.last().account, "WrongKey")?;
        require(self.device(id).is_some(), "UnknownDevice")?;
        let mut next = self.following()?;
        next.devices.retain(|device| device.id != id);
        Ok(next)
    }

    /// The next list, with new keys, the devices to be kept, and perhaps one more.
    ///
    /// # Errors
    /// `WrongKey`, `TooManyKeys`, `TooManyDevices`, `KeyInUse`, `Exhausted`.
    pub fn with_keys(
        &self,
        recovery: &Bytes32,
        entry: Entry,
        keep: &[u32],
        added: Option<(Bytes32, Bytes32)>,
    ) -> Answer<Self> {
        require(verifying_key(recovery) == self.last().recovery, "WrongKey")?;
        require(self.later.len() < 15, "TooManyKeys")?;
        let mut next = self.following()?;
        let index = u8::try_from(next.later.len().saturating_add(1)).unwrap_or(u8::MAX);
        let recovery_sig = sign(recovery, &[&entry.signed(&self.account_id(), index)])?;
        next.later.push((entry, recovery_sig));
        next.devices.retain(|device| keep.contains(&device.id));
        if let Some((iks, ikd)) = added {
            next.add(iks, ikd)?;
        }
        next.usable()
    }
}

/// `f` of an account id and its last entry (§6.5).
#[must_use]
pub fn fingerprint(account_id: &Bytes32, entry: &Entry) -> Bytes32 {
    let name = label("fingerprint");
    hash(&[&name, account_id, &entry.account, &entry.recovery])
}

/// The 60 digits of two fingerprints.
#[must_use]
pub fn digits(own: &Bytes32, peer: &Bytes32) -> String {
    let mut both = [own, peer];
    both.sort_unstable();
    let mut digits = String::new();
    for fingerprint in both {
        for five in fingerprint.chunks_exact(5) {
            let bytes = five.iter();
            let number = bytes.fold(0u64, |number, byte| number * 256 + u64::from(*byte));
            digits += &format!("{:05}", number % 100_000);
        }
    }
    digits
}

/// What a camera reads.
#[must_use]
pub fn code(own: &Bytes32, peer: &Bytes32) -> Vec<u8> {
    [&[1], &own[..], peer].concat()
}

/// Whether what was scanned is the peer's code.
///
/// # Errors
/// `Malformed`, `UnknownVersion`.
pub fn scan(own: &Bytes32, peer: &Bytes32, scanned: &[u8]) -> Answer<bool> {
    require(scanned.len() == 65, "Malformed")?;
    require(scanned.first() == Some(&1), "UnknownVersion")?;
    let halves = scanned.get(1..33).zip(scanned.get(33..));
    Ok(halves == Some((peer, own)))
}

/// `commit` (§6.6).
#[must_use]
pub fn commit(f_a: &Bytes32, f_b: &Bytes32, r_a: &Bytes32) -> Bytes32 {
    hash(&[&label("emoji commit"), f_a, f_b, r_a])
}

/// The seven numbers (§6.6).
#[must_use]
pub fn emoji(f_a: &Bytes32, f_b: &Bytes32, r_a: &Bytes32, r_b: &Bytes32) -> Vec<u8> {
    let prk = hmac(&Z, &[r_a, r_b]);
    let e: [u8; 6] = expand(&prk, &[&label("emoji"), f_a, f_b]);
    let bits: String = e.iter().map(|byte| format!("{byte:08b}")).collect();
    let bits: Vec<u8> = bits.bytes().take(42).map(|bit| bit & 1).collect();
    let sixes = bits.chunks_exact(6);
    sixes
        .map(|six| six.iter().fold(0, |number, bit| number << 1 | bit))
        .collect()
}

/// The table of §6.6, read from SPEC.md: the emoji and its name.
#[must_use]
pub fn emoji_table() -> Vec<(&'static str, &'static str)> {
    let text = include_str!("../../../SPEC.md");
    let section = text.split("### 6.6 Emoji").nth(1).unwrap_or_default();
    let section = section.split("\n## ").next().unwrap_or_default();
    let cells = section.lines().filter_map(|line| line.strip_prefix("| "));
    let rows = cells.filter(|row| row.starts_with(|first: char| first.is_ascii_digit()));
    rows.flat_map(|row| row.trim_end_matches(" |").split(" | ").skip(1))
        .filter_map(|cell| cell.split_once(' '))
        .collect()
}
