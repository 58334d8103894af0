//! Identities, prekeys, bundles, the agreement and a long conversation, both sides of it on one Cortex-M4.
//!
//! Everything is asserted; a panic ends the program as a failure.

#![no_std]
#![no_main]
#![deny(unsafe_code)]

extern crate alloc;

mod device;
mod talk;

use alloc::vec::Vec;
use core::mem::MaybeUninit;

use cortex_m::singleton;
use cortex_m_rt::entry;
use cortex_m_semihosting::hprintln;
use subrosa::{Bundle, Conversation, Error, Incoming, Prekeys, StagedFirst};

use device::{Device, NOW, loaded, verified};
use talk::{Counts, Side, Talk};

/// Both devices, the messages on the line, and copies of the states to compare.
const HEAP: usize = 54 << 10;

const MESSAGES: u32 = 400;

#[entry]
fn main() -> ! {
    let arena = singleton!(: [MaybeUninit<u8>; HEAP] = [MaybeUninit::uninit(); HEAP]);
    board::start(arena.expect("the program begins once"));
    match run() {
        Ok(()) => board::succeed(format_args!("conversation: everything held")),
        Err(error) => panic!("{error:?}: {error}"),
    }
}

fn run() -> Result<(), Error> {
    board::end_of_phase("nothing yet");
    let mut alice = Device::new("alice", 1)?;
    let mut bob = Device::new("bob", 2)?;
    board::end_of_phase("two identities, their prekeys");

    let one_time = bob.bundle()?;
    let last_resort = bob.prekeys.last_resort_bundle(&bob.identity)?;
    board::end_of_phase("a one-time and a last-resort bundle");

    check_bundles(&bob, &one_time, &last_resort)?;
    board::end_of_phase("bundles verified, altered ones refused");

    let first = begin(&mut alice, &last_resort)?.1;
    let at_bob = accept(&mut bob, &first, false)?;
    assert_eq!(at_bob.peer(), alice.identity.public());
    board::end_of_phase("agreement by the last-resort bundle");

    let (at_alice, first) = begin(&mut alice, &one_time)?;
    board::end_of_phase("agreement by the one-time bundle, initiator");
    let at_bob = accept(&mut bob, &first, true)?;
    board::end_of_phase("the same, responder");

    restart_prekeys(&mut bob)?;
    board::end_of_phase("prekeys exported and imported");

    converse(alice, at_alice, bob, at_bob)
}

/// Both bundles verify; with one bit turned over, they do not.
fn check_bundles(bob: &Device, one_time: &[u8], last_resort: &[u8]) -> Result<(), Error> {
    for (bytes, is_last_resort) in [(one_time, false), (last_resort, true)] {
        let bundle = verified(bytes)?;
        assert_eq!(bundle.identity(), bob.identity.public());
        assert_eq!(bundle.is_last_resort(), is_last_resort);
        let mut refused = 0;
        // The address and what one-time keys it has are the two parts that nothing signs.
        for position in (6..1_000).step_by(99) {
            let mut altered = bytes.to_vec();
            altered[position] ^= 1;
            let result = Bundle::parse(&altered).and_then(|bundle| bundle.verify(NOW));
            assert!(result.is_err(), "byte {position} of a bundle altered");
            refused += 1;
        }
        hprintln!(
            "bundle of {} bytes: verified, {} altered ones refused",
            bytes.len(),
            refused
        );
    }
    Ok(())
}

/// Begins a conversation and writes the first message.
fn begin(alice: &mut Device, bundle: &[u8]) -> Result<(Conversation, Vec<u8>), Error> {
    let bundle = verified(bundle)?;
    let mut conversation = Conversation::new(*bundle.identity());
    let Device { identity, rng, .. } = alice;
    conversation.begin(identity, &bundle, NOW, rng)?;
    let message = conversation.seal(identity, b"Meet me sub rosa.", NOW, rng)?;
    hprintln!("first message of {} bytes", message.len());
    Ok((conversation, message))
}

/// Stages and accepts a first message. It cannot be staged again, altered it cannot be staged at all.
fn accept(bob: &mut Device, first: &[u8], one_time: bool) -> Result<Conversation, Error> {
    let stage = |bob: &Device, message: &[u8]| {
        StagedFirst::stage(&Incoming::parse(message)?, &bob.identity, &bob.prekeys, NOW)
    };
    let before = bob.stored(&bob.prekeys)?;
    for position in [20, 60, 1_200, 1_340, 1_400, first.len() - 1] {
        let mut altered = first.to_vec();
        altered[position] ^= 1;
        assert!(stage(bob, &altered).is_err(), "byte {position} altered");
    }
    let staged = stage(bob, first)?;
    assert!(
        bob.stored(&bob.prekeys)? == before,
        "staging changed the prekeys"
    );
    assert_eq!(
        (staged.one_time().dh, staged.one_time().kem),
        (one_time, one_time)
    );

    let mut conversation = Conversation::new(*staged.peer());
    let opened = staged.accept(&mut conversation, &mut bob.prekeys, NOW)?;
    assert_eq!(opened.text, b"Meet me sub rosa.");
    let again = stage(bob, first).expect_err("a first message accepted twice");
    let gone = if one_time {
        Error::PrekeyGone
    } else {
        Error::ReplayedFirst
    };
    assert_eq!(again, gone);
    Ok(conversation)
}

fn restart_prekeys(bob: &mut Device) -> Result<(), Error> {
    let stored = bob.stored(&bob.prekeys)?;
    bob.prekeys = loaded::<Prekeys>(&stored)?;
    assert!(
        bob.stored(&bob.prekeys)? == stored,
        "a restart changed the prekeys"
    );
    hprintln!("prekeys stored in {} bytes", stored.len());
    Ok(())
}

fn converse(
    alice: Device,
    at_alice: Conversation,
    bob: Device,
    at_bob: Conversation,
) -> Result<(), Error> {
    let side = |device, conversation| Side {
        device,
        conversation,
    };
    // Bob, the second, speaks first: he has something to answer.
    let sides = [side(alice, at_alice), side(bob, at_bob)];
    let mut talk = Talk::new(sides, 3);
    talk.run(MESSAGES)?;
    board::end_of_phase("conversation");

    let Counts {
        sent,
        lost,
        read,
        out_of_order,
        forged,
        repeated,
        restarts,
    } = talk.counts;
    assert_eq!((sent, read), (MESSAGES, MESSAGES - lost));
    for (what, count) in [
        ("lost", lost),
        ("out of order", out_of_order),
        ("forged", forged),
        ("repeated", repeated),
        ("restarts", restarts),
    ] {
        assert!(count >= 4, "only {count} {what}");
    }
    let [epoch, other] = talk
        .sides
        .each_ref()
        .map(|side| side.conversation.pq_epoch());
    let (epoch, other) = (epoch.unwrap_or(0), other.unwrap_or(0));
    assert!(
        epoch >= 4 && epoch.abs_diff(other) <= 1,
        "epochs {epoch}, {other}"
    );
    hprintln!(
        "{} messages sent, {} lost, {} read, {} of them out of order; {} forged and {} repeated ones refused; \
         {} restarts from stored state; epochs {} and {} of the post-quantum ratchet",
        sent,
        lost,
        read,
        out_of_order,
        forged,
        repeated,
        restarts,
        epoch,
        other
    );
    for Side {
        device,
        conversation,
    } in &talk.sides
    {
        hprintln!(
            "conversation stored in {} bytes",
            device.stored(conversation)?.len()
        );
    }
    Ok(())
}
