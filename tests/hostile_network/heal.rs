//! After the storm: everybody writes to everybody, until all of it is read.

use subrosa::{Action, Conversation, Error};

use super::{Outcome, World};

impl World {
    /// The network is healed. Some of what is under way arrives. Then everybody writes to everybody in rounds and
    /// does what the library says, until everything is read in the state that sends, both ways.
    pub fn heal(&mut self) {
        while !self.in_flight.is_empty() {
            let place = self.rng.below(self.in_flight.len() as u64) as usize;
            let message = self.in_flight.remove(place).unwrap();
            if self.rng.percent(70) {
                self.deliver(message);
            }
        }
        let (begun, told) = (self.tally.begun, self.tally.told_to_begin);
        let allowed = self
            .pairs()
            .filter(|(from, to)| self.must_begin(*from, *to))
            .count();
        self.agreements.clear();
        loop {
            let stalls = self.tally.stalls;
            let mut healthy = true;
            for (from, to) in self.pairs().collect::<Vec<_>>() {
                self.now += 60_000;
                healthy &= self.write(from, to);
            }
            self.tally.rounds_after_the_storm += usize::from(self.tally.stalls == stalls);
            if healthy {
                break;
            }
            assert!(
                self.tally.rounds_after_the_storm < self.rules.rounds,
                "stuck: {:#?}",
                self.course
            );
            self.now += self.rules.pause * 3_600_000;
        }
        // Only a device that was set back contradicts what it said in the Braid (SPEC §10.7-R2).
        assert!(self.set_back || self.peers.iter().all(|peer| peer.pq_broken == 0));
        self.tally.begun_after_the_storm = self.tally.begun - begun;
        if self.rules.late_by.is_some() {
            let begun = self.tally.begun_after_the_storm;
            // A clock that jumps by days makes a message of an old state late.
            let allowed = allowed + self.tally.told_to_begin - told;
            assert!(begun <= allowed, "{begun} of {allowed}: {:#?}", self.course);
        }
        for who in 0..self.peers.len() {
            let peer = &mut self.peers[who];
            let stored = peer.store();
            peer.load(stored);
        }
    }

    fn pairs(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let count = self.peers.len();
        (0..count).flat_map(move |from| (1..count).map(move |step| (from, (from + step) % count)))
    }

    /// Whether `from` has been told to begin with `to`, or never has.
    fn must_begin(&self, from: usize, to: usize) -> bool {
        let peer = &self.peers[from];
        let conversation = peer.conversations.get(&to);
        peer.begin_anew.contains(&to) || !conversation.is_some_and(Conversation::can_send)
    }

    /// One text, as an app sends it. Whether it was read at once, in the state that sends, without advice.
    fn write(&mut self, from: usize, to: usize) -> bool {
        for attempt in 0..3 {
            if self.must_begin(from, to) {
                self.renew(from, to);
            }
            let message = match self.seal(from, to) {
                Ok(message) => message,
                Err(error) => {
                    assert!(matches!(error, Error::Unanswered | Error::ChainExhausted));
                    self.renew(from, to);
                    self.seal(from, to).unwrap()
                }
            };
            self.in_flight.clear();
            let outcome = self.deliver(message);
            self.course.push(format!("{from} to {to}: {outcome:?}"));
            match outcome {
                Outcome::Read(reading) => {
                    let good = !reading.old_state && reading.action == Action::Nothing;
                    return good && attempt == 0;
                }
                Outcome::FirstRefused(Error::GapTooLarge) => {
                    self.outlast(message);
                    return false;
                }
                Outcome::Refused(error) | Outcome::FirstRefused(error) => match error.action() {
                    // Asked once, the app sends again; asked twice, it begins anew.
                    Action::AskAgain if attempt == 0 => {}
                    Action::AskAgain => self.renew(from, to),
                    Action::RotatePrekeys => {
                        let now = self.clock(to);
                        self.peers[to].rotate(now, &mut self.names);
                        self.renew(from, to);
                    }
                    // The receiver begins anew, when it writes.
                    Action::BeginAnew | Action::Drop => return false,
                    action => panic!("{error:?} leads to {action:?}"),
                },
                Outcome::Declined => panic!("the network names everybody rightly"),
            }
        }
        false
    }

    /// Of an unanswered burst so much was lost that its reader learns not even when the agreement was made (SPEC
    /// §7.5-R6). Whatever the reader begins meanwhile may rank below it (SPEC §11.3-R1), and then its sender goes on in
    /// it. There are three ways out; for each so much time passes as it needs, and not more.
    fn outlast(&mut self, message: usize) {
        let sent = &self.log[message];
        let (from, to, created_at) = (sent.from, sent.to, sent.model.session.created_at);
        let sender = &self.peers[from].models[&to];
        let (late, deadline) = (sender.all_is_late(), sender.deadline());
        let reader = self.peers[to].models.get(&from);
        let outranks = match reader {
            Some(reader) => reader.would_outrank(created_at, self.clock(to)),
            None => self.clock(to) > created_at,
        };
        if !self.drops_far_firsts && outranks {
            // What it begins now is where both go on.
            return;
        }
        self.tally.stalls += 1;
        let stalls = self.stalls.entry((from, to)).or_default();
        *stalls += 1;
        let (who, until) = match (self.drops_far_firsts, *stalls) {
            // The reader begins anew at each refusal, and in the end at a later time than that of the agreement.
            (false, 1) => (to, Some(created_at)),
            // What the reader writes is read in an old state. After a day the second such message makes the sender
            // begin anew (SPEC §11.3-R5).
            (true, 1 | 3) => return,
            (true, 2) => (from, late),
            // If the reader's burst is lost in the same way, the sender begins anew when it was unanswered for too long
            // (SPEC §11.3-R6).
            (true, 4) => (from, deadline),
            _ => panic!("stuck: {:#?}", self.course),
        };
        let clock = self.clock(who);
        self.now += until.map_or(0, |until| (until + 1).saturating_sub(clock));
        self.course.push(format!("{from} to {to}: waited"));
    }

    fn renew(&mut self, from: usize, to: usize) {
        self.course.push(format!("{from} begins with {to}"));
        self.agreements.clear();
        let now = self.clock(to);
        if self.peers[to].prekeys.rotation_due(now) {
            self.peers[to].rotate(now, &mut self.names);
        }
        if !self.begin(from, to, true) {
            // The owner's clock is behind: its bundles are stale for others.
            self.peers[to].ahead = 0;
            self.peers[from].ahead = 0;
            let now = self.clock(to);
            self.peers[to].rotate(now, &mut self.names);
            assert!(self.begin(from, to, true));
        }
    }
}
