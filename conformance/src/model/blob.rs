//! SPEC §§20.2 to 20.4 from primitives, all in memory.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::formula::{Bytes32, expand, hash, hmac, label, vector};
use super::{Answer, file, require};

/// A run of leaves, the first of them and the one behind the last.
pub type Run = (u64, u64);

/// The leaf of a chunk.
#[must_use]
pub fn leaf(chunk: &[u8]) -> Bytes32 {
    hash(&[&[0], chunk])
}

/// The leaves of a blob.
#[must_use]
pub fn leaves(stored: &[u8]) -> Vec<Bytes32> {
    let chunks = stored.get(56..).unwrap_or_default().chunks(16_400);
    chunks.map(leaf).collect()
}

/// MTH of RFC 6962 §2.1, by its recursion; zeros of no leaf.
#[must_use]
pub fn root(leaves: &[Bytes32]) -> Bytes32 {
    match leaves {
        [] => [0; 32],
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(left_of(leaves.len()));
            hash(&[&[1], &root(left), &root(right)])
        }
    }
}

/// The largest power of two below `n`, which is at least 2.
fn left_of(n: usize) -> usize {
    let mut left = 1;
    while left * 2 < n {
        left *= 2;
    }
    left
}

/// All nodes that have all their leaves, each behind the last of them.
#[must_use]
pub fn nodes(leaves: &[Bytes32]) -> Vec<Bytes32> {
    let mut nodes = Vec::new();
    for end in 1..=leaves.len() {
        let mut size = 1;
        while end.is_multiple_of(size) {
            nodes.push(root(leaves.get(end - size..end).unwrap_or_default()));
            size *= 2;
        }
    }
    nodes
}

/// The id.
#[must_use]
pub fn id(header: &[u8], length: u64, leaves: &[Bytes32]) -> Bytes32 {
    let length = length.to_be_bytes();
    hash(&[&label("blob"), &length, header, &root(leaves)])
}

/// The nodes of a proof as (first leaf, leaves), from left to right: what the recursion over the whole tree finds outside of
/// the run, cut until all leaves are there.
#[must_use]
pub fn outside(count: u64, run: Run) -> Vec<(u64, u64)> {
    fn visit(first: u64, end: u64, count: u64, run: Run, found: &mut Vec<(u64, u64)>) {
        if first >= count || (run.0 <= first && end <= run.1) {
            return;
        }
        let apart = end <= run.0 || run.1 <= first;
        if apart && end <= count {
            found.push((first, end - first));
        } else if end - first > 1 {
            let middle = first + (end - first) / 2;
            visit(first, middle, count, run, found);
            visit(middle, end, count, run, found);
        }
    }
    let mut found = Vec::new();
    visit(0, count.next_power_of_two(), count, run, &mut found);
    found
}

/// The proof of a run.
#[must_use]
pub fn proof(header: &[u8], leaves: &[Bytes32], run: Run) -> Vec<u8> {
    let mut proof = header.to_vec();
    for (first, size) in outside(leaves.len() as u64, run) {
        let below = leaves.get(first as usize..(first + size) as usize);
        proof.extend(root(below.unwrap_or_default()));
    }
    proof
}

/// Whether a run holds, by the recursion from the root down to what is known.
#[must_use]
pub fn verifies(
    id: &Bytes32,
    length: u64,
    count: u64,
    run: Run,
    inside: &[Bytes32],
    proof: &[u8],
) -> bool {
    fn find(first: u64, end: u64, known: &BTreeMap<(u64, u64), Bytes32>) -> Option<Bytes32> {
        if let Some(hash) = known.get(&(first, end - first)) {
            return Some(*hash);
        }
        if end - first < 2 {
            return None;
        }
        let middle = first + left_of((end - first) as usize) as u64;
        let (left, right) = (find(first, middle, known)?, find(middle, end, known)?);
        Some(hash(&[&[1], &left, &right]))
    }
    let Some((header, hashes)) = proof.split_at_checked(56) else {
        return false;
    };
    let places = outside(count, run);
    if hashes.len() != places.len() * 32 || inside.len() as u64 != run.1 - run.0 {
        return false;
    }
    let hashes = hashes.chunks(32).filter_map(|hash| hash.try_into().ok());
    let mut known: BTreeMap<(u64, u64), Bytes32> = places.into_iter().zip(hashes).collect();
    for (number, leaf) in (run.0..run.1).zip(inside) {
        known.insert((number, 1), *leaf);
    }
    let Some(root) = find(0, count, &known) else {
        return false;
    };
    hash(&[&label("blob"), &length.to_be_bytes(), header, &root]) == *id
}

/// §5, for lengths of 64 bits, and §20.2-R5.
///
/// # Errors
/// `TooLong`.
pub fn padded(length: u64) -> Answer<u64> {
    let longest = (1u64 << 52) - (1 << 45);
    require(length <= longest, "TooLong")?;
    for bucket in [192, 256, 512, 1024] {
        if length <= bucket {
            return Ok(bucket);
        }
    }
    let e = u64::from(length.ilog2());
    let s = u64::from(e.ilog2()) + 1;
    Ok(length.next_multiple_of(1 << (e - s)))
}

/// Where a blob's keys come from.
pub struct Record {
    /// `seed`
    pub seed: Bytes32,
    /// The media type.
    pub media_type: Vec<u8>,
}

impl Record {
    /// A new one.
    #[must_use]
    pub fn new(random: &Bytes32, apart: &[u8], media_type: &str) -> Self {
        Self {
            seed: hmac(random, &[&label("blob seed"), apart]),
            media_type: media_type.as_bytes().to_vec(),
        }
    }

    /// As it is stored.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        [&self.seed[..], &vector(&self.media_type)].concat()
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> Bytes32 {
        expand(&self.seed, &[&label("blob key")])
    }

    /// The salt.
    #[must_use]
    pub fn salt(&self, first: &[u8]) -> Vec<u8> {
        let mac = hmac(&self.seed, &[&label("blob salt"), first]);
        mac.iter().copied().take(24).collect()
    }

    /// The blob, and the descriptor that leads to it.
    ///
    /// # Errors
    /// `TooLong`.
    pub fn seal(&self, text: &[u8]) -> Answer<(Vec<u8>, Vec<u8>)> {
        let mut padded_text = text.to_vec();
        padded_text.resize(padded(text.len() as u64)? as usize, 0);
        let first: Vec<u8> = padded_text.iter().copied().take(16_384).collect();
        let key = self.key();
        let stored = file::seal(&key, &label("blob"), &self.salt(&first), &padded_text);
        let header = stored.get(..56).unwrap_or_default();
        let id = id(header, stored.len() as u64, &leaves(&stored));
        let blob = Blob {
            id,
            key,
            length: text.len() as u64,
            media_type: self.media_type.clone(),
        };
        Ok((stored, blob.descriptor(&[0])))
    }
}

/// What a descriptor says of a blob, whether a blob may be so or not.
pub struct Blob {
    /// `id`
    pub id: Bytes32,
    /// `key`
    pub key: Bytes32,
    /// `length`
    pub length: u64,
    /// `media_type`
    pub media_type: Vec<u8>,
}

impl Blob {
    /// §20.3.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let length = self.length.to_be_bytes();
        [&self.id[..], &self.key, &length, &vector(&self.media_type)].concat()
    }

    /// The descriptor with this behind it.
    #[must_use]
    pub fn descriptor(&self, thumbnail: &[u8]) -> Vec<u8> {
        [&[1][..], &self.encode(), thumbnail].concat()
    }
}
