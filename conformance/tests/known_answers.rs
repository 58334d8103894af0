//! The operations against answers from elsewhere, so that the vectors, which are made by the same operations, rest on
//! more than themselves.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use subrosa_conformance::file::VectorFile;
use subrosa_conformance::target::{Response, Subrosa, Target};

fn call(op: &str, input: Value) -> Response {
    Subrosa.call(op, input.as_object().unwrap())
}

fn out(op: &str, input: Value) -> Map<String, Value> {
    match call(op, input) {
        Response::Out { out, .. } => out,
        other => panic!("{op}: {other:?}"),
    }
}

#[track_caller]
fn gives(op: &str, input: Value, expected: Value) {
    assert_eq!(Value::Object(out(op, input)), expected, "{op}");
}

#[track_caller]
fn refuses(op: &str, input: Value, error: &str) {
    assert_eq!(call(op, input), Response::Error(error.to_owned()), "{op}");
}

#[test]
fn rfc_6234_and_4231_sha256_and_hmac() {
    gives(
        "crypto.sha256",
        json!({"message": hex::encode("abc")}),
        json!({"hash": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}),
    );
    gives(
        "crypto.hmac",
        json!({"key": "0b".repeat(20), "message": hex::encode("Hi There")}),
        json!({"tag": "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"}),
    );
    gives(
        "crypto.hmac",
        json!({"key": "aa".repeat(131), "message": hex::encode("Test Using Larger Than Block-Size Key - Hash Key First")}),
        json!({"tag": "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"}),
    );
}

#[test]
fn rfc_5869_hkdf() {
    let prk = "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5";
    gives(
        "crypto.hkdf_extract",
        json!({"salt": "000102030405060708090a0b0c", "ikm": "0b".repeat(22)}),
        json!({"prk": prk}),
    );
    gives(
        "crypto.hkdf_expand",
        json!({"prk": prk, "info": "f0f1f2f3f4f5f6f7f8f9", "length": 42}),
        json!({"okm": "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"}),
    );
}

#[test]
fn rfc_7748_x25519() {
    gives(
        "crypto.x25519_agree",
        json!({
            "secret": "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
            "public": "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
        }),
        json!({"shared": "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"}),
    );
    let alice = "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a";
    let bob = "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb";
    let alice_public = "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a";
    let bob_public = "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f";
    let shared = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742";
    gives(
        "crypto.x25519_public",
        json!({"secret": alice}),
        json!({"public": alice_public}),
    );
    gives(
        "crypto.x25519_public",
        json!({"secret": bob}),
        json!({"public": bob_public}),
    );
    for (secret, public) in [(alice, bob_public), (bob, alice_public)] {
        gives(
            "crypto.x25519_agree",
            json!({"secret": secret, "public": public}),
            json!({"shared": shared}),
        );
        gives(
            "crypto.x25519_require_prime_order",
            json!({"public": public}),
            json!({}),
        );
    }
}

#[test]
fn rfc_8032_ed25519() {
    for (seed, public, message, signature) in [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ),
    ] {
        gives(
            "crypto.ed25519_public",
            json!({"seed": seed}),
            json!({"public": public}),
        );
        gives(
            "crypto.ed25519_sign",
            json!({"seed": seed, "message": message}),
            json!({"signature": signature}),
        );
        gives(
            "crypto.ed25519_verify",
            json!({"public": public, "message": message, "signature": signature}),
            json!({}),
        );
        refuses(
            "crypto.ed25519_verify",
            json!({"public": public, "message": "00", "signature": signature}),
            "BadSignature",
        );
    }
}

#[test]
fn gcm_specification_and_rfc_8439_aead() {
    let zeros = |bytes: usize| "00".repeat(bytes);
    for (op, key, ciphertext, tag) in [
        (
            "aes128gcm",
            16,
            "0388dace60b6a392f328c2b971b2fe78",
            "ab6e47d42cec13bdf53a67b21257bddf",
        ),
        (
            "aes256gcm",
            32,
            "cea7403d4d606b6e074ec5d3baf39d18",
            "d0d1c8a799996bf0265b98b5d48ab919",
        ),
    ] {
        gives(
            &format!("crypto.{op}_seal"),
            json!({"key": zeros(key), "nonce": zeros(12), "ad": "", "text": zeros(16)}),
            json!({"ciphertext": ciphertext, "tag": tag}),
        );
        gives(
            &format!("crypto.{op}_open"),
            json!({"key": zeros(key), "nonce": zeros(12), "ad": "", "ciphertext": ciphertext, "tag": tag}),
            json!({"text": zeros(16)}),
        );
    }
    let key: String = (0x80u8..0xa0).map(|byte| format!("{byte:02x}")).collect();
    let text = "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, \
                sunscreen would be it.";
    gives(
        "crypto.chacha20poly1305_seal",
        json!({"key": key, "nonce": "070000004041424344454647", "ad": "50515253c0c1c2c3c4c5c6c7", "text": hex::encode(text)}),
        json!({
            "ciphertext": "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc3ff4def08e4b7a9de576d26586cec64b6116",
            "tag": "1ae10b594f09e26a7e902ecbd0600691",
        }),
    );
}

#[test]
fn rfc_9420_vector_lengths() {
    for (bytes, length) in [("9d7f3e7d", 494_878_333), ("7bbd", 15_293), ("25", 37)] {
        gives(
            "wire.read_vector_length",
            json!({"bytes": bytes}),
            json!({"length": length}),
        );
        gives(
            "wire.write_vector_length",
            json!({"length": length}),
            json!({"bytes": bytes}),
        );
    }
    // RFC 9420 §2.1.2: a recipient rejects 37 in two bytes, which RFC 9000 would allow.
    refuses(
        "wire.read_vector_length",
        json!({"bytes": "4025"}),
        "Length",
    );
    refuses("wire.read_vector_length", json!({"bytes": "c0"}), "Length");
}

#[test]
fn labels_are_their_formula() {
    let names = out("labels.names", json!({}));
    let names = names["names"].as_array().unwrap();
    assert!(names.len() >= 15);
    for name in names.iter().map(|name| name.as_str().unwrap()) {
        let label = format!("subrosa/1 {name}\0");
        gives(
            "labels.label",
            json!({"name": name}),
            json!({"label": hex::encode(label)}),
        );
    }
    for purpose in out("labels.purposes", json!({}))["purposes"]
        .as_array()
        .unwrap()
    {
        let info = format!("subrosa/1 rand \0{}", purpose.as_str().unwrap());
        gives(
            "labels.purpose_info",
            json!({"purpose": purpose}),
            json!({"info": hex::encode(info)}),
        );
    }
}

#[test]
fn padded_lengths_are_their_formula() {
    for content in (0..5000).chain([65_537, 1_032_193, (1 << 20) + 1, 123_456_789]) {
        let expected = match content {
            0..=192 => 192,
            193..=256 => 256,
            257..=512 => 512,
            513..=1024 => 1024,
            _ => {
                // Padmé as its paper writes it, in floating point.
                let exponent = f64::from(content).log2().floor();
                let significant = exponent.log2().floor() + 1.0;
                let step = 2f64.powf(exponent - significant);
                ((f64::from(content) / step).ceil() * step) as u64
            }
        };
        gives(
            "padding.padded_length",
            json!({"content": content}),
            json!({"length": expected}),
        );
        gives(
            "padding.is_padded_length",
            json!({"length": content}),
            json!({"padded": u64::from(content as u32) == expected}),
        );
    }
}

/// HMAC-SHA-256 by RFC 2104's definition, for keys of at most a block.
fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let pad = |byte: u8| -> Vec<u8> {
        let mut block = key.to_vec();
        block.resize(64, 0);
        block.iter().map(|key| key ^ byte).collect()
    };
    let inner = Sha256::new()
        .chain_update(pad(0x36))
        .chain_update(message)
        .finalize();
    Sha256::new()
        .chain_update(pad(0x5c))
        .chain_update(inner)
        .finalize()
        .to_vec()
}

#[test]
fn the_hedged_generator_is_its_formula() {
    let text = include_str!("../../test-vectors/crypto.json");
    let file = VectorFile::parse(text).unwrap();
    let mut checked = 0;
    for case in file.cases.iter().filter(|case| case.op == "crypto.hedge") {
        let Some(out) = &case.out else { continue };
        let bytes = |name: &str| hex::decode(case.input[name].as_str().unwrap()).unwrap();
        let identity = [bytes("signing_seed"), bytes("dh_secret")].concat();
        let hedge = hmac(b"subrosa/1 hedge\0", &identity);
        let context = Sha256::digest(bytes("context")).to_vec();
        let key = hmac(&hedge, &[bytes("fresh"), context.clone()].concat());
        let info = format!(
            "subrosa/1 rand \0{}",
            case.input["purpose"].as_str().unwrap()
        );
        let mut output = Vec::new();
        let mut block = Vec::new();
        for counter in 1..=2 {
            block = hmac(&key, &[&block, info.as_bytes(), &[counter]].concat());
            output.extend_from_slice(&block);
        }
        output.truncate(case.input["length"].as_u64().unwrap().try_into().unwrap());
        assert_eq!(out["output"], json!(hex::encode(output)), "{}", case.id);
        let trace = case.trace.as_ref().unwrap();
        for (name, value) in [("hedge", hedge), ("context_hash", context), ("key", key)] {
            assert_eq!(trace[name], json!(hex::encode(value)), "{}", case.id);
        }
        checked += 1;
    }
    assert!(checked >= 12);
}

#[test]
fn accounts_are_their_formulas() {
    let [seed, other] = ["01".repeat(32), "02".repeat(32)];
    let keys = out(
        "account.id",
        json!({"account_seed": seed, "recovery_seed": other}),
    );
    let bytes = |name: &str| hex::decode(keys[name].as_str().unwrap()).unwrap();
    let entry = [bytes("account_key"), bytes("recovery_key")].concat();
    let id = Sha256::digest([&b"subrosa/1 account\0"[..], &entry].concat());
    assert_eq!(keys["account_id"], json!(hex::encode(id)));
    for (name, seed) in [("account_key", seed), ("recovery_key", other)] {
        let public = out("crypto.ed25519_public", json!({"seed": seed}));
        assert_eq!(public["public"], keys[name]);
    }
    // 0xff_ffff_ffff = 1,099,511,627,775.
    gives(
        "account.digits",
        json!({"own": "ff".repeat(32), "peer": "00".repeat(32)}),
        json!({"digits": format!("{}{}", "00000".repeat(6), "27775".repeat(6))}),
    );
    gives(
        "account.code",
        json!({"own": "aa".repeat(32), "peer": "bb".repeat(32)}),
        json!({"code": format!("01{}{}", "aa".repeat(32), "bb".repeat(32))}),
    );
}

#[test]
fn emoji_are_their_formula() {
    let [f_a, f_b, r_a, r_b] = [[3u8; 32], [4; 32], [5; 32], [6; 32]];
    let prk = hmac(&[0; 32], &[r_a, r_b].concat());
    let info = [b"subrosa/1 emoji\0", &f_a[..], &f_b, &[1]].concat();
    let e = hmac(&prk, &info);
    let bits = e
        .iter()
        .take(6)
        .fold(0u64, |bits, byte| bits << 8 | u64::from(*byte));
    let numbers: Vec<u64> = (1..=7).map(|place| bits >> (48 - 6 * place) & 63).collect();
    let [f_a, f_b, r_a, r_b] = [f_a, f_b, r_a, r_b].map(hex::encode);
    let commit = out(
        "account.emoji_commit",
        json!({"own": f_a, "peer": f_b, "r_a": r_a}),
    );
    let initiator = json!({"own": f_a, "peer": f_b, "r_a": r_a, "r_b": r_b});
    let responder =
        json!({"own": f_b, "peer": f_a, "commit": commit["commit"], "r_b": r_b, "r_a": r_a});
    for (op, input) in [
        ("account.emoji_initiator", initiator),
        ("account.emoji_responder", responder),
    ] {
        assert_eq!(out(op, input)["numbers"], json!(numbers), "{op}");
    }
}

#[test]
fn store_keys_are_their_formula() {
    let names = hmac(&[9; 32], b"subrosa/1 store key\0");
    let key = hmac(&names, &[&[0, 8][..], b"a name"].concat());
    gives(
        "device.store_key",
        json!({"app_key": "09".repeat(32), "kind": 8, "name": hex::encode("a name")}),
        json!({"key": hex::encode(&key[..16])}),
    );
}
