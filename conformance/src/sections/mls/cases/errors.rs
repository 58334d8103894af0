//! The errors that are no rules (§22.5).

use super::*;
use crate::model::mls::commit::PathNode;
use crate::model::mls::message::{Sender, Signed};

pub(super) fn cases(cases: &mut Cases) -> Answer<()> {
    malformed(cases)?;
    group_and_epoch(cases)?;
    decryption(cases)?;
    signature(cases)?;
    sender(cases)?;
    own_message(cases)?;
    unknown(cases)?;
    keys(cases)?;
    refused(cases)?;
    welcomes(cases)
}

/// A text, a proposal and a commit of member 2, each in the clear if it may be, and encrypted.
fn all_kinds(s: &mut Setting) -> Answer<Vec<Vec<u8>>> {
    let group = &mut s.group;
    let public = group.commit(&Plan::by(2, Vec::new()))?.public();
    let plan = Plan {
        format: Format::Private,
        ..Plan::by(2, Vec::new())
    };
    let private = group.commit(&plan)?.private(0)?;
    let (proposal, _) = group.propose(2, Proposal::Remove(4))?;
    let content = Content::Proposal(Proposal::Remove(4));
    let encrypted = group.signed(2, Format::Private, content)?;
    let encrypted = group.private(&encrypted, &Encryption::of(0))?;
    Ok(vec![
        group.say(2, "hello", 0)?,
        encrypted,
        private,
        proposal,
        public,
    ])
}

fn malformed(cases: &mut Cases) -> Answer<()> {
    let mut s = Setting::new()?;
    let messages = all_kinds(&mut s)?;
    for message in &messages {
        let short = message.get(..message.len() - 1).unwrap_or_default();
        s.refuse(short, "Malformed");
        s.refuse(&[message.as_slice(), &[0]].concat(), "Malformed");
        // The length of the group's id in two bytes where one is enough.
        let (front, rest) = message.split_at_checked(4).unwrap_or_default();
        let (_, behind) = rest.split_at_checked(1).unwrap_or_default();
        let longer = [front, &[0x40, GROUP.len() as u8], behind].concat();
        s.refuse(&longer, "Malformed");
        for (place, value, error) in [
            (1, 2, "UnsupportedVersion"),
            (0, 0xff, "UnsupportedVersion"),
            (3, 0, "Malformed"),
            (3, 6, "Malformed"),
        ] {
            let mut other = message.clone();
            if let Some(byte) = other.get_mut(place) {
                *byte = value;
            }
            s.refuse(&other, error);
        }
    }
    s.refuse(&[], "Malformed");
    // Messages that are for nobody in the group.
    let package = able(1, "new")?.package.message();
    let welcome = s.group.welcome(0, &[(&s.us.package, None)])?;
    let info = s.group.info(0, true, true)?.message();
    for message in [package, welcome, info] {
        s.refuse(&message, "Malformed");
    }
    s.commit_list(Vec::new())?;
    let comment = "Messages of every kind, cut, longer, with a length not in its shortest form, of another version \
                   and of another kind; and a key package, a Welcome and a group's information, which are for nobody \
                   in the group.";
    s.done(cases, "error-malformed", comment);
    Ok(())
}

fn group_and_epoch(cases: &mut Cases) -> Answer<()> {
    let mut s = Setting::new()?;
    let old = all_kinds(&mut s)?;
    let mut other = Setting::new()?;
    other.group.context.group_id = b"another group".to_vec();
    other.group.again([0; 32])?;
    for message in all_kinds(&mut other)? {
        s.refuse(&message, "WrongGroup");
    }
    let mut ahead = s.group.commit(&Plan::by(3, Vec::new()))?;
    let mut next = Setting {
        scene: Scene::default(),
        group: ahead.next.clone(),
        us: s.us.clone(),
    };
    for message in all_kinds(&mut next)? {
        s.refuse(&message, "WrongEpoch");
    }
    let state = Expected::State(ahead.next.secrets.authenticator);
    s.scene.process("group", &ahead.public(), state);
    s.group = ahead.next.clone();
    // Handshakes of the epoch before; its data can be read.
    for message in old.iter().skip(1) {
        s.refuse(message, "WrongEpoch");
    }
    // A message of an epoch before we came.
    ahead.next.context.epoch = 0;
    s.refuse(&ahead.next.say(2, "early", 0)?, "EpochGone");
    if let Some(text) = old.first() {
        let expected = Expected::Text(2, "hello".to_owned());
        s.scene.process("group", text, expected);
    }
    s.commit_list(Vec::new())?;
    let comment =
        "Messages of another group, of the next epoch, of the one before, of one before we joined.";
    s.done(cases, "error-group-and-epoch", comment);
    Ok(())
}

fn decryption(cases: &mut Cases) -> Answer<()> {
    for suite in 1..=3 {
        let mut s = Setting::with(suite, Vec::new())?;
        let messages = all_kinds(&mut s)?;
        for message in messages.iter().take(3) {
            s.refuse(&flipped(message), "Decryption");
            // The last byte of the sender's data, and of what is authenticated in the clear.
            let clear = 4 + 1 + GROUP.len() + 8 + 1 + 1 + b"in the clear".len();
            for place in [clear - 1, clear + 28] {
                let mut other = message.clone();
                if let Some(byte) = other.get_mut(place) {
                    *byte ^= 1;
                }
                s.refuse(&other, "Decryption");
            }
        }
        // Path secrets that do not open, and such as are for others.
        let changes: [Change<'_, Vec<PathNode>>; 2] = [
            &|nodes| {
                for node in nodes {
                    for sealed in &mut node.sealed {
                        *sealed = flipped(sealed);
                    }
                }
            },
            &|nodes| {
                let all = nodes.iter_mut().flat_map(|node| &mut node.sealed);
                let mut all: Vec<&mut Vec<u8>> = all.collect();
                let first = all.first().map(|sealed| (*sealed).clone());
                for sealed in all.iter_mut().skip(1) {
                    (**sealed).clone_from(&first.clone().unwrap_or_default());
                }
            },
        ];
        for change in changes {
            let plan = Plan {
                nodes: change,
                ..Plan::by(2, Vec::new())
            };
            let message = s.group.commit(&plan)?.public();
            s.refuse(&message, "Decryption");
        }
        if let Some(text) = messages.first() {
            let expected = Expected::Text(2, "hello".to_owned());
            s.scene.process("group", text, expected);
        }
        s.commit_list(Vec::new())?;
        let comment = "Altered ciphertexts, sender's data and data in the clear; path secrets that do not open, or \
                       are for others.";
        s.done(cases, &format!("error-decryption-suite-{suite}"), comment);
    }
    Ok(())
}

fn signature(cases: &mut Cases) -> Answer<()> {
    for suite in 1..=3 {
        let server = Suite::of(suite).signer([0x5e; 32])?;
        let mut s = Setting::with(suite, vec![super::lists::senders(&server)])?;
        let text = Content::Application(b"hello".to_vec());
        let proposal = || Content::Proposal(Proposal::Remove(4));
        let other = s.group.signer(3)?;
        let plan = Plan {
            format: Format::Private,
            ..Plan::by(2, Vec::new())
        };
        let commit = s.group.commit(&plan)?;
        let all = [
            s.group.signed(2, Format::Private, text)?,
            s.group.signed(2, Format::Private, proposal())?,
            s.group.signed(2, Format::Public, proposal())?,
            commit.signed,
            s.group.commit(&Plan::by(2, Vec::new()))?.signed,
        ];
        for signed in all {
            let mut altered = signed.clone();
            altered.signature = flipped(&signed.signature);
            let mut of_another = signed.clone();
            of_another.sign(&other)?;
            let mut empty = signed;
            empty.signature.clear();
            for signed in [altered, of_another, empty] {
                let message = match signed.format {
                    Format::Public => s.group.public(&signed),
                    Format::Private => s.group.private(&signed, &Encryption::of(0))?,
                };
                s.refuse(&message, "BadSignature");
            }
        }
        // From outside.
        let mut outside = super::lists::from_outside(&s, 0, proposal(), &other)?;
        s.refuse(&outside.public(&[]), "BadSignature");
        outside.sign(&server)?;
        s.pass(&outside.public(&[]));
        let new = able(suite, "new")?;
        let add = Content::Proposal(Proposal::Add(Box::new(new.package.clone())));
        let context = s.group.context.clone();
        let sender = Sender::NewMemberProposal;
        let mut asks = Signed::new(new.suite, &context, Format::Public, sender, add, &other)?;
        s.refuse(&asks.public(&[]), "BadSignature");
        asks.sign(&new.signer)?;
        s.pass(&asks.public(&[]));
        let (external, init) = s.group.external_init()?;
        let plan = Plan::joining(&new, vec![Listed::value(external)], init);
        let made = s.group.commit(&plan)?;
        let mut joins = made.signed.clone();
        joins.sign(&other)?;
        s.refuse(&joins.public(&[]), "BadSignature");
        let state = Expected::State(made.next.secrets.authenticator);
        s.scene.process("group", &made.public(), state);
        let comment = "Signatures that are altered, another member's and none, of every kind of message in both \
                       framings, and from outside.";
        s.done(cases, &format!("error-signature-suite-{suite}"), comment);
    }
    Ok(())
}

fn sender(cases: &mut Cases) -> Answer<()> {
    let server = Suite::of(1).signer([0x5e; 32])?;
    let mut s = Setting::with(1, vec![super::lists::senders(&server)])?;
    let signed = s
        .group
        .signed(2, Format::Private, Content::Application(b"hello".to_vec()))?;
    for leaf in [5, 8, 1 << 30, u32::MAX] {
        let with = Encryption {
            sender_data: Some((leaf, 0)),
            ..Encryption::of(0)
        };
        let message = s.group.private(&signed, &with)?;
        s.refuse(&message, "UnknownSender");
        let content = Content::Proposal(Proposal::Remove(4));
        let mut public = s.group.signed(2, Format::Public, content)?;
        public.sender = Sender::Member(leaf);
        public.sign(&s.group.signer(2)?)?;
        let message = s.group.public(&public);
        s.refuse(&message, "UnknownSender");
    }
    for index in [1, u32::MAX] {
        let content = Content::Proposal(Proposal::Remove(4));
        let outside = super::lists::from_outside(&s, index, content, &server)?;
        s.refuse(&outside.public(&[]), "UnknownSender");
    }
    let message = s.group.private(&signed, &Encryption::of(0))?;
    let expected = Expected::Text(2, "hello".to_owned());
    s.scene.process("group", &message, expected);
    let comment = "Blank leaves, leaves of no tree, external senders that the group does not have.";
    s.done(cases, "error-unknown-sender", comment);
    Ok(())
}

fn own_message(cases: &mut Cases) -> Answer<()> {
    let mut s = Setting::new()?;
    s.refuse(&s.group.say(US, "hello", 0)?, "OwnMessage");
    let (proposal, _) = s.group.propose(US, Proposal::Remove(4))?;
    s.refuse(&proposal, "OwnMessage");
    let made = s.group.commit(&Plan::by(US, Vec::new()))?;
    s.refuse(&made.public(), "OwnMessage");
    s.commit_list(Vec::new())?;
    let comment = "Messages in our own name, which we did not make.";
    s.done(cases, "error-own-message", comment);
    Ok(())
}

fn unknown(cases: &mut Cases) -> Answer<()> {
    let mut s = Setting::new()?;
    s.scene.psk(b"shared", b"a pre-shared key");
    let (_, never_sent) = s.group.propose(3, Proposal::Remove(4))?;
    let made = s.group.commit(&Plan::by(2, vec![never_sent]))?;
    s.refuse(&made.public(), "UnknownProposal");
    let ids = [
        PskId::External(b"other".to_vec(), vec![1; 32]),
        PskId::Resumption(1, GROUP.to_vec(), 0, vec![1; 32]),
        PskId::Resumption(1, GROUP.to_vec(), 2, vec![1; 32]),
        PskId::Resumption(1, b"another group".to_vec(), 1, vec![1; 32]),
    ];
    for id in ids {
        let psk = Listed::value(Proposal::Psk(id, b"a pre-shared key".to_vec()));
        let made = s.group.commit(&Plan::by(2, vec![psk]))?;
        s.refuse(&made.public(), "UnknownPsk");
    }
    let id = PskId::External(b"shared".to_vec(), vec![1; 32]);
    let right = Proposal::Psk(id.clone(), b"a pre-shared key".to_vec());
    let wrong = Proposal::Psk(id, b"another key".to_vec());
    // With another key nothing can be told but that the tag does not hold.
    let made = s.group.commit(&Plan::by(2, vec![Listed::value(wrong)]))?;
    s.refuse(&made.public(), "BadTag");
    s.commit_list(vec![Listed::value(right)])?;
    // Resumption secrets are held for eight epochs, the present one included.
    let first = s.group.secrets.resumption;
    for _ in 0..7 {
        s.commit_list(Vec::new())?;
    }
    let id = PskId::Resumption(1, GROUP.to_vec(), 2, vec![1; 32]);
    let psk = Listed::value(Proposal::Psk(id, first.to_vec()));
    s.commit_list(vec![psk.clone()])?;
    let made = s.group.commit(&Plan::by(2, vec![psk]))?;
    s.refuse(&made.public(), "UnknownPsk");
    s.commit_list(Vec::new())?;
    let comment = "A proposal that was never sent; pre-shared keys that we do not have, and one that is another; a \
                   resumption secret at the last epoch in which it is held, and in the next.";
    s.done(cases, "error-unknown-proposal-and-psk", comment);
    Ok(())
}

fn keys(cases: &mut Cases) -> Answer<()> {
    for suite in 1..=3 {
        let mut s = Setting::with(suite, Vec::new())?;
        let good = able(suite, "new")?;
        let bad: Vec<Vec<u8>> = match suite {
            // Not on the curve; compressed; the other half of the curves; the point at infinity.
            2 => vec![
                flipped(&good.encryption.public),
                good.encryption
                    .public
                    .get(..33)
                    .unwrap_or_default()
                    .to_vec(),
                vec![0],
                vec![4; 64],
            ],
            // p + 1, not canonical; the highest bit; other lengths.
            _ => vec![
                [vec![0xee], vec![0xff; 30], vec![0x7f]].concat(),
                vec![0xff; 32],
                vec![9; 31],
                vec![9; 33],
                Vec::new(),
            ],
        };
        for key in bad {
            let with_leaf = able_with(suite, "new", |leaf| leaf.encryption_key.clone_from(&key))?;
            let mut with_init = good.clone();
            with_init.package = good.package_with(|package| package.init_key.clone_from(&key))?;
            for client in [with_leaf, with_init] {
                let proposal = Proposal::Add(Box::new(client.package));
                let (message, _) = s.group.propose(2, proposal)?;
                s.refuse(&message, "InvalidKey");
            }
            let leaf = s
                .group
                .updated(3, |leaf| leaf.encryption_key.clone_from(&key))?;
            let (message, _) = s.group.propose(3, Proposal::Update(Box::new(leaf)))?;
            s.refuse(&message, "InvalidKey");
        }
        let add = Proposal::Add(Box::new(good.package.clone()));
        let listed = s.propose(2, add)?;
        s.commit_list(vec![listed])?;
        let comment = "Encryption and init keys that are none (§22.1-R2), in Adds and updates.";
        s.done(cases, &format!("error-invalid-key-suite-{suite}"), comment);
    }
    Ok(())
}

fn refused(cases: &mut Cases) -> Answer<()> {
    let mut s = Setting::new()?;
    let new = able(1, "new")?;
    let made = s.group.commit(&Plan::by(2, vec![add(&new)]))?;
    let error = || Expected::Error("Refused".to_owned());
    s.scene.arrive("group", &made.public(), false, error());
    let (proposal, _) = s
        .group
        .propose(3, Proposal::Add(Box::new(new.package.clone())))?;
    s.scene.arrive("group", &proposal, false, error());
    // Nobody new, nothing to say no to.
    let none = s.group.commit(&Plan::by(2, Vec::new()))?;
    let state = Expected::State(none.next.secrets.authenticator);
    s.scene.arrive("group", &none.public(), false, state);
    s.group = none.next;
    // A new credential under the old signature key.
    let renames = |leaf: &mut Leaf| leaf.credential = (1, b"another name".to_vec());
    let plan = Plan {
        leaf: &renames,
        ..Plan::by(2, Vec::new())
    };
    let made = s.group.commit(&plan)?;
    s.scene.arrive("group", &made.public(), false, error());
    let state = Expected::State(made.next.secrets.authenticator);
    s.scene.arrive("group", &made.public(), true, state);
    let comment = "The app says no to a new member, proposed or committed, and to a member's new name; it is not \
                   asked where nobody is new.";
    s.done(cases, "error-refused", comment);
    Ok(())
}

fn welcomes(cases: &mut Cases) -> Answer<()> {
    for suite in 1..=3 {
        let mut s = Setting::with(suite, Vec::new())?;
        let us = s.us.package.clone();
        let good = s.group.welcome(0, &[(&us, None)])?;
        let other = able(suite, "other")?;
        let to_other = s.group.welcome(0, &[(&other.package, None)])?;
        let join = |s: &mut Setting, welcome: &[u8], error: &str| {
            let expected = Expected::Error(error.to_owned());
            s.scene.join(&Joined::new(welcome), expected);
        };
        join(&mut s, &to_other, "NotForThisKeyPackage");
        join(&mut s, &flipped(&good), "Decryption");
        // In the encrypted secrets: behind version, kind, suite, the list's length, the reference, and the KEM's
        // output.
        let mut altered = good.clone();
        let kem_output = if suite == 2 { 2 + 65 } else { 1 + 32 };
        if let Some(byte) = altered.get_mut(6 + 2 + 33 + kem_output + 20) {
            *byte ^= 1;
        }
        join(&mut s, &altered, "Decryption");
        let mut unknown = good.clone();
        if let Some(byte) = unknown.get_mut(5) {
            *byte = 77;
        }
        join(&mut s, &unknown, "UnsupportedSuite");
        let short = good.get(..good.len() - 1).unwrap_or_default();
        join(&mut s, short, "Malformed");
        join(&mut s, &[good.as_slice(), &[0]].concat(), "Malformed");
        join(&mut s, &us.message(), "Malformed");
        let mut info = s.group.info(0, true, false)?;
        info.signature = flipped(&info.signature);
        let bad = welcome(s.group.suite, &s.group.secrets, &info, &[], &[(&us, None)])?;
        join(&mut s, &bad, "BadSignature");
        info.sign(s.group.suite, &s.group.signer(2)?)?;
        let bad = welcome(s.group.suite, &s.group.secrets, &info, &[], &[(&us, None)])?;
        join(&mut s, &bad, "BadSignature");
        let id = PskId::External(b"other".to_vec(), vec![1; 32]);
        let info = s.group.info(0, true, false)?;
        let bad = welcome(
            s.group.suite,
            &s.group.secrets,
            &info,
            &[id],
            &[(&us, None)],
        )?;
        join(&mut s, &bad, "UnknownPsk");
        let both = s.group.welcome(0, &[(&other.package, None), (&us, None)])?;
        let state = Expected::State(s.group.secrets.authenticator);
        s.scene.join(&Joined::new(&both), state);
        let comment = "For another client, altered, of an unknown suite, cut, longer, another message, with a \
                       signature that does not hold, with an unknown pre-shared key; then for us and another one.";
        s.done(cases, &format!("error-welcome-suite-{suite}"), comment);
    }
    Ok(())
}
