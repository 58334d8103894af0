//! SPEC §11: whole conversations, as scripts.

use super::Section;
use crate::generate::Cases;
use crate::script;

mod begin;
mod braid;
mod course;
mod forks;
mod hostile;
mod limits;
mod long;
pub(super) mod play;

pub(super) const SECTION: Section = Section {
    name: "session",
    spec: "SPEC.md §11, with §7.5, §7.6 and §9",
    description: "Whole conversations, each a script: devices, and what they do step by step. A step that is refused \
                  changes nothing (§1-R1). A text is, nearly always, the name of its message.",
    ops: &[script::OPS],
    cases,
};

fn cases(cases: &mut Cases) {
    course::cases(cases);
    begin::cases(cases);
    forks::cases(cases);
    hostile::cases(cases);
    limits::cases(cases);
    long::cases(cases);
    braid::cases(cases);
}
