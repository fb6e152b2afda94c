//! What a run measures and tells of itself: the table of instruments, and the names of attributes that may leave.
//!
//! A run speaks through `tracing` alone; a program that listens hands [`INSTRUMENTS`] to what turns the events of target
//! `hotpass::metric` into metrics.

use std::time::Instant;

use hotpass_config::HotpassConfig;
use hotpass_core::{Diagnostic, Instrument, InstrumentKind, Severity};
use tracing::Span;

use crate::progress::Stage;
use crate::publish::WrittenFile;
use crate::statistics::{RunStatistics, TableStatistics};

/// Bounds of what takes from milliseconds to an hour, in seconds.
const SECONDS: &[f64] =
    &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0];

const fn counter(
    name: &'static str,
    unit: &'static str,
    attributes: &'static [&'static str],
    description: &'static str,
) -> Instrument {
    Instrument { name, kind: InstrumentKind::Counter, unit, description, boundaries: &[], attributes }
}

const fn seconds(name: &'static str, attributes: &'static [&'static str], description: &'static str) -> Instrument {
    Instrument { name, kind: InstrumentKind::Histogram, unit: "s", description, boundaries: SECONDS, attributes }
}

/// What a run measures, by stage.
pub const INSTRUMENTS: &[Instrument] = &[
    seconds("hotpass.run.duration", &["hotpass.command", "hotpass.outcome"], "Time from the start of a run to its end"),
    seconds("hotpass.stage.duration", &["hotpass.command", "hotpass.stage"], "Time that a stage of a run took"),
    counter("hotpass.records.processed", "{row}", &["hotpass.source"], "Rows that were read from a source"),
    counter("hotpass.bytes.read", "By", &["file.extension"], "Size of the files that were read"),
    seconds(
        "hotpass.load.duration",
        &["hotpass.source"],
        "Time to read a file, map its columns and normalise its rows",
    ),
    counter(
        "hotpass.values.changed",
        "{value}",
        &["hotpass.field"],
        "Values that normalising wrote in another form than the source",
    ),
    counter("hotpass.rows.quarantined", "{row}", &["hotpass.reason"], "Rows that went into quarantine"),
    seconds("hotpass.aggregation.duration", &[], "Time to group records into entities and to choose their values"),
    counter("hotpass.entities", "{entity}", &["hotpass.command"], "Entities that came out of a run"),
    counter(
        "hotpass.pairs.candidate",
        "{pair}",
        &["hotpass.blocking_rule"],
        "Candidate pairs that a blocking rule was the first to find",
    ),
    counter(
        "hotpass.pairs.kept",
        "{pair}",
        &["hotpass.blocking_rule"],
        "Candidate pairs that reached the lowest threshold",
    ),
    counter("hotpass.pairs.to_review", "{pair}", &["hotpass.command"], "Pairs that wait for a person"),
    seconds("hotpass.training.duration", &["hotpass.training.step"], "Time that a step of training took"),
    counter(
        "hotpass.training.iterations",
        "{iteration}",
        &[],
        "Rounds of expectation and maximisation, over all training sessions",
    ),
    counter("hotpass.validation.failures", "{row}", &["hotpass.rule"], "Rows that an expectation did not expect"),
    seconds("hotpass.validation.duration", &[], "Time to check the expectations on the result"),
    Instrument {
        name: "hotpass.data.quality_score",
        kind: InstrumentKind::Gauge,
        unit: "1",
        description: "Quality of the golden records, on average, 0 to 1",
        boundaries: &[],
        attributes: &[],
    },
    seconds("hotpass.write.duration", &[], "Time to write the published files and the run folder"),
    seconds(
        "http.client.request.duration",
        &["http.request.method", "server.address", "server.port", "http.response.status_code", "error.type"],
        "Time that an outbound request took",
    ),
    counter("hotpass.lineage.events", "{event}", &["hotpass.outcome"], "Lineage events, by what became of them"),
    counter("hotpass.lineage.retries", "{request}", &[], "Lineage events that were sent again"),
    Instrument {
        name: "hotpass.lineage.spool.depth",
        kind: InstrumentKind::Gauge,
        unit: "{event}",
        description: "Lineage events that wait in the spool",
        boundaries: &[],
        attributes: &[],
    },
    counter("hotpass.bytes.written", "By", &["file.extension"], "Size of the published files"),
];

/// An attribute of a span or a log record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attribute {
    /// Its name.
    pub name: &'static str,
    /// What it says.
    pub description: &'static str,
}

const fn attribute(name: &'static str, description: &'static str) -> Attribute {
    Attribute { name, description }
}

/// Attributes that spans, log records and measured values may carry out of the process; every other one is taken out
/// before anything is exported.
pub const ATTRIBUTES: &[Attribute] = &[
    attribute("hotpass.command", "Verb with the names of its flags, or the kind of run"),
    attribute("hotpass.run_id", "Id of the run"),
    attribute("hotpass.profile", "Name of the profile"),
    attribute(
        "hotpass.outcome",
        "How a run ended (`passed`, `did_not_pass`, `failed`, `interrupted`), or what became of an event (`delivered`, `spooled`, `lost`)",
    ),
    attribute("hotpass.stage", "Name of a stage"),
    attribute(
        "hotpass.source",
        "Name of a source in the configuration; `file-N` with the number of the file where it has none",
    ),
    attribute("hotpass.table", "Number of a table among those of its file, from 0"),
    attribute("hotpass.file", "Number of a file among those of the run, from 0"),
    attribute("hotpass.rows", "Number of rows"),
    attribute("hotpass.rows.quarantined", "Number of rows in quarantine"),
    attribute("hotpass.entities", "Number of entities"),
    attribute("hotpass.pairs", "Number of pairs"),
    attribute("hotpass.pairs.candidate", "Number of candidate pairs"),
    attribute("hotpass.pairs.kept", "Number of pairs that reached the lowest threshold"),
    attribute("hotpass.blocking_rule", "Number of a blocking rule in the model, from 0"),
    attribute("hotpass.training.step", "Step of training: `u`, `expectation_maximisation`, `prior`"),
    attribute("hotpass.training.iterations", "Rounds of expectation and maximisation"),
    attribute("hotpass.field", "Canonical field"),
    attribute("hotpass.reason", "Why a row is in quarantine, as a code"),
    attribute("hotpass.rule", "Name of an expectation"),
    attribute("hotpass.expectations", "Number of expectations"),
    attribute("hotpass.expectations.failed", "Number of expectations that do not hold"),
    attribute("hotpass.diagnostic.code", "Code of a finding"),
    attribute("hotpass.diagnostic.count", "How often it was found"),
    attribute("hotpass.outputs", "Number of published files"),
    attribute("hotpass.telemetry.signal", "Signal that a count of telemetry itself speaks of"),
    attribute("hotpass.lineage.event_type", "Type of a lineage event"),
    attribute("hotpass.lineage.events", "Number of lineage events"),
    attribute("file.extension", "Ending of a file's name, without the dot"),
    attribute("file.size", "Size of a file in bytes"),
    attribute("http.request.method", "Method of an outbound request"),
    attribute("http.request.resend_count", "How often a request was sent again"),
    attribute("http.response.status_code", "Status that a server answered with"),
    attribute("server.address", "Host that a request went to"),
    attribute("server.port", "Port that a request went to"),
    attribute("url.scheme", "Scheme of a request's address"),
    attribute("error.type", "Kind of what failed"),
];

/// Returns the names of [`ATTRIBUTES`].
pub fn attribute_names() -> impl Iterator<Item = &'static str> {
    ATTRIBUTES.iter().map(|attribute| attribute.name)
}

/// Measures a stage that has ended, under its own name and under the one of the measure it belongs to.
pub(crate) fn stage(command: &'static str, stage: Stage, seconds: f64) {
    stage_named(command, stage.name(), seconds);
    match stage {
        Stage::Group | Stage::Survive => {
            tracing::info!(target: "hotpass::metric", name = "hotpass.aggregation.duration", value = seconds);
        }
        Stage::Expect => {
            tracing::info!(target: "hotpass::metric", name = "hotpass.validation.duration", value = seconds);
        }
        Stage::Publish => {
            tracing::info!(target: "hotpass::metric", name = "hotpass.write.duration", value = seconds);
        }
        _ => {}
    }
}

/// Measures a stage that has ended.
pub(crate) fn stage_named(command: &'static str, stage: &'static str, seconds: f64) {
    tracing::info!(
        target: "hotpass::metric",
        name = "hotpass.stage.duration",
        value = seconds,
        "hotpass.command" = command,
        "hotpass.stage" = stage
    );
}

/// Returns what is told of a source: its name where the configuration gives one, else the number of the file, since the name of a
/// file may be that of a person.
pub(crate) fn source_name(config: &HotpassConfig, dataset: &str, number: usize) -> String {
    let named = config.profile.sources.iter().any(|source| source.name == dataset) || dataset.starts_with("agent:");
    if named { dataset.to_owned() } else { format!("file-{number}") }
}

/// Measures a file that was read.
pub(crate) fn file_read(source: &str, extension: &str, bytes: u64, started: Instant) {
    tracing::info!(
        target: "hotpass::metric",
        name = "hotpass.bytes.read",
        value = bytes,
        "file.extension" = extension
    );
    tracing::info!(
        target: "hotpass::metric",
        name = "hotpass.load.duration",
        value = started.elapsed().as_secs_f64(),
        "hotpass.source" = source
    );
}

/// Measures what a refine run made.
pub(crate) fn refined(
    statistics: &RunStatistics,
    outputs: &[WrittenFile],
    diagnostics: &[Diagnostic],
    source: &dyn Fn(&TableStatistics) -> String,
) {
    for table in &statistics.tables {
        tracing::info!(
            target: "hotpass::metric",
            name = "hotpass.records.processed",
            value = table.rows_in,
            "hotpass.source" = source(table)
        );
    }
    for (field, changes) in &statistics.changes {
        tracing::info!(
            target: "hotpass::metric",
            name = "hotpass.values.changed",
            value = changes.values().sum::<u64>(),
            "hotpass.field" = field.as_str()
        );
    }
    for (reason, rows) in &statistics.quarantine_reasons {
        tracing::info!(
            target: "hotpass::metric",
            name = "hotpass.rows.quarantined",
            value = *rows,
            "hotpass.reason" = reason.as_str()
        );
    }
    entities("refine", statistics.entities, statistics.pairs_to_review);
    for expectation in statistics.expectations.iter().filter(|expectation| expectation.unexpected > 0) {
        tracing::info!(
            target: "hotpass::metric",
            name = "hotpass.validation.failures",
            value = expectation.unexpected,
            "hotpass.rule" = expectation.name.as_str()
        );
    }
    for name in statistics.expectations.iter().filter(|expectation| !expectation.success).map(|result| &result.name) {
        tracing::warn!("hotpass.rule" = name.as_str(), "An expectation does not hold");
    }
    if let Some(mean) = statistics.quality_mean {
        tracing::info!(target: "hotpass::metric", name = "hotpass.data.quality_score", value = mean);
    }
    written(outputs);
    findings(diagnostics);
    if statistics.rows_quarantined > 0 {
        tracing::warn!("hotpass.rows.quarantined" = statistics.rows_quarantined, "Rows are in quarantine");
    }
}

/// Measures what came out of a run, and what waits for a person.
pub(crate) fn entities(command: &'static str, entities: u64, to_review: u64) {
    tracing::info!(
        target: "hotpass::metric",
        name = "hotpass.entities",
        value = entities,
        "hotpass.command" = command
    );
    tracing::info!(
        target: "hotpass::metric",
        name = "hotpass.pairs.to_review",
        value = to_review,
        "hotpass.command" = command
    );
}

/// Measures published files.
pub(crate) fn written(outputs: &[WrittenFile]) {
    for file in outputs {
        tracing::info!(
            target: "hotpass::metric",
            name = "hotpass.bytes.written",
            value = file.bytes,
            "file.extension" = extension(&file.path.to_string_lossy())
        );
    }
}

/// Tells what was found in the input: how often each code, and nothing of the data.
fn findings(diagnostics: &[Diagnostic]) {
    let mut counts: std::collections::BTreeMap<(&str, bool), u64> = std::collections::BTreeMap::new();
    for diagnostic in diagnostics.iter().filter(|diagnostic| diagnostic.severity > Severity::Info) {
        *counts.entry((&diagnostic.code, diagnostic.severity == Severity::Error)).or_default() += 1;
    }
    for ((code, is_error), count) in counts {
        if is_error {
            tracing::error!(
                "hotpass.diagnostic.code" = code,
                "hotpass.diagnostic.count" = count,
                "Findings in the input"
            );
        } else {
            tracing::warn!(
                "hotpass.diagnostic.code" = code,
                "hotpass.diagnostic.count" = count,
                "Findings in the input"
            );
        }
    }
}

/// Says on a run's span and in its metrics how it ended.
pub(crate) fn run_ended<E: std::fmt::Debug>(
    command: &'static str,
    span: &Span,
    result: Result<bool, &E>,
    interrupted: bool,
    started: Instant,
) {
    let outcome = match result {
        Ok(true) => "passed",
        Ok(false) => "did_not_pass",
        Err(_) if interrupted => "interrupted",
        Err(_) => "failed",
    };
    span.record("hotpass.outcome", outcome);
    if let Err(error) = result {
        let kind = error_type(error);
        span.record("error.type", kind.as_str());
        span.record("otel.status_code", "ERROR");
        let _in_run = span.enter();
        tracing::error!("error.type" = kind, "The run ended before its work was done");
    }
    let _in_run = span.enter();
    tracing::info!(
        target: "hotpass::metric",
        name = "hotpass.run.duration",
        value = started.elapsed().as_secs_f64(),
        "hotpass.command" = command,
        "hotpass.outcome" = outcome
    );
    tracing::info!("hotpass.outcome" = outcome, "The run has ended");
}

/// Returns the name of an error's variant: what failed, and nothing of what it failed on.
fn error_type(error: &impl std::fmt::Debug) -> String {
    format!("{error:?}").chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// Returns the ending of a file's name, in small letters.
pub(crate) fn extension(name: &str) -> String {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending).unwrap_or_default();
    ending.to_ascii_lowercase().chars().filter(char::is_ascii_alphanumeric).take(16).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_units_and_attributes_are_by_the_conventions() {
        let mut names = std::collections::BTreeSet::new();
        for instrument in INSTRUMENTS {
            assert!(names.insert(instrument.name), "{} is listed twice", instrument.name);
            let of_ours = instrument.name.starts_with("hotpass.") || instrument.name == "http.client.request.duration";
            assert!(of_ours, "{}", instrument.name);
            let is_unit = matches!(instrument.unit, "s" | "By" | "1")
                || instrument.unit.starts_with('{') && instrument.unit.ends_with('}');
            assert!(is_unit, "{} has unit `{}`", instrument.name, instrument.unit);
            assert!(!instrument.description.ends_with('.'), "{}", instrument.name);
            for name in instrument.attributes {
                assert!(
                    attribute_names().any(|listed| listed == *name),
                    "`{name}` of {} is not listed",
                    instrument.name
                );
            }
            if instrument.unit == "s" {
                assert_eq!(instrument.kind, InstrumentKind::Histogram, "{}", instrument.name);
            }
        }
    }

    #[test]
    fn an_errors_kind_tells_nothing_of_its_facts() {
        #[derive(Debug)]
        #[expect(dead_code, reason = "shown by `Debug`")]
        enum Failure {
            NoSuchFile { name: &'static str },
        }
        assert_eq!(error_type(&Failure::NoSuchFile { name: "thandi.xlsx" }), "NoSuchFile");
        assert_eq!(extension("a/b/Contacts 2024.XLSX"), "xlsx");
        assert_eq!(extension("noending"), "");
    }
}
