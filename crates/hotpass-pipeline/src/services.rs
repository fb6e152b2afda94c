//! What stands around a run: who asked for it, and where its evidence goes.

use std::sync::Arc;

use hotpass_provenance::SigningKey;
use hotpass_quality::SqlChecks;

use crate::lineage::LineageServices;

/// Who asked for a run, and the services it may use. Each is optional; the default uses none.
#[derive(Debug, Clone, Default)]
pub struct Services {
    /// Who runs it, for the ledger.
    pub operator: Option<String>,
    /// The command with the names of its flags, without their values.
    pub command: Vec<String>,
    /// The key that signs what the run makes; nothing is signed without one.
    pub signing_key: Option<SigningKey>,
    /// The SQL engine of expectations; without one, a suite that asks for SQL is refused.
    pub sql: Option<Arc<dyn SqlChecks>>,
    /// The key of hashes and tokens, which `compliance.pii_redaction.key` names.
    pub privacy_key: Option<hotpass_core::Secret>,
    /// Where the run's lineage goes.
    pub lineage: LineageServices,
}
