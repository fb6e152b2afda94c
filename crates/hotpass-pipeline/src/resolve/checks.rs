//! What the records of `resolve` must keep, checked before they are compared, and what becomes of personal columns.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema};
use hotpass_privacy::{DataClass, Operator, operator::Applier};
use hotpass_quality::contract::{CheckOptions, Contract, ContractCheck, ContractResult};
use hotpass_quality::{MissingColumns, Suite, SuiteOptions, SuiteResult};
use serde::{Serialize, Serializer};

use super::error::ResolveError;
use super::input::{InputTable, Reading, open_inputs};
use crate::compliance::{ComplianceError, Suppression};
use crate::progress::CancelToken;

/// What the records of each input table must keep.
#[derive(Debug, Clone, Default)]
pub struct InputChecks {
    /// The contract.
    pub contract: Option<Contract>,
    /// The expectations.
    pub suite: Option<Suite>,
    /// How both are evaluated.
    pub options: SuiteOptions,
}

/// What was found in an input table.
#[derive(Debug, Clone, Serialize)]
pub struct InputCheck {
    /// Title of the table: the file, and the sheet where there are several.
    pub table: String,
    /// Result of the contract.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contract: Option<ContractResult>,
    /// Result of the suite, in the form of Great Expectations.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "suite_json")]
    pub suite: Option<SuiteResult>,
}

#[expect(clippy::ref_option, reason = "serde hands the field as it is")]
fn suite_json<S: Serializer>(result: &Option<SuiteResult>, serializer: S) -> Result<S::Ok, S::Error> {
    result.as_ref().map(SuiteResult::to_gx_json).serialize(serializer)
}

impl InputCheck {
    /// Returns whether the table keeps its contract and every expectation that decides over the data.
    ///
    /// No row is taken out of the records, so that an expectation of severity `quarantine` decides as one of severity `fail` does.
    pub fn passed(&self) -> bool {
        use hotpass_quality::ExpectationSeverity::{Fail, Quarantine};
        let kept = self.contract.as_ref().is_none_or(|result| result.passed);
        kept && self.suite.as_ref().is_none_or(|result| {
            result.failures().all(|failure| !matches!(failure.expectation.severity, Fail | Quarantine))
        })
    }
}

impl InputCheck {
    /// Returns how many failures of expectations ask for rows to be taken out, which nothing does.
    pub fn rows_to_quarantine(&self) -> u64 {
        let failures = self.suite.iter().flat_map(SuiteResult::failures);
        failures
            .filter(|failure| failure.expectation.severity == hotpass_quality::ExpectationSeverity::Quarantine)
            .filter_map(|failure| failure.tally)
            .map(|tally| tally.unexpected)
            .sum()
    }

    /// Returns the table, the title of each expectation on it, and whether that holds.
    pub(super) fn expectations(&self) -> impl Iterator<Item = (String, String, bool)> {
        let results = self.suite.iter().flat_map(|suite| &suite.results);
        results.map(|result| (self.table.clone(), result.expectation.title(), result.success))
    }
}

impl InputChecks {
    /// Returns whether nothing is to be checked.
    pub(super) fn is_empty(&self) -> bool {
        self.contract.is_none() && self.suite.is_none()
    }

    /// Checks every input table in one pass over its rows.
    ///
    /// # Errors
    ///
    /// Returns an error when an input cannot be read, or the contract or the suite cannot be checked at all.
    pub(super) fn check(
        &self,
        paths: &[std::path::PathBuf],
        clock: hotpass_core::Clock,
        cancel: &CancelToken,
    ) -> Result<Vec<InputCheck>, ResolveError> {
        open_inputs(paths, &hotpass_ingest::ReadOptions::default())?
            .iter()
            .map(|table| self.check_table(table, clock, cancel))
            .collect()
    }

    fn check_table(
        &self,
        table: &InputTable,
        clock: hotpass_core::Clock,
        cancel: &CancelToken,
    ) -> Result<InputCheck, ResolveError> {
        let unusable = |error: &dyn std::error::Error| {
            ResolveError::request(error.to_string(), "Correct the file of the contract or the suite")
        };
        let options = CheckOptions { today: Some(clock.now().date_naive()), ..CheckOptions::default() };
        let mut contract = self
            .contract
            .as_ref()
            .map(|contract| ContractCheck::of_schema(contract, &table.schema, &options))
            .transpose()
            .map_err(|error| unusable(&error))?;
        let suite_options = SuiteOptions { missing_columns: MissingColumns::Fail, ..self.options.clone() };
        let mut suite = self
            .suite
            .as_ref()
            .map(|suite| suite.compile(&table.schema, &suite_options))
            .transpose()
            .map_err(|error| unusable(&error))?;
        for batch in table.scan(None, Reading::AsStored)? {
            if cancel.is_cancelled() {
                return Err(ResolveError::Cancelled);
            }
            let batch = batch?;
            if let Some(check) = &mut contract {
                check.add(&batch).map_err(|error| ResolveError::engine("Checking the contract", error))?;
            }
            if let Some(run) = &mut suite {
                run.add(&batch).map_err(|error| ResolveError::engine("Checking the expectations", error))?;
            }
        }
        Ok(InputCheck {
            table: table.title(),
            contract: contract.map(ContractCheck::finish),
            suite: suite.map(hotpass_quality::SuiteRun::finish),
        })
    }
}

/// What becomes of columns in the written rows.
#[derive(Debug, Default)]
pub struct ColumnOperators {
    operators: BTreeMap<String, Operator>,
    applier: Option<Applier>,
    /// People who were erased and stay out.
    erased: Suppression,
}

impl ColumnOperators {
    /// Takes the operator of each column; `applier` holds the key, where one needs it.
    pub fn new(operators: BTreeMap<String, Operator>, applier: Applier) -> Self {
        Self { operators, applier: Some(applier), erased: Suppression::default() }
    }

    /// Keeps the people out who were erased from a folder of runs.
    ///
    /// # Errors
    ///
    /// Returns an error when the list of erased people is there and cannot be obeyed.
    pub fn without_erased(mut self, dist_dir: &Path) -> Result<Self, ComplianceError> {
        self.erased = Suppression::of(dist_dir)?;
        Ok(self)
    }

    /// Returns the digest of the list of erased people; empty when nobody is on it.
    pub(super) fn erased_digest(&self) -> String {
        self.erased.digest()
    }

    /// Returns whether every column is written as it is.
    pub(super) fn is_empty(&self) -> bool {
        self.operators.is_empty() && self.erased.is_empty()
    }

    /// Returns the names and operators, as text.
    pub(crate) fn described(&self) -> BTreeMap<&str, String> {
        self.operators.iter().map(|(column, operator)| (column.as_str(), operator.to_string())).collect()
    }

    /// Makes sure that each column exists in some input, so that nothing is written that was to be redacted.
    ///
    /// # Errors
    ///
    /// Returns [`ResolveError::MissingColumn`] with the nearest name otherwise.
    pub(super) fn check(&self, tables: &[InputTable]) -> Result<(), ResolveError> {
        for column in self.operators.keys() {
            if tables.iter().all(|table| table.schema.field_with_name(column).is_err())
                && let Some(table) = tables.first()
            {
                return Err(match table.require_column(column, "`--redact`") {
                    Err(error) => error,
                    Ok(_) => ResolveError::request(
                        format!("`{}` has no column `{column}` in these letters", table.title()),
                        "Write the name as the file does",
                    ),
                });
            }
        }
        Ok(())
    }

    /// Returns the schema of the written rows: a column with an operator holds text.
    pub(super) fn schema(&self, schema: &Schema) -> Schema {
        let fields: Vec<Arc<Field>> = schema
            .fields()
            .iter()
            .map(|field| {
                if self.operators.contains_key(field.name()) {
                    Arc::new(Field::new(field.name(), DataType::Utf8, true))
                } else {
                    Arc::clone(field)
                }
            })
            .collect();
        Schema::new(fields)
    }

    /// Applies the operators to the rows of a batch.
    ///
    /// # Errors
    ///
    /// Returns an error when a column cannot be read as text.
    pub(super) fn apply(&self, batch: &RecordBatch) -> Result<RecordBatch, ResolveError> {
        let failed = |error| ResolveError::engine("Redacting the rows", error);
        let (batch, _) = self.erased.scrub(batch.clone(), None).map_err(failed)?;
        let Some(applier) = self.applier.as_ref().filter(|_| !self.operators.is_empty()) else { return Ok(batch) };
        let schema = batch.schema();
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(batch.num_columns());
        for (field, array) in schema.fields().iter().zip(batch.columns()) {
            let Some(operator) = self.operators.get(field.name()) else {
                arrays.push(Arc::clone(array));
                continue;
            };
            let text = cast(array, &DataType::Utf8).map_err(failed)?;
            let class = DataClass::of_header(field.name());
            let context: &str = match class {
                Some(class) => class.name(),
                None => field.name(),
            };
            let values = text.as_string::<i32>().iter();
            let applied: StringArray =
                values.map(|value| value.map(|value| applier.apply(*operator, class, context, value))).collect();
            arrays.push(Arc::new(applied));
        }
        RecordBatch::try_new(Arc::new(self.schema(&schema)), arrays).map_err(failed)
    }
}
