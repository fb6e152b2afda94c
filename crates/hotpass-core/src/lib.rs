//! The ground every Hotpass crate stands on: diagnostics, field and artefact names, run ids, clock, and files that are never half-written.
//!
//! ```
//! use hotpass_core::{Diagnostic, Location};
//!
//! let diagnostic = Diagnostic::warning("ingest.header.duplicate", "Column `Email` appears twice")
//!     .at(Location::file("contacts.xlsx").sheet("Schools").row(1).column(3))
//!     .hint("The second one is read as `email__dup1`");
//! assert_eq!(diagnostic.to_string(), "warning: contacts.xlsx#Schools!D1: Column `Email` appears twice");
//! ```
//!
//! The crate knows no formats, no stages and no network. It reads the clock only through [`Clock`].

mod atomic;
mod clock;
mod diagnostic;
mod digest;
pub mod expectations;
pub mod fields;
mod instrument;
mod mask;
mod nearest;
pub mod operator;
mod run;
mod secret;

pub use atomic::{AtomicFile, write_atomic};
pub use clock::Clock;
pub use diagnostic::{Diagnostic, Location, Severity, column_letters};
pub use digest::{Sha256Digest, sha256_bytes, sha256_file, sha256_reader};
pub use instrument::{Instrument, InstrumentKind};
pub use mask::mask;
pub use nearest::nearest;
pub use run::{RunDirectory, RunId, RunLookupError};
pub use secret::{Secret, SecretError, SecretReference};
