//! A member that keeps no rule (`hazmat::Insider`), first where it keeps them all.

use subrosa::mls::Content;
use subrosa::mls::hazmat::{Insider, SentAs};

use super::*;

pub fn sent_as(leaf: LeafIndex) -> SentAs {
    SentAs {
        leaf,
        generation: None,
        reuse_guard: [7; 4],
    }
}

/// The leaf of a member, as a template of the next.
pub fn own_leaf(member: &Member) -> subrosa::mls::LeafNode {
    member.leaf_node(member.leaf()).unwrap().clone()
}

/// What an insider makes without breaking anything is taken, by members and by who joins: whatever is refused elsewhere is
/// refused for what was broken.
#[test]
fn an_insider_that_breaks_nothing_is_believed() {
    for suite in CipherSuite::ALL {
        let rng = &mut Rng(200 + u64::from(suite.0));
        let mut group = group_of(suite, 5, rng);
        for format in FORMATS {
            let newcomer = Newcomer::new(suite, "new", rng);
            let (own, leaving) = (group[0].leaf(), group[4].leaf());
            let insider = Insider::new(&group[0]);
            let mut forgery = insider.commit();
            forgery.wire_format = format;
            forgery.propose(Proposal::Add(Box::new(newcomer.key_package.clone())));
            forgery.propose(Proposal::Remove(leaving));
            forgery.path(own_leaf(&group[0]), [1; 32], |_| ()).unwrap();
            let forged = forgery.finish().unwrap();
            let info = {
                let tree = forged.tree.encode().unwrap();
                let extensions = Extensions::new().with(ExtensionType::RATCHET_TREE, tree);
                let signer = insider.signer();
                let invitation = &forged.invitation;
                invitation.group_info(extensions, own, signer)
            };
            let path_secret = forgery.path_secrets[0].1;
            let invited = [(&newcomer.key_package, Some(path_secret))];
            let welcome = forged
                .invitation
                .welcome(&info.unwrap(), &[], &invited, [2; 32])
                .unwrap();
            let message = match format {
                WireFormat::PublicMessage => insider.public(forged.signed).unwrap(),
                WireFormat::PrivateMessage => {
                    let sent_as = sent_as(own);
                    insider.private(&forged.signed, sent_as, 3).unwrap()
                }
            };
            let mut removed = group.pop().unwrap();
            merge(&mut removed, &message).unwrap();
            for member in &mut group[1..] {
                merge(member, &message).unwrap();
            }
            let joined = newcomer.join(&welcome, &JoinOptions::default()).unwrap();
            assert_eq!(joined.epoch_authenticator(), group[1].epoch_authenticator());
            // The insider has left the group by what it did: its own state knows nothing of it.
            group.push(joined);
            group.remove(0);
            agree_among(&group);
            // Who is the first now takes its part.
            let again = Newcomer::new(suite, "again", rng);
            let commit = group[0].commit().remove_member(own);
            let built = commit.add_client(again.key_package.clone());
            let messages = built.build(&NoPsks, NOW, rng).unwrap();
            everybody_but_new(&mut group, 0, &messages.commit);
            let welcome = messages.welcome.unwrap();
            group.push(again.join(&welcome, &JoinOptions::default()).unwrap());
            agree(&mut group);
            talk(&mut group, rng);
        }
        // And who comes from outside.
        let signer = Signer::generate(suite, rng).unwrap();
        let mut leaf_node = own_leaf(&group[1]);
        leaf_node.signature_key = signer.public().clone();
        let insider = Insider::new(&group[1]);
        let mut forgery = insider.commit();
        forgery.signer = &signer;
        forgery.external([5; 32]).unwrap();
        forgery.path(leaf_node, [6; 32], |_| ()).unwrap();
        let message = insider.public(forgery.finish().unwrap().signed).unwrap();
        for member in &mut group {
            merge(member, &message).unwrap();
        }
        agree_among(&group);
    }
}

/// All are in the same epoch; there may be other members.
pub fn agree_among(group: &[Member]) {
    for member in group {
        assert_eq!(*member.context(), *group[0].context());
        assert_eq!(member.epoch_authenticator(), group[0].epoch_authenticator());
        assert_eq!(
            member.ratchet_tree().unwrap(),
            group[0].ratchet_tree().unwrap()
        );
    }
}

/// Every way to send a content as `leaf`, signed by the insider's own key: in the clear if it may be, and encrypted.
fn forgeries(insider: &Insider<'_>, content: &Content, leaf: LeafIndex) -> Vec<Vec<u8>> {
    let mut messages = Vec::new();
    for format in FORMATS {
        let mut framed = insider.framed(content.clone());
        framed.sender = subrosa::mls::Sender::Member(leaf);
        let signed = insider.sign(format, framed, insider.signer()).unwrap();
        messages.push(match format {
            WireFormat::PublicMessage => insider.public(signed).unwrap(),
            WireFormat::PrivateMessage => insider.private(&signed, sent_as(leaf), 0).unwrap(),
        });
    }
    messages
}

/// A member signs with its own key what names another as its sender. The sender data is valid, the key is the next one of the
/// other: who is named still sends with it, and is read.
#[test]
fn attack_g1_insider_forges_as_another_member() {
    for suite in CipherSuite::ALL {
        let rng = &mut Rng(210 + u64::from(suite.0));
        let mut group = group_of(suite, 3, rng);
        let victim = group[1].leaf();
        let insider = Insider::new(&group[0]);
        let commit = insider.commit().finish().unwrap().signed.content.content;
        let forged: Vec<_> = [
            Content::Application(b"I resign".to_vec()),
            Content::Proposal(Proposal::Remove(LeafIndex(2))),
            commit,
        ]
        .iter()
        .flat_map(|content| forgeries(&insider, content, victim))
        .collect();
        let before = seen(&group[2]);
        for (place, message) in forged.iter().enumerate() {
            let expected = match place {
                // No message of the app is in the clear.
                0 => Error::Invalid(Rule::ApplicationInClear),
                _ => Error::BadSignature,
            };
            let refused = group[2].process(message, &NoPsks, NOW).err();
            assert_eq!(refused, Some(expected), "{place}");
            assert!(group[2].open(message).is_err());
            // Whose name it bears knows that it did not send it.
            assert!(group[1].process(message, &NoPsks, NOW).is_err());
        }
        assert_eq!(seen(&group[2]), before);
        // The keys of the forged ones are those that the victim's own messages take.
        let genuine = group[1].seal(b"I stay", b"", rng).unwrap();
        assert_eq!(group[2].open(&genuine), Ok((victim, b"I stay".to_vec())));
        assert_eq!(group[2].open(&genuine), Err(Error::GenerationUsed));
        let proposal = group[1].propose_remove(LeafIndex(0), FORMATS[1], rng);
        let proposal = proposal.unwrap();
        keep(&mut group[2], &proposal).unwrap();
        let messages = group[1].commit().build(&NoPsks, NOW, rng).unwrap();
        group[1].merge_pending().unwrap();
        merge(&mut group[2], &messages.commit).unwrap();
        agree_among(&group[1..]);
    }
}
