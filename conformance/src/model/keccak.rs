//! SHA3-256 and SHA3-512 (FIPS 202), bit by bit as the standard describes them: the library's own are inside of its
//! ML-KEM, and are checked against these.

/// Lane (x, y) is at x + 5 y.
type State = [u64; 25];

/// Offsets of ρ, walked in the order of FIPS 202, algorithm 2, and π, algorithm 3.
fn rho_and_pi(state: &State) -> State {
    let mut out = [0; 25];
    put(&mut out, 0, 0, get(state, 0, 0));
    let (mut x, mut y) = (1, 0);
    for t in 0..24u32 {
        let offset = (t + 1) * (t + 2) / 2 % 64;
        // π moves lane (x, y) to (y, 2x + 3y).
        put(
            &mut out,
            y,
            (2 * x + 3 * y) % 5,
            get(state, x, y).rotate_left(offset),
        );
        (x, y) = (y, (2 * x + 3 * y) % 5);
    }
    out
}

fn get(state: &State, x: usize, y: usize) -> u64 {
    state.get(x % 5 + 5 * (y % 5)).copied().unwrap_or_default()
}

fn put(state: &mut State, x: usize, y: usize, lane: u64) {
    if let Some(place) = state.get_mut(x % 5 + 5 * (y % 5)) {
        *place = lane;
    }
}

fn theta(state: &State) -> State {
    let column = |x: usize| (0..5).fold(0, |sum, y| sum ^ get(state, x, y));
    let mut out = [0; 25];
    for x in 0..5 {
        let parity = column(x + 4) ^ column(x + 1).rotate_left(1);
        for y in 0..5 {
            put(&mut out, x, y, get(state, x, y) ^ parity);
        }
    }
    out
}

fn chi(state: &State) -> State {
    let mut out = [0; 25];
    for x in 0..5 {
        for y in 0..5 {
            let lane = get(state, x, y) ^ (!get(state, x + 1, y) & get(state, x + 2, y));
            put(&mut out, x, y, lane);
        }
    }
    out
}

/// FIPS 202, algorithm 5: a bit of the shift register after `t` steps.
fn rc(t: u32) -> u64 {
    let mut register = 1u32;
    for _ in 0..t % 255 {
        register <<= 1;
        if register & 0x100 != 0 {
            register ^= 0x171;
        }
    }
    u64::from(register & 1)
}

fn permute(state: &mut State) {
    for round in 0..24u32 {
        *state = chi(&rho_and_pi(&theta(state)));
        let constant = (0..=6).fold(0, |sum, j| sum | rc(j + 7 * round) << ((1u32 << j) - 1));
        put(state, 0, 0, get(state, 0, 0) ^ constant);
    }
}

fn sha3<const N: usize>(message: &[u8]) -> [u8; N] {
    let rate = 200 - 2 * N;
    let mut padded = message.to_vec();
    padded.push(0x06);
    padded.resize(padded.len().next_multiple_of(rate), 0);
    if let Some(last) = padded.last_mut() {
        *last |= 0x80;
    }
    let mut state = [0; 25];
    for block in padded.chunks(rate) {
        for (lane, bytes) in state.iter_mut().zip(block.as_chunks().0) {
            *lane ^= u64::from_le_bytes(*bytes);
        }
        permute(&mut state);
    }
    let mut out = [0; N];
    let bytes = state.iter().flat_map(|lane| lane.to_le_bytes());
    for (to, from) in out.iter_mut().zip(bytes) {
        *to = from;
    }
    out
}

/// `H3`
#[must_use]
pub fn sha3_256(message: &[u8]) -> [u8; 32] {
    sha3(message)
}

/// `G` of FIPS 203 (§10.2).
#[must_use]
pub fn sha3_512(message: &[u8]) -> [u8; 64] {
    sha3(message)
}

#[cfg(test)]
mod tests {
    use super::{sha3_256, sha3_512};

    /// The examples of FIPS 202 that NIST publishes: the empty message, and 1,600 bits of 0xA3.
    #[test]
    fn nist_examples() {
        assert_eq!(
            hex::encode(sha3_256(&[])),
            "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a"
        );
        assert_eq!(
            hex::encode(sha3_256(&[0xa3; 200])),
            "79f38adec5c20307a98ef76e8324afbfd46cfd81b22e3973c65fa1bd9de31787"
        );
        assert_eq!(
            hex::encode(sha3_512(&[])),
            "a69f73cca23a9ac5c8b567dc185a756e97c982164fe25859e0d1dcc1475c80a615b2123af1f5f94c11e3e9402c3ac558f500199d95b6d3e301758586281dcd26"
        );
    }
}
