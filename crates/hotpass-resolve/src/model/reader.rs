//! The walk over a model file, one for both of its forms: all problems at once, each with its path.

use serde_json::{Map, Value};

use super::error::{FileProblem, FileProblemCause, Notice, NoticeKind, nearest};
use super::{
    BlockingKind, BlockingRule, Comparison, ComparisonLevel, KeyColumns, LargeBlockRefinement, LinkType, LinkageModel,
    ModelError, OutputSettings, TermFrequencyAdjustment, TextSemantics, TrainingSettings, TrainingStep, TrainingTrace,
};
use crate::sql::expression::Expression;
use crate::sql::{SqlError, parse_condition, parse_record_expression, parse_rule};

/// m and u below this are refused, as in Splink: they would not survive a division.
pub(super) const SMALLEST_PROBABILITY: f64 = 1e-300;
/// Sums of floating-point parts may pass 1 by this much.
const ROUNDING: f64 = 1e-9;
/// What Splink writes for a probability that no pair of the training told anything about.
const NOT_OBSERVED: &str = "level not observed in training dataset";
/// What Splink scores such a level with.
const NOT_OBSERVED_PROBABILITY: f64 = 1e-6;

/// The forms of a model file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Splink,
    Hotpass,
}

/// Keys at the top of both forms.
pub(super) const MODEL_KEYS: &[&str] = &[
    "link_type",
    "probability_two_random_records_match",
    "retain_matching_columns",
    "retain_intermediate_calculation_columns",
    "additional_columns_to_retain",
    "linker_uid",
    "em_convergence",
    "max_iterations",
    "match_weight_column_prefix",
    "term_frequency_adjustment_column_prefix",
    "comparison_vector_value_column_prefix",
    "unique_id_column_name",
    "source_dataset_column_name",
    "blocking_rules_to_generate_predictions",
    "comparisons",
];
/// Further keys at the top of Splink's form.
pub(super) const SPLINK_MODEL_KEYS: &[&str] = &["sql_dialect", "bayes_factor_column_prefix"];
/// Further keys at the top of Hotpass's form.
pub(super) const HOTPASS_MODEL_KEYS: &[&str] = &["hotpass_linkage_model", "text_semantics", "training"];
pub(super) const COMPARISON_KEYS: &[&str] = &["output_column_name", "comparison_description", "comparison_levels"];
pub(super) const LEVEL_KEYS: &[&str] = &[
    "sql_condition",
    "label_for_charts",
    "is_null_level",
    "m_probability",
    "u_probability",
    "fix_m_probability",
    "fix_u_probability",
    "tf_adjustment_column",
    "tf_adjustment_weight",
    "tf_minimum_u_value",
    "disable_tf_exact_match_detection",
];
pub(super) const SPLINK_LEVEL_KEYS: &[&str] = &["base_dialect_str"];
pub(super) const RULE_KEYS: &[&str] = &["blocking_rule", "arrays_to_explode"];
pub(super) const SPLINK_RULE_KEYS: &[&str] = &["sql_dialect", "salting_partitions"];
pub(super) const HOTPASS_RULE_KEYS: &[&str] = &["sorted_neighbourhood", "q_gram_lsh", "tokens", "refine_large_blocks"];
pub(super) const SORTED_NEIGHBOURHOOD_KEYS: &[&str] = &["key", "window"];
pub(super) const Q_GRAM_LSH_KEYS: &[&str] = &["text", "q", "bands", "rows_per_band"];
pub(super) const TOKENS_KEYS: &[&str] = &["text", "minimum_shared", "maximum_records"];
pub(super) const REFINE_KEYS: &[&str] = &["more_records_than", "sql"];
pub(super) const TRACE_KEYS: &[&str] = &["software", "seed", "n_records", "steps"];
pub(super) const STEP_KEYS: &[&str] =
    &["method", "blocking_rule", "n_pairs", "n_iterations", "status", "log_likelihood", "relative_error"];
/// The only version of Hotpass's form so far.
pub(super) const VERSION: u64 = 1;

const PROBABILITY: Range = Range {
    expected: "a number from 1e-300 to 1",
    holds: |value| (SMALLEST_PROBABILITY..=1.0 + ROUNDING).contains(&value),
};
const PRIOR: Range = Range { expected: "a number above 0 and below 1", holds: |value| value > 0.0 && value < 1.0 };
const SHARE: Range = Range { expected: "a number from 0 to 1", holds: |value| (0.0..=1.0).contains(&value) };
const POSITIVE: Range = Range { expected: "a number above 0", holds: |value| value > 0.0 };
const ANY: Range = Range { expected: "a number", holds: |_| true };

#[derive(Clone, Copy)]
struct Range {
    expected: &'static str,
    holds: fn(f64) -> bool,
}

/// Reads a model from the value of a whole file.
pub(super) fn read(value: &Value, form: Form) -> Result<(LinkageModel, Vec<Notice>), ModelError> {
    let mut reader = Reader { form, problems: Vec::new(), notices: Vec::new() };
    let model = reader.model(value);
    match model {
        Some(model) if reader.problems.is_empty() => Ok((model, reader.notices)),
        _ => Err(ModelError::Invalid(reader.problems)),
    }
}

struct Reader {
    form: Form,
    problems: Vec<FileProblem>,
    notices: Vec<Notice>,
}

/// An object of the file and where it stands.
struct Object<'a> {
    path: String,
    map: &'a Map<String, Value>,
}

impl Object<'_> {
    fn path(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// The value of a key; null counts as absent, as in Python.
    fn get(&self, key: &str) -> Option<&Value> {
        self.map.get(key).filter(|value| !value.is_null())
    }
}

impl Reader {
    fn model(&mut self, value: &Value) -> Option<LinkageModel> {
        let further = match self.form {
            Form::Splink => SPLINK_MODEL_KEYS,
            Form::Hotpass => HOTPASS_MODEL_KEYS,
        };
        let object = self.object(value, String::new(), &[MODEL_KEYS, further])?;
        if self.form == Form::Hotpass {
            self.version(&object);
        }
        self.dialect(&object);
        if object.get("bayes_factor_column_prefix").is_some() {
            self.notice(
                object.path("bayes_factor_column_prefix"),
                NoticeKind::NoEffect("weights are written in bits, under `match_weight_column_prefix`"),
            );
        }
        let link_type = self.required(&object, "link_type").and_then(|value| {
            self.choice(
                value,
                object.path("link_type"),
                &["dedupe_only", "link_only", "link_and_dedupe"],
                &[LinkType::DedupeOnly, LinkType::LinkOnly, LinkType::LinkAndDedupe],
            )
        });
        let mut model = LinkageModel::new(link_type.unwrap_or_default());
        if let Some(prior) = self.number(&object, "probability_two_random_records_match", PRIOR) {
            model.probability_two_random_records_match = prior;
        }
        model.training = self.training_settings(&object);
        model.keys = self.keys(&object);
        model.output = self.output(&object);
        model.uid = self.text(&object, "linker_uid");
        model.text_semantics = self.text_semantics(&object);
        model.trace = object.get("training").map(|value| self.trace(value, object.path("training")));
        model.comparisons = self.each(&object, "comparisons", Self::comparison);
        model.blocking_rules = self.each(&object, "blocking_rules_to_generate_predictions", Self::rule);
        Some(model)
    }

    fn version(&mut self, object: &Object<'_>) {
        if self.required(object, "hotpass_linkage_model").is_none() {
            return;
        }
        match self.whole(object, "hotpass_linkage_model", 1, u64::MAX, "a version number from 1") {
            Some(found) if found > VERSION => self.problem(
                object.path("hotpass_linkage_model"),
                FileProblemCause::LaterVersion { found, newest: VERSION },
            ),
            _ => {}
        }
    }

    fn text_semantics(&mut self, object: &Object<'_>) -> TextSemantics {
        if self.form == Form::Splink {
            return TextSemantics::DuckDbBytes;
        }
        let Some(value) = object.get("text_semantics") else { return TextSemantics::default() };
        let path = object.path("text_semantics");
        self.choice(
            value,
            path,
            &["characters", "duckdb_bytes"],
            &[TextSemantics::Characters, TextSemantics::DuckDbBytes],
        )
        .unwrap_or_default()
    }

    fn training_settings(&mut self, object: &Object<'_>) -> TrainingSettings {
        let default = TrainingSettings::default();
        let iterations = self.whole(object, "max_iterations", 1, u64::from(u32::MAX), "a whole number from 1");
        TrainingSettings {
            em_convergence: self.number(object, "em_convergence", POSITIVE).unwrap_or(default.em_convergence),
            max_iterations: iterations.and_then(|n| u32::try_from(n).ok()).unwrap_or(default.max_iterations),
        }
    }

    fn keys(&mut self, object: &Object<'_>) -> KeyColumns {
        let default = KeyColumns::default();
        KeyColumns {
            unique_id: self.filled(object, "unique_id_column_name").unwrap_or(default.unique_id),
            source_dataset: self.filled(object, "source_dataset_column_name").unwrap_or(default.source_dataset),
        }
    }

    fn output(&mut self, object: &Object<'_>) -> OutputSettings {
        let default = OutputSettings::default();
        OutputSettings {
            retain_matching_columns: self
                .boolean(object, "retain_matching_columns")
                .unwrap_or(default.retain_matching_columns),
            retain_intermediate_calculation_columns: self
                .boolean(object, "retain_intermediate_calculation_columns")
                .unwrap_or(default.retain_intermediate_calculation_columns),
            additional_columns_to_retain: self.texts(object, "additional_columns_to_retain"),
            match_weight_prefix: self.text(object, "match_weight_column_prefix").unwrap_or(default.match_weight_prefix),
            term_frequency_prefix: self
                .text(object, "term_frequency_adjustment_column_prefix")
                .unwrap_or(default.term_frequency_prefix),
            comparison_vector_prefix: self
                .text(object, "comparison_vector_value_column_prefix")
                .unwrap_or(default.comparison_vector_prefix),
        }
    }

    fn comparison(&mut self, value: &Value, path: String) -> Option<Comparison> {
        let object = self.object(value, path, &[COMPARISON_KEYS])?;
        self.required(&object, "comparison_levels");
        let levels: Vec<ComparisonLevel> = self.each(&object, "comparison_levels", Self::level);
        let output_column_name = self.filled(&object, "output_column_name");
        Some(Comparison {
            output_column_name: output_column_name.unwrap_or_else(|| default_output_column_name(&levels)),
            description: self.text(&object, "comparison_description"),
            levels,
        })
    }

    fn level(&mut self, value: &Value, path: String) -> Option<ComparisonLevel> {
        let further: &[&str] = if self.form == Form::Splink { SPLINK_LEVEL_KEYS } else { &[] };
        let object = self.object(value, path, &[LEVEL_KEYS, further])?;
        self.required(&object, "sql_condition");
        let sql = self.filled(&object, "sql_condition").unwrap_or_default();
        let mut level = ComparisonLevel::new(sql);
        if !level.is_else_level() && !level.sql_condition.is_empty() {
            self.sql(&level.sql_condition, &object.path("sql_condition"), parse_condition);
        }
        self.dialect(&object);
        level.label = self.text(&object, "label_for_charts");
        level.is_null_level = self.boolean(&object, "is_null_level").unwrap_or_default();
        level.fix_m_probability = self.boolean(&object, "fix_m_probability").unwrap_or_default();
        level.fix_u_probability = self.boolean(&object, "fix_u_probability").unwrap_or_default();
        for key in ["m_probability", "u_probability"] {
            let probability = self.probability(&object, key);
            if level.is_null_level && probability.is_some() {
                self.notice(object.path(key), NoticeKind::NoEffect("the null level weighs 0"));
                continue;
            }
            if key == "m_probability" { level.m_probability = probability } else { level.u_probability = probability }
        }
        level.term_frequency = self.term_frequency(&object);
        Some(level)
    }

    /// Reads m or u, whose place may hold the sentence that Splink puts there for a level it never saw.
    fn probability(&mut self, object: &Object<'_>, key: &str) -> Option<f64> {
        if object.get(key).and_then(Value::as_str) == Some(NOT_OBSERVED) {
            self.notice(object.path(key), NoticeKind::NotObserved);
            return Some(NOT_OBSERVED_PROBABILITY);
        }
        self.number(object, key, PROBABILITY)
    }

    fn term_frequency(&mut self, object: &Object<'_>) -> Option<TermFrequencyAdjustment> {
        let column = self.filled(object, "tf_adjustment_column");
        let weight = self.number(object, "tf_adjustment_weight", SHARE);
        let minimum_u = self.number(object, "tf_minimum_u_value", SHARE);
        let disabled = self.boolean(object, "disable_tf_exact_match_detection");
        if object.get("tf_adjustment_column").is_none() {
            let set = [
                ("tf_adjustment_weight", weight.is_some()),
                ("tf_minimum_u_value", minimum_u.is_some_and(|value| value != 0.0)),
                ("disable_tf_exact_match_detection", disabled == Some(true)),
            ];
            for (key, _) in set.into_iter().filter(|(_, is_set)| *is_set) {
                self.notice(object.path(key), NoticeKind::NoEffect("the level has no `tf_adjustment_column`"));
            }
        }
        Some(TermFrequencyAdjustment {
            column: column?,
            weight: weight.unwrap_or(1.0),
            minimum_u: minimum_u.unwrap_or(0.0),
            disable_exact_match_detection: disabled.unwrap_or_default(),
        })
    }

    fn rule(&mut self, value: &Value, path: String) -> Option<BlockingRule> {
        if let Some(sql) = value.as_str() {
            self.sql(sql, &path, parse_rule);
            return Some(BlockingRule::from(sql));
        }
        let further = match self.form {
            Form::Splink => SPLINK_RULE_KEYS,
            Form::Hotpass => HOTPASS_RULE_KEYS,
        };
        let object = self.object(value, path, &[RULE_KEYS, further])?;
        self.dialect(&object);
        if object.get("salting_partitions").is_some() {
            self.notice(
                object.path("salting_partitions"),
                NoticeKind::NoEffect("pairs are found in parallel without salting"),
            );
        }
        let arrays_to_explode = self.texts(&object, "arrays_to_explode");
        let refine_large_blocks = object
            .get("refine_large_blocks")
            .and_then(|value| self.refinement(value, object.path("refine_large_blocks")));
        let kind = self.blocking_kind(&object)?;
        Some(BlockingRule { kind, arrays_to_explode, refine_large_blocks })
    }

    fn blocking_kind(&mut self, object: &Object<'_>) -> Option<BlockingKind> {
        let present: Vec<&str> = ["blocking_rule", "sorted_neighbourhood", "q_gram_lsh", "tokens"]
            .into_iter()
            .filter(|key| object.get(key).is_some())
            .collect();
        let [key] = present[..] else {
            let path = object.path(present.get(1).unwrap_or(&"blocking_rule"));
            self.problem(
                path,
                if present.is_empty() { FileProblemCause::MissingKey } else { FileProblemCause::TwoKinds },
            );
            return None;
        };
        let value = object.get(key)?;
        let path = object.path(key);
        const WINDOW: &str = "a whole number from 2";
        const COUNT: &str = "a whole number from 1";
        let wide = u64::from(u32::MAX);
        match key {
            "sorted_neighbourhood" => {
                let inner = self.object(value, path, &[SORTED_NEIGHBOURHOOD_KEYS])?;
                let (key, window) = (self.record_sql(&inner, "key"), self.size(&inner, "window", 2, wide, WINDOW));
                Some(BlockingKind::SortedNeighbourhood { key: key?, window: window? })
            }
            "q_gram_lsh" => {
                let inner = self.object(value, path, &[Q_GRAM_LSH_KEYS])?;
                let text = self.record_sql(&inner, "text");
                let q = self.size(&inner, "q", 1, 8, "a whole number from 1 to 8");
                let bands = self.size(&inner, "bands", 1, 4096, "a whole number from 1 to 4096");
                let rows_per_band = self.size(&inner, "rows_per_band", 1, 4096, "a whole number from 1 to 4096");
                Some(BlockingKind::QGramLsh { text: text?, q: q?, bands: bands?, rows_per_band: rows_per_band? })
            }
            "tokens" => {
                let inner = self.object(value, path, &[TOKENS_KEYS])?;
                let text = self.record_sql(&inner, "text");
                let minimum_shared = self.size(&inner, "minimum_shared", 1, wide, COUNT);
                self.required(&inner, "maximum_records");
                let maximum_records = self.whole(&inner, "maximum_records", 2, u64::MAX, WINDOW);
                Some(BlockingKind::Tokens {
                    text: text?,
                    minimum_shared: minimum_shared?,
                    maximum_records: maximum_records?,
                })
            }
            _ => {
                let sql = self.filled(object, key)?;
                self.sql(&sql, &path, parse_rule);
                Some(BlockingKind::Sql(sql))
            }
        }
    }

    fn refinement(&mut self, value: &Value, path: String) -> Option<LargeBlockRefinement> {
        let object = self.object(value, path, &[REFINE_KEYS])?;
        self.required(&object, "more_records_than");
        let more = self.whole(&object, "more_records_than", 1, u64::MAX, "a whole number from 1");
        self.required(&object, "sql");
        let sql = self.filled(&object, "sql");
        if let Some(sql) = &sql {
            self.sql(sql, &object.path("sql"), parse_rule);
        }
        Some(LargeBlockRefinement { more_records_than: more?, sql: sql? })
    }

    fn trace(&mut self, value: &Value, path: String) -> TrainingTrace {
        let Some(object) = self.object(value, path, &[TRACE_KEYS]) else { return TrainingTrace::default() };
        TrainingTrace {
            software: self.text(&object, "software"),
            seed: self.count(&object, "seed"),
            n_records: self.count(&object, "n_records"),
            steps: self.each(&object, "steps", Self::step),
        }
    }

    fn step(&mut self, value: &Value, path: String) -> Option<TrainingStep> {
        let object = self.object(value, path, &[STEP_KEYS])?;
        self.required(&object, "method");
        Some(TrainingStep {
            method: self.filled(&object, "method").unwrap_or_default(),
            blocking_rule: self.text(&object, "blocking_rule"),
            n_pairs: self.count(&object, "n_pairs"),
            n_iterations: self.count(&object, "n_iterations"),
            status: self.text(&object, "status"),
            log_likelihood: self.number(&object, "log_likelihood", ANY),
            relative_error: self.number(&object, "relative_error", ANY),
        })
    }

    /// Says when SQL was written for another engine.
    fn dialect(&mut self, object: &Object<'_>) {
        const DIALECTS: &[&str] = &["duckdb", "spark", "sqlite", "postgres"];
        for key in ["sql_dialect", "base_dialect_str"] {
            let Some(value) = object.get(key) else { continue };
            let path = object.path(key);
            match self.choice(value, path.clone(), DIALECTS, DIALECTS) {
                Some("duckdb") | None => {}
                Some(dialect) => self.notice(path, NoticeKind::ForeignDialect(dialect.to_owned())),
            }
        }
    }

    fn record_sql(&mut self, object: &Object<'_>, key: &str) -> Option<String> {
        self.required(object, key);
        let sql = self.filled(object, key)?;
        self.sql(&sql, &object.path(key), parse_record_expression);
        Some(sql)
    }

    /// Checks that SQL parses, in the form of its place, and calls no function of another engine.
    fn sql(&mut self, sql: &str, path: &str, parse: fn(&str) -> Result<Expression, SqlError>) {
        let causes: Vec<FileProblemCause> = match parse(sql) {
            Ok(_) => super::sql_text::foreign_functions(sql).collect(),
            Err(error) => vec![FileProblemCause::Sql(error)],
        };
        self.problems.extend(causes.into_iter().map(|cause| FileProblem { path: path.to_owned(), cause }));
    }

    fn problem(&mut self, path: String, cause: FileProblemCause) {
        self.problems.push(FileProblem { path, cause });
    }

    fn notice(&mut self, path: String, kind: NoticeKind) {
        self.notices.push(Notice { path, kind });
    }

    fn wrong_type(&mut self, path: String, expected: &'static str, value: &Value) {
        self.problem(path, FileProblemCause::WrongType { expected, found: type_name(value) });
    }

    /// Takes an object whose keys are all known.
    fn object<'a>(&mut self, value: &'a Value, path: String, keys: &[&[&str]]) -> Option<Object<'a>> {
        let Some(map) = value.as_object() else {
            self.wrong_type(if path.is_empty() { "the model".to_owned() } else { path }, "an object", value);
            return None;
        };
        let object = Object { path, map };
        let known = || keys.iter().flat_map(|keys| keys.iter().copied());
        for key in map.keys().filter(|key| known().all(|name| name != key.as_str())) {
            let nearest = nearest(key, known()).map(str::to_owned);
            self.problem(object.path(key), FileProblemCause::UnknownKey { nearest });
        }
        Some(object)
    }

    fn required<'a>(&mut self, object: &'a Object<'_>, key: &str) -> Option<&'a Value> {
        let value = object.get(key);
        if value.is_none() {
            self.problem(object.path(key), FileProblemCause::MissingKey);
        }
        value
    }

    fn each<T>(&mut self, object: &Object<'_>, key: &str, read: fn(&mut Self, &Value, String) -> Option<T>) -> Vec<T> {
        let Some(value) = object.get(key) else { return Vec::new() };
        let Some(list) = value.as_array() else {
            self.wrong_type(object.path(key), "a list", value);
            return Vec::new();
        };
        let path = object.path(key);
        list.iter().enumerate().filter_map(|(index, item)| read(self, item, format!("{path}[{index}]"))).collect()
    }

    fn text(&mut self, object: &Object<'_>, key: &str) -> Option<String> {
        let value = object.get(key)?;
        if value.as_str().is_none() {
            self.wrong_type(object.path(key), "text", value);
        }
        value.as_str().map(str::to_owned)
    }

    /// Text with something in it.
    fn filled(&mut self, object: &Object<'_>, key: &str) -> Option<String> {
        let text = self.text(object, key)?;
        if text.trim().is_empty() {
            self.problem(object.path(key), FileProblemCause::Empty);
            return None;
        }
        Some(text)
    }

    fn texts(&mut self, object: &Object<'_>, key: &str) -> Vec<String> {
        self.each(object, key, |reader, value, path| {
            if value.as_str().is_none() {
                reader.wrong_type(path, "text", value);
            }
            value.as_str().map(str::to_owned)
        })
    }

    fn boolean(&mut self, object: &Object<'_>, key: &str) -> Option<bool> {
        let value = object.get(key)?;
        if value.as_bool().is_none() {
            self.wrong_type(object.path(key), "true or false", value);
        }
        value.as_bool()
    }

    fn number(&mut self, object: &Object<'_>, key: &str, range: Range) -> Option<f64> {
        let value = object.get(key)?;
        let Some(number) = value.as_f64() else {
            self.wrong_type(object.path(key), range.expected, value);
            return None;
        };
        if !(range.holds)(number) {
            self.problem(object.path(key), FileProblemCause::OutOfRange { expected: range.expected, found: number });
            return None;
        }
        Some(number)
    }

    fn whole(&mut self, object: &Object<'_>, key: &str, low: u64, high: u64, expected: &'static str) -> Option<u64> {
        let value = object.get(key)?;
        let Some(number) = value.as_f64() else {
            self.wrong_type(object.path(key), expected, value);
            return None;
        };
        // Python writes 25.0 where a caller gave a fraction.
        let whole = value
            .as_u64()
            .or_else(|| (number.fract() == 0.0 && (0.0..9e15).contains(&number)).then_some(number as u64))
            .filter(|whole| (low..=high).contains(whole));
        if whole.is_none() {
            self.problem(object.path(key), FileProblemCause::OutOfRange { expected, found: number });
        }
        whole
    }

    fn size(&mut self, object: &Object<'_>, key: &str, low: u64, high: u64, expected: &'static str) -> Option<u32> {
        self.required(object, key);
        self.whole(object, key, low, high, expected).and_then(|size| u32::try_from(size).ok())
    }

    fn count(&mut self, object: &Object<'_>, key: &str) -> Option<u64> {
        self.whole(object, key, 0, u64::MAX, "a whole number from 0")
    }

    fn choice<T: Copy>(
        &mut self,
        value: &Value,
        path: String,
        names: &'static [&'static str],
        values: &[T],
    ) -> Option<T> {
        let Some(found) = value.as_str() else {
            self.wrong_type(path, "text", value);
            return None;
        };
        let chosen = names.iter().position(|name| *name == found).and_then(|index| values.get(index)).copied();
        if chosen.is_none() {
            let nearest = nearest(found, names.iter().copied()).map(str::to_owned);
            let found = found.to_owned();
            self.problem(path, FileProblemCause::UnknownChoice { expected: names, found, nearest });
        }
        chosen
    }
}

/// Returns Splink's name for a comparison without one: its only column, else `custom_` and all columns.
///
/// Splink puts several columns in an order that changes from run to run; here they stand in order of appearance.
fn default_output_column_name(levels: &[ComparisonLevel]) -> String {
    let mut columns: Vec<String> = Vec::new();
    for level in levels.iter().filter(|level| !level.is_else_level()) {
        let Ok(condition) = parse_condition(&level.sql_condition) else { continue };
        for (_, column) in super::conditions::columns(&condition) {
            if !columns.contains(&column) {
                columns.push(column);
            }
        }
    }
    match &columns[..] {
        [only] => only.clone(),
        _ => format!("custom_{}", columns.join("_")),
    }
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
