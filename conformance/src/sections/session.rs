//! SPEC §11: whole conversations, as scripts.

use serde_json::Value;

use super::Section;
use crate::generate::Cases;
use crate::op::{Input, Kind, Op, Output, Refusal, field};
use crate::script::{DEVICES, LibraryDevice, Secrets, VERBS, World};

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
    ops: &[OPS],
    cases,
};

const OPS: &[Op] = &[Op {
    name: "session.run",
    summary: "Runs a script. All random values are given.",
    input: &[
        field("devices", Kind::List(&Kind::Object(DEVICES))),
        field("steps", Kind::Steps(VERBS)),
    ],
    output: &[field("results", Kind::Results(VERBS))],
    trace: &[],
    errors: &[],
    run,
}];

fn run(input: &Input<'_>) -> Result<Output, Refusal> {
    let mut world = World::<LibraryDevice>::new();
    for device in input.objects("devices")? {
        let secrets = Secrets {
            address: device.bytes("address")?,
            signing_seed: device.array("signing_seed")?,
            dh_secret: device.array("dh_secret")?,
        };
        world.add(device.text("name")?, &secrets)?;
    }
    let mut results = Vec::new();
    for (index, step) in input.objects("steps")?.iter().enumerate() {
        let result = world.step(step).map_err(|why| match why {
            Refusal::Invalid(why) => Refusal::Invalid(format!("step {index}: {why}")),
            other => other,
        });
        results.push(Value::Object(result?));
    }
    Ok(Output::new().value("results", results))
}

fn cases(cases: &mut Cases) {
    course::cases(cases);
    begin::cases(cases);
    forks::cases(cases);
    hostile::cases(cases);
    limits::cases(cases);
    long::cases(cases);
    braid::cases(cases);
}
