//! The choice of machine code by what the processor knows.
//!
//! The kernels are plain Rust; what pays is that bit counts and bit tricks become single instructions. One body is compiled
//! twice, and the tier that was detected once picks one of the two.

/// Which compiled form of the kernels runs. Values other than the portable one exist only where the processor supports them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tier(Level);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Haswell,
    /// 512-bit vectors: eight lanes in one register, and their bits counted at once.
    #[cfg(target_arch = "x86_64")]
    IceLake,
}

/// Work whose body is compiled once per tier; `run` must be `#[inline(always)]`, with all that it calls in its loops.
pub(super) trait Work {
    /// What the work gives.
    type Output;

    /// Does the work.
    fn run(self) -> Self::Output;
}

impl Tier {
    /// Gives the form that needs nothing but the target's baseline.
    #[cfg(test)]
    pub(super) fn portable() -> Self {
        Self(Level::Portable)
    }

    /// Gives every form that this processor can run.
    #[cfg(test)]
    pub(super) fn all() -> Vec<Self> {
        let mut tiers = vec![Self::portable(), Self::detect()];
        #[cfg(target_arch = "x86_64")]
        if Self::detect() == Self(Level::IceLake) {
            tiers.push(Self(Level::Haswell));
        }
        tiers
    }

    /// Gives the best form that this processor can run.
    pub(super) fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("fma")
            && is_x86_feature_detected!("lzcnt")
            && is_x86_feature_detected!("popcnt")
        {
            let has_wide_vectors = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512cd")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512vpopcntdq");
            return Self(if has_wide_vectors { Level::IceLake } else { Level::Haswell });
        }
        Self(Level::Portable)
    }

    /// Runs the work in this tier's form.
    #[inline]
    pub(super) fn run<W: Work>(self, work: W) -> W::Output {
        match self.0 {
            Level::Portable => work.run(),
            #[cfg(target_arch = "x86_64")]
            #[expect(unsafe_code, reason = "calls code compiled for features that were detected")]
            // SAFETY: a `Tier` of this level is made only by `detect`, which checked that the processor has every feature that
            // `run_haswell` is compiled for.
            Level::Haswell => unsafe { run_haswell(work) },
            #[cfg(target_arch = "x86_64")]
            #[expect(unsafe_code, reason = "calls code compiled for features that were detected")]
            // SAFETY: as above, for the features of `run_ice_lake`.
            Level::IceLake => unsafe { run_ice_lake(work) },
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,fma,lzcnt,popcnt")]
fn run_haswell<W: Work>(work: W) -> W::Output {
    work.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(
    enable = "avx2,bmi1,bmi2,fma,lzcnt,popcnt,avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx512vpopcntdq"
)]
fn run_ice_lake<W: Work>(work: W) -> W::Output {
    work.run()
}
