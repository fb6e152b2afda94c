//! The report as Markdown, for tickets and mail.

use std::fmt::Write as _;

use super::ReportExtras;
use super::samples::conflict_samples;
use super::words::{count, percent, plural, readable, score, seconds};
use crate::statistics::RunStatistics;

/// Conflicts that are listed one by one.
const CONFLICT_LIMIT: usize = 10;

/// Returns the report as Markdown. Values of personal columns are shown as their shape unless [`ReportExtras::show_values`].
pub fn markdown(statistics: &RunStatistics, extras: &ReportExtras<'_>) -> String {
    let mut text = String::new();
    let term = plural(&readable(&statistics.terms[0]));
    let _ = write!(
        text,
        "# {} {} from {} source rows\n\nRun `{}`, started {}, profile {}.\n\n",
        count(statistics.entities),
        cell(&term),
        count(statistics.rows_in),
        statistics.run_id,
        statistics.started_at,
        cell(&statistics.profile)
    );
    table(
        &mut text,
        "Figures",
        &["Figure", "Value"],
        &[
            vec!["Source rows".into(), count(statistics.rows_in)],
            vec!["Rows in published records".into(), count(statistics.rows_in_entities)],
            vec!["Rows in quarantine".into(), count(statistics.rows_quarantined)],
            vec!["Published records".into(), count(statistics.entities)],
            vec!["Pairs of rows to review".into(), count(statistics.pairs_to_review)],
            vec!["Conflicts".into(), count(statistics.conflicts.values().sum())],
            vec![
                "Quality score, mean (lowest to highest)".into(),
                format!(
                    "{} ({} to {})",
                    score(statistics.quality_mean),
                    score(statistics.quality_min),
                    score(statistics.quality_max)
                ),
            ],
        ],
    );
    if !statistics.recommendations.is_empty() {
        text.push_str("## What to do next\n\n");
        for advice in &statistics.recommendations {
            let _ = writeln!(text, "- {}", cell(advice));
        }
        text.push('\n');
    }
    let rows: Vec<_> = statistics
        .expectations
        .iter()
        .map(|result| {
            let verdict = if result.success { "holds" } else { "does not hold" };
            vec![
                cell(&result.name),
                count(result.checked),
                count(result.unexpected),
                percent(result.mostly),
                verdict.into(),
            ]
        })
        .collect();
    table(&mut text, "Expectations", &["Expectation", "Checked", "Failed", "Must pass", "Result"], &rows);
    let rows: Vec<_> = statistics
        .contracts
        .iter()
        .map(|checked| {
            let findings = checked.context.as_ref().map(crate::contracts::findings).unwrap_or_default();
            vec![
                cell(&checked.place()),
                cell(&format!("{} {}", checked.result.contract, checked.result.version)),
                count(checked.result.rows),
                count(checked.result.failed_rows),
                cell(&findings.join("; ")),
                if checked.result.passed { "kept" } else { "broken" }.into(),
            ]
        })
        .collect();
    table(&mut text, "Contracts", &["Table", "Contract", "Rows", "In quarantine", "What is wrong", "Result"], &rows);
    let rows: Vec<_> = statistics
        .tables
        .iter()
        .map(|source| {
            vec![
                cell(&source.file),
                cell(source.sheet.as_deref().unwrap_or_default()),
                count(source.rows_in),
                count(source.rows_quarantined),
            ]
        })
        .collect();
    table(&mut text, "Sources", &["File", "Sheet", "Rows", "Quarantined"], &rows);
    let rows: Vec<_> = statistics
        .skipped
        .iter()
        .map(|skipped| {
            vec![cell(&skipped.file), cell(skipped.sheet.as_deref().unwrap_or_default()), cell(&skipped.reason)]
        })
        .collect();
    table(&mut text, "Not read as data", &["File", "Sheet", "Reason"], &rows);
    let rows: Vec<_> =
        statistics.quarantine_reasons.iter().map(|(reason, rows)| vec![cell(reason), count(*rows)]).collect();
    table(&mut text, "Quarantine", &["Reason", "Rows"], &rows);
    let rows: Vec<_> = statistics
        .tables
        .iter()
        .flat_map(|source| source.columns.iter().map(move |column| (source, column)))
        .map(|(source, column)| {
            let field = column.field.clone().or_else(|| column.suggestion.as_ref().map(|field| format!("{field}?")));
            vec![
                cell(&source.file),
                cell(source.sheet.as_deref().unwrap_or_default()),
                cell(&column.column),
                cell(&column.header),
                cell(&field.unwrap_or_default()),
                score(Some(column.confidence)),
                cell(&column.reason),
            ]
        })
        .collect();
    table(&mut text, "Column mapping", &["File", "Sheet", "Column", "Header", "Field", "Confidence", "Reason"], &rows);
    let rows: Vec<_> = statistics
        .changes
        .iter()
        .flat_map(|(field, steps)| {
            steps.iter().map(move |(step, values)| vec![cell(field), cell(step), count(*values)])
        })
        .collect();
    table(&mut text, "Changes by rule", &["Field", "Step", "Values"], &rows);
    let rows: Vec<_> = statistics
        .failures
        .iter()
        .flat_map(|(field, reasons)| {
            reasons.iter().map(move |(reason, values)| vec![cell(field), cell(reason), count(*values)])
        })
        .collect();
    table(&mut text, "Values left out", &["Field", "Reason", "Values"], &rows);
    let rows: Vec<_> = statistics
        .completeness
        .iter()
        .map(|(column, share)| vec![cell(column), percent(share.before), percent(share.after)])
        .collect();
    table(&mut text, "Completeness", &["Column", "Source rows", "Published"], &rows);
    let rows: Vec<_> = conflict_samples(extras, CONFLICT_LIMIT)
        .iter()
        .map(|sample| {
            let others: Vec<&str> = sample.alternatives.iter().map(|(value, _)| value.as_str()).collect();
            vec![
                cell(&sample.organization_name),
                cell(&sample.field),
                cell(&sample.value),
                cell(&sample.chosen_source),
                cell(&others.join("; ")),
            ]
        })
        .collect();
    table(&mut text, "First conflicts", &["Record", "Column", "Chosen", "From", "Others"], &rows);
    let rows: Vec<_> =
        statistics.timings.iter().map(|(stage, time)| vec![cell(&readable(stage)), seconds(*time)]).collect();
    table(&mut text, "Timings", &["Stage", "Time"], &rows);
    text
}

/// Returns the report as plain text for a terminal: the same as [`markdown`], with aligned columns and no marks.
pub fn text(statistics: &RunStatistics, extras: &ReportExtras<'_>) -> String {
    let mut plain = String::new();
    let mut rows: Vec<Vec<String>> = Vec::new();
    let markdown = markdown(statistics, extras);
    for line in markdown.lines() {
        // The line below the titles begins `| --- |` and is taken out with the rows.
        if let Some(row) = line.strip_prefix("| ").and_then(|row| row.strip_suffix(" |")) {
            // A bar within a cell is always escaped.
            rows.push(row.split(" | ").map(unescape).collect());
        } else {
            write_aligned(&mut plain, &mut rows);
            let title = line.trim_start_matches('#');
            let _ = writeln!(plain, "{}", unescape(if title.len() == line.len() { line } else { title.trim_start() }));
        }
    }
    write_aligned(&mut plain, &mut rows);
    plain
}

/// Writes rows with their columns aligned, and takes them.
fn write_aligned(text: &mut String, rows: &mut Vec<Vec<String>>) {
    // A row below the titles that only draws the line between is no data.
    rows.retain(|row| !row.iter().all(|cell| cell == "---"));
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for row in rows.drain(..) {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            let _ = write!(line, "  {cell:width$}");
        }
        let _ = writeln!(text, "{}", line.trim_end());
    }
}

/// Undoes [`cell`] and takes the marks of code off.
fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => plain.extend(characters.next()),
            // Unescaped, it only marks code.
            '`' => {}
            c => plain.push(c),
        }
    }
    plain.replace("&lt;", "<").replace("&amp;", "&")
}

fn table(text: &mut String, title: &str, titles: &[&str], rows: &[Vec<String>]) {
    if rows.is_empty() {
        return;
    }
    let _ = write!(text, "## {title}\n\n| {} |\n|{}\n", titles.join(" | "), " --- |".repeat(titles.len()));
    for row in rows {
        let _ = writeln!(text, "| {} |", row.join(" | "));
    }
    text.push('\n');
}

/// Returns text that stays one cell and is neither markup nor HTML.
fn cell(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '|' | '\\' | '`' | '*' | '_' | '[' | ']' => safe.extend(['\\', c]),
            '<' => safe.push_str("&lt;"),
            '&' => safe.push_str("&amp;"),
            c if c.is_control() => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::statistics::{RunStatistics, SkippedTable};

    #[test]
    fn plain_text_has_neither_marks_nor_escapes() {
        let mut statistics = RunStatistics { run_id: "r".into(), entities: 1, ..RunStatistics::default() };
        statistics.skipped.push(SkippedTable {
            file: "a_b|c`<&>.csv".into(),
            sheet: None,
            reason: "no column is `organization_name`".into(),
        });
        let codes =
            |code: &str| BTreeMap::from([("contact_phones".to_owned(), BTreeMap::from([(code.to_owned(), 2)]))]);
        statistics.changes = codes("phone.e164");
        statistics.failures = codes("phone.not_assigned");
        let extras = ReportExtras::default();
        let plain = text(&statistics, &extras);
        assert!(plain.contains("a_b|c`<&>.csv") && plain.contains("no column is `organization_name`"), "{plain}");
        assert!(!plain.contains('\\') && !plain.contains("---") && !plain.contains("&lt;"), "{plain}");
        let marked = markdown(&statistics, &extras);
        let (changes, failures) = marked.split_once("## Values left out").unwrap();
        assert!(changes.contains("phone.e164") && !changes.contains("not\\_assigned"), "{marked}");
        assert!(failures.contains("phone.not\\_assigned"), "{marked}");
    }
}
