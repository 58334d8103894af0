//! A member: its user's lines go in, what happens in the group comes out.
//!
//! What makes a crash harmless is the device's doing: every call is one commit. This loop only has to do again what it cannot
//! know to be done: hand in what is in the outbox, and read what the service still has.

use std::collections::VecDeque;
use std::io::{self, BufRead};
use std::path::Path;
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::thread;
use std::time::Duration;

use subrosa::device::{
    Device, Error, GroupChange, GroupContent, GroupEvent, GroupId, GroupOutgoing,
};
use subrosa::identity::AccountId;
use subrosa::mls;
use subrosa::{Address, os_rng, system_now};
use subrosa_sqlite::SqliteStore;

use crate::Result;
use crate::client::{Client, Fate};
use crate::disk;

/// One-time key packages that the service has for others to take.
const KEY_PACKAGES: usize = 5;

/// The app's name of the one change that may wait.
const CHANGE: &[u8] = b"change";

/// What the user wants of the group, until it is so.
#[derive(Clone, PartialEq, Eq)]
enum Wish {
    Invite(Address),
    Remove(Address),
}

struct Member {
    device: Device<SqliteStore>,
    service: Client,
    wishes: VecDeque<Wish>,
    /// Texts that wait for the group to be changed.
    unsent: VecDeque<String>,
    /// Somebody has proposed something: a change of whoever commits first.
    proposed: bool,
    texts: u64,
}

/// A member until its user quits.
pub fn run(name: &str, address: &str, directory: &Path) -> Result<()> {
    let mut member = Member {
        device: disk::open(directory)?,
        service: Client::connect(address)?,
        wishes: VecDeque::new(),
        unsent: VecDeque::new(),
        proposed: false,
        texts: system_now(),
    };
    member.introduce(name)?;
    println!("* here");
    // What was read and not shown before a crash.
    for received in member.device.inbox(0, usize::MAX, &mut os_rng())? {
        member.show(received.id, &received.from, &received.text)?;
    }
    let lines = lines();
    loop {
        match lines.try_recv() {
            Ok(line) if line == "quit" => return Ok(()),
            Ok(line) => {
                if let Err(error) = member.command(&line) {
                    println!("* {line:?} failed: {error}");
                }
            }
            Err(TryRecvError::Empty) => thread::sleep(Duration::from_millis(10)),
            Err(TryRecvError::Disconnected) => return Ok(()),
        }
        member.receive()?;
        member.wish()?;
        member.flush()?;
    }
}

/// The lines of standard input.
fn lines() -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in io::stdin().lock().lines().map_while(io::Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

impl Member {
    fn introduce(&mut self, name: &str) -> Result<()> {
        let (own, rng) = (*self.device.address(), &mut os_rng());
        self.service.name(name, &own)?;
        let list = self.device.list(&self.device.account()?, rng)?;
        self.service
            .publish_list(&own, list.ok_or("no list")?.as_bytes())?;
        let published = self
            .device
            .publish_key_packages(KEY_PACKAGES, system_now(), rng)?;
        self.service.publish(&own, &published)?;
        Ok(())
    }

    /// This example has one group at a time.
    fn group(&mut self) -> Result<Option<GroupId>> {
        Ok(self.device.groups(&mut os_rng())?.first().copied())
    }

    fn command(&mut self, line: &str) -> Result<()> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let rng = &mut os_rng();
        match (word, self.group()?) {
            ("create", None) => {
                let group = self.device.create_group(system_now(), rng)?;
                let own = *self.device.address();
                self.service.found(&group, &own)?;
                println!("* created");
            }
            ("invite", Some(_)) => {
                let address = self.service.find(rest)?;
                self.wishes.push_back(Wish::Invite(address));
            }
            ("remove", Some(_)) => {
                let address = self.service.find(rest)?;
                self.wishes.push_back(Wish::Remove(address));
            }
            ("say", Some(_)) => self.unsent.push_back(rest.to_owned()),
            ("leave", Some(group)) => {
                self.device.leave_group(b"leave", &group, rng)?;
            }
            (_, None) => return Err("there is no group yet".into()),
            _ => return Err("create, invite, remove, say, leave or quit".into()),
        }
        Ok(())
    }

    /// Makes the change that is wanted, unless one waits; then says what is to be said.
    fn wish(&mut self) -> Result<()> {
        let (now, rng) = (system_now(), &mut os_rng());
        let Some(group) = self.group()? else {
            return Ok(());
        };
        if self.device.retry_group(CHANGE, rng)?.is_some() {
            return Ok(());
        }
        let members = self.device.group_members(&group, rng)?;
        self.wishes.retain(|wish| match wish {
            Wish::Invite(address) => !members.contains(address),
            Wish::Remove(address) => members.contains(address),
        });
        let mut change = GroupChange {
            id: CHANGE,
            group,
            add: &[],
            remove: &[],
        };
        let package;
        let (added, removed);
        match self.wishes.front().cloned() {
            Some(Wish::Invite(address)) => {
                let (account, _) = AccountId::of(&address).ok_or("not a device")?;
                self.learn(&account)?;
                package = self.service.key_package(&address)?;
                added = [package.as_slice()];
                change.add = &added;
            }
            Some(Wish::Remove(address)) => {
                removed = [address];
                change.remove = &removed;
            }
            None if self.proposed => {}
            None => return self.say(group),
        }
        match self.device.change_group(&change, now, rng) {
            Ok(_) => Ok(()),
            Err(Error::Group(error)) => {
                println!("* the change is not possible: {error}");
                self.wishes.pop_front();
                self.proposed = false;
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    fn say(&mut self, group: GroupId) -> Result<()> {
        while let Some(text) = self.unsent.front() {
            self.texts += 1;
            let id = self.texts.to_be_bytes();
            let message = GroupOutgoing {
                id: &id,
                group,
                text: text.as_bytes(),
            };
            match self.device.send_to_group(&message, &mut os_rng()) {
                Ok(_) => {
                    self.unsent.pop_front();
                }
                // Somebody has proposed something: first it is committed.
                Err(Error::Group(mls::Error::ProposalsWait) | Error::GroupSetBack) => {
                    self.proposed = true;
                    return Ok(());
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Hands in what is in the outbox, oldest first.
    fn flush(&mut self) -> Result<()> {
        let rng = &mut os_rng();
        for sent in self.device.group_outbox(0, usize::MAX, rng)?.0 {
            let commit = matches!(sent.content, GroupContent::Commit { .. });
            // A commit leaves the outbox when it, or the one that came before it, is read.
            let fate = self.service.send(&sent)?;
            if commit {
                self.receive()?;
            } else if fate == Fate::Taken {
                self.device.group_sent(&[&sent.id], rng)?;
            }
        }
        Ok(())
    }

    fn learn(&mut self, account: &AccountId) -> Result<()> {
        let rng = &mut os_rng();
        let known = self.device.list(account, rng)?;
        let above = known.map_or(0, |list| list.version());
        let lists = self.service.lists(account, above)?;
        let lists: Vec<_> = lists.iter().map(Vec::as_slice).collect();
        self.device
            .update_list(account, &lists, system_now(), rng)?;
        Ok(())
    }

    /// Reads what waits at the service.
    fn receive(&mut self) -> Result<()> {
        let own = *self.device.address();
        let mut waiting = self.service.poll(&own)?;
        let count = waiting.len();
        while !waiting.is_empty() {
            let messages: Vec<_> = waiting.iter().map(Vec::as_slice).collect();
            let events = self
                .device
                .receive_groups(&messages, system_now(), &mut os_rng())?;
            let mut again = Vec::new();
            for event in events {
                if let GroupEvent::ListsNeeded { message, accounts } = &event {
                    for account in accounts {
                        self.learn(account)?;
                    }
                    again.push(waiting[*message].clone());
                }
                self.tell(event)?;
            }
            waiting = again;
        }
        if count > 0 {
            self.service.dealt(&own, count)?;
        }
        Ok(())
    }

    fn tell(&mut self, event: GroupEvent) -> Result<()> {
        match event {
            GroupEvent::Message(received) => {
                self.show(received.id, &received.from, &received.text)?
            }
            GroupEvent::Joined { .. } => {
                println!("* joined");
                // Its key package is used up.
                let (own, rng) = (*self.device.address(), &mut os_rng());
                let published = self.device.publish_key_packages(1, system_now(), rng)?;
                self.service.publish(&own, &published)?;
            }
            GroupEvent::Changed {
                group,
                by,
                added,
                removed,
                ..
            } => {
                self.proposed = false;
                if by == *self.device.address() {
                    self.service.gone(&group, &removed)?;
                }
                for (address, what) in added
                    .iter()
                    .map(|address| (address, "in"))
                    .chain(removed.iter().map(|address| (address, "out")))
                {
                    println!("* {} is {what}", self.service.who(address)?);
                }
            }
            GroupEvent::Proposed { by, .. } => {
                // Not who asks to leave: it cannot commit that.
                self.proposed = by != *self.device.address();
            }
            GroupEvent::Left { group } => {
                self.device.forget_group(&group, &mut os_rng())?;
                self.wishes.clear();
                self.unsent.clear();
                println!("* left");
            }
            // One's own messages come back as everybody's do.
            GroupEvent::Rejected { error, .. } if error != Error::Group(mls::Error::OwnMessage) => {
                println!("* refused: {error}");
            }
            _ => {}
        }
        Ok(())
    }

    fn show(&mut self, id: u64, from: &Address, text: &[u8]) -> Result<()> {
        println!(
            "{}: {}",
            self.service.who(from)?,
            String::from_utf8_lossy(text)
        );
        self.device.read(&[id], &mut os_rng())?;
        Ok(())
    }
}
