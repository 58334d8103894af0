//! The structures of RFC 9420, written down a second time: whether bytes are an encoding, and of nothing else what.

/// Takes values off the front. `None` where there is no such value.
pub struct Fields<'a>(pub &'a [u8]);

/// Something that is read.
type Form = fn(&mut Fields<'_>) -> Option<()>;

/// SPEC §22.4: values in each list of a leaf's capabilities.
const CAPABILITIES_MAX: usize = 256;

impl<'a> Fields<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(head)
    }

    fn number(&mut self, bytes: usize) -> Option<u64> {
        let number = |sum, byte: &u8| sum << 8 | u64::from(*byte);
        Some(self.take(bytes)?.iter().fold(0, number))
    }

    /// RFC 9420 §2.1.2: the length in its shortest form.
    fn vector(&mut self) -> Option<&'a [u8]> {
        let first = *self.0.first()?;
        let (bytes, least) = [(1, 0), (2, 64), (4, 16_384), (0, 0)][usize::from(first >> 6)];
        if bytes == 0 {
            return None;
        }
        let length = self.number(bytes)? & ((1 << (8 * bytes - 2)) - 1);
        if length < least {
            return None;
        }
        self.take(usize::try_from(length).ok()?)
    }

    /// How many there are in a vector.
    fn list(&mut self, form: Form) -> Option<usize> {
        let mut inner = Fields(self.vector()?);
        let mut count = 0;
        while !inner.0.is_empty() {
            form(&mut inner)?;
            count += 1;
        }
        Some(count)
    }

    fn optional(&mut self, form: Form) -> Option<()> {
        match self.number(1)? {
            0 => Some(()),
            1 => form(self),
            _ => None,
        }
    }

    fn one_of(&mut self, bytes: usize, values: std::ops::RangeInclusive<u64>) -> Option<u64> {
        self.number(bytes).filter(|value| values.contains(value))
    }
}

/// Whether bytes are one of these, whole.
pub fn is(form: Form, bytes: &[u8]) -> bool {
    let mut fields = Fields(bytes);
    form(&mut fields).is_some() && fields.0.is_empty()
}

fn vector(fields: &mut Fields<'_>) -> Option<()> {
    fields.vector().map(drop)
}

fn number16(fields: &mut Fields<'_>) -> Option<()> {
    fields.number(2).map(drop)
}

fn number32(fields: &mut Fields<'_>) -> Option<()> {
    fields.number(4).map(drop)
}

/// A hash or a secret: 32 bytes.
fn hash(fields: &mut Fields<'_>) -> Option<()> {
    fields.vector().filter(|hash| hash.len() == 32).map(drop)
}

/// RFC 9420 §5.3.
fn credential(fields: &mut Fields<'_>) -> Option<()> {
    match fields.number(2)? {
        2 => fields.list(vector).map(drop),
        _ => vector(fields),
    }
}

/// RFC 9420 §7.2.
fn extensions(fields: &mut Fields<'_>) -> Option<()> {
    fields.list(|fields| {
        fields.number(2)?;
        vector(fields)
    })?;
    Some(())
}

/// RFC 9420 §7.2.
fn leaf_node(fields: &mut Fields<'_>) -> Option<()> {
    vector(fields)?;
    vector(fields)?;
    credential(fields)?;
    for _ in 0..5 {
        if fields.list(number16)? > CAPABILITIES_MAX {
            return None;
        }
    }
    match fields.one_of(1, 1..=3)? {
        1 => fields.take(16).map(drop)?,
        2 => {}
        _ => vector(fields)?,
    }
    extensions(fields)?;
    vector(fields)
}

/// RFC 9420 §10.
pub fn key_package(fields: &mut Fields<'_>) -> Option<()> {
    fields.take(4)?;
    vector(fields)?;
    leaf_node(fields)?;
    extensions(fields)?;
    vector(fields)
}

/// RFC 9420 §7.6.
fn ciphertext(fields: &mut Fields<'_>) -> Option<()> {
    vector(fields)?;
    vector(fields)
}

/// RFC 9420 §7.6.
fn update_path(fields: &mut Fields<'_>) -> Option<()> {
    leaf_node(fields)?;
    fields.list(|fields| {
        vector(fields)?;
        fields.list(ciphertext).map(drop)
    })?;
    Some(())
}

/// RFC 9420 §8.4.
fn psk_id(fields: &mut Fields<'_>) -> Option<()> {
    match fields.one_of(1, 1..=2)? {
        1 => vector(fields)?,
        _ => {
            fields.one_of(1, 1..=3)?;
            vector(fields)?;
            fields.take(8)?;
        }
    }
    vector(fields)
}

/// RFC 9420 §12.1, behind the type.
fn proposal_of(number: u64, fields: &mut Fields<'_>) -> Option<()> {
    match number {
        1 => key_package(fields),
        2 => leaf_node(fields),
        3 => number32(fields),
        4 => psk_id(fields),
        5 => {
            vector(fields)?;
            fields.take(4)?;
            extensions(fields)
        }
        7 => extensions(fields),
        // `kem_output` of an external init, and SPEC §22.3-R11.
        _ => vector(fields),
    }
}

pub fn add(fields: &mut Fields<'_>) -> Option<()> {
    proposal_of(1, fields)
}

pub fn update(fields: &mut Fields<'_>) -> Option<()> {
    proposal_of(2, fields)
}

pub fn remove(fields: &mut Fields<'_>) -> Option<()> {
    proposal_of(3, fields)
}

pub fn pre_shared_key(fields: &mut Fields<'_>) -> Option<()> {
    proposal_of(4, fields)
}

pub fn reinit(fields: &mut Fields<'_>) -> Option<()> {
    proposal_of(5, fields)
}

pub fn external_init(fields: &mut Fields<'_>) -> Option<()> {
    proposal_of(6, fields)
}

pub fn group_context_extensions(fields: &mut Fields<'_>) -> Option<()> {
    proposal_of(7, fields)
}

fn proposal(fields: &mut Fields<'_>) -> Option<()> {
    let number = fields.number(2)?;
    proposal_of(number, fields)
}

/// RFC 9420 §12.4.
pub fn commit(fields: &mut Fields<'_>) -> Option<()> {
    fields.list(|fields| match fields.one_of(1, 1..=2)? {
        1 => proposal(fields),
        _ => hash(fields),
    })?;
    fields.optional(update_path)
}

/// RFC 9420 §8.1: of version 1.
fn group_context(fields: &mut Fields<'_>) -> Option<()> {
    fields.one_of(2, 1..=1)?;
    fields.take(2)?;
    vector(fields)?;
    fields.take(8)?;
    vector(fields)?;
    vector(fields)?;
    extensions(fields)
}

/// RFC 9420 §12.4.3.
pub fn group_info(fields: &mut Fields<'_>) -> Option<()> {
    group_context(fields)?;
    extensions(fields)?;
    vector(fields)?;
    fields.take(4)?;
    vector(fields)
}

/// RFC 9420 §12.4.3.1.
pub fn group_secrets(fields: &mut Fields<'_>) -> Option<()> {
    hash(fields)?;
    fields.optional(hash)?;
    fields.list(psk_id).map(drop)
}

/// RFC 9420 §12.4.3.1.
pub fn welcome(fields: &mut Fields<'_>) -> Option<()> {
    fields.take(2)?;
    fields.list(|fields| {
        vector(fields)?;
        ciphertext(fields)
    })?;
    vector(fields)
}

/// RFC 9420 §6.2.
fn public_message(fields: &mut Fields<'_>) -> Option<()> {
    vector(fields)?;
    fields.take(8)?;
    let sender = fields.one_of(1, 1..=4)?;
    if sender < 3 {
        fields.take(4)?;
    }
    vector(fields)?;
    let content = fields.one_of(1, 1..=3)?;
    match content {
        1 => vector(fields)?,
        2 => proposal(fields)?,
        _ => commit(fields)?,
    }
    vector(fields)?;
    if content == 3 {
        vector(fields)?;
    }
    if sender == 1 {
        vector(fields)?;
    }
    Some(())
}

/// RFC 9420 §6.3.
fn private_message(fields: &mut Fields<'_>) -> Option<()> {
    vector(fields)?;
    fields.take(8)?;
    fields.one_of(1, 1..=3)?;
    vector(fields)?;
    vector(fields)?;
    vector(fields)
}

/// RFC 9420 §6.
pub fn message(fields: &mut Fields<'_>) -> Option<()> {
    fields.one_of(2, 1..=1)?;
    match fields.number(2)? {
        1 => public_message(fields),
        2 => private_message(fields),
        3 => welcome(fields),
        4 => group_info(fields),
        5 => key_package(fields),
        _ => None,
    }
}

/// RFC 9420 §12.4.3.3.
pub fn ratchet_tree(fields: &mut Fields<'_>) -> Option<()> {
    fields.list(|fields| {
        fields.optional(|fields| match fields.one_of(1, 1..=2)? {
            1 => leaf_node(fields),
            _ => {
                vector(fields)?;
                vector(fields)?;
                fields.list(number32).map(drop)
            }
        })
    })?;
    Some(())
}
