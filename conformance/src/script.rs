//! Scripts: several devices that exchange messages, step by step (the operation `session.run`).
//!
//! A [`World`] runs a script with any [`Device`]: the library's, or the model's beside it.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde_json::{Map, Value, json};

use crate::op::{Field, Input, Kind, Refusal, VERB, Verb, field};

mod library;
mod operation;

pub use library::LibraryDevice;
pub use operation::OPS;

/// The result of a step, or why it was refused.
pub type Answer<T> = Result<T, Refusal>;

/// The private halves of an identity.
#[derive(Clone, Debug)]
pub struct Secrets {
    /// The address.
    pub address: Vec<u8>,
    /// `IKs.seed`
    pub signing_seed: [u8; 32],
    /// `IKd.secret`
    pub dh_secret: [u8; 32],
}

/// The random values of a beginning, in the order of their use.
#[derive(Clone, Copy, Debug)]
pub struct Beginning {
    /// EK's private half.
    pub ek: [u8; 32],
    /// `m`
    pub m: [u8; 32],
    /// The private half of the first ratchet key.
    pub ratchet: [u8; 32],
}

/// The random values of a message, in the order of their use (§3.6-R2).
#[derive(Clone, Copy, Debug, Default)]
pub struct Sealing {
    /// The private half of a new ratchet key.
    pub ratchet: Option<[u8; 32]>,
    /// `braid seed`
    pub braid_seed: Option<[u8; 64]>,
    /// `braid m`
    pub braid_m: Option<[u8; 32]>,
    /// `r32`
    pub r32: [u8; 32],
}

/// A message opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The peer's address.
    pub peer: Vec<u8>,
    /// The text.
    pub text: Vec<u8>,
    /// `forked`, `gap_dropped`, `pq_broken`, `old_state`
    pub events: Vec<&'static str>,
    /// The advice to begin anew.
    pub begin_anew: bool,
}

/// A first message, staged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Staged {
    /// The initiator's address.
    pub peer: Vec<u8>,
    /// `IKs_A`
    pub iks: [u8; 32],
    /// `IKd_A`
    pub ikd: [u8; 32],
    /// `created_at`
    pub created_at: u64,
    /// Whether a one-time X25519 key was used.
    pub one_time_dh: bool,
    /// Whether a one-time KEM key was used.
    pub one_time_kem: bool,
}

/// What came of a message that arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// It was read.
    Opened(Opened),
    /// It waits for the app's verdict.
    Staged(Staged),
}

/// The plaintext encodings of everything that a device stores.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Store {
    /// §12.2
    pub identity: Vec<u8>,
    /// §12.3
    pub prekeys: Option<Vec<u8>>,
    /// §12.5, by the peer's address.
    pub conversations: BTreeMap<Vec<u8>, Vec<u8>>,
}

/// One device of a script, with one conversation for each address.
pub trait Device: Sized {
    /// A device without prekeys and conversations.
    ///
    /// # Errors
    /// `Malformed` for an address that is none.
    fn new(secrets: &Secrets) -> Answer<Self>;

    /// Reads everything that a device stores.
    ///
    /// # Errors
    /// `Integrity`.
    fn load(store: &Store) -> Answer<Self>;

    /// Writes everything that the device stores.
    ///
    /// # Errors
    /// None.
    fn store(&self) -> Answer<Store>;

    /// The first generation, or a further one.
    ///
    /// # Errors
    /// `PrekeysExhausted`.
    fn rotate(&mut self, now: u64, spk: [u8; 32], kem: [u8; 64]) -> Answer<()>;

    /// One-time bundles with these private halves.
    ///
    /// # Errors
    /// `PrekeysExhausted`.
    fn replenish(&mut self, now: u64, keys: &[([u8; 32], [u8; 64])]) -> Answer<Vec<Vec<u8>>>;

    /// The last-resort bundle.
    ///
    /// # Errors
    /// None.
    fn last_resort_bundle(&self) -> Answer<Vec<u8>>;

    /// Verifies a bundle and begins the conversation with its address, or begins it anew.
    ///
    /// # Errors
    /// Those of §7.2 and §7.4, `IdentityChanged`.
    fn begin(&mut self, bundle: &[u8], now: u64, given: Beginning) -> Answer<Vec<u8>>;

    /// Seals in the conversation with `peer`.
    ///
    /// # Errors
    /// Those of §9.3, `Unanswered`.
    fn seal(&mut self, peer: &[u8], text: &[u8], now: u64, values: &Sealing) -> Answer<Vec<u8>>;

    /// Looks a message up (§11.1) and opens it; stages a first message that is nobody's.
    ///
    /// # Errors
    /// Those of §7.5, §8, §9.4.
    fn open(&mut self, message: &[u8], now: u64) -> Answer<Arrival>;

    /// The verdict on a staged message is yes.
    ///
    /// # Errors
    /// Those of §7.6-R3, `IdentityChanged`.
    fn accept(&mut self, message: &[u8], now: u64) -> Answer<Opened>;

    /// The verdict on a staged message is no.
    ///
    /// # Errors
    /// Those of §7.6-R3.
    fn refuse(&mut self, message: &[u8]) -> Answer<()>;

    /// Deletes what is past its time.
    fn expire(&mut self, now: u64);
}

const NAME: Kind = Kind::Text;
const HEX: Kind = Kind::Hex;
const KEY: Kind = Kind::HexOf(32);
const SEED: Kind = Kind::HexOf(64);
const TIME: Kind = Kind::Decimal;
const DEVICE: Field = field("device", NAME);
const NOW: Field = field("now", TIME);

/// The devices of a script.
pub const DEVICES: &[Field] = &[
    field("name", NAME),
    field("address", HEX),
    field("signing_seed", KEY),
    field("dh_secret", KEY),
];

const ONE_TIME: &[Field] = &[field("as", NAME), field("opk", KEY), field("kem", SEED)];

const OPENED: &[Field] = &[
    field("peer", HEX),
    field("text", HEX),
    field("events", Kind::Texts),
    field("begin_anew", Kind::Bool),
];

const STAGED: &[Field] = &[
    field("peer", HEX),
    field("iks", KEY),
    field("ikd", KEY),
    field("created_at", TIME),
    field("one_time_dh", Kind::Bool),
    field("one_time_kem", Kind::Bool),
];

/// What the steps of a script do. A `device` is one of the script's, a `peer` an address, and what a step makes is
/// kept under its `as` for the steps after it.
pub const VERBS: &[Verb] = &[
    Verb {
        name: "rotate",
        summary: "Makes a new generation of prekeys; the first one if there is none (§7.1).",
        input: &[DEVICE, NOW, field("spk", KEY), field("kem", SEED)],
        output: &[],
        errors: &[],
    },
    Verb {
        name: "replenish",
        summary: "Makes one-time keys with these private halves, and keeps a bundle for each.",
        input: &[
            DEVICE,
            NOW,
            field("keys", Kind::List(&Kind::Object(ONE_TIME))),
        ],
        output: &[field("bundles", Kind::List(&HEX))],
        errors: &[],
    },
    Verb {
        name: "last_resort_bundle",
        summary: "Keeps the last-resort bundle.",
        input: &[DEVICE, field("as", NAME)],
        output: &[field("bundle", HEX)],
        errors: &[],
    },
    Verb {
        name: "begin",
        summary: "Verifies a bundle and begins the conversation with its address, or begins it anew: EK, m and the \
                  first ratchet key are given. A conversation that is not there yet is pinned to the bundle's \
                  identity.",
        input: &[
            DEVICE,
            field("bundle", NAME),
            NOW,
            field("ek", KEY),
            field("m", KEY),
            field("ratchet", KEY),
        ],
        output: &[field("peer", HEX)],
        errors: &["StaleBundle", "OwnIdentity", "IdentityChanged"],
    },
    Verb {
        name: "seal",
        summary: "Seals a text and keeps the message. `ratchet` is the private half of the new key if a chain \
                  begins, `braid_seed` (d, z) or `braid_m` what the Braid draws with this message (§10.6-R3); \
                  those that are not drawn are `null`.",
        input: &[
            DEVICE,
            field("peer", HEX),
            field("text", HEX),
            NOW,
            field("ratchet", Kind::Nullable(&KEY)),
            field("braid_seed", Kind::Nullable(&SEED)),
            field("braid_m", Kind::Nullable(&KEY)),
            field("r32", KEY),
            field("as", NAME),
        ],
        output: &[field("message", HEX)],
        errors: &["NoSession", "ChainExhausted", "Unanswered"],
    },
    Verb {
        name: "lose",
        summary: "Seals the empty text `count` times, each with the same r32, and throws the messages away. No chain \
                  begins with them, and the Braid draws nothing.",
        input: &[
            DEVICE,
            field("peer", HEX),
            field("count", Kind::Integer(1 << 20)),
            NOW,
            field("r32", KEY),
        ],
        output: &[],
        errors: &[],
    },
    Verb {
        name: "open",
        summary: "A message arrives: it is looked up (§11.1) and opened, which gives `opened`; a first message that \
                  began no state of a conversation is staged, which gives `staged`. The other one is `null`. \
                  `events` are of `forked`, `gap_dropped`, `pq_broken` and `old_state`, in this order.",
        input: &[DEVICE, field("message", NAME), NOW],
        output: &[
            field("opened", Kind::Nullable(&Kind::Object(OPENED))),
            field("staged", Kind::Nullable(&Kind::Object(STAGED))),
        ],
        errors: &[
            "Malformed",
            "UnknownVersion",
            "UnknownKind",
            "NoSession",
            "Duplicate",
            "Forked",
            "GapTooLarge",
            "ChainExhausted",
            "PrekeyGone",
            "ReplayedFirst",
            "BadSignature",
            "OwnIdentity",
        ],
    },
    Verb {
        name: "accept",
        summary: "The app's verdict on a message that was staged is yes. A conversation that is not there yet is \
                  pinned to the initiator's identity.",
        input: &[DEVICE, field("message", NAME), NOW],
        output: OPENED,
        errors: &["PrekeyGone", "ReplayedFirst", "IdentityChanged"],
    },
    Verb {
        name: "refuse",
        summary: "The verdict is no.",
        input: &[DEVICE, field("message", NAME)],
        output: &[],
        errors: &["PrekeyGone"],
    },
    Verb {
        name: "expire",
        summary: "Time passes: deletes what is past its time in prekeys and conversations.",
        input: &[DEVICE, NOW],
        output: &[],
        errors: &[],
    },
    Verb {
        name: "restart",
        summary: "Writes everything that the device stores and reads it again. What was staged is forgotten.",
        input: &[DEVICE],
        output: &[],
        errors: &[],
    },
    Verb {
        name: "save",
        summary: "Keeps everything that the device stores.",
        input: &[DEVICE, field("as", NAME)],
        output: &[],
        errors: &[],
    },
    Verb {
        name: "restore",
        summary: "Puts what was kept in place of everything that the device stores: a backup, or a clone. What was \
                  staged is forgotten.",
        input: &[DEVICE, field("from", NAME)],
        output: &[],
        errors: &[],
    },
    Verb {
        name: "inject",
        summary: "Keeps a message that no device made.",
        input: &[field("message", HEX), field("as", NAME)],
        output: &[],
        errors: &[],
    },
    Verb {
        name: "alter",
        summary: "Keeps a message with its byte `at` changed by exclusive or.",
        input: &[
            field("message", NAME),
            field("at", Kind::Integer(1 << 20)),
            field("xor", Kind::HexOf(1)),
            field("as", NAME),
        ],
        output: &[field("message", HEX)],
        errors: &[],
    },
    Verb {
        name: "set",
        summary: "Puts the plaintext encoding of a conversation (§12.5) in its place.",
        input: &[DEVICE, field("conversation", HEX)],
        output: &[],
        errors: &[],
    },
    Verb {
        name: "conversation",
        summary: "The plaintext encoding of the conversation with `peer` (§12.5).",
        input: &[DEVICE, field("peer", HEX)],
        output: &[field("conversation", HEX)],
        errors: &[],
    },
    Verb {
        name: "prekeys",
        summary: "The plaintext encoding of the prekeys (§12.3).",
        input: &[DEVICE],
        output: &[field("prekeys", HEX)],
        errors: &[],
    },
];

/// The devices of a script, and what its steps kept.
pub struct World<D> {
    devices: BTreeMap<String, D>,
    bundles: BTreeMap<String, Vec<u8>>,
    messages: BTreeMap<String, Vec<u8>>,
    stores: BTreeMap<String, Store>,
}

fn invalid(why: String) -> Refusal {
    Refusal::Invalid(why)
}

fn get<'a, T>(kept: &'a BTreeMap<String, T>, what: &str, name: &str) -> Answer<&'a T> {
    let found = kept.get(name);
    found.ok_or_else(|| invalid(format!("no {what} is called {name:?}")))
}

impl<D: Device> World<D> {
    /// A world without devices.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            devices: BTreeMap::new(),
            bundles: BTreeMap::new(),
            messages: BTreeMap::new(),
            stores: BTreeMap::new(),
        }
    }

    /// Adds a device.
    ///
    /// # Errors
    /// `Malformed` for an address that is none.
    pub fn add(&mut self, name: &str, secrets: &Secrets) -> Answer<()> {
        self.devices.insert(name.to_owned(), D::new(secrets)?);
        Ok(())
    }

    /// A device.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] if there is none of this name.
    pub fn device(&self, name: &str) -> Answer<&D> {
        get(&self.devices, "device", name)
    }

    /// A message that a step kept.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] if there is none of this name.
    pub fn message(&self, name: &str) -> Answer<&[u8]> {
        get(&self.messages, "message", name).map(Vec::as_slice)
    }

    /// A bundle that a step kept.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] if there is none of this name.
    pub fn bundle(&self, name: &str) -> Answer<&[u8]> {
        get(&self.bundles, "bundle", name).map(Vec::as_slice)
    }

    /// The result of a step: the fields of its verb's output, or the one field `error`.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] if the step is none, or if a step that was refused changed what its device stores
    /// (§1-R1).
    pub fn step(&mut self, step: &Input<'_>) -> Answer<Map<String, Value>> {
        let before = self.stored_by(step)?;
        let result = match self.perform(step) {
            Ok(result) => result,
            Err(Refusal::Error(name)) if self.stored_by(step)? == before => json!({"error": name}),
            Err(Refusal::Error(name)) => {
                return Err(invalid(format!(
                    "a step refused as {name} changed the state"
                )));
            }
            Err(other) => return Err(other),
        };
        match result {
            Value::Object(fields) => Ok(fields),
            _ => Err(invalid("the result is no object".to_owned())),
        }
    }

    fn stored_by(&self, step: &Input<'_>) -> Answer<Option<Store>> {
        match step.text(DEVICE.name) {
            Ok(name) => self.device(name)?.store().map(Some),
            Err(_) => Ok(None),
        }
    }

    fn acting(&mut self, step: &Input<'_>) -> Answer<&mut D> {
        let name = step.text(DEVICE.name)?;
        let found = self.devices.get_mut(name);
        found.ok_or_else(|| invalid(format!("no device is called {name:?}")))
    }

    fn perform(&mut self, step: &Input<'_>) -> Answer<Value> {
        match step.text(VERB)? {
            "rotate" => {
                let (spk, kem) = (step.array("spk")?, step.array("kem")?);
                self.acting(step)?.rotate(step.integer("now")?, spk, kem)?;
            }
            "replenish" => return self.replenish(step),
            "last_resort_bundle" => {
                let bundle = self.acting(step)?.last_resort_bundle()?;
                self.bundles
                    .insert(step.text("as")?.to_owned(), bundle.clone());
                return Ok(json!({"bundle": hex::encode(bundle)}));
            }
            "begin" => {
                let bundle = self.bundle(step.text("bundle")?)?.to_vec();
                let given = Beginning {
                    ek: step.array("ek")?,
                    m: step.array("m")?,
                    ratchet: step.array("ratchet")?,
                };
                let now = step.integer("now")?;
                let peer = self.acting(step)?.begin(&bundle, now, given)?;
                return Ok(json!({"peer": hex::encode(peer)}));
            }
            "seal" => {
                let (peer, text) = (step.bytes("peer")?, step.bytes("text")?);
                let values = Sealing {
                    ratchet: step.nullable("ratchet", Input::array)?,
                    braid_seed: step.nullable("braid_seed", Input::array)?,
                    braid_m: step.nullable("braid_m", Input::array)?,
                    r32: step.array("r32")?,
                };
                let now = step.integer("now")?;
                let message = self.acting(step)?.seal(&peer, &text, now, &values)?;
                return self.keep(step, message);
            }
            "lose" => {
                let peer = step.bytes("peer")?;
                let values = Sealing {
                    r32: step.array("r32")?,
                    ..Sealing::default()
                };
                let now = step.integer("now")?;
                for _ in 0..step.integer::<u32>("count")? {
                    self.acting(step)?.seal(&peer, &[], now, &values)?;
                }
            }
            "open" => return self.open(step),
            "accept" => {
                let message = self.message(step.text("message")?)?.to_vec();
                let opened = self.acting(step)?.accept(&message, step.integer("now")?)?;
                return Ok(opened_fields(&opened));
            }
            "refuse" => {
                let message = self.message(step.text("message")?)?.to_vec();
                self.acting(step)?.refuse(&message)?;
            }
            "expire" => self.acting(step)?.expire(step.integer("now")?),
            "restart" => {
                let device = self.acting(step)?;
                *device = D::load(&device.store()?)?;
            }
            "save" => {
                let store = self.acting(step)?.store()?;
                self.stores.insert(step.text("as")?.to_owned(), store);
            }
            "restore" => {
                let store = get(&self.stores, "store", step.text("from")?)?;
                let device = D::load(store)?;
                *self.acting(step)? = device;
            }
            "inject" => {
                let name = step.text("as")?.to_owned();
                self.messages.insert(name, step.bytes("message")?);
            }
            "alter" => {
                let mut message = self.message(step.text("message")?)?.to_vec();
                let [xor] = step.array("xor")?;
                let byte = message.get_mut(step.integer::<usize>("at")?);
                *byte.ok_or_else(|| invalid("at: behind the message".to_owned()))? ^= xor;
                return self.keep(step, message);
            }
            "set" => {
                let plaintext = step.bytes("conversation")?;
                let device = self.acting(step)?;
                let mut store = device.store()?;
                let (length, rest) = plaintext.split_first().unwrap_or((&0, &[]));
                let address = rest.get(..usize::from(*length)).unwrap_or_default();
                store
                    .conversations
                    .insert(address.to_vec(), plaintext.clone());
                *device = D::load(&store)?;
            }
            "conversation" => {
                let peer = step.bytes("peer")?;
                let store = self.acting(step)?.store()?;
                let found = store.conversations.get(&peer);
                let found = found.ok_or_else(|| invalid("there is no conversation".to_owned()))?;
                return Ok(json!({"conversation": hex::encode(found)}));
            }
            "prekeys" => {
                let found = self.acting(step)?.store()?.prekeys;
                let found = found.ok_or_else(|| invalid("there are no prekeys".to_owned()))?;
                return Ok(json!({"prekeys": hex::encode(found)}));
            }
            other => return Err(invalid(format!("{VERB}: {other:?} is none of the verbs"))),
        }
        Ok(json!({}))
    }

    fn keep(&mut self, step: &Input<'_>, message: Vec<u8>) -> Answer<Value> {
        let result = json!({"message": hex::encode(&message)});
        self.messages.insert(step.text("as")?.to_owned(), message);
        Ok(result)
    }

    fn replenish(&mut self, step: &Input<'_>) -> Answer<Value> {
        let (mut names, mut keys) = (Vec::new(), Vec::new());
        for key in step.objects("keys")? {
            names.push(key.text("as")?.to_owned());
            keys.push((key.array("opk")?, key.array("kem")?));
        }
        let bundles = self.acting(step)?.replenish(step.integer("now")?, &keys)?;
        let texts: Vec<String> = bundles.iter().map(hex::encode).collect();
        self.bundles.extend(names.into_iter().zip(bundles));
        Ok(json!({"bundles": texts}))
    }

    fn open(&mut self, step: &Input<'_>) -> Answer<Value> {
        let message = self.message(step.text("message")?)?.to_vec();
        let now = step.integer("now")?;
        Ok(match self.acting(step)?.open(&message, now)? {
            Arrival::Opened(opened) => json!({"opened": opened_fields(&opened), "staged": null}),
            Arrival::Staged(staged) => json!({"opened": null, "staged": {
                "peer": hex::encode(staged.peer),
                "iks": hex::encode(staged.iks),
                "ikd": hex::encode(staged.ikd),
                "created_at": staged.created_at.to_string(),
                "one_time_dh": staged.one_time_dh,
                "one_time_kem": staged.one_time_kem,
            }}),
        })
    }
}

impl<D: Device> Default for World<D> {
    fn default() -> Self {
        Self::new()
    }
}

fn opened_fields(opened: &Opened) -> Value {
    json!({
        "peer": hex::encode(&opened.peer),
        "text": hex::encode(&opened.text),
        "events": opened.events,
        "begin_anew": opened.begin_anew,
    })
}
