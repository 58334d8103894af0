use std::vec;

use proptest::collection::{btree_set, vec as bytes};
use proptest::prelude::*;

use super::*;

/// The sizes of the Braid's objects.
const SIZES: [usize; 4] = [6, 10, 60, 72];

/// The product by the school's method: all bits first, then the division by x^16 + x^12 + x^3 + x + 1.
fn school_product(a: u16, b: u16) -> u16 {
    let mut product = 0u32;
    for bit in 0..16 {
        if b >> bit & 1 == 1 {
            product ^= u32::from(a) << bit;
        }
    }
    for bit in (16..31).rev() {
        if product >> bit & 1 == 1 {
            product ^= 0x1_100b << (bit - 16);
        }
    }
    u16::try_from(product).unwrap()
}

/// The quotient by search: the only `q` with `q * b = a`.
fn school_quotient(a: u16, b: u16) -> u16 {
    (0..=u16::MAX)
        .find(|quotient| school_product(*quotient, b) == a)
        .unwrap()
}

/// Newton's form of the polynomial through (0, values[0]), (1, values[1]), …, at `x`: divided differences, and no
/// product of all the others as in Lagrange's.
fn newton(values: &[u16], x: u16) -> u16 {
    let mut differences = values.to_vec();
    for order in 1..values.len() {
        for i in (order..values.len()).rev() {
            let rise = differences[i] ^ differences[i - 1];
            let inverse = inverses()[i ^ (i - order)];
            differences[i] = school_product(rise, inverse);
        }
    }
    let mut value = 0;
    for (i, difference) in differences.iter().enumerate().rev() {
        value = school_product(value, x ^ u16::try_from(i).unwrap()) ^ difference;
    }
    value
}

/// 1/a for a below 128, by search.
fn inverses() -> &'static [u16] {
    static INVERSES: std::sync::OnceLock<Vec<u16>> = std::sync::OnceLock::new();
    INVERSES.get_or_init(|| {
        let above_zero = (1..128).map(|a| school_quotient(1, a));
        core::iter::once(0).chain(above_zero).collect()
    })
}

/// Symbol `index` by that polynomial, for each of the eight words.
fn slow_symbol(object: &[u8], index: u16) -> Symbol {
    let mut symbol = [0; SYMBOL];
    for word in 0..8 {
        let values: Vec<u16> = object
            .chunks_exact(SYMBOL)
            .map(|symbol| u16::from_be_bytes([symbol[2 * word], symbol[2 * word + 1]]))
            .collect();
        symbol[2 * word..2 * word + 2].copy_from_slice(&newton(&values, index).to_be_bytes());
    }
    symbol
}

/// An object without a pattern that a polynomial of low degree would follow.
fn object(k: usize) -> Vec<u8> {
    (0..k * SYMBOL).map(|i| (i * i % 251) as u8).collect()
}

fn symbol(object: &[u8], index: u16) -> Symbol {
    let mut symbol = [0; SYMBOL];
    write_run(object, index, &mut symbol);
    symbol
}

/// A decoder that got these symbols of the object.
fn decoder(object: &[u8], indices: impl IntoIterator<Item = u16>) -> Decoder {
    let mut decoder = Decoder::new(object.len() / SYMBOL);
    for index in indices {
        assert!(decoder.insert(index, &symbol(object, index)).is_ok());
    }
    decoder
}

fn held(decoder: &Decoder) -> Vec<(u16, Symbol)> {
    decoder.iter().map(|(index, s)| (index, *s)).collect()
}

#[test]
fn products_worked_out_by_hand() {
    // (x + 1)^2 = x^2 + 1
    assert_eq!(multiply(3, 3), 5);
    // x^15 * x = x^16, and x^8 * x^8 the same
    assert_eq!(double(0x8000), 0x100b);
    assert_eq!(multiply(0x0100, 0x0100), 0x100b);
    // x^15 * x^15 = x^30 = x^26 + x^17 + x^15 + x^14 = x^15 + x^11 + x^10 + x^9 + x^7 + x^6 + x^5 + x^4 + x^3 + x
    assert_eq!(multiply(0x8000, 0x8000), 0x8efa);
    // x * (x^15 + x^11 + x^2 + 1) = x^16 + x^12 + x^3 + x = 1
    assert_eq!(inverse(2), 0x8805);
}

#[test]
fn every_element_but_zero_has_its_inverse() {
    for a in 1..=u16::MAX {
        assert_eq!(school_product(a, inverse(a)), 1, "{a:#06x}");
    }
    assert_eq!(inverse(0), 0);
    for first in (0..=u16::MAX - 7).step_by(4099) {
        let lanes: Lanes = core::array::from_fn(|lane| first + lane as u16);
        assert_eq!(inverse_each(&lanes), lanes.map(inverse));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_product_is_that_of_polynomials(a: u16, b: u16) {
        prop_assert_eq!(multiply(a, b), school_product(a, b));
        prop_assert_eq!(double(a), school_product(a, 2));
    }

    #[test]
    fn the_axioms_of_a_field_hold(a: u16, b: u16, c: u16) {
        prop_assert_eq!(multiply(a, 1), a);
        prop_assert_eq!(multiply(a, b), multiply(b, a));
        prop_assert_eq!(multiply(multiply(a, b), c), multiply(a, multiply(b, c)));
        prop_assert_eq!(multiply(a, b ^ c), multiply(a, b) ^ multiply(a, c));
    }

    #[test]
    fn eight_products_at_once_are_eight_products(a: Lanes, b: Lanes) {
        let one_by_one = core::array::from_fn(|lane| school_product(a[lane], b[lane]));
        prop_assert_eq!(multiply_each(&a, &b), one_by_one);
        let others = core::array::from_fn(|lane| {
            let others = (0..LANES).filter(|other| *other != lane);
            others.fold(1, |product, other| school_product(product, a[other]))
        });
        prop_assert_eq!(of_the_other_lanes(&a), others);
    }

    #[test]
    fn any_k_symbols_give_the_object(
        (object, indices) in proptest::sample::select(&SIZES[..]).prop_flat_map(|k| {
            let near = 0..2 * k as u16;
            let index = prop_oneof![3 => near, 2 => any::<u16>(), 1 => 65_500..=u16::MAX];
            let indices = btree_set(index, k).prop_map(Vec::from_iter).prop_shuffle();
            (bytes(any::<u8>(), k * SYMBOL), indices)
        })
    ) {
        let (last, others) = indices.split_last().unwrap();
        let mut decoder = decoder(&object, others.iter().copied());
        prop_assert_eq!(decoder.object(), None);
        prop_assert_eq!(decoder.insert(*last, &symbol(&object, *last)), Ok(true));
        prop_assert!(decoder.iter().is_sorted_by(|(a, _), (b, _)| a < b));
        prop_assert_eq!(decoder.object(), Some(object));
    }
}

#[test]
fn weights_of_tables_and_of_any_points_agree() {
    for k in 1..=LARGEST {
        let own: Vec<_> = (0..k as u16).map(|index| (index, [0; SYMBOL])).collect();
        let (table, computed) = (Points::of(k), Points::of_held(&own));
        assert_eq!(table.at, computed.at);
        assert_eq!(table.weights, computed.weights);
        assert_eq!(table.blocks, computed.blocks);
        let (weights, behind) = table.weights.as_flattened().split_at(k);
        assert!(behind.iter().all(|weight| *weight == 0));
        for (i, weight) in weights.iter().enumerate() {
            let others = (0..k).filter(|other| *other != i);
            let distance = others.fold(1, |product, m| school_product(product, (i ^ m) as u16));
            assert_eq!(school_product(distance, *weight), 1, "w_{i} of k = {k}");
        }
    }
}

/// The worked examples of SPEC §10.3.
#[test]
fn the_worked_examples() {
    let counting: Vec<u8> = (0..96).collect();
    for (index, known) in [
        (0, "000102030405060708090a0b0c0d0e0f"),
        (5, "505152535455565758595a5b5c5d5e5f"),
        (6, "606162636465666768696a6b6c6d6e6f"),
        (7, "707172737475767778797a7b7c7d7e7f"),
        (65_535, "66f164f362f560f76ef96cfb6afd68ff"),
    ] {
        assert_eq!(hex::encode(symbol(&counting, index)), known, "{index}");
    }
    for (k, index, known) in [
        (6, 6, "e6dfe3170f2ef0a6ea5ca82ceaafe41a"),
        (6, 7, "f7d1585817fdedbcb08289ae366f9f07"),
        (6, 65_535, "9acbbcc9f94eec4c8a4cecbb86b6e12f"),
        (10, 10, "1b3c45cec4f9308ee586c43fb7e99133"),
        (10, 65_535, "aa487af9cfce3e43d31813f6a3653d3e"),
        (60, 60, "9715bec6d4337ff19ffb35e76895b878"),
        (60, 65_535, "9659c183db8de46db6ee3082fb70ee60"),
        (72, 72, "643a65b5643f8da3e31039db0c13bc3e"),
        (72, 65_535, "d28c1f60188f8d9f6fad7b72d259385c"),
    ] {
        assert_eq!(
            hex::encode(symbol(&object(k), index)),
            known,
            "k = {k}, {index}"
        );
    }
}

#[test]
fn a_run_is_the_values_of_the_interpolated_polynomials() {
    for k in SIZES.into_iter().chain([1, 2, 7, 8, 9, 64, 71]) {
        let object = object(k);
        let own = k as u16;
        for first in [0, own - 1, own, own + 3, 255, 0x8000, u16::MAX - 2] {
            let mut run = [[0; SYMBOL]; 3];
            write_run(&object, first, run.as_flattened_mut());
            for (index, symbol) in (first..=u16::MAX).zip(run) {
                assert_eq!(symbol, slow_symbol(&object, index), "k = {k}, {index}");
            }
        }
        let mut whole = vec![0; object.len()];
        write_run(&object, 0, &mut whole);
        assert_eq!(whole, object);
    }
}

#[test]
fn whatever_is_missing_is_computed() {
    for k in SIZES {
        let object = object(k);
        let own = k as u16;
        // Nothing, all, all but the last, and each one alone.
        assert_eq!(decoder(&object, 0..own).object().unwrap(), object);
        assert_eq!(decoder(&object, own..2 * own).object().unwrap(), object);
        let last = u16::MAX - own + 1;
        assert_eq!(decoder(&object, last..=u16::MAX).object().unwrap(), object);
        assert_eq!(
            decoder(&object, own - 1..2 * own - 1).object().unwrap(),
            object
        );
        for missing in 0..own {
            let others = (0..own).filter(|index| *index != missing);
            let decoder = decoder(&object, others.chain([u16::MAX]));
            assert_eq!(decoder.object().unwrap(), object, "k = {k}, {missing}");
        }
    }
}

#[test]
fn a_conflict_leaves_the_decoder_as_it_was() {
    let object = object(10);
    for count in 1..=10 {
        let mut decoder = decoder(&object, (0..count).map(|i| i * 6_000));
        let before = held(&decoder);
        for index in (0..count).map(|i| i * 6_000) {
            for byte in 0..SYMBOL {
                let mut forged = symbol(&object, index);
                forged[byte] ^= 1;
                assert_eq!(decoder.insert(index, &forged), Err(Conflict));
                assert_eq!(held(&decoder), before);
            }
        }
        for index in 20..20 + 10 - count {
            assert!(decoder.insert(index, &symbol(&object, index)).is_ok());
        }
        assert_eq!(decoder.object().as_deref(), Some(&object[..]));
    }
}

#[test]
fn a_symbol_that_is_held_is_ignored() {
    let object = object(6);
    let mut decoder = decoder(&object, [4, 900, 2]);
    let before = held(&decoder);
    for index in [900, 2, 4] {
        assert_eq!(decoder.insert(index, &symbol(&object, index)), Ok(false));
        assert_eq!(held(&decoder), before);
    }
    assert_eq!(decoder.len(), 3);
    assert_eq!(decoder.object(), None);
}

#[test]
fn never_more_than_k_are_held_in_one_allocation() {
    for k in SIZES {
        let object = object(k);
        let mut decoder = Decoder::new(k);
        let (place, capacity) = (decoder.held.as_ptr(), decoder.held.capacity());
        for (count, index) in (1..).zip((1000..).take(k)) {
            let complete = decoder.insert(index, &symbol(&object, index));
            assert_eq!(complete, Ok(count == k));
            assert_eq!(decoder.len(), count);
        }
        let before = held(&decoder);
        for index in [0, 999, 1000, 1000 + k as u16, u16::MAX] {
            assert_eq!(decoder.insert(index, &symbol(&object, index)), Ok(true));
        }
        // Once complete, a new index is ignored whatever its value.
        assert_eq!(decoder.insert(1, &[0xee; SYMBOL]), Ok(true));
        assert_eq!(held(&decoder), before);
        assert_eq!(decoder.held.as_ptr(), place);
        assert_eq!(decoder.held.capacity(), capacity);
        assert_eq!(decoder.object(), Some(object));
    }
}

#[test]
fn what_no_symbol_fills_stays_as_it_is() {
    let object = object(6);
    // Less than a symbol at the end of the run.
    for length in 0..50 {
        let mut out = vec![0xee; length];
        write_run(&object, 5, &mut out);
        let (run, rest) = out.split_at(length / SYMBOL * SYMBOL);
        for (index, written) in (5..).zip(run.chunks(SYMBOL)) {
            assert_eq!(written, symbol(&object, index));
        }
        assert!(rest.iter().all(|byte| *byte == 0xee));
    }
    // A run across symbol 65,535.
    let mut out = [0xee; 4 * SYMBOL];
    write_run(&object, u16::MAX - 1, &mut out);
    assert_eq!(out[..SYMBOL], symbol(&object, u16::MAX - 1));
    assert_eq!(out[SYMBOL..2 * SYMBOL], symbol(&object, u16::MAX));
    assert_eq!(out[2 * SYMBOL..], [0xee; 2 * SYMBOL]);
}

#[test]
fn sizes_that_no_object_has_are_answered() {
    assert_eq!(symbol(&[], 0), [0; SYMBOL]);
    assert_eq!(symbol(&[1; SYMBOL - 1], 9), [0; SYMBOL]);
    let mut nothing = Decoder::new(0);
    assert_eq!(nothing.insert(3, &[1; SYMBOL]), Ok(true));
    assert_eq!(nothing.len(), 0);
    assert_eq!(nothing.object(), Some(vec![]));
    // Half a symbol at an object's end is not coded, and neither is a 73rd symbol.
    let long = object(LARGEST + 1);
    assert_eq!(
        symbol(&long[..6 * SYMBOL + 8], 99),
        symbol(&long[..6 * SYMBOL], 99)
    );
    let largest = &long[..LARGEST * SYMBOL];
    for index in [71, 72, 4000] {
        assert_eq!(symbol(&long, index), symbol(largest, index));
    }
    let mut decoder = Decoder::new(usize::MAX);
    for index in 30..30 + LARGEST as u16 {
        assert_eq!(
            decoder.insert(index, &symbol(largest, index)),
            Ok(index == 29 + LARGEST as u16)
        );
    }
    assert_eq!(decoder.object().as_deref(), Some(largest));
}
