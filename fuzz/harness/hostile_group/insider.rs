//! What a member does that keeps no rule, as the fuzzer's bytes say.

use subrosa::mls::hazmat::{
    Insider, SentAs, Tree, TreeNode, decode_content, psk_secret, read_nodes, sign_group_info,
    sign_leaf, write_nodes,
};
use subrosa::mls::{
    AuthenticatedContent, Client, Content, ContentType, ExtensionType, Extensions, ExternalCommit,
    JoinOptions, LeafIndex, LeafNode, LeafNodeSource, Member, Message, PreSharedKeyId, Proposal,
    ProposalRef, ProposalType, Psk, ReInit, ResumptionUsage, Sender, Signer, UpdatePath,
    WireFormat,
};

use super::{Keys, NOW, Newcomer, Peer, Script, SeededRng, World, bytes, extensions, format};

/// A member that breaks rules, and who helps it.
struct Act<'a> {
    insider: Insider<'a>,
    member: &'a Member,
    newcomer: &'a Newcomer,
    outsider: &'a Signer,
}

impl World {
    /// The member at this place breaks a rule, or several.
    pub(super) fn insider(&mut self, place: usize, script: &mut Script<'_>) {
        let newcomer = self.newcomer();
        let outsider = Signer::generate(self.suite, &mut self.rng).unwrap();
        let member = &self.peers[place].member;
        let leaf = member.leaf();
        let act = Act {
            insider: Insider::new(member),
            member,
            newcomer: &newcomer,
            outsider: &outsider,
        };
        let made = match script.u8() % 8 {
            0 | 1 => act.content(script),
            2 => act.bytes(script),
            3..=5 => act.commit(script),
            6 => {
                act.welcome(script);
                None
            }
            _ => act.group_info(script),
        };
        // One content is sent once: whoever takes it in another form goes the same way.
        if let Some((message, content)) = made
            && self.forged.insert(content)
        {
            self.hostile.insert(leaf);
            self.send(message, true);
        }
    }
}

/// A message, and what it says.
type Made = Option<(Vec<u8>, Vec<u8>)>;

fn leaf_of(script: &mut Script<'_>) -> LeafIndex {
    LeafIndex(u32::from(script.u8() % 8))
}

fn sent_as(own: LeafIndex, script: &mut Script<'_>) -> SentAs {
    let leaf = match script.u8() % 4 {
        0 => leaf_of(script),
        _ => own,
    };
    let generation = match script.u8() % 8 {
        0 => Some(u32::from(script.u8())),
        1 => Some(script.u16() as u32),
        2 => Some(u32::MAX),
        _ => None,
    };
    SentAs {
        leaf,
        generation,
        reuse_guard: [script.u8(); 4],
    }
}

impl Act<'_> {
    fn own_leaf(&self) -> LeafNode {
        let own = self.member.leaf();
        self.member
            .leaf_node(own)
            .expect("a member has a leaf")
            .clone()
    }

    /// Sends what was signed, as it was signed to be sent.
    fn sent(&self, signed: AuthenticatedContent, script: &mut Script<'_>) -> Made {
        let content = format!("{signed:?}").into_bytes();
        let message = match signed.wire_format {
            WireFormat::PublicMessage => self.insider.public(signed),
            WireFormat::PrivateMessage => {
                let sent_as = sent_as(self.member.leaf(), script);
                let padding = script.below(100);
                self.insider.private(&signed, sent_as, padding)
            }
        };
        Some((message.ok()?, content))
    }

    fn proposal(&self, script: &mut Script<'_>) -> Proposal {
        match script.u8() % 10 {
            0 => Proposal::Add(Box::new(self.newcomer.key_package.clone())),
            1 => {
                let mut leaf = self.own_leaf();
                let seed = script.u8();
                leaf.encryption_key = key(self.member, seed);
                leaf.source = LeafNodeSource::Update;
                alter(&mut leaf, script.u8());
                let signer = self.insider.signer();
                sign_leaf(
                    &mut leaf,
                    self.member.group_id(),
                    self.member.leaf(),
                    signer,
                )
                .unwrap();
                Proposal::Update(Box::new(leaf))
            }
            2 | 3 => Proposal::Remove(leaf_of(script)),
            4 => Proposal::PreSharedKey(PreSharedKeyId {
                psk: match script.u8() % 4 {
                    0 => Psk::Resumption {
                        usage: ResumptionUsage::Branch,
                        group_id: self.member.group_id().to_vec(),
                        epoch: u64::from(script.u8()),
                    },
                    _ => Psk::External(script.take(1).to_vec()),
                },
                nonce: vec![7; 31 + usize::from(!script.u8().is_multiple_of(8))],
            }),
            5 => Proposal::ReInit(ReInit {
                group_id: bytes(script),
                version: u16::from(script.u8() % 3),
                cipher_suite: subrosa::mls::CipherSuite(u16::from(script.u8())),
                extensions: extensions(script),
            }),
            6 => Proposal::ExternalInit(bytes(script)),
            7 | 8 => Proposal::GroupContextExtensions(extensions(script)),
            _ => Proposal::Other(ProposalType(script.u16() as u16 | 0x100), bytes(script)),
        }
    }

    /// A content in anybody's name, of this epoch or of another one.
    fn content(&self, script: &mut Script<'_>) -> Made {
        let content = match script.below(4) {
            0 => Content::Application(bytes(script)),
            1 | 2 => Content::Proposal(self.proposal(script)),
            _ => decode_content(ContentType::Commit, &bytes(script)).ok()?,
        };
        let mut framed = self.insider.framed(content);
        framed.sender = match script.u8() % 8 {
            0 => Sender::Member(leaf_of(script)),
            1 => Sender::External(u32::from(script.u8())),
            2 => Sender::NewMemberProposal,
            3 => Sender::NewMemberCommit,
            _ => framed.sender,
        };
        framed.epoch = match script.u8() % 8 {
            0 => framed.epoch.wrapping_sub(1),
            1 => framed.epoch + 1,
            _ => framed.epoch,
        };
        let signer = match script.u8() % 8 {
            0 => self.outsider,
            _ => self.insider.signer(),
        };
        let signed = self.insider.sign(format(script), framed, signer).ok()?;
        self.sent(signed, script)
    }

    /// Any bytes in the place of a content.
    fn bytes(&self, script: &mut Script<'_>) -> Made {
        let kind = [
            ContentType::Application,
            ContentType::Proposal,
            ContentType::Commit,
        ][script.below(3)];
        let text = bytes(script);
        let sent_as = sent_as(self.member.leaf(), script);
        let data = script.take(2);
        let message = self.insider.private_text(kind, data, &text, sent_as).ok()?;
        Some((message.clone(), message))
    }

    /// A commit whose tag is right, with anything in it.
    fn commit(&self, script: &mut Script<'_>) -> Made {
        let mut forgery = self.insider.commit();
        forgery.wire_format = format(script);
        let mut leaf_node = self.own_leaf();
        if script.u8().is_multiple_of(8) {
            forgery.signer = self.outsider;
            leaf_node.signature_key = self.outsider.public().clone();
            forgery.external([script.u8(); 32]).ok()?;
        }
        let mut psks = Vec::new();
        for _ in 0..script.below(4) {
            let proposal = self.proposal(script);
            if let Proposal::PreSharedKey(id) = &proposal
                && let Psk::External(key) = &id.psk
            {
                psks.push((id.clone(), key.clone()));
            }
            match script.u8() % 8 {
                0 => {
                    let reference = ProposalRef([script.u8(); 32]);
                    forgery.refer(reference, Sender::Member(leaf_of(script)), proposal);
                }
                _ => forgery.propose(proposal),
            }
        }
        forgery.psk_secret = psk_secret(&psks).ok()?[..].try_into().ok()?;
        if !script.u8().is_multiple_of(4) {
            let (seed, how) = (script.u8(), script.u8());
            let made = forgery.path(leaf_node, [seed; 32], |leaf| {
                if how >= 128 {
                    alter(leaf, how);
                }
            });
            made.ok()?;
            if script.u8().is_multiple_of(2) {
                alter_path(forgery.path.as_mut()?, script);
            }
            if script.u8().is_multiple_of(8) {
                let victim = self.member.leaf_node(leaf_of(script))?;
                let public = &victim.encryption_key;
                let secret = vec![script.u8(); 31 + usize::from(!script.u8().is_multiple_of(4))];
                let (level, place) = (script.below(3), script.below(4));
                forgery.mislead(level, place, public, &secret).ok()?;
            }
        }
        match script.u8() % 16 {
            0 => forgery.psk_secret[0] ^= 1,
            1 => forgery.commit_secret[0] ^= 1,
            2 => forgery.init_secret[0] ^= 1,
            _ => {}
        }
        let mut signed = forgery.finish().ok()?.signed;
        if script.u8().is_multiple_of(16) {
            signed.auth.confirmation_tag = Some(bytes(script));
        }
        self.sent(signed, script)
    }

    /// A Welcome to a group of any state. Whoever gets in can send, or is told why not.
    fn welcome(&self, script: &mut Script<'_>) {
        let mut forgery = self.insider.commit();
        forgery.propose(Proposal::Add(Box::new(self.newcomer.key_package.clone())));
        let path_secret = match script.u8() % 4 {
            0 => Some([script.u8(); 32]),
            1 => {
                let made = forgery.path(self.own_leaf(), [script.u8(); 32], |_| ());
                made.ok();
                forgery.path_secrets.first().map(|(_, secret)| *secret)
            }
            _ => None,
        };
        let forged = forgery.finish().unwrap();
        let mut invitation = forged.invitation;
        let mut nodes = read_nodes(&forged.tree.encode().unwrap()).unwrap();
        for _ in 0..script.below(4) {
            alter_nodes(&mut nodes, script);
        }
        let tree = write_nodes(&nodes).unwrap();
        if let Ok(mut tree) = Tree::decode(&tree)
            && !script.u8().is_multiple_of(8)
        {
            invitation.context.tree_hash = tree.hash().unwrap().to_vec();
        }
        match script.u8() % 8 {
            0 => invitation.context.group_id = bytes(script),
            1 => invitation.context.extensions = extensions(script),
            2 => invitation.context.epoch = u64::MAX,
            3 => invitation.context.confirmed_transcript_hash = bytes(script),
            _ => {}
        }
        let mut others = Extensions::new().with(ExtensionType::RATCHET_TREE, tree);
        if script.u8().is_multiple_of(8) {
            others = extensions(script);
        }
        let signer = match script.u8() % 8 {
            0 => leaf_of(script),
            _ => self.member.leaf(),
        };
        let info = invitation
            .group_info(others, signer, self.insider.signer())
            .unwrap();
        let psks: Vec<_> = (0..script.below(2))
            .map(|_| PreSharedKeyId {
                psk: Psk::External(script.take(1).to_vec()),
                nonce: vec![1; 32],
            })
            .collect();
        let invited = [(&self.newcomer.key_package, path_secret)];
        let welcome = invitation.welcome(&info, &psks, &invited, [1; 32]).unwrap();
        if let Ok(mut joined) = self.newcomer.join(&welcome) {
            let rng = &mut SeededRng(1);
            assert!(joined.seal(b"text", b"", rng).is_ok());
            let mut peer = Peer::new(joined, [0; 32]);
            match peer.member.commit().with_path().build(&Keys, NOW, rng) {
                Ok(_) => peer.member.merge_pending().unwrap(),
                Err(_) => peer.require_unchanged(),
            }
            peer.restart();
        }
    }

    /// A group's information with anything in it, and the commit of who believes it.
    fn group_info(&self, script: &mut Script<'_>) -> Made {
        let info = self.member.group_info(true, true).ok()?;
        let Ok(Message::GroupInfo(mut info)) = Message::decode(&info) else {
            panic!("a group's information");
        };
        let with = |info: &mut subrosa::mls::GroupInfo, extension, data| {
            info.extensions = info.extensions.clone().with(extension, data);
        };
        match script.u8() % 8 {
            0 => info.group_context.epoch += 1,
            1 => info.group_context.extensions = extensions(script),
            2 => info.confirmation_tag = bytes(script),
            3 => with(&mut info, ExtensionType::EXTERNAL_PUB, bytes(script)),
            4 => with(&mut info, ExtensionType(script.u8().into()), bytes(script)),
            5 => info.signer = leaf_of(script),
            6 => {
                let tree = info.extensions.find(ExtensionType::RATCHET_TREE)?;
                let mut nodes = read_nodes(tree).unwrap();
                alter_nodes(&mut nodes, script);
                let tree = write_nodes(&nodes).unwrap();
                let hash = Tree::decode(&tree).ok()?.hash().unwrap();
                info.group_context.tree_hash = hash.to_vec();
                with(&mut info, ExtensionType::RATCHET_TREE, tree);
            }
            _ => {}
        }
        sign_group_info(&mut info, self.insider.signer()).unwrap();
        let info = Message::GroupInfo(info).encode().unwrap();
        let suite = self.member.cipher_suite();
        let signer = Signer::from_secret(suite, &self.outsider.secret()).unwrap();
        let mut external = ExternalCommit::new(signer, Client::basic(b"believer"));
        if script.u8().is_multiple_of(4) {
            external.resync = Some(leaf_of(script));
        }
        let options = JoinOptions::default();
        let rng = &mut SeededRng(script.u8().into());
        let joined = Member::join_by_commit(&info, external, &options, &Keys, NOW, rng);
        let commit = joined.ok()?.commit;
        Some((commit.clone(), commit))
    }
}

/// A public key of the group's suite.
fn key(member: &Member, seed: u8) -> Vec<u8> {
    use subrosa::crypto::hpke::Kem;
    let kem = match member.cipher_suite() {
        subrosa::mls::CipherSuite::P256_AES128 => Kem::P256,
        _ => Kem::X25519,
    };
    kem.derive_key_pair(&[seed; 32]).unwrap().public().to_vec()
}

fn alter(leaf: &mut LeafNode, how: u8) {
    match how % 12 {
        0 => leaf.encryption_key[0] ^= 1,
        1 => leaf.encryption_key.clear(),
        2 => leaf.signature_key.0[0] ^= 1,
        3 => leaf.capabilities.cipher_suites.clear(),
        4 => leaf.capabilities.credentials.clear(),
        5 => leaf.source = LeafNodeSource::Update,
        6 => leaf.source = LeafNodeSource::Commit(vec![how; 32]),
        7 => leaf.signature.clear(),
        8 => leaf.credential = subrosa::mls::Credential::Basic(vec![how]),
        9 => {
            let extensions = core::mem::take(&mut leaf.extensions);
            leaf.extensions = extensions.with(ExtensionType(how.into()), vec![how]);
        }
        _ => {}
    }
}

fn alter_path(path: &mut UpdatePath, script: &mut Script<'_>) {
    let how = script.u8() % 9;
    let level = script.below(path.nodes.len().max(1));
    if how == 0 {
        path.leaf_node.signature.reverse();
        return;
    }
    let Some(node) = path.nodes.get_mut(level) else {
        return;
    };
    let place = script.below(node.encrypted_path_secret.len().max(1));
    match (how, node.encrypted_path_secret.get_mut(place)) {
        (1, Some(sealed)) => sealed.ciphertext = bytes(script),
        (2, Some(sealed)) => sealed.kem_output = bytes(script),
        (3, Some(sealed)) => {
            let again = sealed.clone();
            node.encrypted_path_secret.push(again);
        }
        (4, Some(_)) => {
            node.encrypted_path_secret.remove(place);
        }
        (5, Some(_)) => node.encrypted_path_secret.reverse(),
        (6, _) => node.encryption_key = bytes(script),
        (7, _) => {
            path.nodes.remove(level);
        }
        _ => path.nodes.reverse(),
    }
}

fn alter_nodes(nodes: &mut Vec<TreeNode>, script: &mut Script<'_>) {
    let place = script.below(nodes.len().max(1));
    let other = script.below(nodes.len().max(1));
    let how = script.u8();
    if place >= nodes.len() {
        return;
    }
    match (how % 6, &mut nodes[place]) {
        (0, node) => *node = TreeNode::Blank,
        (1, _) => nodes.swap(place, other),
        (2, _) => {
            nodes.truncate(place);
        }
        (3, node) => {
            let node = node.clone();
            nodes.push(node);
        }
        (_, TreeNode::Leaf(leaf)) => alter(leaf, how),
        (
            _,
            TreeNode::Parent {
                unmerged_leaves,
                parent_hash,
                encryption_key,
            },
        ) => match how % 3 {
            0 => unmerged_leaves.push(other as u32),
            1 => *parent_hash = bytes(script),
            _ => *encryption_key = bytes(script),
        },
        (_, TreeNode::Blank) => {}
    }
}
