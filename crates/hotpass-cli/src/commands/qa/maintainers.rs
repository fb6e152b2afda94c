//! The gates that only the repository can answer: what they are called there, and how they are run.

use serde_json::{Value, json};

/// The gates of `cargo xtask qa`, which holds this list against its own.
const GATES: &[&str] = &[
    "format",
    "clippy",
    "docs",
    "test",
    "audit",
    "sbom",
    "secrets",
    "sarif",
    "references",
    "fitness",
    "coverage",
    "fuzz",
    "mutants",
];

/// Returns the command of a gate, to be typed in the repository.
pub(super) fn command(gate: &str) -> String {
    format!("cargo xtask qa {gate}")
}

/// Returns the gates with their commands.
pub(super) fn gates() -> Value {
    GATES.iter().map(|gate| json!({ "gate": gate, "run_with": command(gate) })).collect()
}

/// Returns what is said of them below the table.
pub(super) fn note() -> String {
    format!("Of the maintainers, in the repository: {} (`{}`)", GATES.join(", "), command("GATE"))
}
