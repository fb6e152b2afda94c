//! Model files: Splink's form or Hotpass's own.

use std::path::Path;

use hotpass_core::write_atomic;
use hotpass_resolve::model::{Comparison, ComparisonLevel, LinkageModel, ModelError, read_model};

use super::error::ResolveError;
use crate::publish::PublishError;

/// The form of a model file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelForm {
    /// Hotpass's own, versioned form.
    Hotpass,
    /// Splink's, version 5.
    Splink,
}

/// Reads a model file of either form; returns the model and what its owner should know, a sentence each.
///
/// # Errors
///
/// Returns [`ResolveError`] when the file cannot be read, or with every problem when it is no model.
pub fn read_model_file(path: &Path) -> Result<(LinkageModel, Vec<String>), ResolveError> {
    let text =
        std::fs::read_to_string(path).map_err(|source| ResolveError::ReadInput { path: path.to_path_buf(), source })?;
    let (model, notices) = read_model(&text).map_err(|error| model_error(path, &error))?;
    let name = path.display();
    Ok((model, notices.iter().map(|notice| format!("{name}: {notice}")).collect()))
}

/// Reads a model file to score with.
pub(super) fn read_trained_model(
    path: &Path,
    must_be_trained: bool,
) -> Result<(LinkageModel, Vec<String>), ResolveError> {
    let (model, mut notices) = read_model_file(path)?;
    if must_be_trained && !is_trained(&model) {
        return Err(ResolveError::request(
            format!("Model `{}` is not trained: its comparisons have no m or no u", path.display()),
            format!(
                "Train it with `hotpass resolve train --model {} --input-file FILE --output-model FILE`",
                path.display()
            ),
        ));
    }
    if must_be_trained {
        notices.extend(untrained_comparisons(&model));
    }
    Ok((model, notices))
}

/// Returns a model as text in a form, and what the form cannot hold, a sentence each.
///
/// # Errors
///
/// Returns [`ResolveError::Model`] when the model cannot be said in that form.
pub fn model_text(model: &LinkageModel, form: ModelForm, path: &Path) -> Result<(String, Vec<String>), ResolveError> {
    match form {
        ModelForm::Hotpass => Ok((model.to_json().map_err(|error| model_error(path, &error))?, Vec::new())),
        ModelForm::Splink => {
            let (text, notices) = model.to_splink_json().map_err(|error| model_error(path, &error))?;
            Ok((text, notices.iter().map(ToString::to_string).collect()))
        }
    }
}

/// Writes a model in Hotpass's own form.
///
/// # Errors
///
/// Returns [`ResolveError`] when the file cannot be written.
pub fn write_model_file(path: &Path, model: &LinkageModel) -> Result<(), ResolveError> {
    let (mut text, _) = model_text(model, ModelForm::Hotpass, path)?;
    if !text.ends_with('\n') {
        text.push('\n');
    }
    write_text(path, &text)
}

/// Writes text to a file that appears whole or not at all.
pub(super) fn write_text(path: &Path, text: &str) -> Result<(), ResolveError> {
    write_atomic(path, text)
        .map_err(|source| ResolveError::Publish(PublishError::Write { path: path.to_path_buf(), source }))
}

/// Tells whether a model was trained: some level has an m, and some level has a u. What training could not learn scores with defaults.
pub fn is_trained(model: &LinkageModel) -> bool {
    let mut levels =
        model.comparisons.iter().flat_map(|comparison| &comparison.levels).filter(|level| !level.is_null_level);
    model.comparisons.is_empty()
        || levels.clone().any(|level| level.m_probability.is_some())
            && levels.any(|level| level.u_probability.is_some())
}

/// Says which comparisons have no m or no u, a sentence each.
pub(super) fn untrained_comparisons(model: &LinkageModel) -> Vec<String> {
    let lacks = |comparison: &Comparison, value: fn(&ComparisonLevel) -> Option<f64>| {
        let mut levels = comparison.levels.iter().filter(|level| !level.is_null_level).peekable();
        levels.peek().is_some() && levels.all(|level| value(level).is_none())
    };
    model
        .comparisons
        .iter()
        .filter(|comparison| {
            lacks(comparison, |level| level.m_probability) || lacks(comparison, |level| level.u_probability)
        })
        .map(|comparison| {
            format!(
                "Comparison `{}` was not trained: it scores with default probabilities",
                comparison.output_column_name
            )
        })
        .collect()
}

fn model_error(path: &Path, error: &ModelError) -> ResolveError {
    let (problems, hint) = match error {
        ModelError::Invalid(problems) => (
            problems.iter().map(ToString::to_string).collect(),
            "A model is Splink's JSON, version 4 or 5, or the form of `schemas/linkage-model.schema.json`",
        ),
        ModelError::NotExpressible(problems) => (
            problems.iter().map(ToString::to_string).collect(),
            "Keep the model in Hotpass's own form: `hotpass resolve model convert --to hotpass`",
        ),
        other => (
            vec![other.to_string()],
            "A model is Splink's JSON, version 4 or 5, or the form of `schemas/linkage-model.schema.json`",
        ),
    };
    ResolveError::Model { path: path.to_path_buf(), problems, hint: Some(hint.to_owned()) }
}

#[cfg(test)]
mod tests {
    use hotpass_resolve::model::LinkType;

    use super::*;

    #[test]
    fn a_model_is_trained_when_it_has_m_and_u() {
        let check = |m: Option<f64>, u: Option<f64>, expected: bool| {
            let level = |sql: &str| ComparisonLevel { m_probability: m, u_probability: u, ..ComparisonLevel::new(sql) };
            let null = ComparisonLevel { is_null_level: true, ..ComparisonLevel::new("a_l IS NULL OR a_r IS NULL") };
            let model = LinkageModel::new(LinkType::DedupeOnly).compare(Comparison {
                output_column_name: "a".to_owned(),
                description: None,
                levels: vec![null, level("a_l = a_r"), level("ELSE")],
            });
            assert_eq!(is_trained(&model), expected, "{m:?} {u:?}");
        };
        check(None, None, false);
        check(Some(0.5), None, false);
        check(None, Some(0.5), false);
        check(Some(0.5), Some(0.5), true);
        assert!(is_trained(&LinkageModel::new(LinkType::DedupeOnly)));
    }
}
