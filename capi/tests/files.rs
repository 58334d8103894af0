//! Stores in SQLite files.
#![cfg(feature = "sqlite")]

mod common;

use std::ffi::{CStr, CString};
use std::path::{Path, PathBuf};
use std::ptr::{null, null_mut};
use std::{env, fs, process};

use common::*;
use subrosa_capi::device::*;
use subrosa_capi::status::*;
use subrosa_capi::store::*;
use subrosa_capi::value::*;

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = env::temp_dir().join(format!("subrosa-capi-{}-{name}", process::id()));
        fs::create_dir(&folder).unwrap();
        Self(folder)
    }

    fn file(&self) -> PathBuf {
        self.0.join("store.db")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

fn path(path: &Path) -> CString {
    CString::new(path.to_str().unwrap()).unwrap()
}

/// The store in this file, or why there is none; and whether it may have lost commits.
fn sqlite(
    file: &CStr,
    boot: Option<&[u8; SUBROSA_BOOT]>,
) -> (Result<*mut subrosa_store, subrosa_status>, bool) {
    let boot = boot.map_or(null(), |boot| boot.as_ptr());
    let (mut lost, mut store) = (false, null_mut());
    let status = unsafe { subrosa_store_sqlite(file.as_ptr(), boot, &mut lost, &mut store) };
    if status == SUBROSA_OK {
        assert!(!store.is_null());
        (Ok(store), lost)
    } else {
        assert!(store.is_null() && !lost);
        (Err(status), lost)
    }
}

fn status(file: &CStr) -> subrosa_status {
    sqlite(file, None).0.unwrap_err()
}

#[test]
fn a_file_keeps_a_device() {
    let folder = Folder::new("keeps");
    let file = path(&folder.file());
    let (store, lost) = sqlite(&file, None);
    assert!(!lost);
    let pair = Pair::talking(store.unwrap(), memory());
    let (to_alice, to_bob, bob) = (pair.to_alice, pair.to_bob, pair.bob);
    ok!(subrosa_device_free(pair.alice));
    // Whether commits were lost may be of no interest.
    let mut store = null_mut();
    ok!(unsafe { subrosa_store_sqlite(file.as_ptr(), null(), null_mut(), &mut store) });
    let pair = Pair {
        alice: open(store),
        bob,
        to_alice,
        to_bob,
    };
    assert_eq!(pair.to_bob(b"2", b"2"), b"2");
    assert_eq!(pair.to_alice(b"2", b"2"), b"2");
    pair.free();
}

#[test]
fn another_boot_may_have_lost_commits() {
    let folder = Folder::new("boot");
    let file = path(&folder.file());
    let (store, lost) = sqlite(&file, Some(&[1; SUBROSA_BOOT]));
    assert!(!lost);
    let (device, _) = create(store.unwrap());
    ok!(subrosa_device_free(device));
    let (store, lost) = sqlite(&file, Some(&[1; SUBROSA_BOOT]));
    assert!(!lost);
    let device = open(store.unwrap());
    publish(device, 0, NOW);

    let (other, lost) = sqlite(&file, Some(&[2; SUBROSA_BOOT]));
    let other = other.unwrap();
    assert!(lost);
    fails!(
        SUBROSA_ERROR_ROLLED_BACK,
        subrosa_device_reopen_with(device, other)
    );
    ok!(subrosa_device_free(device));
    let mut device = null_mut();
    fails!(SUBROSA_ERROR_ROLLED_BACK, unsafe {
        subrosa_device_open(other, KEY.as_ptr(), null(), null(), &mut device)
    });
    assert!(device.is_null());
    ok!(unsafe { subrosa_device_restore(other, KEY.as_ptr(), null(), NOW, &mut device) });
    ok!(subrosa_device_free(device));
}

#[test]
fn files_that_are_no_stores() {
    let folder = Folder::new("refused");
    let file = folder.file();
    fs::write(
        &file,
        b"a text that somebody wrote, longer than the header of a database is: ".repeat(4),
    )
    .unwrap();
    let before = fs::read(&file).unwrap();
    assert_eq!(status(&path(&file)), SUBROSA_ERROR_NOT_A_STORE);
    assert_eq!(fs::read(&file).unwrap(), before);
    fs::remove_file(&file).unwrap();

    fs::write(&file, later_format()).unwrap();
    assert_eq!(status(&path(&file)), SUBROSA_ERROR_NEWER_FORMAT);
    assert_eq!(fs::read(&file).unwrap(), later_format());

    assert_eq!(status(c""), SUBROSA_ERROR_UNSUITABLE);
    assert_eq!(status(&path(&folder.0)), SUBROSA_ERROR_SQLITE);
    assert_eq!(status(c"\xff"), SUBROSA_ERROR_ARGUMENT);
    let mut store = null_mut();
    fails!(SUBROSA_ERROR_ARGUMENT, unsafe {
        subrosa_store_sqlite(null(), null(), null_mut(), &mut store)
    });
    let never = folder.0.join("never");
    let never = path(&never);
    fails!(SUBROSA_ERROR_ARGUMENT, unsafe {
        subrosa_store_sqlite(never.as_ptr(), null(), null_mut(), null_mut())
    });
    assert!(!folder.0.join("never").exists());
}

/// An empty file of SQLite, one page, as a store of a later version may begin.
fn later_format() -> Vec<u8> {
    let mut page = vec![0; 4096];
    let mut put = |at: usize, bytes: &[u8]| page[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, b"SQLite format 3\0");
    // The size of a page, the versions of the format, and what is fixed of the b-trees.
    put(16, &[16, 0, 1, 1, 0, 64, 32, 32]);
    // One change, one page, and the format of the schema.
    put(24, &[0, 0, 0, 1, 0, 0, 0, 1]);
    put(44, &[0, 0, 0, 4]);
    // UTF-8, the version of the store, and whose file it is.
    put(56, &[0, 0, 0, 1, 0, 0, 0, 7]);
    put(68, b"sbrs");
    put(92, &[0, 0, 0, 1]);
    // A leaf without rows.
    put(100, &[13, 0, 0, 0, 0, 16, 0, 0]);
    page
}

/// How a program locks a file, and the bytes that SQLite locks.
#[cfg(target_os = "linux")]
mod lock {
    use std::ffi::c_int;
    use std::fs::File;
    use std::os::fd::AsRawFd;

    #[repr(C)]
    struct Flock {
        kind: i16,
        whence: i16,
        start: i64,
        len: i64,
        process: i32,
    }

    unsafe extern "C" {
        fn fcntl(file: c_int, command: c_int, ...) -> c_int;
    }

    /// Until the process ends.
    pub fn lock(file: &File) {
        let lock = Flock {
            kind: 1,
            whence: 0,
            start: 0x4000_0000,
            len: 512,
            process: 0,
        };
        let locked = unsafe { fcntl(file.as_raw_fd(), 6, &raw const lock) };
        assert_eq!(locked, 0);
    }
}

/// Names the file to a process that locks it until its input ends.
#[cfg(target_os = "linux")]
const HOLD: &str = "SUBROSA_TEST_HOLD";

#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
#[test]
fn a_file_that_another_holds() {
    use std::io::{Read, Write};
    use std::process::{Command, Stdio};

    if let Some(file) = env::var_os(HOLD) {
        // The other process.
        let file = fs::File::options()
            .read(true)
            .write(true)
            .open(file)
            .unwrap();
        lock::lock(&file);
        println!("{HOLD}");
        std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
        return;
    }
    let folder = Folder::new("held");
    let file = folder.file();
    fs::write(&file, b"").unwrap();
    let mut holder = Command::new(env::current_exe().unwrap())
        .args(["--exact", "a_file_that_another_holds", "--nocapture"])
        .env(HOLD, &file)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = Vec::new();
    let mut output = holder.stdout.take().unwrap();
    while !String::from_utf8_lossy(&said).contains(HOLD) {
        let mut byte = [0];
        output.read_exact(&mut byte).unwrap();
        said.extend(byte);
    }
    let refused = sqlite(&path(&file), None).0;
    holder.stdin.take().unwrap().flush().unwrap();
    assert!(holder.wait().unwrap().success());
    assert_eq!(refused, Err(SUBROSA_ERROR_FILE_BUSY));
    let (store, _) = sqlite(&path(&file), None);
    ok!(subrosa_store_free(store.unwrap()));
}
