//! Four people, each a process: they join, talk and leave while it runs, and one of them is killed at any moment.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::Result;

/// How long anything may take, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// A process, and what it has printed.
struct Process {
    name: String,
    child: Child,
    lines: Arc<(Mutex<Vec<String>>, Condvar)>,
}

impl Process {
    fn start(name: &str, arguments: &[&str]) -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = child.stdout.take().ok_or("no output")?;
        let lines = Arc::new((Mutex::new(Vec::new()), Condvar::new()));
        let (held, who) = (Arc::clone(&lines), name.to_owned());
        thread::spawn(move || {
            for line in BufReader::new(stdout)
                .lines()
                .map_while(std::io::Result::ok)
            {
                println!("{who:>7} | {line}");
                let (lines, more) = &*held;
                lines
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(line);
                more.notify_all();
            }
        });
        Ok(Self {
            name: name.to_owned(),
            child,
            lines,
        })
    }

    fn member(name: &str, service: &str, scratch: &Path) -> Result<Self> {
        let directory = scratch.join(name);
        let directory = directory.to_str().ok_or("a path that is not UTF-8")?;
        let member = Self::start(name, &["member", name, service, directory])?;
        member.wait("* here")?;
        Ok(member)
    }

    fn say(&mut self, line: &str) -> Result<()> {
        let stdin = self.child.stdin.as_mut().ok_or("no input")?;
        writeln!(stdin, "{line}")?;
        Ok(())
    }

    /// Waits until the process has printed this line, and gives how many it had printed before.
    fn wait(&self, wanted: &str) -> Result<usize> {
        let end = Instant::now() + PATIENCE;
        let (lines, more) = &*self.lines;
        let mut held = lines.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(place) = held.iter().position(|line| line.starts_with(wanted)) {
                return Ok(place);
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(format!("{} has not printed {wanted:?}", self.name).into());
            }
            held = more
                .wait_timeout(held, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// The texts of others that it has shown.
    fn texts(&self) -> Vec<String> {
        let (lines, _) = &*self.lines;
        let lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
        let texts = lines.iter().filter(|line| !line.starts_with('*'));
        texts.cloned().collect()
    }

    fn kill(mut self) -> Result<Vec<String>> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(self.texts())
    }

    fn quit(mut self) -> Result<()> {
        self.say("quit")?;
        if self.child.wait()?.success() {
            Ok(())
        } else {
            Err(format!("{} has failed", self.name).into())
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Nobody is left behind where something has failed.
        let _ = self.child.kill();
    }
}

/// A directory that is gone afterwards.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Runs the course of the demonstration. Whatever does not come as it should ends it.
pub fn run() -> Result<()> {
    let name = format!("subrosa-group-chat-{}", std::process::id());
    let scratch = Scratch(std::env::temp_dir().join(name));
    fs::create_dir_all(&scratch.0)?;
    let service = Process::start("service", &["serve", "127.0.0.1:0"])?;
    service.wait("service at ")?;
    let address = {
        let (lines, _) = &*service.lines;
        let lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
        let first = lines
            .first()
            .and_then(|line| line.strip_prefix("service at "));
        first.ok_or("no address")?.to_owned()
    };
    let member = |name| Process::member(name, &address, &scratch.0);

    let mut alice = member("alice")?;
    let mut bob = member("bob")?;
    let carol = member("carol")?;
    alice.say("create")?;
    alice.wait("* created")?;
    alice.say("invite bob")?;
    alice.say("invite carol")?;
    bob.wait("* joined")?;
    carol.wait("* joined")?;
    alice.say("say hello, both of you")?;
    bob.wait("alice: hello, both of you")?;
    carol.wait("alice: hello, both of you")?;

    // Carol is killed while the others talk, and misses nothing.
    let shown = carol.kill()?;
    for number in 0..20 {
        alice.say(&format!("say alice's line {number}"))?;
        bob.say(&format!("say bob's line {number}"))?;
    }
    // Dave joins meanwhile, invited by bob.
    let mut dave = member("dave")?;
    bob.say("invite dave")?;
    dave.wait("* joined")?;
    dave.say("say I am new here")?;
    alice.wait("dave: I am new here")?;
    let mut carol = member("carol")?;
    carol.wait("dave: I am new here")?;
    bob.wait("alice: alice's line 19")?;
    carol.wait("bob: bob's line 19")?;
    carol.wait("alice: alice's line 19")?;
    let mut read = shown;
    read.extend(carol.texts());
    for sender in ["alice", "bob"] {
        for number in 0..20 {
            let line = format!("{sender}: {sender}'s line {number}");
            let times = read.iter().filter(|shown| **shown == line).count();
            if times != 1 {
                return Err(format!("carol has read {line:?} {times} times").into());
            }
        }
    }

    // Two changes at once: the service takes one, and the other one is made again. Then bob leaves by himself.
    alice.say("remove dave")?;
    bob.say("leave")?;
    dave.wait("* left")?;
    bob.wait("* left")?;
    carol.say("say only two of us are left")?;
    alice.wait("carol: only two of us are left")?;
    alice.say("say and nobody else reads this")?;
    carol.wait("alice: and nobody else reads this")?;
    for gone in [&bob, &dave] {
        let late = gone.texts().iter().any(|text| text.contains("nobody else"));
        if late {
            return Err("who has left has read on".into());
        }
    }
    for member in [alice, bob, carol, dave] {
        member.quit()?;
    }
    println!("all as it should be");
    Ok(())
}
