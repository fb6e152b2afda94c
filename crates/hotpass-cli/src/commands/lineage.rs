//! `hotpass lineage`: the graph of a run, and the events that wait.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use hotpass_lineage::graph::{LineageGraph, read_events};
use hotpass_lineage::{Event, Spool, error::SendError, spool::Replay, transport::Transport};
use hotpass_pipeline::lineage::LINEAGE_FILE;
use serde_json::json;

use crate::context::{ConfigArgs, Context, RunArgs};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::lineage::{LineageSetup, spool};
use crate::telemetry::TelemetryArgs;

/// Show what a run read and wrote, and send lineage events that wait
#[derive(Debug, Args)]
pub(crate) struct LineageArgs {
    #[command(subcommand)]
    verb: LineageVerb,
}

#[derive(Debug, Subcommand)]
enum LineageVerb {
    /// Draw the graph of a run: what it read, the job, what it wrote
    Show(ShowArgs),
    /// Say how many events wait for a server, since when and why
    Status(StatusArgs),
    /// Send the events that wait, in order
    Replay(ReplayArgs),
}

/// Form of the graph.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum ShowFormat {
    /// Drawn with characters
    #[default]
    Text,
    /// One JSON object
    Json,
    /// An SVG picture
    Svg,
}

/// Form of the status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum StatusFormat {
    /// A line for each fact
    #[default]
    Text,
    /// One JSON object
    Json,
}

#[derive(Debug, Args)]
struct ShowArgs {
    #[command(flatten)]
    runs: RunArgs,
    /// List the source columns of each published column
    #[arg(long)]
    columns: bool,
    /// Only this published column; may be repeated
    #[arg(long, value_name = "COLUMN")]
    column: Vec<String>,
    /// Form of the graph
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    format: ShowFormat,
}

#[derive(Debug, Args)]
struct StatusArgs {
    /// Folder that holds the runs
    #[arg(long, value_name = "DIR", default_value = "dist")]
    dist_dir: PathBuf,
    /// Form of the result
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    format: StatusFormat,
}

#[derive(Debug, Args)]
struct ReplayArgs {
    /// Folder that holds the runs
    #[arg(long, value_name = "DIR", default_value = "dist")]
    dist_dir: PathBuf,
    /// Send the kept events of this run again, instead of those that wait: its id, a beginning of it, or `latest`
    #[arg(long, value_name = "ID")]
    run: Option<String>,
    /// Address of the server, such as `http://localhost:5000`; that of the configuration when absent
    #[arg(long, value_name = "URL")]
    lineage_url: Option<String>,
    #[command(flatten)]
    config: ConfigArgs,
}

pub(crate) fn run(args: LineageArgs, context: &mut Context) -> Result<Exit, CommandError> {
    match args.verb {
        LineageVerb::Show(args) => show(&args, context),
        LineageVerb::Status(args) => status(&args, context),
        LineageVerb::Replay(args) => replay(&args, context),
    }
}

fn show(args: &ShowArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let path = args.runs.find()?.path(LINEAGE_FILE);
    let mut graph = LineageGraph::from_events(&events_of(&path)?);
    if !args.column.is_empty() {
        let known: Vec<String> = graph.outputs.iter().flat_map(|output| output.columns.keys().cloned()).collect();
        if let Some(unknown) = args.column.iter().find(|column| !known.contains(column)) {
            let nearest = hotpass_core::nearest(unknown, known.iter().map(String::as_str));
            return Err(CommandError::usage(format!("No published column `{unknown}` comes from a source column"))
                .hint_if_some(nearest.map(|name| format!("Did you mean `{name}`?"))));
        }
        for output in &mut graph.outputs {
            output.columns.retain(|column, _| args.column.contains(column));
        }
    }
    match args.format {
        ShowFormat::Json => context.printer.json(&graph)?,
        ShowFormat::Svg => context.printer.bytes(graph.to_svg().as_bytes())?,
        ShowFormat::Text if args.columns || !args.column.is_empty() => {
            context.printer.bytes(graph.columns_to_text().as_bytes())?;
        }
        ShowFormat::Text => context.printer.bytes(graph.to_text(terminal_width()).as_bytes())?,
    }
    Ok(Exit::Done)
}

/// Returns the width of the terminal; what is read by a program may be wide.
fn terminal_width() -> usize {
    let width = std::io::stdout().is_terminal().then(|| comfy_table::Table::new().width()).flatten();
    width.map_or(120, usize::from)
}

/// Reads the events of a run.
fn events_of(path: &Path) -> Result<Vec<Event>, CommandError> {
    if !path.is_file() {
        return Err(CommandError::usage("The run has no lineage")
            .hint("Runs keep it when `lineage.enabled` is true; runs of earlier versions have none"));
    }
    read_events(path).map_err(|error| CommandError::failure("Cannot read the lineage of the run").caused_by(&error))
}

fn status(args: &StatusArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let spool = spool(&args.dist_dir, None);
    let status = spool.status().map_err(|error| unreadable(&spool, &error))?;
    if args.format == StatusFormat::Json {
        context.printer.json(&status)?;
        return Ok(Exit::Done);
    }
    match status.pending {
        0 => context.printer.line("No event waits")?,
        count => context.printer.line(format_args!("Events that wait: {count} ({} bytes)", status.bytes))?,
    }
    if let Some(oldest) = &status.oldest {
        context.printer.line(format_args!("Oldest: {oldest}"))?;
    }
    if status.rejected > 0 {
        let folder = spool.root().join("rejected");
        context.printer.line(format_args!("Refused for good: {} in {}", status.rejected, folder.display()))?;
    }
    if let Some(error) = &status.last_error {
        context.printer.line(format_args!("Last failure: {} at {}", error.message, error.at))?;
    }
    if status.pending > 0 {
        context.printer.hint(
            "Send them with `hotpass lineage replay`; where the configuration names no server, with `--lineage-url`",
        );
    }
    Ok(Exit::Done)
}

fn replay(args: &ReplayArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let flags: Vec<(String, String)> =
        args.lineage_url.iter().map(|url| ("lineage.transport.url".to_owned(), url.clone())).collect();
    let loaded = args.config.load_with(context, &flags)?;
    let setup = LineageSetup::read(&loaded.config, context);
    if !setup.sends() {
        return Err(CommandError::usage("There is no place to send events to")
            .hint("Name one with `--lineage-url`, `lineage.transport.url` or `OPENLINEAGE_URL`"));
    }
    let spool = spool(&args.dist_dir, Some(loaded.config.lineage.spool_limit_bytes));
    let transport = setup.build();
    if let Some(run) = &args.run {
        // What is sent again goes the same way: behind what waits, and kept where it is not taken.
        let runs = RunArgs { dist_dir: args.dist_dir.clone(), run: run.clone() };
        for event in events_of(&runs.find()?.path(LINEAGE_FILE))? {
            let event =
                event.to_json().map_err(|error| CommandError::failure("Cannot write an event").caused_by(&error))?;
            spool.push(&event).map_err(|error| unreadable(&spool, &error))?;
        }
    }
    TelemetryArgs::default().start(context, &loaded)?;
    let headers = context.telemetry.header_provider();
    let outcome = tracing::info_span!("lineage.replay")
        .in_scope(|| spool.replay_with_headers(&*transport, &setup.retry(), &*headers))
        .map_err(|error| unreadable(&spool, &error))?;
    tell(&outcome, &*transport, &spool, context)
}

fn tell(
    outcome: &Replay,
    transport: &dyn Transport,
    spool: &Spool,
    context: &mut Context,
) -> Result<Exit, CommandError> {
    let to = transport.describe();
    context.printer.event(
        "lineage.replay",
        &json!({"sent": outcome.sent, "rejected": outcome.rejected, "pending": outcome.pending, "to": to}),
    );
    if outcome.sent + outcome.rejected + outcome.pending == 0 {
        context.printer.line("No event waits")?;
        return Ok(Exit::Done);
    }
    context.printer.line(format_args!("Sent {} events to {to}", outcome.sent))?;
    if outcome.rejected > 0 {
        let folder = spool.root().join("rejected");
        context.printer.warning(format_args!(
            "The server refuses {} events for good; they and the reasons are in {}",
            outcome.rejected,
            folder.display()
        ));
    }
    match &outcome.stopped {
        None => Ok(Exit::Done),
        Some(error) => {
            let hint = match error {
                SendError::Refused { status: 401 | 403, .. } => {
                    "Check the key: `lineage.transport.api_key` or `OPENLINEAGE_API_KEY`"
                }
                SendError::Refused { .. } => "Check the address and the endpoint of the server",
                _ => "Try again when the server is there; nothing is lost",
            };
            Err(CommandError::failure(format!("{} events still wait", outcome.pending)).caused_by(error).hint(hint))
        }
    }
}

fn unreadable(spool: &Spool, error: &std::io::Error) -> CommandError {
    CommandError::failure(format!("Cannot use the folder of waiting events `{}`", spool.root().display()))
        .caused_by(error)
}
