//! Accounts, their devices, and what befalls them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use subrosa::device::{Error, MemoryStore};
use subrosa::identity::limits::ENTRIES_MAX;
use subrosa::identity::{AccountId, DeviceList, RecoverySecret};
use subrosa::{AppKey, Device};

use crate::common::server::{link, publish, register};
use crate::common::{DAY, NOW, SeededRng};
use crate::ledger::{Fault, Ledger};
use crate::network::{CALM, Network};
use crate::phone::{KEY, Phone, because};

const HOUR: u64 = DAY / 24;

/// How much a clock may be fast.
const FAST: u64 = 9 * DAY;

/// Round trips in which every pair has to work again, and the time between two of them. A pair whose one device was set
/// back to before the other one began a conversation, with a clock that was fast, heals by late messages alone (SPEC
/// §11.3-R5): by the second one that is read a day after that clock was right again.
const BETWEEN: u64 = 13 * HOUR;
pub const ROUND_TRIPS: usize = ((FAST + 3 * DAY) / BETWEEN) as usize;

/// Sweeps over all devices in which a calm network has to deliver everything.
const SWEEPS: usize = 30;

/// A fault put in on purpose: each must be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plant {
    Nothing,
    /// One message in a hundred is acknowledged without the app having seen it.
    LosesOne,
    /// One message in a hundred is given out again after its acknowledgement.
    GivesTwice,
    /// What was sent is never sent again.
    SkipsRetry,
    /// One device acknowledges nothing.
    Hoards,
    /// One device answers nobody when the network is well again.
    Mute,
}

#[derive(Clone, Copy)]
pub struct Plan {
    pub seed: u64,
    pub devices: usize,
    pub accounts: usize,
    pub texts: u64,
    /// From one turn of a device to its next.
    pub hours: u64,
    /// After which no more is written.
    pub time: Duration,
    pub plant: Plant,
}

#[derive(Default)]
pub struct Counts {
    pub received: u64,
    pub batches: u64,
    pub begun: u64,
    pub begin_anew: u64,
    pub forks: u64,
    pub pq_broken: u64,
    pub old_state: u64,
    pub published: u64,
    pub stale_bundles: u64,
    pub crashes: u64,
    pub clock_jumps: u64,
    pub partitions: u64,
    pub restored: u64,
    pub reinstalled: u64,
    pub recovered: u64,
    pub replaced: u64,
    pub keys_changed: u64,
    pub refused: BTreeMap<String, u64>,
}

/// One account: what its owner has beside the devices.
pub struct Owner {
    pub id: AccountId,
    recovery: RecoverySecret,
    devices: Vec<usize>,
    primary: usize,
    pub friends: Vec<usize>,
}

/// What is not of a single device.
pub struct Shared {
    pub network: Network,
    pub ledger: Ledger,
    pub accounts: Vec<Owner>,
    pub counts: Counts,
    pub rng: SeededRng,
    pub plant: Plant,
    pub devices: u64,
    /// Turns of devices so far.
    pub tick: u64,
    /// The right time, Unix milliseconds.
    pub time: u64,
    pub texts_left: u64,
}

pub struct World {
    pub shared: Shared,
    phones: Vec<Phone>,
    step: u64,
}

/// How many pairs of devices worked again in the first round trip, the second, …
pub type Healed = [usize; ROUND_TRIPS];

impl World {
    pub fn new(plan: Plan) -> Result<Self, Fault> {
        let mut rng = SeededRng(plan.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x50a4);
        let mut world = Self {
            shared: Shared {
                network: Network::new(rng.next()),
                ledger: Ledger::default(),
                accounts: Vec::new(),
                counts: Counts::default(),
                rng,
                plant: plan.plant,
                devices: plan.devices as u64,
                tick: 0,
                time: NOW + 30 * DAY,
                texts_left: plan.texts,
            },
            phones: Vec::new(),
            step: plan.hours * HOUR / plan.devices as u64,
        };
        for account in 0..plan.accounts {
            world.open_account(account)?;
        }
        // Every account has one device or more: the others belong to any.
        while world.phones.len() < plan.devices {
            let account = world.shared.rng.below(plan.accounts as u64) as usize;
            world.add_device(account)?;
        }
        world.make_friends(plan.accounts);
        Ok(world)
    }

    fn open_account(&mut self, account: usize) -> Result<(), Fault> {
        let shared = &mut self.shared;
        let (server, time) = (&mut shared.network.server, shared.time);
        let (device, recovery) = register(server, MemoryStore::new(), KEY, time, &mut shared.rng);
        let id = device.account().map_err(because("the account"))?;
        shared.ledger.account_opened(id);
        shared.accounts.push(Owner {
            id,
            recovery,
            devices: vec![self.phones.len()],
            primary: self.phones.len(),
            friends: Vec::new(),
        });
        let phone = self.shared.hand_over(device, account);
        self.phones.push(phone);
        Ok(())
    }

    fn add_device(&mut self, account: usize) -> Result<(), Fault> {
        let device = self.link(account)?;
        let phone = self.shared.hand_over(device, account);
        self.shared.accounts[account]
            .devices
            .push(self.phones.len());
        self.phones.push(phone);
        Ok(())
    }

    /// A ring, so that nobody is alone, and chords.
    fn make_friends(&mut self, accounts: usize) {
        let Shared {
            accounts: owners,
            rng,
            ..
        } = &mut self.shared;
        for a in 0..accounts {
            for b in [(a + 1) % accounts, rng.below(accounts as u64) as usize] {
                if a != b && !owners[a].friends.contains(&b) {
                    owners[a].friends.push(b);
                    owners[b].friends.push(a);
                }
            }
        }
    }

    /// Lets one device after another have its turn, until all texts are written.
    pub fn talk(
        &mut self,
        mut progress: impl FnMut(&mut Self) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        while self.shared.texts_left > 0 {
            self.shared.tick += 1;
            self.shared.time += self.step;
            let device = self.shared.rng.below(self.phones.len() as u64) as usize;
            self.disturb(device)
                .and_then(|()| self.phones[device].turn(&mut self.shared))
                .map_err(|fault| format!("turn {}: {fault}", self.shared.tick))?;
            if self.shared.tick.is_multiple_of(100) {
                progress(self)?;
            }
        }
        Ok(())
    }

    /// What may happen to a device before its turn.
    fn disturb(&mut self, device: usize) -> Result<(), Fault> {
        let (tick, devices) = (self.shared.tick, self.shared.devices);
        let phone = &mut self.phones[device];
        if phone
            .backup
            .as_ref()
            .is_some_and(|backup| backup.due <= tick)
            && let Some(backup) = phone.backup.take()
        {
            self.shared.counts.restored += 1;
            return phone.restore(backup, &mut self.shared);
        }
        let rng = &mut self.shared.rng;
        match rng.below(10_000) {
            0..100 => {
                phone.clock = match rng.below(4) {
                    0 => 0,
                    1 => (rng.below(FAST - DAY) + DAY) as i64,
                    _ => rng.below(24 * HOUR) as i64 - 12 * HOUR as i64,
                };
                self.shared.counts.clock_jumps += 1;
            }
            100..140 => {
                phone.offline_until = tick + devices * (5 + rng.below(40));
                self.shared.counts.partitions += 1;
            }
            140..240 => {
                self.shared.counts.crashes += 1;
                phone.reopen()?;
            }
            240..280 if phone.backup.is_none() => {
                let due = tick + devices * (1 + rng.below(20));
                phone.back_up(due, &self.shared)?;
            }
            280..300 => self.lose(device)?,
            _ => {}
        }
        Ok(())
    }

    /// A device falls into the water.
    fn lose(&mut self, device: usize) -> Result<(), Fault> {
        let account = self.phones[device].account;
        let owner = &self.shared.accounts[account];
        let primary = owner.primary;
        let list = self.newest_list(account)?;
        if device != primary {
            self.retire(device, account)?;
            self.shared.counts.reinstalled += 1;
            return self.replace(device, account);
        }
        if list.entries() >= ENTRIES_MAX {
            return Ok(());
        }
        let others: Vec<usize> = owner
            .devices
            .iter()
            .copied()
            .filter(|other| *other != device)
            .collect();
        match others.first() {
            // One of the others takes over.
            Some(other) if self.shared.rng.percent(50) => {
                let lost = self.id_of(device);
                self.forget(device)?;
                self.replace_keys(*other, account, &[lost])?;
                self.shared.accounts[account].primary = *other;
                self.shared.counts.replaced += 1;
                self.replace(device, account)
            }
            _ => self.recover(device, account, &list, &others),
        }
    }

    /// The account begins anew with one device, made from the recovery key; all others are linked again.
    fn recover(
        &mut self,
        device: usize,
        account: usize,
        list: &DeviceList,
        others: &[usize],
    ) -> Result<(), Fault> {
        for lost in others.iter().chain([&device]) {
            self.forget(*lost)?;
        }
        let shared = &mut self.shared;
        let owner = &mut shared.accounts[account];
        let recovered = Device::recover(
            MemoryStore::new(),
            AppKey::new(KEY),
            list,
            &owner.recovery,
            shared.time,
            &mut shared.rng,
        );
        let (mut recovered, recovery) = recovered.map_err(because("recovering"))?;
        owner.recovery = recovery;
        let list = recovered
            .list(&owner.id, &mut shared.rng)
            .map_err(because("the list"))?;
        let list = list.ok_or("a recovered device knows no list")?;
        shared.network.server.publish_list(&list);
        let server = &mut shared.network.server;
        publish(server, &mut recovered, 10, shared.time, &mut shared.rng);
        self.phones[device] = shared.hand_over(recovered, account);
        self.shared.counts.recovered += 1;
        for other in others {
            self.replace(*other, account)?;
        }
        Ok(())
    }

    /// The primary takes a device off the list.
    fn retire(&mut self, device: usize, account: usize) -> Result<(), Fault> {
        let primary = self.take_up_primary(account)?;
        let id = self.id_of(device);
        self.forget(device)?;
        let (phone, shared) = (&mut self.phones[primary], &mut self.shared);
        let now = phone.now(shared);
        let list = phone.device().unlink(id, now, &mut shared.rng);
        let list = list.map_err(because("unlinking"))?;
        shared.network.server.publish_list(&list);
        Ok(())
    }

    /// The primary, with the newest list. A primary that was set back to before it replaced the account's keys holds
    /// the old one: its owner replaces them once more.
    fn take_up_primary(&mut self, account: usize) -> Result<usize, Fault> {
        let owner = &self.shared.accounts[account];
        let (primary, id) = (owner.primary, owner.id);
        self.phones[primary].catch_up(&id, &mut self.shared)?;
        let (phone, shared) = (&mut self.phones[primary], &mut self.shared);
        let now = phone.now(shared);
        match phone.device().unlink(0, now, &mut shared.rng) {
            Err(Error::NotFound) => {}
            Err(Error::NotPrimary) => {
                self.replace_keys(primary, account, &[])?;
                self.shared.counts.replaced += 1;
            }
            other => return Err(format!("device {primary} as primary: {other:?}")),
        }
        Ok(primary)
    }

    fn replace_keys(&mut self, by: usize, account: usize, remove: &[u32]) -> Result<(), Fault> {
        let id = self.shared.accounts[account].id;
        self.phones[by].catch_up(&id, &mut self.shared)?;
        let (phone, shared) = (&mut self.phones[by], &mut self.shared);
        let now = phone.now(shared);
        let owner = &mut shared.accounts[account];
        let replaced = phone
            .device()
            .replace_keys(&owner.recovery, remove, now, &mut shared.rng);
        let (list, recovery) = replaced.map_err(because("replacing the keys"))?;
        owner.recovery = recovery;
        shared.network.server.publish_list(&list);
        Ok(())
    }

    /// A new device instead of one that is off the list.
    fn replace(&mut self, device: usize, account: usize) -> Result<(), Fault> {
        let linked = self.link(account)?;
        self.phones[device] = self.shared.hand_over(linked, account);
        Ok(())
    }

    fn link(&mut self, account: usize) -> Result<Device<MemoryStore>, Fault> {
        let primary = self.take_up_primary(account)?;
        let (phone, shared) = (&mut self.phones[primary], &mut self.shared);
        let server = &mut shared.network.server;
        Ok(link(
            server,
            phone.device(),
            MemoryStore::new(),
            KEY,
            shared.time,
            &mut shared.rng,
        ))
    }

    /// Nothing that this device has not yet told the server will ever be known.
    fn forget(&mut self, device: usize) -> Result<(), Fault> {
        let phone = &self.phones[device];
        self.shared.network.forget(phone.address());
        self.shared.ledger.lost(phone.life)
    }

    fn id_of(&self, device: usize) -> u32 {
        AccountId::of(self.phones[device].address()).map_or(0, |(_, id)| id)
    }

    fn newest_list(&self, account: usize) -> Result<DeviceList, Fault> {
        let lists = &self.shared.network.server.lists[&self.shared.accounts[account].id];
        let newest = lists.last().ok_or("an account has no list")?;
        DeviceList::parse(newest).map_err(|error| format!("the newest list: {error}"))
    }

    /// The network is well, the clocks are right: everything is delivered, and every pair that talked talks again.
    pub fn heal(&mut self) -> Result<Healed, Fault> {
        self.shared.network.weather = CALM;
        for phone in &mut self.phones {
            phone.clock = 0;
            phone.offline_until = 0;
            phone.backup = None;
        }
        self.shared.tick += 31 * self.shared.devices;
        self.flush()?;
        let mut healed = [0; ROUND_TRIPS];
        let mut sick = self.pairs();
        for well in &mut healed {
            self.shared.time += BETWEEN;
            self.shared.ledger.begin_round_trip();
            // Each speaks in turn, so that each can answer what it was told before.
            for _ in 0..2 {
                let greeting: BTreeSet<usize> = sick.iter().flat_map(|(a, b)| [*a, *b]).collect();
                for device in greeting {
                    self.greet(device)?;
                }
                self.flush()?;
            }
            let before = sick.len();
            sick.retain(|(a, b)| {
                let [a, b] = [a, b].map(|device| self.phones[*device].life);
                !self.shared.ledger.round_trip(a, b)
            });
            *well = before - sick.len();
            if sick.is_empty() {
                return self.close().map(|()| healed);
            }
        }
        Err(format!(
            "{} pairs of devices are stuck: {sick:?}",
            sick.len()
        ))
    }

    /// A device writes to every friend.
    fn greet(&mut self, device: usize) -> Result<(), Fault> {
        if self.shared.plant == Plant::Mute && device == 0 {
            return Ok(());
        }
        let phone = &mut self.phones[device];
        let friends = self.shared.accounts[phone.account].friends.clone();
        for account in friends {
            if !phone.write(account, &mut self.shared, true)? {
                return Err(format!("device {device} cannot write to account {account}"));
            }
        }
        Ok(())
    }

    /// Delivers everything.
    fn flush(&mut self) -> Result<(), Fault> {
        for sweep in 0..SWEEPS {
            for phone in &mut self.phones {
                let owner = &self.shared.accounts[phone.account];
                let accounts = owner
                    .friends
                    .iter()
                    .map(|friend| self.shared.accounts[*friend].id);
                if sweep == 0 {
                    phone.want_lists(accounts.chain([owner.id]));
                }
                phone.settle(&mut self.shared)?;
            }
            if self.shared.network.waiting() == 0 && self.shared.ledger.under_way() == 0 {
                return Ok(());
            }
        }
        Err(format!(
            "{} envelopes wait on the server, {} texts are under way",
            self.shared.network.waiting(),
            self.shared.ledger.under_way()
        ))
    }

    /// Pairs of devices that write to each other, or send each other copies.
    fn pairs(&self) -> Vec<(usize, usize)> {
        let mut pairs = Vec::new();
        for (number, owner) in self.shared.accounts.iter().enumerate() {
            let friends = owner.friends.iter().filter(|friend| **friend > number);
            for a in &owner.devices {
                for friend in friends.clone() {
                    pairs.extend(
                        self.shared.accounts[*friend]
                            .devices
                            .iter()
                            .map(|b| (*a, *b)),
                    );
                }
                pairs.extend(owner.devices.iter().filter(|b| *b > a).map(|b| (*a, *b)));
            }
        }
        pairs
    }

    /// Nothing is left over.
    fn close(&mut self) -> Result<(), Fault> {
        for (number, phone) in self.phones.iter_mut().enumerate() {
            if !phone.outbox_is_empty(&mut self.shared)?
                || !phone.inbox_is_empty(&mut self.shared)?
            {
                return Err(format!("device {number} keeps what was read or sent"));
            }
        }
        match self.shared.ledger.unacknowledged() {
            0 => Ok(()),
            count => Err(format!(
                "{count} messages were given out and not acknowledged"
            )),
        }
    }

    /// Bytes of all stores, and directed conversations in them.
    pub fn stored(&mut self) -> Result<(usize, usize), Fault> {
        let mut bytes = 0;
        for phone in &mut self.phones {
            bytes += phone.stored()?;
        }
        Ok((bytes, 2 * self.pairs().len()))
    }
}

impl Shared {
    /// A new device and its app, as the ledger and the server know them.
    fn hand_over(&mut self, device: Device<MemoryStore>, account: usize) -> Phone {
        let address = *device.address();
        self.network.open_queue(address);
        let life = self.ledger.born(account, address);
        Phone::new(device, life, account)
    }
}
