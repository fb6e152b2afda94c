//! What a caller hands to a run to watch it and to stop it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A stage of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Finds the input files and takes their digests.
    Discover,
    /// Reads files, maps their columns and normalises their fields.
    Read,
    /// Groups records into entities.
    Group,
    /// Chooses the values of the golden records.
    Survive,
    /// Checks the result against the profile's expectations.
    Expect,
    /// Writes the published files and the run folder.
    Publish,
    /// Estimates the probabilities of a linkage model.
    Train,
    /// Compares and scores candidate pairs.
    Score,
    /// Joins pairs to clusters.
    Cluster,
}

impl Stage {
    /// Returns the stage's name, as events and timings give it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Discover => "discover",
            Self::Read => "read",
            Self::Group => "group",
            Self::Survive => "survive",
            Self::Expect => "expect",
            Self::Publish => "publish",
            Self::Train => "train",
            Self::Score => "score",
            Self::Cluster => "cluster",
        }
    }
}

/// Watches a run. Every method has a default that does nothing.
pub trait Progress: Sync {
    /// A stage begins; `total` is the number of its steps, where that is known.
    fn started(&self, stage: Stage, total: Option<u64>) {
        let _ = (stage, total);
    }

    /// A stage has done further steps (files for discover, rows for read, entities for survive, pairs for score).
    fn advanced(&self, stage: Stage, steps: u64) {
        let _ = (stage, steps);
    }

    /// A stage has ended, after this many seconds.
    fn finished(&self, stage: Stage, seconds: f64) {
        let _ = (stage, seconds);
    }
}

/// Watches nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoProgress;

impl Progress for NoProgress {}

/// Asks a run to stop; clones ask the same run.
#[derive(Debug, Clone, Default)]
pub struct CancelToken(Arc<AtomicBool>);

impl CancelToken {
    /// Makes a token that asks for nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the run to stop at its next step.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Returns whether the run was asked to stop.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
