//! A model against the files it is for.

use std::path::{Path, PathBuf};

use arrow::datatypes::Schema;
use hotpass_resolve::model::{
    LinkageModel, ModelProblem, ModelProblems, Severity, SourceSchema, validate_allowing_full_product,
};

use super::error::ResolveError;
use super::session::{RecordsRequest, Session};

/// Checks a model by itself, or against the files it is for; returns what its owner should know, a sentence each.
///
/// # Errors
///
/// Returns [`ResolveError::Unfit`] with every problem, or the error of opening a file.
pub fn check_model(model: &LinkageModel, path: &Path, inputs: &[PathBuf]) -> Result<Vec<String>, ResolveError> {
    if inputs.is_empty() {
        return Ok(Vec::new());
    }
    let request = RecordsRequest { input_files: inputs.to_vec(), ..RecordsRequest::default() };
    let session = Session::open(&request, model.clone(), &[])?;
    let mut found = session.check().map_err(|error| match error {
        ResolveError::Unfit { problems, hint } => ResolveError::Model { path: path.to_path_buf(), problems, hint },
        other => other,
    })?;
    found.extend(session.notices);
    Ok(found)
}

impl Session {
    /// Checks the model against the columns of the inputs; returns warnings, a sentence each.
    ///
    /// # Errors
    ///
    /// Returns [`ResolveError::Unfit`] with every problem.
    pub(super) fn check(&self) -> Result<Vec<String>, ResolveError> {
        let schemas = self.whole_schemas();
        let sources: Vec<SourceSchema<'_>> = self
            .tables
            .iter()
            .zip(&schemas)
            .map(|(table, schema): (_, &Schema)| SourceSchema { name: &table.source, schema })
            .collect();
        // A full product is refused with the number of its pairs, which only the records tell.
        match validate_allowing_full_product(&self.model, &sources) {
            Ok(warnings) => Ok(lines(&warnings)),
            Err(ModelProblems(problems)) => {
                let (errors, warnings): (Vec<ModelProblem>, Vec<ModelProblem>) =
                    problems.into_iter().partition(|problem| problem.severity == Severity::Error);
                let warnings = lines(&warnings).into_iter().map(|warning| format!("(warning) {warning}"));
                Err(ResolveError::Unfit { problems: lines(&errors).into_iter().chain(warnings).collect(), hint: None })
            }
        }
    }
}

fn lines(problems: &[ModelProblem]) -> Vec<String> {
    problems.iter().map(ToString::to_string).collect()
}
