//! What is done to files: each step is one at which the program can be killed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Changes files. The tests have one that dies at a chosen step.
pub trait Disk {
    /// Writes bytes at the file's place.
    fn write(&self, file: &mut Stored, bytes: &[u8]) -> io::Result<()> {
        file.file.write_all(bytes)
    }

    /// Cuts a file, or lengthens it.
    fn set_len(&self, file: &Stored, length: u64) -> io::Result<()> {
        file.file.set_len(length)
    }

    /// Has what was written on the disk.
    fn sync(&self, file: &Stored) -> io::Result<()> {
        file.file.sync_data()
    }

    /// Gives a file its name in place of whatever had it, on the disk.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)?;
        sync_folder(to.parent())
    }

    /// Removes a file, if it is there.
    fn remove(&self, path: &Path) -> io::Result<()> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => sync_folder(path.parent()),
        }
    }
}

/// The operating system's.
pub struct Real;

impl Disk for Real {}

/// What a folder says about its files is on the disk.
fn sync_folder(folder: Option<&Path>) -> io::Result<()> {
    // Elsewhere a folder cannot be opened as a file, and names are on the disk in time.
    if cfg!(unix) {
        let folder = folder.filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    Ok(())
}

/// A file that can be gone on with.
pub struct Stored {
    pub path: PathBuf,
    file: File,
}

impl Stored {
    /// The file at this path, made if it is not there, at its beginning. Nobody else can read it if it is `private`.
    pub fn open(path: PathBuf, private: bool) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        if private {
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        }
        #[cfg(not(unix))]
        let _ = private;
        let file = options.open(&path)?;
        sync_folder(path.parent())?;
        Ok(Self { path, file })
    }

    pub fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    /// From here on, it is read and written.
    pub fn seek(&mut self, place: u64) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(place)).map(drop)
    }

    /// Sees to it that these bytes are what comes next in the file; tells whether it had to write them.
    pub fn put(&mut self, disk: &impl Disk, bytes: &[u8]) -> io::Result<bool> {
        let begin = self.file.stream_position()?;
        let mut found = Vec::new();
        (&self.file)
            .take(bytes.len() as u64)
            .read_to_end(&mut found)?;
        if found == bytes {
            return Ok(false);
        }
        self.seek(begin)?;
        disk.write(self, bytes)?;
        Ok(true)
    }

    /// It ends here, and is on the disk.
    pub fn end(&mut self, disk: &impl Disk) -> io::Result<()> {
        let length = self.file.stream_position()?;
        if self.len()? != length {
            disk.set_len(self, length)?;
        }
        disk.sync(self)
    }
}

impl Read for Stored {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read(buffer)
    }
}

/// Puts bytes into a file whole, or leaves what was there.
pub fn replace(disk: &impl Disk, path: &Path, bytes: &[u8], private: bool) -> io::Result<()> {
    let new = beside(path, ".new");
    // One that was left behind may have been made by somebody who lets others read it.
    disk.remove(&new)?;
    let mut file = Stored::open(new.clone(), private)?;
    disk.write(&mut file, bytes)?;
    disk.sync(&file)?;
    disk.rename(&new, path)
}

/// What a small file holds, if it is there.
pub fn content(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The same path with something behind its name.
pub fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(ending);
    path.into()
}
