//! A script while it is written: every step is done at once, by the library and by the model, and both must agree on
//! its result and on every byte that is stored afterwards. The script says what the result must be.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::generate::Cases;
use crate::model::braid::Draw;
use crate::model::device::ModelDevice;
use crate::model::formula::{self, Bytes32, Message};
use crate::model::prekeys::DAY;
use crate::model::stored::{Braid, Conversation, Layout, Origin, Ratchet, Turn};
use crate::op::{Input, VERB};
use crate::script::{Device, LibraryDevice, Secrets, Store, World};

/// 2026-01-01, in milliseconds: when every script begins.
pub(in crate::sections) const NOW: u64 = 1_767_225_600_000;
pub(in crate::sections) const HOUR: u64 = DAY / 24;

pub(in crate::sections) struct Play<'a> {
    cases: &'a mut Cases,
    id: String,
    comment: String,
    /// Values of another variant are others.
    variant: u32,
    addresses: BTreeMap<String, Vec<u8>>,
    /// Texts that are not the names of their messages.
    texts: BTreeMap<String, Vec<u8>>,
    library: World<LibraryDevice>,
    model: World<ModelDevice>,
    devices: Vec<Value>,
    steps: Vec<Value>,
    results: Vec<Value>,
    now: u64,
}

impl<'a> Play<'a> {
    pub(in crate::sections) fn new(cases: &'a mut Cases, id: &str, comment: &str) -> Self {
        Self {
            cases,
            id: id.to_owned(),
            comment: comment.to_owned(),
            variant: 0,
            addresses: BTreeMap::new(),
            texts: BTreeMap::new(),
            library: World::new(),
            model: World::new(),
            devices: Vec::new(),
            steps: Vec::new(),
            results: Vec::new(),
            now: NOW,
        }
    }

    /// A script whose values depend on `variant` as well.
    pub(in crate::sections) fn variant(
        cases: &'a mut Cases,
        id: &str,
        comment: &str,
        variant: u32,
    ) -> Self {
        Self {
            variant,
            ..Self::new(cases, id, comment)
        }
    }

    /// Alice and Bob, each with prekeys.
    pub(in crate::sections) fn of_two(cases: &'a mut Cases, id: &str, comment: &str) -> Self {
        Self::new(cases, id, comment).with_two()
    }

    pub(in crate::sections) fn with_two(mut self) -> Self {
        for name in ["alice", "bob"] {
            self.device(name);
            self.rotate(name);
        }
        self
    }

    /// Alice and Bob, each having read a message of the other.
    pub(in crate::sections) fn of_two_in_touch(
        cases: &'a mut Cases,
        id: &str,
        comment: &str,
    ) -> Self {
        let mut play = Self::of_two(cases, id, comment);
        play.bundle("bob", "bundle");
        play.begin("alice", "bundle");
        play.seal("alice", "bob", "hello");
        play.takes("bob", "hello");
        play.seal("bob", "alice", "hi");
        play.reads("alice", "hi");
        play
    }

    fn fault(&mut self, why: &str) {
        let step = self.steps.len();
        let id = &self.id;
        self.cases.fault(format!("{id}: step {step}: {why}"));
    }

    fn bytes(&self, name: &str, length: usize) -> Vec<u8> {
        let Self { id, variant, .. } = self;
        match variant {
            0 => self.cases.bytes(&format!("{id}: {name}"), length),
            _ => self.cases.bytes(&format!("{id} {variant}: {name}"), length),
        }
    }

    fn hex(&self, name: &str, length: usize) -> String {
        hex::encode(self.bytes(name, length))
    }

    /// A secret of this script.
    pub(in crate::sections) fn secret(&self, name: &str) -> Bytes32 {
        self.bytes(name, 32)
            .first_chunk()
            .copied()
            .unwrap_or_default()
    }

    /// A value that no step before had.
    fn fresh(&self, what: &str, length: usize) -> String {
        self.hex(&format!("{what} {}", self.steps.len()), length)
    }

    pub(in crate::sections) fn wait(&mut self, milliseconds: u64) {
        self.now = self.now.saturating_add(milliseconds);
    }

    /// The clock of whoever acts next.
    pub(in crate::sections) const fn at(&mut self, now: u64) {
        self.now = now;
    }

    /// A device whose address is its name.
    pub(in crate::sections) fn device(&mut self, name: &str) {
        self.device_with(name, name, name);
    }

    /// A device with the address of one and the secrets of one.
    pub(in crate::sections) fn device_with(&mut self, name: &str, address: &str, secrets: &str) {
        let secrets = Secrets {
            address: address.as_bytes().to_vec(),
            signing_seed: self.secret(&format!("{secrets} signing seed")),
            dh_secret: self.secret(&format!("{secrets} dh secret")),
        };
        self.devices.push(json!({
            "name": name,
            "address": hex::encode(&secrets.address),
            "signing_seed": hex::encode(secrets.signing_seed),
            "dh_secret": hex::encode(secrets.dh_secret),
        }));
        let added = [
            self.library.add(name, &secrets),
            self.model.add(name, &secrets),
        ];
        if added != [Ok(()), Ok(())] {
            self.fault("no such device");
        }
        self.addresses.insert(name.to_owned(), secrets.address);
    }

    fn address(&self, name: &str) -> Vec<u8> {
        self.addresses.get(name).cloned().unwrap_or_default()
    }

    /// Does a step both ways.
    fn step(&mut self, verb: &str, device: Option<&str>, fields: Value) -> Map<String, Value> {
        let mut step = Map::new();
        step.insert(VERB.to_owned(), verb.into());
        if let Some(device) = device {
            step.insert("device".to_owned(), device.into());
        }
        if let Value::Object(fields) = fields {
            step.extend(fields);
        }
        let result = self.library.step(&Input::new(&step));
        let by_model = self.model.step(&Input::new(&step));
        if result != by_model {
            self.fault(&format!(
                "{verb}: {result:?} by the library, {by_model:?} by the model"
            ));
        }
        if let Some(device) = device
            && self.stored(device) != self.model_stored(device)
        {
            self.fault(&format!("{verb}: library and model store different states"));
        }
        let result = result.unwrap_or_default();
        self.steps.push(step.into());
        self.results.push(result.clone().into());
        result
    }

    /// Does a step whose result must be this one.
    fn expect(&mut self, verb: &str, device: &str, fields: Value, expected: &Value) {
        let result = Value::Object(self.step(verb, Some(device), fields));
        if result != *expected {
            self.fault(&format!("{verb}: expected {expected}, found {result}"));
        }
    }

    /// Everything that a device stores.
    pub(in crate::sections) fn stored(&self, device: &str) -> Option<Store> {
        self.library.device(device).and_then(Device::store).ok()
    }

    fn model_stored(&self, device: &str) -> Option<Store> {
        self.model.device(device).and_then(Device::store).ok()
    }

    /// The fields of what a device keeps about the address of another one.
    pub(in crate::sections) fn conversation(
        &self,
        device: &str,
        peer: &str,
    ) -> Option<Conversation> {
        let device = self.model.device(device).ok()?;
        device.conversation(&self.address(peer)).cloned()
    }

    /// The ratchet of the state of greatest rank.
    pub(in crate::sections) fn ratchet(&self, device: &str, peer: &str) -> Option<Ratchet> {
        let conversation = self.conversation(device, peer)?;
        conversation
            .states
            .last()
            .map(|state| state.ratchet.clone())
    }

    /// The bytes of a message.
    pub(in crate::sections) fn message(&self, name: &str) -> Vec<u8> {
        self.library
            .message(name)
            .map(<[u8]>::to_vec)
            .unwrap_or_default()
    }

    /// The bytes of a bundle.
    pub(in crate::sections) fn bundle_bytes(&self, name: &str) -> Vec<u8> {
        self.library
            .bundle(name)
            .map(<[u8]>::to_vec)
            .unwrap_or_default()
    }

    /// That a message is a FIRST, or a MSG.
    pub(in crate::sections) fn is_first(&mut self, name: &str, first: bool) {
        let kind = if first { [1, 1] } else { [1, 2] };
        if !self.message(name).starts_with(&kind) {
            self.fault(&format!("{name} is of another kind"));
        }
    }

    pub(in crate::sections) fn rotate(&mut self, device: &str) {
        let fields = json!({
            "now": self.now.to_string(), "spk": self.fresh("spk", 32), "kem": self.fresh("kem", 64),
        });
        self.expect("rotate", device, fields, &json!({}));
    }

    /// One one-time bundle.
    pub(in crate::sections) fn bundle(&mut self, device: &str, name: &str) {
        let key = json!({"as": name, "opk": self.fresh("opk", 32), "kem": self.fresh("one-time kem", 64)});
        let fields = json!({"now": self.now.to_string(), "keys": [key]});
        self.step("replenish", Some(device), fields);
    }

    pub(in crate::sections) fn last_resort(&mut self, device: &str, name: &str) {
        self.step("last_resort_bundle", Some(device), json!({"as": name}));
    }

    fn beginning(&self, bundle: &str) -> Value {
        json!({
            "bundle": bundle, "now": self.now.to_string(), "ek": self.fresh("ek", 32), "m": self.fresh("m", 32),
            "ratchet": self.fresh("ratchet", 32),
        })
    }

    pub(in crate::sections) fn begin(&mut self, device: &str, bundle: &str) {
        let fields = self.beginning(bundle);
        let result = self.step("begin", Some(device), fields);
        if !result.contains_key("peer") {
            self.fault(&format!("begin: {result:?}"));
        }
    }

    pub(in crate::sections) fn begin_fails(&mut self, device: &str, bundle: &str, error: &str) {
        let fields = self.beginning(bundle);
        self.expect("begin", device, fields, &json!({"error": error}));
    }

    /// The fields of a step that seals a text, with the values that it draws.
    fn sealing(&self, device: &str, peer: &str, text: &[u8], name: &str, r32: String) -> Value {
        let draws = self
            .ratchet(device, peer)
            .map(|ratchet| ratchet.draws(text));
        let begins = draws.is_some_and(|draws| draws.ratchet);
        let braid = draws.and_then(|draws| draws.braid);
        json!({
            "peer": hex::encode(self.address(peer)), "text": hex::encode(text), "now": self.now.to_string(),
            "ratchet": begins.then(|| self.fresh("ratchet", 32)),
            "braid_seed": (braid == Some(Draw::Seed)).then(|| self.fresh("braid seed", 64)),
            "braid_m": (braid == Some(Draw::M)).then(|| self.fresh("braid m", 32)),
            "r32": r32, "as": name,
        })
    }

    /// Seals the text `name`.
    pub(in crate::sections) fn seal(&mut self, device: &str, peer: &str, name: &str) {
        let r32 = self.fresh("r32", 32);
        self.seal_as(device, peer, name, name, &r32);
    }

    /// Seals a text with a given r32.
    pub(in crate::sections) fn seal_as(
        &mut self,
        device: &str,
        peer: &str,
        text: &str,
        name: &str,
        r32: &str,
    ) {
        self.seal_bytes(device, peer, text.as_bytes(), name, r32);
    }

    /// Seals a text of so many bytes.
    pub(in crate::sections) fn seal_long(
        &mut self,
        device: &str,
        peer: &str,
        name: &str,
        length: usize,
    ) {
        let text = self.bytes(&format!("text {name}"), length);
        self.texts.insert(name.to_owned(), text.clone());
        let r32 = self.fresh("r32", 32);
        self.seal_bytes(device, peer, &text, name, &r32);
    }

    fn seal_bytes(&mut self, device: &str, peer: &str, text: &[u8], name: &str, r32: &str) {
        let fields = self.sealing(device, peer, text, name, r32.to_owned());
        let result = self.step("seal", Some(device), fields);
        if !result.contains_key("message") {
            self.fault(&format!("seal: {result:?}"));
        }
    }

    pub(in crate::sections) fn seal_fails(&mut self, device: &str, peer: &str, error: &str) {
        let fields = self.sealing(device, peer, b"never", "never", self.fresh("r32", 32));
        self.expect("seal", device, fields, &json!({"error": error}));
    }

    /// Seals so many messages that never arrive.
    pub(in crate::sections) fn lose(&mut self, device: &str, peer: &str, count: u32) {
        let fields = json!({
            "peer": hex::encode(self.address(peer)), "count": count, "now": self.now.to_string(),
            "r32": self.fresh("r32", 32),
        });
        self.expect("lose", device, fields, &json!({}));
    }

    /// The text of a message: its name up to a space, if it has no other.
    fn text(&self, message: &str) -> Vec<u8> {
        let name = message.split(' ').next().unwrap_or_default();
        let known = self.texts.get(message).cloned();
        known.unwrap_or_else(|| name.as_bytes().to_vec())
    }

    /// The Braid of the newest state that a device keeps about another one.
    pub(in crate::sections) fn braid(&self, device: &str, peer: &str) -> Option<Braid> {
        let epochs = self.ratchet(device, peer)?.epochs?;
        epochs.own.map(|own| own.braid)
    }

    /// The own epoch of the newest state.
    pub(in crate::sections) fn epoch(&self, device: &str, peer: &str) -> u32 {
        self.braid(device, peer).map_or(0, |braid| braid.epoch)
    }

    /// That both sides are in this epoch.
    pub(in crate::sections) fn both_in_epoch(&mut self, device: &str, peer: &str, epoch: u32) {
        let found = (self.epoch(device, peer), self.epoch(peer, device));
        if found != (epoch, epoch) {
            self.fault(&format!("expected both in epoch {epoch}, found {found:?}"));
        }
    }

    /// Messages to and fro, each read at once, until both sides have come to this epoch.
    pub(in crate::sections) fn converse_until(&mut self, device: &str, peer: &str, epoch: u32) {
        let mut turns = 0;
        while self.epoch(device, peer).min(self.epoch(peer, device)) < epoch && turns < 40 {
            for (from, to) in [(device, peer), (peer, device)] {
                let name = format!("{from}{epoch}-{turns}");
                self.seal_long(from, to, &name, 530);
                self.reads(to, &name);
            }
            turns += 1;
        }
        self.both_in_epoch(device, peer, epoch);
    }

    fn opening(&self, message: &str) -> Value {
        json!({"message": message, "now": self.now.to_string()})
    }

    /// A message of the text `message` is read without any event.
    pub(in crate::sections) fn reads(&mut self, device: &str, message: &str) {
        self.reads_with(device, message, &[], false);
    }

    pub(in crate::sections) fn reads_with(
        &mut self,
        device: &str,
        message: &str,
        events: &[&str],
        begin_anew: bool,
    ) {
        let text = self.text(message);
        let fields = self.opening(message);
        let result = self.step("open", Some(device), fields);
        let opened = result.get("opened").cloned().unwrap_or_default();
        let found = [
            opened.get("text"),
            opened.get("events"),
            opened.get("begin_anew"),
        ];
        let expected = [json!(hex::encode(text)), json!(events), json!(begin_anew)];
        if found != expected.each_ref().map(Some) {
            self.fault(&format!(
                "open {message}: expected {events:?} {begin_anew}, found {result:?}"
            ));
        }
    }

    pub(in crate::sections) fn open_fails(&mut self, device: &str, message: &str, error: &str) {
        let fields = self.opening(message);
        self.expect("open", device, fields, &json!({"error": error}));
    }

    /// A first message of `peer` is staged.
    pub(in crate::sections) fn stages(&mut self, device: &str, message: &str) {
        let fields = self.opening(message);
        let result = self.step("open", Some(device), fields);
        if result.get("staged").is_none_or(Value::is_null) {
            self.fault(&format!(
                "open {message}: expected it staged, found {result:?}"
            ));
        }
    }

    pub(in crate::sections) fn accepts(&mut self, device: &str, message: &str) {
        self.accepts_with(device, message, &[]);
    }

    pub(in crate::sections) fn accepts_with(
        &mut self,
        device: &str,
        message: &str,
        events: &[&str],
    ) {
        let fields = self.opening(message);
        let result = self.step("accept", Some(device), fields);
        let found = [
            result.get("text"),
            result.get("events"),
            result.get("begin_anew"),
        ];
        let broken = events.contains(&"pq_broken");
        let expected = [json!(hex::encode(message)), json!(events), json!(broken)];
        if found != expected.each_ref().map(Some) {
            self.fault(&format!(
                "accept {message}: expected {events:?}, found {result:?}"
            ));
        }
    }

    /// Staged and accepted.
    pub(in crate::sections) fn takes(&mut self, device: &str, message: &str) {
        self.stages(device, message);
        self.accepts(device, message);
    }

    pub(in crate::sections) fn accept_fails(&mut self, device: &str, message: &str, error: &str) {
        let fields = self.opening(message);
        self.expect("accept", device, fields, &json!({"error": error}));
    }

    pub(in crate::sections) fn refuses(&mut self, device: &str, message: &str) {
        self.expect("refuse", device, json!({"message": message}), &json!({}));
    }

    pub(in crate::sections) fn refuse_fails(&mut self, device: &str, message: &str, error: &str) {
        self.expect(
            "refuse",
            device,
            json!({"message": message}),
            &json!({"error": error}),
        );
    }

    pub(in crate::sections) fn restart(&mut self, device: &str) {
        self.expect("restart", device, json!({}), &json!({}));
    }

    pub(in crate::sections) fn save(&mut self, device: &str, name: &str) {
        self.expect("save", device, json!({"as": name}), &json!({}));
    }

    pub(in crate::sections) fn restore(&mut self, device: &str, from: &str) {
        self.expect("restore", device, json!({"from": from}), &json!({}));
    }

    pub(in crate::sections) fn expire(&mut self, device: &str) {
        let fields = json!({"now": self.now.to_string()});
        self.expect("expire", device, fields, &json!({}));
    }

    /// Keeps a message as `name`.
    pub(in crate::sections) fn inject(&mut self, message: &[u8], name: &str) {
        self.step(
            "inject",
            None,
            json!({"message": hex::encode(message), "as": name}),
        );
    }

    /// Keeps a message with one byte changed.
    pub(in crate::sections) fn alter(&mut self, message: &str, at: usize, name: &str) {
        let fields = json!({"message": message, "at": at, "xor": "01", "as": name});
        self.step("alter", None, fields);
    }

    /// Puts a conversation in the place of the one that a device has.
    pub(in crate::sections) fn set(&mut self, device: &str, conversation: &Conversation) {
        let fields = json!({"conversation": hex::encode(conversation.encode())});
        self.expect("set", device, fields, &json!({}));
    }

    /// Changes the newest ratchet that a device keeps about another one.
    pub(in crate::sections) fn change(
        &mut self,
        device: &str,
        peer: &str,
        change: impl FnOnce(&mut Ratchet),
    ) {
        let conversation = self.conversation(device, peer);
        let Some(mut conversation) = conversation else {
            self.fault("there is no conversation to change");
            return;
        };
        if let Some(state) = conversation.states.last_mut() {
            change(&mut state.ratchet);
        }
        self.set(device, &conversation);
    }

    /// The next message that `device` would seal to `peer`, changed, as `name`: what only a holder of the keys can
    /// make. The sender's state does not move.
    pub(in crate::sections) fn forge(
        &mut self,
        device: &str,
        peer: &str,
        name: &str,
        change: impl FnOnce(&mut Message),
    ) {
        let made = self.ratchet(device, peer).and_then(|ratchet| {
            let Turn::Theirs {
                public,
                sending: Some(chain),
                ..
            } = &ratchet.turn
            else {
                return None;
            };
            let mut message = Message {
                sid: ratchet.sid,
                hk: chain.hks,
                mk: formula::chain_step(&chain.cks, &chain.pcks).0,
                prefix: vec![1, 2],
                hp: formula::header_plaintext(public, chain.ns, chain.pn, chain.e_s),
                bp: formula::body_without_symbols(name.as_bytes()).ok()?,
            };
            change(&mut message);
            message.seal(&self.secret(name)).ok()
        });
        match made {
            Some(sealed) => self.inject(&sealed.message, name),
            None => self.fault("there is no chain to forge in"),
        }
    }

    /// The prefix that a device puts in front of its messages to another one.
    pub(in crate::sections) fn prefix(&self, device: &str, peer: &str) -> Vec<u8> {
        let conversation = self.conversation(device, peer);
        let state = conversation.and_then(|mut conversation| conversation.states.pop());
        match state.map(|state| state.origin) {
            Some(Origin::Unanswered { prefix, .. }) => prefix,
            _ => Vec::new(),
        }
    }

    /// A message arrives for the first time, in whatever order: it is read, after a verdict if it is staged.
    pub(in crate::sections) fn arrives(&mut self, device: &str, message: &str) {
        let fields = self.opening(message);
        let mut result = self.step("open", Some(device), fields);
        let opened = match result.remove("opened") {
            Some(Value::Null) => self
                .step("accept", Some(device), self.opening(message))
                .into(),
            opened => opened.unwrap_or_default(),
        };
        if opened.get("text") != Some(&json!(hex::encode(self.text(message)))) {
            self.fault(&format!("open {message}: not read, {result:?}"));
        }
    }

    /// A message arrives once more: it is refused.
    pub(in crate::sections) fn repeats(&mut self, device: &str, message: &str) {
        let fields = self.opening(message);
        let result = self.step("open", Some(device), fields);
        let error = result.get("error").and_then(Value::as_str);
        if !matches!(error, Some("Duplicate" | "NoSession")) {
            self.fault(&format!("open {message} again: {result:?}"));
        }
    }

    /// How many states, closed chains and stored keys a device keeps about another one.
    pub(in crate::sections) fn holds(
        &mut self,
        device: &str,
        peer: &str,
        expected: (usize, usize, usize),
    ) {
        let Some(conversation) = self.conversation(device, peer) else {
            self.fault("there is no conversation");
            return;
        };
        let ratchets = || conversation.states.iter().map(|state| &state.ratchet);
        let closed = ratchets().map(|ratchet| ratchet.closed.len()).sum();
        let in_closed = ratchets().flat_map(|ratchet| &ratchet.closed);
        let in_closed: usize = in_closed.map(|chain| chain.keys.len()).sum();
        let open = ratchets().filter_map(|ratchet| ratchet.receiving.as_ref());
        let open: usize = open.map(|chain| chain.keys.len()).sum();
        let found = (
            conversation.states.len(),
            closed,
            in_closed.saturating_add(open),
        );
        if found != expected {
            self.fault(&format!("expected {expected:?}, found {found:?}"));
        }
    }

    /// That `device` sends in the newest state of the `other` side's.
    pub(in crate::sections) fn same_state(&mut self, device: &str, other: &str) {
        let (one, two) = (self.ratchet(device, other), self.ratchet(other, device));
        let sids = one.zip(two).map(|(one, two)| one.sid == two.sid);
        if sids != Some(true) {
            self.fault("the two sides send in different states");
        }
    }

    /// Shows the conversations of two devices, as they are stored.
    pub(in crate::sections) fn show(&mut self, device: &str, peer: &str) {
        self.show_one(device, peer);
        self.show_one(peer, device);
    }

    /// Shows the conversation of one device, as it is stored.
    pub(in crate::sections) fn show_one(&mut self, device: &str, peer: &str) {
        let peer = hex::encode(self.address(peer));
        self.step("conversation", Some(device), json!({"peer": peer}));
    }

    /// Shows the prekeys of a device, as they are stored.
    pub(in crate::sections) fn show_prekeys(&mut self, device: &str) {
        self.step("prekeys", Some(device), json!({}));
    }

    /// Ends the script and adds it.
    pub(in crate::sections) fn end(self) {
        self.add(false);
    }

    /// As [`end`](Self::end); long results are written as their hashes.
    pub(in crate::sections) fn end_with_digests(self) {
        self.add(true);
    }

    fn add(self, digests: bool) {
        let Self {
            cases,
            id,
            comment,
            devices,
            steps,
            results,
            ..
        } = self;
        let input = json!({"devices": devices, "steps": steps});
        let answer = match digests {
            true => cases.accept_digest(&id, "run", &comment, input),
            false => cases.accept(&id, "run", &comment, input),
        };
        cases.same(&id, answer.get("results"), Some(&results.into()));
    }
}
