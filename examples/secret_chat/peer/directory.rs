//! What the relay has of devices: our bundles and lists, published, and those of others, fetched.

use subrosa::device::Error;
use subrosa::identity::AccountId;
use subrosa::{Address, os_rng};

use super::{Now, Peer, Question};
use crate::Result;
use crate::limits::{FETCH_MAX, ONE_TIME_BATCH, ONE_TIME_LOW};
use crate::link::Packet;
use crate::records::Record;

impl Peer {
    /// The relay greets: it gets what it does not have.
    pub(super) fn publish(&mut self, one_time_left: u32, now: Now) -> Result<()> {
        if let Some(list) = self.device.list(&self.account, &mut os_rng())? {
            self.send(Packet::PublishList {
                account: *self.account.as_bytes(),
                version: list.version(),
                list: list.as_bytes().to_vec(),
            });
        }
        if one_time_left < ONE_TIME_LOW {
            return self.publish_bundles(now);
        }
        self.publish_if_due(now)
    }

    pub(super) fn publish_if_due(&mut self, now: Now) -> Result<()> {
        if self.device.publish_due(now.unix_millis, &mut os_rng())? {
            self.publish_bundles(now)?;
        }
        Ok(())
    }

    fn publish_bundles(&mut self, now: Now) -> Result<()> {
        let published = self
            .device
            .publish(ONE_TIME_BATCH, now.unix_millis, &mut os_rng())?;
        self.send(Packet::Publish {
            one_time: false,
            bundle: published.last_resort,
        });
        for bundle in published.one_time {
            self.send(Packet::Publish {
                one_time: true,
                bundle,
            });
        }
        Ok(())
    }

    /// A bundle was asked for, to begin a conversation with its device.
    pub(super) fn take_bundle(
        &mut self,
        address: &[u8],
        bundle: Option<Vec<u8>>,
        now: Now,
    ) -> Result<()> {
        let address = Address::new(address)?;
        let question = Question::Bundle(address);
        self.answered(question, now);
        let Some(bundle) = bundle else {
            return Ok(());
        };
        // It may have begun the conversation meanwhile.
        let unreached = self
            .device
            .unreached(&self.other, now.unix_millis, &mut os_rng())?;
        if !unreached.contains(&address) {
            return Ok(());
        }
        let begun = self
            .device
            .begin(&[&bundle], now.unix_millis, &mut os_rng())?;
        for begun in begun {
            match begun {
                Ok(address) => {
                    self.questions.remove(&question);
                    self.counts.add("begun", 1);
                    self.show(Record::Begun {
                        address: address.as_bytes().to_vec(),
                    });
                }
                Err(Error::KeyChanged) => self.announce_change(),
                Err(error) => {
                    self.counts.add("bundles_refused", 1);
                    self.show(Record::Refused {
                        error: error.to_string(),
                    });
                }
            }
        }
        Ok(())
    }

    /// Device lists were asked for.
    pub(super) fn take_lists(
        &mut self,
        account: AccountId,
        lists: &[Vec<u8>],
        now: Now,
    ) -> Result<()> {
        let question = Question::Lists(account);
        let is_first_answer = self
            .questions
            .get(&question)
            .is_some_and(|asked| asked.is_first());
        self.answered(question, now);
        let lists: Vec<_> = lists.iter().map(Vec::as_slice).collect();
        let time = now.unix_millis;
        match self
            .device
            .update_list(&account, &lists, time, &mut os_rng())
        {
            Ok(events) => {
                for event in events {
                    self.take_event(event, now)?;
                }
            }
            // The relay, or whoever publishes there, does not tell the truth. What is known stays known.
            Err(Error::Identity(error)) => {
                self.counts.add("lists_refused", 1);
                self.show(Record::Refused {
                    error: error.to_string(),
                });
            }
            Err(error) => return Err(error.into()),
        }
        let was_acquainted = self.acquainted;
        self.look_at_lists()?;
        if self.acquainted && self.listed {
            self.questions.remove(&question);
        }
        if self.acquainted && !was_acquainted {
            self.contact_due = true;
        }
        if self.contact_due && self.listed {
            self.contact_due = false;
            let digits = self.digits()?;
            self.show(Record::Contact { digits });
        }
        if !self.acquainted && account == self.other && is_first_answer {
            self.show(Record::Absent {});
        }
        self.take_held(&account, now)
    }

    pub(super) fn look_at_lists(&mut self) -> Result<()> {
        let own_id = AccountId::of(self.address()).map_or(0, |(_, id)| id);
        let own = self.device.list(&self.account, &mut os_rng())?;
        self.listed = own.is_some_and(|list| list.device(own_id).is_some());
        let other = self.device.list(&self.other, &mut os_rng())?;
        self.acquainted = other.is_some();
        Ok(())
    }

    /// There is an answer. Should it be of no use, the next question waits a while.
    fn answered(&mut self, question: Question, now: Now) {
        if let Some(asked) = self.questions.get_mut(&question) {
            asked.waiting = false;
            asked.not_before = now.instant + asked.pause;
            asked.pause = (asked.pause * 2).min(FETCH_MAX);
        }
    }
}
