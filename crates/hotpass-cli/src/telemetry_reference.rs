//! The reference page of telemetry, generated from the tables in the code.

use std::fmt::Write as _;

use hotpass_pipeline::telemetry::{ATTRIBUTES, INSTRUMENTS};
use hotpass_telemetry::{InstrumentKind, environment::VARIABLES, session::OWN_INSTRUMENTS};

/// Spans of a run, and what each stands for.
const SPANS: &[(&str, &str)] = &[
    ("hotpass.refine", "A refine run, from finding the files to the sealed manifest"),
    ("refine.discover", "Finding the files and taking their digests"),
    ("refine.read", "Reading all files"),
    ("refine.read_file", "One source file: opened, mapped, normalised"),
    ("refine.group", "Grouping records into entities"),
    ("refine.survive", "Choosing the values of the golden records"),
    ("refine.expect", "Checking the expectations on the result"),
    ("refine.publish", "Writing the published files and the run folder"),
    ("hotpass.resolve", "A run of `hotpass resolve`"),
    ("resolve.read", "Reading the records and encoding them"),
    ("resolve.train", "Training a model"),
    ("resolve.estimate_u", "Estimating u from frequencies and random pairs"),
    ("resolve.training_session", "Expectation and maximisation in the block of one training rule"),
    ("resolve.score", "Scoring candidate pairs"),
    ("resolve.blocking_rule", "The pairs of one blocking rule"),
    ("resolve.cluster", "Joining pairs to entities"),
    ("resolve.publish", "Writing rows, pairs, model and summary"),
    ("lineage.replay", "Sending the lineage events that wait, by `hotpass lineage replay`"),
    ("lineage.deliver", "One lineage event on its way, with all attempts"),
    ("POST", "One request to the lineage server, of kind client"),
];

/// Returns the page.
pub(crate) fn page() -> String {
    let mut page = String::from(
        "# Telemetry\n\nWhat a run tells of itself to an OpenTelemetry collector, a terminal or a file. It is off \
         unless it is [asked for](../how-to/watch-runs-with-opentelemetry.md).\n\n## Spans\n\n| span | stands for |\n| --- | --- |\n",
    );
    for (name, description) in SPANS {
        let _ = writeln!(page, "| `{name}` | {description} |");
    }
    page.push_str(
        "\n## Metrics\n\nHistograms of seconds have explicit bounds from 5 ms to an hour. Counters and histograms carry an \
         exemplar, the newest value with its trace and span, while the trace is sampled. An instrument keeps 2000 \
         combinations of attributes apart.\n\n| metric | kind | unit | attributes | measures |\n| --- | --- | --- | --- | --- |\n",
    );
    for instrument in INSTRUMENTS.iter().chain(OWN_INSTRUMENTS) {
        let kind = match instrument.kind {
            InstrumentKind::Counter => "counter",
            InstrumentKind::UpDownCounter => "up-down counter",
            InstrumentKind::Gauge => "gauge",
            InstrumentKind::Histogram => "histogram",
        };
        let attributes: Vec<String> = instrument.attributes.iter().map(|name| format!("`{name}`")).collect();
        let _ = writeln!(
            page,
            "| `{}` | {kind} | `{}` | {} | {} |",
            instrument.name,
            instrument.unit,
            attributes.join(", "),
            instrument.description
        );
    }
    page.push_str(
        "\n## Attributes\n\nNothing else leaves: an attribute of a span or log record that is not in this list is taken out \
         before it is exported, and so is a text in the form of an e-mail address or a telephone number.\n\n\
         | attribute | says |\n| --- | --- |\n",
    );
    for attribute in ATTRIBUTES {
        let _ = writeln!(page, "| `{}` | {} |", attribute.name, attribute.description);
    }
    page.push_str(
        "\n## Resource\n\nBy the semantic conventions: `service.name`, `service.version`, `service.instance.id`, \
         `deployment.environment.name` (the setting, else `HOTPASS_ENVIRONMENT`, else `development`), `process.pid`, \
         `process.executable.name`, `process.runtime.name`, `process.runtime.version`, `host.name`, `host.arch`, `os.type`, `telemetry.sdk.name`, \
         `telemetry.sdk.language`, `telemetry.sdk.version`; and from the configuration \
         `hotpass.governance.classification` and `hotpass.governance.data_owner`. The command line is not among them.\n\n\
         ## Variables of the OpenTelemetry specification\n\n`{SIGNAL}` is `TRACES`, `METRICS` or `LOGS`. A value that \
         cannot be used is told and otherwise ignored, as the specification asks.\n\n| variable | effect |\n| --- | --- |\n",
    );
    for variable in VARIABLES {
        let effect = match variable.effect {
            Some(effect) => effect.to_owned(),
            None => format!("Not understood: {}", variable.reason),
        };
        let _ = writeln!(page, "| `{}` | {effect} |", variable.name);
    }
    page.push_str(
        "\n`TRACEPARENT`, `TRACESTATE` and `BAGGAGE` make the run a part of the caller's trace.\n\n## Which setting wins\n\n\
         Later wins: built-in defaults, profile and configuration files (`telemetry.*`), variables of OpenTelemetry, \
         variables of Hotpass (`HOTPASS__TELEMETRY__…`), flags.\n",
    );
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_instrument_and_variable_is_on_the_page_once() {
        let page = page();
        // A metric and an attribute may share a name, so each table is looked at for itself.
        let once = |section: &str, name: &str| {
            let start = page.find(&format!("\n## {section}\n")).expect("the section is there") + 1;
            let end = page[start..].find("\n## ").map_or(page.len(), |length| start + length);
            let rows = page[start..end].matches(&format!("\n| `{name}` |")).count();
            assert_eq!(rows, 1, "{name} in section {section}");
        };
        for name in INSTRUMENTS.iter().chain(OWN_INSTRUMENTS).map(|instrument| instrument.name) {
            once("Metrics", name);
        }
        for attribute in ATTRIBUTES {
            once("Attributes", attribute.name);
        }
        for (span, _) in SPANS {
            once("Spans", span);
        }
        for variable in VARIABLES {
            once("Variables of the OpenTelemetry specification", variable.name);
        }
    }
}
