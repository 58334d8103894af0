//! Trees that lie (G8, G9): shown to who joins by a Welcome, and to who joins by a commit, by an insider that signs whatever has
//! to be signed.

use subrosa::mls::hazmat::{
    Forged, Insider, Tree, TreeNode, read_nodes, sign_group_info, write_nodes,
};
use subrosa::mls::{GroupInfo, LeafNodeSource};

use super::*;

/// The way into a group, both ways.
struct Doors<'a> {
    insider: Insider<'a>,
    own: LeafIndex,
    newcomer: Newcomer,
    forged: Forged,
    info: GroupInfo,
}

impl<'a> Doors<'a> {
    fn new(member: &'a Member, rng: &mut Rng) -> Self {
        let insider = Insider::new(member);
        let newcomer = Newcomer::new(member.cipher_suite(), "new", rng);
        let mut forgery = insider.commit();
        forgery.propose(Proposal::Add(Box::new(newcomer.key_package.clone())));
        let forged = forgery.finish().unwrap();
        let info = member.group_info(true, true).unwrap();
        let Ok(Message::GroupInfo(info)) = Message::decode(&info) else {
            panic!("a group's information");
        };
        Self {
            insider,
            own: member.leaf(),
            newcomer,
            forged,
            info,
        }
    }

    /// What becomes of who is shown this tree: with a Welcome, then with a group's information. With `hashed`, the group's
    /// context has the hash of the tree that is shown.
    fn shown(&self, hashed: bool, lie: &dyn Fn(&mut Vec<TreeNode>)) -> [Result<(), Error>; 2] {
        let altered = |tree: Vec<u8>, context: &mut subrosa::mls::GroupContext| {
            let mut nodes = read_nodes(&tree).unwrap();
            lie(&mut nodes);
            let tree = write_nodes(&nodes).unwrap();
            if hashed && let Ok(mut tree) = Tree::decode(&tree) {
                context.tree_hash = tree.hash().unwrap().to_vec();
            }
            tree
        };
        let signer = self.insider.signer();

        let mut invitation = self.forged.invitation.clone();
        let tree = self.forged.tree.encode().unwrap();
        let tree = altered(tree, &mut invitation.context);
        let extensions = Extensions::new().with(ExtensionType::RATCHET_TREE, tree);
        let info = invitation.group_info(extensions, self.own, signer).unwrap();
        let invited = [(&self.newcomer.key_package, None)];
        let welcome = invitation.welcome(&info, &[], &invited, [4; 32]).unwrap();
        let newcomer = self.newcomer.again();
        let by_welcome = newcomer.join(&welcome, &JoinOptions::default());

        let mut info = self.info.clone();
        let tree = info.extensions.find(ExtensionType::RATCHET_TREE).unwrap();
        let tree = altered(tree.to_vec(), &mut info.group_context);
        info.extensions = info.extensions.with(ExtensionType::RATCHET_TREE, tree);
        sign_group_info(&mut info, signer).unwrap();
        let info = Message::GroupInfo(info).encode().unwrap();
        let suite = self.newcomer.key_package.cipher_suite;
        let rng = &mut Rng(1);
        let outsider = ExternalCommit::new(
            Signer::generate(suite, rng).unwrap(),
            Client::basic(b"outsider"),
        );
        let options = JoinOptions::default();
        let by_commit = Member::join_by_commit(&info, outsider, &options, &NoPsks, NOW, rng);
        [by_welcome.map(drop), by_commit.map(drop)]
    }
}

/// Fifteen members; parents at many places, and two members that are not merged into those above them: 23 and the root, 15.
fn grown(suite: CipherSuite, rng: &mut Rng) -> Vec<Member> {
    let mut group = group_of(suite, 13, rng);
    for committer in [12, 4, 0, 8] {
        let messages = group[committer].commit().build(&NoPsks, NOW, rng).unwrap();
        everybody(&mut group, committer, &messages.commit);
    }
    let newcomers = ["late", "later"].map(|name| Newcomer::new(suite, name, rng));
    let mut commit = group[0].commit();
    for newcomer in &newcomers {
        commit = commit.add_client(newcomer.key_package.clone());
    }
    let messages = commit.build(&NoPsks, NOW, rng).unwrap();
    everybody_but_new(&mut group, 0, &messages.commit);
    let welcome = messages.welcome.unwrap();
    for newcomer in newcomers {
        group.push(newcomer.join(&welcome, &JoinOptions::default()).unwrap());
    }
    agree(&mut group);
    group
}

fn unmerged(nodes: &mut [TreeNode], place: usize) -> &mut Vec<u32> {
    match &mut nodes[place] {
        TreeNode::Parent {
            unmerged_leaves, ..
        } => unmerged_leaves,
        other => panic!("{other:?}"),
    }
}

#[test]
fn attack_g8_lists_of_unmerged_leaves_that_lie() {
    let rng = &mut Rng(220);
    let group = grown(CipherSuite::X25519_AES128, rng);
    let doors = Doors::new(&group[0], rng);
    for hashed in [false, true] {
        let honest = doors.shown(hashed, &|nodes| {
            assert_eq!(unmerged(nodes, 15)[..2], [13, 14]);
            assert_eq!(unmerged(nodes, 23)[..2], [13, 14]);
        });
        assert_eq!(honest, [Ok(()), Ok(())]);
    }
    let mut rules = BTreeMap::new();
    let mut lie = |what: &str, lie: &dyn Fn(&mut Vec<TreeNode>)| {
        for refused in doors.shown(true, lie) {
            let Err(Error::Invalid(rule)) = refused else {
                panic!("{what}: {refused:?}");
            };
            assert!(
                matches!(rule, Rule::UnmergedLeaves | Rule::ParentHash),
                "{what}: {rule:?}"
            );
            *rules.entry(rule.number()).or_insert(0) += 1;
        }
        for refused in doors.shown(false, lie) {
            assert_eq!(refused, Err(Error::Invalid(Rule::TreeHash)), "{what}");
        }
    };
    // In one list, and in all that have it.
    for places in [&[23][..], &[15], &[15, 23]] {
        for gone in [13, 14] {
            lie(&format!("{gone} gone from {places:?}"), &|nodes| {
                for place in places {
                    unmerged(nodes, *place).retain(|leaf| *leaf != gone);
                }
            });
        }
        for more in [0, 1, 3, 8, 9, 10, 12, 16, 31, 1 << 20, u32::MAX] {
            lie(&format!("{more} in {places:?}"), &|nodes| {
                for place in places {
                    let list = unmerged(nodes, *place);
                    let at = list.partition_point(|leaf| *leaf < more);
                    list.insert(at, more);
                }
            });
        }
        lie(&format!("{places:?} reversed"), &|nodes| {
            places.iter().for_each(|p| unmerged(nodes, *p).reverse());
        });
        lie(&format!("twice in {places:?}"), &|nodes| {
            places
                .iter()
                .for_each(|p| unmerged(nodes, *p).insert(0, 13));
        });
        lie(&format!("nobody in {places:?}"), &|nodes| {
            places.iter().for_each(|p| unmerged(nodes, *p).clear());
        });
    }
    // A list where there is none: of those below, and of who is elsewhere.
    for leaf in [0, 1, 2, 3, 5, 13] {
        lie(&format!("{leaf} in a list of its own"), &|nodes| {
            unmerged(nodes, 3).push(leaf);
        });
    }
    assert!(rules.values().all(|count| *count >= 20), "{rules:?}");
    assert_eq!(rules.len(), 2);
}

/// A change of one node: what is changed, and how.
type Change = (&'static str, fn(&mut TreeNode) -> bool);

/// Of parents; false where a node has nothing to change.
const OF_PARENTS: &[Change] = &[
    ("key", |node| match node {
        TreeNode::Parent { encryption_key, .. } => flip(encryption_key),
        _ => false,
    }),
    ("parent hash", |node| match node {
        TreeNode::Parent { parent_hash, .. } => flip(parent_hash),
        _ => false,
    }),
    ("parent hash, gone or there", |node| match node {
        TreeNode::Parent { parent_hash, .. } => {
            *parent_hash = match parent_hash.len() {
                0 => vec![1; 32],
                _ => Vec::new(),
            };
            true
        }
        _ => false,
    }),
];

const OF_LEAVES: &[Change] = &[
    ("encryption key", |node| match node {
        TreeNode::Leaf(leaf) => flip(&mut leaf.encryption_key),
        _ => false,
    }),
    ("signature key", |node| match node {
        TreeNode::Leaf(leaf) => flip(&mut leaf.signature_key.0),
        _ => false,
    }),
    ("credential", |node| match node {
        TreeNode::Leaf(leaf) => {
            leaf.credential = Credential::Basic(b"somebody else".to_vec());
            true
        }
        _ => false,
    }),
    ("capabilities", |node| match node {
        TreeNode::Leaf(leaf) => {
            leaf.capabilities.proposals.push(ProposalType(0xf00f));
            true
        }
        _ => false,
    }),
    ("source", |node| match node {
        TreeNode::Leaf(leaf) => {
            leaf.source = match leaf.source {
                LeafNodeSource::Update => LeafNodeSource::Commit(vec![2; 32]),
                _ => LeafNodeSource::Update,
            };
            true
        }
        _ => false,
    }),
    ("lifetime", |node| match node {
        TreeNode::Leaf(leaf) => match &mut leaf.source {
            LeafNodeSource::KeyPackage(lifetime) => {
                lifetime.not_after -= 1;
                true
            }
            _ => false,
        },
        _ => false,
    }),
    ("parent hash of the leaf", |node| match node {
        TreeNode::Leaf(leaf) => match &mut leaf.source {
            LeafNodeSource::Commit(hash) => flip(hash),
            _ => false,
        },
        _ => false,
    }),
    ("signature", |node| match node {
        TreeNode::Leaf(leaf) => flip(&mut leaf.signature),
        _ => false,
    }),
];

fn flip(bytes: &mut [u8]) -> bool {
    let middle = bytes.len() / 2;
    match bytes.get_mut(middle) {
        Some(byte) => *byte ^= 4,
        None => return false,
    }
    true
}

#[test]
fn attack_g9_every_node_of_a_tree() {
    for suite in [CipherSuite::X25519_AES128, CipherSuite::P256_AES128] {
        let rng = &mut Rng(230);
        let group = match suite {
            // P-256 is slow without optimisation.
            CipherSuite::P256_AES128 => {
                let mut group = group_of(suite, 3, rng);
                let messages = group[0].commit().build(&NoPsks, NOW, rng).unwrap();
                everybody(&mut group, 0, &messages.commit);
                group
            }
            _ => grown(suite, rng),
        };
        let doors = Doors::new(&group[0], rng);
        assert_eq!(doors.shown(true, &|_| ()), [Ok(()), Ok(())]);
        let nodes = read_nodes(&group[0].ratchet_tree().unwrap()).unwrap();
        let mut changed = 0;
        for (place, node) in nodes.iter().enumerate() {
            for (what, change) in OF_PARENTS.iter().chain(OF_LEAVES) {
                if !change(&mut node.clone()) {
                    continue;
                }
                changed += 1;
                let lie = |nodes: &mut Vec<TreeNode>| {
                    change(&mut nodes[place]);
                };
                for refused in doors.shown(false, &lie) {
                    assert!(
                        matches!(
                            refused,
                            Err(Error::Invalid(Rule::TreeHash) | Error::BadSignature)
                        ),
                        "{what} of {place}: {refused:?}"
                    );
                }
                for refused in doors.shown(true, &lie) {
                    assert!(
                        matches!(
                            refused,
                            Err(Error::Invalid(
                                Rule::LeafSignature | Rule::ParentHash | Rule::LeafSource
                            ) | Error::InvalidKey
                                | Error::BadSignature)
                        ),
                        "{what} of {place}: {refused:?}"
                    );
                }
            }
            // A node that is not there, is there twice, or is of the other kind.
            if *node == TreeNode::Blank {
                continue;
            }
            let gone = doors.shown(false, &|nodes| nodes[place] = TreeNode::Blank);
            let twice = doors.shown(true, &|nodes| nodes[(place + 2) % 4] = nodes[place].clone());
            let beside = match place + 1 < nodes.len() {
                true => place + 1,
                false => place - 1,
            };
            let elsewhere = doors.shown(true, &|nodes| nodes.swap(place, beside));
            for refused in gone.into_iter().chain(twice).chain(elsewhere) {
                assert!(refused.is_err(), "{place}");
            }
        }
        assert!(changed > nodes.len(), "{changed}");
        for refused in doors.shown(true, &|nodes| nodes.push(TreeNode::Blank)) {
            assert_eq!(refused, Err(Error::Invalid(Rule::TreeShape)));
        }
        for refused in doors.shown(true, &Vec::clear) {
            assert_eq!(refused, Err(Error::Invalid(Rule::TreeShape)));
        }
    }
}
