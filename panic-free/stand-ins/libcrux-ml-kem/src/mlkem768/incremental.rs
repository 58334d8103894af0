//! ML-KEM-768 in two parts.

use core::hint::black_box;

#[derive(Debug)]
pub struct Error;

pub struct Ciphertext1 {
    pub value: [u8; 960],
}

pub const fn encaps_state_len() -> usize {
    2080
}

pub fn validate_pk_bytes(header: &[u8], vector: &[u8]) -> Result<(), Error> {
    black_box((header, vector));
    black_box(Ok(()))
}

pub fn encapsulate1(
    header: &[u8],
    m: [u8; 32],
    state: &mut [u8],
    shared: &mut [u8],
) -> Result<Ciphertext1, Error> {
    black_box((header, m, state, shared));
    black_box(Ok(Ciphertext1 { value: [0; 960] }))
}
