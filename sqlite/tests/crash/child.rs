//! This program, run again as another process, which may end at any moment.
//!
//! A child is told by its environment what to do, and reports on its standard output, line by line. It has reported a
//! commit before it begins the next one.

use std::env;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{self, Child as Process, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};

use subrosa::device::store::{Commit, Store};
use subrosa_sqlite::{Durability, Error, Opened, SqliteStore};

use super::judge::NORMAL;
use super::series::Series;

const FILE: &str = "SUBROSA_CHILD_FILE";
const TASK: &str = "SUBROSA_CHILD_TASK";
const END: &str = "SUBROSA_CHILD_END";

/// What marks a report among what the test runner prints.
const REPORT: &str = "@ ";

/// The places at which a child can be told to end. Each of these is reached in every generation.
pub const STEPS: [&str; 3] = ["before the commit", "after the commit", "after the report"];

/// These only in those in which it rests.
pub const RESTING: [&str; 4] = [
    "before the checkpoint",
    "after the checkpoint",
    "before it is closed",
    "after it is closed",
];

/// What a child does.
#[derive(Clone, Copy)]
pub struct Task {
    pub durability: Durability,
    pub series: Series,
    /// Commits until there is this generation.
    pub last: u64,
    /// Moves the log into the file in each generation that is a multiple of it, if it is not 0, and then
    /// closes the file and opens it again.
    pub rest: u64,
    /// Says what became of each commit, and does not go on; and commits when it is told to.
    pub rival: bool,
}

impl Task {
    fn write(self) -> String {
        let normal = u8::from(self.durability != Durability::Full);
        let rival = u8::from(self.rival);
        format!(
            "{normal} {} {} {} {rival}",
            self.series.seed, self.last, self.rest
        )
    }

    fn read(text: &str) -> Self {
        let numbers: Vec<u64> = text
            .split(' ')
            .map(|number| number.parse().unwrap())
            .collect();
        let [normal, seed, last, rest, rival] = numbers[..] else {
            panic!("{text}");
        };
        Self {
            durability: if normal == 1 {
                NORMAL
            } else {
                Durability::Full
            },
            series: Series { seed },
            last,
            rest,
            rival: rival == 1,
        }
    }
}

/// What a child reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// It has opened the store, which is of this generation.
    Opened(u64),
    /// It has opened the store, which may have lost commits, and does nothing.
    MayHaveLost,
    /// It could not open the store, which it calls unsuitable or not.
    NotOpened { unsuitable: bool },
    /// A commit was accepted, and this is the generation now.
    Committed(u64),
    /// This is what became of a commit instead.
    Refused(String),
    /// It has closed the store.
    Closed,
}

impl Report {
    fn write(&self) -> String {
        match self {
            Self::Opened(generation) => format!("opened {generation}"),
            Self::MayHaveLost => "lost 0".to_owned(),
            Self::NotOpened { unsuitable } => format!("not-opened {unsuitable}"),
            Self::Committed(generation) => format!("committed {generation}"),
            Self::Refused(how) => format!("refused {how}"),
            Self::Closed => "closed 0".to_owned(),
        }
    }

    fn read(text: &str) -> Self {
        let (what, with) = text.split_once(' ').expect("two words");
        let number = || with.parse().expect("a number");
        match what {
            "opened" => Self::Opened(number()),
            "lost" => Self::MayHaveLost,
            "not-opened" => Self::NotOpened {
                unsuitable: with == "true",
            },
            "committed" => Self::Committed(number()),
            "refused" => Self::Refused(with.to_owned()),
            "closed" => Self::Closed,
            _ => panic!("{text}"),
        }
    }
}

/// A child that runs.
pub struct Child {
    process: Process,
    reports: BufReader<ChildStdout>,
    orders: ChildStdin,
}

impl Child {
    pub fn start(file: &Path, task: Task) -> Self {
        Self::run(Command::new(this_program()), file, task, "")
    }

    /// It ends by itself when it reaches this step in this generation.
    pub fn start_to_end(file: &Path, task: Task, step: &str, generation: u64) -> Self {
        Self::run(
            Command::new(this_program()),
            file,
            task,
            &format!("{step} {generation}"),
        )
    }

    /// No file can be longer than so many blocks of 512 bytes. If it is `told`, it hears of that as an error; if not, it is
    /// killed, the part of the write that fits being written.
    pub fn start_with_limit(file: &Path, task: Task, blocks: usize, told: bool) -> Self {
        let ignore = if told { "trap '' XFSZ; " } else { "" };
        let mut command = Command::new("sh");
        command.args([
            "-c",
            &format!("{ignore}ulimit -f {blocks}; exec \"$0\" \"$@\""),
        ]);
        command.arg(this_program());
        Self::run(command, file, task, "")
    }

    /// The command is this program, or becomes it.
    pub fn run(mut command: Command, file: &Path, task: Task, end: &str) -> Self {
        command.args([
            "--exact",
            "crash::child::child",
            "--ignored",
            "--nocapture",
            "--test-threads=1",
        ]);
        command
            .env(FILE, file)
            .env(TASK, task.write())
            .env(END, end);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut process = command.spawn().expect("a process can be started");
        let reports = BufReader::new(process.stdout.take().expect("its output is a pipe"));
        let orders = process.stdin.take().expect("its input is a pipe");
        Self {
            process,
            reports,
            orders,
        }
    }

    /// The next report; `None` if the process has ended.
    pub fn report(&mut self) -> Option<Report> {
        let mut line = String::new();
        loop {
            line.clear();
            if self
                .reports
                .read_line(&mut line)
                .expect("a pipe can be read")
                == 0
            {
                return None;
            }
            // The test runner prints the name of the test before the first one, in the same line.
            let report = line
                .find(REPORT)
                .and_then(|at| line.get(at + REPORT.len()..));
            // A line that has no end was cut off with its writer.
            if let Some(report) = report.and_then(|report| report.strip_suffix('\n')) {
                return Some(Report::read(report));
            }
        }
    }

    /// All that follow, until the process has ended.
    pub fn reports(&mut self) -> Vec<Report> {
        std::iter::from_fn(|| self.report()).collect()
    }

    /// Tells a rival to commit on this generation.
    pub fn order(&mut self, base: u64) {
        writeln!(self.orders, "{base}").expect("the child listens");
    }

    pub fn kill(&mut self) {
        self.process.kill().expect("it is ours");
    }

    pub fn wait(mut self) -> ExitStatus {
        drop(self.orders);
        self.process.wait().expect("it is ours")
    }
}

fn this_program() -> PathBuf {
    env::current_exe().expect("this program is a file")
}

/// Not a test: what a child does.
#[test]
#[ignore = "run by the others, as another process"]
fn child() {
    let (Some(file), Ok(task)) = (env::var_os(FILE), env::var(TASK)) else {
        // Somebody runs all that is ignored.
        assert!(env::var_os(END).is_none(), "a child is told everything");
        return;
    };
    let end = env::var(END).expect("it is told where to end");
    run(Path::new(&file), Task::read(&task), &end);
}

fn run(file: &Path, task: Task, end: &str) {
    let reach = |step: &str, generation: u64| {
        if *end == format!("{step} {generation}") {
            process::abort();
        }
    };
    let Some(mut store) = open(file, task.durability) else {
        return;
    };
    let mut generation = store.generation().expect("it was opened");
    report(&Report::Opened(generation));
    let mut orders = io::stdin().lines();
    while generation < task.last {
        if task.rival {
            let Some(Ok(order)) = orders.next() else {
                break;
            };
            generation = order.parse().expect("a generation");
        }
        let base = generation;
        let batch = task.series.batch(base);
        reach("before the commit", base);
        let outcome = store.commit(generation, &batch.puts, &batch.deletes);
        reach("after the commit", base);
        if outcome == Commit::Committed {
            generation += 1;
            report(&Report::Committed(generation));
        } else {
            if outcome == Commit::Unknown {
                assert!(store.generation().is_err() && store.get(&Series::key(0)).is_err());
                assert_eq!(
                    store.commit(base, &batch.puts, &batch.deletes),
                    Commit::Failed
                );
            }
            report(&Report::Refused(format!("{outcome:?}")));
            if !task.rival {
                return;
            }
        }
        reach("after the report", base);
        if task.rest > 0 && generation.is_multiple_of(task.rest) {
            reach("before the checkpoint", base);
            store.checkpoint().expect("nobody else is there");
            reach("after the checkpoint", base);
            reach("before it is closed", base);
            store.close().expect("nobody else is there");
            reach("after it is closed", base);
            let Some(opened) = open(file, task.durability) else {
                return;
            };
            store = opened;
        }
    }
    store.close().expect("nobody prevents it");
    report(&Report::Closed);
}

fn open(file: &Path, durability: Durability) -> Option<SqliteStore> {
    match SqliteStore::open(file, durability) {
        Ok(Opened::Whole(store)) => Some(store),
        Ok(Opened::MayHaveLost(_)) => {
            report(&Report::MayHaveLost);
            None
        }
        Err(error) => {
            let unsuitable = matches!(error, Error::Unsuitable);
            report(&Report::NotOpened { unsuitable });
            None
        }
    }
}

fn report(report: &Report) {
    let mut out = io::stdout().lock();
    // Whoever waits for it may be gone.
    let _ = writeln!(out, "{REPORT}{}", report.write());
    let _ = out.flush();
}
