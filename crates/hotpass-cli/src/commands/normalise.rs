//! `hotpass normalise`: the field rules as a filter, a value a line.

use std::io::{self, BufRead, Write};

use clap::{Args, ValueEnum};
use hotpass_normalise::{
    DateOrder, FieldRule, Kind, Outcome, RuleCounts, RuleOptions, country_by_alpha2, parse_country, rule_for,
};
use serde::Serialize;

use crate::context::Context;
use crate::error::CommandError;
use crate::exit::Exit;

/// Normalise the lines of the standard input by the rule of a kind of field
///
/// Writes one line for each line it reads. A value that breaks its rule stays as it is (its reason is in the JSON form); a value
/// that means "no value" becomes an empty line. The exit code is 3 when some value broke its rule. What was changed is
/// counted on the standard error.
#[derive(Debug, Args)]
pub(crate) struct NormaliseArgs {
    /// Kind of field: text, organization, person, email, phone, web, address, province, country, date,
    /// `registration_number`, `vat_number`, `postal_code`, slug, category or role
    #[arg(long)]
    kind: Kind,
    /// Country of values that do not name one (ISO 3166-1 alpha-2)
    #[arg(long, default_value = "ZA", value_name = "COUNTRY")]
    region: String,
    /// Order of dates of three bare numbers
    #[arg(long, value_enum, default_value_t)]
    date_order: Order,
    /// Take this word for "no value", besides the built-in ones; may be repeated
    #[arg(long, value_name = "WORD")]
    null_value: Vec<String>,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t)]
    format: NormaliseFormat,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
#[expect(clippy::enum_variant_names, reason = "the flag's values are day-first, month-first and year-first")]
enum Order {
    /// 31/12/2025
    #[default]
    DayFirst,
    /// 12/31/2025
    MonthFirst,
    /// 25/12/31
    YearFirst,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum NormaliseFormat {
    /// The value
    #[default]
    Text,
    /// A JSON object a line: input, value, the steps that changed it, the reason of a failure
    Json,
}

/// A line of the JSON form.
#[derive(Debug, Serialize)]
struct Line<'a> {
    input: &'a str,
    value: Option<&'a str>,
    changed: Vec<&'a str>,
    reason: Option<&'static str>,
}

/// What happened to the lines.
#[derive(Debug, Default, PartialEq, Eq)]
struct Summary {
    lines: u64,
    same: u64,
    changed: u64,
    empty: u64,
    failed: u64,
    counts: RuleCounts,
}

pub(crate) fn run(args: NormaliseArgs, context: &mut Context) -> Result<Exit, CommandError> {
    let region = args.region.trim().to_ascii_uppercase();
    if country_by_alpha2(&region).is_none() {
        return Err(CommandError::usage(format!("Unknown country: `{}`", args.region)).hint(
            match parse_country(&region) {
                Ok(country) => format!("The code of {} is `{}`", country.name, country.alpha2),
                Err(_) => "Use a code of two letters from ISO 3166-1, such as `ZA`".to_owned(),
            },
        ));
    }
    let date_order = match args.date_order {
        Order::DayFirst => DateOrder::DayFirst,
        Order::MonthFirst => DateOrder::MonthFirst,
        Order::YearFirst => DateOrder::YearFirst,
    };
    let options = RuleOptions { country: region, date_order, null_values: args.null_value };
    let rule = rule_for(args.kind, &options);
    let mut output = io::BufWriter::new(io::stdout().lock());
    let cancelled = || context.is_cancelled();
    let summary = normalise_lines(&mut io::stdin().lock(), &mut output, &*rule, args.format, &cancelled)
        .and_then(|summary| output.flush().map(|()| summary))
        .map_err(|error| CommandError::failure("Cannot normalise the standard input").caused_by(&error))?;
    drop(output);
    if context.is_cancelled() {
        return Err(CommandError::interrupted());
    }
    report(&summary, context);
    Ok(if summary.failed > 0 { Exit::DidNotPass } else { Exit::Done })
}

fn report(summary: &Summary, context: &mut Context) {
    let Summary { lines, same, changed, empty, failed, counts } = summary;
    context.printer.note(format_args!(
        "{lines} lines: {same} unchanged, {changed} changed, {empty} without a value, {failed} failed"
    ));
    for (code, count) in counts.iter() {
        context.printer.note(format_args!("  {code} {count}"));
    }
}

fn normalise_lines(
    input: &mut dyn BufRead,
    output: &mut dyn Write,
    rule: &dyn FieldRule,
    format: NormaliseFormat,
    cancelled: &dyn Fn() -> bool,
) -> io::Result<Summary> {
    let mut summary = Summary::default();
    let (mut bytes, mut scratch) = (Vec::new(), String::new());
    while !cancelled() {
        bytes.clear();
        if input.read_until(b'\n', &mut bytes)? == 0 {
            break;
        }
        let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        let line = String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line));
        scratch.clear();
        let mut counts = RuleCounts::default();
        let row = usize::try_from(summary.lines).unwrap_or(usize::MAX);
        let outcome = rule.apply(row, &line, &mut scratch, &mut counts);
        summary.lines += 1;
        let (value, reason) = match outcome {
            Outcome::Same => (Some(line.as_ref()), None),
            Outcome::Changed => (Some(scratch.as_str()), None),
            Outcome::Empty => (None, None),
            Outcome::Failed(reason) => (None, Some(reason)),
        };
        *match outcome {
            Outcome::Same => &mut summary.same,
            Outcome::Changed => &mut summary.changed,
            Outcome::Empty => &mut summary.empty,
            Outcome::Failed(_) => &mut summary.failed,
        } += 1;
        match format {
            NormaliseFormat::Text => {
                let shown = if reason.is_some() { line.as_ref() } else { value.unwrap_or("") };
                writeln!(output, "{shown}")?;
            }
            NormaliseFormat::Json => {
                let changed = counts.iter().map(|(code, _)| code).collect();
                serde_json::to_writer(&mut *output, &Line { input: &line, value, changed, reason })?;
                writeln!(output)?;
            }
        }
        if let Some(reason) = reason {
            counts.add(reason);
        }
        summary.counts.merge(&counts);
    }
    Ok(summary)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normalise(kind: Kind, format: NormaliseFormat, input: &[u8]) -> io::Result<(String, Summary)> {
        let rule = rule_for(kind, &RuleOptions::default());
        let mut output = Vec::new();
        let summary = normalise_lines(&mut &*input, &mut output, &*rule, format, &|| false)?;
        Ok((String::from_utf8_lossy(&output).into_owned(), summary))
    }

    #[test]
    fn each_line_gives_a_line() -> io::Result<()> {
        let (output, summary) =
            normalise(Kind::Date, NormaliseFormat::Text, b"14/10/2025\r\n2025-10-14\n-\n31 Feb 2025")?;
        assert_eq!(output, "2025-10-14\n2025-10-14\n\n31 Feb 2025\n");
        assert_eq!((summary.lines, summary.same, summary.changed, summary.empty, summary.failed), (4, 1, 1, 1, 1));
        assert!(summary.counts.iter().any(|count| count == ("date.impossible", 1)));
        Ok(())
    }

    #[test]
    fn json_says_what_and_why() -> io::Result<()> {
        let (output, _) = normalise(Kind::Organization, NormaliseFormat::Json, b"Aero Pty Ltd\n***\n")?;
        let expected = concat!(
            r#"{"input":"Aero Pty Ltd","value":"Aero (Pty) Ltd","changed":["organization.legal_form"],"reason":null}"#,
            "\n",
            r#"{"input":"***","value":null,"changed":[],"reason":"organization.no_letters"}"#,
            "\n",
        );
        assert_eq!(output, expected);
        Ok(())
    }

    #[test]
    fn broken_text_is_no_reason_to_stop() -> io::Result<()> {
        let (output, summary) = normalise(Kind::Text, NormaliseFormat::Text, b"a\xff\nb\n")?;
        assert_eq!((output.as_str(), summary.lines), ("a\u{fffd}\nb\n", 2));
        Ok(())
    }
}
