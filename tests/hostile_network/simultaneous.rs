//! H11: both sides begin at once. Every order in which the beginnings, two messages each and their arrivals can
//! happen, with every loss.

use std::collections::BTreeSet;

use subrosa::{
    Action, AppKey, Conversation, DeviceIdentity, Incoming, Opened, Prekeys, StagedFirst,
    VerifiedBundle, import,
};

use crate::common::{APP_KEY, Device, NOW, SLOT, SeededRng, snapshot};

/// What each side does, whatever has arrived: begin, and write twice.
const SCRIPT: usize = 3;

/// What never changes.
struct Setting {
    identities: [DeviceIdentity; 2],
    /// For each side the other's bundle.
    bundles: [VerifiedBundle; 2],
    clocks: [u64; 2],
}

/// A moment of the two sides' lives, everything as it is stored.
#[derive(Clone)]
struct Moment {
    sides: [Side; 2],
    messages: Vec<Message>,
}

#[derive(Clone)]
struct Side {
    prekeys: Vec<u8>,
    conversation: Option<Vec<u8>>,
    rng: SeededRng,
    done: usize,
    /// Own steps and arrivals in their order. Nothing else decides what the side has become.
    history: Vec<usize>,
}

#[derive(Clone)]
struct Message {
    from: usize,
    bytes: Vec<u8>,
    text: Vec<u8>,
    /// Among those of its sender.
    number: usize,
    has_arrived: bool,
}

fn load<T: subrosa::session::Stored>(bytes: &[u8]) -> T {
    import(bytes, SLOT, &AppKey::new(APP_KEY)).unwrap()
}

impl Moment {
    fn begin(&mut self, setting: &Setting, who: usize) {
        let side = &mut self.sides[who];
        let bundle = &setting.bundles[who];
        let mut conversation = match &side.conversation {
            Some(stored) => load(stored),
            None => Conversation::new(*bundle.identity()),
        };
        let device = &setting.identities[who];
        conversation
            .begin(device, bundle, setting.clocks[who], &mut side.rng)
            .unwrap();
        side.conversation = Some(snapshot(&conversation, device));
    }

    /// The place of the message among all.
    fn write(&mut self, setting: &Setting, from: usize) -> usize {
        let messages = self.messages.iter();
        let number = messages.filter(|message| message.from == from).count();
        let text = format!("from {from}, {number}").into_bytes();
        let side = &mut self.sides[from];
        let mut conversation: Conversation = load(side.conversation.as_ref().unwrap());
        let device = &setting.identities[from];
        let bytes = conversation
            .seal(device, &text, setting.clocks[from], &mut side.rng)
            .unwrap();
        side.conversation = Some(snapshot(&conversation, device));
        self.messages.push(Message {
            from,
            bytes,
            text,
            number,
            has_arrived: false,
        });
        self.messages.len() - 1
    }

    /// What arrives is read, whatever came before it.
    fn arrive(&mut self, setting: &Setting, place: usize) -> Opened {
        let message = &mut self.messages[place];
        message.has_arrived = true;
        let to = 1 - message.from;
        let side = &mut self.sides[to];
        let (device, now) = (&setting.identities[to], setting.clocks[to]);
        let incoming = Incoming::parse(&message.bytes).unwrap();
        let mut conversation: Option<Conversation> = side.conversation.as_deref().map(load);
        let known = conversation.as_ref().is_some_and(|conversation| {
            let first_id = incoming.first_id();
            first_id.is_none_or(|id| conversation.first_ids().any(|known| *known == id))
        });
        let opened = if known {
            conversation.as_mut().unwrap().open(&incoming, now)
        } else {
            let mut prekeys: Prekeys = load(&side.prekeys);
            let staged = StagedFirst::stage(&incoming, device, &prekeys, now).unwrap();
            let conversation =
                conversation.get_or_insert_with(|| Conversation::new(*staged.peer()));
            let opened = staged.accept(conversation, &mut prekeys, now);
            side.prekeys = snapshot(&prekeys, device);
            opened
        };
        let opened = opened.unwrap();
        assert_eq!(opened.text, message.text);
        let conversation = conversation.unwrap();
        assert_eq!(conversation.peer(), setting.identities[1 - to].public());
        side.conversation = Some(snapshot(&conversation, device));
        opened
    }

    /// A text, and its arrival at once: whether it was read in the state that sends.
    fn say(&mut self, setting: &Setting, from: usize) -> bool {
        let place = self.write(setting, from);
        let opened = self.arrive(setting, place);
        assert_eq!(opened.action, Action::Nothing);
        !opened.old_state
    }

    /// Whoever writes first: after one round trip both write in one state, and go on in it, also when everything
    /// that was lost comes after all.
    fn settles(&self, setting: &Setting) {
        for first in [0, 1] {
            let mut moment = self.clone();
            moment.say(setting, first);
            moment.say(setting, 1 - first);
            assert!(moment.say(setting, first) && moment.say(setting, 1 - first));
            for place in 0..moment.messages.len() {
                if !moment.messages[place].has_arrived {
                    moment.arrive(setting, place);
                }
            }
            assert!(moment.say(setting, first) && moment.say(setting, 1 - first));
        }
    }

    /// Every next moment.
    fn next(&self, setting: &Setting) -> Vec<Self> {
        let mut next = Vec::new();
        for who in [0, 1] {
            if self.sides[who].done < SCRIPT {
                let mut moment = self.clone();
                match moment.sides[who].done {
                    0 => moment.begin(setting, who),
                    _ => _ = moment.write(setting, who),
                }
                moment.sides[who].done += 1;
                moment.sides[who].history.push(0);
                next.push(moment);
            }
        }
        for (place, message) in self.messages.iter().enumerate() {
            if !message.has_arrived {
                let mut moment = self.clone();
                moment.arrive(setting, place);
                moment.sides[1 - message.from]
                    .history
                    .push(1 + message.number);
                next.push(moment);
            }
        }
        next
    }

    fn history(&self) -> [Vec<usize>; 2] {
        [self.sides[0].history.clone(), self.sides[1].history.clone()]
    }
}

/// Goes through all moments; gives the number of those in which both have done all they do by themselves, and what has
/// not arrived is lost.
fn explore(clocks: [u64; 2], one_time: bool) -> usize {
    let mut devices = [Device::new("alice", 1), Device::new("bob", 2)];
    let bundles = [1, 0].map(|owner| {
        let device: &mut Device = &mut devices[owner];
        match one_time {
            true => device.bundle(NOW),
            false => device.last_resort_bundle(NOW),
        }
    });
    let sides = [0, 1].map(|who| Side {
        prekeys: snapshot(&devices[who].prekeys, &devices[who].identity),
        conversation: None,
        rng: devices[who].rng.clone(),
        done: 0,
        history: Vec::new(),
    });
    let setting = Setting {
        identities: devices.map(|device| device.identity),
        bundles,
        clocks,
    };
    let mut seen = BTreeSet::new();
    let mut ends = 0;
    let mut open = vec![Moment {
        sides,
        messages: Vec::new(),
    }];
    while let Some(moment) = open.pop() {
        if !seen.insert(moment.history()) {
            continue;
        }
        if moment.sides.iter().all(|side| side.done == SCRIPT) {
            moment.settles(&setting);
            ends += 1;
        }
        open.extend(moment.next(&setting));
    }
    ends
}

/// Each side has 29 histories of its three steps and up to two arrivals; of their 841 pairs those can be in which nobody
/// reads what is not yet written.
const ENDS: usize = 341;

#[test]
fn attack_h11_both_begin_in_one_millisecond() {
    assert_eq!(explore([NOW, NOW], true), ENDS);
}

#[test]
fn attack_h11_both_begin_with_last_resort_bundles() {
    assert_eq!(explore([NOW, NOW], false), ENDS);
}

#[test]
fn attack_h11_both_begin_with_different_clocks() {
    assert_eq!(explore([NOW, NOW + 1], true), ENDS);
    assert_eq!(explore([NOW + 1, NOW], true), ENDS);
}
