//! Changes to inputs: bits, bytes, numbers at their ends, pieces cut, doubled and moved, tokens, and two inputs spliced.

use crate::support::random::random;

/// Makes inputs out of others, always the same ones for the same name.
pub(super) struct Mutator {
    state: u64,
    tokens: Vec<&'static str>,
}

/// Numbers at which parsers go wrong.
const NUMBERS: [u64; 12] =
    [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fff_ffff, 0xffff_ffff, 1 << 32, i64::MAX as u64, u64::MAX];

/// The longest input that comes out.
const LONGEST: usize = 64 << 10;

impl Mutator {
    /// One for a target, with the tokens of its language.
    pub(super) fn new(tokens: Vec<&'static str>, name: &str) -> Self {
        let state = name.bytes().fold(0x9e37_79b9_u64, |state, byte| state.wrapping_mul(31) ^ u64::from(byte));
        Self { state, tokens }
    }

    fn below(&mut self, limit: usize) -> usize {
        random(&mut self.state, limit.max(1))
    }

    /// Changes an input in one to six places.
    pub(super) fn change(&mut self, seed: &[u8], seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut input = seed.to_vec();
        for _ in 0..=self.below(6) {
            self.once(&mut input, seeds);
        }
        input.truncate(LONGEST);
        input
    }

    fn once(&mut self, input: &mut Vec<u8>, seeds: &[Vec<u8>]) {
        let at = self.below(input.len() + 1);
        let room = input.len() - at;
        match self.below(11) {
            0 | 1 if room > 0 => input[at] ^= 1 << self.below(8),
            2 if room > 0 => input[at] = self.byte(),
            3 => input.insert(at, self.byte()),
            4 => input.truncate(at),
            5 => drop(input.drain(at..at + self.below(room + 1))),
            6 => {
                let piece = input[at..at + self.below(room.min(4096) + 1)].to_vec();
                let to = self.below(input.len() + 1);
                for _ in 0..=self.below(3) {
                    input.splice(to..to, piece.iter().copied());
                }
            }
            7 => self.number(input, at),
            8 if !self.tokens.is_empty() => {
                let token = self.token();
                input.splice(at..at, token.bytes());
            }
            9 if !self.tokens.is_empty() => {
                let token = self.token();
                let end = (at + token.len()).min(input.len());
                input.splice(at..end, token.bytes());
            }
            _ => {
                let other = &seeds[self.below(seeds.len())];
                input.truncate(at);
                input.extend_from_slice(&other[self.below(other.len() + 1)..]);
            }
        }
    }

    /// Puts a number over what is there: binary of some width in either order, or in decimal or octal digits.
    fn number(&mut self, input: &mut Vec<u8>, at: usize) {
        let number = NUMBERS[self.below(NUMBERS.len())];
        let width = [1, 2, 4, 8][self.below(4)];
        let bytes = match self.below(4) {
            0 => number.to_be_bytes()[8 - width..].to_vec(),
            1 => number.to_le_bytes()[..width].to_vec(),
            2 => number.to_string().into_bytes(),
            _ => format!("{number:o}").into_bytes(),
        };
        let end = (at + bytes.len()).min(input.len());
        input.splice(at..end, bytes);
    }

    fn token(&mut self) -> &'static str {
        let place = self.below(self.tokens.len());
        self.tokens[place]
    }

    fn byte(&mut self) -> u8 {
        u8::try_from(self.below(256)).unwrap_or(0)
    }
}
