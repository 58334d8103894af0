//! Symbols (SPEC.md §10.3), by Lagrange's formula as it stands there.

use super::Answer;
use crate::op::Refusal;

/// A symbol with its index.
pub type Symbol = (u16, [u8; 16]);

/// The product in GF(2^16).
#[must_use]
pub fn multiply(one: u16, other: u16) -> u16 {
    let mut sum = 0u32;
    for bit in (0..16).rev() {
        sum <<= 1;
        if sum & 0x1_0000 != 0 {
            // x^16 = x^12 + x^3 + x + 1
            sum ^= 0x1_100b;
        }
        if other >> bit & 1 == 1 {
            sum ^= u32::from(one);
        }
    }
    u16::try_from(sum).unwrap_or_default()
}

/// The inverse: the power 2^16 - 2. Of zero it is zero.
#[must_use]
pub fn invert(element: u16) -> u16 {
    let (mut power, mut inverse) = (element, 1);
    // 2^16 - 2 is 2 + 4 + … + 2^15.
    for _ in 1..16 {
        power = multiply(power, power);
        inverse = multiply(inverse, power);
    }
    inverse
}

/// The values at `x` of the polynomials through the known symbols.
#[must_use]
pub fn value_at(x: u16, known: &[Symbol]) -> [u8; 16] {
    if let Some((_, symbol)) = known.iter().find(|(index, _)| *index == x) {
        return *symbol;
    }
    let mut sum = [0; 16];
    for (i, symbol) in known {
        let others = known.iter().filter(|(m, _)| m != i);
        let (above, below) = others.fold((1, 1), |(above, below), (m, _)| {
            (multiply(above, x ^ m), multiply(below, i ^ m))
        });
        let weight = multiply(above, invert(below));
        let words = symbol
            .as_chunks()
            .0
            .iter()
            .map(|word| u16::from_be_bytes(*word));
        let weighted = words.flat_map(|word| multiply(word, weight).to_be_bytes());
        for (to, from) in sum.iter_mut().zip(weighted) {
            *to ^= from;
        }
    }
    sum
}

/// The k first symbols of an object.
#[must_use]
pub fn cut(object: &[u8]) -> Vec<Symbol> {
    (0..).zip(object.as_chunks().0.iter().copied()).collect()
}

/// `count` symbols of an object from `first` on.
#[must_use]
pub fn run(object: &[u8], first: u16, count: usize) -> Vec<[u8; 16]> {
    let known = cut(object);
    let indices = (first..=u16::MAX).take(count);
    indices.map(|index| value_at(index, &known)).collect()
}

/// Adds a symbol to those that are held; `Some(false)` if there is another value at the index.
fn hold(held: &mut Vec<Symbol>, symbol: Symbol) -> bool {
    match held.binary_search_by_key(&symbol.0, |(index, _)| *index) {
        Ok(place) => held.get(place) == Some(&symbol),
        Err(place) => {
            held.insert(place, symbol);
            true
        }
    }
}

/// What symbols make of those that are held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// There are fewer than k.
    Held(Vec<Symbol>),
    /// There are k: the object.
    Complete(Vec<u8>),
    /// An index has two values.
    Conflict,
}

/// Takes symbols in their order, up to the k-th (§10.7-R2).
#[must_use]
pub fn take(held: &[Symbol], k: usize, symbols: &[Symbol]) -> Taken {
    let mut held = held.to_vec();
    for symbol in symbols {
        if !hold(&mut held, *symbol) {
            return Taken::Conflict;
        }
        if held.len() == k {
            let indices = (0..=u16::MAX).take(k);
            return Taken::Complete(indices.flat_map(|index| value_at(index, &held)).collect());
        }
    }
    Taken::Held(held)
}

/// The bytes of an object of known length.
///
/// # Errors
/// None: k symbols of 16 bytes are an object.
pub fn whole<const N: usize>(object: &[u8]) -> Answer<[u8; N]> {
    object
        .try_into()
        .map_err(|_| Refusal::Invalid("an object of another length".to_owned()))
}
