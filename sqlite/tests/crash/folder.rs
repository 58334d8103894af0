//! Folders for files that are gone afterwards.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A folder with a store in it, removed with its value.
///
/// It is kept in memory where that is possible. A killed process loses nothing that it has given to the system, and what
/// the loss of power does is done by hand: so no disk is needed, and ten thousand crashes take seconds.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        let memory = Path::new("/dev/shm");
        let anywhere = env::temp_dir();
        Self::within(if memory.is_dir() { memory } else { &anywhere })
    }

    pub fn within(place: &Path) -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = place.join(format!("subrosa-crash-{}-{number}", process::id()));
        fs::create_dir_all(&folder).expect("a folder can be made");
        Self(folder)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The store's file.
    pub fn file(&self) -> PathBuf {
        self.0.join("store")
    }

    /// Its log.
    pub fn log(&self) -> PathBuf {
        self.0.join("store-wal")
    }

    /// What lies on the disk at this moment.
    pub fn read(&self) -> Files {
        Files {
            file: fs::read(self.file()).expect("the file is there"),
            log: fs::read(self.log()).expect("the log is there"),
        }
    }

    /// The same, whatever of it is there.
    pub fn try_read(&self) -> Files {
        Files {
            file: fs::read(self.file()).unwrap_or_default(),
            log: fs::read(self.log()).unwrap_or_default(),
        }
    }

    /// A folder in which this lies.
    pub fn with(files: &Files) -> Self {
        let folder = Self::new();
        folder.put(files);
        folder
    }

    /// Replaces what lies in it.
    pub fn put(&self, files: &Files) {
        let _ = fs::remove_file(self.0.join("store-shm"));
        fs::write(self.file(), &files.file).expect("the file can be written");
        fs::write(self.log(), &files.log).expect("the log can be written");
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What lies on the disk: the file, and the log.
#[derive(Clone, PartialEq, Eq)]
pub struct Files {
    pub file: Vec<u8>,
    pub log: Vec<u8>,
}
