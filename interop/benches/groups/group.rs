//! Large groups in which every parent has a key, without the thousands of commits that would lead there.

use std::time::Duration;

use subrosa::mls::LeafIndex;
use subrosa::mls::hazmat::History;
use subrosa_interop::cpu_time;

use crate::library::{Change, Library};
use crate::ours::{Ours, SUITE, decoded};
use crate::report::Report;
use crate::theirs::Theirs;
use crate::work;

/// Two members of one library: who commits and speaks, and who takes and reads.
pub struct Two<L: Library> {
    pub speaker: L::Member,
    pub reader: L::Member,
}

/// A group of two.
fn pair<L: Library>() -> Two<L> {
    let mut speaker = L::create("speaker");
    let reader = L::newcomer("reader");
    let sent = L::commit(&mut speaker, &Change::Add(&[L::key_package(&reader)], true));
    L::merge(&mut speaker);
    let reader = L::join(reader, &sent.welcome.expect("a Welcome"));
    Two { speaker, reader }
}

fn take_both<L: Library>(two: Option<&mut Two<L>>, commit: &[u8]) {
    if let Some(Two { speaker, reader }) = two {
        L::take(speaker, commit);
        L::take(reader, commit);
    }
}

/// The group of `members` in which every parent has a key, as two members of each library have it, or of this one alone:
/// all are in one epoch, and what the two of a library do from then on the others do not see.
pub fn filled(
    members: u32,
    with_peer: bool,
    report: &mut Report,
) -> (Two<Ours>, Option<Two<Theirs>>) {
    if members == 2 {
        return (pair(), with_peer.then(pair));
    }
    assert!(
        members >= 8 && members.is_multiple_of(2),
        "groups are of 2 members, or of an even number and 8 at least"
    );
    // Of each library one on the left and one in the last pair of leaves.
    let ours = [2, members - 2];
    let theirs = [3, members - 1];
    let mut our_newcomers = ours.map(|leaf| Some(Ours::newcomer(&format!("ours {leaf}"))));
    let mut their_newcomers =
        theirs.map(|leaf| with_peer.then(|| Theirs::newcomer(&format!("theirs {leaf}"))));
    let mut signers = Vec::new();
    let mut leaves = Vec::new();
    let mut invited = Vec::new();
    for leaf in 0..members {
        let our = ours.iter().position(|place| *place == leaf);
        let their = theirs.iter().position(|place| *place == leaf);
        let their = their.and_then(|place| their_newcomers[place].as_ref());
        let key_package = if let Some(place) = our {
            Ours::key_package(our_newcomers[place].as_ref().expect("there"))
        } else if let Some(newcomer) = their {
            Theirs::key_package(newcomer)
        } else {
            let newcomer = Ours::newcomer(&format!("member {leaf}"));
            leaves.push(newcomer.key_package.leaf_node);
            signers.push((leaf, newcomer.signer));
            continue;
        };
        let key_package = decoded(&key_package);
        leaves.push(key_package.leaf_node.clone());
        invited.push((LeafIndex(leaf), key_package));
    }
    let mut history = History::new(SUITE, b"group", leaves).expect("a tree");
    // Of each pair one commits; of the two pairs that are invited one will.
    let committers = signers.iter().filter(|(leaf, _)| leaf.is_multiple_of(2));
    for (leaf, signer) in committers.rev() {
        let mut random = [7; 32];
        random[..4].copy_from_slice(&leaf.to_be_bytes());
        history
            .commit(LeafIndex(*leaf), signer, random)
            .expect("a path");
    }
    let invited: Vec<_> = invited
        .iter()
        .map(|(leaf, key_package)| (*leaf, key_package))
        .collect();
    let welcome = history
        .welcome(&signers[0].1, [8; 32], &invited)
        .expect("a Welcome");

    let mut join = |place: usize| {
        let (our, their) = (our_newcomers[place].take(), their_newcomers[place].take());
        let start = cpu_time::of_process();
        let our = Ours::join(our.expect("there"), &welcome);
        let between = cpu_time::of_process();
        let their = their.map(|their| Theirs::join(their, &welcome));
        let times = [between - start, cpu_time::of_process() - between];
        (our, their, times)
    };
    let (our_speaker, their_speaker, first) = join(0);
    let (our_reader, their_reader, second) = join(1);
    let mean = |place: usize| -> Duration { (first[place] + second[place]) / 2 };
    report.time(work::JOIN_FILLED, Ours::NAME, members, mean(0));
    if with_peer {
        report.time(work::JOIN_FILLED, Theirs::NAME, members, mean(1));
    }
    let mut ours = Two::<Ours> {
        speaker: our_speaker,
        reader: our_reader,
    };
    let theirs = their_speaker.zip(their_reader);
    let mut theirs = theirs.map(|(speaker, reader)| Two::<Theirs> { speaker, reader });
    // Who is on the right knows of the nodes above only those that are also above the committer. Its own commit fills all of
    // them anew; the one on the left, a neighbour of the committer, has all that it needs to read it.
    let sent = Ours::commit(&mut ours.reader, &Change::Nothing);
    Ours::merge(&mut ours.reader);
    Ours::take(&mut ours.speaker, &sent.commit);
    take_both(theirs.as_mut(), &sent.commit);
    let sent = Ours::commit(&mut ours.speaker, &Change::Nothing);
    Ours::merge(&mut ours.speaker);
    Ours::take(&mut ours.reader, &sent.commit);
    take_both(theirs.as_mut(), &sent.commit);
    let authenticator = Ours::authenticator(&ours.speaker);
    assert_eq!(Ours::authenticator(&ours.reader), authenticator);
    if let Some(theirs) = &theirs {
        assert_eq!(Theirs::authenticator(&theirs.speaker), authenticator);
        assert_eq!(Theirs::authenticator(&theirs.reader), authenticator);
    }
    (ours, theirs)
}
