//! The report as one page without any outside resource.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::ReportExtras;
use super::samples::{ConflictSample, conflict_samples};
use super::svg::{self, Bar};
use super::words::{count, counted, percent, plural, readable, score, seconds};
use crate::statistics::RunStatistics;

const STYLE: &str = include_str!("report.css");
/// Conflicts that are listed one by one.
const CONFLICT_LIMIT: usize = 25;
/// Columns up to which the mapping of every table is shown unfolded.
const UNFOLDED_COLUMNS: usize = 60;

/// Returns the report as one self-contained HTML page.
///
/// The page needs no network and no script, follows the reader's light or dark preference, and prints. Every plot has its
/// figures in a table beside it. Values of personal columns are shown as their shape unless [`ReportExtras::show_values`].
pub fn html(statistics: &RunStatistics, extras: &ReportExtras<'_>) -> String {
    let term = plural(&readable(&statistics.terms[0]));
    let sections = [
        ("next", "What to do next", recommendations(statistics)),
        ("expectations", "Expectations", expectations(statistics)),
        ("contracts", "Contracts", contracts(statistics)),
        ("sources", "Sources", sources(statistics)),
        ("quarantine", "Quarantine", quarantine(statistics)),
        ("lineage", "Lineage", lineage(extras)),
        ("mapping", "Column mapping", mapping(statistics)),
        ("changes", "Changes by rule", changes(statistics)),
        ("failures", "Values left out", failures(statistics)),
        ("completeness", "Completeness", completeness(statistics)),
        ("quality", "Quality", quality(statistics, &term)),
        ("matching", "Matching", matching(statistics, &term)),
        ("conflicts", "Conflicts", conflicts(statistics, extras)),
        ("timings", "Timings", timings(statistics)),
    ];
    let mut page = String::with_capacity(64 * 1024);
    let _ = writeln!(
        page,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n<title>Refinement report: {}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#main\">Skip to the report</a>",
        escape(&statistics.run_id)
    );
    header(&mut page, statistics, &term);
    page.push_str("<div class=\"layout\">\n<nav aria-label=\"Sections\"><ul>");
    for (id, title, body) in &sections {
        if !body.is_empty() {
            let _ = write!(page, "<li><a href=\"#{id}\">{title}</a></li>");
        }
    }
    page.push_str("</ul></nav>\n<main id=\"main\" tabindex=\"-1\">\n");
    tiles(&mut page, statistics, &term);
    for (id, title, body) in &sections {
        if !body.is_empty() {
            let _ =
                writeln!(page, "<section aria-labelledby=\"{id}\">\n<h2 id=\"{id}\">{title}</h2>\n{body}</section>");
        }
    }
    page.push_str("</main>\n</div>\n<footer><p>Every value can be traced to its source cell with <code>hotpass explain-provenance</code>, and the run checked with <code>hotpass verify</code>.</p></footer>\n</body>\n</html>\n");
    page
}

/// Returns text that HTML shows as it is, in elements and in quoted attributes.
pub(super) fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>', '"', '\'']) && !text.contains(char::is_control) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c if c.is_control() => safe.push(' '),
            c => safe.push(c),
        }
    }
    Cow::Owned(safe)
}

/// Returns escaped text whose parts in backticks are set as code.
fn with_code(text: &str) -> String {
    let mut parts = text.split('`');
    let mut safe = escape(parts.next().unwrap_or_default()).into_owned();
    while let Some(code) = parts.next() {
        match parts.next() {
            Some(rest) => {
                let _ = write!(safe, "<code>{}</code>{}", escape(code), escape(rest));
            }
            // A single backtick is a character like others.
            None => {
                let _ = write!(safe, "`{}", escape(code));
            }
        }
    }
    safe
}

fn header(page: &mut String, statistics: &RunStatistics, term: &str) {
    let balanced = statistics.rows_in == statistics.rows_in_entities + statistics.rows_quarantined;
    let _ = writeln!(
        page,
        "<header><p class=\"eyebrow\">Hotpass refinement report</p><h1>{} {} from {} source rows</h1><p class=\"verdict\">{}</p><dl class=\"facts\"><div><dt>Run</dt><dd><code>{}</code></dd></div><div><dt>Started</dt><dd>{}</dd></div><div><dt>Profile</dt><dd>{}</dd></div></dl></header>",
        count(statistics.entities),
        escape(term),
        count(statistics.rows_in),
        if balanced {
            format!(
                "Every source row is accounted for: {} in published {}, {} in quarantine.",
                count(statistics.rows_in_entities),
                escape(term),
                count(statistics.rows_quarantined)
            )
        } else {
            format!(
                "<strong>Rows do not add up:</strong> {} read, {} in published {}, {} in quarantine.",
                count(statistics.rows_in),
                count(statistics.rows_in_entities),
                escape(term),
                count(statistics.rows_quarantined)
            )
        },
        escape(&statistics.run_id),
        escape(&statistics.started_at),
        escape(&readable(&statistics.profile)),
    );
}

fn tiles(page: &mut String, statistics: &RunStatistics, term: &str) {
    let conflicts: u64 = statistics.conflicts.values().sum();
    let holding = statistics.expectations.iter().filter(|result| result.success).count();
    let quarantine_share = share(statistics.rows_quarantined, statistics.rows_in);
    let mut items = Vec::new();
    items.push((
        "Source rows",
        count(statistics.rows_in),
        format!("{} read", counted(statistics.tables.len() as u64, "table")),
    ));
    items.push((
        "Published",
        count(statistics.entities),
        format!("{term}, {:.1} rows each", ratio(statistics.rows_in_entities, statistics.entities)),
    ));
    items.push((
        "Quarantine",
        count(statistics.rows_quarantined),
        format!("{} of the rows", percent(quarantine_share)),
    ));
    items.push((
        "Mean quality",
        score(statistics.quality_mean),
        match statistics.quality_mean {
            Some(_) => format!("from {} to {}", score(statistics.quality_min), score(statistics.quality_max)),
            None => "nothing is published".to_owned(),
        },
    ));
    items.push(("Conflicts", count(conflicts), "values on which sources disagree".to_owned()));
    if !statistics.expectations.is_empty() {
        items.push(("Expectations", format!("{holding} of {}", statistics.expectations.len()), "hold".to_owned()));
    }
    page.push_str("<ul class=\"tiles\" aria-label=\"Headline figures\">");
    for (label, figure, note) in items {
        let _ = write!(
            page,
            "<li><span class=\"label\">{label}</span> <span class=\"figure\">{figure}</span> <span class=\"note\">{}</span></li>",
            escape(&note)
        );
    }
    page.push_str("</ul>\n");
}

fn recommendations(statistics: &RunStatistics) -> String {
    let mut body = String::new();
    if statistics.recommendations.is_empty() {
        return body;
    }
    body.push_str("<ul class=\"advice\">");
    for advice in &statistics.recommendations {
        let _ = write!(body, "<li>{}</li>", with_code(advice));
    }
    body.push_str("</ul>\n");
    body
}

fn expectations(statistics: &RunStatistics) -> String {
    if statistics.expectations.is_empty() {
        return String::new();
    }
    let mut table = Table::new(
        "Checks on the published table",
        &["Expectation", "#Checked", "#Failed", "#Passed", "#Must pass", "Result"],
    );
    for result in &statistics.expectations {
        let passed = 1.0 - share(result.unexpected, result.checked);
        let verdict = match (result.success, result.fails_run) {
            (true, _) => "<span class=\"good\">✓ holds</span>",
            (false, true) => "<span class=\"bad\">✗ fails the run</span>",
            (false, false) => "<span class=\"warn\">! does not hold</span>",
        };
        table.row(&[
            format!("<code>{}</code>", escape(&result.name)),
            count(result.checked),
            count(result.unexpected),
            percent(passed),
            percent(result.mostly),
            verdict.to_owned(),
        ]);
    }
    table.finish()
}

fn contracts(statistics: &RunStatistics) -> String {
    if statistics.contracts.is_empty() {
        return String::new();
    }
    let mut table = Table::new(
        "Contracts of the sources",
        &["Table", "Contract", "#Rows", "#In quarantine", "What is wrong", "Result"],
    );
    for checked in &statistics.contracts {
        let result = &checked.result;
        let verdict = match (result.passed, checked.fails_table()) {
            (true, _) => "<span class=\"good\">✓ kept</span>",
            (false, true) => "<span class=\"bad\">✗ the table breaks it</span>",
            (false, false) => "<span class=\"warn\">! rows break it</span>",
        };
        let context = checked.context.as_ref();
        let wrong: Vec<String> = context
            .map(|context| crate::contracts::findings(context).iter().map(|finding| with_code(finding)).collect())
            .unwrap_or_default();
        table.row(&[
            escape(&checked.place()).into_owned(),
            format!("<code>{}</code> {}", escape(&result.contract), escape(&result.version)),
            count(result.rows),
            count(result.failed_rows),
            wrong.join("<br>"),
            verdict.to_owned(),
        ]);
    }
    table.finish()
}

fn sources(statistics: &RunStatistics) -> String {
    let mut body = String::new();
    let mut table = Table::new(
        "Tables that were read",
        &["File", "Sheet", "Source", "#Header row", "#Rows", "#In entities", "#Quarantined", "#Columns mapped"],
    );
    for source in &statistics.tables {
        let mapped = source.columns.iter().filter(|column| column.field.is_some()).count();
        table.row(&[
            escape(&source.file).into_owned(),
            sheet_name(source.sheet.as_deref(), source.table),
            escape(&source.source_dataset).into_owned(),
            source.header_row.map_or_else(|| "none".to_owned(), |row| count(u64::from(row))),
            count(source.rows_in),
            count(source.rows_in.saturating_sub(source.rows_quarantined)),
            count(source.rows_quarantined),
            format!("{mapped} of {}", source.columns.len()),
        ]);
    }
    body.push_str(&table.finish());
    if statistics.source_breakdown.len() > 1 {
        let bars: Vec<Bar> = sorted(&statistics.source_breakdown)
            .into_iter()
            .map(|(name, rows)| Bar::new(name, rows as f64, count(rows)))
            .collect();
        figure(&mut body, "Rows by source dataset", &svg::bars("Rows by source dataset", &bars));
    }
    if !statistics.skipped.is_empty() {
        let mut table = Table::new("Sheets and files that were not read as data", &["File", "Sheet", "Reason"]);
        for skipped in &statistics.skipped {
            table.row(&[
                escape(&skipped.file).into_owned(),
                skipped.sheet.as_deref().map_or_else(String::new, |sheet| escape(sheet).into_owned()),
                escape(&skipped.reason).into_owned(),
            ]);
        }
        body.push_str(&table.finish());
    }
    body
}

fn quarantine(statistics: &RunStatistics) -> String {
    if statistics.quarantine_reasons.is_empty() {
        return "<p>No row is in quarantine.</p>\n".to_owned();
    }
    let mut body = String::new();
    let mut table = Table::new("Why rows were not published", &["Reason", "#Rows", "#Share of quarantine"]);
    for (reason, rows) in sorted(&statistics.quarantine_reasons) {
        table.row(&[
            format!("<code>{}</code>", escape(reason)),
            count(rows),
            percent(share(rows, statistics.rows_quarantined)),
        ]);
    }
    body.push_str(&table.finish());
    body.push_str("<p>The rows themselves, with their reasons, are in <code>quarantine.parquet</code> and on the Quarantine sheet of the workbook.</p>\n");
    body
}

fn mapping(statistics: &RunStatistics) -> String {
    let columns: usize = statistics.tables.iter().map(|table| table.columns.len()).sum();
    let open = if columns <= UNFOLDED_COLUMNS { " open" } else { "" };
    let mut body = String::new();
    for source in &statistics.tables {
        let mapped = source.columns.iter().filter(|column| column.field.is_some()).count();
        let name = match &source.sheet {
            Some(sheet) => format!("{} / {}", source.file, sheet),
            None => source.file.clone(),
        };
        let _ = writeln!(
            body,
            "<details{open}><summary>{}: {mapped} of {} columns mapped</summary>",
            escape(&name),
            source.columns.len()
        );
        let mut table = Table::new(
            &format!("Columns of {name}"),
            &["Column", "Header", "Field", "#Confidence", "#Filled", "Reason"],
        );
        for column in &source.columns {
            let field = match (&column.field, &column.suggestion) {
                (Some(field), _) => format!("<code>{}</code>", escape(field)),
                (None, Some(suggestion)) => {
                    format!("<span class=\"warn\">perhaps <code>{}</code></span>", escape(suggestion))
                }
                (None, None) => "<span class=\"muted\">kept as it is</span>".to_owned(),
            };
            let confidence = if column.field.is_some() || column.suggestion.is_some() {
                meter(column.confidence)
            } else {
                String::new()
            };
            table.row(&[
                escape(&column.column).into_owned(),
                escape(&column.header).into_owned(),
                field,
                confidence,
                meter(column.fill),
                escape(&column.reason).into_owned(),
            ]);
        }
        body.push_str(&table.finish());
        body.push_str("</details>\n");
    }
    body
}

fn changes(statistics: &RunStatistics) -> String {
    if statistics.changes.is_empty() {
        return String::new();
    }
    let mut body = String::new();
    let mut totals: Vec<(&str, u64)> =
        statistics.changes.iter().map(|(field, steps)| (field.as_str(), steps.values().sum())).collect();
    totals.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    let bars: Vec<Bar> = totals.iter().map(|(field, total)| Bar::new(*field, *total as f64, count(*total))).collect();
    figure(&mut body, "Changes by field", &svg::bars("Changes by field", &bars));
    let mut table = Table::new("Changes by rule and step", &["Step", "Field", "#Values"]);
    for (field, _) in &totals {
        for (step, values) in sorted(&statistics.changes[*field]) {
            table.row(&[
                format!("<code>{}</code>", escape(step)),
                format!("<code>{}</code>", escape(field)),
                count(values),
            ]);
        }
    }
    let _ = writeln!(body, "<details><summary>All steps</summary>\n{}</details>", table.finish());
    body
}

fn failures(statistics: &RunStatistics) -> String {
    let mut table = Table::new("Values that broke the rule of their field", &["Reason", "Field", "#Values"]);
    for (field, reasons) in &statistics.failures {
        for (reason, values) in sorted(reasons) {
            table.row(&[
                format!("<code>{}</code>", escape(reason)),
                format!("<code>{}</code>", escape(field)),
                count(values),
            ]);
        }
    }
    if statistics.failures.is_empty() {
        return String::new();
    }
    format!(
        "<p>These values break the rule of their field and are not published; the source still holds them.</p>\n{}",
        table.finish()
    )
}

fn completeness(statistics: &RunStatistics) -> String {
    let rows: Vec<(String, f64, f64)> = published_order(&statistics.completeness)
        .into_iter()
        .map(|(column, share)| (column.to_owned(), share.before, share.after))
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    let mut body = String::from(
        "<p>Hollow: share of source rows with a value. Filled: share of published records with a value.</p>\n",
    );
    figure(
        &mut body,
        "Completeness before and after",
        &svg::dumbbells("Completeness of each column before and after", &rows),
    );
    let mut table = Table::new("Completeness of each column", &["Column", "#Source rows", "#Published", "#Change"]);
    for (column, before, after) in &rows {
        table.row(&[
            format!("<code>{}</code>", escape(column)),
            percent(*before),
            percent(*after),
            format!("{:+.1} points", (after - before) * 100.0),
        ]);
    }
    let _ = writeln!(body, "<details><summary>Figures</summary>\n{}</details>", table.finish());
    body
}

fn quality(statistics: &RunStatistics, term: &str) -> String {
    if statistics.entities == 0 {
        return String::new();
    }
    let mut body = format!(
        "<p>The score of a record is the share of the profile's required and wanted fields that it has: mean {}, lowest {}, highest {}.</p>\n",
        score(statistics.quality_mean),
        score(statistics.quality_min),
        score(statistics.quality_max)
    );
    let ranges: Vec<String> =
        (0..10).map(|step| format!("{:.1}–{:.1}", f64::from(step) / 10.0, f64::from(step + 1) / 10.0)).collect();
    let bars: Vec<Bar> = statistics
        .quality_histogram
        .iter()
        .zip(&ranges)
        .enumerate()
        .map(|(step, (records, range))| Bar {
            class: match step {
                8.. => "bar good",
                6..=7 => "bar fair",
                4..=5 => "bar weak",
                _ => "bar poor",
            },
            ..Bar::new(range.clone(), *records as f64, count(*records))
        })
        .collect();
    figure(&mut body, "Records by quality score", &svg::columns(&format!("Number of {term} by quality score"), &bars));
    let mut table = Table::new("Records by quality score", &["Score", "#Records", "#Share"]);
    for (records, range) in statistics.quality_histogram.iter().zip(&ranges) {
        table.row(&[range.clone(), count(*records), percent(share(*records, statistics.entities))]);
    }
    let _ = writeln!(body, "<details><summary>Figures</summary>\n{}</details>", table.finish());
    body
}

fn matching(statistics: &RunStatistics, term: &str) -> String {
    const SIZES: [&str; 7] = ["1", "2", "3", "4", "5", "6–10", "11+"];
    if statistics.entities == 0 {
        return String::new();
    }
    let mut body = String::new();
    let bars: Vec<Bar> = SIZES
        .iter()
        .zip(statistics.entity_sizes)
        .map(|(size, records)| Bar::new(*size, records as f64, count(records)))
        .collect();
    figure(
        &mut body,
        "Records by number of source rows",
        &svg::columns(&format!("Number of {term} by number of source rows"), &bars),
    );
    let mut table = Table::new("Records by number of source rows", &["Source rows", "#Records", "#Share"]);
    for (size, records) in SIZES.iter().zip(statistics.entity_sizes) {
        table.row(&[(*size).to_owned(), count(records), percent(share(records, statistics.entities))]);
    }
    let _ = writeln!(body, "<details><summary>Figures</summary>\n{}</details>", table.finish());
    if !statistics.links.is_empty() {
        let mut table = Table::new("Which rule joined rows first", &["Rule", "#Pairs"]);
        for (rule, pairs) in sorted(&statistics.links) {
            table.row(&[format!("<code>{}</code>", escape(rule)), count(pairs)]);
        }
        body.push_str(&table.finish());
    }
    if statistics.pairs_to_review > 0 {
        let _ = writeln!(
            body,
            "<p>{} of source rows may belong together and were not joined: <code>review_queue.parquet</code> of the run lists them, the likeliest first.</p>",
            match statistics.pairs_to_review {
                1 => "1 pair".to_owned(),
                pairs => format!("{} pairs", count(pairs)),
            }
        );
    }
    body
}

fn conflicts(statistics: &RunStatistics, extras: &ReportExtras<'_>) -> String {
    let total: u64 = statistics.conflicts.values().sum();
    if total == 0 {
        return "<p>The sources agree on every field.</p>\n".to_owned();
    }
    let mut body = String::new();
    let bars: Vec<Bar> = sorted(&statistics.conflicts)
        .into_iter()
        .map(|(column, records)| Bar::new(column, records as f64, count(records)))
        .collect();
    figure(
        &mut body,
        "Records on which sources disagree, by column",
        &svg::bars("Records on which sources disagree, by column", &bars),
    );
    let samples = conflict_samples(extras, CONFLICT_LIMIT);
    if samples.is_empty() {
        return body;
    }
    let mut table = Table::new(
        &format!("The first {} of {} conflicts", samples.len(), count(total)),
        &["Record", "Column", "Chosen", "From", "Others"],
    );
    for ConflictSample { organization_name, field, value, chosen_source, rule, alternatives } in &samples {
        table.row(&[
            escape(organization_name).into_owned(),
            format!("<code>{}</code>", escape(field)),
            escape(value).into_owned(),
            format!("{}<br><span class=\"muted\">{}</span>", escape(chosen_source), escape(&readable(rule))),
            alternatives
                .iter()
                .map(|(value, cell)| match cell {
                    Some(cell) => format!("{} <span class=\"muted\">{}</span>", escape(value), escape(cell)),
                    None => escape(value).into_owned(),
                })
                .collect::<Vec<_>>()
                .join("<br>"),
        ]);
    }
    body.push_str(&table.finish());
    if !extras.show_values {
        body.push_str("<p class=\"muted\">Personal values are shown as their shape: <code>X</code> a capital, <code>x</code> a letter, <code>9</code> a digit.</p>\n");
    }
    body
}

/// Draws what the run read and wrote, and lists the source columns of each published one.
fn lineage(extras: &ReportExtras<'_>) -> String {
    let Some(graph) = extras.lineage else { return String::new() };
    let mut graph = graph.clone();
    // How long each stage took stands under the timings.
    graph.stages.clear();
    graph.ended = None;
    let mut body = String::new();
    let picture = format!("<div class=\"scroll\" tabindex=\"0\">{}</div>", graph.to_svg());
    figure(&mut body, "What the run read and wrote", &picture);
    let Some(output) = graph.outputs.iter().find(|output| !output.columns.is_empty()) else { return body };
    let mut table = Table::new("Source columns of each published column", &["Published column", "Source columns"]);
    for (column, sources) in &output.columns {
        let sources: Vec<String> = sources
            .iter()
            .map(|source| {
                let masked = if source.masked { ", masked" } else { "" };
                format!(
                    "<code>{}</code> of {} <span class=\"muted\">({}{masked})</span>",
                    escape(&source.field),
                    escape(&source.dataset),
                    escape(&source.transformations.join(", ").to_lowercase())
                )
            })
            .collect();
        table.row(&[format!("<code>{}</code>", escape(column)), sources.join("<br>")]);
    }
    let _ = writeln!(body, "<details><summary>Source columns</summary>\n{}</details>", table.finish());
    body
}

fn timings(statistics: &RunStatistics) -> String {
    if statistics.timings.is_empty() {
        return String::new();
    }
    let total: f64 = statistics.timings.iter().map(|(_, time)| time).sum();
    let mut body = format!("<p>{} in all", seconds(total));
    if total > 0.0 {
        let _ = write!(body, ", {} source rows a second", count((statistics.rows_in as f64 / total) as u64));
    }
    body.push_str(".</p>\n");
    let bars: Vec<Bar> =
        statistics.timings.iter().map(|(stage, time)| Bar::new(readable(stage), *time, seconds(*time))).collect();
    figure(&mut body, "Time by stage", &svg::bars("Time by stage", &bars));
    let mut table = Table::new("Time by stage", &["Stage", "#Time", "#Share"]);
    for (stage, time) in &statistics.timings {
        let part = if total > 0.0 { time / total } else { 0.0 };
        table.row(&[escape(&readable(stage)).into_owned(), seconds(*time), percent(part)]);
    }
    let _ = writeln!(body, "<details><summary>Figures</summary>\n{}</details>", table.finish());
    body
}

/// A table with caption and header cells; titles that begin with `#` head columns of numbers.
struct Table {
    html: String,
    numeric: Vec<bool>,
}

impl Table {
    fn new(caption: &str, titles: &[&str]) -> Self {
        let numeric: Vec<bool> = titles.iter().map(|title| title.starts_with('#')).collect();
        let mut html = format!(
            "<div class=\"scroll\" role=\"region\" aria-label=\"{0}\" tabindex=\"0\"><table><caption>{0}</caption><thead><tr>",
            escape(caption)
        );
        for title in titles {
            let class = if title.starts_with('#') { " class=\"number\"" } else { "" };
            let _ = write!(html, "<th scope=\"col\"{class}>{}</th>", escape(title.trim_start_matches('#')));
        }
        html.push_str("</tr></thead><tbody>\n");
        Self { html, numeric }
    }

    /// Adds a row of cells that are HTML already; the first one heads the row.
    fn row(&mut self, cells: &[String]) {
        self.html.push_str("<tr>");
        for (index, (cell, numeric)) in cells.iter().zip(&self.numeric).enumerate() {
            let class = if *numeric { " class=\"number\"" } else { "" };
            let _ = if index == 0 {
                write!(self.html, "<th scope=\"row\">{cell}</th>")
            } else {
                write!(self.html, "<td{class}>{cell}</td>")
            };
        }
        self.html.push_str("</tr>\n");
    }

    fn finish(mut self) -> String {
        self.html.push_str("</tbody></table></div>\n");
        self.html
    }
}

fn figure(body: &mut String, caption: &str, plot: &str) {
    let _ = writeln!(body, "<figure>{plot}<figcaption>{}</figcaption></figure>", escape(caption));
}

fn meter(share: f64) -> String {
    let width = if share.is_finite() { share.clamp(0.0, 1.0) * 100.0 } else { 0.0 };
    format!(
        "<span class=\"meter\"><span class=\"track\" aria-hidden=\"true\"><span style=\"width:{width:.0}%\"></span></span>{}</span>",
        percent(share)
    )
}

fn sheet_name(sheet: Option<&str>, table: u32) -> String {
    let name = sheet.map_or_else(String::new, |sheet| escape(sheet).into_owned());
    if table == 0 { name } else { format!("{name} (table {})", table + 1) }
}

fn sorted(counts: &std::collections::BTreeMap<String, u64>) -> Vec<(&str, u64)> {
    let mut sorted: Vec<(&str, u64)> = counts.iter().map(|(name, count)| (name.as_str(), *count)).collect();
    sorted.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    sorted
}

/// Returns the columns in the order they are published in; others come last.
fn published_order<V: Copy>(columns: &std::collections::BTreeMap<String, V>) -> Vec<(&str, V)> {
    let place = |name: &str| {
        hotpass_core::fields::GOLDEN_COLUMNS
            .iter()
            .position(|column| column.name == name)
            .unwrap_or(hotpass_core::fields::GOLDEN_COLUMNS.len())
    };
    let mut ordered: Vec<(&str, V)> = columns.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    ordered.sort_by_key(|(name, _)| place(name));
    ordered
}

fn share(part: u64, whole: u64) -> f64 {
    ratio(part, whole)
}

fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backticks_become_code() {
        let check = |text: &str, expected: &str| assert_eq!(with_code(text), expected);
        check("see `a_b` & `c`", "see <code>a_b</code> &amp; <code>c</code>");
        check("one ` only", "one ` only");
        check("`<b>`", "<code>&lt;b&gt;</code>");
        check("", "");
    }
}
