//! Data docs: static pages of what suites found, with what earlier runs found, and the results as JSON.
//!
//! The pages need no network, no script and no other file. They hold what a [`SuiteResult`] holds: counts,
//! shares, positions, never values of columns that may not be shown.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::expectation::Expectation;
use crate::result::{ExpectationResult, SuiteResult};

/// What a suite found in a dataset.
#[derive(Debug, Clone)]
pub struct DocumentedSuite<'a> {
    /// Name of the dataset: a file with its sheet, or a published table.
    pub dataset: &'a str,
    /// What was found.
    pub result: &'a SuiteResult,
    /// What earlier runs found, the oldest first.
    pub history: Vec<EarlierResult>,
}

/// What an earlier run found.
#[derive(Debug, Clone, PartialEq)]
pub struct EarlierResult {
    /// Id of the run.
    pub run_id: String,
    /// When it started, RFC 3339.
    pub run_time: String,
    /// Number of expectations.
    pub evaluated: u64,
    /// Number of those that held.
    pub successful: u64,
}

impl EarlierResult {
    /// Reads the result file of an earlier run; nothing where it is none.
    pub fn from_json(text: &str) -> Option<Self> {
        let document: Value = serde_json::from_str(text).ok()?;
        let count = |name: &str| document["statistics"][name].as_u64();
        let meta = |name: &str| document["meta"][name].as_str().map(str::to_owned);
        Some(Self {
            run_id: meta("run_id")?,
            run_time: meta("run_time")?,
            evaluated: count("evaluated_expectations")?,
            successful: count("successful_expectations")?,
        })
    }
}

/// A file of the data docs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentFile {
    /// Path below the folder of the data docs, with `/`.
    pub path: String,
    /// Text.
    pub text: String,
}

/// Returns the name of the files of a dataset and suite, without ending.
pub fn document_name(dataset: &str, suite: &str) -> String {
    let mut name = String::new();
    for character in format!("{dataset} {suite}").chars() {
        if character.is_ascii_alphanumeric() || character == '.' {
            name.push(character.to_ascii_lowercase());
        } else if !name.ends_with('-') {
            name.push('-');
        }
    }
    name.trim_matches(['-', '.']).to_owned()
}

/// Returns the files: `index.html`, a page for each dataset and suite, and its result in Great Expectations' form in `results/`.
///
/// Two with the same name are told apart by a number.
pub fn data_docs(run_id: &str, run_time: &str, suites: &[DocumentedSuite<'_>]) -> Vec<DocumentFile> {
    let mut names: Vec<String> = Vec::new();
    for suite in suites {
        let name = document_name(suite.dataset, &suite.result.suite);
        let twins = names.iter().filter(|other| **other == name || other.starts_with(&format!("{name}~"))).count();
        names.push(if twins == 0 { name } else { format!("{name}~{}", twins + 1) });
    }
    let mut files = vec![DocumentFile { path: "index.html".into(), text: index(run_id, run_time, suites, &names) }];
    for (suite, name) in suites.iter().zip(&names) {
        files.push(DocumentFile { path: format!("{name}.html"), text: page(run_id, run_time, suite) });
        let mut result = suite.result.to_gx_json();
        result["meta"]["run_id"] = json!(run_id);
        result["meta"]["run_time"] = json!(run_time);
        result["meta"]["dataset"] = json!(suite.dataset);
        let mut text = serde_json::to_string_pretty(&result).unwrap_or_default();
        text.push('\n');
        files.push(DocumentFile { path: format!("results/{name}.json"), text });
    }
    files
}

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#57606a;--line:#d0d7de;--paper:#fff;--good:#116329;--bad:#a40e26;--note:#7d4e00}\
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9198a1;--line:#3d444d;--paper:#0d1117;--good:#3fb950;--bad:#ff7b72;--note:#d29922}}\
body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);margin:0 auto;max-width:72rem;padding:1.5rem}\
table{border-collapse:collapse;width:100%;margin:1rem 0}caption{text-align:left;font-weight:600;padding:.5rem 0}\
th,td{text-align:left;vertical-align:top;padding:.4rem .6rem;border-bottom:1px solid var(--line)}\
td.n,th.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}.soft{color:var(--soft);font-weight:400}\
code{font-size:.875em;overflow-wrap:anywhere}tr.off th{border-left:.25rem solid var(--bad)}\
.good{color:var(--good);font-weight:600}.bad{color:var(--bad);font-weight:600}.note{color:var(--note);font-weight:600}\
.wide{overflow-x:auto}a{color:inherit}td{overflow-wrap:anywhere}\
.checks{table-layout:fixed}.checks th,.checks td{overflow-wrap:anywhere;white-space:normal;box-sizing:border-box}\
.checks thead th:nth-child(2){width:7.2rem}.checks thead th:nth-child(3){width:6.2rem}.checks thead th:nth-child(4){width:5.5rem}\
.checks thead th:nth-child(5){width:8rem}.checks thead th:nth-child(6){width:4.8rem}.checks thead th:nth-child(7){width:5rem}\
.checks thead th:nth-child(8){width:19%}\
@media(max-width:68rem){.checks thead{display:none}.checks tr,.checks th,.checks td{display:block;border:0;text-align:left}\
.checks tr{border-bottom:1px solid var(--line);padding:.4rem 0}.checks td{padding:.1rem .6rem}.checks td:empty{display:none}\
.checks td::before{content:attr(data-label) \": \";color:var(--soft)}}";

fn head(title: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{}</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<main>\n",
        escape(title)
    )
}

const FOOT: &str = "</main>\n</body>\n</html>\n";

fn index(run_id: &str, run_time: &str, suites: &[DocumentedSuite<'_>], names: &[String]) -> String {
    let mut html = head("Data docs");
    let _ = write!(
        html,
        "<h1>Data docs</h1>\n<p class=\"soft\">Run {}, started {}</p>\n",
        escape(run_id),
        escape(run_time)
    );
    if suites.is_empty() {
        html.push_str("<p>No table was checked.</p>\n");
    } else {
        let all: usize = suites.iter().map(|suite| suite.result.results.len()).sum();
        let hold = all - suites.iter().map(|suite| suite.result.failures().count()).sum::<usize>();
        let _ = writeln!(html, "<p>{hold} of {all} expectations on {} hold.</p>", counted(suites.len(), "table"));
        html.push_str(
            "<div class=\"wide\"><table><caption>Tables and suites</caption>\n<thead><tr><th scope=\"col\">Table</th>\
             <th scope=\"col\">Suite</th><th scope=\"col\">Result</th><th scope=\"col\" class=\"n\">Rows</th>\
             <th scope=\"col\" class=\"n\">Expectations</th><th scope=\"col\" class=\"n\">Hold</th>\
             <th scope=\"col\">What does not hold</th></tr></thead>\n<tbody>\n",
        );
        for (suite, name) in suites.iter().zip(names) {
            let result = suite.result;
            let hold = result.results.iter().filter(|one| one.success).count();
            let broken: Vec<String> = result.failures().map(|one| breakable(&one.expectation.title())).collect();
            let _ = writeln!(
                html,
                "<tr><th scope=\"row\"><a href=\"{}.html\">{}</a></th><td>{}</td><td>{}</td><td class=\"n\">{}</td>\
                 <td class=\"n\">{}</td><td class=\"n\">{hold}</td><td>{}</td></tr>",
                escape(name),
                escape(suite.dataset),
                escape(&result.suite),
                verdict(result),
                result.rows,
                result.results.len(),
                broken.join("<br>"),
            );
        }
        html.push_str("</tbody></table></div>\n");
    }
    html.push_str(FOOT);
    html
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

fn verdict(result: &SuiteResult) -> &'static str {
    if result.success() {
        "<span class=\"good\">All hold</span>"
    } else if result.passed() {
        "<span class=\"note\">Some do not hold</span>"
    } else {
        "<span class=\"bad\">Did not pass</span>"
    }
}

fn page(run_id: &str, run_time: &str, suite: &DocumentedSuite<'_>) -> String {
    let result = suite.result;
    let mut html = head(&format!("{}: {}", suite.dataset, result.suite));
    let _ = write!(
        html,
        "<p><a href=\"index.html\">All tables</a></p>\n<h1>{}</h1>\n<p>Suite {}: {}. {}.</p>\n\
         <p class=\"soft\">Run {}, started {}</p>\n",
        escape(suite.dataset),
        escape(&result.suite),
        verdict(result),
        counted(usize::try_from(result.rows).unwrap_or(usize::MAX), "row"),
        escape(run_id),
        escape(run_time),
    );
    html.push_str(
        "<div class=\"wide\"><table class=\"checks\"><caption>Expectations</caption>\n<thead><tr><th scope=\"col\">Expectation</th>\
         <th scope=\"col\">Severity</th><th scope=\"col\">Result</th><th scope=\"col\" class=\"n\">Judged</th>\
         <th scope=\"col\" class=\"n\">Unexpected</th><th scope=\"col\" class=\"n\">Hold</th>\
         <th scope=\"col\" class=\"n\">Must hold</th><th scope=\"col\">Found</th></tr></thead>\n<tbody>\n",
    );
    // What does not hold comes first: that is what the page is opened for.
    for one in result.failures().chain(result.results.iter().filter(|one| one.success)) {
        row(&mut html, one);
    }
    html.push_str("</tbody></table></div>\n");
    history(&mut html, run_id, run_time, suite);
    html.push_str(FOOT);
    html
}

fn row(html: &mut String, result: &ExpectationResult) {
    let expectation = &result.expectation;
    let summary = expectation.spec().map_or("", |spec| spec.summary);
    let (class, word) = if result.success {
        ("good", "Holds")
    } else if result.exception.is_some() {
        ("bad", "Cannot be checked")
    } else {
        ("bad", "Does not hold")
    };
    let (judged, unexpected, share, mostly) = match result.tally {
        Some(tally) => (
            tally.judged.to_string(),
            tally.unexpected.to_string(),
            percent(tally.share()),
            percent(expectation.mostly()),
        ),
        None => Default::default(),
    };
    let mut found = String::new();
    if let Some(reason) = &result.exception {
        found.push_str(&escape(reason));
    } else if let Some(observed) = result.observed.as_ref().filter(|observed| !observed.is_null()) {
        let _ = write!(found, "<code>{}</code>", escape(&observed.to_string()));
    }
    if !result.failed_rows.is_empty() {
        let (what, rows): (_, Vec<String>) = if result.source_rows.is_empty() {
            let positions = result.failed_rows.iter().take(crate::result::PARTIAL);
            ("Rows of data", positions.map(|row| (row + 1).to_string()).collect())
        } else {
            ("Rows", result.source_rows.iter().map(ToString::to_string).collect())
        };
        let more = result.tally.is_some_and(|tally| tally.unexpected > rows.len() as u64);
        let _ = write!(found, "{what} {}{}", rows.join(", "), if more { ", …" } else { "" });
    }
    let _ = writeln!(
        html,
        "<tr{}><th scope=\"row\">{}<br><span class=\"soft\">{}. <code>{}</code>{}</span></th>\
         <td data-label=\"Severity\">{}</td><td data-label=\"Result\"><span class=\"{class}\">{word}</span></td>\
         <td class=\"n\" data-label=\"Judged\">{judged}</td><td class=\"n\" data-label=\"Unexpected\">{unexpected}</td>\
         <td class=\"n\" data-label=\"Hold\">{share}</td><td class=\"n\" data-label=\"Must hold\">{mostly}</td>\
         <td data-label=\"Found\">{found}</td></tr>",
        if result.success { "" } else { " class=\"off\"" },
        breakable(&expectation.title()),
        escape(summary),
        breakable(expectation.gx_name()),
        arguments(expectation),
        expectation.severity.name(),
    );
}

/// Returns what the expectation asks for beside what its title says; the members of sets stay with the suite.
fn arguments(expectation: &Expectation) -> String {
    const SHOWN: [&str; 8] = [
        "regex",
        "regex_list",
        "like_pattern",
        "strftime_format",
        "row_condition",
        "unexpected_rows_query",
        "threshold",
        "tolerance",
    ];
    let mut text = String::new();
    for (name, value) in expectation.kwargs.iter().filter(|(name, _)| SHOWN.contains(&name.as_str())) {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let _ = write!(text, "<br>{}: <code>{}</code>", escape(&name.replace('_', " ")), escape(&value));
    }
    if let Some(notes) = &expectation.notes {
        let _ = write!(text, "<br>{}", escape(notes));
    }
    text
}

fn history(html: &mut String, run_id: &str, run_time: &str, suite: &DocumentedSuite<'_>) {
    let now = EarlierResult {
        run_id: run_id.to_owned(),
        run_time: run_time.to_owned(),
        evaluated: suite.result.results.len() as u64,
        successful: suite.result.results.iter().filter(|one| one.success).count() as u64,
    };
    html.push_str(
        "<div class=\"wide\"><table><caption>History</caption>\n<thead><tr><th scope=\"col\">Run</th>\
         <th scope=\"col\">Started</th><th scope=\"col\" class=\"n\">Expectations</th><th scope=\"col\" class=\"n\">Hold</th>\
         <th scope=\"col\">Share</th></tr></thead>\n<tbody>\n",
    );
    for earlier in [now].iter().chain(suite.history.iter().rev()) {
        let share = earlier.successful as f64 / earlier.evaluated.max(1) as f64;
        let _ = writeln!(
            html,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td>\
             <td><meter min=\"0\" max=\"1\" value=\"{share:.4}\">{}</meter> {}</td></tr>",
            escape(&earlier.run_id),
            escape(&earlier.run_time),
            earlier.evaluated,
            earlier.successful,
            percent(share),
            percent(share),
        );
    }
    html.push_str("</tbody></table></div>\n");
}

/// Writes a share in per cent; a share just below the whole is not rounded up to it.
fn percent(share: f64) -> String {
    let shown = (share * 1000.0).floor() / 10.0;
    format!("{shown} %")
}

/// Escapes a text of names, which may break after each underscore.
fn breakable(text: &str) -> String {
    escape(text).replace('_', "_<wbr>")
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{RecordBatch, StringArray};

    use super::*;
    use crate::{Expectation, Suite, SuiteOptions};

    #[test]
    fn pages_hold_positions_and_no_values() {
        let batch =
            RecordBatch::try_from_iter([("name", Arc::new(StringArray::from(vec!["Thandi", "Anna"])) as _)]).unwrap();
        let suite = Suite::new(
            "people",
            [
                Expectation::column("in_set", "name").with("value_set", json!(["Anna"])),
                Expectation::column("not_null", "name"),
                Expectation::column("match_regex", "name").with("regex", "^[A-Z]"),
            ],
        );
        let mut run = suite.compile(&batch.schema(), &SuiteOptions::default()).unwrap();
        run.add(&batch).unwrap();
        let result = run.finish();
        let history = vec![EarlierResult {
            run_id: "before".into(),
            run_time: "2024-01-01T00:00:00Z".into(),
            evaluated: 2,
            successful: 2,
        }];
        let documented = DocumentedSuite { dataset: "a <b>.csv", result: &result, history };
        let files = data_docs("now", "2024-01-02T00:00:00Z", &[documented.clone(), documented]);
        let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(
            paths,
            [
                "index.html",
                "a-b-.csv-people.html",
                "results/a-b-.csv-people.json",
                "a-b-.csv-people~2.html",
                "results/a-b-.csv-people~2.json",
            ]
        );
        assert!(files.iter().all(|file| !file.text.contains("Thandi")));
        assert!(files[1].text.contains("Rows of data 1<") && files[1].text.contains("before"));
        assert!(
            files[0].text.contains("4 of 6 expectations on 2 tables hold")
                && files[0].text.contains("name in_<wbr>set of 1")
        );
        assert!(files[1].text.contains("regex: <code>^[A-Z]</code>"));
        assert!(
            files[1].text.find("in_<wbr>set of 1") < files[1].text.find("not_<wbr>null"),
            "what does not hold comes first"
        );
        assert!(!files[1].text.contains("<b>") && !files[1].text.contains("http"));
        let read = EarlierResult::from_json(&files[2].text).unwrap();
        assert_eq!((read.run_id.as_str(), read.evaluated, read.successful), ("now", 3, 2));
    }

    #[test]
    fn a_long_name_may_break_so_that_every_column_is_in_view() {
        let batch = RecordBatch::try_from_iter([("name", Arc::new(StringArray::from(vec!["Thandi"])) as _)]).unwrap();
        let suite = Suite::new(
            "s",
            [Expectation::column("expect_column_distinct_values_to_contain_set", "name").with("value_set", json!([]))],
        );
        let mut run = suite.compile(&batch.schema(), &SuiteOptions::default()).unwrap();
        run.add(&batch).unwrap();
        let result = run.finish();
        let page =
            &data_docs("now", "", &[DocumentedSuite { dataset: "a", result: &result, history: Vec::new() }])[1].text;
        assert!(
            page.contains("name expect_<wbr>column_<wbr>distinct_<wbr>values_<wbr>to_<wbr>contain_<wbr>set"),
            "{page}"
        );
        assert!(page.contains("<table class=\"checks\">") && page.contains(".checks{table-layout:fixed}"));
        // Where the page is narrow, each value stands below the other under the name of its column.
        assert!(page.contains("<td data-label=\"Found\">") && page.contains("content:attr(data-label)"));
    }

    #[test]
    fn a_share_below_the_whole_is_not_shown_as_the_whole() {
        assert_eq!(percent(0.99999), "99.9 %");
        assert_eq!(percent(1.0), "100 %");
    }
}
