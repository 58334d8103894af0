#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| harness::blob_chunks(data));
