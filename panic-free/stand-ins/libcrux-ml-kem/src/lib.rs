//! The part of `libcrux-ml-kem` that the core calls, without the arithmetic: whatever goes in, the compiler knows nothing
//! of what comes out.
#![no_std]

pub mod mlkem768;
