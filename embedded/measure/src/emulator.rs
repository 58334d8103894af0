//! QEMU: a run of a program, with a look at the board's RAM at the end of each phase.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::board::{Area, RAM_SIZE, Ram};
use crate::image::Image;

pub const MACHINE: &str = "mps2-an386";
const QEMU: &str = "qemu-system-arm";

/// What a run gave.
pub struct Run {
    /// Whether the program ended as a success.
    pub success: bool,
    /// What it wrote, without the lines for this program.
    pub lines: Vec<String>,
    /// The phases, in order; the last one ends with the program.
    pub phases: Vec<Phase>,
    /// Bytes set aside for the heap.
    pub arena: u64,
}

/// What a phase took.
pub struct Phase {
    pub name: String,
    /// The deepest stack in it, from where the stack begins.
    pub stack: u64,
    /// Heap in use at its end.
    pub in_use: Option<u64>,
    /// The highest byte of the heap that was ever used until its end.
    pub heap: u64,
}

/// A line of the program for this one.
enum Mark {
    Start {
        heap: Area,
        waiting: u64,
    },
    Phase {
        stack_pointer: u64,
        in_use: u64,
        name: String,
    },
}

/// Says how to get the emulator if it is not there.
pub fn require() -> Result<(), String> {
    let found = Command::new(QEMU)
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    match found {
        Ok(status) if status.success() => Ok(()),
        _ => Err(format!(
            "{QEMU} is not there; on Debian: apt-get install -y --no-install-recommends {QEMU}"
        )),
    }
}

/// Runs a program to its end, and prints what it writes.
pub fn run(elf: &Path, image: &Image, timeout: Duration) -> Result<Run, String> {
    let path = elf.with_extension("ram");
    let mut watch = Watch {
        ram: Ram::create(&path, image)?,
        image,
        start: None,
        phases: Vec::new(),
    };
    let mut child = start(elf, &path)?;
    let lines = match child.stdout.take() {
        Some(output) => lines_of(output),
        None => return Err(format!("{QEMU} has no output")),
    };
    let result = watch.follow(&lines, Instant::now() + timeout);
    if result.is_err() {
        // What it has to say has been said.
        let _ = child.kill();
    }
    let status = child.wait().map_err(|why| format!("{QEMU}: {why}"))?;
    let lines = result?;
    let arena = watch.end()?;
    Ok(Run {
        success: status.success(),
        lines,
        phases: watch.phases,
        arena,
    })
}

fn start(elf: &Path, ram: &Path) -> Result<Child, String> {
    let [elf, ram] = [elf, ram].map(|path| path.display().to_string());
    // A comma in an option's value is written twice.
    let memory = format!(
        "memory-backend-file,id=ram,size={RAM_SIZE},share=on,mem-path={}",
        ram.replace(',', ",,")
    );
    Command::new(QEMU)
        .args(["-object", &memory])
        .args(["-machine", &format!("{MACHINE},memory-backend=ram")])
        .args(["-display", "none", "-monitor", "none", "-serial", "none"])
        .args(["-chardev", "stdio,id=out"])
        .args(["-semihosting-config", "enable=on,target=native,chardev=out"])
        .args(["-kernel", &elf])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|why| format!("{QEMU}: {why}"))
}

fn lines_of(output: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for line in BufReader::new(output).split(b'\n') {
            let Ok(line) = line else { break };
            if sender
                .send(String::from_utf8_lossy(&line).into_owned())
                .is_err()
            {
                break;
            }
        }
    });
    receiver
}

/// The look at a running program.
struct Watch<'a> {
    ram: Ram,
    image: &'a Image,
    /// The heap, and the address of the word that is 1 while the program waits.
    start: Option<(Area, u64)>,
    phases: Vec<Phase>,
}

impl Watch<'_> {
    /// Takes every line until the program ends, and gives those that are not for this program.
    fn follow(
        &mut self,
        lines: &Receiver<String>,
        deadline: Instant,
    ) -> Result<Vec<String>, String> {
        let mut kept = Vec::new();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match lines.recv_timeout(left) {
                Ok(line) => match Mark::parse(&line)? {
                    Some(mark) => self.take(mark, deadline)?,
                    None => {
                        println!("{line}");
                        kept.push(line);
                    }
                },
                Err(RecvTimeoutError::Disconnected) => return Ok(kept),
                Err(RecvTimeoutError::Timeout) => {
                    return Err("the program did not end in time".to_owned());
                }
            }
        }
    }

    fn take(&mut self, mark: Mark, deadline: Instant) -> Result<(), String> {
        match mark {
            Mark::Start { heap, waiting } => self.start = Some((heap, waiting)),
            Mark::Phase {
                stack_pointer,
                in_use,
                name,
            } => {
                let waiting = self.start()?.1;
                // The line comes before the program is at rest.
                while self.ram.word(waiting)? != 1 {
                    if Instant::now() > deadline {
                        return Err("the program did not come to rest".to_owned());
                    }
                    thread::sleep(Duration::from_millis(1));
                }
                self.end_phase(name, Some(in_use))?;
                self.ram.paint(self.image.static_end, stack_pointer)?;
                self.ram.write(waiting, &[0; 4])?;
            }
        }
        Ok(())
    }

    fn end_phase(&mut self, name: String, in_use: Option<u64>) -> Result<(), String> {
        let (heap, _) = self.start()?;
        self.phases.push(Phase {
            name,
            stack: self.ram.stack_depth(self.image)?,
            in_use,
            heap: self.ram.heap_used(heap)?,
        });
        Ok(())
    }

    fn start(&self) -> Result<(Area, u64), String> {
        self.start
            .ok_or_else(|| "the program has not said where its heap is".to_owned())
    }

    /// The size of the heap's arena, after a look at what the program took last.
    fn end(&mut self) -> Result<u64, String> {
        self.end_phase("the rest".to_owned(), None)?;
        let (heap, _) = self.start()?;
        Ok(heap.end - heap.start)
    }
}

impl Mark {
    /// `None` for a line that is not for this program.
    fn parse(line: &str) -> Result<Option<Self>, String> {
        let Some(mark) = line.strip_prefix("-- ") else {
            return Ok(None);
        };
        let bad = || format!("a line that nobody understands: {line:?}");
        let mut words = mark.split(' ');
        let mut word = || words.next().ok_or_else(bad);
        let address = |text: &str| {
            let digits = text.strip_prefix("0x").ok_or_else(bad)?;
            u64::from_str_radix(digits, 16).map_err(|_| bad())
        };
        let number = |text: &str| text.parse::<u64>().map_err(|_| bad());
        match word()? {
            "heap" => {
                let (start, size) = (address(word()?)?, number(word()?)?);
                let (_, waiting) = (word()?, address(word()?)?);
                let end = start + size;
                Ok(Some(Self::Start {
                    heap: Area { start, end },
                    waiting,
                }))
            }
            "phase" => Ok(Some(Self::Phase {
                stack_pointer: address(word()?)?,
                in_use: number(word()?)?,
                name: words.collect::<Vec<_>>().join(" "),
            })),
            _ => Err(bad()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_read() {
        assert!(matches!(Mark::parse("passed exchange"), Ok(None)));
        assert!(matches!(
            Mark::parse("-- heap 0x21000000 256 waiting 0x21000200"),
            Ok(Some(Mark::Start {
                heap: Area {
                    start: 0x2100_0000,
                    end: 0x2100_0100
                },
                waiting: 0x2100_0200
            }))
        ));
        let Ok(Some(Mark::Phase {
            stack_pointer,
            in_use,
            name,
        })) = Mark::parse("-- phase 0x2101fff0 77 two bundles")
        else {
            panic!("a phase");
        };
        assert_eq!(
            (stack_pointer, in_use, &*name),
            (0x2101_fff0, 77, "two bundles")
        );
        for line in ["-- other", "-- heap 0x1", "-- phase 21 4 x"] {
            assert!(Mark::parse(line).is_err(), "{line}");
        }
    }
}
