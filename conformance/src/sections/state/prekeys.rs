//! SPEC §12.3: stored prekeys.

use super::{PREKEYS, invalid, not_whole, valid};
use crate::generate::Cases;
use crate::model::prekeys::DAY;
use crate::model::stored::{Generation, Layout, OneTime, Prekeys};
use crate::sections::session::play::NOW;

fn generation(cases: &Cases, spk_id: u32, made_at: u64, replaced_at: Option<u64>) -> Generation {
    Generation {
        spk_id,
        spk: cases.array(&format!("spk {spk_id}")),
        kem_id: spk_id.saturating_add(1),
        kem: cases.array(&format!("kem {spk_id}")),
        made_at,
        replaced_at,
        records: Vec::new(),
    }
}

fn one_time<const N: usize>(cases: &Cases, id: u32) -> OneTime<N> {
    OneTime {
        id,
        secret: cases.array(&format!("one-time {id}")),
        made_at: NOW,
    }
}

/// Two generations (1, 2 and 7, 8), two pairs of one-time keys (3, 4 and 5, 6), two records.
fn base(cases: &Cases) -> Prekeys {
    let replaced = NOW + 7 * DAY;
    let mut old = generation(cases, 1, NOW, Some(replaced));
    old.records = vec![[1; 16], [2; 16]];
    Prekeys {
        next_id: 9,
        generations: vec![old, generation(cases, 7, replaced, None)],
        opks: vec![one_time(cases, 3), one_time(cases, 5)],
        kems: vec![one_time(cases, 4), one_time(cases, 6)],
    }
}

pub(super) fn cases(cases: &mut Cases) {
    let base = base(cases);
    let plaintext = base.encode();
    valid(
        cases,
        "prekeys",
        PREKEYS,
        "Two generations, one with records; one-time keys.",
        &plaintext,
    );
    not_whole(
        cases,
        "prekeys",
        PREKEYS,
        &plaintext,
        &[0, 4, 5, 9, 41, 118, 200, 300],
    );
    accepted(cases, &base);
    refused(cases, &base);
    raw(cases, &base);
}

fn changed(base: &Prekeys, change: impl FnOnce(&mut Prekeys)) -> Vec<u8> {
    let mut other = base.clone();
    change(&mut other);
    other.encode()
}

/// The generation at this position.
fn at(prekeys: &mut Prekeys, position: usize, change: impl FnOnce(&mut Generation)) {
    if let Some(generation) = prekeys.generations.get_mut(position) {
        change(generation);
    }
}

fn records(count: u128) -> Vec<[u8; 16]> {
    crate::sections::agreement::records(count)
}

fn many<const N: usize>(cases: &Cases, count: u32) -> Vec<OneTime<N>> {
    (0..count)
        .map(|index| one_time(cases, index.saturating_add(9)))
        .collect()
}

/// So many generations, one after the other.
fn generations(cases: &Cases, count: u32) -> Vec<Generation> {
    let last = count.saturating_sub(1);
    (0..count)
        .map(|index| {
            let made_at = NOW.saturating_add(index.into());
            let replaced_at = (index != last).then_some(made_at.saturating_add(1));
            generation(
                cases,
                index.saturating_mul(2).saturating_add(1),
                made_at,
                replaced_at,
            )
        })
        .collect()
}

fn alone(generations: Vec<Generation>) -> Prekeys {
    Prekeys {
        next_id: 100,
        generations,
        opks: Vec::new(),
        kems: Vec::new(),
    }
}

fn accepted(cases: &mut Cases, base: &Prekeys) {
    let one = alone(generations(cases, 1));
    valid(
        cases,
        "prekeys-first",
        PREKEYS,
        "One generation and nothing else.",
        &one.encode(),
    );
    let sixteen = alone(generations(cases, 16));
    valid(
        cases,
        "prekeys-16-generations",
        PREKEYS,
        "As many as there may be.",
        &sixteen.encode(),
    );
    let full = many(cases, 500);
    let plaintext = changed(base, |prekeys| {
        (prekeys.opks, prekeys.next_id) = (full, 10_000)
    });
    valid(
        cases,
        "prekeys-500-one-time",
        PREKEYS,
        "As many as there may be.",
        &plaintext,
    );
    let plaintext = changed(base, |prekeys| prekeys.next_id = u32::MAX);
    valid(cases, "prekeys-next-id-max", PREKEYS, "", &plaintext);
    let plaintext = changed(base, |prekeys| {
        prekeys.opks.truncate(1);
        prekeys.kems.clear();
    });
    valid(
        cases,
        "prekeys-used",
        PREKEYS,
        "One-time keys are used one by one.",
        &plaintext,
    );
    let plaintext = changed(base, |prekeys| {
        at(prekeys, 0, |old| {
            (old.made_at, old.replaced_at) = (u64::MAX, Some(0))
        });
        at(prekeys, 1, |new| new.made_at = 0);
    });
    valid(
        cases,
        "prekeys-any-times",
        PREKEYS,
        "Clocks go back: times are in no order.",
        &plaintext,
    );
}

fn refused(cases: &mut Cases, base: &Prekeys) {
    let seventeen = alone(generations(cases, 17)).encode();
    let too_many = many(cases, 501);
    let too_many_kems = many(cases, 501);
    let list: Vec<(&str, &str, Vec<u8>)> = vec![
        (
            "no-generation",
            "At least one.",
            changed(base, |prekeys| prekeys.generations.clear()),
        ),
        ("17-generations", "At most 16.", seventeen),
        (
            "last-replaced",
            "The last one is replaced.",
            changed(base, |prekeys| {
                at(prekeys, 1, |new| new.replaced_at = Some(NOW))
            }),
        ),
        (
            "two-not-replaced",
            "Exactly the last one is not.",
            changed(base, |prekeys| at(prekeys, 0, |old| old.replaced_at = None)),
        ),
        (
            "generations-swapped",
            "Ids ascend.",
            changed(base, |prekeys| {
                at(prekeys, 0, |old| (old.spk_id, old.kem_id) = (7, 8));
                at(prekeys, 1, |new| (new.spk_id, new.kem_id) = (1, 2));
            }),
        ),
        (
            "kem-id-below-spk-id",
            "Ids ascend within a generation.",
            changed(base, |prekeys| {
                at(prekeys, 1, |new| (new.spk_id, new.kem_id) = (8, 7))
            }),
        ),
        (
            "one-id-for-both",
            "No id twice.",
            changed(base, |prekeys| {
                at(prekeys, 1, |new| new.kem_id = new.spk_id)
            }),
        ),
        (
            "id-0",
            "None is 0.",
            changed(base, |prekeys| at(prekeys, 0, |old| old.spk_id = 0)),
        ),
        (
            "opk-id-0",
            "None is 0.",
            changed(base, |prekeys| {
                prekeys.opks.iter_mut().take(1).for_each(|key| key.id = 0)
            }),
        ),
        (
            "next-id",
            "All are below the next one.",
            changed(base, |prekeys| prekeys.next_id = 8),
        ),
        (
            "next-id-0",
            "All are below the next one.",
            changed(base, |prekeys| prekeys.next_id = 0),
        ),
        (
            "opk-next-id",
            "All are below the next one.",
            changed(base, |prekeys| {
                prekeys.opks.iter_mut().skip(1).for_each(|key| key.id = 9)
            }),
        ),
        (
            "kem-next-id",
            "All are below the next one.",
            changed(base, |prekeys| {
                prekeys.kems.iter_mut().skip(1).for_each(|key| key.id = 9)
            }),
        ),
        (
            "opks-descend",
            "By ascending id.",
            changed(base, |prekeys| prekeys.opks.reverse()),
        ),
        (
            "kems-descend",
            "By ascending id.",
            changed(base, |prekeys| prekeys.kems.reverse()),
        ),
        (
            "opk-twice",
            "No id twice.",
            changed(base, |prekeys| {
                prekeys.opks.iter_mut().skip(1).for_each(|key| key.id = 3)
            }),
        ),
        (
            "opk-and-kem",
            "No id twice, over both sorts.",
            changed(base, |prekeys| {
                prekeys.opks.iter_mut().skip(1).for_each(|key| key.id = 6)
            }),
        ),
        (
            "opk-and-spk",
            "No id twice, over one-time keys and generations.",
            changed(base, |prekeys| {
                prekeys.opks.iter_mut().skip(1).for_each(|key| key.id = 7)
            }),
        ),
        (
            "kem-and-last-resort-kem",
            "No id twice, over one-time keys and generations.",
            changed(base, |prekeys| {
                prekeys.kems.iter_mut().skip(1).for_each(|key| key.id = 8)
            }),
        ),
        (
            "records-descend",
            "Records ascend.",
            changed(base, |prekeys| at(prekeys, 0, |old| old.records.reverse())),
        ),
        (
            "record-twice",
            "Records ascend strictly.",
            changed(base, |prekeys| {
                at(prekeys, 0, |old| old.records = vec![[1; 16], [1; 16]])
            }),
        ),
        (
            "8193-records",
            "At most 8,192.",
            changed(base, |prekeys| {
                at(prekeys, 0, |old| old.records = records(8_193))
            }),
        ),
        (
            "501-opks",
            "At most 500.",
            changed(base, |prekeys| {
                (prekeys.opks, prekeys.next_id) = (too_many, 10_000)
            }),
        ),
        (
            "501-kems",
            "At most 500.",
            changed(base, |prekeys| {
                (prekeys.kems, prekeys.next_id) = (too_many_kems, 10_000)
            }),
        ),
    ];
    for (id, comment, plaintext) in list {
        invalid(
            cases,
            &format!("prekeys-{id}"),
            PREKEYS,
            comment,
            &plaintext,
        );
    }
}

/// Encodings that are none.
fn raw(cases: &mut Cases, base: &Prekeys) {
    let plaintext = base.encode();
    // next_id, the number of generations, ids, secrets, made_at.
    let replaced = 4 + 1 + 4 + 32 + 4 + 64 + 8;
    let with = |at: usize, bytes: &[u8], skip: usize| {
        let (front, behind) = plaintext.split_at_checked(at).unwrap_or_default();
        [front, bytes, behind.get(skip..).unwrap_or_default()].concat()
    };
    let comment = "A flag is 0 or 1.";
    invalid(
        cases,
        "prekeys-flag-2",
        PREKEYS,
        comment,
        &with(replaced, &[2], 1),
    );
    let comment = "A number of elements that is not in its shortest form.";
    invalid(
        cases,
        "prekeys-count-long-form",
        PREKEYS,
        comment,
        &with(4, &[0x40, 2], 1),
    );
    invalid(
        cases,
        "prekeys-count-reserved",
        PREKEYS,
        "",
        &with(4, &[0xc2], 1),
    );
    let comment = "More elements announced than there are.";
    invalid(
        cases,
        "prekeys-count-too-high",
        PREKEYS,
        comment,
        &with(4, &[3], 1),
    );
}
