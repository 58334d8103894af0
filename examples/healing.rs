//! How fast a conversation heals against a quantum attacker, and what that costs on the wire: prints the table of
//! SPEC §10.8. `cargo run --release --example healing`
//!
//! Two devices talk for [`EPOCHS`] epochs of the Braid, over a line that loses messages, in texts of random lengths.
//! Everything is drawn from a seed, so that the same table comes out every time.

#[path = "../tests/common/mod.rs"]
mod common;

use std::fmt::Write as _;
use std::process::ExitCode;

use common::{NOW, SeededRng};
use subrosa::padding::padded_length;
use subrosa::wire::header_length;
use subrosa::{
    Address, Bundle, Conversation, DeviceIdentity, Incoming, Prekeys, StagedFirst, VerifiedBundle,
};

/// Epochs over which a cell is measured.
const EPOCHS: u32 = 100;

/// Messages after which a cell is given up: a fault of the protocol.
const GIVE_UP: u32 = 200_000;

/// Medians of the texts' lengths, bytes.
const MEDIANS: [u32; 4] = [15, 40, 80, 150];

/// Percent of the messages that are lost.
const LOSSES: [u64; 3] = [0, 5, 20];

/// Bytes that a message without the Braid adds to its padded text: no epoch in the header, no frame.
const OVERHEAD_WITHOUT: usize = 98;

/// Who speaks when.
#[derive(Clone, Copy)]
enum Talk {
    /// So many messages of one side, then so many of the other.
    Bursts(u32, u32),
    /// Each message is the first side's with so many percent.
    Random(u64),
}

const TALKS: [(&str, Talk); 4] = [
    ("ping-pong", Talk::Bursts(1, 1)),
    ("bursts 3:3", Talk::Bursts(3, 3)),
    ("bursts 5:1", Talk::Bursts(5, 1)),
    ("95:5", Talk::Random(95)),
];

/// What one cell of the table shows.
struct Measured {
    /// Changes of the speaker, halved, for each epoch.
    round_trips: f64,
    /// Messages for each epoch.
    messages: f64,
    /// Bytes that a message takes beyond the same message without the Braid.
    extra: f64,
}

fn main() -> ExitCode {
    match table() {
        Ok(table) => {
            print!("{table}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// The table, in Markdown.
fn table() -> Result<String, String> {
    let mut table = String::from(
        "| median | talk | loss | round trips an epoch | messages an epoch | extra bytes a message |\n\
         |---|---|---|---|---|---|\n",
    );
    for median in MEDIANS {
        for (name, talk) in TALKS {
            for loss in LOSSES {
                let measured = Line::new(median, talk, loss)?.measure()?;
                let _ = writeln!(
                    table,
                    "| {median} | {name} | {loss} % | {:.1} | {:.1} | {:.1} |",
                    measured.round_trips, measured.messages, measured.extra
                );
            }
        }
    }
    Ok(table)
}

struct Side {
    device: DeviceIdentity,
    conversation: Conversation,
}

/// Two sides that have answered each other once, and what is between them.
struct Line {
    sides: [Side; 2],
    rng: SeededRng,
    median: u32,
    talk: Talk,
    loss: u64,
}

impl Line {
    fn new(median: u32, talk: Talk, loss: u64) -> Result<Self, String> {
        let mut rng = SeededRng(u64::from(median) << 32 | loss);
        let (alice, _) = device("alice", &mut rng)?;
        let (bob, mut prekeys) = device("bob", &mut rng)?;
        let bundle = bundle(&bob, &mut prekeys, &mut rng)?;
        let mut at_alice = Conversation::new(*bundle.identity());
        at_alice
            .begin(&alice, &bundle, NOW, &mut rng)
            .map_err(|error| error.to_string())?;
        let first = at_alice
            .seal(&alice, b"hello", NOW, &mut rng)
            .map_err(|error| error.to_string())?;
        let incoming = Incoming::parse(&first).map_err(|error| error.to_string())?;
        let staged = StagedFirst::stage(&incoming, &bob, &prekeys, NOW)
            .map_err(|error| error.to_string())?;
        let mut at_bob = Conversation::new(*staged.peer());
        staged
            .accept(&mut at_bob, &mut prekeys, NOW)
            .map_err(|error| error.to_string())?;
        let side = |device, conversation| Side {
            device,
            conversation,
        };
        let mut line = Self {
            sides: [side(alice, at_alice), side(bob, at_bob)],
            rng,
            median,
            talk,
            loss,
        };
        // The first answer always arrives: what is measured are ordinary messages.
        line.send(1, false)?;
        Ok(line)
    }

    fn measure(mut self) -> Result<Measured, String> {
        let (mut sent, mut changes, mut extra) = (0u32, 0u32, 0usize);
        let mut last = 1;
        let begin = self.epoch();
        while self.epoch() < begin.saturating_add(EPOCHS) {
            let speaker = self.speaker(sent);
            changes = changes.saturating_add(u32::from(speaker != last));
            last = speaker;
            let lost = self.rng.below(100) < self.loss;
            extra = extra.saturating_add(self.send(speaker, lost)?);
            sent = sent.saturating_add(1);
            if sent == GIVE_UP {
                return Err(format!("no progress: {} epochs", self.epoch()));
            }
        }
        let epochs = f64::from(EPOCHS);
        Ok(Measured {
            round_trips: f64::from(changes) / 2.0 / epochs,
            messages: f64::from(sent) / epochs,
            extra: extra as f64 / f64::from(sent),
        })
    }

    /// The epoch that both sides have reached.
    fn epoch(&self) -> u32 {
        let [a, b] = &self.sides;
        let epoch = |side: &Side| side.conversation.pq_epoch().unwrap_or(0);
        epoch(a).min(epoch(b))
    }

    fn speaker(&mut self, sent: u32) -> usize {
        match self.talk {
            Talk::Bursts(first, second) => usize::from(sent % (first + second) >= first),
            Talk::Random(percent) => usize::from(self.rng.below(100) >= percent),
        }
    }

    /// One message, and the bytes that it has beyond one without the Braid.
    fn send(&mut self, speaker: usize, lost: bool) -> Result<usize, String> {
        let text = vec![b'x'; length(self.median, &mut self.rng)];
        let [a, b] = &mut self.sides;
        let (from, to) = if speaker == 0 { (a, b) } else { (b, a) };
        let message = from
            .conversation
            .seal(&from.device, &text, NOW, &mut self.rng)
            .map_err(|error| error.to_string())?;
        if !lost {
            let incoming = Incoming::parse(&message).map_err(|error| error.to_string())?;
            let opened = to
                .conversation
                .open(&incoming, NOW)
                .map_err(|error| error.to_string())?;
            if opened.text != text || opened.pq_broken {
                return Err("a message arrived altered".to_owned());
            }
        }
        let content = header_length(text.len()).saturating_add(text.len());
        let without = padded_length(content).unwrap_or(0) + OVERHEAD_WITHOUT;
        Ok(message.len().saturating_sub(without))
    }
}

fn device(name: &str, rng: &mut SeededRng) -> Result<(DeviceIdentity, Prekeys), String> {
    let address = Address::new(name.as_bytes()).map_err(|error| error.to_string())?;
    let identity = DeviceIdentity::generate(address, rng).map_err(|error| error.to_string())?;
    let prekeys = Prekeys::generate(&identity, NOW, rng).map_err(|error| error.to_string())?;
    Ok((identity, prekeys))
}

fn bundle(
    device: &DeviceIdentity,
    prekeys: &mut Prekeys,
    rng: &mut SeededRng,
) -> Result<VerifiedBundle, String> {
    let bundles = prekeys
        .replenish(device, 1, NOW, rng)
        .map_err(|error| error.to_string())?;
    let bytes = bundles.first().ok_or("no bundle")?;
    Bundle::parse(bytes)
        .and_then(|bundle| bundle.verify(NOW))
        .map_err(|error| error.to_string())
}

/// A length of a text: log-normal around `median` with sigma 0.8 (the mean is 1.4 times the median), from 1 to 4,000
/// bytes.
fn length(median: u32, rng: &mut SeededRng) -> usize {
    // Twelve uniform values add up to a normal one, near enough, and the same on every machine.
    let sum: f64 = (0..12)
        .map(|_| f64::from((rng.next() >> 32) as u32) / f64::from(u32::MAX))
        .sum();
    let length = f64::from(median) * ((sum - 6.0) * 0.8).exp();
    length.round().clamp(1.0, 4_000.0) as usize
}
