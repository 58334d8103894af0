//! The delivery service: device lists, key packages, and a queue of messages for each device. Of the commits of an epoch it
//! takes one. It holds no key: of a message it reads the group's id and the epoch, which are in clear.
//!
//! A request is a line of words, bytes in hex; so is the answer.

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use subrosa::mls::Message;

use crate::Result;

/// What the service has.
#[derive(Default)]
struct Service {
    /// Addresses by name.
    names: BTreeMap<String, String>,
    /// Device lists by account, from the first on.
    lists: BTreeMap<String, Vec<String>>,
    /// Key packages by address: that of last resort, and those that are used once.
    last_resort: BTreeMap<String, String>,
    once: BTreeMap<String, VecDeque<String>>,
    /// Members by group, and its epoch.
    groups: BTreeMap<String, Group>,
    queues: BTreeMap<String, VecDeque<String>>,
}

#[derive(Default)]
struct Group {
    epoch: u64,
    members: Vec<String>,
}

/// Serves until the process ends. The first line that is printed is the address.
pub fn run(address: &str) -> Result<()> {
    let listener = TcpListener::bind(address)?;
    println!("service at {}", listener.local_addr()?);
    let service = Arc::new(Mutex::new(Service::default()));
    for connection in listener.incoming() {
        let (connection, service) = (connection?, Arc::clone(&service));
        // Who breaks off, or sends nonsense, is heard no more.
        thread::spawn(move || serve(&connection, &service));
    }
    Ok(())
}

fn serve(connection: &TcpStream, service: &Mutex<Service>) -> Result<()> {
    let mut writer = connection.try_clone()?;
    for line in BufReader::new(connection).lines() {
        let line = line?;
        let words: Vec<&str> = line.split(' ').collect();
        let mut service = service.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = service.answer(&words).unwrap_or_else(|| "no".to_owned());
        drop(service);
        writeln!(writer, "{answer}")?;
    }
    Ok(())
}

impl Service {
    /// None for what is no request, or asks for what is not there.
    fn answer(&mut self, words: &[&str]) -> Option<String> {
        let ok = Some("ok".to_owned());
        match *words {
            ["name", name, address] => {
                // A name is given once.
                let held = self
                    .names
                    .entry(name.to_owned())
                    .or_insert(address.to_owned());
                (held == address).then(|| "ok".to_owned())
            }
            ["find", name] => self.names.get(name).cloned(),
            ["who", address] => {
                let mut names = self.names.iter();
                let (name, _) = names.find(|(_, held)| *held == address)?;
                Some(name.clone())
            }
            ["list", account, list] => {
                let lists = self.lists.entry(account.to_owned()).or_default();
                if lists.last().is_none_or(|last| last != list) {
                    lists.push(list.to_owned());
                }
                ok
            }
            ["lists", account, from] => {
                let from: usize = from.parse().ok()?;
                Some(self.lists.get(account)?.get(from..)?.join(" "))
            }
            ["packages", address, last_resort, ref once @ ..] => {
                if last_resort != "-" {
                    let held = &mut self.last_resort;
                    held.insert(address.to_owned(), last_resort.to_owned());
                }
                let held = self.once.entry(address.to_owned()).or_default();
                held.extend(once.iter().map(|package| (*package).to_owned()));
                Some(held.len().to_string())
            }
            ["package", address] => {
                let once = self.once.get_mut(address).and_then(VecDeque::pop_front);
                once.or_else(|| self.last_resort.get(address).cloned())
            }
            ["found", group, address] => {
                let group = self.groups.entry(group.to_owned()).or_default();
                if group.members.is_empty() {
                    group.members.push(address.to_owned());
                }
                ok
            }
            ["post", group, message] => {
                self.deliver(group, message)?;
                ok
            }
            ["commit", group, message, welcome, ref added @ ..] => {
                Some(self.commit(group, message, welcome, added)?.to_owned())
            }
            ["gone", group, ref gone @ ..] => {
                let members = &mut self.groups.get_mut(group)?.members;
                members.retain(|member| !gone.contains(&member.as_str()));
                ok
            }
            ["poll", address] => {
                let queue = self.queues.entry(address.to_owned()).or_default();
                let waiting: Vec<&str> = queue.iter().take(100).map(String::as_str).collect();
                Some(waiting.join(" "))
            }
            ["dealt", address, count] => {
                let queue = self.queues.get_mut(address)?;
                queue.drain(..count.parse::<usize>().ok()?.min(queue.len()));
                ok
            }
            _ => None,
        }
    }

    /// To all members, the sender included.
    fn deliver(&mut self, group: &str, message: &str) -> Option<()> {
        for member in &self.groups.get(group)?.members {
            let queue = self.queues.entry(member.clone()).or_default();
            queue.push_back(message.to_owned());
        }
        Some(())
    }

    /// Takes a commit if it is of the present epoch: then it goes to all members, and the Welcome after it to those whom it adds.
    fn commit(
        &mut self,
        group: &str,
        message: &str,
        welcome: &str,
        added: &[&str],
    ) -> Option<&'static str> {
        let epoch = match Message::decode(&hex::decode(message).ok()?).ok()? {
            Message::Private(message) => message.epoch,
            Message::Public(message) => message.content.epoch,
            _ => return None,
        };
        if self.groups.get(group)?.epoch != epoch {
            return Some("late");
        }
        self.deliver(group, message)?;
        let held = self.groups.get_mut(group)?;
        held.epoch += 1;
        for address in added {
            held.members.push((*address).to_owned());
            let queue = self.queues.entry((*address).to_owned()).or_default();
            queue.push_back(welcome.to_owned());
        }
        Some("taken")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_that_are_none() {
        let mut service = Service::default();
        for words in [
            &["poll"][..],
            &["post", "aa", "bb"],
            &["commit", "aa", "zz", "-"],
            &["lists", "aa", "0"],
            &["dealt", "aa", "many"],
            &[""],
        ] {
            assert_eq!(service.answer(words), None, "{words:?}");
        }
        assert_eq!(service.answer(&["name", "a", "01"]).as_deref(), Some("ok"));
        assert_eq!(service.answer(&["name", "a", "02"]), None, "taken");
        assert_eq!(service.answer(&["find", "a"]).as_deref(), Some("01"));
    }
}
