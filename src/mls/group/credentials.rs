//! What the app is asked about credentials (RFC 9420 §5.3.1).

use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::memory;
use crate::mls::credential::Credential;
use crate::mls::error::Error;
use crate::mls::extension::ExternalSender;
use crate::mls::leaf_node::LeafNode;
use crate::mls::math::LeafIndex;
use crate::mls::signature::SignaturePublicKey;

/// A credential that comes into a group, or takes another one's place. The app says whether it is true, and, where it
/// replaces one, whether it is the same client's.
#[derive(Clone, Copy, Debug)]
pub struct NewCredential<'a> {
    /// The leaf that has it, or will have; none for an external sender, and for a member whose place is not known yet.
    pub leaf: Option<LeafIndex>,
    /// The credential.
    pub credential: &'a Credential,
    /// The key that it vouches for.
    pub signature_key: &'a SignaturePublicKey,
    /// The credential that it replaces.
    pub replaces: Option<&'a Credential>,
    /// Whether it is that of an external sender, who may propose and is no member.
    pub is_external_sender: bool,
}

/// Credentials that wait for the app's word.
#[derive(Default)]
pub(super) struct Credentials(Vec<Waiting>);

struct Waiting {
    leaf: Option<LeafIndex>,
    new: Holder,
    replaces: Option<Arc<LeafNode>>,
}

enum Holder {
    Leaf(Arc<LeafNode>),
    Sender(ExternalSender),
}

impl Credentials {
    /// A leaf that is new, or that replaces another; nothing if neither credential nor key has changed.
    pub(super) fn leaf(
        &mut self,
        leaf: Option<LeafIndex>,
        new: Arc<LeafNode>,
        replaces: Option<Arc<LeafNode>>,
    ) {
        let same = replaces.as_ref().is_some_and(|old| {
            old.credential == new.credential && old.signature_key == new.signature_key
        });
        if !same {
            let waiting = Waiting {
                leaf,
                new: Holder::Leaf(new),
                replaces,
            };
            memory::push(&mut self.0, waiting);
        }
    }

    pub(super) fn external_sender(&mut self, sender: ExternalSender) {
        let waiting = Waiting {
            leaf: None,
            new: Holder::Sender(sender),
            replaces: None,
        };
        memory::push(&mut self.0, waiting);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = NewCredential<'_>> {
        self.0.iter().map(|waiting| {
            let (credential, signature_key, is_external_sender) = match &waiting.new {
                Holder::Leaf(leaf) => (&leaf.credential, &leaf.signature_key, false),
                Holder::Sender(sender) => (&sender.credential, &sender.signature_key, true),
            };
            NewCredential {
                leaf: waiting.leaf,
                credential,
                signature_key,
                replaces: waiting.replaces.as_ref().map(|old| &old.credential),
                is_external_sender,
            }
        })
    }

    /// Asks about each.
    pub(super) fn approve(
        &self,
        decide: impl FnMut(NewCredential<'_>) -> bool,
    ) -> Result<(), Error> {
        let mut all = self.iter();
        if all.all(decide) {
            Ok(())
        } else {
            Err(Error::Refused)
        }
    }
}
