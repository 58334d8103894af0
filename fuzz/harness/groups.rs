//! Targets `mls_…`: every decoder of groups, beside its form from RFC 9420 written down a second time, and ratchet trees that
//! change, beside trees that are read anew.

use subrosa::crypto::hash::sha256;
use subrosa::mls::hazmat::{Structure, Tree, TreeNode, read_nodes, recode, write_nodes};
use subrosa::mls::{CipherSuite, Error, LeafIndex, Message};
use subrosa::wire::Writer;

use super::group_fixture::fixture;
use super::script::Script;

#[path = "groups/grammar.rs"]
mod grammar;

/// A message: accepted if it is one, and written again as it was.
pub fn mls_message(data: &[u8]) {
    let expected = match data {
        [] | [_] => Err(Error::Malformed),
        [0, 1, ..] if grammar::is(grammar::message, data) => Ok(data.to_vec()),
        [0, 1, ..] => Err(Error::Malformed),
        _ => Err(Error::UnsupportedVersion),
    };
    let decoded = Message::decode(data);
    let again = decoded.and_then(|message| message.encode());
    assert_eq!(again, expected);
}

/// Each structure that is no message, by the first byte.
pub fn mls_structure(data: &[u8]) {
    let Some((choice, data)) = data.split_first() else {
        return;
    };
    let (structure, form) = STRUCTURES[usize::from(*choice) % STRUCTURES.len()];
    let again = recode(structure, data);
    let again = again.as_ref().map(|bytes| bytes.as_slice());
    match grammar::is(form, data) {
        true => assert_eq!(again, Ok(data), "{structure:?}"),
        false => assert_eq!(again, Err(&Error::Malformed), "{structure:?}"),
    }
}

type Form = fn(&mut grammar::Fields<'_>) -> Option<()>;

const STRUCTURES: [(Structure, Form); 13] = [
    (Structure::KeyPackage, grammar::key_package),
    (Structure::GroupInfo, grammar::group_info),
    (Structure::Welcome, grammar::welcome),
    (Structure::GroupSecrets, grammar::group_secrets),
    (Structure::Commit, grammar::commit),
    (Structure::RatchetTree, grammar::ratchet_tree),
    (Structure::Add, grammar::add),
    (Structure::Update, grammar::update),
    (Structure::Remove, grammar::remove),
    (Structure::PreSharedKey, grammar::pre_shared_key),
    (Structure::ReInit, grammar::reinit),
    (Structure::ExternalInit, grammar::external_init),
    (
        Structure::GroupContextExtensions,
        grammar::group_context_extensions,
    ),
];

/// Up to eight changes of a tree, then the tree: one of the fixture's, or the fuzzer's own.
pub fn mls_tree(data: &[u8]) {
    let mut script = Script::new(data);
    let suite = CipherSuite::ALL[script.below(3)];
    let fixture = fixture(suite);
    let mut changes = Vec::new();
    for _ in 0..script.below(9) {
        changes.push((script.u8(), script.u8()));
    }
    let genuine: Vec<&[u8]> = fixture.trees.iter().map(Vec::as_slice).collect();
    let bytes = script.message(&genuine);
    let decoded = Tree::decode(&bytes);
    let whole = grammar::is(grammar::ratchet_tree, &bytes);
    let mut tree = match decoded {
        Ok(tree) => tree,
        Err(error) => {
            assert_eq!(whole, error != Error::Malformed, "{error:?}");
            return;
        }
    };
    assert!(whole);
    assert_eq!(tree.encode().unwrap(), bytes);
    let nodes = read_nodes(&bytes).unwrap();
    assert_eq!(write_nodes(&nodes).unwrap(), bytes);
    // Whatever it says of it.
    let valid = tree.verify(suite, fixture.group_id);
    let mut changed = tree.clone();
    for (kind, place) in changes {
        let members = changed.members();
        let leaf = match members.get(usize::from(place) % members.len().max(1)) {
            Some(leaf) if kind < 200 => *leaf,
            _ => LeafIndex(u32::from(place)),
        };
        let mut next = changed.clone();
        let result = match kind % 3 {
            0 => next.apply(&fixture.remove(leaf), leaf),
            1 => next.apply(&fixture.add(place), leaf),
            _ => next.apply(&fixture.update(place), leaf),
        };
        if result.is_ok() && !next.members().is_empty() {
            // The hashes of some of the copies are known when they change.
            if kind.is_multiple_of(2) {
                next.hash().unwrap();
            }
            changed = next;
        }
    }
    same_as_anew(&mut changed);
    // The one that they were made of knows nothing of it.
    same_as_anew(&mut tree);
    if bytes == fixture.trees[0] {
        assert_eq!(valid, Ok(()));
    }
}

/// What is kept beside the nodes is what it would be if the tree was read anew, and what RFC 9420 says.
fn same_as_anew(tree: &mut Tree) {
    let bytes = tree.encode().unwrap();
    let Ok(mut anew) = Tree::decode(&bytes) else {
        panic!("a tree that was written is not read");
    };
    assert_eq!(anew.encode().unwrap(), bytes);
    let hash = tree.hash().unwrap();
    assert_eq!(anew.hash().unwrap(), hash);
    assert_eq!(anew.hashes().unwrap(), tree.hashes().unwrap());
    assert_eq!(anew.resolutions(), tree.resolutions());
    assert_eq!(anew.members(), tree.members());
    let nodes = read_nodes(&bytes).unwrap();
    let leaves = (nodes.len() as u32 / 2 + 1).next_power_of_two();
    assert_eq!(tree_hash(&nodes, leaves - 1, leaves / 2), hash);
}

/// RFC 9420 §7.8, by its definition: the hash of a node, whose children are so far away (none from a leaf).
fn tree_hash(nodes: &[TreeNode], node: u32, distance: u32) -> [u8; 32] {
    let blank = TreeNode::Blank;
    let held = nodes.get(node as usize).unwrap_or(&blank);
    let mut writer = Writer::new();
    if node.is_multiple_of(2) {
        writer.u8(1).u32(node / 2);
    } else {
        writer.u8(2);
    }
    // `optional<Node>` without its type.
    let encoded = write_nodes(std::slice::from_ref(held)).unwrap();
    let header = match encoded[0] >> 6 {
        0 => 1,
        1 => 2,
        _ => 4,
    };
    match held {
        TreeNode::Blank => writer.u8(0),
        _ => writer.u8(1).bytes(&encoded[header + 2..]),
    };
    if node % 2 == 1 {
        for child in [node - distance, node + distance] {
            let hash = tree_hash(nodes, child, distance / 2);
            writer.vector(&hash).unwrap();
        }
    }
    sha256(&[writer.as_bytes()])
}

/// Messages of every kind, of two suites.
pub fn messages() -> Vec<Vec<u8>> {
    let of = |suite| fixture(suite).messages.clone();
    let mut seeds = of(CipherSuite::X25519_AES128);
    seeds.extend(of(CipherSuite::P256_AES128).into_iter().take(4));
    seeds.push(vec![0, 1]);
    seeds.push(vec![0, 2, 0, 1]);
    seeds
}

/// What is inside of those messages, by its kind.
pub fn structures() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    let mut add = |structure: usize, bytes: &[u8]| seeds.push([&[structure as u8], bytes].concat());
    let fixture = fixture(CipherSuite::X25519_AES128);
    for message in &fixture.messages {
        match Message::decode(message).unwrap() {
            Message::KeyPackage(_) => {
                add(0, &message[4..]);
                add(6, &message[4..]);
            }
            Message::GroupInfo(_) => add(1, &message[4..]),
            Message::Welcome(_) => add(2, &message[4..]),
            Message::Public(_) | Message::Private(_) => {}
        }
    }
    for commit in &fixture.commits {
        add(4, commit);
    }
    add(5, &fixture.trees[0]);
    for proposal in &fixture.proposals {
        // The number is the type's; Add is the sixth of the structures.
        add(5 + usize::from(proposal[1]), &proposal[2..]);
    }
    let mut secrets = Writer::new();
    secrets.vector(&[1; 32]).unwrap();
    add(3, &[secrets.as_bytes(), &[0, 0]].concat());
    add(
        3,
        &[
            secrets.as_bytes(),
            &[1],
            secrets.as_bytes(),
            &[4, 1, 1, 7, 0],
        ]
        .concat(),
    );
    seeds
}

/// Trees as they are, with members that go, come and change, and altered.
pub fn trees() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for suite in 0..3 {
        let trees = fixture(CipherSuite::ALL[usize::from(suite)]).trees.len() as u8;
        for tree in 0..trees {
            seeds.push(vec![suite, 0, tree, 0]);
            seeds.push(
                [
                    &[suite, 6, 0, 1, 1, 0, 2, 1, 0, 3, 1, 1, 1, 2],
                    &[tree, 0][..],
                ]
                .concat(),
            );
            seeds.push([&[suite, 4, 0, 0, 0, 1, 0, 2, 0, 3], &[tree, 0][..]].concat());
            // A bit of a key, of an unmerged leaf; a part that is cut off.
            for at in [20_u16, 200, 500, 900] {
                let [high, low] = at.to_be_bytes();
                seeds.push(vec![suite, 0, tree, 1, 0, high, low, 0, 4]);
            }
            seeds.push(vec![suite, 0, tree, 1, 2, 1, 0, 0, 0]);
        }
    }
    seeds
}
