//! Seeded random numbers that depend on nothing but the seed and a position.

/// The increment and the finaliser are those of `SplitMix64` (Steele, Lea, Flood, *Fast Splittable Pseudorandom Number
/// Generators*, 2014).
const INCREMENT: u64 = 0x9e37_79b9_7f4a_7c15;

/// Gives the random number of a seed at a position.
pub(crate) fn random_at(seed: u64, position: u64) -> u64 {
    mix(mix(seed.wrapping_add(INCREMENT)).wrapping_add(position.wrapping_mul(INCREMENT)).wrapping_add(INCREMENT))
}

/// A stream of random numbers.
#[derive(Debug, Clone)]
pub(crate) struct Random {
    seed: u64,
    position: u64,
}

impl Random {
    /// Starts the stream of a seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, position: 0 }
    }

    /// Gives the next 64 bits.
    pub(crate) fn next_u64(&mut self) -> u64 {
        self.position += 1;
        random_at(self.seed, self.position)
    }

    /// Gives the next number from 0 up to, but not including, 1.
    pub(crate) fn next_unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Gives the next number of an exponential distribution of mean 1.
    pub(crate) fn next_exponential(&mut self) -> f64 {
        -(1.0 - self.next_unit()).ln()
    }
}

fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}
