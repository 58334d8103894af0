//! A device in the hands of its app: what an app has to do between its user, the server and the library.

use std::collections::{BTreeMap, BTreeSet};

use subrosa::device::{Error, Event, MemoryStore, Outgoing, Published, Received};
use subrosa::identity::AccountId;
use subrosa::{Address, AppKey, Device};

use crate::ledger::{Bookmark, Fault, LifeId, text};
use crate::network::Envelope;
use crate::world::{Plant, Shared};

pub const KEY: [u8; 32] = [7; 32];

/// Envelopes in one call and one commit.
const BATCH: usize = 100;

/// One-time bundles that the server should have of a device, and how many are too few.
const BUNDLES: usize = 10;
const FEW: usize = 4;

/// A copy of a device's store, and of what its app keeps beside it.
pub struct Backup {
    pub store: MemoryStore,
    pub bookmark: Bookmark,
    /// When it is restored.
    pub due: u64,
}

pub struct Phone {
    /// Always there, but while it is opened again.
    device: Option<Device<MemoryStore>>,
    pub life: LifeId,
    pub account: usize,
    /// How much the clock is fast, milliseconds.
    pub clock: i64,
    /// The line is dead until this tick.
    pub offline_until: u64,
    pub backup: Option<Backup>,
    /// To whom the user writes at present.
    partner: usize,
    /// Accounts to be told that this device was set back.
    greet: Vec<usize>,
    /// Copies that the server has, of texts of which it has not all.
    acknowledged: BTreeMap<u64, BTreeSet<Address>>,
    lists_due: BTreeSet<AccountId>,
    /// Made, and perhaps lost on the way to the server.
    published: Option<Published>,
    /// Given out, and not acknowledged yet.
    unread: Vec<u64>,
    /// The inbox was not looked into since the device was opened.
    reopened: bool,
}

impl Phone {
    pub fn new(device: Device<MemoryStore>, life: LifeId, account: usize) -> Self {
        Self {
            device: Some(device),
            life,
            account,
            clock: 0,
            offline_until: 0,
            backup: None,
            partner: account,
            greet: Vec::new(),
            acknowledged: BTreeMap::new(),
            lists_due: BTreeSet::new(),
            published: None,
            unread: Vec::new(),
            reopened: false,
        }
    }

    pub fn device(&mut self) -> &mut Device<MemoryStore> {
        self.device.as_mut().expect("the device is open")
    }

    pub fn address(&self) -> &Address {
        self.device.as_ref().expect("the device is open").address()
    }

    pub fn now(&self, shared: &Shared) -> u64 {
        shared.time.saturating_add_signed(self.clock)
    }

    /// The app crashes, and starts again.
    pub fn reopen(&mut self) -> Result<(), Fault> {
        let store = self.close();
        let device = Device::open(store, AppKey::new(KEY), None);
        self.opened(device.map_err(because("opening"))?);
        Ok(())
    }

    fn close(&mut self) -> MemoryStore {
        self.device.take().expect("the device is open").into_store()
    }

    fn opened(&mut self, device: Device<MemoryStore>) {
        self.device = Some(device);
        self.acknowledged.clear();
        self.published = None;
        self.unread.clear();
        self.reopened = true;
    }

    /// Copies the store, to be restored at tick `due`.
    pub fn back_up(&mut self, due: u64, shared: &Shared) -> Result<(), Fault> {
        let store = self.close();
        self.backup = Some(Backup {
            store: store.clone(),
            bookmark: shared.ledger.bookmark(self.life),
            due,
        });
        let device = Device::open(store, AppKey::new(KEY), None);
        self.opened(device.map_err(because("opening"))?);
        Ok(())
    }

    /// The store is the backup's from now on.
    pub fn restore(&mut self, backup: Backup, shared: &mut Shared) -> Result<(), Fault> {
        let now = self.now(shared);
        let key = AppKey::new(KEY);
        let device = Device::restore(backup.store, key, now, &mut shared.rng);
        self.opened(device.map_err(because("restoring"))?);
        let mut outbox = BTreeSet::new();
        let mut position = 0;
        loop {
            let pending = self.device().outbox(position, BATCH, &mut shared.rng);
            let (sent, next) = pending.map_err(because("the outbox"))?;
            if next == position || sent.is_empty() {
                break;
            }
            position = next;
            outbox.extend(sent.iter().map(|sent| number_of(&sent.id)));
        }
        shared
            .ledger
            .restored(self.life, backup.bookmark, &outbox)?;
        // The server hands out no bundle of the life that is lost.
        shared.network.forget_bundles(self.address());
        let own = shared.accounts[self.account].id;
        self.lists_due.insert(own);
        self.greet = shared.accounts[self.account].friends.clone();
        Ok(())
    }

    /// What a device does when it is awake. Without a line it writes what it can, and that waits in the outbox.
    pub fn turn(&mut self, shared: &mut Shared) -> Result<(), Fault> {
        if shared.tick < self.offline_until {
            if shared.rng.percent(30) {
                self.chat(shared, false)?;
            }
            return Ok(());
        }
        self.look_after_inbox(shared)?;
        if shared.rng.percent(10) {
            let own = shared.accounts[self.account].id;
            let partner = shared.accounts[self.partner].id;
            self.lists_due.extend([own, partner]);
        }
        self.look_after_lists(shared)?;
        self.look_after_prekeys(shared)?;
        self.chat(shared, true)?;
        self.upload(shared)?;
        self.download(shared)
    }

    /// What was received before a crash is in the inbox, what was acknowledged is not.
    pub fn look_after_inbox(&mut self, shared: &mut Shared) -> Result<(), Fault> {
        if !self.reopened && !shared.rng.percent(2) {
            return Ok(());
        }
        self.reopened = false;
        let waiting = self.device().inbox(0, usize::MAX, &mut shared.rng);
        for received in waiting.map_err(because("the inbox"))? {
            shared.ledger.given_out(self.life, &received)?;
            self.unread.push(received.id);
        }
        self.acknowledge(shared)
    }

    /// The app has stored what it was given.
    fn acknowledge(&mut self, shared: &mut Shared) -> Result<(), Fault> {
        if self.unread.is_empty() || shared.plant == Plant::Hoards && self.account == 0 {
            return Ok(());
        }
        let ids = std::mem::take(&mut self.unread);
        let read = self.device().read(&ids, &mut shared.rng);
        read.map_err(because("acknowledging"))?;
        shared.ledger.acknowledged(self.life, &ids);
        Ok(())
    }

    pub fn want_lists(&mut self, accounts: impl IntoIterator<Item = AccountId>) {
        self.lists_due.extend(accounts);
    }

    pub fn look_after_lists(&mut self, shared: &mut Shared) -> Result<(), Fault> {
        if self.lists_due.is_empty() || !shared.network.exchange() {
            return Ok(());
        }
        for account in std::mem::take(&mut self.lists_due) {
            self.catch_up(&account, shared)?;
        }
        Ok(())
    }

    /// Takes in the newest list of an account; its user agrees to new keys.
    pub fn catch_up(&mut self, account: &AccountId, shared: &mut Shared) -> Result<(), Fault> {
        let now = self.now(shared);
        let known = self.device().list(account, &mut shared.rng);
        let known = known.map_err(because("the list"))?;
        // From the known one on, that one too: it may be the newest.
        let above = known.map(|list| list.version() - 1);
        let lists = shared.network.server.lists_above(account, above);
        let device = self.device.as_mut().expect("the device is open");
        let events = device.update_list(account, &lists, now, &mut shared.rng);
        for event in events.map_err(because("taking in a list"))? {
            match event {
                Event::DeviceAdded(_) | Event::DeviceRemoved(_) => {}
                Event::KeyChanged { account } => {
                    let approved = self.device().approve(&account, &mut shared.rng);
                    approved.map_err(because("agreeing"))?;
                    shared.counts.keys_changed += 1;
                }
                event => return Err(format!("device {}: {event:?}", self.life)),
            }
        }
        Ok(())
    }

    fn look_after_prekeys(&mut self, shared: &mut Shared) -> Result<(), Fault> {
        let now = self.now(shared);
        let one_time = &shared.network.server.one_time;
        let few = one_time
            .get(self.address())
            .is_none_or(|bundles| bundles.len() < FEW);
        if self.published.is_none() {
            let rotates = shared.rng.percent(20) && {
                let due = self.device().publish_due(now, &mut shared.rng);
                due.map_err(because("asking for prekeys"))?
            };
            if !few && !rotates {
                return Ok(());
            }
            let published = self.device().publish(BUNDLES, now, &mut shared.rng);
            self.published = Some(published.map_err(because("publishing"))?);
            shared.counts.published += 1;
        }
        // Without an answer it is done again.
        if shared.network.exchange()
            && let Some(published) = self.published.take()
        {
            shared.network.server.publish(self.address(), published);
        }
        Ok(())
    }

    /// The user writes a few texts to one of their friends, or to who was to be greeted.
    fn chat(&mut self, shared: &mut Shared, online: bool) -> Result<(), Fault> {
        let friends = &shared.accounts[self.account].friends;
        if self.partner == self.account || shared.rng.percent(40) {
            self.partner = friends[shared.rng.below(friends.len() as u64) as usize];
        }
        while online && let Some(account) = self.greet.pop() {
            if !self.write(account, shared, online)? {
                self.greet.push(account);
                break;
            }
        }
        for _ in 0..1 + shared.rng.below(7) {
            // Now and then a note to oneself.
            let to = if shared.rng.percent(2) {
                self.account
            } else {
                self.partner
            };
            if shared.texts_left == 0 || !self.write(to, shared, online)? {
                break;
            }
            shared.texts_left -= 1;
        }
        Ok(())
    }

    /// Seals one text. Not without a line, if the line is needed to begin a conversation.
    pub fn write(&mut self, to: usize, shared: &mut Shared, online: bool) -> Result<bool, Fault> {
        let now = self.now(shared);
        let number = shared.ledger.next();
        let account = shared.accounts[to].id;
        let text = text(number, self.life, to);
        let message = Outgoing {
            id: &number.to_be_bytes(),
            to: account,
            text: &text,
            partial: false,
        };
        // One attempt more than there are things to be done first: a list, new keys, bundles.
        for _ in 0..4 {
            match self.device().send(&message, now, &mut shared.rng) {
                Ok(sent) => {
                    let addresses = sent.copies.iter().map(|copy| &copy.to);
                    shared.ledger.sealed(self.life, addresses);
                    return Ok(true);
                }
                Err(Error::UnknownAccount | Error::Unreached) if !online => return Ok(false),
                Err(Error::UnknownAccount) if shared.network.exchange() => {
                    self.catch_up(&account, shared)?;
                }
                Err(Error::Unreached) if shared.network.exchange() => {
                    if !self.begin(&account, shared)? {
                        return Ok(false);
                    }
                }
                Err(Error::UnknownAccount | Error::Unreached) => return Ok(false),
                Err(error) => return Err(format!("sending: {error}")),
            }
        }
        Ok(false)
    }

    /// Begins a conversation with every device that a message to the account would not reach.
    fn begin(&mut self, account: &AccountId, shared: &mut Shared) -> Result<bool, Fault> {
        let now = self.now(shared);
        let unreached = self.device().unreached(account, now, &mut shared.rng);
        let unreached = unreached.map_err(because("asking who is unreached"))?;
        for address in &unreached {
            loop {
                let Some(bundle) = shared.network.server.bundle(address) else {
                    // Off the list, or set back and not published yet.
                    let account = AccountId::of(address).map(|(account, _)| account);
                    self.lists_due.extend(account);
                    return Ok(false);
                };
                let begun = self.device().begin(&[&bundle], now, &mut shared.rng);
                match begun.map_err(because("beginning"))?[..] {
                    [Ok(begun)] if begun == *address => break,
                    // Too old: there is a newer one.
                    [Err(Error::Session(subrosa::Error::StaleBundle))] => {
                        shared.counts.stale_bundles += 1;
                    }
                    ref other => return Err(format!("beginning: {other:?}")),
                }
            }
            shared.counts.begun += 1;
            shared.ledger.begun(self.life, address);
        }
        Ok(true)
    }

    /// Hands the server what is in the outbox, until it says that it has it.
    pub fn upload(&mut self, shared: &mut Shared) -> Result<(), Fault> {
        let mut done: Vec<u64> = Vec::new();
        let mut position = 0;
        let turns = 6 * shared.devices;
        loop {
            let pending = self.device().outbox(position, BATCH, &mut shared.rng);
            let (pending, next) = pending.map_err(because("the outbox"))?;
            for sent in &pending {
                let number = number_of(&sent.id);
                let has = self.acknowledged.entry(number).or_default();
                for copy in sent
                    .copies
                    .iter()
                    .filter(|copy| !has.contains(&copy.to))
                    .cloned()
                    .collect::<Vec<_>>()
                {
                    let up =
                        shared
                            .network
                            .upload(&copy.to, number, &copy.message, shared.tick, turns);
                    if up.queued > 0 {
                        shared.ledger.queued(number, &copy.to, up.queued);
                    }
                    if up.acknowledged {
                        has.insert(copy.to);
                    }
                }
                if has.len() == sent.copies.len() || shared.plant == Plant::SkipsRetry {
                    done.push(number);
                }
            }
            if pending.len() < BATCH {
                break;
            }
            position = next;
        }
        if done.is_empty() {
            return Ok(());
        }
        let names: Vec<[u8; 8]> = done.iter().map(|number| number.to_be_bytes()).collect();
        let names: Vec<&[u8]> = names.iter().map(|name| &name[..]).collect();
        let sent = self.device().sent(&names, &mut shared.rng);
        sent.map_err(because("emptying the outbox"))?;
        for number in done {
            self.acknowledged.remove(&number);
            shared.ledger.left_outbox(number)?;
        }
        Ok(())
    }

    /// Takes in what waits on the server, in batches.
    pub fn download(&mut self, shared: &mut Shared) -> Result<(), Fault> {
        loop {
            let address = *self.address();
            let batch = shared.network.download(&address, BATCH, shared.tick);
            if batch.is_empty() {
                return Ok(());
            }
            let full = batch.len() == BATCH;
            if !self.receive(batch, shared)? || !full {
                return Ok(());
            }
        }
    }

    /// False if it is not over with this batch.
    fn receive(&mut self, batch: Vec<Envelope>, shared: &mut Shared) -> Result<bool, Fault> {
        let crash = shared.rng.percent(1);
        let mut dealt_with = Vec::new();
        let mut waiting = batch;
        for list_fetched in [false, true] {
            let now = self.now(shared);
            let envelopes: Vec<&[u8]> = waiting.iter().map(|envelope| &*envelope.bytes).collect();
            let events = self.device().receive(&envelopes, now, &mut shared.rng);
            let events = events.map_err(because("receiving"))?;
            shared.counts.batches += 1;
            shared.counts.received += envelopes.len() as u64;
            if crash {
                // Neither the app nor the server learns of it.
                shared.counts.crashes += 1;
                self.reopen()?;
                return Ok(false);
            }
            let mut outcome = Outcome::default();
            for event in events {
                self.take_event(event, &mut outcome, shared)?;
            }
            let fetched =
                !outcome.undecided.is_empty() && !list_fetched && shared.network.exchange();
            let mut again = Vec::new();
            for (position, envelope) in waiting.into_iter().enumerate() {
                let refusal = outcome.refusals.remove(&position);
                match outcome.undecided.get(&position) {
                    None => dealt_with.push((envelope, refusal)),
                    Some(account) if fetched => {
                        self.catch_up(account, shared)?;
                        again.push(envelope);
                    }
                    // Not even the newest list has the sender.
                    Some(_) if list_fetched => {
                        let refused = self.device().refuse(&envelope.bytes, now, &mut shared.rng);
                        let refusal = match refused {
                            Ok(()) => "on no list".to_owned(),
                            Err(Error::Session(error)) => format!("{error:?}"),
                            Err(error) => return Err(format!("refusing: {error}")),
                        };
                        dealt_with.push((envelope, Some(refusal)));
                    }
                    // It stays on the server.
                    Some(_) => {}
                }
            }
            waiting = again;
            if waiting.is_empty() {
                break;
            }
        }
        if shared.rng.percent(95) {
            self.acknowledge(shared)?;
        }
        if !shared.network.passes() {
            return Ok(false);
        }
        let envelopes: Vec<Envelope> = dealt_with
            .iter()
            .map(|(envelope, _)| envelope.clone())
            .collect();
        let left = shared.network.dealt_with(self.address(), &envelopes);
        let mut refusals: BTreeMap<u64, Option<String>> = BTreeMap::new();
        for (envelope, refusal) in dealt_with {
            refusals.insert(envelope.number, refusal);
        }
        for envelope in left {
            let refusal = refusals.get(&envelope.number).and_then(Option::as_deref);
            shared
                .ledger
                .dealt_with(envelope.number, self.life, refusal)?;
        }
        Ok(true)
    }

    fn take_event(
        &mut self,
        event: Event,
        outcome: &mut Outcome,
        shared: &mut Shared,
    ) -> Result<(), Fault> {
        match event {
            Event::Message(received) => return self.show(&received, shared),
            Event::Rejected {
                envelope, error, ..
            } => {
                let error = format!("{error:?}");
                *shared.counts.refused.entry(error.clone()).or_default() += 1;
                outcome.refusals.insert(envelope, error);
            }
            Event::ListNeeded { envelope, account } => {
                outcome.undecided.insert(envelope, account);
            }
            Event::ListBehind { account, .. } => {
                self.lists_due.insert(account);
            }
            Event::BeginAnew(_) => shared.counts.begin_anew += 1,
            Event::ForkSuspected(of) if shared.ledger.expects_forks(self.life, &of) => {
                shared.counts.forks += 1;
            }
            event => return Err(format!("device {}: {event:?}", self.life)),
        }
        Ok(())
    }

    /// A message is given out to the app.
    fn show(&mut self, received: &Received, shared: &mut Shared) -> Result<(), Fault> {
        let planted = shared.rng.percent(1);
        if planted && shared.plant == Plant::LosesOne {
            self.unread.push(received.id);
            return Ok(());
        }
        let notices = received.notices;
        if notices.gap_dropped
            || (notices.pq_broken || notices.forked)
                && !shared.ledger.expects_forks(self.life, &received.from)
        {
            return Err(format!("device {}: {received:?}", self.life));
        }
        shared.counts.pq_broken += u64::from(notices.pq_broken);
        shared.counts.old_state += u64::from(notices.old_state);
        shared.ledger.given_out(self.life, received)?;
        self.unread.push(received.id);
        if planted && shared.plant == Plant::GivesTwice {
            self.acknowledge(shared)?;
            shared.ledger.given_out(self.life, received)?;
        }
        Ok(())
    }

    /// One sweep over a network that is well.
    pub fn settle(&mut self, shared: &mut Shared) -> Result<(), Fault> {
        self.look_after_inbox(shared)?;
        self.look_after_lists(shared)?;
        self.look_after_prekeys(shared)?;
        self.upload(shared)?;
        self.download(shared)?;
        self.acknowledge(shared)
    }

    /// Bytes of all stored values.
    pub fn stored(&mut self) -> Result<usize, Fault> {
        let store = self.close();
        let bytes = store
            .iter()
            .map(|(key, value)| key.len() + value.len())
            .sum();
        let device = Device::open(store, AppKey::new(KEY), None);
        self.device = Some(device.map_err(because("opening"))?);
        Ok(bytes)
    }

    pub fn outbox_is_empty(&mut self, shared: &mut Shared) -> Result<bool, Fault> {
        let outbox = self.device().outbox(0, 1, &mut shared.rng);
        Ok(outbox.map_err(because("the outbox"))?.0.is_empty())
    }

    pub fn inbox_is_empty(&mut self, shared: &mut Shared) -> Result<bool, Fault> {
        let inbox = self.device().inbox(0, 1, &mut shared.rng);
        Ok(inbox.map_err(because("the inbox"))?.is_empty())
    }
}

/// What became of a batch, by position.
#[derive(Default)]
struct Outcome {
    refusals: BTreeMap<usize, String>,
    undecided: BTreeMap<usize, AccountId>,
}

fn number_of(id: &[u8]) -> u64 {
    id.first_chunk()
        .copied()
        .map_or(u64::MAX, u64::from_be_bytes)
}

pub fn because(what: &str) -> impl FnOnce(Error) -> Fault {
    move |error| format!("{what}: {error}")
}
