//! A server as SPEC §19.7 has it, in memory, and devices that use it.
#![allow(dead_code, reason = "not every user of it uses everything")]

use std::collections::{BTreeMap, VecDeque};

use subrosa::device::{Error, Event, Outgoing, Published, Received, Sent, Store};
use subrosa::identity::{AccountId, DeviceList, RecoverySecret};
use subrosa::{Address, AppKey, CryptoRng, Device};

/// What one server holds.
#[derive(Default)]
pub struct Server {
    pub last_resort: BTreeMap<Address, Vec<u8>>,
    pub one_time: BTreeMap<Address, VecDeque<Vec<u8>>>,
    /// From version 1 on.
    pub lists: BTreeMap<AccountId, Vec<Vec<u8>>>,
    pub queues: BTreeMap<Address, VecDeque<Vec<u8>>>,
}

impl Server {
    pub fn publish(&mut self, address: &Address, published: Published) {
        self.last_resort.insert(*address, published.last_resort);
        let bundles = self.one_time.entry(*address).or_default();
        if published.replaces {
            bundles.clear();
        }
        bundles.extend(published.one_time);
    }

    /// Each one-time bundle once, then the last-resort one.
    pub fn bundle(&mut self, address: &Address) -> Option<Vec<u8>> {
        let one_time = self.one_time.get_mut(address).and_then(VecDeque::pop_front);
        one_time.or_else(|| self.last_resort.get(address).cloned())
    }

    pub fn publish_list(&mut self, list: &DeviceList) {
        let lists = self.lists.entry(*list.account_id()).or_default();
        assert_eq!(lists.len() as u64 + 1, list.version(), "one list a version");
        lists.push(list.as_bytes().to_vec());
    }

    /// The lists of an account above a version; the newest alone for whoever knows none.
    pub fn lists_above(&self, account: &AccountId, version: Option<u64>) -> Vec<&[u8]> {
        let lists = self.lists.get(account).map_or(&[][..], Vec::as_slice);
        let from = match version {
            Some(version) => version as usize,
            None => lists.len().saturating_sub(1),
        };
        lists.iter().skip(from).map(Vec::as_slice).collect()
    }

    pub fn send(&mut self, sent: &Sent) {
        for copy in &sent.copies {
            let queue = self.queues.entry(copy.to).or_default();
            queue.push_back(copy.message.clone());
        }
    }
}

/// The device that begins a new account, known to the server.
pub fn register<S: Store>(
    server: &mut Server,
    store: S,
    app_key: [u8; 32],
    now: u64,
    rng: &mut impl CryptoRng,
) -> (Device<S>, RecoverySecret) {
    let (mut device, recovery) = Device::create(store, AppKey::new(app_key), now, rng).unwrap();
    let account = device.account().unwrap();
    let list = device.list(&account, rng).unwrap().unwrap();
    server.publish_list(&list);
    publish(server, &mut device, 20, now, rng);
    (device, recovery)
}

/// A further device of an account, known to the server; the primary knows it too.
pub fn link<S: Store, T: Store>(
    server: &mut Server,
    primary: &mut Device<S>,
    store: T,
    app_key: [u8; 32],
    now: u64,
    rng: &mut impl CryptoRng,
) -> Device<T> {
    let account = primary.account().unwrap();
    let known = primary.list(&account, rng).unwrap().unwrap();
    let app_key = AppKey::new(app_key);
    let id = known.next_id();
    let mut device = Device::create_linked(store, app_key, &account, id, now, rng).unwrap();
    let list = primary.link(&device.link_request(), rng).unwrap();
    server.publish_list(&list);
    device
        .update_list(&account, &[list.as_bytes()], now, rng)
        .unwrap();
    publish(server, &mut device, 20, now, rng);
    device
}

pub fn publish<S: Store>(
    server: &mut Server,
    device: &mut Device<S>,
    count: usize,
    now: u64,
    rng: &mut impl CryptoRng,
) {
    let published = device.publish(count, now, rng).unwrap();
    server.publish(device.address(), published);
}

/// Takes in what the server has of an account's lists.
pub fn catch_up<S: Store>(
    server: &Server,
    device: &mut Device<S>,
    account: &AccountId,
    now: u64,
    rng: &mut impl CryptoRng,
) -> Result<Vec<Event>, Error> {
    let known = device.list(account, rng)?.map(|list| list.version());
    device.update_list(account, &server.lists_above(account, known), now, rng)
}

/// Sends a text to an account: first the lists and the conversations that are missing.
pub fn send<S: Store>(
    server: &mut Server,
    device: &mut Device<S>,
    to: &AccountId,
    id: &[u8],
    text: &[u8],
    now: u64,
    rng: &mut impl CryptoRng,
) -> Result<Sent, Error> {
    let message = Outgoing {
        id,
        to: *to,
        text,
        partial: false,
    };
    if device.list(to, rng)?.is_none() {
        catch_up(server, device, to, now, rng)?;
    }
    let unreached = device.unreached(to, now, rng)?;
    let bundles: Vec<_> = unreached
        .iter()
        .filter_map(|address| server.bundle(address))
        .collect();
    let bundles: Vec<_> = bundles.iter().map(Vec::as_slice).collect();
    if !bundles.is_empty() {
        for begun in device.begin(&bundles, now, rng)? {
            begun?;
        }
    }
    let sent = device.send(&message, now, rng)?;
    server.send(&sent);
    device.sent(&[id], rng)?;
    Ok(sent)
}

/// Reads all that waits on the server, fetches the lists that are asked for, and gives every event.
pub fn receive<S: Store>(
    server: &mut Server,
    device: &mut Device<S>,
    now: u64,
    rng: &mut impl CryptoRng,
) -> Result<Vec<Event>, Error> {
    let mut events = Vec::new();
    let mut waiting = server.queues.remove(device.address()).unwrap_or_default();
    // A list that is asked for is fetched once; what still asks for one is refused.
    for may_fetch in [true, false] {
        let envelopes: Vec<_> = waiting.iter().map(Vec::as_slice).collect();
        let mut again = VecDeque::new();
        for event in device.receive(&envelopes, now, rng)? {
            let Event::ListNeeded { envelope, account } = event else {
                events.push(event);
                continue;
            };
            if may_fetch {
                events.extend(catch_up(server, device, &account, now, rng)?);
                again.push_back(waiting[envelope].clone());
            } else {
                device.refuse(&waiting[envelope], now, rng)?;
                events.push(Event::ListNeeded { envelope, account });
            }
        }
        waiting = again;
    }
    Ok(events)
}

/// The messages among events, all of them read.
pub fn messages<S: Store>(
    device: &mut Device<S>,
    events: &[Event],
    rng: &mut impl CryptoRng,
) -> Vec<Received> {
    let messages: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            Event::Message(received) => Some(received.clone()),
            _ => None,
        })
        .collect();
    let ids: Vec<_> = messages.iter().map(|message| message.id).collect();
    device.read(&ids, rng).unwrap();
    messages
}
