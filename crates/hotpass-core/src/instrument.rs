//! What a program measures: the table that turns events of `tracing` into metrics.

/// What an instrument does with the values it is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstrumentKind {
    /// Adds up; never falls.
    Counter,
    /// Adds up; may fall.
    UpDownCounter,
    /// Keeps the newest value.
    Gauge,
    /// Counts values by how large they are.
    Histogram,
}

/// An instrument: one line of the table of what is measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Instrument {
    /// Its name, with dots between its parts.
    pub name: &'static str,
    /// What it does with values.
    pub kind: InstrumentKind,
    /// Unit, as UCUM writes it: `s`, `By`, `{row}`, `1`.
    pub unit: &'static str,
    /// What it measures, in a sentence.
    pub description: &'static str,
    /// Upper bounds of a histogram's buckets; the defaults of OpenTelemetry when empty.
    pub boundaries: &'static [f64],
    /// Names of the attributes its values may carry.
    pub attributes: &'static [&'static str],
}
