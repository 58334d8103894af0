//! A longer conversation over a network that loses, delays, reorders and repeats.

use super::play::{HOUR, Play};
use crate::generate::Cases;

pub(super) fn cases(cases: &mut Cases) {
    let comment = "200 messages over a network that loses, delays, reorders and repeats them; both begin once, each \
                   begins anew once, both restart now and then.";
    let mut play = Play::of_two(cases, "long-conversation", comment);
    play.bundle("alice", "of alice");
    play.bundle("bob", "of bob");
    play.begin("alice", "of bob");
    play.begin("bob", "of alice");
    let mut dice = Dice::new(play.secret("dice"));
    let mut under_way: Vec<(&str, String)> = Vec::new();
    let mut arrived: Vec<(&str, String)> = Vec::new();
    for index in 0..200u32 {
        play.wait(u64::from(dice.below(60)).saturating_mul(1_000));
        let (from, to) = if dice.below(2) == 0 {
            ("alice", "bob")
        } else {
            ("bob", "alice")
        };
        let name = format!("m{index}");
        play.seal(from, to, &name);
        // One in ten is lost.
        if dice.below(10) != 0 {
            under_way.push((to, name));
        }
        while under_way.len() > 6 || (dice.below(3) != 0 && !under_way.is_empty()) {
            let (to, name) = under_way.swap_remove(dice.index(under_way.len()));
            play.arrives(to, &name);
            arrived.push((to, name));
        }
        if dice.below(12) == 0
            && let Some((to, name)) = arrived.get(dice.index(arrived.len()))
        {
            play.repeats(to, name);
        }
        match index {
            60 | 130 => {
                let (who, other) = if index == 60 {
                    ("alice", "bob")
                } else {
                    ("bob", "alice")
                };
                let bundle = format!("anew {index}");
                play.wait(HOUR);
                play.bundle(other, &bundle);
                play.begin(who, &bundle);
            }
            _ if dice.below(25) == 0 => {
                play.restart(if dice.below(2) == 0 { "alice" } else { "bob" })
            }
            _ => {}
        }
    }
    for (to, name) in under_way {
        play.arrives(to, &name);
    }
    play.same_state("alice", "bob");
    play.show("alice", "bob");
    play.show_prekeys("alice");
    play.show_prekeys("bob");
    play.end_with_digests();
}

/// Repeatable chance.
pub(super) struct Dice {
    block: [u8; 32],
    used: usize,
}

impl Dice {
    pub(super) const fn new(block: [u8; 32]) -> Self {
        Self { block, used: 0 }
    }

    fn next(&mut self) -> u32 {
        let (words, _) = self.block.as_chunks();
        let word = words.get(self.used).copied().unwrap_or_default();
        self.used = self.used.saturating_add(1);
        if self.used == 8 {
            self.block = crate::model::formula::hash(&[&self.block]);
            self.used = 0;
        }
        u32::from_be_bytes(word)
    }

    /// Below `bound`.
    pub(super) fn below(&mut self, bound: u32) -> u32 {
        self.next().checked_rem(bound).unwrap_or_default()
    }

    /// An index into so many.
    pub(super) fn index(&mut self, length: usize) -> usize {
        let bound = u32::try_from(length).unwrap_or_default();
        usize::try_from(self.below(bound)).unwrap_or_default()
    }
}
