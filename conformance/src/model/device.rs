//! A device of a script (see [`crate::script`]).

use std::collections::BTreeMap;

use super::agreement::{Bundle, Identity, Response, Secrets, respond};
use super::braid::Drawn;
use super::conversation::{Incoming, Opened};
use super::ratchet::Opening;
use super::stored::{self, Conversation, Layout, Prekeys, Ratchet};
use super::{Answer, error, require};
use crate::op::Refusal;
use crate::script::{self, Arrival, Beginning, Device, Sealing, Staged, Store};

/// A device of the model, with a conversation for each address.
pub struct ModelDevice {
    secrets: Secrets,
    prekeys: Option<Prekeys>,
    conversations: BTreeMap<Vec<u8>, Conversation>,
    staged: BTreeMap<Vec<u8>, StagedFirst>,
}

struct StagedFirst {
    response: Response,
    prefix: Vec<u8>,
    opening: Opening,
}

fn no_prekeys() -> Refusal {
    Refusal::Invalid("the device has no prekeys".to_owned())
}

fn pinned(identity: &Identity) -> Conversation {
    Conversation {
        address: identity.address.clone(),
        iks: identity.iks,
        ikd: identity.ikd,
        last_created_at: 0,
        states: Vec::new(),
    }
}

fn shown(peer: &[u8], opened: Opened) -> script::Opened {
    let mut events = Vec::new();
    if opened.forked {
        events.push("forked");
    }
    if opened.gap_dropped {
        events.push("gap_dropped");
    }
    if opened.pq_broken {
        events.push("pq_broken");
    }
    if opened.old_state {
        events.push("old_state");
    }
    script::Opened {
        peer: peer.to_vec(),
        text: opened.text,
        events,
        begin_anew: opened.begin_anew,
    }
}

impl ModelDevice {
    /// The conversation with an address, as its fields.
    #[must_use]
    pub fn conversation(&self, address: &[u8]) -> Option<&Conversation> {
        self.conversations.get(address)
    }

    /// The prekeys, as their fields.
    #[must_use]
    pub const fn prekeys(&self) -> Option<&Prekeys> {
        self.prekeys.as_ref()
    }

    fn stage(&mut self, message: &[u8], incoming: &Incoming, now: u64) -> Answer<Arrival> {
        let (prefix, bytes) = incoming.prefix.as_ref().ok_or(error("NoSession"))?;
        let prekeys = self.prekeys.as_ref().ok_or_else(no_prekeys)?;
        let response = respond(&self.secrets, prekeys, prefix, now)?;
        let agreement = &response.agreement;
        let opening = Ratchet::respond(
            &agreement.sk,
            &agreement.sid,
            &response.spk,
            &incoming.frame,
        )?;
        let staged = Staged {
            peer: response.peer.address.clone(),
            iks: response.peer.iks,
            ikd: response.peer.ikd,
            created_at: response.created_at,
            one_time_dh: response.used.opk_id.is_some(),
            one_time_kem: response.used.kem_id.is_some(),
        };
        let first = StagedFirst {
            response,
            prefix: bytes.clone(),
            opening,
        };
        self.staged.insert(message.to_vec(), first);
        Ok(Arrival::Staged(staged))
    }

    fn verdict(&mut self, message: &[u8]) -> Answer<StagedFirst> {
        let staged = self.staged.remove(message);
        staged.ok_or_else(|| Refusal::Invalid("the message is not staged".to_owned()))
    }
}

impl Device for ModelDevice {
    fn new(secrets: &script::Secrets) -> Answer<Self> {
        require((1..=47).contains(&secrets.address.len()), "Malformed")?;
        Ok(Self {
            secrets: Secrets {
                address: secrets.address.clone(),
                seed: secrets.signing_seed,
                secret: secrets.dh_secret,
            },
            prekeys: None,
            conversations: BTreeMap::new(),
            staged: BTreeMap::new(),
        })
    }

    fn load(store: &Store) -> Answer<Self> {
        let identity = stored::Identity::decode(&store.identity)?;
        let mut device = Self::new(&script::Secrets {
            address: identity.address,
            signing_seed: identity.seed,
            dh_secret: identity.secret,
        })?;
        if let Some(prekeys) = &store.prekeys {
            device.prekeys = Some(Prekeys::decode(prekeys)?);
        }
        for (address, conversation) in &store.conversations {
            let conversation = Conversation::decode(conversation)?;
            device.conversations.insert(address.clone(), conversation);
        }
        Ok(device)
    }

    fn store(&self) -> Answer<Store> {
        let Secrets {
            address,
            seed,
            secret,
        } = self.secrets.clone();
        let identity = stored::Identity {
            address,
            seed,
            secret,
        };
        let conversations = self.conversations.iter();
        Ok(Store {
            identity: identity.encode(),
            prekeys: self.prekeys.as_ref().map(Layout::encode),
            conversations: conversations
                .map(|(address, conversation)| (address.clone(), conversation.encode()))
                .collect(),
        })
    }

    fn rotate(&mut self, now: u64, spk: [u8; 32], kem: [u8; 64]) -> Answer<()> {
        match &mut self.prekeys {
            Some(prekeys) => prekeys.rotate(now, spk, kem)?,
            none => *none = Some(Prekeys::generate(now, spk, kem)?),
        }
        Ok(())
    }

    fn replenish(&mut self, now: u64, keys: &[([u8; 32], [u8; 64])]) -> Answer<Vec<Vec<u8>>> {
        let prekeys = self.prekeys.as_mut().ok_or_else(no_prekeys)?;
        prekeys.replenish(&self.secrets, now, keys)
    }

    fn last_resort_bundle(&self) -> Answer<Vec<u8>> {
        let prekeys = self.prekeys.as_ref().ok_or_else(no_prekeys)?;
        prekeys.last_resort_bundle(&self.secrets)
    }

    fn begin(&mut self, bundle: &[u8], now: u64, given: Beginning) -> Answer<Vec<u8>> {
        let bundle = Bundle::verify(bundle, now)?;
        let address = bundle.identity.address.clone();
        let mut conversation = match self.conversations.get(&address) {
            Some(conversation) => conversation.clone(),
            None => pinned(&bundle.identity),
        };
        let given = (given.ek, given.m, given.ratchet);
        conversation.begin(&self.secrets, &bundle, now, given)?;
        self.conversations.insert(address.clone(), conversation);
        Ok(address)
    }

    fn seal(&mut self, peer: &[u8], text: &[u8], now: u64, values: &Sealing) -> Answer<Vec<u8>> {
        let conversation = self.conversations.get_mut(peer).ok_or(error("NoSession"))?;
        let drawn = Drawn {
            seed: values.braid_seed,
            m: values.braid_m,
        };
        conversation.seal(text, now, (values.ratchet.as_ref(), drawn), &values.r32)
    }

    fn open(&mut self, message: &[u8], now: u64) -> Answer<Arrival> {
        let incoming = Incoming::parse(message)?;
        let mut found = self.conversations.iter_mut();
        match found.find(|(_, conversation)| conversation.is_found(&incoming, now)) {
            Some((address, conversation)) => {
                let opened = conversation.open(&incoming, now)?;
                Ok(Arrival::Opened(shown(address, opened)))
            }
            None => self.stage(message, &incoming, now),
        }
    }

    fn accept(&mut self, message: &[u8], now: u64) -> Answer<script::Opened> {
        let staged = self.verdict(message)?;
        let peer = &staged.response.peer;
        let new = pinned(peer);
        let conversation = self.conversations.get(&peer.address).unwrap_or(&new);
        let same = (conversation.iks, conversation.ikd) == (peer.iks, peer.ikd);
        require(same, "IdentityChanged")?;
        let mut conversation = conversation.clone();
        let prekeys = self.prekeys.as_mut().ok_or_else(no_prekeys)?;
        prekeys.consume(&staged.response.used)?;
        let old_state =
            conversation.accept(&staged.response, &staged.prefix, staged.opening.after, now)?;
        let address = peer.address.clone();
        self.conversations.insert(address.clone(), conversation);
        let opened = Opened {
            text: staged.opening.text,
            forked: false,
            gap_dropped: false,
            pq_broken: staged.opening.pq_broken,
            old_state,
            begin_anew: staged.opening.pq_broken,
        };
        Ok(shown(&address, opened))
    }

    fn refuse(&mut self, message: &[u8]) -> Answer<()> {
        let staged = self.verdict(message)?;
        let prekeys = self.prekeys.as_mut().ok_or_else(no_prekeys)?;
        prekeys.consume(&staged.response.used)
    }

    fn expire(&mut self, now: u64) {
        if let Some(prekeys) = &mut self.prekeys {
            prekeys.expire(now);
        }
        for conversation in self.conversations.values_mut() {
            conversation.expire(now);
        }
    }
}
