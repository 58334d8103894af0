//! Messages (§6).

use super::proposal::Proposal;
use super::schedule::{Context, Secrets, message_key};
use super::tree::Tree;
use super::{Hash, Pair, Suite, expand, mac, reference, vector};
use crate::model::Answer;

/// `Sender`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// A member, by its leaf.
    Member(u32),
    /// An external sender.
    External(u32),
    /// Who asks to be added.
    NewMemberProposal,
    /// Who joins by a commit.
    NewMemberCommit,
}

impl Sender {
    pub(super) fn encode(self) -> Vec<u8> {
        match self {
            Self::Member(leaf) => [vec![1], leaf.to_be_bytes().to_vec()].concat(),
            Self::External(index) => [vec![2], index.to_be_bytes().to_vec()].concat(),
            Self::NewMemberProposal => vec![3],
            Self::NewMemberCommit => vec![4],
        }
    }
}

/// What is sent.
#[derive(Clone, Debug)]
pub enum Content {
    /// Data of the app.
    Application(Vec<u8>),
    /// A proposal.
    Proposal(Proposal),
    /// `Commit`, encoded.
    Commit(Vec<u8>),
}

impl Content {
    const fn kind(&self) -> u8 {
        match self {
            Self::Application(_) => 1,
            Self::Proposal(_) => 2,
            Self::Commit(_) => 3,
        }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        match self {
            Self::Application(data) => vector(data),
            Self::Proposal(proposal) => proposal.encode(),
            Self::Commit(commit) => commit.clone(),
        }
    }
}

/// How it is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `PublicMessage`
    Public = 1,
    /// `PrivateMessage`
    Private = 2,
}

/// `AuthenticatedContent`, and the context that is signed along.
#[derive(Clone, Debug)]
pub struct Signed {
    /// The suite.
    pub suite: Suite,
    /// `wire_format`
    pub format: Format,
    /// The present epoch.
    pub context: Context,
    /// The group's id that the message says.
    pub group_id: Vec<u8>,
    /// The epoch that it says.
    pub epoch: u64,
    /// `sender`
    pub sender: Sender,
    /// `authenticated_data`
    pub authenticated_data: Vec<u8>,
    /// The content.
    pub content: Content,
    /// `signature`
    pub signature: Vec<u8>,
    /// `confirmation_tag` of a commit.
    pub tag: Option<Vec<u8>>,
}

/// How a message is encrypted.
#[derive(Clone, Debug)]
pub struct Encryption {
    /// The generation of the key.
    pub generation: u32,
    /// What the sender data say; none for the sender and this generation.
    pub sender_data: Option<(u32, u32)>,
    /// Bytes behind the content.
    pub padding: Vec<u8>,
}

impl Encryption {
    /// With the key of a generation and 16 zeros behind the text.
    #[must_use]
    pub fn of(generation: u32) -> Self {
        Self {
            generation,
            sender_data: None,
            padding: vec![0; 16],
        }
    }
}

impl Signed {
    /// Signs a content for a group.
    ///
    /// # Errors
    /// `InvalidKey`.
    pub fn new(
        suite: Suite,
        context: &Context,
        format: Format,
        sender: Sender,
        content: Content,
        signer: &Pair,
    ) -> Answer<Self> {
        let mut signed = Self {
            suite,
            format,
            context: context.clone(),
            group_id: context.group_id.clone(),
            epoch: context.epoch,
            sender,
            authenticated_data: b"in the clear".to_vec(),
            content,
            signature: Vec::new(),
            tag: None,
        };
        signed.sign(signer)?;
        Ok(signed)
    }

    /// Signs it anew.
    ///
    /// # Errors
    /// `InvalidKey`.
    pub fn sign(&mut self, signer: &Pair) -> Answer<()> {
        self.signature = self
            .suite
            .sign(signer, "FramedContentTBS", &self.to_be_signed())?;
        Ok(())
    }

    fn framed(&self) -> Vec<u8> {
        [
            vector(&self.group_id),
            self.epoch.to_be_bytes().to_vec(),
            self.sender.encode(),
            vector(&self.authenticated_data),
            vec![self.content.kind()],
            self.content.encode(),
        ]
        .concat()
    }

    fn format(&self) -> Vec<u8> {
        (self.format as u16).to_be_bytes().to_vec()
    }

    fn to_be_signed(&self) -> Vec<u8> {
        let context = match self.sender {
            Sender::Member(_) | Sender::NewMemberCommit => self.context.encode(),
            Sender::External(_) | Sender::NewMemberProposal => Vec::new(),
        };
        [vec![0, 1], self.format(), self.framed(), context].concat()
    }

    fn auth(&self) -> Vec<u8> {
        let tag = self.tag.as_ref().map(|tag| vector(tag));
        [vector(&self.signature), tag.unwrap_or_default()].concat()
    }

    /// `ConfirmedTranscriptHashInput`
    #[must_use]
    pub fn transcript_input(&self) -> Vec<u8> {
        [self.format(), self.framed(), vector(&self.signature)].concat()
    }

    /// `ProposalRef`
    #[must_use]
    pub fn reference(&self) -> Hash {
        let whole = [self.format(), self.framed(), self.auth()].concat();
        reference("Proposal Reference", &whole)
    }

    /// The membership tag.
    #[must_use]
    pub fn membership_tag(&self, secrets: &Secrets) -> Vec<u8> {
        let content = [self.to_be_signed(), self.auth()].concat();
        mac(&secrets.membership, &content).to_vec()
    }

    /// `PublicMessage`, with the tag given if the sender is a member.
    #[must_use]
    pub fn public(&self, membership_tag: &[u8]) -> Vec<u8> {
        let tag = match self.sender {
            Sender::Member(_) => vector(membership_tag),
            _ => Vec::new(),
        };
        [vec![0, 1, 0, 1], self.framed(), self.auth(), tag].concat()
    }

    /// `PrivateMessage`
    ///
    /// # Errors
    /// None.
    pub fn private(&self, secrets: &Secrets, tree: &Tree, with: &Encryption) -> Answer<Vec<u8>> {
        let leaf = match self.sender {
            Sender::Member(leaf) => leaf,
            _ => 0,
        };
        let handshake = self.content.kind() != 1;
        let number = with.generation;
        let (key, mut nonce) = message_key(
            self.suite,
            &secrets.encryption,
            tree,
            leaf,
            handshake,
            number,
        )?;
        let guard = [0x5a, 0xc3, number as u8, leaf as u8];
        for (byte, guard) in nonce.iter_mut().zip(guard) {
            *byte ^= guard;
        }
        let sender_ad = [
            vector(&self.group_id),
            self.epoch.to_be_bytes().to_vec(),
            vec![self.content.kind()],
        ]
        .concat();
        let content_ad = [sender_ad.clone(), vector(&self.authenticated_data)].concat();
        let text = [self.content.encode(), self.auth(), with.padding.clone()].concat();
        let sealed = self.suite.seal(&key, &nonce, &content_ad, &text)?;
        let sample = sealed.get(..32).unwrap_or(&sealed);
        let key = expand(&secrets.sender_data, "key", sample, self.suite.key_length())?;
        let nonce = expand(&secrets.sender_data, "nonce", sample, 12)?;
        let (said_leaf, said_number) = with.sender_data.unwrap_or((leaf, number));
        let data = [said_leaf.to_be_bytes(), said_number.to_be_bytes(), guard].concat();
        let data = self.suite.seal(&key, &nonce, &sender_ad, &data)?;
        Ok([vec![0, 1, 0, 2], content_ad, vector(&data), vector(&sealed)].concat())
    }
}
