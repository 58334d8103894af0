//! Soak of devices: accounts of several devices write to each other over a network that loses, doubles, delays and cuts
//! off, while devices crash, are lost, are set back to old backups, and have clocks that jump.
//!
//! ```sh
//! cargo run --release --example device_soak
//! cargo run --release --example device_soak -- --messages 5000000 --devices 1000 --accounts 400 --hours 3
//! ```
//!
//! What must hold is said in `ledger.rs`, and counted there without the library's help. `--seed` repeats a run;
//! `--minutes` ends it, whatever is left to be written; `--plant` puts in a fault that the run has to find.

#[path = "../../tests/common/mod.rs"]
mod common;
mod ledger;
mod network;
mod phone;
mod world;

use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use common::{DAY, NOW};
use ledger::Fault;
use world::{Healed, Plan, Plant, World};

const USAGE: &str = "usage: device_soak [--messages N] [--devices N] [--accounts N] [--hours N] [--seed N] [--minutes N] \
    [--plant loses-one|gives-twice|skips-retry|hoards|mute]";

/// Bytes that a conversation may take in a store, everything that goes with it included.
const STORED_MAX: usize = 12_000;

fn main() -> ExitCode {
    let Some(plan) = plan(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::FAILURE;
    };
    match soak(plan, true) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("seed {}: {fault}", plan.seed);
            ExitCode::FAILURE
        }
    }
}

fn plan(mut arguments: impl Iterator<Item = String>) -> Option<Plan> {
    let mut plan = Plan {
        seed: 1,
        devices: 100,
        accounts: 40,
        texts: 20_000,
        hours: 3,
        time: Duration::MAX,
        plant: Plant::Nothing,
    };
    while let Some(name) = arguments.next() {
        let value = arguments.next()?;
        match name.as_str() {
            "--messages" => plan.texts = value.parse().ok()?,
            "--devices" => plan.devices = value.parse().ok()?,
            "--accounts" => plan.accounts = value.parse().ok()?,
            "--hours" => plan.hours = value.parse().ok()?,
            "--minutes" => plan.time = Duration::from_secs(60 * value.parse::<u64>().ok()?),
            "--seed" => plan.seed = value.parse().ok()?,
            "--plant" => {
                plan.plant = match value.as_str() {
                    "loses-one" => Plant::LosesOne,
                    "gives-twice" => Plant::GivesTwice,
                    "skips-retry" => Plant::SkipsRetry,
                    "hoards" => Plant::Hoards,
                    "mute" => Plant::Mute,
                    _ => return None,
                }
            }
            _ => return None,
        }
    }
    (plan.accounts >= 2 && plan.devices >= plan.accounts).then_some(plan)
}

fn soak(plan: Plan, show: bool) -> Result<(), Fault> {
    let start = Instant::now();
    let mut world = World::new(plan)?;
    let bar = Bar::new(&plan, show);
    let mut flat = Flat::default();
    world.talk(|world| {
        let done = plan.texts - world.shared.texts_left;
        flat.sample(done * 100 / plan.texts);
        bar.show(done, world);
        if start.elapsed() > plan.time {
            world.shared.texts_left = 0;
        }
        Ok(())
    })?;
    bar.bar.finish_and_clear();
    let talk = Talk {
        elapsed: start.elapsed(),
        texts: world.shared.ledger.totals.texts,
        read: world.shared.ledger.totals.read,
        under_way: world.shared.ledger.under_way(),
    };
    let healed = world.heal()?;
    let (bytes, conversations) = world.stored()?;
    if show {
        summary(&plan, &world, &talk, start.elapsed(), healed);
        println!(
            "memory: {flat}; stores: {:.1} MB, {} bytes a conversation ({conversations} of them)",
            bytes as f64 / 1e6,
            bytes / conversations
        );
    }
    if bytes / conversations > STORED_MAX {
        return Err(format!("{} bytes a conversation", bytes / conversations));
    }
    flat.judge()
}

/// How far it was when the network became well.
struct Talk {
    elapsed: Duration,
    texts: u64,
    read: u64,
    under_way: usize,
}

/// The progress bar; where there is no terminal, a line now and then.
struct Bar {
    bar: ProgressBar,
    lines: bool,
    every: u64,
    last: std::cell::Cell<u64>,
}

impl Bar {
    fn new(plan: &Plan, show: bool) -> Self {
        let bar = if show {
            ProgressBar::new(plan.texts)
        } else {
            ProgressBar::hidden()
        };
        let style = "{elapsed_precise} {wide_bar} {human_pos} of {human_len} texts, {per_sec}, {eta_precise} left, {msg}";
        if let Ok(style) = ProgressStyle::with_template(style) {
            bar.set_style(style);
        }
        Self {
            bar,
            lines: show && !std::io::stderr().is_terminal(),
            every: (plan.texts / 100).max(1),
            last: std::cell::Cell::new(0),
        }
    }

    fn show(&self, done: u64, world: &World) {
        let shared = &world.shared;
        let message = format!(
            "{} under way, {} read, {:.0} MB",
            shared.ledger.under_way(),
            shared.ledger.totals.read,
            resident().unwrap_or(0) as f64 / 1e6
        );
        if self.lines && done >= self.last.get() + self.every {
            self.last.set(done);
            let elapsed = self.bar.elapsed().as_secs_f64();
            let rate = done as f64 / elapsed.max(0.001);
            println!("{elapsed:7.1} s  {done:>9} texts, {rate:6.0}/s, {message}");
        }
        self.bar.set_message(message);
        self.bar.set_position(done);
    }
}

/// Resident memory over time, in percent of all texts.
#[derive(Default)]
struct Flat {
    samples: Vec<(u64, usize)>,
}

impl Flat {
    fn sample(&mut self, percent: u64) {
        if self
            .samples
            .last()
            .is_none_or(|(last, _)| percent >= last + 5)
            && let Some(bytes) = resident()
        {
            self.samples.push((percent, bytes));
        }
    }

    /// Once everybody knows everybody, memory does not grow any more: half as much again is what a bad day takes.
    fn judge(&self) -> Result<(), Fault> {
        let whole = self.samples.last().map_or(0, |(percent, _)| *percent);
        let warm = self
            .samples
            .iter()
            .find(|(percent, _)| 5 * percent >= 2 * whole);
        let most = self.samples.iter().map(|(_, bytes)| *bytes).max();
        match (warm, most) {
            (Some((_, warm)), Some(most)) if most > warm + warm / 2 + (16 << 20) => {
                Err(format!("memory grew from {warm} to {most} bytes"))
            }
            _ => Ok(()),
        }
    }
}

impl std::fmt::Display for Flat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (position, (percent, bytes)) in self.samples.iter().enumerate() {
            let comma = if position == 0 { "" } else { ", " };
            write!(f, "{comma}{:.0} MB at {percent} %", *bytes as f64 / 1e6)?;
        }
        Ok(())
    }
}

/// Bytes of memory that the process takes, where the system says so.
fn resident() -> Option<usize> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: usize = statm.split(' ').nth(1)?.parse().ok()?;
    Some(pages * 4096)
}

fn summary(plan: &Plan, world: &World, talk: &Talk, whole: Duration, healed: Healed) {
    let shared = &world.shared;
    let (totals, counts, network) = (
        &shared.ledger.totals,
        &shared.counts,
        &shared.network.counts,
    );
    let seconds = talk.elapsed.as_secs_f64();
    let percent = |part: u64, whole: u64| part as f64 * 100.0 / whole.max(1) as f64;
    println!(
        "seed {}: {} devices of {} accounts, {} days: {} texts in {:.1} s, {:.0} of them and {:.0} \
         copies read a second; {:.1} s in all",
        plan.seed,
        plan.devices,
        plan.accounts,
        (shared.time - NOW) / DAY - 30,
        talk.texts,
        seconds,
        talk.texts as f64 / seconds,
        talk.read as f64 / seconds,
        whole.as_secs_f64(),
    );
    println!(
        "texts: {} sealed as {} copies; {} read, {} once more after a backup was restored; {} promised ({:.2} %), \
         {} others never read, {} of them overtaken by four beginnings; {} under way when the network became well",
        totals.texts,
        totals.copies,
        totals.read,
        totals.read_again,
        totals.promised,
        percent(totals.promised, totals.copies),
        totals.excused,
        totals.overtaken,
        talk.under_way,
    );
    println!(
        "network: {} transmissions, {} lost ({:.1} %); {} envelopes queued, {} copies doubled; {} received in {} batches",
        network.transmissions,
        network.lost,
        percent(network.lost, network.transmissions),
        network.queued,
        network.doubled,
        counts.received,
        counts.batches,
    );
    println!(
        "disturbances: {} clocks jumped, {} devices cut off, {} crashes, {} backups restored, {} devices replaced, \
         {} accounts recovered, {} primaries replaced by others, {} times new keys agreed to",
        counts.clock_jumps,
        counts.partitions,
        counts.crashes,
        counts.restored,
        counts.reinstalled,
        counts.recovered,
        counts.replaced,
        counts.keys_changed,
    );
    println!(
        "conversations: {} begun, {} times told to begin anew, {} texts in old states, {} forks suspected, \
         {} exchanges broken; prekeys published {} times, {} bundles too old",
        counts.begun,
        counts.begin_anew,
        counts.old_state,
        counts.forks,
        counts.pq_broken,
        counts.published,
        counts.stale_bundles,
    );
    println!("refused: {:?}", counts.refused);
    let healed: Vec<String> = (1..)
        .zip(healed)
        .filter(|(_, pairs)| *pairs > 0)
        .map(|(round, pairs)| format!("{pairs} in round trip {round}"))
        .collect();
    println!(
        "pairs of devices that work again: {}; stuck: 0\n\
         read twice: 0, lost of what was promised: 0, altered: 0",
        healed.join(", ")
    );
}

#[cfg(test)]
mod tests {
    use super::{Duration, Plan, Plant, soak};

    fn small(seed: u64, plant: Plant) -> Result<(), String> {
        let plan = Plan {
            seed,
            devices: 12,
            accounts: 5,
            texts: 1_500,
            hours: 3,
            time: Duration::MAX,
            plant,
        };
        soak(plan, false)
    }

    #[test]
    fn five_accounts() {
        for seed in 0..4 {
            small(seed, Plant::Nothing).unwrap();
        }
    }

    #[test]
    fn planted_faults_are_found() {
        for (plant, says) in [
            (Plant::LosesOne, "and not read it"),
            (Plant::GivesTwice, "after its acknowledgement"),
            (Plant::SkipsRetry, "never came"),
            (Plant::Hoards, "keeps what was read"),
            (Plant::Mute, "are stuck"),
        ] {
            let fault = small(1, plant).expect_err("a planted fault");
            assert!(fault.contains(says), "{plant:?}: {fault}");
        }
    }
}
