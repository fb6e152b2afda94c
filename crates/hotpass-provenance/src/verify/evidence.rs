//! The ledger and the attestation of a run against its manifest.

use std::collections::BTreeMap;

use hotpass_core::sha256_bytes;

use super::{Outcome, Trust, Verification};
use crate::attestation::{ATTESTATION_FILE, Envelope, Resource, Statement, subjects};
use crate::ledger::{EntryKind, LEDGER_FILE, LedgerEntry, LedgerReading, check};
use crate::manifest::{MANIFEST_FILE, Manifest};

/// What an attestation is about.
#[derive(Clone, Copy)]
pub(super) struct Signed<'a> {
    pub(super) manifest: &'a Manifest,
    pub(super) manifest_text: &'a str,
    pub(super) ledger: &'a LedgerReading,
}

/// Checks a run's ledger, and that it still holds the entry that the manifest names.
pub(super) fn check_ledger(
    verification: &mut Verification,
    manifest: &Manifest,
    bytes: Option<&[u8]>,
) -> LedgerReading {
    let name = format!("ledger {LEDGER_FILE}");
    let Some(bytes) = bytes else {
        match &manifest.ledger {
            Some(_) => verification.push(name, Outcome::Failed, "The file is missing"),
            None => verification.push(name, Outcome::Noted, "The run kept no ledger"),
        }
        return LedgerReading::default();
    };
    let reading = check(bytes);
    push_reading(verification, &name, &reading);
    let strange = reading.entries.iter().find(|entry| entry.run_id.as_ref().is_some_and(|id| *id != manifest.run_id));
    if let Some(entry) = strange {
        let detail = format!("Entry {} is of run {}", entry.sequence, entry.run_id.as_deref().unwrap_or_default());
        verification.push(name.clone(), Outcome::Failed, detail);
    }
    match &manifest.ledger {
        Some(head) => verification.expect(
            name,
            reading.holds(head),
            format!("It holds entry {}, the last when the manifest was sealed", head.sequence),
            format!("Entry {}, the last when the manifest was sealed, is missing or another", head.sequence),
        ),
        None => verification.push(name, Outcome::Noted, "The manifest names no entry of it"),
    }
    reading
}

/// Puts down what was found wrong with a ledger, or that nothing was.
pub(super) fn push_reading(verification: &mut Verification, name: &str, reading: &LedgerReading) {
    for fault in &reading.faults {
        verification.push(name, Outcome::Failed, fault.to_string());
    }
    for line in &reading.repaired {
        verification.push(name, Outcome::Noted, format!("Line {line} was torn by a crash, and that is recorded"));
    }
    if reading.faults.is_empty() {
        verification.push(
            name,
            Outcome::Passed,
            format!("Each of {} entries follows from the one before", reading.entries.len()),
        );
    }
}

/// Returns the last entry of a kind.
fn last(ledger: &LedgerReading, kind: EntryKind) -> Option<&LedgerEntry> {
    ledger.entries.iter().rev().find(|entry| entry.kind == kind.as_str())
}

/// Checks the attestation: that it is the one the ledger records, whose it is, and that it says what the manifest says.
pub(super) fn check_attestation(
    verification: &mut Verification,
    signed: Signed<'_>,
    text: Option<&str>,
    trust: Trust<'_>,
) {
    let name = format!("attestation {ATTESTATION_FILE}");
    let recorded = last(signed.ledger, EntryKind::AttestationSigned);
    let Some(text) = text else {
        match (recorded, trust.require_signature) {
            (Some(_), _) => {
                verification.push(name, Outcome::Failed, "The ledger records a signature, and the file is missing");
            }
            (None, true) => verification.push(name, Outcome::Failed, "The run is not signed"),
            (None, false) => verification.push(name, Outcome::Noted, "The run is not signed"),
        }
        return;
    };
    let digest = sha256_bytes(text);
    match recorded.and_then(|entry| entry.details.get("attestation_sha256")?.as_str()) {
        Some(expected) => verification.expect(
            name.clone(),
            digest.as_str() == expected,
            format!("SHA-256 {digest}"),
            format!("The file has SHA-256 {digest}, not {expected} as the ledger records"),
        ),
        // An archive is made before or after the signature; the file in it stands for itself.
        None => verification.push(name.clone(), Outcome::Noted, "The ledger records no signature"),
    }
    let Some(statement) = check_signature(verification, &name, text, trust) else { return };
    check_statement(verification, &name, &statement, signed);
}

/// Returns the statement of an envelope, if it is signed by the key that is asked for.
pub(super) fn check_signature(
    verification: &mut Verification,
    name: &str,
    text: &str,
    trust: Trust<'_>,
) -> Option<Statement> {
    let envelope = match Envelope::parse(text) {
        Ok(envelope) => envelope,
        Err(error) => {
            verification.push(name, Outcome::Failed, chain(&error));
            return None;
        }
    };
    let keys = envelope.key_ids().join(", ");
    let (result, outcome, detail) = match trust.key {
        Some(key) => (envelope.verify(key), Outcome::Passed, format!("Signed by key {}", key.id())),
        None if trust.require_signature => (
            envelope.unverified_statement(),
            Outcome::Failed,
            "A signature is asked for, and no key is given".to_owned(),
        ),
        None => (
            envelope.unverified_statement(),
            Outcome::Noted,
            format!("Signed by key {keys}, it says; give the key with `--key` to check that"),
        ),
    };
    match result {
        Ok(statement) => {
            verification.push(name, outcome, detail);
            Some(statement)
        }
        Err(error) => {
            verification.push(name, Outcome::Failed, chain(&error));
            None
        }
    }
}

/// Checks that a statement is about this run and names its files as the manifest does.
fn check_statement(verification: &mut Verification, name: &str, statement: &Statement, signed: Signed<'_>) {
    let Signed { manifest, manifest_text, ledger } = signed;
    let details = &statement.predicate.run_details;
    let invocation = &details.metadata.invocation_id;
    if *invocation != manifest.run_id {
        verification.push(name, Outcome::Failed, format!("It is of run {invocation}"));
        return;
    }
    let recorded: BTreeMap<String, &str> =
        subjects(manifest).map(|(name, record)| (name, record.sha256.as_str())).collect();
    let mut different = differences("subject", &statement.subject, &recorded);
    let inputs =
        manifest.inputs.iter().map(|record| (format!("inputs/{}", record.path), record.sha256.as_str())).collect();
    different.extend(differences("input", &statement.predicate.build_definition.resolved_dependencies, &inputs));
    let manifest_name = format!("run/{MANIFEST_FILE}");
    let named = |name: &str| details.byproducts.iter().find(|byproduct| byproduct.name.as_deref() == Some(name));
    if named(&manifest_name).and_then(Resource::sha256) != Some(sha256_bytes(manifest_text).as_str()) {
        different.push(format!("`{MANIFEST_FILE}` is not the one that was signed"));
    }
    let prefix = format!("run/{LEDGER_FILE}#");
    for entry in &details.byproducts {
        let Some(sequence) = entry.name.as_deref().and_then(|name| name.strip_prefix(&prefix)) else { continue };
        let held = ledger
            .entries
            .iter()
            .any(|found| found.sequence.to_string() == sequence && Some(found.hash.as_str()) == entry.sha256());
        if !held {
            different.push(format!("entry {sequence} of `{LEDGER_FILE}` is missing or another"));
        }
    }
    verification.expect(
        name,
        different.is_empty(),
        format!("It names {} files, the manifest and the ledger as they are", statement.subject.len()),
        format!("It says otherwise: {}", different.join("; ")),
    );
}

fn differences(what: &str, stated: &[Resource], recorded: &BTreeMap<String, &str>) -> Vec<String> {
    let stated: BTreeMap<&str, &str> = stated
        .iter()
        .map(|resource| (resource.name.as_deref().unwrap_or_default(), resource.sha256().unwrap_or_default()))
        .collect();
    let mut found = Vec::new();
    for (name, digest) in &stated {
        match recorded.get(*name) {
            Some(recorded) if recorded == digest => {}
            Some(_) => found.push(format!("{what} `{name}` has another digest")),
            None => found.push(format!("{what} `{name}` is not in the manifest")),
        }
    }
    let unsigned = recorded.keys().filter(|name| !stated.contains_key(name.as_str()));
    found.extend(unsigned.map(|name| format!("{what} `{name}` is not signed")));
    found
}

/// Returns an error with its causes in one line.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
