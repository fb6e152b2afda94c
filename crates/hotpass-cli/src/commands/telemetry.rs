//! `hotpass telemetry`: the way to a collector.

use std::collections::BTreeSet;

use clap::{Args, Subcommand, ValueEnum};
use hotpass_telemetry::settings::Protocol;
use hotpass_telemetry::{Telemetry, check::Answer, check::SignalCheck, settings::Signal};
use serde_json::{Value, json};

use crate::context::{ConfigArgs, Context};
use crate::error::CommandError;
use crate::exit::{ErrorKind, Exit};
use crate::printer::Style;
use crate::telemetry::{TelemetryArgs, variable};

/// Try the way to an OpenTelemetry collector
#[derive(Debug, Args)]
pub(crate) struct TelemetryCommandArgs {
    #[command(subcommand)]
    verb: TelemetryVerb,
}

#[derive(Debug, Subcommand)]
enum TelemetryVerb {
    Check(CheckArgs),
}

/// Send one span, one metric and one log record, and say what came back
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hotpass telemetry check --telemetry-otlp-endpoint http://localhost:4318
  OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4317 hotpass telemetry check --format json

Exit code 1 when anything did not arrive.")]
struct CheckArgs {
    /// Form of the answer
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    format: Format,
    #[command(flatten)]
    telemetry: TelemetryArgs,
    #[command(flatten)]
    config: ConfigArgs,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table
    #[default]
    Table,
    /// JSON
    Json,
}

pub(crate) fn run(args: TelemetryCommandArgs, context: &mut Context) -> Result<Exit, CommandError> {
    match args.verb {
        TelemetryVerb::Check(args) => check(&args, context),
    }
}

fn check(args: &CheckArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let loaded = args.config.load_with(context, &args.telemetry.flags())?;
    let (mut settings, warnings) = args.telemetry.settings(&loaded, &variable)?;
    for warning in warnings {
        context.printer.note(format_args!("Telemetry: {warning}"));
    }
    if !settings.enabled {
        // Who asks whether it works wants to know it for the local collector too.
        settings.set_exporters(&[hotpass_telemetry::settings::ExporterKind::Otlp]);
        context
            .printer
            .note("Runs send nothing: telemetry is switched off, or neither an exporter nor an endpoint is named");
    }
    let checks = Telemetry::check(&settings)
        .map_err(|error| CommandError::usage("Cannot reach for a collector").caused_by(&error))?;
    if checks.is_empty() {
        return Err(CommandError::usage("No signal goes to a collector")
            .hint("Name one with `--telemetry-otlp-endpoint URL`, and `otlp` among the exporters"));
    }
    for signal in Signal::ALL.into_iter().filter(|signal| checks.iter().all(|check| check.signal != *signal)) {
        context.printer.note(format_args!("No collector gets {}", signal.name()));
    }
    let refused: Vec<&str> =
        checks.iter().filter(|check| !check.is_accepted()).map(|check| check.signal.name()).collect();
    if args.format == Format::Json {
        let accepted = refused.is_empty();
        context.printer.json(&json!({
            "accepted": accepted, "signals": checks.iter().map(as_json).collect::<Vec<_>>(),
        }))?;
    } else {
        let rows: Vec<[String; 5]> = checks
            .iter()
            .map(|check| {
                let style = if check.is_accepted() { Style::Good } else { Style::Bad };
                [
                    check.signal.name().to_owned(),
                    protocol(check).to_owned(),
                    check.address.clone(),
                    context.printer.style(style, words(&check.answer)),
                    format!("{:.1} ms", check.elapsed.as_secs_f64() * 1e3),
                ]
            })
            .collect();
        context.printer.table(["signal", "protocol", "sent to", "answer", "took"], rows)?;
        if let Some(check) = checks.first().filter(|check| check.is_accepted()) {
            context.printer.note(format_args!("Look it up by its trace: {}", check.trace_id));
        }
    }
    if refused.is_empty() {
        return Ok(Exit::Done);
    }
    let mut error = CommandError::new(ErrorKind::Failure, format!("Not everything arrived: {}", refused.join(", ")));
    let hints: BTreeSet<&str> = checks.iter().filter_map(|check| check.hint.as_deref()).collect();
    for hint in hints {
        error = error.hint(hint);
    }
    Err(error)
}

fn protocol(check: &SignalCheck) -> &'static str {
    match check.protocol {
        Protocol::Grpc => "grpc",
        Protocol::HttpProtobuf => "http/protobuf",
    }
}

fn words(answer: &Answer) -> String {
    match answer {
        Answer::Accepted => "accepted".to_owned(),
        Answer::AcceptedWithWarning { message } => format!("accepted, with a warning: {message}"),
        Answer::Rejected { message } => format!("rejected: {message}"),
        Answer::Refused { reason } => format!("refused: {reason}"),
        Answer::Unreachable { reason } => format!("unreachable: {reason}"),
    }
}

fn as_json(check: &SignalCheck) -> Value {
    let (answer, detail) = match &check.answer {
        Answer::Accepted => ("accepted", None),
        Answer::AcceptedWithWarning { message } => ("accepted_with_warning", Some(message)),
        Answer::Rejected { message } => ("rejected", Some(message)),
        Answer::Refused { reason } => ("refused", Some(reason)),
        Answer::Unreachable { reason } => ("unreachable", Some(reason)),
    };
    json!({
        "signal": check.signal.name(), "protocol": protocol(check), "address": check.address, "answer": answer,
        "detail": detail, "hint": check.hint, "seconds": check.elapsed.as_secs_f64(), "trace_id": check.trace_id,
    })
}
