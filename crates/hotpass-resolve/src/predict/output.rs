//! Tables of scored pairs in Splink's columns, and one pair in detail.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int32Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use super::ScoredPairs;
use super::scorer::{ScoreBuffers, Scorer};
use crate::error::LinkError;
use crate::linker::Linker;
use crate::score::match_probability;

/// One pair in detail: the steps from the prior to the match weight.
#[derive(Debug, Clone, PartialEq)]
pub struct PairEvidence {
    /// Row of the left record.
    pub left: u32,
    /// Row of the right record.
    pub right: u32,
    /// Match weight of the prior, in bits.
    pub prior: f64,
    /// For each comparison what it adds.
    pub steps: Vec<EvidenceStep>,
    /// Match weight in bits: the prior and all steps.
    pub match_weight: f64,
    /// Match probability.
    pub match_probability: f64,
}

/// What a comparison adds to a match weight.
#[derive(Debug, Clone, PartialEq)]
pub struct EvidenceStep {
    /// The comparison.
    pub comparison: String,
    /// Index of the level.
    pub level: usize,
    /// The level's label, or its condition.
    pub label: String,
    /// Comparison vector value: -1 for the null level, 0 for the last.
    pub vector_value: i32,
    /// Match weight of the level, in bits.
    pub match_weight: f64,
    /// Adjustment by the frequency of the value, in bits.
    pub term_frequency_weight: f64,
}

/// A column of the table.
enum Column {
    MatchWeight,
    MatchProbability,
    Source(bool),
    Identifier(bool),
    Value(String, bool),
    Gamma(usize),
    Frequency(usize, bool),
    Weight(usize),
    FrequencyWeight(usize),
    MatchKey,
}

impl Linker {
    /// Lists name, type and content of the columns of pairs.
    fn pair_columns(&self) -> Vec<(String, DataType, Column)> {
        let settings = &self.model().output;
        let records = self.records();
        let keys = &self.model().keys;
        let mut columns = vec![
            ("match_weight".to_owned(), DataType::Float64, Column::MatchWeight),
            ("match_probability".to_owned(), DataType::Float64, Column::MatchProbability),
        ];
        let sides = [("_l", true), ("_r", false)];
        if records.source_names().len() > 1 || self.model().link_type != crate::model::LinkType::DedupeOnly {
            columns.extend(sides.map(|(suffix, left)| {
                (format!("{}{suffix}", keys.source_dataset), DataType::Utf8, Column::Source(left))
            }));
        }
        columns.extend(sides.map(|(suffix, left)| {
            (format!("{}{suffix}", keys.unique_id), records.identifier_type(), Column::Identifier(left))
        }));
        let mut shown: Vec<&str> = vec![&keys.unique_id, &keys.source_dataset];
        let show = |name: &str, columns: &mut Vec<(String, DataType, Column)>, shown: &mut Vec<&str>| {
            if let Some((kept, data_type)) =
                records.retained().find(|kept| *kept == name).zip(records.retained_type(name))
                && !shown.contains(&kept)
            {
                columns.extend(sides.map(|(suffix, left)| {
                    (format!("{kept}{suffix}"), data_type.clone(), Column::Value(kept.to_owned(), left))
                }));
                return Some(kept);
            }
            None
        };
        for (number, comparison) in self.model().comparisons.iter().enumerate() {
            let name = &comparison.output_column_name;
            if settings.retain_matching_columns {
                for column in self.columns_of_comparison(number) {
                    let kept = show(&column, &mut columns, &mut shown);
                    shown.extend(kept);
                }
            }
            if settings.retain_intermediate_calculation_columns {
                columns.push((
                    format!("{}{name}", settings.comparison_vector_prefix),
                    DataType::Int32,
                    Column::Gamma(number),
                ));
                let adjusted = comparison.levels.iter().find_map(|level| level.term_frequency.as_ref());
                if let Some(adjusted) = adjusted {
                    columns.extend(sides.map(|(suffix, left)| {
                        (
                            format!("{}{}{suffix}", settings.term_frequency_prefix, adjusted.column),
                            DataType::Float64,
                            Column::Frequency(number, left),
                        )
                    }));
                }
                columns.push((
                    format!("{}{name}", settings.match_weight_prefix),
                    DataType::Float64,
                    Column::Weight(number),
                ));
                if adjusted.is_some() {
                    columns.push((
                        format!("{}{}adj_{name}", settings.match_weight_prefix, settings.term_frequency_prefix),
                        DataType::Float64,
                        Column::FrequencyWeight(number),
                    ));
                }
            }
        }
        for column in &settings.additional_columns_to_retain {
            let kept = show(column, &mut columns, &mut shown);
            shown.extend(kept);
        }
        columns.push(("match_key".to_owned(), DataType::Utf8, Column::MatchKey));
        columns
    }

    /// Gives the schema of tables of pairs: Splink's columns and prefixes, as the model's output settings ask for them.
    pub fn pair_schema(&self) -> SchemaRef {
        let fields: Vec<Field> = self
            .pair_columns()
            .into_iter()
            .map(|(name, data_type, column)| {
                let known = matches!(
                    column,
                    Column::MatchWeight | Column::MatchProbability | Column::Source(_) | Column::Identifier(_)
                );
                Field::new(name, data_type, !known)
            })
            .collect();
        Arc::new(Schema::new(fields))
    }

    /// Gives scored pairs as a table in the columns of [`Linker::pair_schema`].
    ///
    /// # Errors
    ///
    /// When a condition cannot be evaluated or a table exceeds what its offsets hold.
    pub fn pair_batch(&self, pairs: &ScoredPairs) -> Result<RecordBatch, LinkError> {
        let weights = self.weights()?;
        let records = self.records();
        let columns = records.columns();
        let frequencies = self.frequencies();
        let mut buffers = ScoreBuffers::default();
        if self.model().output.retain_intermediate_calculation_columns {
            let comparer = self.comparer()?;
            Scorer::new(&comparer, columns, &weights, frequencies, None).score(
                &pairs.left,
                &pairs.right,
                &mut buffers,
            )?;
        }
        let rows = |left: bool| if left { &pairs.left } else { &pairs.right };
        let numbers =
            |values: &mut dyn Iterator<Item = f64>| -> ArrayRef { Arc::new(Float64Array::from_iter_values(values)) };
        let mut arrays: Vec<ArrayRef> = Vec::new();
        for (_, _, column) in self.pair_columns() {
            arrays.push(match column {
                Column::MatchWeight => Arc::new(Float64Array::from(pairs.match_weight.clone())),
                Column::MatchProbability => {
                    numbers(&mut pairs.match_weight.iter().map(|&weight| match_probability(weight)))
                }
                Column::Source(left) => records.sources(rows(left)),
                Column::Identifier(left) => records.identifiers(rows(left)),
                Column::Value(name, left) => match records.take(&name, rows(left)).map_err(LinkError::Output)? {
                    Some(array) => array,
                    None => arrow::array::new_null_array(&DataType::Utf8, pairs.len()),
                },
                Column::Gamma(comparison) => {
                    let of = &self.model().comparisons[comparison];
                    let values: Vec<i32> = (0..of.levels.len()).map(|level| of.vector_value(level)).collect();
                    Arc::new(Int32Array::from_iter_values(
                        buffers.levels[comparison].iter().map(|&level| values[usize::from(level)]),
                    ))
                }
                Column::Frequency(comparison, left) => {
                    let feature = self
                        .plan()
                        .term_frequencies
                        .get(comparison)
                        .and_then(|features| features.iter().flatten().next().copied());
                    let share = |&row: &u32| {
                        feature.map(|feature| frequencies.log2(feature, columns.codes[feature][row as usize]).exp2())
                    };
                    Arc::new(
                        rows(left)
                            .iter()
                            .map(|row| share(row).filter(|share| !share.is_nan()))
                            .collect::<Float64Array>(),
                    )
                }
                Column::Weight(comparison) => {
                    let of_level = &weights.levels[comparison];
                    numbers(&mut buffers.levels[comparison].iter().map(|&level| of_level[usize::from(level)]))
                }
                Column::FrequencyWeight(comparison) => {
                    let adjustments = &weights.adjustments[comparison];
                    let pairs = pairs.left.iter().zip(&pairs.right);
                    numbers(&mut buffers.levels[comparison].iter().zip(pairs).map(|(&level, (&left, &right))| {
                        adjustments[usize::from(level)]
                            .as_ref()
                            .map_or(0.0, |adjustment| adjustment.bits(frequencies, columns, left, right))
                    }))
                }
                Column::MatchKey => {
                    let key = |&rule: &u16| (rule != u16::MAX).then(|| rule.to_string());
                    Arc::new(pairs.rule.iter().map(key).collect::<StringArray>())
                }
            });
        }
        RecordBatch::try_new(self.pair_schema(), arrays).map_err(LinkError::Output)
    }

    /// Compares two records in detail.
    ///
    /// # Errors
    ///
    /// When a row does not exist, a parameter is not a probability, or a condition cannot be evaluated.
    pub fn compare(&self, one: u32, other: u32) -> Result<PairEvidence, LinkError> {
        let weights = self.weights()?;
        let comparer = self.comparer()?;
        let columns = self.records().columns();
        let (left, right) = (one.min(other), one.max(other));
        let mut buffers = ScoreBuffers::default();
        Scorer::new(&comparer, columns, &weights, self.frequencies(), None).score(&[left], &[right], &mut buffers)?;
        let steps = self.model().comparisons.iter().enumerate().map(|(number, comparison)| {
            let level = usize::from(buffers.levels[number][0]);
            let of = &comparison.levels[level];
            EvidenceStep {
                comparison: comparison.output_column_name.clone(),
                level,
                label: of.label.clone().unwrap_or_else(|| of.sql_condition.clone()),
                vector_value: comparison.vector_value(level),
                match_weight: weights.levels[number][level],
                term_frequency_weight: weights.adjustments[number][level]
                    .as_ref()
                    .map_or(0.0, |adjustment| adjustment.bits(self.frequencies(), columns, left, right)),
            }
        });
        let match_weight = buffers.weights[0];
        Ok(PairEvidence {
            left,
            right,
            prior: weights.prior,
            steps: steps.collect(),
            match_weight,
            match_probability: match_probability(match_weight),
        })
    }
}
