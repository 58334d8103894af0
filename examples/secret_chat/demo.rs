//! The demonstration: starts the actors, follows the text, kills Bob, compares.

use std::collections::{BTreeSet, VecDeque};
use std::process::{self, ExitCode};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};
use std::{fs, thread};

use crate::Result;
use crate::actors::{Actor, Company, Role, Scratch, Told};
use crate::counts::Counts;
use crate::course::{Course, Saw, Sent, Verdict};
use crate::dice::Dice;
use crate::inbox::MessageId;
use crate::limits::{AWAY, DEMO, HELD_BACK, LAST_WORDS, STRIKE};
use crate::options;
use crate::records::Record;
use crate::screen::{Row, Screen, groups, thousands};
use crate::summary::Summary;
use crate::text;

/// How often the screen looks up when nobody tells anything.
const TICK: Duration = Duration::from_millis(5);

/// Lines of each direction that are printed.
const SAMPLES: usize = 18;

/// From whom to whom.
#[derive(Clone, Copy)]
struct Way {
    arrow: &'static str,
    mailbox: &'static [u8],
}

/// Index 0: what Alice sends; index 1: what Bob sends.
const WAYS: [Way; 2] = [
    Way {
        arrow: "A→B",
        mailbox: b"bob",
    },
    Way {
        arrow: "B→A",
        mailbox: b"alice",
    },
];

const fn sends(role: Role) -> usize {
    match role {
        Role::Bob => 1,
        _ => 0,
    }
}

const fn receives(role: Role) -> usize {
    1 - sends(role)
}

pub fn run(options: &options::Demo) -> Result<ExitCode> {
    let start = Instant::now();
    let lines = text::lines(options.lines);
    if lines.is_empty() {
        return Err("there is nothing to send".into());
    }
    let mut screen = Screen::new(start);
    introduce(&lines, options, &mut screen)?;
    let scratch = Scratch::new()?;
    let company = Company::default();
    watch(&scratch, &company);
    let mut demo = Demo::new(options, lines, &scratch, company, screen, start)?;
    demo.begin()?;
    while !demo.is_complete() {
        match demo.events.recv_timeout(TICK) {
            Ok(told) => demo.take(told)?,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Err("everybody has gone".into()),
        }
        demo.kill_or_restart()?;
        demo.print_rows()?;
    }
    demo.stop_all()?;
    demo.print_rows()?;
    demo.conclude()
}

/// Before anything was started: what is going to be done.
fn introduce(lines: &[&[u8]], options: &options::Demo, screen: &mut Screen) -> Result<()> {
    let faults = &options.faults;
    let bytes: usize = lines.iter().map(|line| line.len()).sum();
    screen.line(&format!(
        "Alice and Bob send each other {}, both at once and line by line: {} lines, {} bytes.\n\
         The relay drops {} %, doubles {} %, and holds back {} % for {} to {} ms, so that others overtake. Seed {}.\n\
         {} lines are printed, spread evenly: when they are read, and when the relay drops them.",
        text::NAME,
        thousands(lines.len() as u64),
        thousands(bytes as u64),
        faults.drop,
        faults.duplicate,
        faults.delay,
        HELD_BACK.start(),
        HELD_BACK.end(),
        faults.seed,
        samples(lines).len(),
    ))?;
    Ok(())
}

/// Ends everything if the demonstration hangs, wherever it does.
fn watch(scratch: &Scratch, company: &Company) {
    let (path, company) = (scratch.path().to_owned(), company.clone());
    thread::spawn(move || {
        thread::sleep(DEMO);
        eprintln!("secret_chat: not done after {} s: given up", DEMO.as_secs());
        company.kill_all();
        // Where it fails, the operating system tidies up there.
        let _ = fs::remove_dir_all(path);
        process::exit(3);
    });
}

/// Lines spread evenly over the text, those that show something.
fn samples(lines: &[&[u8]]) -> BTreeSet<u64> {
    let step = (lines.len() / SAMPLES).max(1);
    let starts = (0..lines.len()).step_by(step);
    let shows = |number: &usize| lines[*number].trim_ascii().len() > 3;
    let found = starts.filter_map(|start| (start..lines.len()).find(shows));
    found.map(|number| number as u64).collect()
}

/// A row that waits until all of its three columns were told.
struct PendingRow {
    way: usize,
    message: MessageId,
    /// `None` if the relay has dropped the message.
    read: Option<Vec<u8>>,
}

/// What becomes of Bob.
enum Fate {
    /// Started, and not yet at the relay.
    Arriving,
    Alive,
    /// To be killed at this time.
    Doomed(Instant),
    /// Since when, and whether all was heard that he said before.
    Dead(Instant, bool),
}

struct Demo {
    lines: Vec<&'static [u8]>,
    /// The lines that are printed.
    samples: BTreeSet<u64>,
    screen: Screen,
    start: Instant,
    told: Sender<Told>,
    events: Receiver<Told>,
    company: Company,
    address: String,
    relay: Actor,
    alice: Actor,
    bob: Actor,
    bob_arguments: Vec<String>,
    fate: Fate,
    kills_left: usize,
    killed: usize,
    /// Bob is killed when he has read so many lines.
    kill_at: usize,
    dice: Dice,
    courses: [Course; 2],
    totals: [Counts; 3],
    rows: VecDeque<PendingRow>,
    stopping: bool,
}

impl Demo {
    fn new(
        options: &options::Demo,
        lines: Vec<&'static [u8]>,
        scratch: &Scratch,
        company: Company,
        screen: Screen,
        start: Instant,
    ) -> Result<Self> {
        let (told, events) = channel();
        let relay_arguments = options::relay_arguments(&options.faults, scratch.path());
        let relay = Actor::start(Role::Relay, &relay_arguments, &company, &told)?;
        let Some(Record::Address { address }) = events.recv()?.record else {
            return Err("the relay did not start".into());
        };
        let arguments = |name: &str, peer: &str| {
            let state = scratch.path().join(name);
            options::peer_arguments(name, peer, &address, &state, lines.len())
        };
        let alice_arguments = arguments("alice", "bob");
        let bob_arguments = arguments("bob", "alice");
        let mut alice = Actor::start(Role::Alice, &alice_arguments, &company, &told)?;
        let mut bob = Actor::start(Role::Bob, &bob_arguments, &company, &told)?;
        alice.tell("shown 0")?;
        bob.tell("shown 0")?;
        let mut demo = Self {
            samples: samples(&lines),
            lines,
            screen,
            start,
            told,
            events,
            company,
            address,
            relay,
            alice,
            bob,
            bob_arguments,
            fate: Fate::Arriving,
            kills_left: options.kills,
            killed: 0,
            kill_at: 0,
            dice: Dice(options.faults.seed),
            courses: Default::default(),
            totals: Default::default(),
            rows: VecDeque::new(),
            stopping: false,
        };
        demo.plan_kill();
        Ok(demo)
    }

    fn begin(&mut self) -> Result<()> {
        let (relay, alice, bob) = (self.relay.id(), self.alice.id(), self.bob.id());
        self.screen.line(&format!(
            "Processes: relay {relay} at {}, alice {alice}, bob {bob}.\n",
            self.address
        ))?;
        Ok(self.screen.header()?)
    }

    /// Lines that Bob has read, as far as the screen knows.
    fn read_by_bob(&self) -> usize {
        self.courses[0].shown.len()
    }

    fn is_complete(&self) -> bool {
        let all = |course: &Course| course.delivered && course.shown.len() >= self.lines.len();
        self.courses.iter().all(all) && matches!(self.fate, Fate::Alive) && self.kills_left == 0
    }
}

/// What the actors tell.
impl Demo {
    fn take(&mut self, told: Told) -> Result<()> {
        let Told { role, record } = told;
        let name = role.name();
        let Some(record) = record else {
            return self.take_end(role);
        };
        match record {
            Record::Saw {
                mailbox,
                message,
                fate,
                length,
                head,
            } => {
                let saw = Saw { fate, length, head };
                self.take_sight(&mailbox, message, saw);
            }
            Record::Listens { mailbox, waiting } => self.take_listener(&mailbox, waiting)?,
            Record::Loaded { generation: 0, .. } => {}
            Record::Loaded {
                generation,
                read,
                written,
            } => self.screen.event(&format!(
                "{name} has loaded commit {generation} of his state: {read} lines read, {written} of his own written"
            ))?,
            Record::Contact { own, peer } => {
                self.screen.event(&format!("{name} has the keys {}", groups(&own)))?;
                self.screen.event(&format!(
                    "{name} takes the other's keys from the relay: {}",
                    groups(&peer)
                ))?;
            }
            Record::Begun {} => self.screen.event(&format!("{name} begins a conversation"))?,
            Record::Accepted {} => self.screen.event(&format!(
                "{name} accepts the other's first message, from those very keys"
            ))?,
            Record::Sent {
                number,
                times,
                message,
                nanos,
                content,
            } => {
                let course = &mut self.courses[sends(role)];
                course.seal_nanos.push(nanos);
                let sent = Sent {
                    number,
                    times,
                    content,
                };
                course.sent.insert(message, sent);
                self.sample_dropped(sends(role), message);
            }
            Record::Opened { nanos } => self.courses[receives(role)].open_nanos.push(nanos),
            Record::Committed { nanos } => self.courses[sends(role)].commit_nanos.push(nanos),
            Record::Line {
                number,
                message,
                content,
            } => self.take_line(role, number, message, content),
            Record::Delivered {} => self.courses[sends(role)].delivered = true,
            Record::Total { name, count } => self.totals[role as usize].set(&name, count),
            Record::Changed { .. } | Record::Stranger { .. } => {
                return Err(format!("{name} has met somebody else's keys").into());
            }
            // Refusals are counted where they happen, and printed at the end.
            Record::Refused { .. }
            | Record::Absent {}
            | Record::Connected {}
            | Record::Disconnected {}
            | Record::Address { .. } => {}
        }
        Ok(())
    }

    fn take_end(&mut self, role: Role) -> Result<()> {
        match &mut self.fate {
            Fate::Dead(_, heard) if role == Role::Bob && !*heard => *heard = true,
            _ if self.stopping => {}
            _ => return Err(format!("{} has ended before its time", role.name()).into()),
        }
        Ok(())
    }

    fn take_sight(&mut self, mailbox: &[u8], message: MessageId, saw: Saw) {
        if let Some(way) = WAYS.iter().position(|way| way.mailbox == mailbox) {
            self.courses[way].saw.insert(message, saw);
            self.sample_dropped(way, message);
        }
    }

    fn take_listener(&mut self, mailbox: &[u8], waiting: u64) -> Result<()> {
        if mailbox == b"bob" && matches!(self.fate, Fate::Arriving) {
            self.fate = Fate::Alive;
            if self.killed > 0 {
                self.screen.event(&format!(
                    "bob is at the relay again, where {waiting} messages were waiting for him"
                ))?;
            }
        }
        Ok(())
    }

    fn take_line(&mut self, role: Role, number: u64, message: MessageId, content: Vec<u8>) {
        let way = receives(role);
        if self.samples.contains(&number) {
            self.rows.push_back(PendingRow {
                way,
                message,
                read: Some(content.clone()),
            });
        }
        self.courses[way].show(number, content);
        let actor = match role {
            Role::Bob => &mut self.bob,
            _ => &mut self.alice,
        };
        if number % 64 == 63 {
            // Who was killed meanwhile hears it on coming back.
            let _ = actor.tell(&format!("shown {}", number + 1));
        }
    }

    /// A message that was dropped gets a row, if its line is one of those that are printed.
    fn sample_dropped(&mut self, way: usize, message: MessageId) {
        let course = &self.courses[way];
        if let (Some(sent), Some(saw)) = (course.sent.get(&message), course.saw.get(&message))
            && saw.is_dropped()
            && self.samples.contains(&sent.number)
        {
            self.rows.push_back(PendingRow {
                way,
                message,
                read: None,
            });
        }
    }

    fn print_rows(&mut self) -> Result<()> {
        while let Some(row) = self.rows.front() {
            let course = &self.courses[row.way];
            let (Some(sent), Some(saw)) =
                (course.sent.get(&row.message), course.saw.get(&row.message))
            else {
                break;
            };
            let fate = match (sent.times, saw.fate.as_str()) {
                (1, fate) => fate.to_owned(),
                (_, "") => "again".to_owned(),
                (_, fate) => format!("again+{fate}"),
            };
            self.screen.row(&Row {
                direction: WAYS[row.way].arrow,
                number: sent.number,
                sent: &sent.content,
                head: &saw.head,
                length: saw.length,
                fate: &fate,
                read: row.read.as_deref().ok_or("lost"),
            })?;
            self.rows.pop_front();
        }
        Ok(())
    }
}

/// What is done to the actors.
impl Demo {
    /// The kills are spread evenly over what Bob has yet to read.
    fn plan_kill(&mut self) {
        let read = self.read_by_bob();
        self.kill_at = read + (self.lines.len() - read) / (self.kills_left + 1);
    }

    fn kill_or_restart(&mut self) -> Result<()> {
        match self.fate {
            Fate::Alive if self.kills_left > 0 && self.read_by_bob() >= self.kill_at => {
                // At once is when he has just stored and shown something, and not yet sent what goes with it.
                let pause = match self.dice.percent(50) {
                    true => Duration::ZERO,
                    false => Duration::from_millis(self.dice.below(STRIKE)),
                };
                self.fate = Fate::Doomed(Instant::now() + pause);
            }
            Fate::Doomed(at) if Instant::now() >= at => {
                self.bob.kill();
                self.killed += 1;
                self.kills_left -= 1;
                self.fate = Fate::Dead(Instant::now(), false);
                self.screen.event(&format!(
                    "bob, process {}, is KILLED (SIGKILL), with {} lines read; alice goes on",
                    self.bob.id(),
                    self.read_by_bob()
                ))?;
            }
            Fate::Dead(since, true) if since.elapsed() >= AWAY => {
                self.bob = Actor::start(Role::Bob, &self.bob_arguments, &self.company, &self.told)?;
                let shown = self.read_by_bob();
                self.bob.tell(&format!("shown {shown}"))?;
                self.fate = Fate::Arriving;
                self.plan_kill();
                self.screen.event(&format!(
                    "bob is started again, process {}; {shown} lines had come out of him before he died",
                    self.bob.id()
                ))?;
            }
            _ => {}
        }
        Ok(())
    }

    /// First the peers, then the relay.
    fn stop_all(&mut self) -> Result<()> {
        self.stopping = true;
        for role in [Role::Alice, Role::Bob, Role::Relay] {
            self.actor(role).tell("stop")?;
            loop {
                let told = self.events.recv_timeout(LAST_WORDS)?;
                let is_last = told.role == role && told.record.is_none();
                self.take(told)?;
                if is_last {
                    break;
                }
            }
            let status = self.actor(role).end(LAST_WORDS)?;
            if !status.success() {
                return Err(format!("{} ended with {status}", role.name()).into());
            }
        }
        Ok(())
    }

    const fn actor(&mut self, role: Role) -> &mut Actor {
        match role {
            Role::Relay => &mut self.relay,
            Role::Alice => &mut self.alice,
            Role::Bob => &mut self.bob,
        }
    }

    fn conclude(&mut self) -> Result<ExitCode> {
        let verdicts = [0, 1].map(|way| self.courses[way].verdict(&self.lines));
        let summary = Summary {
            lines: &self.lines,
            courses: &self.courses,
            totals: &self.totals,
        };
        self.screen.line("")?;
        self.screen.table(&summary.rows(&verdicts))?;
        let took = self.start.elapsed().as_secs_f64();
        // After a crash nobody may meet a peer that was set back.
        let forks = |counts: &Counts| counts.of("opened_forked") + counts.of("refused:Forked");
        let (result, code) = if !verdicts.iter().all(Verdict::is_good) {
            ("FAILED: the texts are not what was sent", ExitCode::FAILURE)
        } else if self.totals.iter().map(forks).sum::<u64>() > 0 {
            ("FAILED: a state was used twice", ExitCode::FAILURE)
        } else {
            (
                "Nothing lost, nothing altered, nothing shown twice",
                ExitCode::SUCCESS,
            )
        };
        let killed = match self.killed {
            0 => "not killed".to_owned(),
            1 => "killed once".to_owned(),
            times => format!("killed {times} times"),
        };
        self.screen
            .line(&format!("\n{result}; bob was {killed}; {took:.1} s."))?;
        Ok(code)
    }
}
