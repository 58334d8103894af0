//! The processes of the demonstration: this program again, with another first word.
//!
//! None of them outlives the demonstration, however it ends: each reads its standard input, and ends where that ends,
//! which is where the demonstration ends. On Unix they are in process groups of their own, so that Ctrl-C ends the
//! demonstration first.

use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use crate::Result;
use crate::records::Record;
use crate::store::create_private_directory;

/// Who acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    Relay,
    Alice,
    Laptop,
    Bob,
}

impl Role {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Relay => "the relay",
            Self::Alice => "alice",
            Self::Laptop => "alice's laptop",
            Self::Bob => "bob",
        }
    }
}

/// What an actor tells; `None` is its last word.
pub struct Told {
    pub role: Role,
    pub record: Option<Record>,
}

/// A running process. Killed when dropped.
pub struct Actor {
    child: SharedChild,
    stdin: ChildStdin,
}

type SharedChild = Arc<Mutex<Child>>;

/// All processes that were started, for whoever has to end them all.
#[derive(Clone, Default)]
pub struct Company(Arc<Mutex<Vec<SharedChild>>>);

impl Company {
    fn add(&self, child: &SharedChild) {
        lock(&self.0).push(Arc::clone(child));
    }

    pub fn kill_all(&self) {
        for child in lock(&self.0).iter() {
            kill(child);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// SIGKILL, or what comes next to it elsewhere: the process does nothing more, not even to tidy up.
fn kill(child: &SharedChild) {
    let mut child = lock(child);
    // It may have ended already.
    let _ = child.kill();
    let _ = child.wait();
}

impl Actor {
    pub fn start(
        role: Role,
        arguments: &[String],
        company: &Company,
        told: &Sender<Told>,
    ) -> Result<Self> {
        let mut command = Command::new(env::current_exe()?);
        command
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.spawn()?;
        let stdin = child.stdin.take().ok_or("no standard input")?;
        let stdout = child.stdout.take().ok_or("no standard output")?;
        let child = Arc::new(Mutex::new(child));
        company.add(&child);
        let told = told.clone();
        thread::spawn(move || listen(role, BufReader::new(stdout), &told));
        Ok(Self { child, stdin })
    }

    pub fn id(&self) -> u32 {
        lock(&self.child).id()
    }

    pub fn tell(&mut self, line: &str) -> io::Result<()> {
        writeln!(self.stdin, "{line}")
    }

    pub fn kill(&self) {
        kill(&self.child);
    }

    /// Waits for the end.
    pub fn end(&self, patience: Duration) -> Result<ExitStatus> {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(status) = lock(&self.child).try_wait()? {
                return Ok(status);
            }
            if Instant::now() >= deadline {
                return Err("a process did not end".into());
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Actor {
    fn drop(&mut self) {
        kill(&self.child);
    }
}

fn listen(role: Role, mut stdout: impl BufRead, told: &Sender<Told>) {
    let mut line = String::new();
    while stdout.read_line(&mut line).is_ok_and(|length| length > 0) {
        if let Some(whole) = line.strip_suffix('\n') {
            let record = Record::parse(whole);
            if record.is_none() {
                eprintln!("secret_chat: {} said: {whole}", role.name());
            } else if told.send(Told { role, record }).is_err() {
                return;
            }
        }
        line.clear();
    }
    let _ = told.send(Told { role, record: None });
}

/// A directory for the states of the peers, gone when dropped.
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn new() -> Result<Self> {
        let unique = subrosa::crypto::hash::sha256(&[
            &std::process::id().to_be_bytes(),
            &subrosa::system_now().to_be_bytes(),
        ]);
        let name = format!("secret_chat-{}", hex::encode(&unique[..8]));
        let path = env::temp_dir().join(name);
        if path.exists() {
            return Err(format!("{} is there already", path.display()).into());
        }
        create_private_directory(&path)?;
        Ok(Self(path))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Nothing can be done where it fails, and the operating system tidies up there.
        let _ = fs::remove_dir_all(&self.0);
    }
}
