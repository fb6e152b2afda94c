//! Expectations: on source tables before they are normalised, on the published table before it is published; what to do next.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{AsArray, BooleanArray, RecordBatch, StringArray};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{DataType, Field, Schema, UInt32Type};
use arrow::error::ArrowError;
use hotpass_config::HotpassConfig;
use hotpass_config::model::{self, QaMode, Source};
use hotpass_config::profile::{shipped_suite, shipped_suites};
use hotpass_core::Diagnostic;
use hotpass_core::expectations::{ExpectationDomain, expectation_spec};
use hotpass_core::fields::GOLDEN_COLUMNS;
use hotpass_ingest::table::TableSchema;
use hotpass_provenance::Manifest;
use hotpass_provenance::manifest::{ManifestError, RunStatus};
use hotpass_quality::drift::{ProfileBuilder, TableProfile};
use hotpass_quality::{
    Expectation, ExpectationSeverity, MissingColumns, Suite, SuiteOptions, SuiteResult, error::BatchError,
    error::SuiteError,
};
use serde_json::{Value, json};

use crate::compliance::Redaction;
use crate::decisions::{BrokenRule, ReleasedRow, TableDecisions, row_digest};
use crate::entities::Entities;
use crate::golden::GoldenChunk;
use crate::normalising::{NormalisedBatch, QuarantinedRow, Rejection, TablePlan, note_rejections};
use crate::records::Records;
use crate::report::{counted, is_personal};
use crate::services::Services;
use crate::statistics::{ExpectationResult, RunStatistics, TableStatistics};
use crate::tables::schema_of;

/// Why expectations cannot be checked.
#[derive(Debug, thiserror::Error)]
pub enum ExpectationError {
    /// The suite cannot be used.
    #[error(transparent)]
    Suite(#[from] SuiteError),
    /// The file of a suite holds none.
    #[error("Cannot use suite `{name}`")]
    SuiteFile {
        /// The file, or the name of one that ships.
        name: String,
        /// Why.
        #[source]
        source: SuiteError,
    },
    /// Expectations that cannot be checked; every one is listed with the place where it is written.
    #[error("Cannot check expectations: {}", mistakes.join("; "))]
    Mistakes {
        /// Place, name and mistake of each.
        mistakes: Vec<String>,
    },
    /// An expectation asks in SQL, and the program was built without an engine.
    #[error("Cannot check {place}: it asks in SQL, and this build of hotpass has no SQL engine")]
    NoSql {
        /// Where the expectation is written.
        place: String,
    },
    /// Columns whose values would be written into results are personal.
    #[error("Columns of `quality.shown_columns` are personal: `{}`", columns.join("`, `"))]
    PersonalColumnShown {
        /// The columns.
        columns: Vec<String>,
    },
    /// No suite has the name, and no file either.
    #[error("Unknown suite: `{name}`{}", suggestion.as_ref().map(|nearest| format!("; did you mean `{nearest}`?")).unwrap_or_default())]
    UnknownSuite {
        /// The name.
        name: String,
        /// The nearest name that exists.
        suggestion: Option<String>,
    },
    /// The suite file cannot be read.
    #[error("Failed to read suite `{}`", path.display())]
    ReadSuite {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A batch cannot be checked.
    #[error(transparent)]
    Batch(#[from] BatchError),
}

impl ExpectationError {
    /// Returns whether what was asked for is at fault, and not the build or the program.
    pub const fn is_usage(&self) -> bool {
        !matches!(self, Self::NoSql { .. } | Self::Batch(_))
    }

    /// Returns what to do about it, where that is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::PersonalColumnShown { .. } => {
                Some("Take them out: results of checks are kept with the run, and hold values of no person".into())
            }
            Self::Suite(SuiteError::NoSql { .. }) | Self::NoSql { .. } => {
                Some("Use a build of hotpass with the feature `query`, or take the SQL expectation out".into())
            }
            Self::UnknownSuite { .. } => Some(format!(
                "Suites that ship: {}; or give the path of a suite file",
                shipped_suites().collect::<Vec<_>>().join(", ")
            )),
            _ => None,
        }
    }
}

/// What was found in a table, under its name and that of its suite.
#[derive(Debug, Clone)]
pub(crate) struct DatasetResult {
    /// Source dataset with sheet, or the published dataset.
    pub(crate) dataset: String,
    /// What the suite found.
    pub(crate) result: SuiteResult,
}

/// The expectations of a run, on source tables and on the published table.
#[derive(Debug)]
pub(crate) struct Expectations {
    published: Suite,
    sources: BTreeMap<String, SourceSuites>,
    options: SuiteOptions,
    mode: QaMode,
    dataset: String,
}

/// The suites of a source: its own, and those of sheets.
#[derive(Debug)]
struct SourceSuites {
    own: Vec<Expectation>,
    sheets: Vec<(String, Suite)>,
}

/// Returns how the suites of a workspace are evaluated, whatever the verb: text is read alike, and values are shown alike.
pub fn suite_options(quality: &model::Quality, services: &Services) -> SuiteOptions {
    SuiteOptions {
        blank_as_null: quality.blank_as_null,
        numbers_in_text: true,
        shown_columns: quality.shown_columns.iter().cloned().collect(),
        sql: services.sql.clone(),
        ..SuiteOptions::default()
    }
}

/// Makes an expectation from its configuration; the short arguments get the names of Great Expectations.
fn expectation_of(config: &model::Expectation) -> Expectation {
    let whole = |number: f64| {
        if number.fract() == 0.0 && number.abs() < 9e15 { json!(number as i64) } else { json!(number) }
    };
    let mut expectation = Expectation::new(&config.kind);
    let mut set = |name: &str, value: Value| {
        expectation.kwargs.insert(name.to_owned(), value);
    };
    if let Some(column) = &config.column {
        set("column", json!(column));
    }
    if config.mostly < 1.0 {
        set("mostly", json!(config.mostly));
    }
    if let Some(regex) = &config.regex {
        set("regex", json!(regex));
    }
    if !config.values.is_empty() {
        set("value_set", config.values.iter().cloned().map(Value::from).collect());
    }
    for (name, bound) in [("min_value", config.min), ("max_value", config.max)] {
        if let Some(bound) = bound {
            set(name, whole(bound));
        }
    }
    if let Some(condition) = &config.row_condition {
        set("row_condition", json!(condition));
    }
    for (name, argument) in &config.kwargs {
        set(name, argument.0.clone());
    }
    expectation.severity(match config.severity {
        model::ExpectationSeverity::Info => ExpectationSeverity::Info,
        model::ExpectationSeverity::Warn => ExpectationSeverity::Warn,
        model::ExpectationSeverity::Fail => ExpectationSeverity::Fail,
        model::ExpectationSeverity::Quarantine => ExpectationSeverity::Quarantine,
    })
}

/// A suite, and where each of its expectations is written.
#[derive(Debug, Clone)]
pub(crate) struct PlacedSuite {
    suite: Suite,
    places: Vec<String>,
}

impl PlacedSuite {
    /// Takes the expectations of a list in the configuration.
    fn configured(name: &str, key: &str, expectations: &[model::Expectation]) -> Self {
        Self {
            suite: Suite::new(name, expectations.iter().map(expectation_of)),
            places: (0..expectations.len()).map(|at| format!("`{key}[{at}]`")).collect(),
        }
    }

    /// Finds the mistakes that are there whatever the data; columns that a table lacks are mistakes where `columns` says so.
    fn check(
        &self,
        schema: &Schema,
        options: &SuiteOptions,
        mistakes: &mut Vec<String>,
    ) -> Result<(), ExpectationError> {
        match self.suite.compile(schema, options) {
            Ok(_) => Ok(()),
            Err(SuiteError::Problems { problems, .. }) => {
                mistakes.extend(problems.iter().map(|one| format!("{}, {}", self.places[one.position], one.told())));
                Ok(())
            }
            Err(SuiteError::NoSql { position }) => {
                Err(ExpectationError::NoSql { place: self.places[position].clone() })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Returns what the suite asks for and cannot get, however the data are.
    fn warnings(&self, of_source: bool) -> Vec<Diagnostic> {
        let mut all = Vec::new();
        for (expectation, place) in self.suite.expectations.iter().zip(&self.places) {
            if expectation.severity == ExpectationSeverity::Quarantine && !expectation.judges_rows() {
                all.push(
                    Diagnostic::warning(
                        "expectation.no_rows_to_quarantine",
                        format!(
                            "{place}, `{}` judges no single rows, so that severity `quarantine` takes none out; where it fails, \
                             the run fails",
                            expectation.title()
                        ),
                    )
                    .hint("Give it the severity `fail`, which does the same, or `warn`"),
                );
            }
            if of_source && expectation.is_about_drift() {
                all.push(
                    Diagnostic::warning(
                        "expectation.no_baseline",
                        format!(
                            "{place}, `{}` always holds: figures of earlier runs are kept of the published table",
                            expectation.title()
                        ),
                    )
                    .hint("Move it to `profile.expectations`"),
                );
            }
        }
        all
    }
}

/// Returns the suite that ships under a name, or that of a file.
pub(crate) fn suite_named(name: &str) -> Result<PlacedSuite, ExpectationError> {
    let read = |text: &str| match Suite::from_gx_json(text) {
        Ok(suite) => {
            let places =
                (1..=suite.expectations.len()).map(|number| format!("`{name}` expectation {number}")).collect();
            Ok(PlacedSuite { suite, places })
        }
        Err(SuiteError::Problems { problems, .. }) => Err(ExpectationError::Mistakes {
            mistakes: problems
                .iter()
                .map(|one| format!("`{name}` expectation {}, {}", one.position + 1, one.told()))
                .collect(),
        }),
        Err(source) => Err(ExpectationError::SuiteFile { name: name.to_owned(), source }),
    };
    if let Some(text) = shipped_suite(name) {
        return read(text);
    }
    let path = Path::new(name);
    match std::fs::read_to_string(path) {
        Ok(text) => read(&text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && path.components().count() == 1 => {
            let suggestion = hotpass_core::nearest(name, shipped_suites()).map(str::to_owned);
            Err(ExpectationError::UnknownSuite { name: name.to_owned(), suggestion })
        }
        Err(source) => Err(ExpectationError::ReadSuite { path: path.to_path_buf(), source }),
    }
}

/// Returns the suite of the published table: the one that was asked for, else the profile's with those that its thresholds make.
fn published_suite(config: &HotpassConfig) -> Result<PlacedSuite, ExpectationError> {
    if let Some(name) = &config.quality.suite {
        return suite_named(name);
    }
    let profile = &config.profile;
    let threshold = |column: &str, regex: &str, mostly: f64| {
        let expectation = Expectation::column("match_regex", column).with("regex", regex).with("mostly", mostly);
        expectation.severity(ExpectationSeverity::Warn)
    };
    let mut all = PlacedSuite::configured(&profile.name, "profile.expectations", &profile.expectations);
    for (key, column, regex, mostly) in [
        ("email", "contact_primary_email", r"^[^@\s]+@[^@\s]+\.[^@\s.]{2,}$", profile.email_validation_threshold),
        ("phone", "contact_primary_phone", r"^\+[0-9]{6,15}$", profile.phone_validation_threshold),
        ("website", "website", r"^https?://[^\s/]+\.[^\s/]+", profile.website_validation_threshold),
    ] {
        all.suite.expectations.push(threshold(column, regex, mostly));
        all.places.push(format!("`profile.{key}_validation_threshold`"));
    }
    Ok(all)
}

impl Expectations {
    /// Takes the expectations of the configuration.
    ///
    /// # Errors
    ///
    /// Returns an error when a suite cannot be read, or an expectation names what does not exist.
    pub(crate) fn from_config(
        config: &HotpassConfig,
        services: &Services,
    ) -> Result<(Self, Vec<Diagnostic>), ExpectationError> {
        let mut warnings = Vec::new();
        let published = published_suite(config)?;
        let mut options = suite_options(&config.quality, services);
        check_shown(config)?;
        if published.suite.expectations.iter().any(Expectation::is_about_drift) {
            options.baseline = baseline(&config.pipeline.dist_dir, &config.profile.name, &mut warnings);
        }
        let mut mistakes = Vec::new();
        published.check(&schema_of(GOLDEN_COLUMNS), &options, &mut mistakes)?;
        warnings.extend(published.warnings(false));
        let mut sources = BTreeMap::new();
        // Columns are known with the table; everything else is wrong now.
        let lenient = SuiteOptions { missing_columns: MissingColumns::Fail, ..options.clone() };
        for (at, source) in config.profile.sources.iter().enumerate() {
            let placed = placed_suites(at, source, &mut mistakes)?;
            for suite in placed.iter().map(|(_, suite)| suite) {
                suite.check(&Schema::empty(), &lenient, &mut mistakes)?;
                warnings.extend(suite.warnings(true));
            }
            sources.insert(source.name.clone(), SourceSuites::new(placed));
        }
        if !mistakes.is_empty() {
            return Err(ExpectationError::Mistakes { mistakes });
        }
        let published = published.suite;
        let dataset = config.data_contract.dataset.clone();
        Ok((Self { published, sources, options, mode: config.pipeline.qa_mode, dataset }, warnings))
    }

    /// Returns the checks of a source table; nothing where none apply.
    pub(crate) fn for_table(&self, source: Option<&Source>, schema: &TableSchema) -> Option<SourceChecks> {
        let suites = self.sources.get(&source?.name)?;
        let suite = suites.of_sheet(&source?.name, schema.id.sheet.as_deref())?;
        // Headers as the source writes them are what a suite speaks of.
        let name = |column: &hotpass_ingest::table::SourceColumn| {
            let header = column.raw_header.trim();
            if header.is_empty() { column.name.clone() } else { header.to_owned() }
        };
        let fields: Vec<Field> =
            schema.columns.iter().map(|column| Field::new(name(column), DataType::Utf8, true)).collect();
        let dataset = match &schema.id.sheet {
            Some(sheet) => format!("{}#{sheet}", schema.id.file),
            None => schema.id.file.to_string(),
        };
        let options = SuiteOptions { missing_columns: MissingColumns::Fail, baseline: None, ..self.options.clone() };
        Some(SourceChecks { suite, schema: Schema::new(fields), options, dataset })
    }

    /// Checks the published table: its values before redaction, so that a valid address that is hidden stays a valid address.
    /// What compares the table with that of an earlier run looks at what is published, as that run's profile does.
    ///
    /// # Errors
    ///
    /// Returns an error when the table is not that of the columns; that is a bug.
    pub(crate) fn check_published(
        &self,
        judged: &[&RecordBatch],
        published: &[&RecordBatch],
    ) -> Result<DatasetResult, ExpectationError> {
        let check = |batches: &[&RecordBatch], options: &SuiteOptions| -> Result<SuiteResult, ExpectationError> {
            let mut run = self.published.compile(&schema_of(GOLDEN_COLUMNS), options)?;
            for batch in batches {
                run.add(batch)?;
            }
            Ok(run.finish())
        };
        let mut options = self.options.clone();
        // A column in which something is redacted shows no value.
        options.shown_columns.retain(|name| {
            judged.iter().zip(published).all(|(judged, published)| {
                judged.column_by_name(name).map(AsRef::as_ref) == published.column_by_name(name).map(AsRef::as_ref)
            })
        });
        let mut result = check(judged, &options)?;
        let drift = |name: &str| expectation_spec(name).is_some_and(|spec| spec.domain == ExpectationDomain::Drift);
        let redacted = judged.iter().zip(published).any(|(judged, published)| !std::ptr::eq(*judged, *published));
        if redacted && result.results.iter().any(|result| drift(result.expectation.gx_name())) {
            let after = check(published, &self.options)?;
            for (result, after) in result.results.iter_mut().zip(after.results) {
                if drift(result.expectation.gx_name()) {
                    *result = after;
                }
            }
        }
        Ok(DatasetResult { dataset: self.dataset.clone(), result })
    }

    /// Returns the results in the form of the report.
    pub(crate) fn report(&self, results: &[DatasetResult]) -> Vec<ExpectationResult> {
        let one = |dataset: &DatasetResult| -> Vec<ExpectationResult> {
            dataset
                .result
                .results
                .iter()
                .map(|result| {
                    let expectation = &result.expectation;
                    let severity = expectation.severity;
                    let takes_rows = severity == ExpectationSeverity::Quarantine && result.tally.is_some();
                    let fails_run = match self.mode {
                        QaMode::Default => {
                            severity == ExpectationSeverity::Fail
                                || severity == ExpectationSeverity::Quarantine
                                    && (!takes_rows || result.exception.is_some())
                        }
                        QaMode::Strict => true,
                        QaMode::Relaxed => false,
                    };
                    let tally = result.tally.unwrap_or_default();
                    ExpectationResult {
                        name: expectation.title(),
                        column: expectation.columns().join(", "),
                        checked: tally.judged,
                        unexpected: tally.unexpected,
                        mostly: expectation.mostly(),
                        success: result.success,
                        fails_run,
                        dataset: dataset.dataset.clone(),
                        suite: dataset.result.suite.clone(),
                        severity: severity.name().to_owned(),
                        exception: result.exception.clone(),
                        observed: result.observed.as_ref().and_then(Value::as_f64),
                    }
                })
                .collect()
        };
        results.iter().flat_map(one).collect()
    }
}

/// Returns the suites of the source at a position: its own, and with their names those of sheets.
///
/// Mistakes in the files of suites are added to the others, so that all are told at once.
fn placed_suites(
    at: usize,
    source: &Source,
    mistakes: &mut Vec<String>,
) -> Result<Vec<(Option<String>, PlacedSuite)>, ExpectationError> {
    let mut all = Vec::new();
    let files = source.suite.iter().map(|name| (None, name));
    for (sheet, name) in files.chain(source.sheet_suites.iter().map(|(sheet, name)| (Some(sheet.clone()), name))) {
        match suite_named(name) {
            Ok(suite) => all.push((sheet, suite)),
            Err(ExpectationError::Mistakes { mistakes: found }) => mistakes.extend(found),
            Err(error) => return Err(error),
        }
    }
    let key = format!("profile.sources[{at}].expectations");
    all.push((None, PlacedSuite::configured(&source.name, &key, &source.expectations)));
    Ok(all)
}

/// Makes sure that no values of people are asked to be written into results.
fn check_shown(config: &HotpassConfig) -> Result<(), ExpectationError> {
    let mut sensitive = config.compliance.pii_fields.clone();
    sensitive.extend(config.pipeline.sensitive_fields.iter().cloned());
    let published = |name: &str| GOLDEN_COLUMNS.iter().any(|column| column.name == name);
    let personal = |name: &&String| {
        is_personal(name, &sensitive) || !published(name) && hotpass_privacy::DataClass::of_header(name).is_some()
    };
    let columns: Vec<String> = config.quality.shown_columns.iter().filter(personal).cloned().collect();
    if columns.is_empty() { Ok(()) } else { Err(ExpectationError::PersonalColumnShown { columns }) }
}

/// Returns a warning for each column that was asked to be shown and that no table has.
pub(crate) fn unknown_shown(config: &HotpassConfig, tables: &[TableStatistics]) -> Vec<Diagnostic> {
    let published = GOLDEN_COLUMNS.iter().map(|column| column.name);
    let headers = tables.iter().flat_map(|table| &table.columns).map(|column| column.header.trim());
    let known: std::collections::BTreeSet<&str> = published.chain(headers).collect();
    let unknown = config.quality.shown_columns.iter().filter(|name| !known.contains(name.as_str()));
    unknown
        .map(|name| {
            let message = format!("`quality.shown_columns` names a column that no table has: `{name}`");
            let warning = Diagnostic::warning("expectation.unknown_column_shown", message);
            match hotpass_core::nearest(name, known.iter().copied()) {
                Some(nearest) => warning.hint(format!("Did you mean `{nearest}`?")),
                None => warning,
            }
        })
        .collect()
}

impl SourceSuites {
    fn new(placed: Vec<(Option<String>, PlacedSuite)>) -> Self {
        let (mut own, mut sheets) = (Vec::new(), Vec::new());
        for (sheet, placed) in placed {
            match sheet {
                None => own.extend(placed.suite.expectations),
                Some(sheet) => sheets.push((sheet, placed.suite)),
            }
        }
        Self { own, sheets }
    }

    fn of_sheet(&self, source: &str, sheet: Option<&str>) -> Option<Suite> {
        let of_sheet = self.sheets.iter().find(|(name, _)| sheet.is_some_and(|sheet| sheet.eq_ignore_ascii_case(name)));
        let name = of_sheet.map_or(source, |(_, suite)| &suite.name);
        let more = of_sheet.into_iter().flat_map(|(_, suite)| suite.expectations.iter().cloned());
        let all: Vec<Expectation> = self.own.iter().cloned().chain(more).collect();
        (!all.is_empty()).then(|| Suite::new(name, all))
    }
}

/// The checks of one source table.
#[derive(Debug)]
pub(crate) struct SourceChecks {
    suite: Suite,
    schema: Schema,
    options: SuiteOptions,
    dataset: String,
}

impl SourceChecks {
    /// Checks the table; rows that fail with severity `quarantine` are noted in the normalised batches.
    ///
    /// # Errors
    ///
    /// Returns an error when the batches are not those of the table; that is a bug.
    pub(crate) fn apply(
        &self,
        plan: &TablePlan,
        batches: &[RecordBatch],
        normalised: &mut [NormalisedBatch],
        redaction: &Redaction,
    ) -> Result<DatasetResult, ExpectationError> {
        let mut run = self.suite.compile(&self.schema, &self.options)?;
        for batch in batches {
            // The first column is the row number.
            let columns: Vec<usize> = (1..batch.num_columns()).collect();
            run.add(&batch.project(&columns).map_err(|_| BatchError::Schema)?)?;
        }
        let mut result = run.finish();
        let mut rejections: Vec<Vec<Rejection>> = vec![Vec::new(); batches.len()];
        let starts: Vec<u64> = batches
            .iter()
            .scan(0, |next, batch| {
                let start = *next;
                *next += batch.num_rows() as u64;
                Some(start)
            })
            .collect();
        result.number_rows(|row| {
            let batch = starts.partition_point(|&start| start <= row) - 1;
            let numbers = batches[batch].column(0).as_primitive_opt::<UInt32Type>()?;
            Some(numbers.value(usize::try_from(row - starts[batch]).ok()?))
        });
        let failing = result.failures().filter(|result| result.expectation.severity == ExpectationSeverity::Quarantine);
        for failure in failing {
            let column = failure.expectation.columns().first().and_then(|name| self.schema.index_of(name).ok());
            let rule = Arc::new(BrokenRule::new(
                format!("expectation.{}", failure.expectation.gx_name()),
                column.and_then(|column| plan.columns.get(column)).map(|(letters, _)| letters.clone()),
                format!("The row fails `{}`", failure.expectation.title()),
                identity(&failure.expectation),
            ));
            for &row in &failure.failed_rows {
                let batch = starts.partition_point(|&start| start <= row) - 1;
                let position = (row - starts[batch]) as u32;
                rejections[batch].push(Rejection { position, rule: Arc::clone(&rule) });
            }
        }
        for ((batch, normalised), rejections) in batches.iter().zip(normalised).zip(rejections) {
            note_rejections(plan, batch, normalised, rejections, redaction);
        }
        Ok(DatasetResult { dataset: self.dataset.clone(), result })
    }
}

/// Returns the name of an expectation that decisions hold: with its columns and a digest of its arguments, but for the share that may
/// fail.
fn identity(expectation: &Expectation) -> String {
    let arguments: BTreeMap<&String, &Value> =
        expectation.kwargs.iter().filter(|(name, _)| *name != "mostly").collect();
    let digest = hotpass_core::sha256_bytes(json!(arguments).to_string()).to_string();
    let digest: String = digest.chars().take(12).collect();
    format!("expectation.{}/{}/{digest}", expectation.gx_name(), expectation.columns().join(","))
}

/// Which entities are withheld, and the rows that go to quarantine for it.
pub(crate) struct Withheld {
    /// Says it of each entity.
    pub(crate) entities: Vec<bool>,
    /// Rows for the quarantine.
    pub(crate) rows: Vec<QuarantinedRow>,
    /// Rows that a decision has released.
    pub(crate) released: Vec<ReleasedRow>,
    /// Decisions that spoke of a row, by their number.
    pub(crate) used: BTreeSet<usize>,
}

/// Finds the entities that fail expectations of severity `quarantine`; none are withheld of which every row is released.
///
/// `letters` tells which column of a source table gives a published field.
pub(crate) fn withheld(
    result: &SuiteResult,
    records: &Records,
    entities: &Entities,
    decisions: &[TableDecisions],
    show: &dyn Fn(&str) -> Option<String>,
    letters: &dyn Fn(u32, &str) -> Option<String>,
) -> Withheld {
    let mut failing: BTreeMap<usize, Vec<&Expectation>> = BTreeMap::new();
    for failure in result.failures().filter(|result| result.expectation.severity == ExpectationSeverity::Quarantine) {
        for entity in failure.failed_rows.iter().map(|&row| row as usize).filter(|&entity| entity < entities.len()) {
            failing.entry(entity).or_default().push(&failure.expectation);
        }
    }
    let mut rows: Vec<(usize, QuarantinedRow)> = Vec::new();
    for (&entity, expectations) in &failing {
        let mut id = String::new();
        entities.write_id(entity, &mut id);
        let rules = |table: u32| -> Vec<Arc<BrokenRule>> {
            expectations
                .iter()
                .map(|expectation| {
                    let message = format!("Entity `{id}` fails `{}`", expectation.title());
                    let reason = format!("expectation.{}", expectation.gx_name());
                    let column = expectation.columns().first().and_then(|column| letters(table, column));
                    Arc::new(BrokenRule::new(reason, column, message, identity(expectation)))
                })
                .collect()
        };
        rows.extend(entities.members(entity).iter().map(|&record| {
            let table = records.span(record).table;
            let row = QuarantinedRow {
                table,
                row: records.row(record),
                rules: rules(table),
                values: records.raw_row_json(record, show),
            };
            (entity, row)
        }));
    }
    let mut found = Withheld {
        entities: vec![false; entities.len()],
        rows: Vec::new(),
        released: Vec::new(),
        used: BTreeSet::new(),
    };
    let mut released: Vec<Option<ReleasedRow>> = vec![None; rows.len()];
    for (table, decisions) in decisions.iter().enumerate().filter(|(_, decisions)| !decisions.is_empty()) {
        let spoken_of = spoken_of(records, table as u32, decisions, show);
        let positions: Vec<usize> =
            (0..rows.len()).filter(|&position| rows[position].1.table == table as u32).collect();
        let of_table: Vec<&QuarantinedRow> = positions.iter().map(|&position| &rows[position].1).collect();
        let judged = decisions.judge(&of_table, &|row, digest| {
            spoken_of.get(&row).is_some_and(|known| known.iter().any(|of| of == digest))
        });
        for (position, row) in positions.into_iter().zip(judged.released) {
            released[position] = row;
        }
        found.used.extend(judged.used);
    }
    for ((entity, _), released) in rows.iter().zip(&released) {
        found.entities[*entity] |= released.is_none();
    }
    for ((entity, row), released) in rows.into_iter().zip(released) {
        if found.entities[entity] {
            found.rows.push(row);
        } else {
            found.released.extend(released);
        }
    }
    found
}

/// Returns the digests of the records of a table that decisions speak of, by their row.
fn spoken_of(
    records: &Records,
    table: u32,
    decisions: &TableDecisions,
    show: &dyn Fn(&str) -> Option<String>,
) -> BTreeMap<u32, Vec<String>> {
    let wanted: BTreeSet<u32> = decisions.rows().collect();
    let mut found: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    for record in (0..records.len() as u32).filter(|&record| records.span(record).table == table) {
        let row = records.row(record);
        if wanted.contains(&row) {
            found.entry(row).or_default().push(row_digest(&records.raw_row_json(record, show)));
        }
    }
    found
}

/// Takes the withheld entities out of the chunks.
///
/// # Errors
///
/// Returns an error when a table lacks its ids; that is a bug.
pub(crate) fn withhold(chunks: &mut [GoldenChunk], withheld: &[bool]) -> Result<(), ArrowError> {
    let mut first = 0;
    for chunk in chunks {
        let rows = chunk.golden.num_rows();
        let gone = &withheld[first..first + rows];
        first += rows;
        if !gone.contains(&true) {
            continue;
        }
        let ids = ids_of(&chunk.golden)?;
        let lost: std::collections::HashSet<&str> =
            (0..rows).filter(|&row| gone[row]).map(|row| ids.value(row)).collect();
        let without = |batch: &RecordBatch| -> Result<RecordBatch, ArrowError> {
            let keep: BooleanArray =
                ids_of(batch)?.iter().map(|id| Some(id.is_none_or(|id| !lost.contains(id)))).collect();
            filter_record_batch(batch, &keep)
        };
        let tables = [&chunk.golden, &chunk.provenance, &chunk.conflicts, &chunk.contacts];
        let [golden, provenance, conflicts, contacts] = tables.map(without);
        let mut position = 0;
        chunk.scores.retain(|_| {
            position += 1;
            !gone[position - 1]
        });
        (chunk.golden, chunk.provenance) = (golden?, provenance?);
        (chunk.conflicts, chunk.contacts) = (conflicts?, contacts?);
        chunk.count_again();
    }
    Ok(())
}

fn ids_of(batch: &RecordBatch) -> Result<&StringArray, ArrowError> {
    let column = batch.column_by_name("entity_id").and_then(|column| column.as_string_opt::<i32>());
    column.ok_or_else(|| ArrowError::SchemaError("A table lacks `entity_id`".into()))
}

/// Returns the profile of the published table.
///
/// # Errors
///
/// Returns an error when the batches are not those of the table; that is a bug.
pub(crate) fn profile_of(batches: &[RecordBatch]) -> Result<TableProfile, BatchError> {
    // What differs in every run says nothing about drift.
    let columns = GOLDEN_COLUMNS
        .iter()
        .map(|column| column.name.to_owned())
        .filter(|name| !matches!(name.as_str(), "run_id" | "last_refreshed_at" | "selection_provenance"))
        .collect();
    let mut builder = ProfileBuilder::of(&schema_of(GOLDEN_COLUMNS), &columns);
    for batch in batches {
        builder.add(batch)?;
    }
    Ok(builder.finish())
}

/// Returns the profile that drift is measured against: that of the latest run of a profile that passed.
///
/// Data that did not pass must not become what later data is measured by. A run whose files cannot be read is passed over, and a
/// warning says so.
fn baseline(dist_dir: &Path, profile: &str, warnings: &mut Vec<Diagnostic>) -> Option<Arc<TableProfile>> {
    let runs = dist_dir.join("runs");
    let latest = std::fs::read_to_string(runs.join("latest")).unwrap_or_default();
    let mut unreadable: Vec<(String, String)> = Vec::new();
    let mut candidates: Vec<(String, bool, String)> = Vec::new();
    for id in std::fs::read_dir(&runs).into_iter().flatten().flatten().filter(|entry| entry.path().is_dir()) {
        let Ok(id) = id.file_name().into_string() else { continue };
        match Manifest::read(&runs.join(&id)) {
            Ok(manifest) => {
                let passed = manifest.status == RunStatus::Completed;
                if passed && manifest.command == "refine" && manifest.profile == profile {
                    // Runs of one moment are told apart by the mark that the later one has set.
                    candidates.push((manifest.started_at, latest.trim() == id, id));
                }
            }
            Err(ManifestError::Missing { .. }) => {}
            Err(error) => unreadable.push((id, error.to_string())),
        }
    }
    candidates.sort_unstable_by(|a, b| b.cmp(a));
    let mut found = None;
    for (_, _, id) in candidates {
        let path = runs.join(&id).join("profile.json");
        let read = std::fs::read(&path).map_err(|error| error.to_string());
        match read.and_then(|text| serde_json::from_slice::<TableProfile>(&text).map_err(|error| error.to_string())) {
            Ok(profile) => {
                found = Some((id, Arc::new(profile)));
                break;
            }
            Err(error) => unreadable.push((id, format!("`profile.json`: {error}"))),
        }
    }
    let instead = match &found {
        Some((id, _)) => format!("drift is measured against run `{id}`"),
        None => "drift is measured against nothing, so that those expectations hold".to_owned(),
    };
    warnings.extend(unreadable.into_iter().map(|(id, why)| {
        Diagnostic::warning(
            "expectation.baseline_unreadable",
            format!("The figures of run `{id}` could not be read ({why}); {instead}"),
        )
        .hint(format!("See what was changed with `hotpass verify {id}`"))
    }));
    found.map(|(_, profile)| profile)
}

/// Returns what to do next, from the figures of a run.
pub(crate) fn recommendations(statistics: &RunStatistics) -> Vec<String> {
    let mut all = Vec::new();
    if statistics.rows_in == 0 {
        all.push("Check the input: no table held a row".to_owned());
        return all;
    }
    let percent = |share: f64| format!("{:.0} %", share * 100.0);
    match statistics.quality_mean {
        Some(mean) if mean < 0.5 => all.push(format!(
            "Critical: the mean quality score is {mean:.2}; fill the wanted fields that are missing most"
        )),
        Some(mean) if mean < 0.75 => all.push(format!(
            "Warning: the mean quality score is {mean:.2}; fill the wanted fields that are missing most"
        )),
        _ => {}
    }
    let low: u64 = statistics.quality_histogram[..5].iter().sum();
    if low > 0 && statistics.entities > 0 {
        let share = low as f64 / statistics.entities as f64;
        all.push(format!(
            "{low} of {} ({}) {} below 0.5",
            counted(statistics.entities, "golden record"),
            percent(share),
            if low == 1 { "scores" } else { "score" }
        ));
    }
    for result in statistics.expectations.iter().filter(|result| !result.success) {
        let why = match &result.exception {
            Some(exception) => exception.clone(),
            // A figure has no rows.
            None if result.checked == 0 && result.unexpected == 0 => match result.observed {
                Some(figure) => format!("found {}", (figure * 10_000.0).round() / 10_000.0),
                None => "see the data docs".to_owned(),
            },
            None => {
                format!("{} of {} values, {} may", result.unexpected, result.checked, percent(1.0 - result.mostly))
            }
        };
        all.push(format!("Expectation `{}` on {} failed: {why}", result.name, result.dataset));
    }
    for (reason, rows) in &statistics.quarantine_reasons {
        all.push(format!(
            "{} in quarantine for `{reason}`; correct the source or map another column",
            if *rows == 1 { "1 row is".to_owned() } else { format!("{} are", counted(*rows, "row")) }
        ));
    }
    let suggested: usize = statistics
        .tables
        .iter()
        .flat_map(|table| &table.columns)
        .filter(|column| column.field.is_none() && column.suggestion.is_some())
        .count();
    if suggested > 0 {
        all.push(format!(
            "{} a suggested field that was not applied; write a mapping with `hotpass map` and pass it with `--mapping`",
            if suggested == 1 { "1 column has".to_owned() } else { format!("{suggested} columns have") }
        ));
    }
    if let Some((column, count)) =
        statistics.conflicts.iter().max_by_key(|(_, count)| **count).filter(|(_, count)| **count > 0)
    {
        all.push(format!(
            "Sources disagree most on `{column}`, in {}; see the conflicts",
            counted(*count, "golden record")
        ));
    }
    for contract in statistics.contracts.iter().filter(|contract| contract.fails_table()) {
        all.push(format!(
            "{} breaks the contract `{}` as a whole; have it corrected, or change the contract",
            contract.place(),
            contract.result.contract
        ));
    }
    if all.is_empty() {
        all.push("Nothing to do: every expectation holds and quality is good".to_owned());
    }
    all
}
