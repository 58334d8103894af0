//! Ten thousand random conversations, a million messages: `cargo run --release --example soak`.
//!
//! Every conversation has its own line (loss, duplication, reordering), its own manner of talking (even, one-sided,
//! in bursts), restarts from exported state at random points, and in a third of them one side that is set back to a
//! state of long ago. Then the line gets well, both sides follow the library's advice, and everything has to work
//! again: texts both ways, and a new epoch of the post-quantum exchange on both sides. Where nobody was set back,
//! every message that arrives is read, exactly once, and nothing is ever advised.
//!
//! `-- CONVERSATIONS [SEED]` for another number of conversations, or to see one of them again.

#[path = "../tests/common/mod.rs"]
mod common;

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::time::Instant;

use common::{APP_KEY, Device, NOW, SLOT, SeededRng};
use subrosa::{Action, AppKey, Conversation, Error, Incoming, StagedFirst, export, import};

/// Messages in a conversation before the line gets well.
const MESSAGES: u64 = 100;

/// Messages that a conversation may take to work again. A new epoch takes about 30.
const PATIENCE: u32 = 600;

#[derive(Default)]
struct Totals {
    sent: u64,
    read: u64,
    lost: u64,
    restarts: u64,
    set_back: u64,
    begun_anew: u64,
    broken: u64,
    epochs: u64,
}

struct Side {
    device: Device,
    conversation: Conversation,
    begin_anew: bool,
    read: BTreeSet<u64>,
    /// An exported state of long ago.
    backup: Option<Vec<u8>>,
}

struct Sent {
    to: usize,
    id: u64,
    bytes: Vec<u8>,
    copies: u8,
}

struct Talk {
    sides: [Side; 2],
    line: Vec<Sent>,
    rng: SeededRng,
    next_id: u64,
    /// Unix milliseconds; goes on with every message.
    now: u64,
    loss: u64,
    duplication: u64,
    reordering: u64,
    /// Whether somebody was set back: from then on errors are expected.
    faulty: bool,
    totals: Totals,
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let count = arguments.next().map_or(Ok(10_000), |text| text.parse());
    let first = arguments.next().map_or(Ok(0), |text| text.parse());
    let (Ok(count), Ok(first)) = (count, first) else {
        eprintln!("usage: soak [CONVERSATIONS [SEED]]");
        return ExitCode::FAILURE;
    };
    println!("{count} conversations, from seed {first}");
    match soak(first, count) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn soak(first: u64, count: u64) -> Result<(), String> {
    let start = Instant::now();
    let mut all = Totals::default();
    for seed in first..first + count {
        let talk = Talk::new(seed).run().map_err(|error| {
            format!("permanent desynchronization, or worse, in conversation {seed}: {error}")
        })?;
        all.sent += talk.sent;
        all.read += talk.read;
        all.lost += talk.lost;
        all.restarts += talk.restarts;
        all.set_back += talk.set_back;
        all.begun_anew += talk.begun_anew;
        all.broken += talk.broken;
        all.epochs += talk.epochs;
        if (seed + 1 - first).is_multiple_of(1_000) {
            println!("{} conversations, {} messages", seed + 1 - first, all.sent);
        }
    }
    let Totals {
        sent,
        read,
        lost,
        restarts,
        set_back,
        begun_anew,
        broken,
        epochs,
    } = all;
    println!(
        "{sent} messages sent, {lost} lost by the line, {read} texts read, {restarts} restarts, \
         {set_back} sides set back, {begun_anew} times begun anew, {broken} exchanges broken, \
         {epochs} epochs: {:.1} s\npermanent desynchronizations: 0",
        start.elapsed().as_secs_f64()
    );
    Ok(())
}

impl Talk {
    fn new(seed: u64) -> Self {
        let mut rng = SeededRng(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x50a4);
        let mut alice = Device::new("alice", rng.next());
        let mut bob = Device::new("bob", rng.next());
        let at_alice = alice.begin(&mut bob, NOW);
        let at_bob = Conversation::new(*alice.identity.public());
        let side = |device, conversation| Side {
            device,
            conversation,
            begin_anew: false,
            read: BTreeSet::new(),
            backup: None,
        };
        let (loss, duplication, reordering) = (rng.below(40), rng.below(10), rng.below(80));
        Self {
            sides: [side(alice, at_alice), side(bob, at_bob)],
            line: Vec::new(),
            rng,
            next_id: 0,
            now: NOW,
            loss,
            duplication,
            reordering,
            faulty: false,
            totals: Totals::default(),
        }
    }

    fn run(mut self) -> Result<Totals, String> {
        let mut speaker = 0;
        let share = [50, 50, 80, 95][self.rng.below(4) as usize];
        let burst = 1 + self.rng.below(4);
        let set_back = self.rng.percent(33).then(|| {
            let from = self.rng.below(MESSAGES / 2);
            (
                from,
                from + 1 + self.rng.below(MESSAGES / 2),
                self.rng.below(2) as usize,
            )
        });
        for number in 0..MESSAGES {
            if number.is_multiple_of(burst) {
                speaker = usize::from(!self.rng.percent(share));
            }
            // Who has heard nothing yet has nobody to answer.
            if speaker == 1 && !self.sides[1].conversation.can_send() {
                speaker = 0;
            }
            self.speak(speaker)?;
            while !self.line.is_empty() && self.rng.percent(70) {
                self.deliver()?;
            }
            if self.rng.percent(5) {
                let side = self.rng.below(2) as usize;
                self.restart(side)?;
            }
            if let Some((from, to, side)) = set_back {
                if number == from {
                    self.sides[side].backup = Some(self.sides[side].export()?);
                }
                if number == to {
                    self.set_back(side)?;
                }
            }
        }
        self.get_well()?;
        Ok(self.totals)
    }

    /// One side says something.
    fn speak(&mut self, speaker: usize) -> Result<(), String> {
        self.begin_if_due(speaker)?;
        let id = self.next_id;
        self.next_id += 1;
        self.now += 1 + self.rng.below(60_000);
        let text = text(id);
        let side = &mut self.sides[speaker];
        let bytes = side
            .conversation
            .seal(&side.device.identity, &text, self.now, &mut side.device.rng)
            .map_err(|error| format!("sealing: {error}"))?;
        self.totals.sent += 1;
        if self.rng.percent(self.loss) {
            self.totals.lost += 1;
            return Ok(());
        }
        let copies = 1 + u8::from(self.rng.percent(self.duplication));
        self.line.push(Sent {
            to: 1 - speaker,
            id,
            bytes,
            copies,
        });
        Ok(())
    }

    fn begin_if_due(&mut self, speaker: usize) -> Result<(), String> {
        let [a, b] = &mut self.sides;
        let (own, peer) = if speaker == 0 { (a, b) } else { (b, a) };
        if own.conversation.can_send() && !own.begin_anew {
            return Ok(());
        }
        let bundle = peer.device.bundle(self.now);
        let Device { identity, rng, .. } = &mut own.device;
        own.conversation
            .begin(identity, &bundle, self.now, rng)
            .map_err(|error| format!("beginning: {error}"))?;
        own.begin_anew = false;
        self.totals.begun_anew += 1;
        Ok(())
    }

    /// One message arrives, the oldest one or any.
    fn deliver(&mut self) -> Result<(), String> {
        let position = if self.rng.percent(self.reordering) {
            self.rng.below(self.line.len() as u64) as usize
        } else {
            0
        };
        let sent = &mut self.line[position];
        sent.copies -= 1;
        let (to, id, bytes) = (sent.to, sent.id, sent.bytes.clone());
        if sent.copies == 0 {
            self.line.remove(position);
        }
        let side = &mut self.sides[to];
        let new = !side.read.contains(&id);
        match side.open(&bytes, self.now) {
            Ok(opened) => {
                if opened.text != text(id) {
                    return Err(format!("message {id} was altered"));
                }
                if !new && !self.faulty {
                    return Err(format!("message {id} was read twice"));
                }
                side.read.insert(id);
                self.totals.read += 1;
                self.totals.broken += u64::from(opened.pq_broken);
                if opened.action != Action::Nothing {
                    if !self.faulty {
                        return Err(format!("message {id}: {opened:?}"));
                    }
                    side.begin_anew = true;
                }
            }
            // Its text is asked for again, in a conversation that works.
            Err(error) if new && self.faulty => {
                side.begin_anew |= matches!(error.action(), Action::AskAgain | Action::BeginAnew);
            }
            Err(error) if new => return Err(format!("message {id}: {error}")),
            Err(_) => {}
        }
        Ok(())
    }

    fn restart(&mut self, side: usize) -> Result<(), String> {
        let exported = self.sides[side].export()?;
        self.sides[side].import(&exported)?;
        self.totals.restarts += 1;
        Ok(())
    }

    fn set_back(&mut self, side: usize) -> Result<(), String> {
        if let Some(backup) = self.sides[side].backup.take() {
            self.sides[side].import(&backup)?;
            self.faulty = true;
            self.totals.set_back += 1;
        }
        Ok(())
    }

    /// Nothing is lost any more. Both sides speak in turns until two epochs have gone by since anything was amiss.
    fn get_well(&mut self) -> Result<(), String> {
        self.totals.epochs += u64::from(self.epochs().0);
        (self.loss, self.duplication, self.reordering) = (0, 0, 0);
        let mut since = None;
        for number in 0..PATIENCE {
            while !self.line.is_empty() {
                self.deliver()?;
            }
            let read = self.totals.read;
            let speaker = (number % 2) as usize;
            // Who was set back to before the beginning cannot read the first message again, and begins itself.
            if speaker == 0 || self.sides[1].conversation.can_send() || self.faulty {
                self.speak(speaker)?;
            }
            while !self.line.is_empty() {
                self.deliver()?;
            }
            let well = self.totals.read > read && self.sides.iter().all(|side| !side.begin_anew);
            let (low, high) = self.epochs();
            since = match since {
                Some((epoch, from)) if well && low >= epoch => {
                    // The epochs of both sides are never more than one apart.
                    if high - low > 1 {
                        return Err(format!("epochs {low} and {high}"));
                    }
                    if low >= epoch + 2 && number - from > 8 {
                        return Ok(());
                    }
                    Some((epoch, from))
                }
                _ => well.then_some((low, number)),
            };
        }
        let (low, high) = self.epochs();
        Err(format!(
            "does not work again: epochs {low} and {high}, {since:?}"
        ))
    }

    fn epochs(&self) -> (u32, u32) {
        let [a, b] = &self.sides;
        let (a, b) = (a.conversation.pq_epoch(), b.conversation.pq_epoch());
        let (a, b) = (a.unwrap_or(0), b.unwrap_or(0));
        (a.min(b), a.max(b))
    }
}

impl Side {
    fn open(&mut self, bytes: &[u8], now: u64) -> Result<subrosa::Opened, Error> {
        let incoming = Incoming::parse(bytes)?;
        match self.conversation.open(&incoming, now) {
            Err(Error::NoSession) if incoming.first_id().is_some() => {
                let Device {
                    identity, prekeys, ..
                } = &mut self.device;
                StagedFirst::stage(&incoming, identity, prekeys, now)?.accept(
                    &mut self.conversation,
                    prekeys,
                    now,
                )
            }
            other => other,
        }
    }

    fn export(&mut self) -> Result<Vec<u8>, String> {
        let Device { identity, rng, .. } = &mut self.device;
        export(
            &self.conversation,
            identity,
            SLOT,
            &AppKey::new(APP_KEY),
            rng,
        )
        .map_err(|error| format!("exporting: {error}"))
    }

    fn import(&mut self, exported: &[u8]) -> Result<(), String> {
        self.conversation = import(exported, SLOT, &AppKey::new(APP_KEY))
            .map_err(|error| format!("importing: {error}"))?;
        Ok(())
    }
}

/// The text of message `id`: its number, and up to 400 bytes that follow from it.
fn text(id: u64) -> Vec<u8> {
    let mut rng = SeededRng(id);
    let length = 1 << rng.below(9);
    let length = length + rng.below(length);
    let mut text = id.to_be_bytes().to_vec();
    text.extend((0..length).map(|_| rng.next() as u8));
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_hundred_conversations() {
        super::soak(1 << 40, 100).unwrap();
    }
}
