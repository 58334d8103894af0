//! The demonstration: starts the actors, follows the text, kills Bob, compares.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::process::{self, ExitCode};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};
use std::{fs, thread};

use subrosa::Address;
use subrosa::identity::AccountId;

use crate::Result;
use crate::actors::{Actor, Company, Role, Scratch, Told};
use crate::course::{Course, Verdict};
use crate::dice::Dice;
use crate::limits::{AWAY, DEMO, HELD_BACK, LAST_WORDS, STRIKE};
use crate::options;
use crate::peer::Progress;
use crate::records::Record;
use crate::reporter::begin_line;
use crate::screen::{Screen, thousands};
use crate::summary::{Counted, Summary};
use crate::text;

mod hearing;

/// How often the screen looks up when nobody tells anything.
const TICK: Duration = Duration::from_millis(5);

/// Lines of each direction that are printed.
const SAMPLES: usize = 18;

/// From whom to whom. Alice's laptop reads both sides.
#[derive(Clone, Copy)]
struct Way {
    arrow: &'static str,
    from: Role,
    to: Role,
}

const WAYS: [Way; 4] = [
    Way {
        arrow: "A→B",
        from: Role::Alice,
        to: Role::Bob,
    },
    Way {
        arrow: "B→A",
        from: Role::Bob,
        to: Role::Alice,
    },
    Way {
        arrow: "A→L",
        from: Role::Alice,
        to: Role::Laptop,
    },
    Way {
        arrow: "B→L",
        from: Role::Bob,
        to: Role::Laptop,
    },
];

/// Where what Bob reads comes, and where what he writes goes.
const TO_BOB: usize = 0;

/// Of the lines that are printed, one in so many is printed on its way to the laptop, too.
const FOR_LAPTOP: usize = 6;

fn way(from: Role, to: Role) -> Option<usize> {
    WAYS.iter().position(|way| way.from == from && way.to == to)
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
    number: u64,
    what: Shows,
}

/// What a row shows.
enum Shows {
    /// A line that was read.
    Read(Vec<u8>),
    /// The relay has dropped it, of the times that it was sent this one.
    Dropped(usize),
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
    peers: [Peer; 3],
    fate: Fate,
    kills_left: usize,
    killed: usize,
    /// Bob is killed when he has read so many lines.
    kill_at: usize,
    dice: Dice,
    courses: [Course; 4],
    /// What each peer has counted.
    counted: Counted,
    /// The digits that each peer shows.
    digits: BTreeMap<Role, String>,
    rows: VecDeque<PendingRow>,
    stopping: bool,
}

/// A device as the demonstration knows it.
struct Peer {
    role: Role,
    actor: Actor,
    arguments: Vec<String>,
    address: Address,
    account: AccountId,
    /// All that it had to say was delivered.
    delivered: bool,
}

const ALICE: usize = 0;
const LAPTOP: usize = 1;
const BOB: usize = 2;

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
        // One after the other, until each has said who it is.
        let peer = |role: Role, lines: usize, link| -> Result<(Peer, Vec<u8>)> {
            let state = scratch.path().join(role.name());
            let arguments = options::peer_arguments(&address, &state, lines, link);
            let actor = Actor::start(role, &arguments, &company, &told)?;
            let Some(Record::Own {
                address,
                account,
                request,
            }) = events.recv()?.record
            else {
                return Err(format!("{} did not start", role.name()).into());
            };
            let account = account.try_into().map_err(|_| "an account has 32 bytes")?;
            let peer = Peer {
                role,
                actor,
                arguments,
                address: Address::new(&address)?,
                account: AccountId::from_bytes(account),
                delivered: false,
            };
            Ok((peer, request))
        };
        let (mut alice, _) = peer(Role::Alice, lines.len(), None)?;
        let (laptop, request) = peer(Role::Laptop, 0, Some((alice.account, 2)))?;
        let (bob, _) = peer(Role::Bob, lines.len(), None)?;
        // Alice's telephone reads the code on the screen of her laptop.
        alice
            .actor
            .tell(&format!("link {}", hex::encode(request)))?;
        let Some(Record::Linked {}) = events.recv()?.record else {
            return Err("alice did not link her laptop".into());
        };
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
            peers: [alice, laptop, bob],
            fate: Fate::Arriving,
            kills_left: options.kills,
            killed: 0,
            kill_at: 0,
            dice: Dice(options.faults.seed),
            courses: Default::default(),
            counted: Counted::default(),
            digits: BTreeMap::new(),
            rows: VecDeque::new(),
            stopping: false,
        };
        demo.plan_kill();
        Ok(demo)
    }

    fn begin(&mut self) -> Result<()> {
        let [alice, laptop, bob] = [ALICE, LAPTOP, BOB].map(|peer| self.peers[peer].actor.id());
        self.screen.line(&format!(
            "Processes: relay {} at {}, alice {alice}, her laptop {laptop}, bob {bob}.\n",
            self.relay.id(),
            self.address
        ))?;
        self.screen.header()?;
        self.screen
            .event("alice's laptop is linked: she has two devices and one account")?;
        for peer in [ALICE, LAPTOP, BOB] {
            self.tell_begin(peer)?;
        }
        Ok(())
    }

    /// Tells a peer with whom it talks, and what came out of it so far.
    fn tell_begin(&mut self, peer: usize) -> Result<()> {
        let role = self.peers[peer].role;
        let other = if peer == BOB { ALICE } else { BOB };
        let mut progress = Progress::default();
        for (way, course) in WAYS.iter().zip(&self.courses) {
            if way.to == role {
                let from = self.peers.iter().find(|peer| peer.role == way.from);
                let from = from.ok_or("nobody writes there")?.address;
                let read = u32::try_from(course.shown.len())?;
                progress.read.insert(from, read);
            }
            if way.from == role {
                let sent = course.sent.keys().max().map_or(0, |last| last + 1);
                progress.written = progress.written.max(u32::try_from(sent)?);
            }
        }
        let line = begin_line(&self.peers[other].account, &progress);
        Ok(self.peers[peer].actor.tell(&line)?)
    }

    /// Lines that Bob has read, as far as the screen knows.
    fn read_by_bob(&self) -> usize {
        self.courses[TO_BOB].shown.len()
    }

    fn role_at(&self, address: &[u8]) -> Option<Role> {
        let at = |peer: &&Peer| peer.address.as_bytes() == address;
        self.peers.iter().find(at).map(|peer| peer.role)
    }

    fn is_complete(&self) -> bool {
        let is_read = |course: &Course| course.shown.len() >= self.lines.len();
        let all_read = self.courses.iter().all(is_read);
        let all_delivered = self.peers.iter().all(|peer| peer.delivered);
        let is_bob_well = matches!(self.fate, Fate::Alive) && self.kills_left == 0;
        all_read && all_delivered && is_bob_well
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
                self.peers[BOB].actor.kill();
                self.killed += 1;
                self.kills_left -= 1;
                self.fate = Fate::Dead(Instant::now(), false);
                self.screen.event(&format!(
                    "bob, process {}, is KILLED (SIGKILL), with {} lines read; alice goes on",
                    self.peers[BOB].actor.id(),
                    self.read_by_bob()
                ))?;
            }
            Fate::Dead(since, true) if since.elapsed() >= AWAY => {
                let bob = &mut self.peers[BOB];
                bob.actor = Actor::start(Role::Bob, &bob.arguments, &self.company, &self.told)?;
                bob.delivered = false;
                let shown = self.read_by_bob();
                self.tell_begin(BOB)?;
                self.fate = Fate::Arriving;
                self.plan_kill();
                self.screen.event(&format!(
                    "bob is started again, process {}; {shown} lines had come out of him before he died",
                    self.peers[BOB].actor.id()
                ))?;
            }
            _ => {}
        }
        Ok(())
    }

    /// First the peers, then the relay.
    fn stop_all(&mut self) -> Result<()> {
        self.stopping = true;
        for role in [Role::Alice, Role::Laptop, Role::Bob, Role::Relay] {
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
            Role::Alice => &mut self.peers[ALICE].actor,
            Role::Laptop => &mut self.peers[LAPTOP].actor,
            Role::Bob => &mut self.peers[BOB].actor,
        }
    }

    fn conclude(&mut self) -> Result<ExitCode> {
        let verdicts = [0, 1, 2, 3].map(|way| self.courses[way].verdict(&self.lines));
        let [alice, _, bob] = [ALICE, LAPTOP, BOB].map(|peer| &self.peers[peer].address);
        let summary = Summary {
            lines: &self.lines,
            courses: &self.courses,
            counted: &self.counted,
            senders: [alice, bob].map(|address| hex::encode(address.as_bytes())),
        };
        self.screen.line("")?;
        self.screen.table(&summary.rows(&verdicts))?;
        let took = self.start.elapsed().as_secs_f64();
        // After a crash nobody may meet a peer that was set back.
        let (result, code) = if !verdicts.iter().all(Verdict::is_good) {
            ("FAILED: the texts are not what was sent", ExitCode::FAILURE)
        } else if self.counted.forks() > 0 {
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
