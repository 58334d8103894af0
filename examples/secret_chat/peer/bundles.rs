//! Bundles: our own, published, and the peer's, with which its identity is pinned and a conversation begun.

use subrosa::{Bundle, Conversation, Identity, VerifiedBundle, os_rng};

use super::{Fetch, Now, Peer, fingerprint};
use crate::Result;
use crate::limits::{FETCH_MAX, ONE_TIME_BATCH, ONE_TIME_LOW, REMEDY};
use crate::link::Packet;
use crate::records::Record;

impl Peer {
    pub(super) fn publish(&mut self, one_time_left: u32, now: Now) -> Result<()> {
        let rng = &mut os_rng();
        let mut one_time_left = one_time_left;
        if self.prekeys.rotation_due(now.unix_millis) {
            self.prekeys.rotate(&self.identity, now.unix_millis, rng)?;
            one_time_left = 0;
        }
        let bundle = self.prekeys.last_resort_bundle(&self.identity)?;
        self.send(Packet::Publish {
            one_time: false,
            bundle,
        });
        if one_time_left < ONE_TIME_LOW {
            let made = self
                .prekeys
                .replenish(&self.identity, ONE_TIME_BATCH, now.unix_millis, rng);
            match made {
                Ok(bundles) => {
                    for bundle in bundles {
                        self.send(Packet::Publish {
                            one_time: true,
                            bundle,
                        });
                    }
                }
                // The relay has lost too many of them. The last-resort bundle has to do for a while.
                Err(subrosa::agreement::Error::PrekeysExhausted) => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.changed = true;
        Ok(())
    }

    pub(super) fn ask_for_bundle(&mut self, now: Now) {
        let too_early = self.fetch.not_before.is_some_and(|at| now.instant < at);
        if self.fetch.asked || too_early {
            return;
        }
        self.fetch.asked = true;
        self.send(Packet::Fetch {
            address: self.peer_address.as_bytes().to_vec(),
        });
    }

    pub(super) fn take_bundle(&mut self, bundle: Option<Vec<u8>>, now: Now) -> Result<()> {
        let is_first_answer = self.fetch.not_before.is_none();
        let pause = self.fetch.pause;
        self.fetch = Fetch {
            asked: false,
            not_before: Some(now.instant + pause),
            pause: (pause * 2).min(FETCH_MAX),
        };
        let Some(bundle) = bundle else {
            if is_first_answer {
                self.show(Record::Absent {});
            }
            return Ok(());
        };
        let verified = Bundle::parse(&bundle).and_then(|bundle| bundle.verify(now.unix_millis));
        let bundle = match verified {
            Ok(bundle) => bundle,
            Err(error) => return self.refuse(error.into(), now),
        };
        let identity = *bundle.identity();
        if *identity.address() != self.peer_address {
            self.announce_stranger(identity);
            return Ok(());
        }
        let pinned = self.pin(identity);
        if pinned != identity {
            self.announce_changed(pinned, identity);
            // Until the user has decided, nobody is asked again.
            self.fetch.not_before = Some(now.instant + REMEDY);
            return Ok(());
        }
        if self.has_to_begin() && (self.begin_anew || !self.outbox.is_empty()) {
            self.begin(&bundle, now)?;
        }
        self.fetch = Fetch::default();
        self.listen();
        Ok(())
    }

    /// The first identity under the peer's name is believed, and the user told so.
    fn pin(&mut self, identity: Identity) -> Identity {
        if let Some(pinned) = self.pinned() {
            return *pinned;
        }
        self.conversation = Some(Conversation::new(identity));
        self.changed = true;
        self.show(Record::Contact {
            own: fingerprint(self.own()),
            peer: fingerprint(&identity),
        });
        identity
    }

    fn begin(&mut self, bundle: &VerifiedBundle, now: Now) -> Result<()> {
        let Some(conversation) = &mut self.conversation else {
            return Ok(());
        };
        let begun = conversation.begin(&self.identity, bundle, now.unix_millis, &mut os_rng());
        if let Err(error) = begun {
            return self.refuse(error, now);
        }
        self.begin_anew = false;
        self.changed = true;
        self.counts.add("begun", 1);
        self.show(Record::Begun {});
        Ok(())
    }

    pub(super) fn announce_changed(&mut self, pinned: Identity, other: Identity) {
        if self.announced.replace(other) != Some(other) {
            self.show(Record::Changed {
                pinned: fingerprint(&pinned),
                other: fingerprint(&other),
            });
        }
    }

    pub(super) fn announce_stranger(&mut self, stranger: Identity) {
        if self.announced.replace(stranger) != Some(stranger) {
            self.show(Record::Stranger {
                name: stranger.address().as_bytes().to_vec(),
            });
        }
    }
}
