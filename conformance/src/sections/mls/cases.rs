//! The cases, made by the model, which has the keys of everybody.

use serde_json::{Value, json};
use subrosa::mls::Rule;

use crate::generate::Cases;
use crate::model::Answer;
use crate::model::mls::client::{Client, Leaf};
use crate::model::mls::commit::{Made, Plan};
use crate::model::mls::group::{Group, Info, Invited, welcome};
use crate::model::mls::message::{Content, Encryption, Format};
use crate::model::mls::proposal::{Listed, Proposal, PskId};
use crate::model::mls::{Extensions, Hash, Suite, numbers};

mod commits;
mod errors;
mod external;
mod information;
mod joining;
mod late;
mod leaves;
mod lists;
mod origins;
mod packages;
mod stored;
mod tags;
mod trees;
mod wide;

pub(super) fn cases(cases: &mut Cases) {
    let all: [(&str, Make); 14] = [
        ("leaves", leaves::cases),
        ("packages", packages::cases),
        ("lists", lists::cases),
        ("commits", commits::cases),
        ("trees", trees::cases),
        ("external", external::cases),
        ("joining", joining::cases),
        ("origins", origins::cases),
        ("information", information::cases),
        ("errors", errors::cases),
        ("tags", tags::cases),
        ("late", late::cases),
        ("wide", wide::cases),
        ("stored", stored::cases),
    ];
    for (what, make) in all {
        let result = make(cases);
        cases.made(what, result);
    }
}

/// Makes the cases of one kind.
type Make = fn(&mut Cases) -> Answer<()>;

/// What is done to something that is valid.
type Change<'a, T> = &'a dyn Fn(&mut T);

/// 2027-01-15, in seconds.
const NOW: u64 = 1_800_000_000;
/// The lifetime of key packages.
const LIFETIME: (u64, u64) = (NOW - 3_600, NOW + 90 * 86_400);
/// The member whose eyes a script has.
const US: u32 = 1;
/// The id of most groups.
const GROUP: &[u8] = b"the group";

/// An extension that everybody supports who was made by [`able`].
const EXTENSION: u16 = 0xf001;
/// One that nobody supports.
const STRANGE_EXTENSION: u16 = 0xf002;
/// A proposal that everybody supports who was made by [`able`].
const PROPOSAL: u16 = 0xf101;
/// One that nobody supports.
const STRANGE_PROPOSAL: u16 = 0xf102;
/// A credential that nobody supports.
const STRANGE_CREDENTIAL: u16 = 0xf201;
/// The type of `required_capabilities`.
const REQUIRED: u16 = 3;

fn plain(suite: u16, name: &str) -> Answer<Client> {
    Client::new(Suite::of(suite), name, LIFETIME)
}

/// One that supports an extension and a proposal of the app.
fn able(suite: u16, name: &str) -> Answer<Client> {
    able_with(suite, name, |_| {})
}

fn able_with(suite: u16, name: &str, change: impl FnOnce(&mut Leaf)) -> Answer<Client> {
    Client::with(Suite::of(suite), name, LIFETIME, |leaf| {
        leaf.capabilities.extensions.push(EXTENSION);
        leaf.capabilities.proposals.push(PROPOSAL);
        change(leaf);
    })
}

/// `required_capabilities`
fn required(extensions: &[u16], proposals: &[u16], credentials: &[u16]) -> (u16, Vec<u8>) {
    let value = [
        numbers(extensions),
        numbers(proposals),
        numbers(credentials),
    ]
    .concat();
    (REQUIRED, value)
}

/// `bytes` with the last bit turned over.
fn flipped(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if let Some(last) = bytes.last_mut() {
        *last ^= 1;
    }
    bytes
}

/// An Add by value.
fn add(client: &Client) -> Listed {
    Listed::value(Proposal::Add(Box::new(client.package.clone())))
}

fn invalid(rule: Rule) -> String {
    format!("Invalid {}", rule.number())
}

/// What must come of a step.
enum Expected {
    /// No error.
    Done,
    /// This error.
    Error(String),
    /// A group with this authenticator.
    State(Hash),
    /// This text of this member.
    Text(u32, String),
    /// This result.
    Result(Value),
}

/// A script under construction.
#[derive(Default)]
struct Scene {
    psks: Vec<Value>,
    steps: Vec<Value>,
    expected: Vec<Expected>,
}

impl Scene {
    fn push(&mut self, step: Value, expected: Expected) {
        self.steps.push(step);
        self.expected.push(expected);
    }

    fn psk(&mut self, id: &[u8], psk: &[u8]) {
        self.psks
            .push(json!({"id": hex::encode(id), "psk": hex::encode(psk)}));
    }

    fn client(&mut self, name: &str, client: &Client) {
        let step = json!({
            "do": "client", "as": name, "key_package": hex::encode(client.package.message()),
            "init_key": hex::encode(client.init.secret),
            "encryption_key": hex::encode(client.encryption.secret),
            "signature_key": hex::encode(client.signer.secret),
        });
        self.push(step, Expected::Done);
    }

    fn tree(&mut self, name: &str, tree: &[u8]) {
        let step = json!({"do": "tree", "as": name, "tree": hex::encode(tree)});
        self.push(step, Expected::Done);
    }

    fn join(&mut self, of: &Joined<'_>, expected: Expected) {
        let step = json!({
            "do": "join", "as": of.group, "client": of.client, "welcome": hex::encode(of.welcome),
            "tree": of.tree, "old_group": of.old_group, "now": of.now.to_string(),
        });
        self.push(step, expected);
    }

    fn join_by_commit(&mut self, info: &Info, tree: Option<&str>, expected: Expected) {
        let step = json!({
            "do": "join_by_commit", "client": "us", "group_info": hex::encode(info.message()),
            "tree": tree, "now": NOW.to_string(),
        });
        self.push(step, expected);
    }

    fn process(&mut self, group: &str, message: &[u8], expected: Expected) {
        self.arrive(group, message, true, expected);
    }

    fn arrive(&mut self, group: &str, message: &[u8], approve: bool, expected: Expected) {
        let step = json!({
            "do": "process", "group": group, "message": hex::encode(message), "approve": approve,
            "now": NOW.to_string(),
        });
        self.push(step, expected);
    }

    /// Puts the script to the library, and its answers to what is expected.
    fn done(self, cases: &mut Cases, id: &str, comment: &str) {
        let input = json!({"psks": self.psks, "steps": self.steps});
        let answer = cases.accept(id, "run", comment, input);
        let results = answer.get("results").and_then(Value::as_array);
        let results = results.cloned().unwrap_or_default();
        cases.same(&format!("{id}: steps"), results.len(), self.expected.len());
        for (number, (result, expected)) in results.iter().zip(self.expected).enumerate() {
            if let Err(found) = expected.judge(result) {
                cases.fault(format!("{id}: step {number}: {found}"));
            }
        }
    }
}

impl Expected {
    fn judge(&self, result: &Value) -> Result<(), String> {
        let error = result.get("error").and_then(Value::as_str);
        let state = result.get("state").unwrap_or(result);
        let authenticator = state.get("epoch_authenticator").and_then(Value::as_str);
        let application = result.get("application");
        let (holds, wanted) = match self {
            Self::Done => (error.is_none(), "no error".to_owned()),
            Self::Error(name) => (error == Some(name), format!("error {name}")),
            Self::State(hash) => {
                let hash = hex::encode(hash);
                (
                    authenticator == Some(&hash),
                    format!("authenticator {hash}"),
                )
            }
            Self::Text(sender, text) => {
                let data = json!(hex::encode(text));
                let holds = application.is_some_and(|one| {
                    one.get("data") == Some(&data) && one.get("sender") == Some(&json!(sender))
                });
                (holds, format!("{text:?} of {sender}"))
            }
            Self::Result(wanted) => (result == wanted, wanted.to_string()),
        };
        match holds {
            true => Ok(()),
            false => Err(format!("expected {wanted}, found {result}")),
        }
    }
}

/// A joining step.
struct Joined<'a> {
    group: &'a str,
    client: &'a str,
    welcome: &'a [u8],
    tree: Option<&'a str>,
    old_group: Option<&'a str>,
    now: u64,
}

impl<'a> Joined<'a> {
    const fn new(welcome: &'a [u8]) -> Self {
        Self {
            group: "group",
            client: "us",
            welcome,
            tree: None,
            old_group: None,
            now: NOW,
        }
    }
}

/// A group that "us", at leaf 1, has joined, and the script so far.
struct Setting {
    scene: Scene,
    group: Group,
    us: Client,
}

impl Setting {
    /// Five members of suite 1 who support what [`able`] supports: "founder" 0, "us" 1, "two" 2, "three" 3, "four" 4.
    /// No parent of the tree has a key yet.
    fn new() -> Answer<Self> {
        Self::with(1, Vec::new())
    }

    fn with(suite: u16, extensions: Extensions) -> Answer<Self> {
        let mut clients = Vec::new();
        for name in ["founder", "us", "two", "three", "four"] {
            clients.push(able(suite, name)?);
        }
        let clients: Vec<&Client> = clients.iter().collect();
        Self::of(&clients, extensions)
    }

    /// Of these clients, the second of which are we.
    fn of(clients: &[&Client], extensions: Extensions) -> Answer<Self> {
        let group = Group::of_clients(GROUP, clients, extensions)?;
        let us = clients.get(US as usize).copied();
        let us = us.ok_or(crate::model::error("Empty"))?.clone();
        let mut scene = Scene::default();
        scene.client("us", &us);
        let welcome = group.welcome(0, &[(&us.package, None)])?;
        let state = Expected::State(group.secrets.authenticator);
        scene.join(&Joined::new(&welcome), state);
        Ok(Self { scene, group, us })
    }

    fn done(self, cases: &mut Cases, id: &str, comment: &str) {
        self.scene.done(cases, id, comment);
    }

    /// The case of a rule: its id and comment begin with the number.
    fn done_rule(self, cases: &mut Cases, rule: Rule, comment: &str) {
        done_rule(self.scene, cases, rule, comment);
    }

    /// A message that is refused.
    fn refuse(&mut self, message: &[u8], error: &str) {
        let expected = Expected::Error(error.to_owned());
        self.scene.process("group", message, expected);
    }

    /// A message that is accepted and begins no epoch.
    fn pass(&mut self, message: &[u8]) {
        let state = Expected::State(self.group.secrets.authenticator);
        self.scene.process("group", message, state);
    }

    /// The app says of how many past epochs messages stay readable.
    fn keep_past_epochs(&mut self, epochs: u32) {
        let step = json!({"do": "keep_past_epochs", "group": "group", "epochs": epochs});
        self.scene.push(step, Expected::Done);
    }

    /// We stop, and begin again with what was stored.
    fn restart(&mut self) {
        let step = json!({"do": "restart", "group": "group"});
        let state = Expected::State(self.group.secrets.authenticator);
        self.scene.push(step, state);
    }

    /// A proposal that is accepted.
    fn propose(&mut self, leaf: u32, proposal: Proposal) -> Answer<Listed> {
        let (message, listed) = self.group.propose(leaf, proposal)?;
        self.pass(&message);
        Ok(listed)
    }

    /// A proposal that is refused when it arrives.
    fn refuse_proposal(&mut self, rule: Rule, leaf: u32, proposal: Proposal) -> Answer<()> {
        let (message, _) = self.group.propose(leaf, proposal)?;
        self.refuse(&message, &invalid(rule));
        Ok(())
    }

    /// A commit that is refused.
    fn refuse_commit(&mut self, rule: Rule, plan: &Plan<'_>) -> Answer<()> {
        let made = self.group.commit(plan)?;
        self.refuse(&made.public(), &invalid(rule));
        Ok(())
    }

    /// A commit of member 2 with these proposals that is refused.
    fn refuse_list(&mut self, rule: Rule, listed: Vec<Listed>) -> Answer<()> {
        self.refuse_commit(rule, &Plan::by(2, listed))
    }

    /// A commit that is merged.
    fn commit(&mut self, plan: &Plan<'_>) -> Answer<Made> {
        let made = self.group.commit(plan)?;
        let state = Expected::State(made.next.secrets.authenticator);
        self.scene.process("group", &made.public(), state);
        self.group = made.next.clone();
        Ok(made)
    }

    /// A commit of member 2 that is merged.
    fn commit_list(&mut self, listed: Vec<Listed>) -> Answer<Made> {
        self.commit(&Plan::by(2, listed))
    }
}

fn done_rule(scene: Scene, cases: &mut Cases, rule: Rule, comment: &str) {
    let mut name = String::new();
    for c in format!("{rule:?}").chars() {
        if c.is_uppercase() {
            name.push('-');
        }
        name.push(c.to_ascii_lowercase());
    }
    let number = rule.number();
    let section = rule.section();
    scene.done(
        cases,
        &format!("rule-{number:02}{name}"),
        &format!("§22.2 rule {number} (RFC 9420 §{section}). {comment}"),
    );
}
