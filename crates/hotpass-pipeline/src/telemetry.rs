//! What a run measures and tells of itself: the table of instruments, and the names of attributes that may leave.

use hotpass_core::{Instrument, InstrumentKind};

/// What a run measures.
pub const INSTRUMENTS: &[Instrument] = &[Instrument {
    name: "hotpass.records.processed",
    kind: InstrumentKind::Counter,
    unit: "{row}",
    description: "Rows that were read from a source",
    boundaries: &[],
    attributes: &["hotpass.source"],
}];

/// Returns the names of attributes that spans and log records may carry out of the process; one that ends with a dot stands for all that
/// begin with it.
pub fn attribute_names() -> impl Iterator<Item = &'static str> {
    ["hotpass.", "http.", "server.", "error.type"].into_iter()
}
