//! Groups that are in memory: read whole from the store once, and stored by what changes.

use alloc::collections::BTreeMap;

use super::group_id::GroupId;
use super::limits::GROUPS_OPEN;
use super::values::GroupEntry;
use crate::mls::Member;

/// A group as the store has it, and as it is to be stored.
pub(super) struct OpenGroup {
    pub(super) entry: GroupEntry,
    pub(super) member: Member,
    /// Whether the member may have changed.
    pub(super) changed: bool,
    /// Whether the entry has.
    pub(super) entry_changed: bool,
    /// When it was used last, by the count of all uses.
    used: u64,
}

/// The groups in memory. Whatever fails, and whoever else changes the store, only those stay that are as they are stored.
#[derive(Default)]
pub(super) struct OpenGroups {
    groups: BTreeMap<GroupId, OpenGroup>,
    uses: u64,
}

impl OpenGroups {
    pub(super) fn get(&mut self, id: &GroupId) -> Option<&mut OpenGroup> {
        self.uses = self.uses.saturating_add(1);
        let group = self.groups.get_mut(id)?;
        group.used = self.uses;
        Some(group)
    }

    pub(super) fn contains(&self, id: &GroupId) -> bool {
        self.groups.contains_key(id)
    }

    pub(super) fn insert(&mut self, id: GroupId, entry: GroupEntry, member: Member) {
        self.uses = self.uses.saturating_add(1);
        let group = OpenGroup {
            entry,
            member,
            changed: false,
            entry_changed: false,
            used: self.uses,
        };
        self.groups.insert(id, group);
    }

    pub(super) fn remove(&mut self, id: &GroupId) -> Option<OpenGroup> {
        self.groups.remove(id)
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (&GroupId, &mut OpenGroup)> {
        self.groups.iter_mut()
    }

    /// What has changed is let go of: it was not stored.
    pub(super) fn let_go(&mut self) {
        self.groups
            .retain(|_, group| !group.changed && !group.entry_changed);
    }

    /// What has changed is stored. Those that were not used for longest are let go of.
    pub(super) fn were_stored(&mut self) {
        self.groups.retain(|_, group| {
            let stored = !group.changed || group.member.were_stored().is_ok();
            group.changed = false;
            group.entry_changed = false;
            stored
        });
        while self.groups.len() > GROUPS_OPEN {
            let mut all = self.groups.iter();
            let Some(mut oldest) = all.next() else { return };
            for group in all {
                if group.1.used < oldest.1.used {
                    oldest = group;
                }
            }
            let id = *oldest.0;
            self.groups.remove(&id);
        }
    }
}
