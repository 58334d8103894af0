//! Targets `descriptor`, `blob_proof` and `blob_chunks`: what leads to a blob, what proves a piece of it, and the blob
//! itself from a server that gives whatever it likes.

use std::sync::OnceLock;

use subrosa::crypto::Secret;
use subrosa::file::tree::{Hash, Node, RangeVerifier, Shape, TreeHasher, prove};
use subrosa::file::{
    Blob, BlobId, BlobSealer, Descriptor, Error, FileKey, HEADER, Inline, MediaType, Opener,
    SEALED_CHUNK, SealedChunk, Thumbnail,
};
use subrosa::hazmat;

use super::script::Script;

/// What is accepted is the one encoding of what it says.
pub fn descriptor(data: &[u8]) {
    if let Ok(descriptor) = Descriptor::parse(data) {
        assert_eq!(*descriptor.to_bytes().unwrap(), data);
        let blob = &descriptor.blob;
        let offered = blob.admit(|offer| offer.stored_len == blob.stored_len());
        assert!(offered.is_ok());
    }
}

/// A tree, a run, and what is done to the proof and to the leaves: it holds if that was nothing, and else never.
pub fn blob_proof(data: &[u8]) {
    anything(data);
    let mut script = Script::new(data);
    let count = 1 + script.below(70) as u64;
    let start = script.below(count as usize) as u64;
    let end = start + 1 + script.below((count - start) as usize) as u64;
    let mut leaves: Vec<Hash> = (0..count).map(|leaf| [leaf as u8; 32]).collect();
    let (mut tree, mut nodes) = (TreeHasher::new(), Vec::new());
    for leaf in &leaves {
        nodes.extend_from_slice(tree.push(leaf).unwrap());
    }
    let header = [5; HEADER];
    let length = (HEADER + 16) as u64 + (count - 1) * SEALED_CHUNK as u64;
    let id = tree.id(&header, length).unwrap();
    let shape = Shape::new(length).unwrap();
    let node = |node: Node| Ok::<_, Error>(nodes[node.place() as usize]);
    let mut proof = prove(&shape, &(start..end), &header, node).unwrap();
    let genuine = (leaves.clone(), proof.clone(), start..end, length);
    let (mut run, mut said) = (start..end, length);
    for edit in script.rest().chunks_exact(3) {
        let value = edit[2];
        match edit[0] % 6 {
            0 => {
                let place = usize::from(edit[1]) * 5 % proof.len().max(1);
                if let Some(byte) = proof.get_mut(place) {
                    *byte ^= value;
                }
            }
            1 => leaves[usize::from(edit[1]) % count as usize][3] ^= value,
            2 => proof.truncate(proof.len().saturating_sub(usize::from(value))),
            3 => proof.extend_from_slice(&[value; 32]),
            4 => run = u64::from(edit[1])..u64::from(value),
            _ => said = said.wrapping_add(u64::from(value)),
        }
    }
    let inside = leaves.iter().skip(run.start as usize);
    let inside = inside.take(run.end.saturating_sub(run.start) as usize);
    let verified = RangeVerifier::new(id, said, run.clone(), &proof).and_then(|mut verifier| {
        for leaf in inside {
            verifier.push(leaf)?;
        }
        verifier.finish()
    });
    // Leaves outside of the run are in the proof, whatever was done to them here.
    let kept = run == genuine.2 && {
        let run = run.start as usize..run.end as usize;
        leaves[run.clone()] == genuine.0[run]
    };
    let unchanged = kept && proof == genuine.1 && said == genuine.3;
    assert_eq!(verified.is_ok(), unchanged);
}

/// An id that nothing hashes to.
fn anything(data: &[u8]) {
    let Some((numbers, proof)) = data.split_at_checked(24) else {
        return;
    };
    let number = |place: usize| {
        let bytes: [u8; 8] = numbers[place..place + 8].try_into().unwrap();
        u64::from_be_bytes(bytes)
    };
    let run = number(8)..number(16);
    let id = BlobId::from_bytes([0x77; 32]);
    if let Ok(mut verifier) = RangeVerifier::new(id, number(0), run, proof) {
        let fed = verifier.feed(data);
        assert!(matches!(fed, Ok(()) | Err(Error::Ended)));
        assert!(verifier.finish().is_err());
    }
}

struct Fixture {
    blob: Blob,
    text: Vec<u8>,
    stored: Vec<u8>,
    /// Another blob, of the same length.
    foreign: Vec<u8>,
}

fn make(number: u8, text: &[u8]) -> (Blob, Vec<u8>) {
    let media_type = MediaType::new("video/mp4").unwrap();
    let mut sealer = BlobSealer::new(hazmat::file::record(media_type, b"", [number; 32]));
    let mut stored = Vec::new();
    let mut take = |chunk: SealedChunk<'_>| {
        stored.extend_from_slice(chunk.header());
        stored.extend_from_slice(chunk.bytes());
    };
    let mut rest = text;
    while let Some(chunk) = sealer.feed(&mut rest).unwrap() {
        take(chunk);
    }
    while let Some(chunk) = sealer.finish().unwrap() {
        take(chunk);
    }
    (sealer.blob().unwrap(), stored)
}

fn fixture() -> &'static Fixture {
    static FIXTURE: OnceLock<Fixture> = OnceLock::new();
    FIXTURE.get_or_init(|| {
        let text: Vec<u8> = (0..33_000u32).map(|place| (place / 7) as u8).collect();
        let (blob, stored) = make(1, &text);
        let (_, foreign) = make(2, &text);
        Fixture {
            blob,
            text,
            stored,
            foreign,
        }
    })
}

/// Chunks in any order, altered, cut, foreign: what is given out is the front of the text, and all of it only from the bytes
/// that were sealed.
pub fn blob_chunks(data: &[u8]) {
    let fixture = fixture();
    let mut script = Script::new(data);
    let piece = 1 + script.below(256) * 200;
    let mut stored = Vec::new();
    let chunk = |of: &'static [u8], number: u8| -> &'static [u8] {
        let (header, body) = of.split_at(HEADER);
        match usize::from(number % 4).checked_sub(1) {
            None => header,
            Some(number) => body.chunks(SEALED_CHUNK).nth(number).unwrap_or_default(),
        }
    };
    for part in script.rest().chunks_exact(3).take(8) {
        match part[0] % 5 {
            0 | 1 => stored.extend_from_slice(chunk(&fixture.stored, part[1])),
            2 => stored.extend_from_slice(chunk(&fixture.foreign, part[1])),
            3 => {
                let place = usize::from(part[1]) * 193;
                if let Some(byte) = stored.get_mut(place) {
                    *byte ^= part[2];
                }
            }
            _ => stored.truncate(stored.len().saturating_sub(usize::from(part[1]) * 67)),
        }
    }
    let genuine = stored == fixture.stored;
    let mut given = Vec::new();
    let mut opener = fixture.blob.admit(|_| true).unwrap().opener();
    let result = stored.chunks(piece).try_for_each(|mut piece| {
        while let Some(text) = opener.feed(&mut piece)? {
            given.extend_from_slice(text);
        }
        Ok::<_, Error>(())
    });
    let result = result.and_then(|()| {
        given.extend_from_slice(opener.finish()?);
        Ok(())
    });
    assert!(fixture.text.starts_with(&given));
    assert_eq!(result.is_ok(), genuine);
    assert_eq!(given.len() == fixture.text.len(), genuine);

    // The same without an id: the length and the padding are those of the file.
    let fetch = fixture.blob.admit(|_| true).unwrap();
    let key = FileKey::from_bytes(Secret::new(*fetch.key().expose()));
    let mut opener = Opener::new(key, b"subrosa/1 blob\0");
    let mut rest = &stored[..];
    let mut length = 0;
    let result = loop {
        match opener.feed(&mut rest) {
            Ok(Some(text)) => length += text.len(),
            Ok(None) => break opener.finish().map(<[u8]>::len),
            Err(error) => break Err(error),
        }
    };
    assert_eq!(result.is_ok(), genuine);
    assert!(length < fixture.stored.len());
}

pub fn descriptors() -> Vec<Vec<u8>> {
    let webp = MediaType::new("image/webp").unwrap();
    let thumbnails = [
        Thumbnail::None,
        Thumbnail::Inline(Inline::new(webp, b"picture").unwrap()),
        Thumbnail::Blob(make(3, b"picture").0),
    ];
    let mut seeds: Vec<Vec<u8>> = Vec::new();
    for thumbnail in thumbnails {
        let descriptor = Descriptor {
            blob: make(1, b"film").0,
            thumbnail,
        };
        seeds.push(descriptor.to_bytes().unwrap().to_vec());
    }
    let mut newer = seeds[0].clone();
    newer[0] = 2;
    let cut = seeds[1][..90].to_vec();
    seeds.extend([newer, cut]);
    seeds
}

pub fn proofs() -> Vec<Vec<u8>> {
    let mut seeds = vec![
        vec![0, 0, 0],
        vec![6, 2, 1],
        vec![69, 13, 40],
        vec![6, 2, 1, 0, 12, 1],
        vec![6, 2, 1, 1, 2, 1],
        vec![6, 2, 1, 1, 5, 1],
        vec![6, 2, 1, 2, 0, 32],
        vec![6, 2, 1, 3, 0, 9],
        vec![6, 2, 1, 4, 3, 5],
        vec![6, 2, 1, 5, 0, 1],
    ];
    // Of a blob of three chunks, the second one.
    let numbers = [(HEADER + 16 + 2 * SEALED_CHUNK) as u64, 1, 2].map(u64::to_be_bytes);
    seeds.push([numbers.concat(), vec![1; HEADER + 64]].concat());
    seeds
}

pub fn chunks() -> Vec<Vec<u8>> {
    let all = [0, 0, 0, 0, 1, 0, 0, 2, 0, 0, 3, 0];
    let with = |piece: u8, more: &[u8]| [&[piece], &all[..], more].concat();
    vec![
        with(100, &[]),
        with(3, &[]),
        with(100, &[3, 60, 1]),
        with(100, &[4, 1, 0]),
        with(100, &[4, 250, 0]),
        with(100, &[0, 3, 0]),
        vec![90, 0, 0, 0, 0, 2, 0, 0, 1, 0, 0, 3, 0],
        vec![90, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 2, 0, 0, 3, 0],
        vec![90, 0, 0, 0, 2, 1, 0, 0, 2, 0, 0, 3, 0],
        vec![90, 2, 0, 0, 0, 1, 0, 0, 2, 0, 0, 3, 0],
        vec![90, 0, 0, 0],
    ]
}
