//! What each corpus begins with: genuine encodings, and one changed message of every sort.

use super::stored::{CONVERSATION, DEVICE, PREKEYS, plaintext};
use super::{
    agreement, blob, common, conversation, device, device_list, group_state, groups, hostile_group,
    hostile_peer, network, packs, restart,
};

/// The first inputs of `target`, always the same.
pub fn seeds(target: &str) -> Vec<Vec<u8>> {
    match target {
        "blob_chunks" => blob::chunks(),
        "blob_proof" => blob::proofs(),
        "braid_frame" => braid_frame(),
        "braid_peer" => braid_peer(),
        "wire" => wire(),
        "envelope" => envelope(),
        "bundle" => bundle(),
        "decode_bundle" => agreement::fixture().bundles.clone(),
        "decode_content" => decode_content(),
        "decode_first" => vec![agreement::fixture().firsts[0][2..].to_vec()],
        "decode_message" => vec![conversation::fixture().messages[0][2..].to_vec()],
        "decode_state" => inside(),
        "descriptor" => blob::descriptors(),
        "device_body" => device::bodies(),
        "device_list" => device_list::seeds(),
        "device_value" => device::values(),
        "hostile_group" => hostile_group::seeds(),
        "hostile_network" => network::seeds(),
        "hostile_peer" => hostile_peer::seeds(),
        "link" => packs::link_seeds(),
        "manifest" => packs::manifest_seeds(),
        "mls_message" => groups::messages(),
        "mls_state" => group_state::seeds(),
        "mls_structure" => groups::structures(),
        "mls_tree" => groups::trees(),
        "padding" => padding(),
        "restart" => restart::seeds(),
        "state_import" => state_import(),
        _ => Vec::new(),
    }
}

fn wire() -> Vec<Vec<u8>> {
    let operations = [0, 1, 2, 3, 4, 5, 6 | 0x30, 7, 8 | 0xf0];
    let mut seeds: Vec<Vec<u8>> = operations
        .iter()
        .map(|operation| [&[1, *operation][..], &[0; 24]].concat())
        .collect();
    // Vectors at the borders of the three forms of length, and one form too long for each.
    for length in [0, 63, 64, 255] {
        let mut writer = subrosa::wire::Writer::new();
        writer.vector(&vec![7; length]).unwrap();
        seeds.push([&[1, 8 | 0xf0], writer.as_bytes()].concat());
    }
    for length in [&[0x40, 0x3f][..], &[0x80, 0, 0x3f, 0xff], &[0xc0], &[0x80]] {
        seeds.push([&[1, 7], length].concat());
    }
    for number in [1024, 1025, 1 << 20, (1 << 30) - 1, 1 << 30, u64::MAX] {
        seeds.push([&[0][..], &number.to_be_bytes()].concat());
    }
    seeds
}

fn braid_frame() -> Vec<Vec<u8>> {
    let run = |pq: u8, first: u16, count: u8, symbols: usize, rest: usize| {
        let mut frame = vec![pq];
        frame.extend(first.to_be_bytes());
        frame.push(count);
        frame.extend((0..16 * symbols).map(|byte| byte as u8));
        frame.extend(vec![0; rest]);
        frame
    };
    let mut seeds: Vec<Vec<u8>> = [0, 0x10, 0x08, 0x18].map(|pq| vec![pq, 0, 0]).into();
    seeds.extend((1..=7).map(|kind| run(kind << 5, 0, 2, 2, 5)));
    seeds.push(run(0x38, 65_535, 1, 1, 0));
    seeds.push(run(0x38, 65_535, 2, 2, 0));
    seeds.push(run(0x40, 65_281, 255, 255, 3));
    seeds.push(run(0x60, 0, 0, 0, 40));
    seeds.push(run(0x60, 0, 60, 59, 15));
    seeds.extend([1, 2, 4].map(|low| vec![low, 0]));
    seeds.push(Vec::new());
    seeds
}

/// Each operation in each part of an exchange, on both sides: so many good messages, then something else.
fn braid_peer() -> Vec<Vec<u8>> {
    let operations: [&[u8]; 9] = [
        // Texts without an answer; a frame of the peer's, genuine, altered, of the next epoch, of one far away.
        &[2, 0, 40, 0, 1, 2, 3, 0, 0, 1, 0],
        &[3, 0, 40, 0, 0, 0, 0],
        &[3, 0, 200, 0, 0, 1, 0, 0, 9, 0, 1, 0],
        &[3, 0, 40, 130, 0, 0, 130],
        &[3, 0, 40, 255, 0, 0, 255],
        // Symbols of nothing: of each type, a few and many.
        &[
            4, 0, 0, 0, 9, 5, 7, 0, 4, 1, 0, 0, 9, 80, 7, 0, 4, 2, 0x10, 0, 9, 80, 7, 0,
        ],
        &[4, 3, 0, 0, 9, 40, 7, 0, 4, 0, 8, 1, 0, 40, 7, 0],
        &[
            6, 4, 0, 0, 0xff, 0xf0, 15, 7, 0, 4, 1, 0, 0xff, 0xff, 1, 7, 200,
        ],
        // Bytes.
        &[
            7, 0, 0, 5, 0x20, 0, 1, 1, 9, 7, 130, 0, 1, 0x10, 7, 0, 0, 1, 0x18,
        ],
    ];
    let mut seeds = Vec::new();
    for (number, operation) in operations.iter().enumerate() {
        for initiator in [0, 1] {
            for good in [0, 3, 9, 14, 20] {
                let good = good + number as u8 % 3;
                // Texts of lengths that leave little room, so that every state is met.
                let line: Vec<u8> = (0..=good).map(|n| 35 + n % 10).collect();
                seeds.push([&[initiator, 0, good][..], &line, operation, operation].concat());
            }
        }
    }
    // A long good line.
    seeds.push([vec![1], [0, 23].repeat(40)].concat());
    seeds.push([vec![0], [0, 23, 9, 9].repeat(30)].concat());
    seeds
}

fn envelope() -> Vec<Vec<u8>> {
    let first = &agreement::fixture().firsts[0];
    let message = &conversation::fixture().messages[0];
    let mut seeds = vec![first.clone(), message.clone(), Vec::new()];
    seeds.push(message[..message.len() - 1].to_vec());
    seeds.push([message.as_slice(), &[0]].concat());
    seeds.extend([[1, 0], [1, 3], [0, 1]].map(|envelope| envelope.to_vec()));
    seeds
}

fn bundle() -> Vec<Vec<u8>> {
    let bundles = &agreement::fixture().bundles;
    let mut seeds = changes(bundles.len());
    // As bytes of the fuzzer's own.
    let bytes = &bundles[2];
    let length = u16::try_from(bytes.len()).unwrap().to_be_bytes();
    seeds.push([&[bundles.len() as u8][..], &length, bytes].concat());
    seeds
}

/// Each of `count` genuine messages as it is, each changed in one of the ways of `Script`, and all in a row.
fn changes(count: usize) -> Vec<Vec<u8>> {
    let count = u8::try_from(count).unwrap();
    let mut seeds: Vec<Vec<u8>> = (0..count).map(|base| vec![base, 0]).collect();
    for kind in 0..6 {
        let base = kind % count;
        seeds.push(vec![base, 1, kind, 0, 40, 0, 3, 1, 1, 1, 1]);
        seeds.push(vec![base, 1, kind, 0x01, 0x20, 0x01, 0x01, 9, 9, 9, 9]);
    }
    seeds.push((0..count).rev().flat_map(|base| [base, 0]).collect());
    seeds.push((0..count).flat_map(|base| [base, 0, base, 0]).collect());
    seeds
}

/// Lengths at the borders of the rule, and padding with one bit in it.
fn padding() -> Vec<Vec<u8>> {
    let lengths = [0, 192, 193, 1024, 1025, 1_032_193, (1 << 20) + 1, 1 << 40];
    let all = lengths.iter().flat_map(|length: &u64| {
        let number = length.to_be_bytes();
        [vec![], vec![0; 32], [vec![0; 31], vec![1]].concat()]
            .map(|rest| [&number[..], &rest].concat())
    });
    all.chain([u64::MAX.to_be_bytes().to_vec()]).collect()
}

/// A header, and each frame of `braid_frame` behind texts of several lengths.
fn decode_content() -> Vec<Vec<u8>> {
    let header = |count: u32| {
        let mut writer = subrosa::wire::Writer::new();
        writer.bytes(&[9; 32]).u32(7).u32(count).u32(1);
        writer.into_bytes()
    };
    let mut seeds = Vec::new();
    for length in [0, 63, 64] {
        for frame in braid_frame() {
            let mut writer = subrosa::wire::Writer::new();
            writer.vector(&vec![b'x'; length]).unwrap();
            seeds.push([&header(2), writer.as_bytes(), &frame].concat());
        }
    }
    seeds.push([&header(1 << 20)[..], &[0, 0]].concat());
    seeds.push([&header(u32::MAX)[..], &[0, 0]].concat());
    // A text of the fourth form of length, and one that is not in its shortest.
    seeds.push([&header(0)[..], &[0xc0, 0]].concat());
    seeds.push([&header(0)[..], &[0x40, 1, b'x', 0]].concat());
    seeds
}

/// Stored states, by kind and plaintext.
fn inside() -> Vec<Vec<u8>> {
    let states = states();
    let inside = states.iter().map(|(kind, exported)| {
        let choice = u8::try_from(*kind).unwrap();
        [&[choice][..], &plaintext(*kind, exported)].concat()
    });
    inside.collect()
}

fn state_import() -> Vec<Vec<u8>> {
    let states = states();
    let outside = states.iter().take(3);
    let outside = outside.map(|(_, exported)| [&[0][..], exported].concat());
    inside().into_iter().chain(outside).collect()
}

/// One of each sort, exported.
fn states() -> Vec<(u16, Vec<u8>)> {
    let fixture = conversation::fixture();
    let (alice, bob) = (&fixture.alice.identity, &fixture.bob.identity);
    let device = common::snapshot(alice, alice);
    let unanswered = {
        let mut carol = common::Device::new("carol", 600);
        let mut bob = common::Device::new("bob", 100);
        let conversation = carol.begin(&mut bob, common::NOW);
        common::snapshot(&conversation, &carol.identity)
    };
    let empty = subrosa::Conversation::new(*bob.public());
    let empty = common::snapshot(&empty, alice);
    vec![
        (DEVICE, device),
        (PREKEYS, agreement::fixture().prekeys().to_vec()),
        (CONVERSATION, fixture.at_alice.clone()),
        (CONVERSATION, fixture.at_bob.clone()),
        (CONVERSATION, unanswered),
        (CONVERSATION, empty),
    ]
}
