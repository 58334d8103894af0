//! Every bound and every pace of the example, with its reason.

use std::ops::RangeInclusive;
use std::time::Duration;

/// The demonstration as a whole; then everything is killed. It takes some seconds on an idle machine.
pub const DEMO: Duration = Duration::from_secs(120);

/// How long the killed peer stays away: long enough that messages wait for it.
pub const AWAY: Duration = Duration::from_millis(700);

/// A kill comes at once, or at any time within so many milliseconds, so that it meets the victim at whatever it does:
/// this spans two batches and their commits.
pub const STRIKE: u64 = 60;

/// How long an actor may take for its last numbers.
pub const LAST_WORDS: Duration = Duration::from_secs(20);

/// What arrives within this time is read together: one commit, and so one `fsync`, for all of it. It also bounds the ratchet turns a second: late messages of the last 16 chains can be read, and no delay of
/// the relay spans as many.
pub const BATCH: Duration = Duration::from_millis(20);

/// Events of one batch.
pub const BATCH_EVENTS: usize = 512;

/// A node that has nothing to do looks up this often.
pub const IDLE: Duration = Duration::from_millis(200);

/// Lines under way: those that not every device has reported. All of them fit into one report.
pub const WINDOW: usize = 24;

/// How far ahead of the first missing line a line may be: what a peer that ignores the window can make us hold.
pub const AHEAD: u32 = 4_096;

/// Missing lines named in one report.
pub const MISSING: usize = 256;

/// Between two reports, while lines arrive.
pub const REPORT: Duration = Duration::from_millis(60);

/// Between two reports, while lines are missing and none arrives.
pub const REPORT_MISSING: Duration = Duration::from_millis(250);

/// A line that somebody misses is sent again when it was last sent so long ago: until then it may be on its way.
pub const PATIENCE: Duration = Duration::from_millis(250);

/// Without any report the newest line is sent again, in this rhythm …
pub const PROBE: Duration = Duration::from_millis(500);

/// … so often, and then after twice the time, and twice that, …
pub const PROBES: u32 = 12;

/// … up to this: the peer is away.
pub const PROBE_MAX: Duration = Duration::from_secs(300);

/// Until a bundle or a device list that is not there is asked for again: this, then twice as long, …
pub const FETCH: Duration = Duration::from_millis(50);

/// … up to this.
pub const FETCH_MAX: Duration = Duration::from_secs(2);

/// Between two attempts to reach the relay.
pub const RECONNECT: Duration = Duration::from_secs(1);

/// How long a chat that is over waits for its last lines to be delivered.
pub const LINGER: Duration = Duration::from_secs(3);

/// The relay has fewer one-time bundles than this: more are published …
pub const ONE_TIME_LOW: u32 = 3;

/// … so many.
pub const ONE_TIME_BATCH: usize = 10;

/// Acknowledgements to the device's inbox and outbox that wait for more of them: a commit for all.
pub const ACKNOWLEDGE: usize = 64;

/// Longest line of a chat.
pub const LINE_MAX: usize = 64 * 1024;

/// Longest packet between a peer and the relay: a message is at most 1 MiB and 1.7 kB.
pub const PACKET_MAX: usize = 2 * 1024 * 1024;

/// How long the relay holds back a message that it delays, milliseconds.
pub const HELD_BACK: RangeInclusive<u64> = 20..=200;

/// Messages that the relay keeps for somebody who is away; beyond that the oldest are lost.
pub const MAILBOX: usize = 10_000;

/// Bundles that the relay keeps of one device.
pub const BUNDLES: usize = 100;

/// Device lists that the relay keeps of one account.
pub const LISTS: usize = 100;

/// First messages of devices on no list that wait for one.
pub const HELD: usize = 16;
