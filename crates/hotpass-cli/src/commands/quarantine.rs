//! `hotpass quarantine`: what was not published and why; decisions to publish it all the same.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use hotpass_core::mask;
use hotpass_pipeline::DecisionError;
use hotpass_pipeline::quarantine::{QuarantineDecision, QuarantineDecisions, QuarantineRow, read_quarantine};
use hotpass_provenance::{Entry, EntryKind, Ledger, Manifest};
use serde_json::{Map, Value, json};

use crate::context::{ConfigArgs, Context, RunArgs};
use crate::error::CommandError;
use crate::exit::{ErrorKind, Exit};

/// Most rows that a hint names.
const SHOWN_ROWS: usize = 5;

/// Show the rows that were not published and why, and release them by a recorded decision
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hotpass quarantine list
  hotpass quarantine show 'contacts.xlsx#Schools!14'
  hotpass quarantine release --row 'contacts.xlsx#Schools!14' --decision 'Checked by telephone'

A decision counts from the next `hotpass refine` on, as long as the row stays as it is.")]
pub(crate) struct QuarantineArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Count the rows in quarantine by reason and table
    List(ListArgs),
    /// Show one row: where it stands and why it is in quarantine
    Show(ShowArgs),
    /// Decide that rows shall be published all the same, from the next run on
    Release(ReleaseArgs),
}

/// Form of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ListFormat {
    /// Lines and columns for people
    Table,
    /// One JSON document
    Json,
}

#[derive(Debug, Args)]
struct ListArgs {
    /// Show each row instead of counts
    #[arg(long)]
    rows: bool,
    /// Rows of this reason only
    #[arg(long, value_name = "REASON")]
    reason: Option<String>,
    /// Form of the list
    #[arg(long, value_enum, default_value = "table")]
    format: ListFormat,
    #[command(flatten)]
    runs: RunArgs,
}

#[derive(Debug, Args)]
struct ShowArgs {
    /// Row: FILE#SHEET!ROW, or FILE!ROW for a file without sheets
    #[arg(value_name = "ROW")]
    row: String,
    /// Show the cells as they are instead of their shape
    #[arg(long)]
    show_values: bool,
    /// Form of the row
    #[arg(long, value_enum, default_value = "table")]
    format: ListFormat,
    #[command(flatten)]
    runs: RunArgs,
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("which").required(true).args(["row", "reason", "all"]))]
struct ReleaseArgs {
    /// Row: FILE#SHEET!ROW, or FILE!ROW for a file without sheets; may be repeated
    #[arg(long, value_name = "ROW")]
    row: Vec<String>,
    /// All rows of this reason
    #[arg(long, value_name = "REASON")]
    reason: Option<String>,
    /// All rows that can be released
    #[arg(long)]
    all: bool,
    /// Why, in your words; kept with your name
    #[arg(long, value_name = "TEXT")]
    decision: String,
    /// Who decides; `HOTPASS_OPERATOR` or the name of the user when absent
    #[arg(long, value_name = "NAME")]
    operator: Option<String>,
    /// File of decisions; that of the configuration, or `decisions/quarantine.ndjson` in the folder of runs, when absent
    #[arg(long, value_name = "FILE")]
    decisions: Option<PathBuf>,
    #[command(flatten)]
    runs: RunArgs,
    #[command(flatten)]
    config: ConfigArgs,
}

/// Runs `hotpass quarantine`.
pub(crate) fn run(args: QuarantineArgs, context: &mut Context) -> Result<Exit, CommandError> {
    match args.action {
        Action::List(args) => list(&args, context),
        Action::Show(args) => show(&args, context),
        Action::Release(args) => release(&args, context),
    }
}

fn rows_of(runs: &RunArgs) -> Result<(hotpass_core::RunDirectory, Vec<QuarantineRow>), CommandError> {
    let run = runs.find()?;
    if let Ok(manifest) = Manifest::read(run.root())
        && manifest.command != "refine"
    {
        let message = format!(
            "Run `{}` has no quarantine: it was made by `hotpass {}`, which takes no row out",
            run.id(),
            manifest.command
        );
        return Err(CommandError::usage(message).hint("Name a run of `hotpass refine` with `--run`"));
    }
    let rows = read_quarantine(run.root()).map_err(|error| {
        CommandError::failure(format!("Cannot read the quarantine of run `{}`", run.id()))
            .caused_by(&error)
            .hint(format!("See whether the run completed with `hotpass verify {}`", run.id()))
    })?;
    Ok((run, rows))
}

fn list(args: &ListArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let (run, mut rows) = rows_of(&args.runs)?;
    if let Some(reason) = &args.reason {
        check_reason(&rows, reason)?;
        rows.retain(|row| row.reasons().contains(&reason.as_str()));
    }
    let mut counts: BTreeMap<(&str, String), (u64, bool)> = BTreeMap::new();
    for row in &rows {
        let place = row.sheet.as_ref().map_or(row.source_file.clone(), |sheet| format!("{}#{sheet}", row.source_file));
        for reason in
            row.reasons().into_iter().filter(|reason| args.reason.as_deref().is_none_or(|asked| asked == *reason))
        {
            let count = counts.entry((reason, place.clone())).or_insert((0, true));
            count.0 += 1;
            count.1 &= row.can_be_released();
        }
    }
    let yes = |can: bool| if can { "yes" } else { "no" };
    match (args.format, args.rows) {
        (ListFormat::Json, false) => {
            let reasons: Vec<Value> = counts
                .iter()
                .map(|((reason, table), (rows, can))| {
                    json!({"reason": reason, "table": table, "rows": rows, "can_be_released": can})
                })
                .collect();
            context.printer.json(&json!({"run_id": run.id(), "rows": rows.len(), "reasons": reasons}))?;
        }
        (ListFormat::Json, true) => {
            let all: Vec<Value> = rows.iter().map(|row| Value::Object(facts(row))).collect();
            context.printer.json(&json!({"run_id": run.id(), "rows": all}))?;
        }
        (ListFormat::Table, _) if rows.is_empty() => context.printer.line("No row is in quarantine")?,
        (ListFormat::Table, false) => context.printer.table(
            ["Reason", "Table", "Rows", "Can be released"],
            counts.iter().map(|((reason, table), (rows, can))| {
                [(*reason).to_owned(), table.clone(), rows.to_string(), yes(*can).to_owned()]
            }),
        )?,
        (ListFormat::Table, true) => context.printer.table(
            ["Row", "Column", "Reason", "Message", "Can be released"],
            rows.iter().map(|row| {
                [
                    row.to_string(),
                    row.column.clone().unwrap_or_default(),
                    row.reasons().join(", "),
                    row.message.clone(),
                    yes(row.can_be_released()).to_owned(),
                ]
            }),
        )?,
    }
    Ok(Exit::Done)
}

/// Returns what is said of a row, without its cells.
fn facts(row: &QuarantineRow) -> Map<String, Value> {
    let Value::Object(facts) = json!({
        "row": row.to_string(),
        "source_file": row.source_file,
        "sheet": row.sheet,
        "column": row.column,
        "reason": row.reason,
        "message": row.message,
        "rules": row.rules,
        "can_be_released": row.can_be_released(),
    }) else {
        return Map::new();
    };
    facts
}

fn show(args: &ShowArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let (run, rows) = rows_of(&args.runs)?;
    let row = find(&rows, &args.row, run.id())?;
    let cells: Map<String, Value> = serde_json::from_str(&row.values).unwrap_or_default();
    let shown = |value: &Value| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if args.show_values { text } else { mask(&text) }
    };
    if args.format == ListFormat::Json {
        let mut document = facts(row);
        let cells: Map<String, Value> =
            cells.iter().map(|(header, value)| (header.clone(), shown(value).into())).collect();
        document.insert("cells".into(), cells.into());
        context.printer.json(&document)?;
        return Ok(Exit::Done);
    }
    match row.rules.as_slice() {
        [] => {
            context.printer.line(format!("{row}: {}", row.message))?;
            context.printer.line(format!("Reason `{}`", row.reason))?;
        }
        rules => {
            for rule in rules {
                context.printer.line(format!("{row}: {} (reason `{}`)", rule.message, rule.reason))?;
            }
        }
    }
    let together = rows.iter().filter(|other| row.goes_with(other)).count();
    if together > 1 {
        context.printer.line(format!("{together} rows are of the same entity"))?;
    }
    context
        .printer
        .table(["Header", "Cell"], cells.iter().map(|(header, value)| [plain(header), plain(&shown(value))]))?;
    if !args.show_values {
        context.printer.hint("Show the cells as they are with `--show-values`");
    }
    Ok(Exit::Done)
}

fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn find<'a>(rows: &'a [QuarantineRow], name: &str, run: &str) -> Result<&'a QuarantineRow, CommandError> {
    rows.iter().find(|row| row.to_string() == name).ok_or_else(|| not_there(rows, name, run))
}

/// Tells that a row is not in quarantine: which rows of its table are, or the table that was meant.
fn not_there(rows: &[QuarantineRow], name: &str, run: &str) -> CommandError {
    let names: Vec<String> = rows.iter().map(ToString::to_string).collect();
    let table = |name: &str| name.rsplit_once('!').map_or(String::new(), |(table, _)| table.to_owned());
    let beside: Vec<&String> = names.iter().filter(|other| table(other) == table(name)).collect();
    let hint = if beside.is_empty() {
        match hotpass_core::nearest(name, names.iter().map(String::as_str)) {
            Some(nearest) => format!("Did you mean `{nearest}`?"),
            None => "List the rows with `hotpass quarantine list --rows`".into(),
        }
    } else {
        let shown: Vec<String> = beside.iter().take(SHOWN_ROWS).map(|row| format!("`{row}`")).collect();
        let more = if beside.len() > SHOWN_ROWS { " and others" } else { "" };
        format!("Of its table these are in quarantine: {}{more}", shown.join(", "))
    };
    CommandError::usage(format!("Row `{name}` is not in quarantine of run `{run}`")).hint(hint)
}

fn check_reason(rows: &[QuarantineRow], reason: &str) -> Result<(), CommandError> {
    if rows.iter().any(|row| row.reasons().contains(&reason)) {
        return Ok(());
    }
    let nearest = hotpass_core::nearest(reason, rows.iter().flat_map(|row| row.reasons()));
    Err(CommandError::usage(format!("No row is in quarantine for `{reason}`")).hint(match nearest {
        Some(nearest) => format!("Did you mean `{nearest}`?"),
        None => "List the reasons with `hotpass quarantine list`".into(),
    }))
}

fn release(args: &ReleaseArgs, context: &mut Context) -> Result<Exit, CommandError> {
    if args.decision.trim().is_empty() {
        return Err(CommandError::usage("`--decision` is empty").hint("Say why the rows may be published"));
    }
    let operator = args.operator.clone().or_else(|| context.operator.clone()).ok_or_else(|| {
        CommandError::usage("Nobody is named as the one who decides")
            .hint("Give your name with `--operator`, or set `HOTPASS_OPERATOR`")
    })?;
    let loaded = args.config.load(context)?;
    let (run, rows) = rows_of(&args.runs)?;
    let manifest = Manifest::read(run.root())
        .map_err(|error| CommandError::failure(format!("Cannot read run `{}`", run.id())).caused_by(&error))?;
    let file = args
        .decisions
        .clone()
        .or_else(|| loaded.config.quality.decisions.clone())
        .unwrap_or_else(|| args.runs.dist_dir.join("decisions").join("quarantine.ndjson"));
    let failed = |error: &(dyn std::error::Error + 'static)| {
        CommandError::failure("Cannot record the decision").caused_by(error)
    };
    let undecided = |error: DecisionError| {
        let kind = if error.is_usage() { ErrorKind::Usage } else { ErrorKind::Failure };
        CommandError::new(kind, "Cannot record the decision").caused_by(&error).hint(error.hint())
    };
    let mut decisions = QuarantineDecisions::read(&file).map_err(undecided)?;
    let chosen = choose(args, &rows, &decisions, run.id())?;
    if chosen.is_empty() {
        return Err(CommandError::usage("No row in quarantine can be released")
            .hint("See why rows are there with `hotpass quarantine list`"));
    }
    if let Some(row) = chosen.iter().find(|row| row.rules.is_empty()) {
        return Err(CommandError::usage(format!(
            "Row `{row}` cannot be released: its run does not name every rule it breaks"
        ))
        .hint("The run is of an earlier version: run `hotpass refine` again, and look at the row anew"));
    }
    if let Some(row) = chosen.iter().find(|row| !row.can_be_released()) {
        return Err(CommandError::usage(format!("Row `{row}` cannot be released: {}", row.message))
            .hint("Correct the source, and run `hotpass refine` again"));
    }
    // An entity comes back with all of its rows.
    let together: Vec<&QuarantineRow> =
        rows.iter().filter(|row| !chosen.contains(row) && chosen.iter().any(|known| known.goes_with(row))).collect();
    let further = together.len();
    let reason = args.reason.as_deref();
    let (mut new, mut positions, mut known, mut partly) = (Vec::<QuarantineDecision>::new(), Vec::new(), 0, 0);
    for row in chosen.into_iter().chain(together) {
        let rules = row.undecided(&decisions, reason);
        if rules.is_empty() {
            known += 1;
            continue;
        }
        partly += usize::from(row.undecided(&decisions, None).len() > rules.len());
        let decision = row.release(&rules, &manifest, &operator, &args.decision, context.clock);
        positions.push(format!("{row} ({})", decision.reason));
        new.push(decision);
    }
    let count = |rows: usize| if rows == 1 { "1 row".to_owned() } else { format!("{rows} rows") };
    let was = |rows: usize| format!("{} {} already released", count(rows), if rows == 1 { "was" } else { "were" });
    if new.is_empty() {
        context.printer.line(format!("{}: nothing was recorded", was(known)))?;
        context.printer.hint("Publish with `hotpass refine`");
        return Ok(Exit::Done);
    }
    let released = new.len();
    decisions.append(&file, new).map_err(undecided)?;
    let command = context.services().command;
    let entry = Entry::new(EntryKind::QuarantineReleased)
        .by(Some(&operator), &command)
        .of_run(run.id())
        .detail("decided", true)
        .detail("rows", positions);
    Ledger::open(args.runs.dist_dir.join(hotpass_provenance::ledger::LEDGER_FILE))
        .append(entry, context.clock)
        .map_err(|error| failed(&error))?;
    context.printer.line(format!("{} released by {operator}: {}", count(released), file.display()))?;
    if known > 0 {
        context.printer.note(format!("{} before", was(known)));
    }
    if partly > 0 {
        let stay = if partly == 1 { "breaks" } else { "break" };
        context
            .printer
            .note(format!("{} {stay} another rule too, and stay in quarantine until that is decided", count(partly)));
    }
    if further > 0 {
        context.printer.note(format!("{} of them, since an entity comes back with all of its rows", count(further)));
    }
    context.printer.hint("Publish them with `hotpass refine`");
    Ok(Exit::Done)
}

/// Returns the rows that are to be released, each once.
fn choose<'a>(
    args: &ReleaseArgs,
    rows: &'a [QuarantineRow],
    decisions: &QuarantineDecisions,
    run: &str,
) -> Result<Vec<&'a QuarantineRow>, CommandError> {
    if args.all {
        return Ok(rows.iter().filter(|row| row.can_be_released()).collect());
    }
    if let Some(reason) = &args.reason {
        check_reason(rows, reason)?;
        return Ok(rows.iter().filter(|row| row.reasons().contains(&reason.as_str())).collect());
    }
    let mut chosen: Vec<&QuarantineRow> = Vec::new();
    for name in &args.row {
        let Some(row) = rows.iter().find(|row| row.to_string() == *name) else {
            return Err(match decisions.iter().filter(|decision| decision.place() == *name).last() {
                Some(decision) => CommandError::usage(format!(
                    "Row `{name}` is not in quarantine of run `{run}`: {} released it at {}",
                    decision.operator, decision.decided_at
                ))
                .hint("Nothing is to be done, unless the row has changed: `hotpass refine` judges it anew then"),
                None => not_there(rows, name, run),
            });
        };
        if !chosen.contains(&row) {
            chosen.push(row);
        }
    }
    Ok(chosen)
}
