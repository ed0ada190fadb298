//! Chance that can be repeated: everything follows from one seed.

/// A xorshift generator.
#[derive(Debug, Clone)]
pub(crate) struct Luck(u64);

impl Luck {
    /// What follows from this seed.
    pub(crate) fn new(seed: u64) -> Self {
        // The state must not be 0, and near seeds are to give far results.
        Self(mix(seed) | 1)
    }

    /// What follows from the seed for this text and number.
    pub(crate) fn of(seed: u64, text: &str, number: usize) -> Self {
        let mut state = mix(seed) ^ number as u64;
        for byte in text.bytes() {
            state = mix(state ^ u64::from(byte));
        }
        Self::new(state)
    }

    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % limit
    }

    /// A place in a list of `length`.
    pub(crate) fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).expect("it is below a usize")
    }
}

fn mix(mut state: u64) -> u64 {
    state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}
