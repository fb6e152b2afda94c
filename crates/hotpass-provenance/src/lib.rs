//! Evidence of a run: what it read and wrote, where every published value came from, and whether all of it still holds.
//!
//! ```
//! use hotpass_core::{Clock, RunDirectory, RunId, write_atomic};
//! use hotpass_provenance::manifest::{FileRecord, RunStatus};
//! use hotpass_provenance::{Manifest, manifest::RunLock, verify::Trust, verify_run};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dist = tempfile::tempdir()?;
//! let run = RunDirectory::create(dist.path(), RunId::random())?;
//! let lock = RunLock::acquire(run.root())?;
//! let mut manifest = Manifest::start(run.id(), Clock::System);
//! manifest.write(run.root())?;
//!
//! write_atomic(run.path("report.json"), "{}")?;
//! manifest.artefacts.push(FileRecord::of("report.json", &run.path("report.json"), None)?);
//! manifest.finish(RunStatus::Completed, Clock::System);
//! manifest.write(run.root())?;
//! drop(lock);
//!
//! assert_eq!(Manifest::open_run(run.root())?.status, RunStatus::Completed);
//! write_atomic(run.path("report.json"), "[]")?;
//! assert!(!verify_run(run.root(), Trust::default())?.passed());
//! # Ok(())
//! # }
//! ```
//!
//! [`Manifest`] is the record of a run; start there. [`verify_run`] and [`verify::verify_archive`] check a run against its manifest,
//! and [`explain::explain`] answers from which source cells a published value came. [`Ledger`] records what was done to a run or a
//! workspace, and [`attestation`] signs what a run has made. The crate knows no transport.

pub mod attestation;
pub mod explain;
pub mod key;
pub mod ledger;
pub mod manifest;
mod origin;
mod prov;
pub mod suppression;
mod table;
pub mod verify;

pub use key::SigningKey;
pub use ledger::{Entry, EntryKind, Ledger};
pub use manifest::Manifest;
pub use origin::run_of_file;
pub use prov::prov_document;
pub use verify::verify_run;
