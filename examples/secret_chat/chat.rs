//! The terminal of one of two people: what is typed is said, what comes is printed.

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Instant;

use subrosa::Address;

use crate::Result;
use crate::limits::LINGER;
use crate::node::{Front, Node};
use crate::options::Chat;
use crate::peer::{Now, Peer, Progress};
use crate::records::Record;
use crate::reporter::{begin_line, parse_begin};
use crate::screen::printable;
use crate::store::{self, read_if_there, replace};

/// What was written and shown, in the directory of the device: the app's own, and so not the device's to keep.
const PROGRESS: &str = "progress";

struct Terminal {
    directory: PathBuf,
    relay: String,
    progress: Progress,
    /// When the input ended.
    ended: Option<Instant>,
}

pub fn run(chat: &Chat) -> Result<()> {
    let (device, clock) = store::open(&chat.state, None)?;
    let mut terminal = Terminal {
        directory: chat.state.clone(),
        relay: chat.relay.clone(),
        progress: Progress::default(),
        ended: None,
    };
    let account = hex::encode(device.account()?.as_bytes());
    terminal.say(&format!("your account, for the other to know: {account}"))?;
    let Some(other) = chat.peer else {
        return terminal.say("say --peer ACCOUNT to talk to somebody");
    };
    if let Some(line) = read_if_there(&chat.state.join(PROGRESS))? {
        let line = String::from_utf8(line)?;
        let (with, progress) = parse_begin(&line).ok_or("the progress is not what it was")?;
        if with != other {
            return Err("this state belongs to a talk with somebody else".into());
        }
        terminal.progress = progress;
    }
    let peer = Peer::new(device, clock, other, &terminal.progress, Now::read())?;
    let mut node = Node::new(peer, chat.relay.clone());
    node.run(&mut terminal)?;
    match (node.peer.undelivered(), node.peer.unsealed()) {
        (0, _) => Ok(()),
        (left, 0) => terminal.say(&format!(
            "{left} of your lines were not delivered yet; they are kept, and sent when you are here again"
        )),
        (_, lost) => terminal.say(&format!(
            "{lost} of your lines could not even be sealed, and are forgotten"
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

    fn note(&self, peer: &Peer) -> Result<()> {
        let line = begin_line(peer.accounts().1, &self.progress);
        Ok(replace(&self.directory, PROGRESS, line.as_bytes())?)
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
        match record {
            Record::Line {
                from,
                number,
                content,
            } => {
                let line = printable(&String::from_utf8_lossy(&content), usize::MAX);
                self.print(&format!("them: {line}"))?;
                // Should a crash come between the two, it is printed once more.
                let shown = u32::try_from(number)?.saturating_add(1);
                let from = Address::new(&from)?;
                self.progress.read.insert(from, shown);
                self.note(peer)?;
                peer.confirm(&from, shown);
                Ok(())
            }
            Record::Sent { number, .. } => {
                let written = u32::try_from(number)?.saturating_add(1);
                if written > self.progress.written {
                    // Before it is sent: a number is never given twice.
                    self.progress.written = written;
                    self.note(peer)?;
                }
                Ok(())
            }
            Record::Contact { digits } => {
                self.say("the account is there. To know that nobody has told you a wrong one,")?;
                self.say(&format!("compare these digits: {digits}"))
            }
            Record::Changed {} => {
                self.say("ATTENTION: the other account has OTHER KEYS than before.")?;
                self.say("Nothing is sent to it any more.")
            }
            Record::Stranger { account } => self.say(&format!(
                "somebody else has written, and was refused: {}",
                hex::encode(account)
            )),
            Record::Absent {} => {
                self.say("the other has not been at the relay yet; your lines wait here")
            }
            Record::Disconnected {} => {
                self.say(&format!("no relay at {}; trying again", self.relay))
            }
            Record::Connected {} => self.say("connected to the relay"),
            Record::Begun { .. } => self.say("a conversation was begun from here"),
            _ => Ok(()),
        }
    }

    fn shown(&mut self, _: &Peer) -> Result<()> {
        Ok(())
    }

    fn is_over(&mut self, peer: &Peer) -> bool {
        self.ended
            .is_some_and(|ended| peer.undelivered() == 0 || ended.elapsed() >= LINGER)
    }
}
