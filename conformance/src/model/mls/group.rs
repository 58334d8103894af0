//! A group and its Welcomes (§12.4.3).

use std::collections::BTreeMap;

use subrosa::crypto::hash::sha256;

use super::client::{Client, KeyPackage, Leaf, Source};
use super::message::{Content, Encryption, Format, Sender, Signed};
use super::proposal::{Listed, Proposal, PskId};
use super::schedule::{Context, Secrets};
use super::tree::Tree;
use super::{
    Draw, Extensions, HASH, Hash, Pair, Suite, expand, extensions, list, mac, optional, vector,
};
use crate::model::{Answer, error};

/// The type of `ratchet_tree`.
pub const RATCHET_TREE: u16 = 2;
/// The type of `external_pub`.
pub const EXTERNAL_PUB: u16 = 4;

/// An epoch of a group, and the signature keys of everybody.
#[derive(Clone, Debug)]
pub struct Group {
    /// The suite.
    pub suite: Suite,
    /// `GroupContext`
    pub context: Context,
    /// The tree.
    pub tree: Tree,
    /// The secrets.
    pub secrets: Secrets,
    /// `interim_transcript_hash`
    pub interim: Hash,
    /// The confirmation tag of the commit that began the epoch.
    pub tag: Vec<u8>,
    known: BTreeMap<Vec<u8>, Pair>,
    pub(super) draw: Draw,
}

/// `GroupInfo`
#[derive(Clone, Debug)]
pub struct Info {
    /// `group_context`
    pub context: Context,
    /// `extensions`
    pub extensions: Extensions,
    /// `confirmation_tag`
    pub tag: Vec<u8>,
    /// `signer`
    pub signer: u32,
    /// `signature`
    pub signature: Vec<u8>,
}

impl Info {
    fn unsigned(&self) -> Vec<u8> {
        [
            self.context.encode(),
            extensions(&self.extensions),
            vector(&self.tag),
            self.signer.to_be_bytes().to_vec(),
        ]
        .concat()
    }

    /// Signs it.
    ///
    /// # Errors
    /// `InvalidKey`.
    pub fn sign(&mut self, suite: Suite, signer: &Pair) -> Answer<()> {
        self.signature = suite.sign(signer, "GroupInfoTBS", &self.unsigned())?;
        Ok(())
    }

    /// The encoding.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        [self.unsigned(), vector(&self.signature)].concat()
    }

    /// `MLSMessage`
    #[must_use]
    pub fn message(&self) -> Vec<u8> {
        [vec![0, 1, 0, 4], self.encode()].concat()
    }
}

/// Who is sent a Welcome: its key package, and the path secret that it gets.
pub type Invited<'a> = (&'a KeyPackage, Option<Hash>);

/// A Welcome of these secrets for these clients.
///
/// # Errors
/// `InvalidKey`.
pub fn welcome(
    suite: Suite,
    secrets: &Secrets,
    info: &Info,
    psks: &[PskId],
    invited: &[Invited<'_>],
) -> Answer<Vec<u8>> {
    let key = expand(&secrets.welcome, "key", &[], suite.key_length())?;
    let nonce = expand(&secrets.welcome, "nonce", &[], 12)?;
    let sealed = suite.seal(&key, &nonce, &[], &info.encode())?;
    let mut entries = Vec::new();
    for (package, path_secret) in invited {
        let path_secret = path_secret.map(|secret| vector(&secret));
        let text = [
            vector(&secrets.joiner),
            optional(path_secret),
            list(psks.iter().map(PskId::encode)),
        ]
        .concat();
        let random = sha256(&[b"welcome", &package.encode(), &text]);
        let encrypted = suite.encrypt(&package.init_key, "Welcome", &sealed, &text, &random)?;
        entries.push([vector(&package.reference()), encrypted].concat());
    }
    Ok([
        vec![0, 1, 0, 3],
        suite.id.to_be_bytes().to_vec(),
        list(entries),
        vector(&sealed),
    ]
    .concat())
}

impl Group {
    /// A group of these leaves in the given epoch; what was before is made up. Its secrets depend on its id and epoch.
    ///
    /// # Errors
    /// None.
    pub fn of(
        suite: Suite,
        group_id: &[u8],
        epoch: u64,
        tree: Tree,
        extensions: Extensions,
    ) -> Answer<Self> {
        let name = format!("group {} {} {epoch}", suite.id, hex::encode(group_id));
        let mut draw = Draw::new(&name);
        let context = Context {
            suite: suite.id,
            group_id: group_id.to_vec(),
            epoch,
            tree_hash: tree.hash().to_vec(),
            confirmed: draw.draw().to_vec(),
            extensions,
        };
        let secrets = Secrets::new(draw.draw(), [0; HASH], &context.encode())?;
        let mut group = Self {
            suite,
            context,
            tree,
            secrets,
            interim: [0; HASH],
            tag: Vec::new(),
            known: BTreeMap::new(),
            draw,
        };
        group.confirm();
        Ok(group)
    }

    /// A group of these clients, whose leaves are those of their key packages.
    ///
    /// # Errors
    /// None.
    pub fn of_clients(
        group_id: &[u8],
        clients: &[&Client],
        extensions: Extensions,
    ) -> Answer<Self> {
        let suite = clients.first().ok_or(error("Empty"))?.suite;
        let leaves: Vec<Leaf> = clients.iter().map(|one| one.package.leaf.clone()).collect();
        let mut group = Self::of(suite, group_id, 1, Tree::of(&leaves), extensions)?;
        for client in clients {
            group.know(&client.signer);
        }
        Ok(group)
    }

    /// Makes the epoch's secrets anew, after tree or context were changed: with the same joiner secret.
    ///
    /// # Errors
    /// None.
    pub fn again(&mut self, psk: Hash) -> Answer<()> {
        self.context.tree_hash = self.tree.hash().to_vec();
        self.secrets = Secrets::new(self.secrets.joiner, psk, &self.context.encode())?;
        self.confirm();
        Ok(())
    }

    /// Makes tag and interim hash of the present secrets and context.
    pub fn confirm(&mut self) {
        self.tag = mac(&self.secrets.confirmation, &self.context.confirmed).to_vec();
        self.interim = sha256(&[&self.context.confirmed, &vector(&self.tag)]);
    }

    /// Somebody's signature key.
    pub fn know(&mut self, signer: &Pair) {
        self.known.insert(signer.public.clone(), signer.clone());
    }

    /// A member's signature key.
    ///
    /// # Errors
    /// `UnknownSender`.
    pub fn signer(&self, leaf: u32) -> Answer<Pair> {
        let leaf = self.tree.leaf(leaf).ok_or(error("UnknownSender"))?;
        let known = self.known.get(&leaf.signature_key);
        known.cloned().ok_or(error("UnknownSender"))
    }

    /// The next value in place of a random one.
    pub fn draw(&mut self) -> Hash {
        self.draw.draw()
    }

    /// What a member sends, signed.
    ///
    /// # Errors
    /// `UnknownSender`.
    pub fn signed(&self, leaf: u32, format: Format, content: Content) -> Answer<Signed> {
        let signer = self.signer(leaf)?;
        let sender = Sender::Member(leaf);
        Signed::new(self.suite, &self.context, format, sender, content, &signer)
    }

    /// The message in the clear.
    #[must_use]
    pub fn public(&self, signed: &Signed) -> Vec<u8> {
        signed.public(&signed.membership_tag(&self.secrets))
    }

    /// The message encrypted.
    ///
    /// # Errors
    /// None.
    pub fn private(&self, signed: &Signed, with: &Encryption) -> Answer<Vec<u8>> {
        signed.private(&self.secrets, &self.tree, with)
    }

    /// Data of the app.
    ///
    /// # Errors
    /// `UnknownSender`.
    pub fn say(&self, leaf: u32, text: &str, generation: u32) -> Answer<Vec<u8>> {
        let content = Content::Application(text.as_bytes().to_vec());
        let signed = self.signed(leaf, Format::Private, content)?;
        self.private(&signed, &Encryption::of(generation))
    }

    /// A proposal of a member in the clear, and what a commit says of it by reference.
    ///
    /// # Errors
    /// `UnknownSender`.
    pub fn propose(&self, leaf: u32, proposal: Proposal) -> Answer<(Vec<u8>, Listed)> {
        let content = Content::Proposal(proposal.clone());
        let signed = self.signed(leaf, Format::Public, content)?;
        let listed = Listed {
            proposal,
            sender: leaf,
            reference: Some(signed.reference()),
        };
        Ok((self.public(&signed), listed))
    }

    /// What a member that updates puts in the place of its leaf, with a new encryption key.
    ///
    /// # Errors
    /// `UnknownSender`.
    pub fn updated(&mut self, leaf: u32, change: impl FnOnce(&mut Leaf)) -> Answer<Leaf> {
        let signer = self.signer(leaf)?;
        let key = self.suite.pair(&self.draw.draw())?;
        let mut new = self.tree.leaf(leaf).ok_or(error("UnknownSender"))?.clone();
        new.encryption_key = key.public;
        new.source = Source::Update;
        change(&mut new);
        new.sign(self.suite, &signer, &self.context.group_id, leaf)?;
        Ok(new)
    }

    /// The proposal that begins an external commit, and the init secret.
    ///
    /// # Errors
    /// `InvalidKey`.
    pub fn external_init(&mut self) -> Answer<(Proposal, Hash)> {
        let external = self.suite.pair(&self.secrets.external)?;
        let random = self.draw.draw();
        let (kem_output, init) = self.suite.external_init(&external.public, &random)?;
        Ok((Proposal::ExternalInit(kem_output), init))
    }

    /// `GroupInfo`, with the tree and the external key if they are wanted.
    ///
    /// # Errors
    /// `UnknownSender`.
    pub fn info(&self, signer: u32, with_tree: bool, external_pub: bool) -> Answer<Info> {
        let mut all = Vec::new();
        if with_tree {
            all.push((RATCHET_TREE, self.tree.encode()));
        }
        if external_pub {
            let external = self.suite.pair(&self.secrets.external)?;
            all.push((EXTERNAL_PUB, vector(&external.public)));
        }
        let mut info = Info {
            context: self.context.clone(),
            extensions: all,
            tag: self.tag.clone(),
            signer,
            signature: Vec::new(),
        };
        info.sign(self.suite, &self.signer(signer)?)?;
        Ok(info)
    }

    /// A Welcome with the tree.
    ///
    /// # Errors
    /// `UnknownSender`.
    pub fn welcome(&self, signer: u32, invited: &[Invited<'_>]) -> Answer<Vec<u8>> {
        let info = self.info(signer, true, false)?;
        welcome(self.suite, &self.secrets, &info, &[], invited)
    }
}
