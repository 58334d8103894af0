//! The tree, its proofs, and what checks them.

use subrosa::file::tree::{BlobHasher, RangeVerifier, Shape, TreeHasher};
use subrosa::file::{BlobId, Error};

use crate::op::{Input, Output, Refusal, refused};

type Hash = [u8; 32];

/// A list of hashes.
pub(super) fn hashes(input: &Input<'_>, name: &str) -> Result<Vec<Hash>, Refusal> {
    let invalid = || Refusal::Invalid(format!("{name}: not a list of hashes"));
    let values = input.get(name)?.as_array().ok_or_else(invalid)?;
    let hash = |value: &serde_json::Value| {
        let bytes = hex::decode(value.as_str()?).ok()?;
        Hash::try_from(bytes).ok()
    };
    let hashes = values.iter().map(|value| hash(value).ok_or_else(invalid));
    hashes.collect()
}

/// The same in hex.
pub(super) fn in_hex(hashes: &[Hash]) -> Vec<String> {
    hashes.iter().map(hex::encode).collect()
}

fn fill(leaves: &[Hash]) -> Result<(TreeHasher, Vec<Hash>), Refusal> {
    let mut tree = TreeHasher::new();
    let mut nodes = Vec::new();
    for leaf in leaves {
        nodes.extend_from_slice(tree.push(leaf).map_err(refused)?);
    }
    Ok((tree, nodes))
}

pub(super) fn tree(input: &Input<'_>) -> Result<Output, Refusal> {
    let (tree, nodes) = fill(&hashes(input, "leaves")?)?;
    Ok(Output::new()
        .value("root", tree.root().map(hex::encode))
        .value("nodes", in_hex(&nodes)))
}

pub(super) fn id(input: &Input<'_>) -> Result<Output, Refusal> {
    let (tree, _) = fill(&hashes(input, "leaves")?)?;
    let id = tree.id(&input.array("header")?, input.integer("length")?);
    Ok(Output::new().hex("id", id.map_err(refused)?.as_bytes()))
}

pub(super) fn hash(input: &Input<'_>) -> Result<Output, Refusal> {
    let stored = input.bytes("stored")?;
    let mut rest = stored.as_slice();
    let mut hasher = BlobHasher::new();
    let mut nodes = Vec::new();
    while let Some(completed) = hasher.feed(&mut rest).map_err(refused)? {
        nodes.extend_from_slice(completed);
    }
    let (id, completed) = hasher.finish().map_err(refused)?;
    nodes.extend_from_slice(completed);
    Ok(Output::new()
        .hex("id", id.as_bytes())
        .value("nodes", in_hex(&nodes)))
}

pub(super) fn prove(input: &Input<'_>) -> Result<Output, Refusal> {
    let shape = Shape::new(input.integer("length")?).map_err(refused)?;
    let run = input.integer("from")?..input.integer("to")?;
    let nodes = hashes(input, "nodes")?;
    let proof = subrosa::file::tree::prove(&shape, &run, &input.array("header")?, |node| {
        let place = usize::try_from(node.place()).unwrap_or(usize::MAX);
        nodes.get(place).copied().ok_or(Error::Truncated)
    });
    Ok(Output::new().hex("proof", proof.map_err(refused)?))
}

fn verifier<'a>(input: &Input<'_>, proof: &'a [u8]) -> Result<RangeVerifier<'a>, Refusal> {
    let id = BlobId::from_bytes(input.array("id")?);
    let run = input.integer("from")?..input.integer("to")?;
    RangeVerifier::new(id, input.integer("length")?, run, proof).map_err(refused)
}

pub(super) fn verify(input: &Input<'_>) -> Result<Output, Refusal> {
    let proof = input.bytes("proof")?;
    let mut verifier = verifier(input, &proof)?;
    for leaf in hashes(input, "leaves")? {
        verifier.push(&leaf).map_err(refused)?;
    }
    let verified = verifier.finish().map_err(refused)?;
    Ok(Output::new().hex("header", verified.header()))
}

pub(super) fn verify_bytes(input: &Input<'_>) -> Result<Output, Refusal> {
    let proof = input.bytes("proof")?;
    let mut verifier = verifier(input, &proof)?;
    verifier.feed(&input.bytes("bytes")?).map_err(refused)?;
    let verified = verifier.finish().map_err(refused)?;
    Ok(Output::new().hex("header", verified.header()))
}
