//! Signed statements about files: in-toto Statement v1 with SLSA Provenance v1, in a DSSE envelope.
//!
//! Sources: in-toto Attestation Framework, *Statement* v1 and *Resource Descriptor* v1; SLSA, *Provenance* v1; secure-systems-lab,
//! *DSSE* v1.0.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use hotpass_core::Sha256Digest;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::key::{PublicKey, SigningKey};
use crate::ledger::LedgerHead;
use crate::manifest::{FileRecord, MANIFEST_FILE, Manifest};

/// Name of the attestation in the run folder.
pub const ATTESTATION_FILE: &str = "attestation.json";
/// Type of a statement.
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
/// Type of its predicate.
pub const PREDICATE_TYPE: &str = "https://slsa.dev/provenance/v1";
/// Type of the payload of an envelope.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
/// How a run made its files: this, the verb, and `/v1`.
pub const RUN_BUILD_TYPE: &str = "https://hotpass.dev/build-types/";
/// How files came about that a person vouches for, such as release binaries.
pub const FILES_BUILD_TYPE: &str = "https://hotpass.dev/build-types/files/v1";
/// The program that made them.
pub const BUILDER_ID: &str = "https://hotpass.dev/builder";

/// What is said about files: which they are, and how they were made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Statement {
    /// [`STATEMENT_TYPE`].
    #[serde(rename = "_type")]
    pub statement_type: String,
    /// The files.
    pub subject: Vec<Resource>,
    /// [`PREDICATE_TYPE`].
    #[serde(rename = "predicateType")]
    pub predicate_type: String,
    /// How they were made.
    pub predicate: Provenance,
}

/// SLSA Provenance v1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Provenance {
    /// What went in.
    pub build_definition: BuildDefinition,
    /// What happened.
    pub run_details: RunDetails,
}

/// What went into the files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BuildDefinition {
    /// What the parameters mean, such as [`FILES_BUILD_TYPE`].
    pub build_type: String,
    /// What the user asked for.
    pub external_parameters: Map<String, Value>,
    /// The files that were read.
    #[serde(default)]
    pub resolved_dependencies: Vec<Resource>,
}

/// How the files were made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunDetails {
    /// By what.
    pub builder: Builder,
    /// In which run.
    pub metadata: BuildMetadata,
    /// What else came of it: the manifest, the last entry of the ledger.
    #[serde(default)]
    pub byproducts: Vec<Resource>,
}

/// What made the files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Builder {
    /// [`BUILDER_ID`].
    pub id: String,
    /// Component to version.
    #[serde(default)]
    pub version: BTreeMap<String, String>,
}

/// Which run made the files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BuildMetadata {
    /// Id of the run.
    pub invocation_id: String,
    /// When it started, RFC 3339 in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_on: Option<String>,
    /// When it ended, RFC 3339 in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_on: Option<String>,
}

/// A file or another thing, by its digest.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Resource {
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// Algorithm to digest in hexadecimal.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub digest: BTreeMap<String, String>,
    /// What else is known of it.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub annotations: Map<String, Value>,
}

impl Resource {
    /// Names a file by its SHA-256.
    pub fn file(name: impl Into<String>, sha256: &Sha256Digest) -> Self {
        Self {
            name: Some(name.into()),
            digest: BTreeMap::from([("sha256".to_owned(), sha256.to_string())]),
            ..Self::default()
        }
    }

    /// Returns its SHA-256.
    pub fn sha256(&self) -> Option<&str> {
        self.digest.get("sha256").map(String::as_str)
    }
}

impl Statement {
    /// Makes a statement about the outputs and artefacts of a finished run.
    ///
    /// Names are those the files have in an archive: an output by its file name, an artefact below `run/`, an input below
    /// `inputs/`. `manifest_sha256` is that of the manifest's bytes.
    pub fn of_run(manifest: &Manifest, manifest_sha256: &Sha256Digest, command: &[String]) -> Self {
        let subject = subjects(manifest).map(|(name, record)| Resource::file(name, &record.sha256)).collect();
        let mut parameters = Map::new();
        parameters.insert("command".to_owned(), json!(command));
        parameters.insert("profile".to_owned(), json!(manifest.profile));
        parameters.insert("configDigest".to_owned(), json!({"sha256": manifest.config_digest}));
        let resolved_dependencies = manifest
            .inputs
            .iter()
            .map(|record| Resource::file(format!("inputs/{}", record.path), &record.sha256))
            .collect();
        let mut byproducts = vec![Resource::file(format!("run/{MANIFEST_FILE}"), manifest_sha256)];
        byproducts.extend(manifest.ledger.as_ref().map(ledger_entry));
        Self::new(
            subject,
            BuildDefinition {
                build_type: format!("{RUN_BUILD_TYPE}{}/v1", manifest.command),
                external_parameters: parameters,
                resolved_dependencies,
            },
            RunDetails {
                builder: Builder { id: BUILDER_ID.to_owned(), version: manifest.versions.clone() },
                metadata: BuildMetadata {
                    invocation_id: manifest.run_id.clone(),
                    started_on: Some(manifest.started_at.clone()),
                    finished_on: manifest.finished_at.clone(),
                },
                byproducts,
            },
        )
    }

    /// Makes a statement.
    pub fn new(subject: Vec<Resource>, build_definition: BuildDefinition, run_details: RunDetails) -> Self {
        Self {
            statement_type: STATEMENT_TYPE.to_owned(),
            subject,
            predicate_type: PREDICATE_TYPE.to_owned(),
            predicate: Provenance { build_definition, run_details },
        }
    }
}

/// Returns the outputs and artefacts of a run under the names a statement gives them.
pub(crate) fn subjects(manifest: &Manifest) -> impl Iterator<Item = (String, &FileRecord)> {
    let file_name = |path: &str| path.rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
    let outputs = manifest.outputs.iter().map(move |record| (file_name(&record.path), record));
    outputs.chain(manifest.artefacts.iter().map(|record| (format!("run/{}", record.path), record)))
}

/// Names an entry of the run's ledger; its digest is that of the entry's canonical bytes.
pub(crate) fn ledger_entry(head: &LedgerHead) -> Resource {
    Resource {
        name: Some(format!("run/{}#{}", crate::ledger::LEDGER_FILE, head.sequence)),
        digest: BTreeMap::from([("sha256".to_owned(), head.hash.clone())]),
        ..Resource::default()
    }
}

/// A signed payload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Envelope {
    /// Type of the payload.
    pub payload_type: String,
    /// The payload in base64.
    pub payload: String,
    /// Its signatures.
    pub signatures: Vec<EnvelopeSignature>,
}

/// A signature of an envelope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnvelopeSignature {
    /// Name of the key, [`PublicKey::id`]; a hint, not to be trusted.
    #[serde(default)]
    pub keyid: String,
    /// The signature in base64.
    pub sig: String,
}

/// Why an envelope says nothing that can be relied on.
#[derive(Debug, thiserror::Error)]
pub enum AttestationError {
    /// It is no envelope.
    #[error("Not a DSSE envelope")]
    NotAnEnvelope(#[source] serde_json::Error),
    /// The payload or a signature is no base64.
    #[error("The envelope's base64 is malformed")]
    Base64(#[source] base64::DecodeError),
    /// The payload is of another type.
    #[error("The envelope holds `{payload_type}`, not `{PAYLOAD_TYPE}`")]
    PayloadType {
        /// Its type.
        payload_type: String,
    },
    /// The payload is no statement that is understood.
    #[error("The payload is no in-toto statement with SLSA provenance")]
    NotAStatement(#[source] serde_json::Error),
    /// The statement or its predicate is of another type.
    #[error("The statement is of type `{found}`, not `{expected}`")]
    StatementType {
        /// Its type.
        found: String,
        /// The type that is understood.
        expected: &'static str,
    },
    /// The key has made none of the signatures.
    #[error("No signature is that of key {key}; the envelope names {}", named.join(", "))]
    Signature {
        /// Name of the key.
        key: String,
        /// Keys that the envelope names.
        named: Vec<String>,
    },
    /// The statement cannot be written as JSON.
    #[error("Failed to write the statement as JSON")]
    Encode(#[source] serde_json::Error),
}

impl Envelope {
    /// Signs a statement.
    ///
    /// # Errors
    ///
    /// Returns [`AttestationError::Encode`] when it cannot be written as JSON.
    pub fn sign(statement: &Statement, key: &SigningKey) -> Result<Self, AttestationError> {
        let payload = serde_json::to_vec(statement).map_err(AttestationError::Encode)?;
        let signature = key.sign(&pre_authentication(PAYLOAD_TYPE, &payload));
        Ok(Self {
            payload_type: PAYLOAD_TYPE.to_owned(),
            payload: STANDARD.encode(payload),
            signatures: vec![EnvelopeSignature { keyid: key.public().id(), sig: STANDARD.encode(signature) }],
        })
    }

    /// Reads an envelope.
    ///
    /// # Errors
    ///
    /// Returns [`AttestationError::NotAnEnvelope`] when the text is none.
    pub fn parse(text: &str) -> Result<Self, AttestationError> {
        serde_json::from_str(text).map_err(AttestationError::NotAnEnvelope)
    }

    /// Returns the envelope as JSON, with a line break at the end.
    ///
    /// # Errors
    ///
    /// Returns [`AttestationError::Encode`] when that fails.
    pub fn to_json(&self) -> Result<String, AttestationError> {
        serde_json::to_string(self).map(|text| text + "\n").map_err(AttestationError::Encode)
    }

    /// Returns the statement if the key has signed it.
    ///
    /// # Errors
    ///
    /// Returns [`AttestationError`] when it has not, or the payload is no statement of the types that are understood.
    pub fn verify(&self, key: &PublicKey) -> Result<Statement, AttestationError> {
        let message = pre_authentication(&self.payload_type, &decode(&self.payload)?);
        let signed = self
            .signatures
            .iter()
            .any(|signature| decode(&signature.sig).is_ok_and(|signature| key.verifies(&message, &signature)));
        if !signed {
            return Err(AttestationError::Signature { key: key.id(), named: self.key_ids() });
        }
        self.unverified_statement()
    }

    /// Returns the statement without a look at who has signed it.
    ///
    /// # Errors
    ///
    /// Returns [`AttestationError`] when the payload is no statement of the types that are understood.
    pub fn unverified_statement(&self) -> Result<Statement, AttestationError> {
        if self.payload_type != PAYLOAD_TYPE {
            return Err(AttestationError::PayloadType { payload_type: self.payload_type.clone() });
        }
        let statement: Statement =
            serde_json::from_slice(&decode(&self.payload)?).map_err(AttestationError::NotAStatement)?;
        for (found, expected) in
            [(&statement.statement_type, STATEMENT_TYPE), (&statement.predicate_type, PREDICATE_TYPE)]
        {
            if found != expected {
                return Err(AttestationError::StatementType { found: found.clone(), expected });
            }
        }
        Ok(statement)
    }

    /// Returns the keys that the envelope names.
    pub fn key_ids(&self) -> Vec<String> {
        self.signatures.iter().map(|signature| signature.keyid.clone()).collect()
    }
}

/// Returns what is signed: the pre-authentication encoding of DSSE v1.
fn pre_authentication(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut message = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    message.extend_from_slice(payload);
    message
}

/// Reads base64 with either alphabet, as the standard asks for.
fn decode(text: &str) -> Result<Vec<u8>, AttestationError> {
    STANDARD.decode(text).or_else(|_| URL_SAFE.decode(text)).map_err(AttestationError::Base64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hotpass_core::Clock;

    fn statement() -> Statement {
        let mut manifest = Manifest::start("018bcfe5-6800-7000-8000-000000000000", Clock::fixed_seconds(0));
        manifest.artefacts.push(FileRecord {
            path: "data-docs/index.html".to_owned(),
            sha256: hotpass_core::sha256_bytes("x"),
            bytes: 1,
            rows: None,
        });
        manifest.ledger = Some(LedgerHead { sequence: 4, hash: hotpass_core::sha256_bytes("y").to_string() });
        Statement::of_run(&manifest, &hotpass_core::sha256_bytes("m"), &["hotpass".to_owned(), "refine".to_owned()])
    }

    #[test]
    fn what_is_signed_is_the_standards_encoding() {
        // DSSE protocol, test vector.
        assert_eq!(
            pre_authentication("http://example.com/HelloWorld", b"hello world"),
            b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
        );
    }

    #[test]
    fn a_changed_envelope_or_another_key_does_not_verify() -> Result<(), Box<dyn std::error::Error>> {
        let key = SigningKey::generate()?;
        let envelope = Envelope::sign(&statement(), &key)?;
        assert_eq!(envelope.verify(&key.public())?, statement());
        assert_eq!(Envelope::parse(&envelope.to_json()?)?, envelope);
        assert_eq!(envelope.key_ids(), [key.public().id()]);

        let other = SigningKey::generate()?.public();
        assert!(matches!(envelope.verify(&other), Err(AttestationError::Signature { .. })));
        let mut forged = statement();
        forged.subject[0].digest.insert("sha256".to_owned(), "0".repeat(64));
        let forged = Envelope { payload: STANDARD.encode(serde_json::to_vec(&forged)?), ..envelope.clone() };
        assert!(matches!(forged.verify(&key.public()), Err(AttestationError::Signature { .. })));
        let retyped = Envelope { payload_type: "text/plain".to_owned(), ..envelope };
        assert!(matches!(retyped.verify(&key.public()), Err(AttestationError::Signature { .. })));
        Ok(())
    }

    #[test]
    fn only_statements_of_known_types_are_understood() -> Result<(), Box<dyn std::error::Error>> {
        let key = SigningKey::generate()?;
        let mut other = statement();
        other.predicate_type = "https://example.com/other".to_owned();
        let refused = Envelope::sign(&other, &key)?.verify(&key.public());
        assert!(
            matches!(refused, Err(AttestationError::StatementType { expected: PREDICATE_TYPE, .. })),
            "{refused:?}"
        );
        assert!(Envelope::parse("{}").is_err());
        Ok(())
    }

    #[test]
    fn names_are_those_of_an_archive() {
        let statement = statement();
        assert_eq!(statement.subject[0].name.as_deref(), Some("run/data-docs/index.html"));
        let byproducts: Vec<_> = statement
            .predicate
            .run_details
            .byproducts
            .iter()
            .filter_map(|byproduct| byproduct.name.as_deref())
            .collect();
        assert_eq!(byproducts, ["run/manifest.json", "run/ledger.ndjson#4"]);
    }
}
