//! The terminal of one of two people: what is typed is said, what comes is printed.

use std::io::{self, Write};
use std::time::Instant;

use subrosa::Address;

use crate::Result;
use crate::limits::LINGER;
use crate::node::{Front, Node};
use crate::options::Chat;
use crate::peer::{Now, Peer, fingerprint};
use crate::records::Record;
use crate::screen::{groups, printable};
use crate::store::Store;

struct Terminal {
    peer_name: String,
    relay: String,
    /// When the input ended.
    ended: Option<Instant>,
}

pub fn run(chat: &Chat) -> Result<()> {
    let address = Address::new(chat.name.as_bytes())?;
    let peer_address = Address::new(chat.peer.as_bytes())?;
    let (store, loaded) = Store::open(&chat.state)?;
    let is_new = loaded.is_none();
    let mut peer = Peer::new(loaded, address, peer_address, Now::read())?;
    // A line is confirmed after it was printed: should a crash come between the two, it is printed once more.
    peer.resume(peer.inbox().confirmed())?;
    let mut terminal = Terminal {
        peer_name: chat.peer.clone(),
        relay: chat.relay.clone(),
        ended: None,
    };
    let origin = if is_new { "new" } else { "kept" };
    terminal.say(&format!(
        "your state is {origin}, in {}",
        chat.state.display()
    ))?;
    terminal.say(&format!("your keys:  {}", groups(&fingerprint(peer.own()))))?;
    if let Some(pinned) = peer.pinned() {
        let keys = groups(&fingerprint(pinned));
        terminal.say(&format!("{}'s keys: {keys}, as before", chat.peer))?;
    }
    let mut node = Node::new(peer, store, chat.relay.clone());
    node.run(&mut terminal)?;
    match node.peer.outbox().len() {
        0 => Ok(()),
        left => terminal.say(&format!(
            "{left} of your lines were not delivered yet; they are kept, and sent when you are here again"
        )),
    }
}

impl Terminal {
    /// Something that no person has typed.
    fn say(&self, text: &str) -> Result<()> {
        self.print(&format!("-- {text}"))
    }

    fn print(&self, text: &str) -> Result<()> {
        let mut out = io::stdout().lock();
        writeln!(out, "{text}")?;
        Ok(out.flush()?)
    }
}

impl Front for Terminal {
    fn input(&mut self, line: Vec<u8>, peer: &mut Peer) -> Result<()> {
        if !line.is_empty() {
            peer.say(line);
        }
        Ok(())
    }

    fn end_of_input(&mut self) -> Result<()> {
        self.ended = Some(Instant::now());
        Ok(())
    }

    fn feed(&mut self, _: &mut Peer) -> Result<()> {
        Ok(())
    }

    fn show(&mut self, record: Record, peer: &mut Peer) -> Result<()> {
        let name = &self.peer_name;
        match record {
            Record::Line {
                number, content, ..
            } => {
                let line = printable(&String::from_utf8_lossy(&content), usize::MAX);
                self.print(&format!("{name}: {line}"))?;
                peer.confirm(u32::try_from(number)?.saturating_add(1));
                Ok(())
            }
            Record::Contact { peer: keys, .. } => {
                self.say(&format!(
                    "first contact with {name}. The relay says that these are {name}'s keys:"
                ))?;
                self.say(&format!("    {}", groups(&keys)))?;
                self.say("They are believed from now on, and nobody has checked them: compare them with what")?;
                self.say(&format!(
                    "{name}'s screen shows as \"your keys\", by telephone or face to face."
                ))
            }
            Record::Changed { pinned, other } => {
                self.say(&format!("ATTENTION: {name} has OTHER KEYS than before."))?;
                self.say(&format!("    before: {}", groups(&pinned)))?;
                self.say(&format!("    now:    {}", groups(&other)))?;
                self.say(
                    "Somebody else may be using the name, or the state of the other side was lost.",
                )?;
                self.say("Nothing of it is read or answered. If the new keys are right, begin with a new --state.")
            }
            Record::Stranger { name: stranger } => {
                let stranger = printable(&String::from_utf8_lossy(&stranger), 47);
                self.say(&format!(
                    "somebody called {stranger} is not {name}, and was refused"
                ))
            }
            Record::Absent {} => self.say(&format!(
                "{name} has not been at the relay yet; your lines wait here"
            )),
            Record::Disconnected {} => {
                self.say(&format!("no relay at {}; trying again", self.relay))
            }
            Record::Connected {} => self.say("connected to the relay"),
            Record::Begun {} => self.say("a conversation was begun from here"),
            Record::Accepted {} => self.say(&format!(
                "{name} has begun a conversation, with the same keys; accepted"
            )),
            _ => Ok(()),
        }
    }

    fn shown(&mut self, _: &Peer) -> Result<()> {
        Ok(())
    }

    fn is_over(&mut self, peer: &Peer) -> bool {
        self.ended
            .is_some_and(|ended| peer.outbox().is_empty() || ended.elapsed() >= LINGER)
    }
}
