//! Hotpass's own form of a model file: versioned, with Splink's keys and what Hotpass adds to them.

use serde::Serialize;
use serde_json::Value;

use super::error::{ModelError, Notice, WriteFailure};
use super::reader::{self, Form, VERSION};
use super::{
    BlockingKind, BlockingRule, Comparison, ComparisonLevel, LinkType, LinkageModel, TextSemantics, TrainingStep,
    TrainingTrace,
};

/// Reads a model file of either form: Hotpass's own, known by its key `hotpass_linkage_model`, or Splink's settings.
///
/// # Errors
///
/// As [`LinkageModel::from_json`] and [`LinkageModel::from_splink_json`].
pub fn read_model(text: &str) -> Result<(LinkageModel, Vec<Notice>), ModelError> {
    let value = super::parse(text)?;
    let form = if value.get("hotpass_linkage_model").is_some() { Form::Hotpass } else { Form::Splink };
    reader::read(&value, form)
}

impl LinkageModel {
    /// Reads Hotpass's own form of a model file.
    ///
    /// # Errors
    ///
    /// [`ModelError::Syntax`] when the text is not JSON, [`ModelError::Invalid`] with every unknown key, missing key, wrong
    /// type, number out of range, later version and SQL that does not parse.
    pub fn from_json(text: &str) -> Result<(Self, Vec<Notice>), ModelError> {
        reader::read(&super::parse(text)?, Form::Hotpass)
    }

    /// Writes Hotpass's own form of a model file: everything the model holds, numbers exact to the bit.
    ///
    /// # Errors
    ///
    /// [`ModelError::Write`] never, unless Hotpass has a bug.
    pub fn to_json(&self) -> Result<String, ModelError> {
        text_of(&value_of(&ModelDocument::from(self))?)
    }
}

/// Returns the JSON Schema (draft 2020-12) of Hotpass's own form of a model file.
#[cfg(feature = "schema")]
pub fn json_schema() -> Value {
    let mut schema = schemars::schema_for!(ModelDocument).to_value();
    schema["$id"] = serde_json::json!("https://hotpass.dev/schemas/linkage-model.schema.json");
    schema["title"] = serde_json::json!("Hotpass linkage model");
    schema["properties"]["hotpass_linkage_model"]["const"] = serde_json::json!(VERSION);
    // The defaults are those of a new model, not those of the types.
    let new_model = LinkageModel::new(LinkType::DedupeOnly);
    let defaults = value_of(&ModelDocument::from(&new_model)).unwrap_or_default();
    for (key, property) in schema["properties"].as_object_mut().into_iter().flatten() {
        if property.get("default").is_some() {
            property["default"] = defaults[key.as_str()].clone();
        }
    }
    if let Some(name) = schema["$defs"]["Comparison"]["properties"]["output_column_name"].as_object_mut() {
        name.shift_remove("default");
    }
    schema
}

pub(super) fn value_of(document: &impl Serialize) -> Result<Value, ModelError> {
    serde_json::to_value(document).map_err(write_failure)
}

pub(super) fn text_of(value: &Value) -> Result<String, ModelError> {
    serde_json::to_string_pretty(value).map(|text| text + "\n").map_err(write_failure)
}

fn write_failure(error: serde_json::Error) -> ModelError {
    ModelError::Write(std::sync::Arc::new(WriteFailure::from(error)))
}

/// A linkage model: what is compared, at which levels, with which probabilities, and how candidate pairs are found.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct ModelDocument<'a> {
    /// Version of this form.
    hotpass_linkage_model: u64,
    /// How records pair up.
    link_type: LinkTypeDocument,
    /// λ: the probability that two random records match, above 0 and below 1.
    #[cfg_attr(feature = "schema", schemars(default, range(min = 0, max = 1)))]
    probability_two_random_records_match: f64,
    /// Keep the compared columns of both sides in a table of pairs.
    #[cfg_attr(feature = "schema", schemars(default))]
    retain_matching_columns: bool,
    /// Keep comparison vector values, weights and term frequencies in a table of pairs.
    #[cfg_attr(feature = "schema", schemars(default))]
    retain_intermediate_calculation_columns: bool,
    /// Columns to carry along although nothing compares them.
    #[cfg_attr(feature = "schema", schemars(default))]
    additional_columns_to_retain: &'a [String],
    /// The identity of the model, free text.
    #[serde(skip_serializing_if = "Option::is_none")]
    linker_uid: Option<&'a str>,
    /// Expectation–maximisation stops when no probability moved by more than this.
    #[cfg_attr(feature = "schema", schemars(default))]
    em_convergence: f64,
    /// Expectation–maximisation stops after this many iterations.
    #[cfg_attr(feature = "schema", schemars(default, range(min = 1)))]
    max_iterations: u32,
    /// Prefix of the column with the weight of a comparison.
    #[cfg_attr(feature = "schema", schemars(default))]
    match_weight_column_prefix: &'a str,
    /// Prefix of the column with a term frequency.
    #[cfg_attr(feature = "schema", schemars(default))]
    term_frequency_adjustment_column_prefix: &'a str,
    /// Prefix of the column with a comparison vector value.
    #[cfg_attr(feature = "schema", schemars(default))]
    comparison_vector_value_column_prefix: &'a str,
    /// The column with the record's id, unique within its source.
    #[cfg_attr(feature = "schema", schemars(default))]
    unique_id_column_name: &'a str,
    /// The column with the source's name, in tables that hold several sources.
    #[cfg_attr(feature = "schema", schemars(default))]
    source_dataset_column_name: &'a str,
    /// What a character is to the text functions, and what empty text scores.
    #[cfg_attr(feature = "schema", schemars(default))]
    text_semantics: TextSemanticsDocument,
    /// How the probabilities came about.
    #[serde(skip_serializing_if = "Option::is_none")]
    training: Option<TraceDocument<'a>>,
    /// The rules whose union gives the candidate pairs: a pair belongs to the first rule that finds it.
    #[cfg_attr(feature = "schema", schemars(default))]
    blocking_rules_to_generate_predictions: Vec<RuleDocument<'a>>,
    /// The comparisons, in the order of the comparison vector.
    #[cfg_attr(feature = "schema", schemars(default))]
    comparisons: Vec<ComparisonDocument<'a>>,
}

/// How records pair up.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "LinkType"))]
#[serde(rename_all = "snake_case")]
enum LinkTypeDocument {
    /// Pairs within one source, or within all sources stacked as one.
    DedupeOnly,
    /// Pairs of records of different sources only.
    LinkOnly,
    /// Pairs within a source and across sources.
    LinkAndDedupe,
}

/// What a character is to the text functions, and what empty text scores.
#[derive(Debug, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "TextSemantics"))]
#[serde(rename_all = "snake_case")]
enum TextSemanticsDocument {
    /// Unicode scalar values; two empty texts are equal.
    #[default]
    Characters,
    /// Bytes of UTF-8; an empty text on either side has similarity 0, as DuckDB computes it.
    #[serde(rename = "duckdb_bytes")]
    DuckDbBytes,
}

/// One comparison: levels from the most specific down to the catch-all.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Comparison"))]
#[serde(deny_unknown_fields)]
pub(super) struct ComparisonDocument<'a> {
    /// The name in output columns, unique within the model; by default the only column of the conditions.
    #[cfg_attr(feature = "schema", schemars(default))]
    output_column_name: &'a str,
    /// The levels in order of evaluation; the first whose condition holds is the pair's level.
    comparison_levels: Vec<LevelDocument<'a>>,
    /// A sentence for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    comparison_description: Option<&'a str>,
}

/// One level of a comparison.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ComparisonLevel"))]
#[serde(deny_unknown_fields)]
struct LevelDocument<'a> {
    /// SQL over columns with suffix `_l` and `_r`, or `ELSE`.
    sql_condition: &'a str,
    /// The name on charts and in waterfalls.
    #[serde(skip_serializing_if = "Option::is_none")]
    label_for_charts: Option<&'a str>,
    /// m: the probability of the level among matches.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    m_probability: Option<f64>,
    /// u: the probability of the level among pairs that do not match.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    u_probability: Option<f64>,
    /// Training leaves m alone.
    #[cfg_attr(feature = "schema", schemars(default))]
    fix_m_probability: bool,
    /// Training leaves u alone.
    #[cfg_attr(feature = "schema", schemars(default))]
    fix_u_probability: bool,
    /// The column, or expression over one record, whose value frequencies replace u.
    #[serde(skip_serializing_if = "Option::is_none")]
    tf_adjustment_column: Option<&'a str>,
    /// A floor under the frequency used; 0 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    tf_minimum_u_value: Option<f64>,
    /// Scale of the adjustment in bits, from 0 (none) to 1 (whole); 1 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    tf_adjustment_weight: Option<f64>,
    /// Marks missing data: weight 0, no m or u.
    #[serde(skip_serializing_if = "is_false")]
    #[cfg_attr(feature = "schema", schemars(default))]
    is_null_level: bool,
    /// Takes this level's own u as the base instead of that of the exact level.
    #[serde(skip_serializing_if = "is_false")]
    #[cfg_attr(feature = "schema", schemars(default))]
    disable_tf_exact_match_detection: bool,
}

/// A rule that proposes candidate pairs: SQL over `l` and `r` by itself, or an object with exactly one of `blocking_rule`,
/// `sorted_neighbourhood`, `q_gram_lsh` and `tokens`.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "BlockingRuleOrSql"))]
#[serde(untagged)]
enum RuleDocument<'a> {
    /// SQL over `l` and `r`.
    Sql(&'a str),
    /// A rule with more to say.
    Object(Box<RuleObject<'a>>),
}

/// A rule that proposes candidate pairs, with exactly one of `blocking_rule`, `sorted_neighbourhood`, `q_gram_lsh` and `tokens`.
#[derive(Debug, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "BlockingRule"))]
#[serde(deny_unknown_fields)]
struct RuleObject<'a> {
    /// SQL over `l` and `r`: equalities joined by `AND`, further conditions filter what they find.
    #[serde(skip_serializing_if = "Option::is_none")]
    blocking_rule: Option<&'a str>,
    /// Records sorted by an expression pair with their next neighbours.
    #[serde(skip_serializing_if = "Option::is_none")]
    sorted_neighbourhood: Option<SortedNeighbourhoodDocument<'a>>,
    /// MinHash over character q-grams: records whose signatures agree in one band.
    #[serde(skip_serializing_if = "Option::is_none")]
    q_gram_lsh: Option<QGramLshDocument<'a>>,
    /// Records that share tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    tokens: Option<TokensDocument<'a>>,
    /// Arrays whose elements become records of their own before the rule is applied.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    #[cfg_attr(feature = "schema", schemars(default))]
    arrays_to_explode: &'a [String],
    /// A second rule for blocks of many records.
    #[serde(skip_serializing_if = "Option::is_none")]
    refine_large_blocks: Option<RefinementDocument<'a>>,
}

/// Records sorted by an expression pair with their next neighbours.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "SortedNeighbourhood"))]
#[serde(deny_unknown_fields)]
struct SortedNeighbourhoodDocument<'a> {
    /// The sort key, SQL over one record's columns.
    key: &'a str,
    /// Number of records in the window: each pairs with the next `window - 1`.
    #[cfg_attr(feature = "schema", schemars(range(min = 2)))]
    window: u32,
}

/// MinHash over character q-grams.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "QGramLsh"))]
#[serde(deny_unknown_fields)]
struct QGramLshDocument<'a> {
    /// The text, SQL over one record's columns.
    text: &'a str,
    /// Characters in a q-gram.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 8)))]
    q: u32,
    /// Number of bands.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 4096)))]
    bands: u32,
    /// Hashes in a band.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 4096)))]
    rows_per_band: u32,
}

/// Records that share tokens.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Tokens"))]
#[serde(deny_unknown_fields)]
struct TokensDocument<'a> {
    /// The text, SQL over one record's columns, split at anything that is not a letter or digit.
    text: &'a str,
    /// Number of tokens two records must share.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    minimum_shared: u32,
    /// Tokens in more records than this propose nothing.
    #[cfg_attr(feature = "schema", schemars(range(min = 2)))]
    maximum_records: u64,
}

/// A second rule for blocks of many records.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "LargeBlockRefinement"))]
#[serde(deny_unknown_fields)]
struct RefinementDocument<'a> {
    /// Blocks with more records than this are refined.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    more_records_than: u64,
    /// The rule that must hold as well inside such a block, SQL over `l` and `r`.
    sql: &'a str,
}

/// How the probabilities of a model came about.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "TrainingTrace"))]
#[serde(deny_unknown_fields)]
struct TraceDocument<'a> {
    /// The program that trained, with its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    software: Option<&'a str>,
    /// The seed of everything random.
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
    /// Records trained on, over all sources.
    #[serde(skip_serializing_if = "Option::is_none")]
    n_records: Option<u64>,
    /// The steps in order.
    #[cfg_attr(feature = "schema", schemars(default))]
    steps: Vec<StepDocument<'a>>,
}

/// One step of training.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "TrainingStep"))]
#[serde(deny_unknown_fields)]
struct StepDocument<'a> {
    /// What was estimated and how, as `u from random pairs`.
    method: &'a str,
    /// The rule that chose the pairs.
    #[serde(skip_serializing_if = "Option::is_none")]
    blocking_rule: Option<&'a str>,
    /// Pairs looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    n_pairs: Option<u64>,
    /// Iterations until the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    n_iterations: Option<u64>,
    /// How the step ended, as `converged`.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'a str>,
    /// Logarithm (base e) of the likelihood at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    log_likelihood: Option<f64>,
    /// Relative standard error of the least certain estimate.
    #[serde(skip_serializing_if = "Option::is_none")]
    relative_error: Option<f64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
fn is_false(value: &bool) -> bool {
    !value
}

impl<'a> From<&'a LinkageModel> for ModelDocument<'a> {
    fn from(model: &'a LinkageModel) -> Self {
        Self {
            hotpass_linkage_model: VERSION,
            link_type: match model.link_type {
                LinkType::DedupeOnly => LinkTypeDocument::DedupeOnly,
                LinkType::LinkOnly => LinkTypeDocument::LinkOnly,
                LinkType::LinkAndDedupe => LinkTypeDocument::LinkAndDedupe,
            },
            probability_two_random_records_match: model.probability_two_random_records_match,
            retain_matching_columns: model.output.retain_matching_columns,
            retain_intermediate_calculation_columns: model.output.retain_intermediate_calculation_columns,
            additional_columns_to_retain: &model.output.additional_columns_to_retain,
            linker_uid: model.uid.as_deref(),
            em_convergence: model.training.em_convergence,
            max_iterations: model.training.max_iterations,
            match_weight_column_prefix: &model.output.match_weight_prefix,
            term_frequency_adjustment_column_prefix: &model.output.term_frequency_prefix,
            comparison_vector_value_column_prefix: &model.output.comparison_vector_prefix,
            unique_id_column_name: &model.keys.unique_id,
            source_dataset_column_name: &model.keys.source_dataset,
            text_semantics: match model.text_semantics {
                TextSemantics::Characters => TextSemanticsDocument::Characters,
                TextSemantics::DuckDbBytes => TextSemanticsDocument::DuckDbBytes,
            },
            training: model.trace.as_ref().map(TraceDocument::from),
            blocking_rules_to_generate_predictions: model.blocking_rules.iter().map(RuleDocument::from).collect(),
            comparisons: model.comparisons.iter().map(ComparisonDocument::from).collect(),
        }
    }
}

impl<'a> From<&'a Comparison> for ComparisonDocument<'a> {
    fn from(comparison: &'a Comparison) -> Self {
        Self {
            output_column_name: &comparison.output_column_name,
            comparison_levels: comparison.levels.iter().map(LevelDocument::from).collect(),
            comparison_description: comparison.description.as_deref(),
        }
    }
}

impl<'a> From<&'a ComparisonLevel> for LevelDocument<'a> {
    fn from(level: &'a ComparisonLevel) -> Self {
        let term_frequency = level.term_frequency.as_ref();
        Self {
            sql_condition: &level.sql_condition,
            label_for_charts: level.label.as_deref(),
            m_probability: level.m_probability.filter(|_| !level.is_null_level),
            u_probability: level.u_probability.filter(|_| !level.is_null_level),
            fix_m_probability: level.fix_m_probability,
            fix_u_probability: level.fix_u_probability,
            tf_adjustment_column: term_frequency.map(|term_frequency| term_frequency.column.as_str()),
            tf_minimum_u_value: term_frequency.map(|term_frequency| term_frequency.minimum_u).filter(|u| *u != 0.0),
            tf_adjustment_weight: term_frequency.map(|term_frequency| term_frequency.weight),
            is_null_level: level.is_null_level,
            disable_tf_exact_match_detection: term_frequency
                .is_some_and(|term_frequency| term_frequency.disable_exact_match_detection),
        }
    }
}

impl<'a> From<&'a BlockingRule> for RuleDocument<'a> {
    fn from(rule: &'a BlockingRule) -> Self {
        let mut object = RuleObject {
            arrays_to_explode: &rule.arrays_to_explode,
            refine_large_blocks: rule
                .refine_large_blocks
                .as_ref()
                .map(|refine| RefinementDocument { more_records_than: refine.more_records_than, sql: &refine.sql }),
            ..RuleObject::default()
        };
        match &rule.kind {
            BlockingKind::Sql(sql) if object.arrays_to_explode.is_empty() && object.refine_large_blocks.is_none() => {
                return Self::Sql(sql);
            }
            BlockingKind::Sql(sql) => object.blocking_rule = Some(sql),
            BlockingKind::SortedNeighbourhood { key, window } => {
                object.sorted_neighbourhood = Some(SortedNeighbourhoodDocument { key, window: *window });
            }
            BlockingKind::QGramLsh { text, q, bands, rows_per_band } => {
                object.q_gram_lsh =
                    Some(QGramLshDocument { text, q: *q, bands: *bands, rows_per_band: *rows_per_band });
            }
            BlockingKind::Tokens { text, minimum_shared, maximum_records } => {
                object.tokens =
                    Some(TokensDocument { text, minimum_shared: *minimum_shared, maximum_records: *maximum_records });
            }
        }
        Self::Object(Box::new(object))
    }
}

impl<'a> From<&'a TrainingTrace> for TraceDocument<'a> {
    fn from(trace: &'a TrainingTrace) -> Self {
        Self {
            software: trace.software.as_deref(),
            seed: trace.seed,
            n_records: trace.n_records,
            steps: trace.steps.iter().map(StepDocument::from).collect(),
        }
    }
}

impl<'a> From<&'a TrainingStep> for StepDocument<'a> {
    fn from(step: &'a TrainingStep) -> Self {
        Self {
            method: &step.method,
            blocking_rule: step.blocking_rule.as_deref(),
            n_pairs: step.n_pairs,
            n_iterations: step.n_iterations,
            status: step.status.as_deref(),
            log_likelihood: step.log_likelihood.filter(|value| value.is_finite()),
            relative_error: step.relative_error.filter(|value| value.is_finite()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reader_tells_the_forms_apart() {
        let splink = r#"{"link_type": "link_only", "comparisons": [], "sql_dialect": "duckdb"}"#;
        let (model, notices) = read_model(splink).unwrap();
        assert_eq!((model.link_type, model.text_semantics), (LinkType::LinkOnly, TextSemantics::DuckDbBytes));
        assert_eq!(notices, []);
        let (again, _) = read_model(&model.to_json().unwrap()).unwrap();
        assert_eq!(again, model);
        let later = r#"{"hotpass_linkage_model": 2, "link_type": "link_only"}"#;
        assert_eq!(
            read_model(later).unwrap_err().to_string(),
            "The model file has 1 problem: `hotpass_linkage_model`: Version 2 is later than this program knows, which is 1"
        );
    }
}
