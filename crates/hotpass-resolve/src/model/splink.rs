//! Splink's settings: read from versions 4 and 5, written for version 5.

use serde_json::{Map, Value, json};

use super::document::{ComparisonDocument, ModelDocument, text_of};
use super::error::{FileProblem, FileProblemCause, Notice, NoticeKind};
use super::reader::{self, Form};
use super::{BlockingKind, BlockingRule, ComparisonLevel, LinkageModel, ModelError, TextSemantics, sql_text};

impl LinkageModel {
    /// Reads the settings or the saved model of Splink 4 or 5.
    ///
    /// SQL is read as DuckDB's, text is counted as DuckDB does ([`TextSemantics::DuckDbBytes`]). Absent m and u stay absent.
    /// What has no effect here, or deserves a look, comes back as notices.
    ///
    /// # Errors
    ///
    /// [`ModelError::Syntax`] when the text is not JSON, [`ModelError::Invalid`] with every unknown key, missing key, wrong
    /// type, number out of range, SQL that does not parse and function of another engine.
    pub fn from_splink_json(text: &str) -> Result<(Self, Vec<Notice>), ModelError> {
        reader::read(&super::parse(text)?, Form::Splink)
    }

    /// Writes settings that Splink 5 loads; untrained levels stay without m and u, as Splink saves them.
    ///
    /// What Splink's form cannot hold and scoring does not need is named in the notices.
    ///
    /// # Errors
    ///
    /// [`ModelError::NotExpressible`] with every blocking rule and every function that only Hotpass has.
    pub fn to_splink_json(&self) -> Result<(String, Vec<Notice>), ModelError> {
        let problems = self.beyond_splink();
        if !problems.is_empty() {
            return Err(ModelError::NotExpressible(problems));
        }
        let mut notices = Vec::new();
        let mut left_out = |path: &str, reason| {
            notices.push(Notice { path: path.to_owned(), kind: NoticeKind::LeftOut(reason) });
        };
        if self.text_semantics == TextSemantics::Characters {
            left_out("text_semantics", "DuckDB counts bytes, so text that is not ASCII may score otherwise");
        }
        if self.trace.is_some() {
            left_out("training", "Splink's form has no place for how a model was trained");
        }
        for (index, comparison) in self.comparisons.iter().enumerate() {
            for (level_index, _) in comparison.levels.iter().enumerate().filter(|(_, level)| is_unadjusted(level)) {
                left_out(
                    &format!("comparisons[{index}].comparison_levels[{level_index}].tf_adjustment_column"),
                    "Splink reads the weight 0 of a term-frequency adjustment as 1",
                );
            }
        }
        Ok((text_of(&self.splink_value()?)?, notices))
    }

    fn splink_value(&self) -> Result<Value, ModelError> {
        let mut value = super::document::value_of(&ModelDocument::from(self))?;
        let Some(settings) = value.as_object_mut() else { return Ok(value) };
        for key in reader::HOTPASS_MODEL_KEYS {
            settings.shift_remove(*key);
        }
        settings.insert("sql_dialect".to_owned(), json!("duckdb"));
        let rules: Vec<Value> = self.blocking_rules.iter().map(rule_value).collect();
        settings.insert("blocking_rules_to_generate_predictions".to_owned(), Value::Array(rules));
        let mut comparisons = Vec::new();
        for comparison in &self.comparisons {
            let mut comparison = comparison.clone();
            for level in comparison.levels.iter_mut().filter(|level| is_unadjusted(level)) {
                level.term_frequency = None;
            }
            let mut value = super::document::value_of(&ComparisonDocument::from(&comparison))?;
            // Splink fills in the name itself, so that a file it saved comes back as it was.
            if comparison.description.is_none() {
                value["comparison_description"] = json!(comparison.output_column_name);
            }
            comparisons.push(value);
        }
        settings.insert("comparisons".to_owned(), Value::Array(comparisons));
        Ok(value)
    }

    /// Everything of the model that Splink's form has no words for.
    fn beyond_splink(&self) -> Vec<FileProblem> {
        let mut problems = Vec::new();
        let mut functions = |path: String, sql: &str| {
            for function in sql_text::hotpass_functions(sql) {
                problems
                    .push(FileProblem { path: path.clone(), cause: FileProblemCause::HotpassFunction { function } });
            }
        };
        for (index, comparison) in self.comparisons.iter().enumerate() {
            for (level_index, level) in comparison.levels.iter().enumerate() {
                let path = format!("comparisons[{index}].comparison_levels[{level_index}].sql_condition");
                functions(path, &level.sql_condition);
            }
        }
        for (index, rule) in self.blocking_rules.iter().enumerate() {
            if let BlockingKind::Sql(sql) = &rule.kind {
                functions(format!("blocking_rules_to_generate_predictions[{index}]"), sql);
            }
        }
        for (index, rule) in self.blocking_rules.iter().enumerate() {
            let path = format!("blocking_rules_to_generate_predictions[{index}]");
            let kind = match &rule.kind {
                BlockingKind::Sql(_) => None,
                BlockingKind::SortedNeighbourhood { .. } => Some("sorted neighbourhood"),
                BlockingKind::QGramLsh { .. } => Some("MinHash over q-grams"),
                BlockingKind::Tokens { .. } => Some("shared tokens"),
            };
            let refined = rule.refine_large_blocks.is_some().then_some("a second rule in large blocks");
            let causes = kind.into_iter().chain(refined).map(FileProblemCause::HotpassBlocking);
            problems.extend(causes.map(|cause| FileProblem { path: path.clone(), cause }));
        }
        problems
    }
}

/// Tells whether a level has a term-frequency adjustment that changes nothing.
fn is_unadjusted(level: &ComparisonLevel) -> bool {
    level.term_frequency.as_ref().is_some_and(|adjustment| adjustment.weight == 0.0)
}

fn rule_value(rule: &BlockingRule) -> Value {
    let mut value = Map::new();
    if let BlockingKind::Sql(sql) = &rule.kind {
        value.insert("blocking_rule".to_owned(), json!(sql));
    }
    value.insert("sql_dialect".to_owned(), json!("duckdb"));
    if !rule.arrays_to_explode.is_empty() {
        value.insert("arrays_to_explode".to_owned(), json!(rule.arrays_to_explode));
    }
    Value::Object(value)
}
