//! S1: power is lost. What the disk then holds of the log, and of the file, is made by hand: cut off anywhere, damaged anywhere,
//! with sectors missing. Whatever is opened is of exactly the last generation whose pages are all there.

use std::ops::Range;

use subrosa_sqlite::{Durability, Opened, SqliteStore};

use super::folder::{Files, Folder};
use super::judge::{DURABILITIES, NORMAL, commit, judge, open};
use super::random::{Random, rounds};
use super::series::{Contents, Series};

/// Bytes before the first frame of a log, and of a frame before its page.
const LOG_HEADER: usize = 32;
const FRAME_HEADER: usize = 24;
const PAGE: usize = 4_096;
const FRAME: usize = FRAME_HEADER + PAGE;

/// What the smallest disks write at once.
const SECTOR: usize = 512;

/// What lies on the disk after a commit, its log not yet moved into the file.
struct Scene {
    durability: Durability,
    files: Files,
    /// The generation of the file alone.
    base: u64,
    /// Where in the log the commits end that follow it.
    ends: Vec<usize>,
    expected: Vec<Contents>,
    folder: Folder,
    points: usize,
}

impl Scene {
    /// After a random number of generations, of which the last few are in the log.
    fn new(durability: Durability, random: &mut Random) -> Self {
        let series = Series {
            seed: random.next(),
        };
        let base = 2 + random.next() % 12;
        let last = base + 2 + random.next() % 3;
        let expected = series.contents(last);
        let folder = Folder::new();
        let mut store = open(&folder, durability);
        commit(&mut store, series, 0..base);
        store.checkpoint().expect("nobody else is there");
        commit(&mut store, series, base..last);
        let files = folder.read();
        let ends = ends_of_commits(&files.log);
        assert_eq!(
            u64::try_from(ends.len()).unwrap(),
            last - base,
            "the log is as it is taken to be"
        );
        assert_eq!(ends.last(), Some(&files.log.len()));
        drop(store);
        Self {
            durability,
            files,
            base,
            ends,
            expected,
            folder: Folder::new(),
            points: 0,
        }
    }

    fn last(&self) -> u64 {
        self.generation(self.files.log.len())
    }

    /// The generation if so much of the log is as it was written.
    fn generation(&self, intact: usize) -> u64 {
        let commits = self.ends.iter().filter(|end| **end <= intact).count();
        self.base + u64::try_from(commits).unwrap()
    }

    /// The frames of the last commit, and of those before it.
    fn last_frames(&self) -> Range<usize> {
        let from = self.ends[self.ends.len() - 2];
        from..self.files.log.len()
    }

    /// Opens `files`, which have to be of `generation`.
    fn check(&mut self, files: &Files, generation: u64, what: &str) {
        self.folder.put(files);
        let mut store = open(&self.folder, self.durability);
        let found = judge(&self.folder, &mut store, &self.expected);
        assert_eq!(
            found,
            Ok(generation),
            "{:?}, last {}: {what}",
            self.durability,
            self.last()
        );
        self.points += 1;
    }

    fn with_log(&mut self, log: Vec<u8>, intact: usize, what: &str) {
        let generation = self.generation(intact);
        let file = self.files.file.clone();
        self.check(&Files { file, log }, generation, what);
    }

    fn cut(&mut self, at: usize) {
        let log = self.files.log[..at].to_vec();
        self.with_log(log, at, &format!("cut at {at}"));
    }

    /// Damages a byte: its frame, and all that follow it, are as if they were not there.
    fn damage(&mut self, at: usize, with: u8) {
        let mut log = self.files.log.clone();
        log[at] ^= with;
        self.with_log(
            log,
            frame_of(at),
            &format!("byte {at} damaged with {with:02x}"),
        );
    }

    /// A sector that was never written is empty, or has what lay there before.
    fn lose_sector(&mut self, at: usize, filling: &[u8]) {
        let mut log = self.files.log.clone();
        let end = log.len().min(at + SECTOR);
        let lost = log[at..end].to_vec();
        log[at..end].copy_from_slice(&filling[..end - at]);
        // The first byte that is another decides.
        let Some(first) = (at..end).find(|place| log[*place] != lost[place - at]) else {
            return;
        };
        self.with_log(log, frame_of(first), &format!("sector at {at} lost"));
    }
}

/// Where the frame of a byte begins; the header of the log counts to all of them.
fn frame_of(at: usize) -> usize {
    match at.checked_sub(LOG_HEADER) {
        Some(at) => LOG_HEADER + at / FRAME * FRAME,
        None => 0,
    }
}

/// The last frame of a commit has the length of the file in it.
fn ends_of_commits(log: &[u8]) -> Vec<usize> {
    let frames = log[LOG_HEADER..].chunks(FRAME).enumerate();
    frames
        .filter(|(_, frame)| frame[4..8] != [0; 4])
        .map(|(number, _)| LOG_HEADER + (number + 1) * FRAME)
        .collect()
}

fn scenes(name: &str, number: usize) -> impl Iterator<Item = (Scene, Random)> {
    let mut random = Random::new(name);
    (0..rounds(number)).map(move |round| {
        let scene = Scene::new(DURABILITIES[round % 2], &mut random);
        let seed = random.next();
        (scene, Random::from_seed(seed))
    })
}

#[test]
fn attack_s1_torn_write_cuts_the_log() {
    let mut points = 0;
    for (mut scene, mut random) in scenes("cuts", 12) {
        let last = scene.last_frames();
        for at in [0, 1, 24, 31, LOG_HEADER] {
            scene.cut(at);
        }
        for frame in (LOG_HEADER..scene.files.log.len()).step_by(FRAME) {
            // At its end, and in its header, its first and its last bytes, and its sectors.
            let mut places = vec![FRAME, FRAME - 1, 1 + random.below(FRAME - 1)];
            if last.contains(&frame) {
                places.extend([1, 4, 7, 8, 12, 16, 20, 23, 24, 25, 26, FRAME - 2, FRAME - 8]);
                let sectors = (frame.next_multiple_of(SECTOR)..frame + FRAME).step_by(SECTOR);
                places.extend(sectors.map(|at| at - frame));
                places.extend((0..12).map(|_| random.below(FRAME)));
            }
            for place in places {
                scene.cut(frame + place);
            }
        }
        points += scene.points;
    }
    println!("{points} cuts");
    assert!(points >= rounds(3_000), "only {points}");
}

#[test]
fn attack_s1_torn_write_damages_the_log() {
    let mut points = 0;
    for (mut scene, mut random) in scenes("damages", 12) {
        let last = scene.last_frames();
        for at in 0..LOG_HEADER {
            scene.damage(at, 1 << random.below(8));
        }
        for frame in (LOG_HEADER..scene.files.log.len()).step_by(FRAME) {
            let mut places = vec![random.below(FRAME)];
            if last.contains(&frame) {
                places.extend(0..FRAME_HEADER);
                places.extend([FRAME_HEADER, FRAME_HEADER + 1, FRAME - 2, FRAME - 1]);
                places.extend((0..16).map(|_| random.below(FRAME)));
            }
            for place in places {
                scene.damage(frame + place, 1 << random.below(8));
            }
        }
        points += scene.points;
    }
    println!("{points} damages");
    assert!(points >= rounds(3_000), "only {points}");
}

/// What does not wait for the disk may reach it in any order.
#[test]
fn attack_s1_torn_write_leaves_out_sectors() {
    let mut points = 0;
    for (mut scene, mut random) in scenes("sectors", 12) {
        let zeros = vec![0; SECTOR];
        let sectors = scene.last_frames().start / SECTOR * SECTOR;
        for at in (sectors..scene.files.log.len()).step_by(SECTOR) {
            scene.lose_sector(at, &zeros);
            let old = random.bytes(SECTOR);
            scene.lose_sector(at, &old);
        }
        // Bytes of an older log behind the last commit are none of it.
        let mut log = scene.files.log.clone();
        log.extend_from_within(LOG_HEADER..);
        log.extend(random.bytes(100));
        let all = scene.files.log.len();
        scene.with_log(log, all, "an older log behind");
        points += scene.points;
    }
    println!("{points} losses");
    assert!(points >= rounds(1_200), "only {points}");
}

/// While the log is moved into the file, any part of the file may be the new one. The log is still whole.
#[test]
fn attack_s1_torn_write_while_the_log_is_moved() {
    let mut points = 0;
    for (mut scene, mut random) in scenes("moves", 12) {
        let folder = Folder::with(&scene.files);
        let mut store = open(&folder, scene.durability);
        store.checkpoint().expect("nobody else is there");
        let new = folder.read().file;
        drop(store);
        let (log, last) = (scene.files.log.clone(), scene.last());
        let mut old = scene.files.file.clone();
        assert!(new.len() >= old.len());
        let mut check = |file: Vec<u8>, what: &str| {
            let log = log.clone();
            scene.check(&Files { file, log }, last, what);
        };
        for at in (0..old.len()).step_by(SECTOR) {
            check([&new[..at], &old[at..]].concat(), "moved in order");
        }
        for at in (old.len()..=new.len()).step_by(SECTOR) {
            check(new[..at].to_vec(), "moved in order, growing");
        }
        old.resize(new.len(), 0);
        for _ in 0..40 {
            let mut mixed = old.clone();
            for at in (0..new.len()).step_by(SECTOR) {
                if random.below(2) == 0 {
                    mixed[at..at + SECTOR].copy_from_slice(&new[at..at + SECTOR]);
                }
            }
            check(mixed, "moved in any order");
        }
        points += scene.points;
    }
    println!("{points} moves");
    assert!(points >= rounds(2_000), "only {points}");
}

/// Whatever was lost when the machine ended, with a store that does not wait for the disk: it says so, and holds what it
/// did at some generation.
#[test]
fn attack_s3_loss_of_power_is_told() {
    const NEXT: Durability = Durability::Normal { boot: [8; 16] };
    let mut random = Random::new("told");
    let mut older = 0;
    for _ in 0..rounds(20) {
        let scene = Scene::new(NORMAL, &mut random);
        for _ in 0..20 {
            let at = random.below(scene.files.log.len() + 1);
            let log = scene.files.log[..at].to_vec();
            let file = scene.files.file.clone();
            for durability in [NEXT, Durability::Full] {
                scene.folder.put(&Files {
                    file: file.clone(),
                    log: log.clone(),
                });
                let opened = SqliteStore::open(scene.folder.file(), durability);
                let Ok(Opened::MayHaveLost(mut store)) = opened else {
                    panic!("cut at {at}: {opened:?}");
                };
                let found = judge(&scene.folder, &mut store, &scene.expected);
                assert_eq!(found, Ok(scene.generation(at)));
                older += usize::from(scene.generation(at) < scene.last());
            }
        }
    }
    assert!(older > 0, "something was lost");
}
