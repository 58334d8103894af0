//! A peer of the demonstration: says the lines of the text, and tells its parent process everything.
//!
//! Standard input: `shown K` (the parent has shown the lines below K; the first thing that it says), and `stop`. Where
//! the input ends the parent has gone, and so goes the peer.

use std::io::{self, BufWriter, Stdout, Write};
use std::process;

use subrosa::Address;

use crate::Result;
use crate::limits::WINDOW;
use crate::node::{Front, Node};
use crate::options::Actor;
use crate::peer::{Now, Peer};
use crate::records::Record;
use crate::store::Store;
use crate::text;

struct Reporter {
    lines: Vec<&'static [u8]>,
    out: BufWriter<Stdout>,
    delivered: bool,
    stopped: bool,
}

pub fn run(actor: &Actor) -> Result<()> {
    let address = Address::new(actor.name.as_bytes())?;
    let peer_address = Address::new(actor.peer.as_bytes())?;
    let (store, loaded) = Store::open(&actor.state)?;
    let mut peer = Peer::new(loaded, address, peer_address, Now::read())?;
    let mut reporter = Reporter {
        lines: text::lines(actor.lines),
        out: BufWriter::new(io::stdout()),
        delivered: false,
        stopped: false,
    };
    reporter.tell(&Record::Loaded {
        generation: store.generation(),
        read: peer.inbox().complete().into(),
        written: peer.outbox().next().into(),
    })?;
    reporter.out.flush()?;
    let mut shown = String::new();
    io::stdin().read_line(&mut shown)?;
    peer.resume(parse_shown(shown.trim_end())?)?;

    let mut node = Node::new(peer, store, actor.relay.clone());
    node.run(&mut reporter)?;
    for (name, count) in node.peer.counts().iter() {
        let name = name.to_owned();
        reporter.tell(&Record::Total { name, count })?;
    }
    Ok(reporter.out.flush()?)
}

fn parse_shown(line: &str) -> Result<u32> {
    let number = line.strip_prefix("shown ").ok_or("`shown` was expected")?;
    Ok(number.parse()?)
}

impl Reporter {
    fn tell(&mut self, record: &Record) -> io::Result<()> {
        writeln!(self.out, "{record}")
    }
}

impl Front for Reporter {
    fn input(&mut self, line: Vec<u8>, peer: &mut Peer) -> Result<()> {
        match String::from_utf8(line)?.as_str() {
            "stop" => self.stopped = true,
            line => peer.confirm(parse_shown(line)?),
        }
        Ok(())
    }

    fn end_of_input(&mut self) -> Result<()> {
        // Nobody is left who would hear about it.
        process::exit(1)
    }

    /// Two windows of lines, so that the next ones are there when the first are acknowledged.
    fn feed(&mut self, peer: &mut Peer) -> Result<()> {
        while peer.outbox().len() < 2 * WINDOW {
            let next = usize::try_from(peer.outbox().next())?;
            let Some(line) = self.lines.get(next) else {
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
        // Nothing is left in the outbox, nothing is left to be put there, and that is stored.
        if peer.outbox().is_empty() && !self.delivered {
            self.delivered = true;
            self.tell(&Record::Delivered {})?;
        }
        Ok(self.out.flush()?)
    }

    fn is_over(&mut self, _: &Peer) -> bool {
        self.stopped
    }
}
