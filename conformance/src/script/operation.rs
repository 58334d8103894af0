//! The operation of `session.json`: a whole script at this library.

use alloc::format;
use alloc::vec::Vec;

use serde_json::Value;

use super::{DEVICES, LibraryDevice, Secrets, VERBS, World};
use crate::op::{Input, Kind, Op, Output, Refusal, field};

/// What a script is in a vector file.
pub const OPS: &[Op] = &[Op {
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
