//! `test-vectors/session.json` on a Cortex-M4: every script of it, by the very code that checks it elsewhere.

#![no_std]
#![no_main]
#![deny(unsafe_code)]

use core::mem::MaybeUninit;

use cortex_m::singleton;
use cortex_m_rt::entry;
use cortex_m_semihosting::hprintln;
use subrosa_conformance::case::Case;
use subrosa_conformance::script::OPS;

/// One script: its JSON, parsed, what its devices hold, and what came of it.
const HEAP: usize = 4 << 20;

/// One case a line.
const CASES: &str = include_str!(concat!(env!("OUT_DIR"), "/cases.jsonl"));

#[entry]
fn main() -> ! {
    let arena = singleton!(: [MaybeUninit<u8>; HEAP] = [MaybeUninit::uninit(); HEAP]);
    board::start(arena.expect("the program begins once"));
    let [op] = OPS else {
        panic!("the section has another operation");
    };
    let (mut passed, mut failed) = (0, 0);
    for line in CASES.lines() {
        let case: Case = serde_json::from_str(line).expect("a case");
        assert_eq!(case.op, op.name, "{}", case.id);
        match case.judge(&op.perform(&case.input).into()) {
            Ok(()) => {
                hprintln!("passed {}", case.id);
                passed += 1;
            }
            Err(why) => {
                hprintln!("FAILED {}: {}", case.id, why);
                failed += 1;
            }
        }
    }
    assert_eq!(failed, 0, "of {} cases", passed + failed);
    board::end_of_phase("scripts");
    board::succeed(format_args!(
        "session.json: {passed} passed, {failed} failed"
    ))
}
