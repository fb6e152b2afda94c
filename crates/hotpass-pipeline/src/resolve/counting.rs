//! Pair counts of blocking rules before a pair is built.

use hotpass_resolve::model::{BlockingRule, LinkageModel};
use hotpass_resolve::prediction::PairCounts;

use super::error::ResolveError;
use super::session::{PairColumns, RecordsRequest, Session, link_error};
use crate::progress::{CancelToken, Progress};

/// What [`count_blocks`] found.
#[derive(Debug)]
pub struct BlockCounts {
    /// The rules, in order.
    pub rules: Vec<BlockingRule>,
    /// Their counts.
    pub counts: PairCounts,
    /// Number of records.
    pub n_records: u64,
    /// What the caller should know, a sentence each.
    pub notices: Vec<String>,
}

/// Counts the pairs that a model's blocking rules propose, or those of rules given instead.
///
/// # Errors
///
/// Returns [`ResolveError`] when a file cannot be read or a rule cannot be run.
pub fn count_blocks(
    records: &RecordsRequest,
    mut model: LinkageModel,
    n_largest_blocks: usize,
    progress: &dyn Progress,
    cancel: &CancelToken,
) -> Result<BlockCounts, ResolveError> {
    // Only what the rules read is encoded.
    model.comparisons.clear();
    model.output.additional_columns_to_retain.clear();
    if model.blocking_rules.is_empty() {
        return Err(ResolveError::request(
            "There is no blocking rule to count",
            "Give rules with `--rule 'l.column = r.column'`, or a model that has some",
        ));
    }
    let session = Session::open(records, model, &[])?;
    let linker = session.linker(&[], PairColumns::Scores, progress, cancel)?;
    let counts = linker.count_pairs(n_largest_blocks).map_err(|error| link_error("Counting the pairs", error))?;
    Ok(BlockCounts {
        rules: session.model.blocking_rules,
        counts,
        n_records: linker.records().len() as u64,
        notices: session.notices,
    })
}
