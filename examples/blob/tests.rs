//! Whole rounds, and whatever can go wrong in them.

use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs, io, process, thread};

use indicatif::ProgressBar;
use subrosa::file::{self, Descriptor};

use crate::disk::{Disk, Real, Stored};
use crate::folder::{Folder, Kind, Name};
use crate::server::Server;
use crate::source::{Source, Web};
use crate::{Result, line, sealing};

mod opening;
mod options;
mod packs;
mod sealed;
mod served;

const CHUNK: usize = file::CHUNK;
const MEBIBYTE: usize = 1 << 20;

/// A folder of a test's own, gone when dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = env::temp_dir().join(format!("subrosa-blob-{}-{count}", process::id()));
        fs::create_dir(&folder).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// A file with this text.
    fn file(&self, name: &str, text: &[u8]) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// What a server keeps.
    fn folder(&self) -> Folder {
        Folder::create(&self.path("server")).unwrap()
    }

    /// A blob of a text in that folder.
    fn sealed(&self, text: &[u8]) -> Descriptor {
        let file = self.file("text", text);
        seal(&file, &self.folder(), &Real).unwrap().1.unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Where it fails, the operating system tidies up.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Seals a file; gives the line that was printed, whether or not it ended well, and what it says.
fn seal(
    file: &Path,
    folder: &Folder,
    disk: &impl Disk,
) -> Result<(Option<String>, Option<Descriptor>)> {
    let mut printed = None;
    let bar = ProgressBar::hidden();
    sealing::seal(file, None, folder, disk, &bar, |descriptor| {
        printed = Some(line::of(descriptor)?);
        Ok(())
    })?;
    let descriptor = printed.as_deref().map(line::descriptor).transpose()?;
    Ok((printed, descriptor))
}

fn id(descriptor: &Descriptor) -> [u8; 32] {
    *descriptor.blob.admit(|_| true).unwrap().id().as_bytes()
}

fn path(folder: &Folder, descriptor: &Descriptor, kind: Kind) -> PathBuf {
    folder.path(Name::new(&id(descriptor), kind))
}

/// No two pieces of it are the same.
fn text(length: usize) -> Vec<u8> {
    let words = (0..).flat_map(|number: u32| number.wrapping_mul(0x9e37_79b1).to_be_bytes());
    words.take(length).collect()
}

/// Alters one byte of a file.
fn flip(path: &Path, place: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[place] ^= 1;
    fs::write(path, bytes).unwrap();
}

/// The library's word for it.
fn reason(error: &(dyn std::error::Error + Send + Sync + 'static)) -> Option<file::Error> {
    error.downcast_ref().copied()
}

/// A server in a thread of its own, which ends with the tests.
fn serve(folder: Folder) -> Web {
    let server = Server::bind(folder, 0).unwrap();
    let web = Web::new(&format!("http://{}/", server.address().unwrap()));
    thread::spawn(move || server.run());
    web
}

/// A disk of a program that is killed at a step: half of it may be done, and nothing after it.
struct Dying {
    left: Cell<usize>,
    steps: RefCell<Vec<Step>>,
}

#[derive(Debug, PartialEq, Eq)]
enum Step {
    Write(String),
    Sync(String),
    Other,
}

impl Dying {
    fn at(step: usize) -> Self {
        Self {
            left: Cell::new(step),
            steps: RefCell::default(),
        }
    }

    fn step(&self, step: Step) -> io::Result<()> {
        let left = self.left.get().checked_sub(1);
        self.left.set(left.unwrap_or_default());
        self.steps.borrow_mut().push(step);
        left.map(drop).ok_or_else(|| io::Error::other("killed"))
    }
}

/// What a file is, whatever it is called this time.
fn what(file: &Stored) -> String {
    let name = file.path.file_name().unwrap().to_str().unwrap();
    match name.split_once('.') {
        Some((name, ending)) if name.starts_with("incoming-") => format!("incoming {ending}"),
        _ => name.to_owned(),
    }
}

impl Disk for Dying {
    fn write(&self, file: &mut Stored, bytes: &[u8]) -> io::Result<()> {
        match self.step(Step::Write(what(file))) {
            Ok(()) => Real.write(file, bytes),
            Err(killed) => {
                Real.write(file, &bytes[..bytes.len() / 2])?;
                Err(killed)
            }
        }
    }

    fn set_len(&self, file: &Stored, length: u64) -> io::Result<()> {
        self.step(Step::Other)?;
        Real.set_len(file, length)
    }

    fn sync(&self, file: &Stored) -> io::Result<()> {
        self.step(Step::Sync(what(file)))?;
        Real.sync(file)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step(Step::Other)?;
        Real.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.step(Step::Other)?;
        Real.remove(path)
    }
}

/// A source that fails at a request, and notes what it was asked for.
struct Failing<'a> {
    source: &'a dyn Source,
    left: Cell<usize>,
    asked: RefCell<Vec<u64>>,
}

impl<'a> Failing<'a> {
    fn at(source: &'a dyn Source, request: usize) -> Self {
        Self {
            source,
            left: Cell::new(request),
            asked: RefCell::default(),
        }
    }

    fn request(&self) -> Result<()> {
        let left = self.left.get().checked_sub(1).ok_or("cut off")?;
        self.left.set(left);
        Ok(())
    }
}

impl Source for Failing<'_> {
    fn blob(&self, id: &[u8; 32], place: &Range<u64>, into: &mut Vec<u8>) -> Result<()> {
        self.request()?;
        self.asked.borrow_mut().push(place.start);
        self.source.blob(id, place, into)
    }

    fn proof(&self, id: &[u8; 32], leaves: &Range<u64>, length: usize) -> Result<Vec<u8>> {
        self.request()?;
        self.source.proof(id, leaves, length)
    }

    fn pack(&self, id: &[u8; 32]) -> Result<Vec<u8>> {
        self.request()?;
        self.source.pack(id)
    }
}
