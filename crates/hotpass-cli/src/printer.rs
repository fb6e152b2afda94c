//! The one door to the terminal: data on the standard output, everything else on the standard error.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use comfy_table::{ContentArrangement, Table, presets};
use hotpass_config::model::LogFormat;
use hotpass_core::{Diagnostic, Severity};
use serde::Serialize;
use serde_json::json;

use crate::error::CommandError;

/// When colour is used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// How a piece of text is set off; nothing needs it to be understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// Headings and names.
    Bold,
    /// What is less important.
    Dim,
    /// What went well.
    Good,
    /// What deserves a look.
    Warn,
    /// What went wrong.
    Bad,
}

impl Style {
    fn code(self) -> &'static str {
        match self {
            Self::Bold => "1",
            Self::Dim => "2",
            Self::Good => "32",
            Self::Warn => "33",
            Self::Bad => "31",
        }
    }
}

/// Prints for every command.
///
/// With `--log-format json`, what would be words on the standard error is one JSON object a line, `{"event": NAME, "data": {…}}`.
#[derive(Debug)]
pub(crate) struct Printer {
    quiet: bool,
    log_format: LogFormat,
    color_out: bool,
    color_err: bool,
    terminal_out: bool,
    terminal_err: bool,
    out: io::Stdout,
}

impl Printer {
    /// Makes the printer that the global flags and the terminal ask for.
    pub(crate) fn new(quiet: bool, color: ColorChoice, log_format: LogFormat) -> Self {
        let terminal_out = io::stdout().is_terminal();
        let terminal_err = io::stderr().is_terminal();
        // The convention of no-color.org: set and not empty.
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let color = |terminal: bool| match color {
            ColorChoice::Auto => terminal && !no_color,
            ColorChoice::Always => true,
            ColorChoice::Never => false,
        };
        Self {
            quiet,
            log_format,
            color_out: color(terminal_out),
            color_err: color(terminal_err),
            terminal_out,
            terminal_err,
            out: io::stdout(),
        }
    }

    /// Returns the form of what goes to the standard error.
    pub(crate) fn log_format(&self) -> LogFormat {
        self.log_format
    }

    /// Sets the form of what goes to the standard error, when the configuration asks for it.
    pub(crate) fn set_log_format(&mut self, log_format: LogFormat) {
        self.log_format = log_format;
    }

    /// Returns whether progress bars make sense: words wanted, on a terminal.
    pub(crate) fn shows_progress(&self) -> bool {
        self.terminal_err && !self.quiet && self.log_format == LogFormat::Rich
    }

    /// Returns whether the standard output is a terminal.
    pub(crate) fn writes_to_terminal(&self) -> bool {
        self.terminal_out
    }

    /// Returns whether only errors and asked-for data are wanted.
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Writes text and a line end to the standard output.
    pub(crate) fn line(&mut self, text: impl Display) -> Result<(), CommandError> {
        writeln!(self.out, "{text}").map_err(|error| output_error(&error))
    }

    /// Writes bytes as they are to the standard output.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<(), CommandError> {
        self.out.write_all(bytes).and_then(|()| self.out.flush()).map_err(|error| output_error(&error))
    }

    /// Writes a value as indented JSON to the standard output.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> Result<(), CommandError> {
        let text = serde_json::to_string_pretty(value)
            .map_err(|error| CommandError::failure("Cannot write the result as JSON").caused_by(&error))?;
        self.line(text)
    }

    /// Writes a table to the standard output, fitted to the terminal's width.
    pub(crate) fn table<H, R, C>(&mut self, header: H, rows: R) -> Result<(), CommandError>
    where
        H: IntoIterator,
        H::Item: Display,
        R: IntoIterator<Item = C>,
        C: IntoIterator,
        C::Item: Display,
    {
        let mut table = Table::new();
        table.load_style(presets::UTF8_HORIZONTAL_ONLY);
        // A pipe gets whole lines; only a terminal has a width to fit.
        if self.terminal_out {
            table.set_content_arrangement(ContentArrangement::Dynamic);
        }
        table.set_header(header.into_iter().map(|cell| self.style(Style::Bold, cell)));
        for row in rows {
            table.add_row(row.into_iter().map(|cell| cell.to_string()));
        }
        self.line(table.trim_fmt())
    }

    /// Sets text off, for the standard output.
    pub(crate) fn style(&self, style: Style, text: impl Display) -> String {
        paint(self.color_out, style, text)
    }

    /// Writes a sentence to the standard error, unless quiet.
    pub(crate) fn note(&mut self, text: impl Display) {
        if self.log_format == LogFormat::Json {
            self.event("note", &json!({ "message": text.to_string() }));
        } else if !self.quiet {
            to_stderr(text);
        }
    }

    /// Writes a warning to the standard error, unless quiet.
    pub(crate) fn warning(&mut self, text: impl Display) {
        if self.log_format == LogFormat::Json {
            self.event("warning", &json!({ "message": text.to_string() }));
        } else if !self.quiet {
            to_stderr(format_args!("{} {text}", paint(self.color_err, Style::Warn, "warning:")));
        }
    }

    /// Writes what to do next to the standard error, unless quiet.
    pub(crate) fn hint(&mut self, text: impl Display) {
        if self.log_format == LogFormat::Json {
            self.event("hint", &json!({ "message": text.to_string() }));
        } else if !self.quiet {
            to_stderr(format_args!("{} {text}", paint(self.color_err, Style::Good, "hint:")));
        }
    }

    /// Writes a finding about the data, with its hint, to the standard error, unless quiet.
    pub(crate) fn diagnostic(&mut self, diagnostic: &Diagnostic) {
        if self.log_format == LogFormat::Json {
            self.event("diagnostic", diagnostic);
            return;
        }
        if self.quiet {
            return;
        }
        let style = match diagnostic.severity {
            Severity::Info => Style::Dim,
            Severity::Warning => Style::Warn,
            Severity::Error => Style::Bad,
        };
        let severity = diagnostic.severity.to_string();
        let text = diagnostic.to_string();
        let rest = text.strip_prefix(&severity).unwrap_or(&text);
        to_stderr(format_args!("{}{rest}", paint(self.color_err, style, &severity)));
        if let Some(hint) = &diagnostic.hint {
            to_stderr(format_args!("  {} {hint}", paint(self.color_err, Style::Good, "hint:")));
        }
    }

    /// Writes an event to the standard error with `--log-format json`; otherwise nothing.
    pub(crate) fn event(&mut self, event: &str, data: &impl Serialize) {
        if self.log_format == LogFormat::Json {
            write_event(event, data);
        }
    }

    /// Writes the error that ends the command to the standard error, also when quiet.
    pub(crate) fn error(&mut self, error: &CommandError) {
        if self.log_format == LogFormat::Json {
            let data = json!({
                "exit_code": error.kind.code(), "message": error.message, "causes": error.causes, "hints": error.hints,
            });
            self.event("error", &data);
            return;
        }
        to_stderr(format_args!("{} {}", paint(self.color_err, Style::Bad, "error:"), error.message));
        for cause in &error.causes {
            to_stderr(format_args!("  Caused by: {cause}"));
        }
        if !error.hints.is_empty() {
            to_stderr("");
        }
        for hint in &error.hints {
            to_stderr(format_args!("{} {hint}", paint(self.color_err, Style::Good, "hint:")));
        }
    }
}

/// Writes an event to the standard error; for progress, which is shown from several threads.
pub(crate) fn write_event(event: &str, data: &impl Serialize) {
    if let Ok(data) = serde_json::to_value(data) {
        to_stderr(json!({ "event": event, "data": data }));
    }
}

fn paint(color: bool, style: Style, text: impl Display) -> String {
    if color { format!("\x1b[{}m{text}\x1b[0m", style.code()) } else { text.to_string() }
}

/// Writes a line to the standard error; when nobody reads it there is nobody to tell.
fn to_stderr(text: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

fn output_error(error: &io::Error) -> CommandError {
    CommandError::failure("Cannot write to the standard output").caused_by(error)
}
