//! Groups in which members of this library and of OpenMLS live together: whatever one does, all take, and are in the same epoch
//! with the same keys. `OPERATIONS=20000 cargo test -p subrosa-interop --test groups` makes more of it than the run of all
//! checks does.

use std::time::{SystemTime, UNIX_EPOCH};

use subrosa::crypto::TryRng;
use subrosa::mls::{CipherSuite, WireFormat};

mod groups {
    pub mod ours;
    pub mod theirs;
}
use groups::ours::Ours;
use groups::theirs::Theirs;

/// A generator whose seed is printed.
pub struct Seeded(pub u64);

impl TryRng for Seeded {
    type Error = core::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok((self.next() >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(self.next())
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Self::Error> {
        for chunk in out.chunks_mut(8) {
            let bytes = self.next().to_le_bytes();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
        Ok(())
    }
}

impl subrosa::TryCryptoRng for Seeded {}

impl Seeded {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, most: usize) -> usize {
        (self.next() % most as u64) as usize
    }
}

/// Seconds since 1970: OpenMLS reads the clock itself.
pub fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.expect("a clock after 1970").as_secs()
}

/// What a member does, whoever wrote it.
pub trait Member {
    fn authenticator(&self) -> Vec<u8>;
    fn tree(&self) -> Vec<u8>;
    fn leaf(&self) -> u32;
    fn exported(&self) -> Vec<u8>;
    /// Adds, removes, mixes a pre-shared key in, commits what was proposed, or only changes its own keys.
    fn commit(&mut self, what: &Change, format: WireFormat, rng: &mut Seeded) -> Sent;
    /// Proposes; everybody but the sender gets it.
    fn propose(&mut self, what: &Change, format: WireFormat, rng: &mut Seeded) -> Vec<u8>;
    fn merge_own(&mut self);
    /// Takes a commit or a proposal of another.
    fn take(&mut self, message: &[u8]);
    fn seal(&mut self, text: &[u8], rng: &mut Seeded) -> Vec<u8>;
    fn open(&mut self, message: &[u8]) -> Vec<u8>;
    fn group_info(&self) -> Vec<u8>;
}

pub enum Change {
    Own,
    Add(Vec<Vec<u8>>),
    Remove(Vec<u32>),
    Psk,
    Proposed,
}

pub struct Sent {
    pub commit: Vec<u8>,
    pub welcome: Option<Vec<u8>>,
}

/// One who can be added.
enum Newcomer {
    Ours(Box<groups::ours::Newcomer>),
    Theirs(Box<groups::theirs::Newcomer>),
}

impl Newcomer {
    fn new(suite: CipherSuite, name: &str, rng: &mut Seeded) -> Self {
        if rng.below(2) == 0 {
            Self::Ours(Box::new(groups::ours::Newcomer::new(suite, name, rng)))
        } else {
            Self::Theirs(Box::new(groups::theirs::Newcomer::new(suite, name)))
        }
    }

    fn key_package(&self) -> Vec<u8> {
        match self {
            Self::Ours(newcomer) => newcomer.key_package(),
            Self::Theirs(newcomer) => newcomer.key_package(),
        }
    }

    fn join(self, welcome: &[u8]) -> Box<dyn Member> {
        match self {
            Self::Ours(newcomer) => Box::new(newcomer.join(welcome)),
            Self::Theirs(newcomer) => Box::new(newcomer.join(welcome)),
        }
    }
}

fn agree(group: &[Box<dyn Member>]) {
    for member in group {
        assert_eq!(member.authenticator(), group[0].authenticator());
        assert_eq!(member.tree(), group[0].tree());
        assert_eq!(member.exported(), group[0].exported());
    }
}

/// All but the sender take a message; the committer merges what is its own.
fn everybody(group: &mut [Box<dyn Member>], sender: usize, message: &[u8]) {
    for (place, member) in group.iter_mut().enumerate() {
        match place == sender {
            true => member.merge_own(),
            false => member.take(message),
        }
    }
}

fn talk(group: &mut [Box<dyn Member>], sender: usize, rng: &mut Seeded) {
    let text = vec![7; rng.below(300)];
    let message = group[sender].seal(&text, rng);
    for (place, member) in group.iter_mut().enumerate() {
        if place != sender {
            assert_eq!(member.open(&message), text);
        }
    }
}

fn live(suite: CipherSuite, seed: u64, operations: usize) {
    println!("suite {}, seed {seed}, {operations} operations", suite.0);
    let rng = &mut Seeded(seed);
    let mut names = 0u32;
    let mut name = || {
        names += 1;
        format!("member {names}")
    };
    let first: Box<dyn Member> = match seed % 2 {
        0 => Box::new(Ours::create(suite, &name(), rng)),
        _ => Box::new(Theirs::create(suite, &name())),
    };
    let mut group = vec![first];
    for _ in 0..operations {
        let sender = rng.below(group.len());
        let format = [WireFormat::PublicMessage, WireFormat::PrivateMessage][rng.below(2)];
        let mut newcomers = Vec::new();
        let change = match rng.below(10) {
            0..=2 if group.len() < 12 => {
                for _ in 0..=rng.below(3) {
                    newcomers.push(Newcomer::new(suite, &name(), rng));
                }
                Change::Add(newcomers.iter().map(Newcomer::key_package).collect())
            }
            3 | 4 if group.len() > 4 => {
                let place = rng.below(group.len());
                match place == sender {
                    true => Change::Own,
                    false => Change::Remove(vec![group[place].leaf()]),
                }
            }
            5 => Change::Psk,
            6 if group.len() < 12 => {
                // Somebody joins by a commit of its own.
                let info = group[sender].group_info();
                let (commit, joined): (_, Box<dyn Member>) = match rng.below(2) {
                    0 => {
                        let (commit, joined) = Ours::join_by_commit(suite, &info, &name(), rng);
                        (commit, Box::new(joined))
                    }
                    _ => {
                        let (commit, joined) = Theirs::join_by_commit(suite, &info, &name());
                        (commit, Box::new(joined))
                    }
                };
                for member in &mut group {
                    member.take(&commit);
                }
                group.push(joined);
                agree(&group);
                continue;
            }
            7 | 8 if group.len() > 2 => {
                // Proposals of others, committed by reference.
                for place in 0..group.len() {
                    let change = match rng.below(4) {
                        _ if place == sender => continue,
                        0 => Change::Own,
                        1 if group.len() < 12 && newcomers.is_empty() => {
                            newcomers.push(Newcomer::new(suite, &name(), rng));
                            Change::Add(vec![newcomers[0].key_package()])
                        }
                        _ => continue,
                    };
                    let proposal = group[place].propose(&change, format, rng);
                    for (other, member) in group.iter_mut().enumerate() {
                        if other != place {
                            member.take(&proposal);
                        }
                    }
                }
                Change::Proposed
            }
            _ => Change::Own,
        };
        let sent = group[sender].commit(&change, format, rng);
        if let Change::Remove(leaves) = &change {
            let committer = group[sender].leaf();
            group.retain(|member| !leaves.contains(&member.leaf()));
            let sender = group.iter().position(|member| member.leaf() == committer);
            everybody(&mut group, sender.expect("the committer"), &sent.commit);
        } else {
            everybody(&mut group, sender, &sent.commit);
        }
        for newcomer in newcomers {
            group.push(newcomer.join(sent.welcome.as_ref().expect("a Welcome")));
        }
        agree(&group);
        let sender = rng.below(group.len());
        talk(&mut group, sender, rng);
    }
    for sender in 0..group.len() {
        talk(&mut group, sender, rng);
    }
}

/// 2,000 operations in all, in the three suites.
#[test]
fn groups_of_both() {
    let operations = std::env::var("OPERATIONS").ok();
    let operations: usize = operations.map_or(2_000, |text| text.parse().expect("a number"));
    for (share, suite) in [4, 1, 3].into_iter().zip(CipherSuite::ALL) {
        for seed in 0..4 {
            live(
                suite,
                seed + 10 * u64::from(suite.0),
                operations * share / 32,
            );
        }
    }
}
