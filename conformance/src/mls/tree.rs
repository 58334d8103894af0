//! Trees (RFC 9420 §§4, 7, 12.4.3.3, Appendix C).

use std::path::Path;

use serde::Deserialize;
use subrosa::mls::hazmat::{Tree, TreeKeys};
use subrosa::mls::{CipherSuite, Extensions, GroupContext, LeafIndex, NodeIndex, TreeSize};

use super::basics::signer;
use super::{Check, Hex, at, each, equal, same};
use crate::report::FileReport;

#[derive(Deserialize)]
struct Math {
    n_leaves: u32,
    n_nodes: u32,
    root: u32,
    left: Vec<Option<u32>>,
    right: Vec<Option<u32>>,
    parent: Vec<Option<u32>>,
    sibling: Vec<Option<u32>>,
}

pub(super) fn math(path: &Path) -> FileReport {
    each(
        path,
        |_| None,
        |case: &Math| {
            let size = TreeSize::for_leaves(case.n_leaves).ok_or("no tree has so many leaves")?;
            same("leaves", size.leaves(), case.n_leaves)?;
            same("nodes", size.nodes(), case.n_nodes)?;
            same("root", size.root(), NodeIndex(case.root))?;
            let nodes = (0u32..case.n_nodes).map(NodeIndex);
            for ((((node, left), right), parent), sibling) in nodes
                .zip(&case.left)
                .zip(&case.right)
                .zip(&case.parent)
                .zip(&case.sibling)
            {
                let place = format!("node {}", node.0);
                let children = node.children().unzip();
                same(&place, children.0, left.map(NodeIndex))?;
                same(&place, children.1, right.map(NodeIndex))?;
                same(&place, size.parent(node), parent.map(NodeIndex))?;
                same(&place, size.sibling(node), sibling.map(NodeIndex))?;
            }
            let lists = [&case.left, &case.right, &case.parent, &case.sibling];
            let nodes = usize::try_from(case.n_nodes).map_err(|error| error.to_string())?;
            same("lists", lists.map(Vec::len), [nodes; 4])
        },
    )
}

#[derive(Deserialize)]
struct Operation {
    cipher_suite: u16,
    proposal: Hex,
    proposal_sender: u32,
    tree_before: Hex,
    tree_after: Hex,
    tree_hash_before: Hex,
    tree_hash_after: Hex,
}

pub(super) fn operations(path: &Path) -> FileReport {
    each(
        path,
        |case: &Operation| Some(case.cipher_suite),
        |case| {
            let mut tree = Tree::decode(&case.tree_before).map_err(at("tree_before"))?;
            let before = tree.clone();
            let hash = tree.hash().map_err(at("hash"))?;
            equal("tree_hash_before", &hash, &case.tree_hash_before)?;
            tree.apply(&case.proposal, LeafIndex(case.proposal_sender))
                .map_err(at("proposal"))?;
            let after = tree.encode().map_err(at("encode"))?;
            equal("tree_after", &after, &case.tree_after)?;
            let hash = tree.hash().map_err(at("hash"))?;
            equal("tree_hash_after", &hash, &case.tree_hash_after)?;
            let unchanged = before.encode().map_err(at("encode"))?;
            equal("the tree it was copied from", &unchanged, &case.tree_before)
        },
    )
}

#[derive(Deserialize)]
struct Validation {
    cipher_suite: u16,
    tree: Hex,
    group_id: Hex,
    tree_hashes: Vec<Hex>,
    resolutions: Vec<Vec<u32>>,
}

pub(super) fn validation(path: &Path) -> FileReport {
    each(
        path,
        |case: &Validation| Some(case.cipher_suite),
        |case| {
            let mut tree = Tree::decode(&case.tree).map_err(at("tree"))?;
            let resolutions: Vec<Vec<u32>> = tree
                .resolutions()
                .iter()
                .map(|nodes| nodes.iter().map(|node| node.0).collect())
                .collect();
            same("resolutions", &resolutions, &case.resolutions)?;
            let hashes = tree.hashes().map_err(at("hashes"))?;
            let hashes: Vec<_> = hashes.iter().map(hex::encode).collect();
            let expected: Vec<_> = case
                .tree_hashes
                .iter()
                .map(|hash| hex::encode(&hash.0))
                .collect();
            same("tree_hashes", hashes, expected)?;
            let suite = CipherSuite(case.cipher_suite);
            tree.verify(suite, &case.group_id).map_err(at("verify"))?;
            let again = tree.encode().map_err(at("encode"))?;
            equal("tree", &again, &case.tree)
        },
    )
}

#[derive(Deserialize)]
struct TreeKem {
    cipher_suite: u16,
    group_id: Hex,
    epoch: u64,
    confirmed_transcript_hash: Hex,
    ratchet_tree: Hex,
    leaves_private: Vec<LeafPrivate>,
    update_paths: Vec<PathOf>,
}

#[derive(Deserialize)]
struct LeafPrivate {
    index: u32,
    encryption_priv: Hex,
    signature_priv: Hex,
    path_secrets: Vec<PathSecret>,
}

#[derive(Deserialize)]
struct PathSecret {
    node: u32,
    path_secret: Hex,
}

#[derive(Deserialize)]
struct PathOf {
    sender: u32,
    update_path: Hex,
    path_secrets: Vec<Option<Hex>>,
    commit_secret: Hex,
    tree_hash_after: Hex,
}

pub(super) fn treekem(path: &Path) -> FileReport {
    each(
        path,
        |case: &TreeKem| Some(case.cipher_suite),
        check_treekem,
    )
}

fn check_treekem(case: &TreeKem) -> Check {
    let suite = CipherSuite(case.cipher_suite);
    let tree = Tree::decode(&case.ratchet_tree).map_err(at("ratchet_tree"))?;
    let context = GroupContext {
        cipher_suite: suite,
        group_id: case.group_id.0.clone(),
        epoch: case.epoch,
        tree_hash: Vec::new(),
        confirmed_transcript_hash: case.confirmed_transcript_hash.0.clone(),
        extensions: Extensions::new(),
    };
    let mut members = Vec::new();
    for own in &case.leaves_private {
        let secrets: Vec<_> = own
            .path_secrets
            .iter()
            .map(|one| (NodeIndex(one.node), one.path_secret.0.clone()))
            .collect();
        let leaf = LeafIndex(own.index);
        let keys = TreeKeys::new(suite, &tree, leaf, &own.encryption_priv, &secrets)
            .map_err(at("private keys"))?;
        members.push((leaf, keys, signer(suite, &own.signature_priv)?));
    }
    same("members", members.len(), tree.members().len())?;
    for path in &case.update_paths {
        let sender = LeafIndex(path.sender);
        let mut after = tree.clone();
        let hash = after
            .apply_path(sender, &path.update_path)
            .map_err(at("update_path"))?;
        equal("tree_hash_after", &hash, &path.tree_hash_after)?;
        for (leaf, keys, _) in members.iter().filter(|(leaf, ..)| *leaf != sender) {
            let place = format!("path of {}, leaf {}", sender.0, leaf.0);
            let (secret, commit_secret) = keys
                .take(&mut after, &context, sender, &path.update_path)
                .map_err(at(&place))?;
            let index = usize::try_from(leaf.0).map_err(|error| error.to_string())?;
            let expected = path.path_secrets.get(index).and_then(Option::as_ref);
            let expected = expected.ok_or_else(|| format!("{place}: no path secret"))?;
            equal(&place, &secret, expected)?;
            equal(&place, &commit_secret, &path.commit_secret)?;
        }
        let own = members.iter().find(|(leaf, ..)| *leaf == sender);
        let (_, _, signer) = own.ok_or("the sender has no keys")?;
        let mut after = tree.clone();
        let (new, commit_secret) = after
            .make_path(&context, sender, signer, [case.epoch.to_be_bytes()[7]; 32])
            .map_err(at("a new path"))?;
        let mut applied = tree.clone();
        let hash = applied.apply_path(sender, &new).map_err(at("a new path"))?;
        equal(
            "hash of a new path",
            &hash,
            &after.hash().map_err(at("hash"))?,
        )?;
        for (leaf, keys, _) in members.iter().filter(|(leaf, ..)| *leaf != sender) {
            let place = format!("new path of {}, leaf {}", sender.0, leaf.0);
            let (_, taken) = keys
                .take(&mut applied, &context, sender, &new)
                .map_err(at(&place))?;
            equal(&place, &taken, &commit_secret)?;
        }
    }
    Ok(())
}
