//! The secrets of a state, from its stored form (SPEC §12.2 to §12.5), read here once more.

use subrosa::wire::Reader;
use subrosa::{Conversation, DeviceIdentity, Prekeys};

/// Takes a secret and its name.
type Sink<'a> = &'a mut dyn FnMut(&'static str, &[u8]);

pub trait Secrets {
    fn secrets(encoded: &[u8], sink: Sink<'_>);
}

impl Secrets for DeviceIdentity {
    fn secrets(encoded: &[u8], sink: Sink<'_>) {
        let mut fields = Fields::new(encoded, sink);
        fields.vector();
        fields.secret("the seed of IKs", 32);
        fields.secret("the private half of IKd", 32);
        fields.end();
    }
}

impl Secrets for Prekeys {
    fn secrets(encoded: &[u8], sink: Sink<'_>) {
        let mut fields = Fields::new(encoded, sink);
        fields.skip(4);
        for _ in 0..fields.count() {
            fields.skip(4);
            fields.secret("the private half of a signed prekey", 32);
            fields.skip(4);
            fields.secret("the seed of a last-resort KEM key", 64);
            fields.skip(8);
            if fields.flag() {
                fields.skip(8);
            }
            let records = fields.count();
            fields.skip(records * 16);
        }
        for _ in 0..fields.count() {
            fields.skip(4);
            fields.secret("a one-time private key", 32);
            fields.skip(8);
        }
        for _ in 0..fields.count() {
            fields.skip(4);
            fields.secret("the seed of a one-time KEM key", 64);
            fields.skip(8);
        }
        fields.end();
    }
}

impl Secrets for Conversation {
    fn secrets(encoded: &[u8], sink: Sink<'_>) {
        let mut fields = Fields::new(encoded, sink);
        fields.vector();
        fields.skip(32 + 32 + 8);
        for _ in 0..fields.count() {
            fields.state();
        }
        fields.end();
    }
}

/// The names of `HKs`, `CKs` and `PCKs`, the keys of the chain that sends.
pub const SENDING: [&str; 3] = ["HKs", "CKs", "PCKs"];

struct Fields<'a, 'b> {
    reader: Reader<'a>,
    sink: Sink<'b>,
}

impl<'a, 'b> Fields<'a, 'b> {
    fn new(encoded: &'a [u8], sink: Sink<'b>) -> Self {
        Self {
            reader: Reader::new(encoded),
            sink,
        }
    }

    fn secret(&mut self, what: &'static str, length: usize) {
        (self.sink)(what, self.reader.take(length).unwrap());
    }

    fn skip(&mut self, length: usize) {
        self.reader.take(length).unwrap();
    }

    fn byte(&mut self) -> u8 {
        self.reader.u8().unwrap()
    }

    fn flag(&mut self) -> bool {
        self.reader.flag().unwrap()
    }

    fn count(&mut self) -> usize {
        self.reader.vector_length().unwrap()
    }

    fn vector(&mut self) {
        let length = self.count();
        self.skip(length);
    }

    fn end(self) {
        self.reader.finish().unwrap();
    }

    /// SPEC §12.5.
    fn state(&mut self) {
        self.skip(8);
        match self.byte() {
            0 => self.skip(8 + subrosa::agreement::PREFIX),
            1 => {}
            2 => self.skip(32),
            other => panic!("origin {other}"),
        }
        if self.byte() == 1 {
            self.skip(8 + 8 + 1);
        }
        self.ratchet();
    }

    /// SPEC §12.4.
    fn ratchet(&mut self) {
        self.skip(32 + 32);
        self.secret("NHKr", 32);
        let (receives, sends) = match self.byte() {
            0 => {
                self.secret("DHs", 32);
                self.skip(32);
                self.secret("RK", 32);
                let sends = self.flag();
                if sends {
                    self.secret(SENDING[0], 32);
                    self.secret("NHKs", 32);
                    self.secret(SENDING[1], 32);
                    self.secret(SENDING[2], 32);
                    self.skip(12);
                }
                (true, sends)
            }
            1 => {
                self.secret("RK", 32);
                self.secret("NHKs", 32);
                self.skip(4);
                (true, true)
            }
            _ => (false, false),
        };
        if receives {
            self.skip(4);
            self.seeds();
        }
        if sends {
            self.seeds();
            self.braid();
        }
        if self.flag() {
            self.secret("HKr", 32);
            self.secret("CKr", 32);
            self.secret("PCKr", 32);
            self.skip(8);
            self.stored_keys();
            let filled = self.reader.u32().unwrap();
            self.skip(filled.count_ones() as usize * 4);
        }
        for _ in 0..self.count() {
            self.secret("HK of a closed chain", 32);
            self.skip(32 + 4);
            self.stored_keys();
        }
    }

    fn seeds(&mut self) {
        for _ in 0..self.count() {
            self.secret("S of an epoch", 32);
        }
    }

    fn stored_keys(&mut self) {
        for _ in 0..self.count() {
            self.skip(4);
            self.secret("a stored message key", 32);
        }
    }

    fn symbols(&mut self) {
        let count = self.count();
        self.skip(count * 18);
    }

    fn braid(&mut self) {
        const HEADER: usize = 96;
        const CT1: usize = 960;
        const CT2: usize = 160;
        let state = self.byte();
        self.skip(4);
        if state == 11 {
            return;
        }
        self.secret("PQROOT", 32);
        self.secret("AR", 32);
        self.secret("AM", 32);
        self.skip(1);
        if (1..=4).contains(&state) {
            self.secret("the seed of the Braid's key pair", 64);
        }
        match state {
            0 => {}
            1 => self.skip(HEADER),
            2 | 5 => self.symbols(),
            3 => self.skip(CT1),
            4 => {
                self.skip(CT1);
                self.symbols();
            }
            6 => self.skip(64),
            7 | 9 => {
                self.skip(64);
                self.secret("m of an encapsulation", 32);
                self.symbols();
            }
            8 => self.skip(CT1 + CT2),
            10 => self.skip(CT2),
            other => panic!("state {other} of the Braid"),
        }
        // The cursor of those that send an object.
        if [1, 2, 3, 7, 8, 10].contains(&state) {
            self.skip(3);
        }
    }
}
