use std::vec;
use std::vec::Vec;

use super::*;
use crate::crypto::hash::sha256;
use crate::crypto::labels;
use crate::file::limits::{CHUNKS_MAX, LEVELS_MAX};
use crate::file::{BlobId, Error, HEADER, SEALED_CHUNK};

const HEAD: [u8; HEADER] = [7; HEADER];

/// Bytes of a blob with so many leaves, the last of which has `last`.
fn stored_len(leaves: u64, last: u64) -> u64 {
    HEADER as u64 + (leaves - 1) * SEALED_CHUNK as u64 + last
}

fn hashes(leaves: u64) -> Vec<Hash> {
    let leaves = 0..leaves;
    leaves.map(|leaf| sha256(&[&leaf.to_be_bytes()])).collect()
}

/// MTH of RFC 6962 §2.1, over leaves that are hashed already.
fn root(leaves: &[Hash]) -> Hash {
    if let [leaf] = leaves {
        return *leaf;
    }
    let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
    sha256(&[&[1], &root(left), &root(right)])
}

fn id(leaves: &[Hash], stored_len: u64) -> BlobId {
    let parts: [&[u8]; 4] = [
        b"subrosa/1 blob\0",
        &stored_len.to_be_bytes(),
        &HEAD,
        &root(leaves),
    ];
    BlobId::from_bytes(sha256(&parts))
}

/// The tree over these leaves, and its nodes in the order in which they were completed.
fn tree(leaves: &[Hash]) -> (TreeHasher, Vec<Hash>) {
    let mut tree = TreeHasher::new();
    let mut nodes = Vec::new();
    for leaf in leaves {
        nodes.extend_from_slice(tree.push(leaf).unwrap());
    }
    (tree, nodes)
}

fn proof(shape: &Shape, run: &core::ops::Range<u64>, nodes: &[Hash]) -> Result<Vec<u8>, Error> {
    prove(shape, run, &HEAD, |node| {
        let hash = nodes.get(node.place() as usize);
        hash.copied().ok_or(Error::OutOfRange)
    })
}

fn verify(
    id: BlobId,
    length: u64,
    run: core::ops::Range<u64>,
    leaves: &[Hash],
    proof: &[u8],
) -> Result<Verified, Error> {
    let mut verifier = RangeVerifier::new(id, length, run, proof)?;
    for leaf in leaves {
        verifier.push(leaf)?;
    }
    verifier.finish()
}

#[test]
fn roots_are_those_of_rfc_6962() {
    assert_eq!(TreeHasher::new().root(), None);
    for count in 1..=200 {
        let leaves = hashes(count);
        let (tree, nodes) = tree(&leaves);
        assert_eq!(tree.leaves(), count);
        assert_eq!(tree.root(), Some(root(&leaves)));
        assert_eq!(nodes.len() as u64, stored_nodes(count));
        // Each is stored where it is looked for.
        let mut places = 0;
        for level in 0..8 {
            for index in 0..count >> level {
                let below = (index as usize) << level..(index as usize + 1) << level;
                let node = Node { level, index };
                assert_eq!(nodes[node.place() as usize], root(&leaves[below]));
                places += 1;
            }
        }
        assert_eq!(places, nodes.len());
        let length = stored_len(count, 16);
        assert_eq!(tree.id(&HEAD, length), Ok(id(&leaves, length)));
        assert_eq!(tree.id(&HEAD, length - 1), Err(Error::Truncated));
        let longer = stored_len(count + 1, 16);
        assert_eq!(tree.id(&HEAD, longer), Err(Error::Truncated));
        if count > 1 {
            let shorter = stored_len(count - 1, 16);
            assert_eq!(tree.id(&HEAD, shorter), Err(Error::TooLong));
        }
    }
    let short = stored_len(1, 16);
    assert_eq!(TreeHasher::new().id(&HEAD, short), Err(Error::Truncated));
    assert_eq!(labels::BLOB, b"subrosa/1 blob\0");
}

/// Leaves and inner nodes are hashed behind different bytes, so that none passes for the other.
#[test]
fn leaves_are_no_inner_nodes() {
    let pair = [[1; 32], [2; 32]].concat();
    let inner = root(&[[1; 32], [2; 32]]);
    assert_ne!(leaf_hash(&pair), inner);
    assert_eq!(leaf_hash(&pair), sha256(&[&[0], &pair]));
    let (tree, _) = tree(&[[1; 32], [2; 32]]);
    assert_eq!(tree.root(), Some(inner));
}

/// Every run of leaves of every tree: its proof holds, and none that was changed does.
#[test]
fn attack_f5_every_run_of_every_tree() {
    for count in 1..=70u64 {
        let leaves = hashes(count);
        let (_, nodes) = tree(&leaves);
        let length = stored_len(count, 16);
        let id = id(&leaves, length);
        let shape = Shape::new(length).unwrap();
        for start in 0..count {
            for end in start + 1..=count {
                let run = start..end;
                let inside = &leaves[start as usize..end as usize];
                let proof = proof(&shape, &run, &nodes).unwrap();
                assert_eq!(proof_len(&shape, &run), Ok(proof.len()));
                let verified = verify(id, length, run.clone(), inside, &proof).unwrap();
                assert_eq!(verified.header(), &HEAD);
                assert_eq!(verified.leaves(), &run);
                // A bit of the header or of one of the nodes, in turn.
                let mut altered = proof.clone();
                let place = (start * 71 + end * 13) as usize % proof.len();
                altered[place] ^= 1;
                let refused = verify(id, length, run.clone(), inside, &altered);
                assert_eq!(refused, Err(Error::Proof));
                // A leaf of another place.
                let mut altered = inside.to_vec();
                altered[(end - start) as usize / 2][31] ^= 1;
                let refused = verify(id, length, run.clone(), &altered, &proof);
                assert_eq!(refused, Err(Error::Proof));
                altered.pop();
                let refused = verify(id, length, run.clone(), &altered, &proof);
                assert_eq!(refused, Err(Error::Truncated));
                // Another length with as many leaves.
                let refused = verify(id, length + 1, run.clone(), inside, &proof);
                assert_eq!(refused, Err(Error::Proof));
                for length in [proof.len() - 1, proof.len() - 32, HEADER - 1, 0] {
                    let refused = verify(
                        id,
                        stored_len(count, 16),
                        run.clone(),
                        inside,
                        &proof[..length],
                    );
                    assert_eq!(refused, Err(Error::Proof));
                }
                let longer = [&proof[..], &[0; 32]].concat();
                let refused = verify(id, length, run, inside, &longer);
                assert_eq!(refused, Err(Error::Proof));
            }
        }
    }
}

/// The proof of one run is none of another run, wherever its length would do.
#[test]
fn attack_f5_another_run_of_the_same_length() {
    let count = 21;
    let leaves = hashes(count);
    let (_, nodes) = tree(&leaves);
    let length = stored_len(count, 16);
    let id = id(&leaves, length);
    let shape = Shape::new(length).unwrap();
    let runs = (0..count).flat_map(|start| (start + 1..=count).map(move |end| start..end));
    let runs: Vec<_> = runs.collect();
    let mut tried = 0;
    for run in &runs {
        let proof = proof(&shape, run, &nodes).unwrap();
        let inside = &leaves[run.start as usize..run.end as usize];
        for other in runs.iter().filter(|other| *other != run) {
            let refused = verify(id, length, other.clone(), inside, &proof);
            assert!(refused.is_err(), "{run:?} {other:?}");
            tried += u64::from(refused == Err(Error::Proof));
        }
    }
    assert!(tried > 40_000);
}

#[test]
fn runs_that_no_blob_has() {
    let shape = Shape::new(stored_len(5, 100)).unwrap();
    let backwards = core::ops::Range { start: 4, end: 3 };
    for run in [0..0, 3..3, 5..6, 0..6, backwards, u64::MAX - 1..u64::MAX] {
        assert_eq!(shape.place(&run), Err(Error::OutOfRange));
        assert_eq!(proof_len(&shape, &run), Err(Error::OutOfRange));
        assert_eq!(proof(&shape, &run, &[]), Err(Error::OutOfRange));
        let refused = verify(
            BlobId::from_bytes([0; 32]),
            stored_len(5, 100),
            run,
            &[],
            &[],
        );
        assert_eq!(refused, Err(Error::OutOfRange));
    }
    for (length, error) in [
        (0, Error::Truncated),
        (71, Error::Truncated),
        (stored_len(2, 15), Error::Truncated),
        (u64::MAX - 1, Error::TooLong),
    ] {
        assert_eq!(Shape::new(length), Err(error));
        let refused = verify(BlobId::from_bytes([0; 32]), length, 0..1, &[], &[]);
        assert_eq!(refused, Err(error));
    }
    let all = stored_len(5, 100);
    assert_eq!(shape.place(&(0..5)), Ok(56..all));
    assert_eq!(shape.place(&(1..3)), Ok(16_456..49_256));
    assert_eq!((shape.leaves(), shape.stored_len()), (5, all));
}

/// Of the longest blob, too: nobody needs it to check a piece of it.
#[test]
fn the_longest_blob_has_short_proofs() {
    let longest = stored_len(CHUNKS_MAX, 16_399);
    let shape = Shape::new(longest).unwrap();
    assert_eq!(shape.leaves(), CHUNKS_MAX);
    for start in [0, 1, CHUNKS_MAX / 3, CHUNKS_MAX - 1] {
        let nodes = ProofNodes::new(&shape, &(start..start + 1)).unwrap();
        assert_eq!(nodes.count(), LEVELS_MAX as usize);
    }
    let odd = Shape::new(stored_len(CHUNKS_MAX - 1, 16)).unwrap();
    let runs = [0..1, CHUNKS_MAX / 2 - 1..CHUNKS_MAX / 2, 1..CHUNKS_MAX - 2];
    for run in runs {
        let nodes: Vec<Node> = ProofNodes::new(&odd, &run).unwrap().collect();
        assert!(nodes.len() <= 2 * LEVELS_MAX as usize);
        // With the run they are all leaves, each once.
        let leaves: u64 = nodes.iter().map(|node| 1 << node.level).sum();
        assert_eq!(leaves + run.end - run.start, CHUNKS_MAX - 1);
    }
    let mut tree = TreeHasher::new();
    assert_eq!(tree.push_node(LEVELS_MAX, &[1; 32]), Ok(()));
    assert!(tree.id(&HEAD, longest).is_ok());
    assert_eq!(tree.push(&[1; 32]), Err(Error::TooLong));
    let root = Node {
        level: LEVELS_MAX,
        index: 0,
    };
    assert_eq!(root.place() + 1, stored_nodes(CHUNKS_MAX));
}

/// A blob of so many bytes that are not sealed: the tree asks for no key.
fn blob(length: usize) -> Vec<u8> {
    let bytes = (0..length).map(|place| (place / 5 % 253) as u8);
    bytes.collect()
}

#[test]
fn bytes_in_pieces_of_any_length() {
    for length in [
        72,
        73,
        16_455,
        16_472,
        40_000,
        2 * 16_400 + 56 + 16,
        100_000,
    ] {
        let blob = blob(length);
        let chunks: Vec<&[u8]> = blob[HEADER..].chunks(SEALED_CHUNK).collect();
        let leaves: Vec<Hash> = chunks.iter().map(|chunk| leaf_hash(chunk)).collect();
        let mut tree = TreeHasher::new();
        let mut wanted = Vec::new();
        for leaf in &leaves {
            wanted.extend_from_slice(tree.push(leaf).unwrap());
        }
        let header = blob.first_chunk().unwrap();
        let id = tree.id(header, length as u64).unwrap();
        let shape = Shape::new(length as u64).unwrap();
        for piece in [1, 57, SEALED_CHUNK, usize::MAX >> 1] {
            let mut hasher = BlobHasher::new();
            let mut nodes = Vec::new();
            for mut piece in blob.chunks(piece) {
                while let Some(completed) = hasher.feed(&mut piece).unwrap() {
                    nodes.extend_from_slice(completed);
                }
                assert!(piece.is_empty());
            }
            let (found, completed) = hasher.finish().unwrap();
            nodes.extend_from_slice(completed);
            assert_eq!((found, &nodes), (id, &wanted));
            for start in 0..shape.leaves() {
                for end in start + 1..=shape.leaves() {
                    let run = start..end;
                    let place = shape.place(&run).unwrap();
                    let bytes = &blob[place.start as usize..place.end as usize];
                    let proof = prove(&shape, &run, header, |node| {
                        Ok::<_, Error>(nodes[node.place() as usize])
                    });
                    let proof = proof.unwrap();
                    let verifier =
                        || RangeVerifier::new(id, length as u64, start..end, &proof).unwrap();
                    let mut whole = verifier();
                    for piece in bytes.chunks(piece) {
                        whole.feed(piece).unwrap();
                    }
                    assert_eq!(whole.feed(&[0]), Err(Error::Ended));
                    assert_eq!(whole.push(&[0; 32]), Err(Error::Ended));
                    assert!(whole.finish().is_ok());
                    let mut short = verifier();
                    short.feed(&bytes[..bytes.len() - 1]).unwrap();
                    if bytes.len() % SEALED_CHUNK != 1 {
                        assert_eq!(short.push(&leaves[0]), Err(Error::Truncated));
                    }
                    assert_eq!(short.finish().err(), Some(Error::Truncated));
                    let mut altered = bytes.to_vec();
                    altered[bytes.len() / 2] ^= 0x20;
                    let mut other = verifier();
                    other.feed(&altered).unwrap();
                    assert_eq!(other.finish().err(), Some(Error::Proof));
                }
            }
        }
    }
}

#[test]
fn bytes_that_are_no_blob() {
    for length in [0, 1, 56, 71, 56 + SEALED_CHUNK, 56 + SEALED_CHUNK + 15] {
        let bytes = vec![0; length];
        let mut hasher = BlobHasher::new();
        let mut rest = &bytes[..];
        while hasher.feed(&mut rest).unwrap().is_some() {}
        assert_eq!(hasher.finish().err(), Some(Error::Truncated), "{length}");
    }
}
