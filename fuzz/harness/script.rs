//! Reads the fuzzer's bytes as instructions. Whatever is missing is zero, so that every input means something.

/// Instructions not yet carried out.
pub struct Script<'a> {
    rest: &'a [u8],
}

impl<'a> Script<'a> {
    pub fn new(data: &'a [u8]) -> Self {
        Self { rest: data }
    }

    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next `count` bytes, or as many as there are.
    pub fn take(&mut self, count: usize) -> &'a [u8] {
        let (head, rest) = self.rest.split_at(count.min(self.rest.len()));
        self.rest = rest;
        head
    }

    pub fn rest(&mut self) -> &'a [u8] {
        self.take(usize::MAX)
    }

    pub fn u8(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or(0)
    }

    pub fn u16(&mut self) -> usize {
        usize::from(self.u8()) << 8 | usize::from(self.u8())
    }

    /// An index below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::from(self.u8()) % bound
    }

    /// A place in `bytes` or at their end.
    fn place(&mut self, bytes: &[u8]) -> usize {
        self.u16() % (bytes.len() + 1)
    }

    /// A message: one of `genuine` with up to four changes, or bytes of the fuzzer's own.
    pub fn message(&mut self, genuine: &[&[u8]]) -> Vec<u8> {
        let choice = self.below(genuine.len() + 1);
        let Some(base) = genuine.get(choice) else {
            let length = self.u16();
            return self.take(length).to_vec();
        };
        let mut message = base.to_vec();
        for _ in 0..self.below(5) {
            self.change(&mut message, genuine);
        }
        message
    }

    fn change(&mut self, message: &mut Vec<u8>, genuine: &[&[u8]]) {
        let kind = self.u8() % 6;
        let at = self.place(message);
        let length = self.u16();
        match kind {
            // Bits of one byte.
            0 => {
                if let Some(byte) = message.get_mut(at) {
                    *byte ^= (length & 0xff) as u8;
                }
            }
            // Bytes overwritten.
            1 => {
                let new = self.take(length % 64);
                for (to, from) in message.iter_mut().skip(at).zip(new) {
                    *to = *from;
                }
            }
            // The end cut off.
            2 => message.truncate(at),
            // Bytes put in.
            3 => {
                let new = self.take(length % 64);
                message.splice(at..at, new.iter().copied());
            }
            // Bytes taken out.
            4 => {
                let end = (at + length).min(message.len());
                message.drain(at..end);
            }
            // A part of another genuine message, counted from either end.
            _ => {
                let other = genuine[self.below(genuine.len())];
                let shift = match self.u8() % 2 {
                    0 => 0,
                    _ => other.len() as isize - message.len() as isize,
                };
                for place in at..(at + length).min(message.len()) {
                    let from = usize::try_from(place as isize + shift).ok();
                    if let Some(byte) = from.and_then(|from| other.get(from)) {
                        message[place] = *byte;
                    }
                }
            }
        }
    }
}
