//! The erasure code that carries the Braid's objects (SPEC §10.3): a systematic Reed-Solomon code over GF(2^16) (Reed
//! and Solomon, "Polynomial Codes over Certain Finite Fields").
//!
//! ```text
//! object:   symbol 0 │ symbol 1 │ … │ symbol k-1        16 bytes each: eight big-endian words of 16 bits
//! word j of symbol i = P_j(i)                           P_j: the polynomial of degree < k through these k points
//! symbol x = P_0(x) ‖ … ‖ P_7(x)                        0..k-1: the object itself; k..=65,535: repair
//! ```
//!
//! Any k symbols of different indices give the object back. Between them lies one formula, Lagrange's: with symbols
//! s_i at the points p_i,
//!
//! ```text
//! symbol x = Σ_i  s_i · w_i · Π_{m≠i} (x - p_m)         w_i = 1 / Π_{m≠i} (p_i - p_m)
//! ```
//!
//! Field elements are words: bit i is the coefficient of x^i, so addition and subtraction are both `^`. The arithmetic
//! has no branch and no address that depends on one.

use alloc::vec::Vec;

use crate::memory;

#[cfg(test)]
mod tests;

/// Bytes of a symbol.
pub(crate) const SYMBOL: usize = 16;

pub(crate) type Symbol = [u8; SYMBOL];

/// Symbols of the largest object, the encapsulation key's vector. No larger object is coded.
const LARGEST: usize = 72;

/// A sender's view: writes the symbols `first`, `first + 1`, … of an object into `out`.
///
/// The object is k = `object.len() / 16` symbols, at most 72. Bytes of `out` behind its last whole symbol, or behind
/// symbol 65,535, stay as they are.
pub(crate) fn write_run(object: &[u8], first: u16, out: &mut [u8]) {
    let (symbols, _) = object.as_chunks::<SYMBOL>();
    let symbols = symbols.get(..LARGEST).unwrap_or(symbols);
    let (run, _) = out.as_chunks_mut::<SYMBOL>();
    let points = Points::of(symbols.len());
    for (place, index) in run.iter_mut().zip(first..=u16::MAX) {
        *place = match symbols.get(usize::from(index)) {
            Some(symbol) => *symbol,
            None => points.symbol_at(index, symbols),
        };
    }
}

/// A symbol whose index is held with another value: one of the two is forged.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Conflict;

/// Symbols of one object as they arrive: at most k of them, by ascending index.
pub(crate) struct Decoder {
    k: usize,
    /// Allocated once, for k symbols.
    held: Vec<(u16, Symbol)>,
}

impl Decoder {
    /// Of an object of `k` symbols, at most 72.
    pub(crate) fn new(k: usize) -> Self {
        let k = k.min(LARGEST);
        Self {
            k,
            held: memory::with_capacity(k),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.held.len()
    }

    /// The symbols held, by ascending index.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u16, &Symbol)> {
        self.held.iter().map(|(index, symbol)| (*index, symbol))
    }

    /// Takes a symbol, and says whether k are held now. One that is held already changes nothing, and neither does a
    /// new one once k are held.
    ///
    /// # Errors
    /// [`Conflict`] if the index is held with another value: the decoder is what it was.
    pub(crate) fn insert(&mut self, index: u16, symbol: &Symbol) -> Result<bool, Conflict> {
        match self.held.binary_search_by_key(&index, |(held, _)| *held) {
            Ok(place) => {
                if self.held.get(place).is_some_and(|(_, held)| held != symbol) {
                    return Err(Conflict);
                }
            }
            Err(place) if !self.is_complete() => {
                memory::insert(&mut self.held, place, (index, *symbol));
            }
            Err(_) => {}
        }
        Ok(self.is_complete())
    }

    /// The object once k symbols are held, `None` before.
    pub(crate) fn object(&self) -> Option<Vec<u8>> {
        if !self.is_complete() {
            return None;
        }
        let mut object = memory::with_capacity(self.k.saturating_mul(SYMBOL));
        let mut held = self.iter().peekable();
        // Only what is missing costs arithmetic, and only the first of it the weights.
        let mut source = None;
        for index in (0..=u16::MAX).take(self.k) {
            let symbol = match held.next_if(|(at, _)| *at == index) {
                Some((_, symbol)) => *symbol,
                None => {
                    let (points, symbols) =
                        source.get_or_insert_with(|| (Points::of_held(&self.held), self.symbols()));
                    points.symbol_at(index, symbols)
                }
            };
            memory::extend(&mut object, &symbol);
        }
        Some(object)
    }

    /// The symbols without their indices, and zeros behind the last.
    fn symbols(&self) -> [Symbol; LARGEST] {
        let mut symbols = [[0; SYMBOL]; LARGEST];
        for (place, (_, symbol)) in symbols.iter_mut().zip(&self.held) {
            *place = *symbol;
        }
        symbols
    }

    fn is_complete(&self) -> bool {
        self.held.len() >= self.k
    }
}

/// Field elements that one step works on at once: eight words are one register of SSE2 or NEON.
type Lanes = [u16; LANES];
const LANES: usize = 8;
const BLOCKS: usize = LARGEST.div_ceil(LANES);

/// The points p_i at which an object's symbols are known, and their weights w_i.
#[derive(Clone, Copy)]
struct Points {
    at: [Lanes; BLOCKS],
    /// No weight of a point is zero; the lanes behind the last point have zeros.
    weights: [Lanes; BLOCKS],
    /// Blocks that have a point.
    blocks: usize,
}

/// The points of the Braid's four objects.
static OF_OBJECTS: [(usize, Points); 4] = [
    (6, Points::of_object(6)),
    (10, Points::of_object(10)),
    (60, Points::of_object(60)),
    (72, Points::of_object(72)),
];

impl Points {
    /// No point at all.
    const NONE: Self = Self {
        at: [[0; LANES]; BLOCKS],
        weights: [[0; LANES]; BLOCKS],
        blocks: 0,
    };

    /// The points 0..k, of which the sender holds the symbols.
    fn of(k: usize) -> Self {
        OF_OBJECTS
            .iter()
            .find(|(size, _)| *size == k)
            .map_or_else(|| Self::of_object(k), |(_, points)| *points)
    }

    /// The same as a constant, and for other k.
    ///
    /// 1/w_i is the product of i - m over the other m < k. Over all the other m below 2^n it is that of 1..2^n for each
    /// i < 2^n, so that w_i is the product over k <= m < 2^n, divided by that one. And if 2^r divides k, it is the same
    /// for each i of an aligned run of 2^r.
    const fn of_object(k: usize) -> Self {
        let k = if k < LARGEST { k } else { LARGEST } as u16;
        let all = k.next_power_of_two();
        let run = k & k.wrapping_neg();
        let divisor = inverse(product_of_differences(1, 0, 1, all));
        let mut points = Self::NONE;
        points.blocks = (k as usize).div_ceil(LANES);
        let mut at = points.at.as_flattened_mut();
        let mut weights = points.weights.as_flattened_mut();
        let mut index: u16 = 0;
        let mut product = 0;
        while index < k
            && let Some((point, later)) = at.split_first_mut()
            && let Some((weight, later_weights)) = weights.split_first_mut()
        {
            if index & run.wrapping_sub(1) == 0 {
                product = product_of_differences(divisor, index, k, all);
            }
            (*point, *weight) = (index, product);
            (at, weights) = (later, later_weights);
            index = index.wrapping_add(1);
        }
        points
    }

    fn of_held(held: &[(u16, Symbol)]) -> Self {
        let mut points = Self::NONE;
        points.blocks = held.len().div_ceil(LANES);
        let places = points.at.as_flattened_mut().iter_mut();
        let weights = points.weights.as_flattened_mut().iter_mut();
        for ((point, weight), (index, _)) in places.zip(weights).zip(held) {
            (*point, *weight) = (*index, 1);
        }
        for (at, weights) in points
            .at
            .iter()
            .zip(&mut points.weights)
            .take(points.blocks)
        {
            for (index, _) in held {
                *weights = multiply_each(weights, &at.map(|point| or_one(index ^ point)));
            }
            *weights = inverse_each(weights);
        }
        points
    }

    /// The symbol of index `x`, which is none of the points, if the points have these symbols.
    fn symbol_at(&self, x: u16, symbols: &[Symbol]) -> Symbol {
        let coefficients = self.coefficients(x);
        let live = coefficients.iter().take(self.blocks).flatten();
        sum(live.zip(symbols))
    }

    /// What each point's symbol is multiplied by, w_i · Π_{m≠i} (x - p_m): the product of the blocks before, the other
    /// lanes and the blocks behind, so that nothing is inverted.
    fn coefficients(&self, x: u16) -> [Lanes; BLOCKS] {
        let mut coefficients = self.weights;
        let blocks = || self.at.iter().zip(&self.weights).take(self.blocks);
        let mut product = [1; LANES];
        for (coefficient, (at, weights)) in coefficients.iter_mut().zip(blocks()) {
            *coefficient = multiply_each(coefficient, &product);
            product = multiply_each(&product, &differences(x, at, weights));
        }
        let mut product = of_the_other_lanes(&product);
        // Backwards: `zip` would have to compare lengths there.
        let mut left = coefficients.get_mut(..self.blocks).unwrap_or_default();
        let mut at = self.at.get(..left.len()).unwrap_or_default();
        let mut weights = self.weights.get(..left.len()).unwrap_or_default();
        while let Some((coefficient, before)) = left.split_last_mut()
            && let Some((last_at, at_before)) = at.split_last()
            && let Some((last_weights, weights_before)) = weights.split_last()
        {
            *coefficient = multiply_each(coefficient, &product);
            product = multiply_each(&product, &differences(x, last_at, last_weights));
            (left, at, weights) = (before, at_before, weights_before);
        }
        coefficients
    }
}

/// The x - p_i of a block, and ones behind the last point.
#[inline]
fn differences(x: u16, at: &Lanes, weights: &Lanes) -> Lanes {
    let mut differences = [0; LANES];
    for ((difference, point), weight) in differences.iter_mut().zip(at).zip(weights) {
        let live = u16::from(*weight == 0).wrapping_sub(1);
        *difference = or_one((x ^ point) & live);
    }
    differences
}

/// Lane i: the product of all lanes but i.
#[inline]
fn of_the_other_lanes(lanes: &Lanes) -> Lanes {
    let [a, b, c, d, e, f, g, h] = *lanes;
    let one = [b, a, d, c, f, e, h, g];
    let [a, b, c, d, e, f, g, h] = multiply_each(lanes, &one);
    let two = [c, d, a, b, g, h, e, f];
    let [a, b, c, d, e, f, g, h] = multiply_each(&[a, b, c, d, e, f, g, h], &two);
    let four = [e, f, g, h, a, b, c, d];
    multiply_each(&multiply_each(&one, &two), &four)
}

/// The sum of coefficient times symbol. Symbols are summed in sixteen planes, one for each bit of the coefficients, so
/// that sixteen doublings serve them all.
fn sum<'a>(terms: impl Iterator<Item = (&'a u16, &'a Symbol)>) -> Symbol {
    let mut planes = [[0; LANES]; u16::BITS as usize];
    for (coefficient, symbol) in terms {
        // A mask of zeros or ones does not care for the order of bytes: words are turned once, when the planes are.
        let (words, _) = symbol.as_chunks::<2>();
        // One copy for each word, or the optimiser makes a branch of the mask, ten times as slow.
        let mut bits = [*coefficient; LANES];
        for plane in &mut planes {
            for ((sum, word), bits) in plane.iter_mut().zip(words).zip(&mut bits) {
                *sum ^= u16::from_ne_bytes(*word) & highest_bit(*bits);
                *bits <<= 1;
            }
        }
    }
    let mut total = [0; LANES];
    for plane in planes {
        for (word, sum) in total.iter_mut().zip(plane) {
            *word = double(*word) ^ u16::from_be(sum);
        }
    }
    let mut symbol = [0; SYMBOL];
    let (places, _) = symbol.as_chunks_mut::<2>();
    for (place, word) in places.iter_mut().zip(total) {
        *place = word.to_be_bytes();
    }
    symbol
}

#[inline]
fn multiply_each(a: &Lanes, b: &Lanes) -> Lanes {
    let mut products = [0; LANES];
    for ((product, a), b) in products.iter_mut().zip(a).zip(b) {
        *product = multiply(*a, *b);
    }
    products
}

/// [`inverse`] of each.
fn inverse_each(lanes: &Lanes) -> Lanes {
    let mut power = [1; LANES];
    let mut square = *lanes;
    for _ in 1..u16::BITS {
        square = multiply_each(&square, &square);
        power = multiply_each(&power, &square);
    }
    power
}

/// `factor` times the product of `index` - m over `from` <= m < `to`.
const fn product_of_differences(factor: u16, index: u16, from: u16, to: u16) -> u16 {
    let mut product = factor;
    let mut other = from;
    while other < to {
        product = multiply(product, index ^ other);
        other = other.wrapping_add(1);
    }
    product
}

/// `a` to the power 2^16 - 2 = 2 + 4 + … + 2^15: the inverse, and zero of zero.
const fn inverse(a: u16) -> u16 {
    let mut power = 1;
    let mut square = a;
    let mut bit = 1;
    while bit < u16::BITS {
        square = multiply(square, square);
        power = multiply(power, square);
        bit = bit.wrapping_add(1);
    }
    power
}

/// One in the place of zero, for a factor that is to be left out.
#[inline]
const fn or_one(a: u16) -> u16 {
    a | (a == 0) as u16
}

#[inline]
const fn multiply(a: u16, b: u16) -> u16 {
    let mut product = 0;
    let mut bits = b;
    let mut bit = 0;
    while bit < u16::BITS {
        product = double(product) ^ (a & highest_bit(bits));
        bits <<= 1;
        bit = bit.wrapping_add(1);
    }
    product
}

/// Times x, where x^16 = x^12 + x^3 + x + 1.
#[inline]
const fn double(a: u16) -> u16 {
    (a << 1) ^ (0x100b & highest_bit(a))
}

/// Bit 15 in all bits.
#[inline]
const fn highest_bit(a: u16) -> u16 {
    (a.cast_signed() >> 15).cast_unsigned()
}
