//! Whether the files of an attestation are those that were signed.

use std::path::Path;

use hotpass_core::sha256_file;

use super::evidence::check_signature;
use super::{Outcome, Trust, Verification, VerifyError};
use crate::attestation::Envelope;

/// Verifies an attestation of files such as release binaries: its signature, and the digest of every subject, looked for in a
/// folder.
///
/// # Errors
///
/// Returns [`VerifyError`] when the file cannot be read or is no attestation; everything else is a check that fails.
pub fn verify_files(attestation: &Path, folder: &Path, trust: Trust<'_>) -> Result<Verification, VerifyError> {
    let text = std::fs::read_to_string(attestation)
        .map_err(|source| VerifyError::Io { path: attestation.to_path_buf(), source })?;
    Envelope::parse(&text).map_err(|source| VerifyError::NoAttestation { path: attestation.to_path_buf(), source })?;
    let mut verification = Verification::default();
    let name = format!("attestation {}", attestation.file_name().unwrap_or_default().to_string_lossy());
    let Some(statement) = check_signature(&mut verification, &name, &text, trust) else { return Ok(verification) };
    for subject in &statement.subject {
        let file = subject.name.as_deref().unwrap_or_default();
        let (outcome, detail) = match (sha256_file(folder.join(file)), subject.sha256()) {
            (Ok(digest), Some(expected)) if digest.as_str() == expected => {
                (Outcome::Passed, format!("SHA-256 {digest}"))
            }
            (Ok(digest), Some(expected)) => (Outcome::Failed, format!("The file has SHA-256 {digest}, not {expected}")),
            (Ok(_), None) => (Outcome::Failed, "It is signed without its SHA-256".to_owned()),
            (Err(error), _) => (Outcome::Failed, format!("The file cannot be read: {error}")),
        };
        verification.push(format!("subject {file}"), outcome, detail);
    }
    Ok(verification)
}
