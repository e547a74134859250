//! Bytes as decisions.

/// Takes what it needs from the front of some bytes; zeros where there are no more.
pub(crate) struct Choices<'a>(&'a [u8]);

impl<'a> Choices<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    /// A number below a limit of at least 1.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        let number = u32::from_le_bytes([self.byte(), self.byte(), self.byte(), 0]);
        number as usize % limit.max(1)
    }

    /// A score: most are ordinary, and some are none.
    pub(crate) fn score(&mut self) -> f32 {
        match self.byte() {
            0 => f32::NAN,
            1 => f32::INFINITY,
            2 => f32::NEG_INFINITY,
            3 => f32::MAX,
            4 => f32::MIN,
            5 => f32::MIN_POSITIVE / 2.0,
            6 => f32::from_bits(u32::from_le_bytes([self.byte(), self.byte(), self.byte(), self.byte()])),
            other => (f32::from(other) - 128.0) / 8.0,
        }
    }

    /// What is left.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.0
    }

    /// Some bytes as they were, but for a few edits.
    pub(crate) fn edited(&mut self, original: &[u8]) -> Vec<u8> {
        let mut bytes = original.to_vec();
        for _ in 0..self.below(6) {
            let at = self.below(bytes.len() + 1);
            let until = (at + self.below(16)).min(bytes.len());
            match self.below(7) {
                0 => bytes.truncate(at),
                1 => drop(bytes.drain(at..until)),
                2 => bytes.splice(at..until, [0xff; 8]).for_each(drop),
                3 => bytes.splice(at..at, bytes[at..until].to_vec()).for_each(drop),
                4 => bytes.splice(at..until, *b"99999999999999").for_each(drop),
                5 => bytes.splice(at..until, *b"null").for_each(drop),
                _ => {
                    let new: Vec<u8> = (at..until).map(|_| self.byte()).collect();
                    bytes.splice(at..until, new).for_each(drop);
                }
            }
        }
        bytes
    }
}
