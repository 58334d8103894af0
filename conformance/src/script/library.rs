//! The library's device of a script.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::vec::Vec;

use subrosa::crypto::Secret;
use subrosa::hazmat::{self, Given};
use subrosa::session::Opened as LibraryOpened;
use subrosa::{
    Action, Address, Bundle, Conversation, DeviceIdentity, Directory, Incoming, Prekeys,
    StagedFirst,
};

use super::{Answer, Arrival, Beginning, Device, Opened, Sealing, Secrets, Staged, Store};
use crate::op::{Refusal, refused};

/// A device of this library, with a conversation for each address.
pub struct LibraryDevice {
    identity: DeviceIdentity,
    prekeys: Option<Prekeys>,
    conversations: BTreeMap<Vec<u8>, Conversation>,
    directory: Directory<Vec<u8>>,
    staged: BTreeMap<Vec<u8>, StagedFirst>,
}

fn no_prekeys() -> Refusal {
    Refusal::Invalid("the device has no prekeys".to_owned())
}

/// That every value given was used.
fn require_used(given: &Given) -> Answer<()> {
    match given.left() {
        0 => Ok(()),
        left => Err(Refusal::Invalid(format!(
            "{left} of the values given are not used"
        ))),
    }
}

impl LibraryDevice {
    fn bare(identity: DeviceIdentity) -> Self {
        Self {
            identity,
            prekeys: None,
            conversations: BTreeMap::new(),
            directory: Directory::new(),
            staged: BTreeMap::new(),
        }
    }

    fn keep(&mut self, address: Vec<u8>, conversation: Conversation) {
        self.directory.update(&address, &conversation);
        self.conversations.insert(address, conversation);
    }

    /// The conversation with an address, to be changed.
    fn change<T>(
        &mut self,
        address: &[u8],
        change: impl FnOnce(&mut Conversation) -> Answer<T>,
    ) -> Answer<T> {
        let found = self.conversations.get_mut(address);
        let conversation = found.ok_or(Refusal::Error("NoSession".to_owned()))?;
        let result = change(conversation)?;
        self.directory.update(&address.to_vec(), conversation);
        Ok(result)
    }

    fn stage(&mut self, message: &[u8], incoming: &Incoming<'_>, now: u64) -> Answer<Arrival> {
        let prekeys = self.prekeys.as_ref().ok_or_else(no_prekeys)?;
        let staged = StagedFirst::stage(incoming, &self.identity, prekeys, now).map_err(refused)?;
        let keys = staged.peer().keys();
        let result = Staged {
            peer: staged.peer().address().as_bytes().to_vec(),
            iks: *keys.signing_key().as_bytes(),
            ikd: *keys.dh_key().as_bytes(),
            created_at: staged.created_at(),
            one_time_dh: staged.one_time().dh,
            one_time_kem: staged.one_time().kem,
        };
        self.staged.insert(message.to_vec(), staged);
        Ok(Arrival::Staged(result))
    }

    /// Whether a first message with this id began a state of a conversation that is still there at `now`.
    fn is_begun_by(&self, address: &[u8], first_id: &[u8; 16], now: u64) -> bool {
        let stored = self.conversations.get(address).map(hazmat::encode);
        let copy = stored.and_then(|stored| hazmat::decode::<Conversation>(&stored.ok()?).ok());
        copy.is_some_and(|mut copy| {
            copy.expire(now);
            copy.first_ids().any(|id| id == first_id)
        })
    }

    fn verdict(&mut self, message: &[u8]) -> Answer<StagedFirst> {
        let staged = self.staged.remove(message);
        staged.ok_or_else(|| Refusal::Invalid("the message is not staged".to_owned()))
    }
}

impl Device for LibraryDevice {
    fn new(secrets: &Secrets) -> Answer<Self> {
        let address = Address::new(&secrets.address).map_err(refused)?;
        let seed = Secret::new(secrets.signing_seed);
        let identity = DeviceIdentity::from_secrets(address, &seed, Secret::new(secrets.dh_secret));
        Ok(Self::bare(identity.map_err(refused)?))
    }

    fn load(store: &Store) -> Answer<Self> {
        let mut device = Self::bare(hazmat::decode(&store.identity).map_err(refused)?);
        if let Some(prekeys) = &store.prekeys {
            device.prekeys = Some(hazmat::decode(prekeys).map_err(refused)?);
        }
        for (address, conversation) in &store.conversations {
            let conversation = hazmat::decode(conversation).map_err(refused)?;
            device.keep(address.clone(), conversation);
        }
        Ok(device)
    }

    fn store(&self) -> Answer<Store> {
        let prekeys = self.prekeys.as_ref().map(hazmat::encode);
        let mut conversations = BTreeMap::new();
        for (address, conversation) in &self.conversations {
            let conversation = hazmat::encode(conversation).map_err(refused)?;
            conversations.insert(address.clone(), conversation);
        }
        Ok(Store {
            identity: hazmat::encode(&self.identity).map_err(refused)?,
            prekeys: prekeys.transpose().map_err(refused)?,
            conversations,
        })
    }

    fn rotate(&mut self, now: u64, spk: [u8; 32], kem: [u8; 64]) -> Answer<()> {
        let mut given = Given::new([spk.to_vec(), kem.to_vec()]);
        match &mut self.prekeys {
            Some(prekeys) => hazmat::rotate(prekeys, now, &mut given).map_err(refused)?,
            none => *none = Some(hazmat::generate_prekeys(now, &mut given).map_err(refused)?),
        }
        require_used(&given)
    }

    fn replenish(&mut self, now: u64, keys: &[([u8; 32], [u8; 64])]) -> Answer<Vec<Vec<u8>>> {
        let values = keys
            .iter()
            .flat_map(|(opk, kem)| [opk.to_vec(), kem.to_vec()]);
        let mut given = Given::new(values);
        let prekeys = self.prekeys.as_mut().ok_or_else(no_prekeys)?;
        let bundles = hazmat::replenish(prekeys, &self.identity, keys.len(), now, &mut given);
        require_used(&given)?;
        bundles.map_err(refused)
    }

    fn last_resort_bundle(&self) -> Answer<Vec<u8>> {
        let prekeys = self.prekeys.as_ref().ok_or_else(no_prekeys)?;
        prekeys.last_resort_bundle(&self.identity).map_err(refused)
    }

    fn begin(&mut self, bundle: &[u8], now: u64, given: Beginning) -> Answer<Vec<u8>> {
        let bundle = Bundle::parse(bundle).and_then(|bundle| bundle.verify(now));
        let bundle = bundle.map_err(refused)?;
        let address = bundle.identity().address().as_bytes().to_vec();
        let Beginning { ek, m, ratchet } = given;
        let mut given = Given::new([ek.to_vec(), m.to_vec(), ratchet.to_vec()]);
        let device = &self.identity;
        let mut begin = |conversation: &mut Conversation| {
            hazmat::begin(conversation, device, &bundle, now, &mut given).map_err(refused)
        };
        match self.conversations.get_mut(&address) {
            Some(conversation) => {
                begin(conversation)?;
                self.directory.update(&address, conversation);
            }
            None => {
                let mut conversation = Conversation::new(*bundle.identity());
                begin(&mut conversation)?;
                self.keep(address.clone(), conversation);
            }
        }
        require_used(&given)?;
        Ok(address)
    }

    fn seal(&mut self, peer: &[u8], text: &[u8], now: u64, values: &Sealing) -> Answer<Vec<u8>> {
        let drawn = [
            values.ratchet.map(|value| value.to_vec()),
            values.braid_seed.map(|value| value.to_vec()),
            values.braid_m.map(|value| value.to_vec()),
            Some(values.r32.to_vec()),
        ];
        let mut given = Given::new(drawn.into_iter().flatten());
        let message = self.change(peer, |conversation| {
            hazmat::seal(conversation, text, now, &mut given).map_err(refused)
        })?;
        require_used(&given)?;
        Ok(message)
    }

    fn open(&mut self, message: &[u8], now: u64) -> Answer<Arrival> {
        let incoming = Incoming::parse(message).map_err(refused)?;
        let mut found: Vec<Vec<u8>> = self.directory.find(&incoming).cloned().collect();
        if let Some(first_id) = incoming.first_id() {
            // A state past its time takes part in nothing (SPEC §11.3-R7), deleted or not.
            found.retain(|address| self.is_begun_by(address, &first_id, now));
            if found.is_empty() {
                return self.stage(message, &incoming, now);
            }
        }
        let mut result = Err(Refusal::Error("NoSession".to_owned()));
        for address in found {
            result = self.change(&address, |conversation| {
                let opened = conversation.open(&incoming, now).map_err(refused)?;
                Ok(Arrival::Opened(shown(&address, opened)))
            });
            // Of two conversations with one tag the other one is tried only where the header is not of the first.
            if result != Err(Refusal::Error("Malformed".to_owned())) {
                break;
            }
        }
        result
    }

    fn accept(&mut self, message: &[u8], now: u64) -> Answer<Opened> {
        let staged = self.verdict(message)?;
        let address = staged.peer().address().as_bytes().to_vec();
        let peer = *staged.peer();
        let prekeys = self.prekeys.as_mut().ok_or_else(no_prekeys)?;
        let opened = match self.conversations.get_mut(&address) {
            Some(conversation) => {
                let opened = staged.accept(conversation, prekeys, now).map_err(refused)?;
                self.directory.update(&address, conversation);
                opened
            }
            None => {
                let mut conversation = Conversation::new(peer);
                let opened = staged.accept(&mut conversation, prekeys, now);
                let opened = opened.map_err(refused)?;
                self.keep(address.clone(), conversation);
                opened
            }
        };
        Ok(shown(&address, opened))
    }

    fn refuse(&mut self, message: &[u8]) -> Answer<()> {
        let staged = self.verdict(message)?;
        let prekeys = self.prekeys.as_mut().ok_or_else(no_prekeys)?;
        staged.refuse(prekeys).map_err(refused)
    }

    fn expire(&mut self, now: u64) {
        if let Some(prekeys) = &mut self.prekeys {
            prekeys.expire(now);
        }
        for (address, conversation) in &mut self.conversations {
            conversation.expire(now);
            self.directory.update(address, conversation);
        }
    }
}

fn shown(peer: &[u8], opened: LibraryOpened) -> Opened {
    let events = [
        ("forked", opened.forked),
        ("gap_dropped", opened.gap_dropped),
        ("pq_broken", opened.pq_broken),
        ("old_state", opened.old_state),
    ];
    let events = events.into_iter().filter(|(_, happened)| *happened);
    Opened {
        peer: peer.to_vec(),
        text: opened.text,
        events: events.map(|(name, _)| name).collect(),
        begin_anew: opened.action == Action::BeginAnew,
    }
}
