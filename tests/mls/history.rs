//! Groups whose tree was filled at once: who joins one finds it as any other.

use subrosa::mls::hazmat::{History, Tree};
use subrosa::mls::{CipherSuite, JoinOptions, LeafIndex, NodeIndex};

use crate::{Newcomer, Rng, approved};

/// As many as the tree has leaves.
const MEMBERS: u32 = 16;

#[test]
fn a_filled_tree_is_joined_and_lives_on() {
    for suite in CipherSuite::ALL {
        let mut rng = Rng(u64::from(suite.0));
        let mut all: Vec<_> = (0..MEMBERS)
            .map(|number| Newcomer::new(suite, &format!("member {number}"), &mut rng))
            .collect();
        let leaves = all.iter().map(|one| one.key_package.leaf_node.clone());
        let mut history = History::new(suite, b"the group", leaves.collect()).unwrap();
        // Two who will join are the only ones of their pairs who commit.
        let joining = [2, 14];
        for leaf in (0..MEMBERS).step_by(2).rev() {
            if !joining.contains(&leaf) {
                let signer = &all[leaf as usize].signer;
                history
                    .commit(LeafIndex(leaf), signer, [leaf as u8; 32])
                    .unwrap();
            }
        }
        let invited = joining.map(|leaf| (LeafIndex(leaf), &all[leaf as usize].key_package));
        let welcome = history.welcome(&all[0].signer, [99; 32], &invited).unwrap();
        // The last first: places stay what they are.
        let mut far = all
            .remove(14)
            .join(&welcome, &JoinOptions::default())
            .unwrap();
        let mut near = all
            .remove(2)
            .join(&welcome, &JoinOptions::default())
            .unwrap();
        assert_eq!((near.leaf(), far.leaf()), (LeafIndex(2), LeafIndex(14)));
        for turn in 0..4 {
            // The keys of the right half were told to nobody: who is there has to commit first.
            let (committer, other) = match turn % 2 {
                0 => (&mut far, &mut near),
                _ => (&mut near, &mut far),
            };
            let sent = committer
                .commit()
                .build(&crate::Shared, crate::NOW, &mut rng)
                .unwrap();
            let commit = approved(other, &sent.commit).unwrap();
            other.merge(commit).unwrap();
            committer.merge_pending().unwrap();
            assert_eq!(committer.epoch_authenticator(), other.epoch_authenticator());
            let message = committer.seal(b"hello", b"", &mut rng).unwrap();
            assert_eq!(other.open(&message).unwrap().1, b"hello");
        }
        let mut tree = Tree::decode(&near.ratchet_tree().unwrap()).unwrap();
        tree.verify(suite, b"the group").unwrap();
        for (resolution, node) in tree.resolutions().into_iter().zip(0..) {
            assert_eq!(resolution, [NodeIndex(node)], "every parent has a key");
        }
    }
}
