use std::vec;
use std::vec::Vec;

use super::*;

#[test]
fn a_vector_grows_to_twice_its_length_and_keeps_its_values() {
    let mut values = Vec::new();
    let mut capacities = vec![];
    for value in 0..100_u64 {
        push(&mut values, value);
        if capacities.last() != Some(&values.capacity()) {
            capacities.push(values.capacity());
        }
    }
    assert_eq!(values, (0..100).collect::<Vec<_>>());
    assert_eq!(capacities, [1, 2, 4, 8, 16, 32, 64, 128]);
}

#[test]
fn append_takes_no_more_room_than_it_needs() {
    let mut values = vec![1, 2, 3];
    let mut more = vec![4, 5];
    append(&mut values, &mut more);
    assert_eq!((values.len(), values.capacity()), (5, 5));
    assert_eq!(values, [1, 2, 3, 4, 5]);
    assert!(more.is_empty());
}

#[test]
fn insert_and_remove_keep_the_order_and_know_no_place_out_of_range() {
    let mut values = vec![1, 3];
    insert(&mut values, 1, 2);
    insert(&mut values, 9, 4);
    assert_eq!(values, [1, 2, 3, 4]);
    remove(&mut values, 4);
    remove(&mut values, 0);
    assert_eq!(values, [2, 3, 4]);
    retain(&mut values, |value| *value != 3);
    assert_eq!(values, [2, 4]);
}

#[test]
fn bytes_are_copied_lengthened_and_extended() {
    let mut bytes = copied(b"abc");
    assert_eq!(bytes.capacity(), 3);
    lengthen(&mut bytes, 5);
    lengthen(&mut bytes, 2);
    extend(&mut bytes, b"de");
    assert_eq!(bytes, b"abc\0\0de");
}
