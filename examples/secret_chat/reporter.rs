//! A peer of the demonstration: says the lines of the text, and tells its parent process everything.
//!
//! The parent is what is trusted here: it carries the request of the device that is to be linked to the one that links
//! it, tells everybody the other's account, and remembers what was shown. Standard input:
//!
//! ```text
//! link REQUEST                        put this device on our account's list
//! begin ACCOUNT WRITTEN ADDRESS=READ…  with whom; lines of ours that came out; of each device the lines that were shown
//! shown ADDRESS READ
//! stop
//! ```
//! Where the input ends the parent has gone, and so goes the peer.

use std::io::{self, BufRead, BufWriter, Stdout, Write};
use std::process;

use subrosa::identity::AccountId;
use subrosa::{Address, os_rng};

use crate::Result;
use crate::limits::WINDOW;
use crate::node::{Front, Node};
use crate::options::Actor;
use crate::peer::{Now, Peer, Progress};
use crate::records::Record;
use crate::store::{self, StoredDevice};
use crate::text;

struct Reporter {
    lines: Vec<&'static [u8]>,
    out: BufWriter<Stdout>,
    delivered: bool,
    stopped: bool,
}

pub fn run(actor: &Actor) -> Result<()> {
    let (mut device, clock) = store::open(&actor.state, actor.link)?;
    let mut reporter = Reporter {
        lines: text::lines(actor.lines),
        out: BufWriter::new(io::stdout()),
        delivered: false,
        stopped: false,
    };
    let generation = device.generation();
    reporter.tell(&Record::Own {
        address: device.address().as_bytes().to_vec(),
        account: device.account()?.as_bytes().to_vec(),
        request: device.link_request(),
    })?;
    reporter.out.flush()?;
    let (other, progress) = reporter.prepare(&mut device)?;
    let peer = Peer::new(device, clock, other, &progress, Now::read())?;
    reporter.tell(&Record::Loaded {
        generation,
        read: peer.complete(),
        written: peer.written().into(),
    })?;
    let mut node = Node::new(peer, actor.relay.clone());
    node.run(&mut reporter)?;
    Ok(reporter.out.flush()?)
}

/// What the parent says when all accounts are known.
pub fn begin_line(other: &AccountId, progress: &Progress) -> String {
    let mut line = format!(
        "begin {} {}",
        hex::encode(other.as_bytes()),
        progress.written
    );
    for (address, read) in &progress.read {
        line += &format!(" {}={read}", hex::encode(address.as_bytes()));
    }
    line
}

pub fn parse_begin(line: &str) -> Option<(AccountId, Progress)> {
    let mut words = line.strip_prefix("begin ")?.split(' ');
    let other = hex::decode(words.next()?).ok()?.try_into().ok()?;
    let written = words.next()?.parse().ok()?;
    let read = words.map(|word| {
        let (address, read) = word.split_once('=')?;
        Some((parse_address(address)?, read.parse().ok()?))
    });
    let progress = Progress {
        written,
        read: read.collect::<Option<_>>()?,
    };
    Some((AccountId::from_bytes(other), progress))
}

fn parse_address(word: &str) -> Option<Address> {
    Address::new(&hex::decode(word).ok()?).ok()
}

fn parse_shown(line: &str) -> Option<(Address, u32)> {
    let (address, read) = line.strip_prefix("shown ")?.split_once(' ')?;
    Some((parse_address(address)?, read.parse().ok()?))
}

impl Reporter {
    fn tell(&mut self, record: &Record) -> io::Result<()> {
        writeln!(self.out, "{record}")
    }

    /// What is done before the talk begins.
    fn prepare(&mut self, device: &mut StoredDevice) -> Result<(AccountId, Progress)> {
        // The node reads on from here: not a byte more is taken than these lines.
        for line in io::stdin().lock().lines() {
            let line = line?;
            if let Some(request) = line.strip_prefix("link ") {
                device.link(&hex::decode(request)?, &mut os_rng())?;
                self.tell(&Record::Linked {})?;
                self.out.flush()?;
            } else {
                return parse_begin(&line)
                    .ok_or_else(|| format!("`{line}` is no beginning").into());
            }
        }
        process::exit(1)
    }
}

impl Front for Reporter {
    fn input(&mut self, line: Vec<u8>, peer: &mut Peer) -> Result<()> {
        match String::from_utf8(line)?.as_str() {
            "stop" => self.stopped = true,
            line => {
                let (from, shown) = parse_shown(line).ok_or("`shown` was expected")?;
                peer.confirm(&from, shown);
            }
        }
        Ok(())
    }

    fn end_of_input(&mut self) -> Result<()> {
        // Nobody is left who would hear about it.
        process::exit(1)
    }

    /// Two windows of lines, so that the next ones are there when the first are acknowledged.
    fn feed(&mut self, peer: &mut Peer) -> Result<()> {
        while peer.undelivered() < 2 * WINDOW {
            let Some(line) = self.lines.get(peer.said()) else {
                break;
            };
            peer.say(line.to_vec());
        }
        Ok(())
    }

    fn show(&mut self, record: Record, _: &mut Peer) -> Result<()> {
        Ok(self.tell(&record)?)
    }

    fn shown(&mut self, peer: &Peer) -> Result<()> {
        // Everybody has everything, and there is nothing left to be said.
        if peer.undelivered() == 0 && !self.delivered {
            self.delivered = true;
            self.tell(&Record::Delivered {})?;
        }
        Ok(self.out.flush()?)
    }

    fn is_over(&mut self, _: &Peer) -> bool {
        self.stopped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_parent_says_is_understood() {
        let account = AccountId::from_bytes([7; 32]);
        for read in [
            vec![],
            vec![(account.device(1), 0)],
            vec![(account.device(1), 9), (account.device(2), 3)],
        ] {
            let progress = Progress {
                written: 5,
                read: read.into_iter().collect(),
            };
            let line = begin_line(&account, &progress);
            assert_eq!(parse_begin(&line), Some((account, progress)));
        }
        for line in ["begin", "begin 07 5", "stop", "begin 07=1"] {
            assert_eq!(parse_begin(line), None, "{line}");
        }
        let shown = format!("shown {} 4", hex::encode(account.device(3).as_bytes()));
        assert_eq!(parse_shown(&shown), Some((account.device(3), 4)));
        assert_eq!(parse_shown("shown 4"), None);
    }
}
