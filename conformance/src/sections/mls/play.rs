//! Scripts of groups, played by this library.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use subrosa::crypto::hash::sha256;
use subrosa::crypto::{Secret, TryCryptoRng, TryRng};
use subrosa::mls::{
    Client, Error, ExternalCommit, JoinOptions, KeyPackage, KeyPackageSecrets, Member, Message,
    Processed, Psk, PskSource, RecordName, Signer,
};
use zeroize::Zeroizing;

use crate::model::mls::wide::Wide;
use crate::model::mls::{Suite, vector};
use crate::op::{Input, Refusal, VERB};

/// The name of an error in vectors, that of a rule being its number.
fn refused(error: Error) -> Refusal {
    match error {
        Error::Invalid(rule) => Refusal::Error(format!("Invalid {}", rule.number())),
        other => crate::op::refused(other),
    }
}

fn invalid(why: &str) -> Refusal {
    Refusal::Invalid(why.to_owned())
}

fn get<'a, T>(kept: &'a BTreeMap<String, T>, what: &str, name: &str) -> Result<&'a T, Refusal> {
    let found = kept.get(name);
    found.ok_or_else(|| Refusal::Invalid(format!("no {what} is called {name:?}")))
}

/// The pre-shared keys of the app.
struct Psks(BTreeMap<Vec<u8>, Vec<u8>>);

impl PskSource for Psks {
    fn psk(&self, psk: &Psk) -> Option<Zeroizing<Vec<u8>>> {
        match psk {
            Psk::External(id) => self.0.get(id).cloned().map(Zeroizing::new),
            Psk::Resumption { .. } => None,
        }
    }
}

/// A client that may be added.
struct Waiting {
    key_package: KeyPackage,
    secrets: KeyPackageSecrets,
    signature_key: [u8; 32],
}

impl Waiting {
    fn signer(&self) -> Result<Signer, Refusal> {
        let secret = Secret::new(self.signature_key);
        Signer::from_secret(self.key_package.cipher_suite, &secret).map_err(refused)
    }
}

/// Contents by name.
type Store = BTreeMap<RecordName, Zeroizing<Vec<u8>>>;

/// A member, and its store.
struct Stored {
    member: Member,
    store: Store,
    /// What the store was when it was last asked for.
    shown: Store,
}

impl Stored {
    fn new(member: Member) -> Result<Self, Refusal> {
        let (store, shown) = (Store::new(), Store::new());
        let mut stored = Self {
            member,
            store,
            shown,
        };
        stored.keep()?;
        Ok(stored)
    }

    /// Stores what has changed, and nothing else.
    fn keep(&mut self) -> Result<(), Refusal> {
        let changes = self.member.changes().map_err(refused)?;
        for name in &changes.deletes {
            self.store.remove(name);
        }
        self.store.extend(changes.puts);
        self.member.were_stored().map_err(refused)
    }

    /// The store is what it would be if the member was stored for the first time.
    fn require_kept(&mut self, when: &str) -> Result<(), Refusal> {
        self.member.store_anew();
        let whole = self.member.changes().map_err(refused)?;
        self.member.were_stored().map_err(refused)?;
        let whole: Store = whole.puts.into_iter().collect();
        if whole == self.store {
            return Ok(());
        }
        Err(Refusal::Invalid(format!(
            "{when}: the member is not what is stored of it"
        )))
    }

    /// As [`require_kept`](Self::require_kept), of groups that are not so large that it takes long.
    fn require_small_kept(&mut self, when: &str) -> Result<(), Refusal> {
        match self.member.members() {
            0..100 => self.require_kept(when),
            _ => Ok(()),
        }
    }

    /// What changed since this was called last.
    fn changes(&mut self) -> Vec<Value> {
        let shown = core::mem::replace(&mut self.shown, self.store.clone());
        let change = |name: &RecordName, content: Option<&Zeroizing<Vec<u8>>>| {
            let name = hex::encode(name.as_bytes());
            let content = content.map(|content| hex::encode(&**content));
            (name.clone(), json!({"name": name, "content": content}))
        };
        let mut changes = BTreeMap::new();
        for (name, content) in &self.store {
            if shown.get(name) != Some(content) {
                changes.extend([change(name, Some(content))]);
            }
        }
        let deleted = shown.keys().filter(|name| !self.store.contains_key(name));
        changes.extend(deleted.map(|name| change(name, None)));
        changes.into_values().collect()
    }
}

/// What the steps kept.
pub(super) struct World {
    psks: Psks,
    clients: BTreeMap<String, Waiting>,
    trees: BTreeMap<String, Vec<u8>>,
    groups: BTreeMap<String, Stored>,
}

impl World {
    pub(super) fn new(input: &Input<'_>) -> Result<Self, Refusal> {
        let mut psks = BTreeMap::new();
        for psk in input.objects("psks")? {
            psks.insert(psk.bytes("id")?, psk.bytes("psk")?);
        }
        Ok(Self {
            psks: Psks(psks),
            clients: BTreeMap::new(),
            trees: BTreeMap::new(),
            groups: BTreeMap::new(),
        })
    }

    /// The result of a step, an error among them.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] if the step is none, or if it was refused and changed something.
    pub(super) fn step(&mut self, step: &Input<'_>) -> Result<Value, Refusal> {
        match self.perform(step) {
            Err(Refusal::Error(name)) => Ok(json!({"error": name})),
            other => other,
        }
    }

    fn perform(&mut self, step: &Input<'_>) -> Result<Value, Refusal> {
        match step.text(VERB)? {
            "client" => self.client(step),
            "tree" => {
                let name = step.text("as")?.to_owned();
                self.trees.insert(name, step.bytes("tree")?);
                Ok(json!({}))
            }
            "wide_tree" => self.wide_tree(step),
            "join" => self.join(step),
            "join_by_commit" => self.join_by_commit(step),
            "process" => self.process(step),
            "restart" => {
                let Stored { member, store, .. } = self.group(step)?;
                let read = |name: &RecordName| Ok::<_, Error>(store.get(name).cloned());
                *member = Member::load(read).map_err(refused)?;
                Ok(state(member))
            }
            "stored" => {
                let wanted = step.flag("changes")?;
                let stored = self.group(step)?;
                stored.require_kept("stored")?;
                let mut all = Vec::new();
                for (name, content) in &stored.store {
                    all.extend(vector(name.as_bytes()));
                    all.extend(vector(content));
                }
                let changes = stored.changes();
                Ok(json!({
                    "records": stored.store.len(),
                    "sha256": hex::encode(sha256(&[&all])),
                    "changes": wanted.then_some(changes),
                }))
            }
            "keep_past_epochs" => {
                let epochs = step.integer("epochs")?;
                let stored = self.group(step)?;
                stored.member.keep_past_epochs(epochs);
                stored.keep()?;
                Ok(json!({}))
            }
            other => Err(Refusal::Invalid(format!("{VERB}: {other:?} is no verb"))),
        }
    }

    fn group(&mut self, step: &Input<'_>) -> Result<&mut Stored, Refusal> {
        let name = step.text("group")?;
        let found = self.groups.get_mut(name);
        found.ok_or_else(|| Refusal::Invalid(format!("no group is called {name:?}")))
    }

    fn tree(&self, step: &Input<'_>) -> Result<Option<&[u8]>, Refusal> {
        let name = step.nullable("tree", Input::text)?;
        name.map(|name| get(&self.trees, "tree", name).map(Vec::as_slice))
            .transpose()
    }

    fn client(&mut self, step: &Input<'_>) -> Result<Value, Refusal> {
        let message = Message::decode(&step.bytes("key_package")?).map_err(refused)?;
        let Message::KeyPackage(key_package) = message else {
            return Err(invalid("key_package: another message"));
        };
        let init = Secret::new(step.array("init_key")?);
        let encryption = Secret::new(step.array("encryption_key")?);
        let suite = key_package.cipher_suite;
        let secrets = KeyPackageSecrets::from_secrets(suite, &init, &encryption);
        let reference = key_package.reference().map_err(refused)?;
        let client = Waiting {
            key_package,
            secrets: secrets.map_err(refused)?,
            signature_key: step.array("signature_key")?,
        };
        self.clients.insert(step.text("as")?.to_owned(), client);
        Ok(json!({"reference": hex::encode(reference)}))
    }

    fn wide_tree(&mut self, step: &Input<'_>) -> Result<Value, Refusal> {
        let wide = Wide {
            suite: Suite::of(step.integer("cipher_suite")?),
            group_id: &step.bytes("group_id")?,
            seed: &step.bytes("seed")?,
            members: step.integer("members")?,
            lifetime: (step.integer("not_before")?, step.integer("not_after")?),
        };
        let tree = wide.tree()?.encode();
        let result = json!({"length": tree.len(), "sha256": hex::encode(sha256(&[&tree]))});
        self.trees.insert(step.text("as")?.to_owned(), tree);
        Ok(result)
    }

    fn join(&mut self, step: &Input<'_>) -> Result<Value, Refusal> {
        let client = get(&self.clients, "client", step.text("client")?)?;
        let old_group = step.nullable("old_group", Input::text)?;
        let old_group = old_group.map(|name| get(&self.groups, "group", name));
        let options = JoinOptions {
            ratchet_tree: self.tree(step)?,
            old_group: old_group.transpose()?.map(|stored| &stored.member),
            ..JoinOptions::default()
        };
        let joining = Member::join(
            &step.bytes("welcome")?,
            &client.key_package,
            &client.secrets,
            client.signer()?,
            &options,
            &self.psks,
            step.integer("now")?,
        );
        let member = joining.and_then(|joining| joining.approve(|_| true));
        let member = member.map_err(refused)?;
        let state = state(&member);
        let stored = Stored::new(member)?;
        self.groups.insert(step.text("as")?.to_owned(), stored);
        Ok(state)
    }

    fn join_by_commit(&mut self, step: &Input<'_>) -> Result<Value, Refusal> {
        let client = get(&self.clients, "client", step.text("client")?)?;
        let leaf = client.key_package.leaf_node.clone();
        let described = Client {
            credential: leaf.credential,
            capabilities: leaf.capabilities,
            extensions: leaf.extensions,
        };
        let options = JoinOptions {
            ratchet_tree: self.tree(step)?,
            ..JoinOptions::default()
        };
        let joined = Member::join_by_commit(
            &step.bytes("group_info")?,
            ExternalCommit::new(client.signer()?, described),
            &options,
            &self.psks,
            step.integer("now")?,
            &mut Counting(0),
        );
        let member = joined.and_then(|joined| joined.joining.approve(|_| true));
        let member = member.map_err(refused)?;
        Ok(json!({"epoch": member.epoch().to_string(), "members": member.members()}))
    }

    fn process(&mut self, step: &Input<'_>) -> Result<Value, Refusal> {
        let psks = Psks(self.psks.0.clone());
        let (message, now) = (step.bytes("message")?, step.integer("now")?);
        let approve = step.flag("approve")?;
        let stored = self.group(step)?;
        let arrived = arrive(&mut stored.member, &message, &psks, approve, now);
        match arrived {
            Ok(application) => {
                stored.keep()?;
                stored.require_small_kept("a message was accepted")?;
                let member = &stored.member;
                Ok(json!({
                    "application": application,
                    "proposals": member.proposals().count(),
                    "state": state(member),
                    "removed": member.is_removed(),
                }))
            }
            Err(why) => {
                stored.require_small_kept("a message was refused")?;
                Err(refused(why))
            }
        }
    }
}

fn arrive(
    member: &mut Member,
    message: &[u8],
    psks: &Psks,
    approve: bool,
    now: u64,
) -> Result<Option<Value>, Error> {
    match member.process(message, psks, now)? {
        Processed::Application(application) => {
            let sender = application.sender.0;
            let authenticated_data = hex::encode(&application.authenticated_data);
            let data = member.take(*application)?;
            return Ok(Some(json!({
                "sender": sender,
                "authenticated_data": authenticated_data,
                "data": hex::encode(data),
            })));
        }
        Processed::Proposal(staged) => {
            member.keep_proposal(staged.approve(|_| approve)?)?;
        }
        Processed::Commit(staged) => member.merge(staged.approve(|_| approve)?)?,
        Processed::OwnCommit => return Err(Error::OwnMessage),
    }
    Ok(None)
}

fn state(member: &Member) -> Value {
    json!({
        "epoch": member.epoch().to_string(),
        "members": member.members(),
        "tree_hash": hex::encode(&member.context().tree_hash),
        "epoch_authenticator": hex::encode(member.epoch_authenticator()),
    })
}

/// In place of randomness, for what is thrown away.
struct Counting(u8);

impl TryRng for Counting {
    type Error = core::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_be_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_be_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        for byte in bytes {
            self.0 = self.0.wrapping_add(1);
            *byte = self.0;
        }
        Ok(())
    }
}

impl TryCryptoRng for Counting {}
