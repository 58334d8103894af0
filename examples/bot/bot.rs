//! The bot. It is an account like another: it reads what is sealed to it, and has no other way to learn anything.
//!
//! ```text
//!   server ──► receive ──► inbox ──► send ──► outbox ──► server
//!                 │                   │  read    │  sent
//!              1 commit            1 commit each        1 commit
//! ```
//! It may end at any point, and goes on from its store: what came is in the inbox until it was answered, and an answer is
//! in the outbox until the server has it. An answer has the name of the message that it answers. So a bot that ends
//! between `send` and `read` finds the message again, and its answer as well: nobody gets two different ones.

use std::collections::BTreeMap;

use subrosa::crypto::TryRng;
use subrosa::device::{Content, Error, Event, Outgoing, Received, Store};
use subrosa::identity::AccountId;
use subrosa::{Action, AppKey, Device, os_rng};

use crate::Result;
use crate::common::server::Server;

/// Messages that are worked on at once.
const PAGE: usize = 100;

/// One-time bundles that the server should have of the bot.
const BUNDLES: usize = 20;

/// How often somebody is asked at most to say something again, milliseconds: what a broken conversation, or somebody who
/// repeats an old message, can make the bot say.
const ASK_AGAIN: u64 = 60_000;

const HELP: &[u8] = b"I know one thing: roll 6";
const AGAIN: &[u8] = b"I could not read that. Say it again, please.";

/// Another process, such as a tool of the bot's owner, may use the store as well. Who comes second is told `Stale`, has
/// caught up, and makes the same call again.
fn settled<T>(
    mut call: impl FnMut() -> std::result::Result<T, Error>,
) -> std::result::Result<T, Error> {
    loop {
        match call() {
            Err(Error::Stale) => {}
            result => return result,
        }
    }
}

pub struct Bot<S> {
    device: Device<S>,
    /// When who was asked to say something again.
    asked: BTreeMap<AccountId, u64>,
}

/// What is known of a store when it is opened.
#[derive(Clone, Copy)]
pub enum Past {
    /// Nothing was ever stored in it.
    None,
    /// Everything that was stored is there.
    Whole,
    /// It is a backup, or the disk has lost commits. A device that went on from it as if nothing were wrong would look
    /// to others like one that exists twice.
    MayHaveLost,
}

impl<S: Store> Bot<S> {
    /// Makes the bot's account, or goes on from what is stored.
    pub fn start(store: S, past: Past, app_key: AppKey, now: u64) -> Result<Self> {
        let device = match past {
            // The recovery key's seed belongs on paper, at the owner's: nothing else replaces the keys of a lost account.
            Past::None => Device::create(store, app_key, now, &mut os_rng())?.0,
            Past::Whole => Device::open(store, app_key, None)?,
            Past::MayHaveLost => Device::restore(store, app_key, now, &mut os_rng())?,
        };
        Ok(Self {
            device,
            asked: BTreeMap::new(),
        })
    }

    pub fn account(&self) -> Result<AccountId> {
        Ok(self.device.account()?)
    }

    /// Everything that there is to do. After an error the bot ends, and is started again.
    pub fn turn(&mut self, server: &mut Server, now: u64) -> Result<()> {
        self.publish(server, now)?;
        self.receive(server, now)?;
        self.answer(server, now)?;
        self.deliver(server)
    }

    fn publish(&mut self, server: &mut Server, now: u64) -> Result<()> {
        let (address, account) = (*self.device.address(), self.account()?);
        if server.lists_above(&account, None).is_empty() {
            let list = settled(|| self.device.list(&account, &mut os_rng()))?;
            server.publish_list(&list.ok_or(Error::NotLinked)?);
        }
        // The owner may have linked a second device; and a bot that was restored has to know.
        self.update_list(server, &account, now)?;
        let left = server.one_time.get(&address).map_or(0, |left| left.len());
        let due = settled(|| self.device.publish_due(now, &mut os_rng()))?;
        if due || left < BUNDLES / 2 {
            let count = BUNDLES.saturating_sub(left);
            let published = settled(|| self.device.publish(count, now, &mut os_rng()))?;
            server.publish(&address, published);
        }
        Ok(())
    }

    /// Reads what waits, and only then lets the server forget it: what is handed in twice is refused the second time.
    fn receive(&mut self, server: &mut Server, now: u64) -> Result<()> {
        let address = *self.device.address();
        loop {
            let queue = server.queues.entry(address).or_default();
            let envelopes: Vec<_> = queue.iter().take(PAGE).cloned().collect();
            if envelopes.is_empty() {
                return Ok(());
            }
            let unlisted = self.take_in(server, &envelopes, now)?;
            // Their senders were on no list that the bot knew. It knows the newest one now.
            for envelope in self.take_in(server, &unlisted, now)? {
                match settled(|| self.device.refuse(&envelope, now, &mut os_rng())) {
                    // It cannot be read for another reason.
                    Ok(()) | Err(Error::Session(_)) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            if let Some(queue) = server.queues.get_mut(&address) {
                queue.drain(..envelopes.len());
            }
        }
    }

    /// Hands envelopes in, and gives back those whose senders' device lists were missing.
    fn take_in(
        &mut self,
        server: &mut Server,
        envelopes: &[Vec<u8>],
        now: u64,
    ) -> Result<Vec<Vec<u8>>> {
        let handed_in: Vec<_> = envelopes.iter().map(Vec::as_slice).collect();
        let events = settled(|| self.device.receive(&handed_in, now, &mut os_rng()))?;
        let mut unlisted = Vec::new();
        for event in events {
            match event {
                // It is in the inbox: `answer` finds it there, in this process or in the next.
                Event::Message(_) => {}
                Event::ListNeeded { envelope, account } => {
                    self.update_list(server, &account, now)?;
                    unlisted.extend(envelopes.get(envelope).cloned());
                }
                // What was said is lost, and so is whatever comes until a conversation is begun anew.
                Event::Rejected {
                    from: Some(from),
                    action: Action::BeginAnew,
                    ..
                } => {
                    if let Some((account, _)) = AccountId::of(&from) {
                        self.ask_again(server, account, now)?;
                    }
                }
                // Repeats, forgeries, what is for somebody else: nothing to do.
                Event::Rejected { .. } => {}
                // Lists are fetched before every answer, which also says if keys were changed; and `unreached` knows what
                // is to be begun anew.
                Event::ListBehind { .. }
                | Event::DeviceAdded(_)
                | Event::DeviceRemoved(_)
                | Event::KeyChanged { .. }
                | Event::BeginAnew(_)
                | Event::ForkSuspected(_) => {}
                Event::Unlinked => {
                    return Err("somebody has taken this bot off its own list".into());
                }
                // Two lists of one account, and whatever later versions tell: for the bot's owner to look into.
                event => eprintln!("bot: {event:?}"),
            }
        }
        Ok(unlisted)
    }

    fn update_list(&mut self, server: &Server, account: &AccountId, now: u64) -> Result<()> {
        let known = settled(|| self.device.list(account, &mut os_rng()))?;
        let lists = server.lists_above(account, known.map(|list| list.version()));
        match settled(|| self.device.update_list(account, &lists, now, &mut os_rng())) {
            Ok(_) => Ok(()),
            // The server does not tell the truth about this account. What is known stays known.
            Err(Error::Identity(error)) => {
                eprintln!("bot: {account:?}: {error}");
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Answers what is in the inbox. What cannot be answered now stays there.
    fn answer(&mut self, server: &mut Server, now: u64) -> Result<()> {
        let mut from = 0;
        loop {
            let waiting = settled(|| self.device.inbox(from, PAGE, &mut os_rng()))?;
            let Some(last) = waiting.last() else {
                return Ok(());
            };
            from = last.id.saturating_add(1);
            let mut answered = Vec::new();
            for message in &waiting {
                let is_done = match (message.content, message.account()) {
                    (Content::Message, Some(account)) => {
                        let text = reply(message)?;
                        self.say(server, &account, &message.id.to_be_bytes(), &text, now)?
                    }
                    // What another device of the bot's account has sent, and what a later version will understand.
                    _ => true,
                };
                if is_done {
                    answered.push(message.id);
                }
            }
            settled(|| self.device.read(&answered, &mut os_rng()))?;
        }
    }

    fn ask_again(&mut self, server: &mut Server, account: AccountId, now: u64) -> Result<()> {
        let recently = |at: &u64| now < at.saturating_add(ASK_AGAIN);
        if !self.asked.get(&account).is_some_and(recently) {
            self.asked.insert(account, now);
            self.say(server, &account, account.as_bytes(), AGAIN, now)?;
        }
        Ok(())
    }

    /// Seals a text for all devices of an account and puts it into the outbox; false if none can be reached now.
    fn say(
        &mut self,
        server: &mut Server,
        to: &AccountId,
        id: &[u8],
        text: &[u8],
        now: u64,
    ) -> Result<bool> {
        self.update_list(server, to, now)?;
        let message = Outgoing {
            id,
            to: *to,
            text,
            // Who has a device that cannot be reached is answered on the others.
            partial: true,
        };
        loop {
            let outcome = match self.reach(server, to, now) {
                Ok(()) => settled(|| self.device.send(&message, now, &mut os_rng())).map(|_| true),
                Err(error) => Err(error),
            };
            match outcome {
                Ok(sent) => return Ok(sent),
                // The account's keys were replaced. This bot rolls dice for anybody, so it agrees. A bot that obeys
                // somebody must not: it stops, and its owner compares the new keys first.
                Err(Error::KeyChanged) => settled(|| self.device.approve(to, &mut os_rng()))?,
                Err(Error::Unreached | Error::UnknownAccount) => return Ok(false),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Begins the conversations that are missing or broken.
    fn reach(
        &mut self,
        server: &mut Server,
        to: &AccountId,
        now: u64,
    ) -> std::result::Result<(), Error> {
        let unreached = settled(|| self.device.unreached(to, now, &mut os_rng()))?;
        let bundles = unreached
            .iter()
            .filter_map(|address| server.bundle(address));
        let bundles: Vec<_> = bundles.collect();
        if !bundles.is_empty() {
            let bundles: Vec<_> = bundles.iter().map(Vec::as_slice).collect();
            // A bundle that does not hold leaves its device unreached.
            let begun = settled(|| self.device.begin(&bundles, now, &mut os_rng()))?;
            for error in begun.into_iter().filter_map(|begun| begun.err()) {
                eprintln!("bot: a bundle of {to:?}: {error}");
            }
        }
        Ok(())
    }

    /// Gives the server what is in the outbox, the answers of a process that ended before it could among them.
    fn deliver(&mut self, server: &mut Server) -> Result<()> {
        loop {
            let (sealed, _) = settled(|| self.device.outbox(0, PAGE, &mut os_rng()))?;
            if sealed.is_empty() {
                return Ok(());
            }
            for message in &sealed {
                server.send(message);
            }
            let ids: Vec<_> = sealed.iter().map(|message| message.id.as_slice()).collect();
            settled(|| self.device.sent(&ids, &mut os_rng()))?;
        }
    }
}

/// What the bot is for.
fn reply(message: &Received) -> Result<Vec<u8>> {
    let text = String::from_utf8_lossy(&message.text);
    let Some(sides) = text.strip_prefix("roll ") else {
        return Ok(HELP.to_vec());
    };
    let Some(sides) = sides.trim().parse::<u32>().ok().filter(|sides| *sides > 0) else {
        return Ok(HELP.to_vec());
    };
    // So many values that each side has equally many: others are drawn again.
    let most = u64::from(u32::MAX) + 1;
    let fair = most - most % u64::from(sides);
    let value = loop {
        let value = u64::from(os_rng().try_next_u32()?);
        if value < fair {
            break value;
        }
    };
    let side = value % u64::from(sides) + 1;
    Ok(format!("a {side} of {sides}").into_bytes())
}
