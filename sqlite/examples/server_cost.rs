//! What a server costs that carries everything (docs/server.md): bytes as the library makes them, times of a queue and
//! a store of bundles in SQLite on this machine, and what follows for 200 million users.
//!
//! `cargo run --release -p subrosa-sqlite --example server_cost`

use std::time::{Duration, Instant};

use rusqlite::{Connection, params};
use subrosa::device::{Device, MemoryStore, Outgoing};
use subrosa::{AppKey, os_rng, system_now};

/// What is assumed, and not measured.
const USERS: f64 = 200e6;
const TEXTS_A_DAY: f64 = 15e9;
/// Devices of an account, on average.
const DEVICES: f64 = 1.5;
/// Conversations that a device begins a day.
const BEGUN_A_DAY: f64 = 1.0;
/// First messages of a conversation before it is answered.
const FIRST_MESSAGES: f64 = 3.0;
/// One-time bundles that wait for a device.
const BUNDLES_HELD: f64 = 20.0;
/// How long an envelope waits, days, on average over devices that are on, off, and lost in a drawer.
const WAIT: f64 = 0.5;
/// The busiest second of a day against the average one.
const PEAK: f64 = 3.0;

const SECONDS: f64 = 86_400.0;

/// Lengths in bytes.
struct Bytes {
    message: usize,
    first: usize,
    one_time_bundle: usize,
    last_resort_bundle: usize,
    list: usize,
}

type Failure = Box<dyn std::error::Error>;

/// Lets two devices talk, and takes the lengths of what the server sees.
fn bytes() -> Result<Bytes, Failure> {
    let (rng, now) = (&mut os_rng(), system_now());
    let create = || {
        let app_key = AppKey::new([1; 32]);
        Device::create(MemoryStore::new(), app_key, now, &mut os_rng())
    };
    let (mut alice, _) = create()?;
    let (mut bob, _) = create()?;
    let (to_alice, to_bob) = (alice.account()?, bob.account()?);
    let list = bob.list(&to_bob, rng)?.ok_or("a list")?;
    alice.update_list(&to_bob, &[list.as_bytes()], now, rng)?;
    let own = alice.list(&to_alice, rng)?.ok_or("a list")?;
    bob.update_list(&to_alice, &[own.as_bytes()], now, rng)?;
    let published = bob.publish(1, now, rng)?;
    let one_time = published.one_time.first().ok_or("a bundle")?;
    for begun in alice.begin(&[one_time], now, rng)? {
        begun?;
    }
    let text = [b'x'; 40];
    let outgoing = |id, to| Outgoing {
        id,
        to,
        text: &text,
        partial: false,
    };
    let length = |sent: subrosa::device::Sent| {
        let copy = sent.copies.into_iter().next();
        copy.map(|copy| copy.message)
    };
    let first = length(alice.send(&outgoing(b"1", to_bob), now, rng)?).ok_or("a copy")?;
    bob.receive(&[&first], now, rng)?;
    let message = length(bob.send(&outgoing(b"1", to_alice), now, rng)?).ok_or("a copy")?;
    Ok(Bytes {
        message: message.len(),
        first: first.len(),
        one_time_bundle: one_time.len(),
        last_resort_bundle: published.last_resort.len(),
        list: list.as_bytes().len(),
    })
}

/// What one envelope and one bundle cost a server that keeps them in SQLite, waiting for the disk once for a hundred.
fn times(bytes: &Bytes) -> Result<[Duration; 2], Failure> {
    let folder = std::env::temp_dir().join(format!("subrosa-server-cost-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let mut connection = Connection::open(folder.join("server.db"))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.execute_batch(
        "CREATE TABLE queue (id INTEGER PRIMARY KEY, mailbox BLOB NOT NULL, envelope BLOB NOT NULL);
         CREATE INDEX mailbox ON queue (mailbox);
         CREATE TABLE bundle (id INTEGER PRIMARY KEY, device BLOB NOT NULL, bundle BLOB NOT NULL);
         CREATE INDEX device ON bundle (device);",
    )?;
    let envelope = vec![7u8; bytes.message];
    let bundle = vec![7u8; bytes.one_time_bundle];
    let mut spent = [Duration::ZERO; 2];
    const ROUNDS: u32 = 100;
    const BATCH: u32 = 100;
    for round in 0..ROUNDS {
        let name = |n: u32| (u64::from(round * BATCH + n) * 0x9e37_79b9_7f4a_7c15).to_be_bytes();
        let begun = Instant::now();
        // In, out, and away when the device has said that it is dealt with.
        let transaction = connection.transaction()?;
        for n in 0..BATCH {
            let sql = "INSERT INTO queue (mailbox, envelope) VALUES (?1, ?2)";
            transaction
                .prepare_cached(sql)?
                .execute(params![name(n), envelope])?;
        }
        transaction.commit()?;
        let transaction = connection.transaction()?;
        for n in 0..BATCH {
            let sql = "SELECT id, envelope FROM queue WHERE mailbox = ?1";
            let mut statement = transaction.prepare_cached(sql)?;
            let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
            let (id, _): (i64, Vec<u8>) = statement.query_row([name(n)], row)?;
            let sql = "DELETE FROM queue WHERE id = ?1";
            transaction.prepare_cached(sql)?.execute([id])?;
        }
        transaction.commit()?;
        spent[0] += begun.elapsed();

        let begun = Instant::now();
        let transaction = connection.transaction()?;
        for n in 0..BATCH {
            let sql = "INSERT INTO bundle (device, bundle) VALUES (?1, ?2)";
            transaction
                .prepare_cached(sql)?
                .execute(params![name(n), bundle])?;
        }
        transaction.commit()?;
        // Each is handed out once: taken out of the table before it is given away.
        let transaction = connection.transaction()?;
        for n in 0..BATCH {
            let sql = "DELETE FROM bundle WHERE id = (SELECT id FROM bundle WHERE device = ?1 LIMIT 1) RETURNING bundle";
            let mut statement = transaction.prepare_cached(sql)?;
            let _: Vec<u8> = statement.query_row([name(n)], |row| row.get(0))?;
        }
        transaction.commit()?;
        spent[1] += begun.elapsed();
    }
    drop(connection);
    std::fs::remove_dir_all(&folder)?;
    Ok(spent.map(|spent| spent / (ROUNDS * BATCH)))
}

fn main() -> Result<(), Failure> {
    let bytes = bytes()?;
    println!("| on the wire | bytes |\n|---|---|");
    for (what, length) in [
        ("message, text of 40 bytes", bytes.message),
        ("first message, the same", bytes.first),
        ("one-time bundle", bytes.one_time_bundle),
        ("last-resort bundle", bytes.last_resort_bundle),
        ("device list of one device", bytes.list),
    ] {
        println!("| {what} | {length} |");
    }

    let devices = USERS * DEVICES;
    // Every device of the recipient, and the sender's others.
    let copies = DEVICES + (DEVICES - 1.0);
    let firsts = devices * BEGUN_A_DAY * FIRST_MESSAGES;
    let envelopes = TEXTS_A_DAY * copies;
    let messages = envelopes - firsts;
    let volume = messages * bytes.message as f64 + firsts * bytes.first as f64;
    let bundles = devices * BEGUN_A_DAY;
    let bundle_volume = bundles * bytes.one_time_bundle as f64;
    let bundles_held =
        devices * (BUNDLES_HELD * bytes.one_time_bundle as f64 + bytes.last_resort_bundle as f64);
    println!("\n| 200 million users, 15 billion texts a day | |\n|---|---|");
    let row = |what: &str, value: String| println!("| {what} | {value} |");
    row("devices", format!("{:.0} million", devices / 1e6));
    row("envelopes a day", format!("{:.0} billion", envelopes / 1e9));
    row(
        "envelopes a second, on average and at the peak",
        format!(
            "{:.0} and {:.0} thousand",
            envelopes / SECONDS / 1e3,
            PEAK * envelopes / SECONDS / 1e3
        ),
    );
    row(
        "in, and the same out, a second, on average",
        format!("{:.0} MB", volume / SECONDS / 1e6),
    );
    row(
        "waiting in queues",
        format!("{:.1} TB", volume * WAIT / 1e12),
    );
    row(
        "bundles handed out a day",
        format!(
            "{:.0} million, {:.2} TB",
            bundles / 1e6,
            bundle_volume / 1e12
        ),
    );
    row("bundles held", format!("{:.1} TB", bundles_held / 1e12));
    row(
        "device lists held",
        format!("{:.0} GB", USERS * bytes.list as f64 * DEVICES / 1e9),
    );

    let [envelope, bundle] = times(&bytes)?;
    let micros = |time: Duration| time.as_secs_f64() * 1e6;
    println!("\n| SQLite on this machine, one thread, in batches of 100 | |\n|---|---|");
    row(
        "an envelope in, out and away",
        format!("{:.0} us", micros(envelope)),
    );
    row(
        "a bundle in and handed out",
        format!("{:.0} us", micros(bundle)),
    );
    let cores = (envelopes * envelope.as_secs_f64() + bundles * bundle.as_secs_f64()) / SECONDS;
    row(
        "cores for all of it, on average and at the peak",
        format!("{cores:.0} and {:.0}", cores * PEAK),
    );
    Ok(())
}
