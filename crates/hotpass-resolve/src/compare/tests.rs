//! The comparer against an interpreter that goes pair by pair and condition by condition.

use proptest::prelude::*;

use super::{CompareError, Comparer, Program, Scratch, SqlTier};
use crate::columns::{Columns, NULL, Values};
use crate::kernels::{self, TextTable};
use crate::model::{LinkType, LinkageModel, TextSemantics};
use crate::plan::{
    ComparisonPlan, Condition, Feature, FeatureId, Measure, NumberExpression, NumberFunction, Operator, Plan,
    SqlCondition, TextSimilarity, ValueType,
};
use crate::sql::expression::{Expression, Side};

/// A value of a record.
#[derive(Debug, Clone, PartialEq)]
enum Value {
    Null,
    Text(String),
    Number(f64),
    Integer(i64),
    Flag(bool),
    Texts(Vec<String>),
    Numbers(Vec<f64>),
}

/// The features of every test: two texts of one domain, a number, a whole number, a flag, texts, numbers.
const FEATURES: [(ValueType, usize); 7] = [
    (ValueType::Text, 0),
    (ValueType::Text, 0),
    (ValueType::Number, 1),
    (ValueType::Integer, 2),
    (ValueType::Boolean, 3),
    (ValueType::TextList, 4),
    (ValueType::NumberList, 5),
];

const SIMILARITIES: [TextSimilarity; 6] = [
    TextSimilarity::Jaro,
    TextSimilarity::JaroWinkler,
    TextSimilarity::Levenshtein,
    TextSimilarity::DamerauLevenshtein,
    TextSimilarity::Jaccard,
    TextSimilarity::Hamming,
];

type Record = Vec<Value>;

/// A tier whose only condition compares row numbers: their sum modulo three is the truth value.
struct RowSums;

impl SqlTier for RowSums {
    fn evaluate(&self, _: usize, lefts: &[u32], rights: &[u32], out: &mut [u8]) -> Result<(), CompareError> {
        for (slot, (left, right)) in out.iter_mut().zip(lefts.iter().zip(rights)) {
            *slot = ((left + right) % 3) as u8;
        }
        Ok(())
    }
}

fn plan() -> Plan {
    let feature = |(value_type, domain): (ValueType, usize)| Feature {
        expression: Expression::Column { side: None, name: format!("feature_{domain}") },
        value_type,
        domain,
    };
    let mut measures = Vec::new();
    for similarity in SIMILARITIES {
        measures.push(Measure::Text { similarity, left: 0, right: 0 });
        measures.push(Measure::Text { similarity, left: 0, right: 1 });
        measures.push(Measure::PairwiseText { similarity, left: 5, right: 5 });
    }
    measures.push(Measure::SharedElements { left: 5, right: 5 });
    measures.push(Measure::MissingElements { left: 5, right: 5 });
    measures.push(Measure::SharedElements { left: 6, right: 6 });
    measures.push(Measure::MissingElements { left: 6, right: 6 });
    measures.push(Measure::VectorCosine { left: 6, right: 6 });
    Plan {
        features: FEATURES.map(feature).to_vec(),
        n_domains: 6,
        measures,
        sql_conditions: vec![SqlCondition { sql: "row_sum(l, r)".to_owned(), columns: Vec::new() }],
        ..Plan::default()
    }
}

fn encode(records: &[Record]) -> Columns {
    let mut seen: Vec<Vec<Value>> = vec![Vec::new(); 6];
    let mut codes = vec![Vec::new(); FEATURES.len()];
    for record in records {
        for (feature, value) in record.iter().enumerate() {
            let known = &mut seen[FEATURES[feature].1];
            let value = match value {
                Value::Texts(texts) => {
                    let mut texts = texts.clone();
                    texts.sort();
                    texts.dedup();
                    Value::Texts(texts)
                }
                other => other.clone(),
            };
            codes[feature].push(if value == Value::Null {
                NULL
            } else if let Some(code) = known.iter().position(|other| same(other, &value)) {
                code as u32
            } else {
                known.push(value);
                known.len() as u32 - 1
            });
        }
    }
    let domains = seen.into_iter().zip([0, 2, 3, 4, 5, 6]).map(|(values, feature)| table(FEATURES[feature].0, &values));
    Columns {
        n_rows: records.len(),
        codes,
        domain_of: FEATURES.map(|(_, domain)| domain).to_vec(),
        domains: domains.collect(),
        source: Vec::new(),
    }
}

fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            one.total_cmp(other).is_eq() || one.abs() + other.abs() == 0.0 || one.is_nan() && other.is_nan()
        }
        _ => one == other,
    }
}

fn table(value_type: ValueType, values: &[Value]) -> Values {
    match value_type {
        ValueType::Text => {
            let mut texts = TextTable::default();
            for value in values {
                let Value::Text(text) = value else { unreachable!() };
                texts.push(text);
            }
            texts.finish();
            Values::Text(texts)
        }
        ValueType::Number => Values::Number(values.iter().map(|value| number(value).unwrap()).collect()),
        ValueType::Integer => Values::Integer(
            values
                .iter()
                .map(|value| if let Value::Integer(whole) = value { *whole } else { unreachable!() })
                .collect(),
        ),
        ValueType::Boolean => Values::Boolean(values.iter().map(|value| *value == Value::Flag(true)).collect()),
        ValueType::TextList => {
            let mut elements = TextTable::default();
            let mut known: Vec<&String> = Vec::new();
            let (mut offsets, mut codes) = (vec![0], Vec::new());
            for value in values {
                let Value::Texts(texts) = value else { unreachable!() };
                let mut list: Vec<u32> = Vec::new();
                for text in texts {
                    let known_code = known.iter().position(|other| *other == text);
                    list.push(known_code.map_or_else(|| elements.push(text), |code| code as u32));
                    if known_code.is_none() {
                        known.push(text);
                    }
                }
                list.sort_unstable();
                codes.extend(list);
                offsets.push(codes.len() as u32);
            }
            elements.finish();
            Values::TextList { offsets, codes, elements }
        }
        ValueType::NumberList => {
            let (mut offsets, mut all) = (vec![0], Vec::new());
            for value in values {
                let Value::Numbers(numbers) = value else { unreachable!() };
                all.extend(numbers);
                offsets.push(all.len() as u32);
            }
            Values::NumberList { offsets, numbers: all }
        }
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => Some(*number),
        Value::Integer(whole) => Some(*whole as f64),
        Value::Flag(flag) => Some(f64::from(u8::from(*flag))),
        _ => None,
    }
}

/// Evaluates conditions for one pair, value by value.
struct Interpreter<'t> {
    plan: &'t Plan,
    left: &'t Record,
    right: &'t Record,
    sql: u8,
    semantics: TextSemantics,
}

impl Interpreter<'_> {
    fn side(&self, side: Side, feature: FeatureId) -> &Value {
        match side {
            Side::Left => &self.left[feature],
            Side::Right => &self.right[feature],
        }
    }

    fn condition(&self, condition: &Condition) -> Option<bool> {
        match condition {
            Condition::Constant(value) => *value,
            Condition::IsNull { side, feature } => Some(*self.side(*side, *feature) == Value::Null),
            Condition::Flag { side, feature } => match self.side(*side, *feature) {
                Value::Flag(flag) => Some(*flag),
                _ => None,
            },
            Condition::Equal { left, right } => match (&self.left[*left], &self.right[*right]) {
                (Value::Null, _) | (_, Value::Null) => None,
                (Value::Texts(left), Value::Texts(right)) => {
                    let set = |texts: &[String]| texts.iter().cloned().collect::<std::collections::BTreeSet<_>>();
                    Some(set(left) == set(right))
                }
                (left, right) => Some(same(left, right)),
            },
            Condition::Measure { measure, operator, threshold } => {
                compare(self.measure(*measure), *operator, Some(*threshold))
            }
            Condition::Compare { left, operator, right } => compare(self.number(left), *operator, self.number(right)),
            Condition::Not(inner) => self.condition(inner).map(|value| !value),
            Condition::And(parts) => {
                let values: Vec<_> = parts.iter().map(|part| self.condition(part)).collect();
                if values.contains(&Some(false)) {
                    Some(false)
                } else if values.contains(&None) {
                    None
                } else {
                    Some(true)
                }
            }
            Condition::Or(parts) => {
                let values: Vec<_> = parts.iter().map(|part| self.condition(part)).collect();
                if values.contains(&Some(true)) {
                    Some(true)
                } else if values.contains(&None) {
                    None
                } else {
                    Some(false)
                }
            }
            Condition::IsUnknown(inner) => Some(self.condition(inner).is_none()),
            Condition::Sql(_) => [Some(false), Some(true), None][usize::from(self.sql)],
        }
    }

    fn measure(&self, measure: usize) -> Option<f64> {
        match &self.plan.measures[measure] {
            Measure::Text { similarity, left, right } => match (&self.left[*left], &self.right[*right]) {
                (Value::Text(left), Value::Text(right)) => text(*similarity, left, right, self.semantics),
                _ => None,
            },
            Measure::PairwiseText { similarity, left, right } => {
                let (Value::Texts(left), Value::Texts(right)) = (&self.left[*left], &self.right[*right]) else {
                    return None;
                };
                let pairs = left.iter().flat_map(|left| right.iter().map(move |right| (left, right)));
                let values = pairs.filter_map(|(left, right)| text(*similarity, left, right, self.semantics));
                let distance = matches!(
                    similarity,
                    TextSimilarity::Levenshtein | TextSimilarity::DamerauLevenshtein | TextSimilarity::Hamming
                );
                if distance { values.min_by(f64::total_cmp) } else { values.max_by(f64::total_cmp) }
            }
            Measure::SharedElements { left, right } => self.shared(*left, *right).map(|(shared, _)| shared as f64),
            Measure::MissingElements { left, right } => {
                self.shared(*left, *right).map(|(shared, smaller)| (smaller - shared) as f64)
            }
            Measure::VectorCosine { left, right } => {
                let (Value::Numbers(left), Value::Numbers(right)) = (&self.left[*left], &self.right[*right]) else {
                    return None;
                };
                let sum = |one: &[f64], other: &[f64]| one.iter().zip(other).fold(0.0, |sum, (x, y)| sum + x * y);
                let norm: f64 = sum(left, left) * sum(right, right);
                if left.len() != right.len() || norm == 0.0 && self.semantics == TextSemantics::Characters {
                    return None;
                }
                let cosine: f64 = sum(left, right) / norm.sqrt();
                Some(cosine.clamp(-1.0, 1.0))
            }
        }
    }

    /// Gives the number of shared elements and that of the smaller list, both distinct.
    fn shared(&self, left: FeatureId, right: FeatureId) -> Option<(usize, usize)> {
        let set = |value: &Value| match value {
            Value::Texts(texts) => Some(texts.clone()),
            // Adding zero makes the zeros one.
            Value::Numbers(numbers) => Some(
                numbers
                    .iter()
                    .map(|number| format!("{:?}", number.abs() + 0.0) + if *number < 0.0 { "-" } else { "" })
                    .collect(),
            ),
            _ => None,
        };
        let left: std::collections::BTreeSet<String> = set(&self.left[left])?.into_iter().collect();
        let right = set(&self.right[right])?.into_iter().collect();
        Some((left.intersection(&right).count(), left.len().min(right.len())))
    }

    fn number(&self, expression: &NumberExpression) -> Option<f64> {
        match expression {
            NumberExpression::Constant(value) => *value,
            NumberExpression::Feature { side, feature } => number(self.side(*side, *feature)),
            NumberExpression::Measure(measure) => self.measure(*measure),
            NumberExpression::Case { branches, otherwise } => {
                let taken = branches.iter().find(|(condition, _)| self.condition(condition) == Some(true));
                self.number(taken.map_or(otherwise, |(_, result)| result))
            }
            NumberExpression::Function { function, arguments } => {
                let values: Vec<_> = arguments.iter().map(|argument| self.number(argument)).collect();
                match (function, &values[..]) {
                    (NumberFunction::Coalesce, values) => values.iter().copied().flatten().next(),
                    (NumberFunction::Greatest, values) => extreme(values, true),
                    (NumberFunction::Least, values) => extreme(values, false),
                    (NumberFunction::NullIf, [one, other]) => {
                        one.filter(|_| compare(*one, Operator::Equal, *other) != Some(true))
                    }
                    (NumberFunction::Add, [one, other]) => Some((*one)? + (*other)?),
                    (NumberFunction::Subtract, [one, other]) => Some((*one)? - (*other)?),
                    (NumberFunction::Divide, [one, other]) => Some((*one)? / (*other)?),
                    (NumberFunction::Abs, [one]) => one.map(f64::abs),
                    (NumberFunction::Acos, [one]) => one.map(f64::acos),
                    (NumberFunction::Float32, [one]) => one
                        .map(|one| f64::from(one as f32))
                        .filter(|single| single.is_finite() || !(*one).unwrap().is_finite()),
                    _ => unreachable!("no such function is drawn"),
                }
            }
        }
    }
}

fn extreme(values: &[Option<f64>], greatest: bool) -> Option<f64> {
    let mut best = None;
    for value in values.iter().copied().flatten() {
        let operator = if greatest { Operator::Greater } else { Operator::Less };
        if best.is_none() || compare(Some(value), operator, best) == Some(true) {
            best = Some(value);
        }
    }
    best
}

fn compare(left: Option<f64>, operator: Operator, right: Option<f64>) -> Option<bool> {
    let (left, right) = (left?, right?);
    let equal = left.partial_cmp(&right).map_or(left.is_nan() && right.is_nan(), std::cmp::Ordering::is_eq);
    let less = if right.is_nan() { !left.is_nan() } else { left < right };
    Some(match operator {
        Operator::Equal => equal,
        Operator::NotEqual => !equal,
        Operator::Less => less,
        Operator::LessOrEqual => less || equal,
        Operator::Greater => !less && !equal,
        Operator::GreaterOrEqual => !less,
    })
}

fn text(similarity: TextSimilarity, left: &str, right: &str, semantics: TextSemantics) -> Option<f64> {
    Some(match similarity {
        TextSimilarity::Jaro => kernels::jaro_similarity(left, right, semantics),
        TextSimilarity::JaroWinkler => kernels::jaro_winkler_similarity(left, right, semantics),
        TextSimilarity::Levenshtein => kernels::levenshtein_distance(left, right, semantics),
        TextSimilarity::DamerauLevenshtein => kernels::damerau_levenshtein_distance(left, right, semantics),
        TextSimilarity::Jaccard => kernels::jaccard_similarity(left, right, semantics),
        _ => return kernels::hamming_distance(left, right, semantics),
    })
}

fn texts() -> impl Strategy<Value = String> {
    let alike = prop::sample::select(vec![
        "",
        "a",
        "ann",
        "anne",
        "anna",
        "maria",
        "mariah",
        "marhia",
        "José",
        "Jose",
        "é",
        "è",
        "Zoë",
        "Zoé",
        "smith",
        "smyth",
        "a very long name that does not fit into sixty-four bytes of any register",
    ]);
    prop_oneof![4 => alike.prop_map(str::to_owned), 1 => "[ab]{0,4}"]
}

fn number_value() -> impl Strategy<Value = f64> {
    prop::sample::select(vec![
        0.0,
        -0.0,
        1.0,
        1.5,
        2.0,
        3.0,
        -1.0,
        0.1,
        0.3,
        1e300,
        1e39,
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
    ])
}

fn or_null(strategy: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    prop_oneof![4 => strategy, 1 => Just(Value::Null)]
}

fn records(count: usize) -> impl Strategy<Value = Vec<Record>> {
    let record = (
        or_null(texts().prop_map(Value::Text)),
        or_null(texts().prop_map(Value::Text)),
        or_null(number_value().prop_map(Value::Number)),
        or_null((-2_i64..3).prop_map(Value::Integer)),
        or_null(any::<bool>().prop_map(Value::Flag)),
        or_null(prop::collection::vec(texts(), 0..4).prop_map(Value::Texts)),
        or_null(prop::collection::vec((-2_i8..3).prop_map(f64::from), 0..4).prop_map(Value::Numbers)),
    );
    let record = record.prop_map(|(a, b, c, d, e, f, g)| vec![a, b, c, d, e, f, g]);
    prop::collection::vec(record, count)
}

fn operators() -> impl Strategy<Value = Operator> {
    use Operator as O;
    prop::sample::select(vec![O::Equal, O::NotEqual, O::Less, O::LessOrEqual, O::Greater, O::GreaterOrEqual])
}

fn sides() -> impl Strategy<Value = Side> {
    prop::sample::select(vec![Side::Left, Side::Right])
}

fn measure_condition() -> impl Strategy<Value = Condition> {
    let thresholds = prop_oneof![
        8 => prop::sample::select(vec![0.0, 0.5, 0.7, 0.9, 1.0, 2.0, 1.5, 3.0]),
        1 => number_value(),
    ];
    (0..plan().measures.len(), operators(), thresholds).prop_map(|(measure, operator, threshold)| Condition::Measure {
        measure,
        operator,
        threshold,
    })
}

fn plain_condition() -> impl Strategy<Value = Condition> {
    let equal = prop::sample::select(vec![(0, 0), (0, 1), (1, 0), (1, 1), (2, 2), (3, 3), (4, 4), (5, 5)]);
    prop_oneof![
        1 => prop::sample::select(vec![Some(true), Some(false), None]).prop_map(Condition::Constant),
        3 => (sides(), 0..FEATURES.len()).prop_map(|(side, feature)| Condition::IsNull { side, feature }),
        1 => sides().prop_map(|side| Condition::Flag { side, feature: 4 }),
        4 => equal.prop_map(|(left, right)| Condition::Equal { left, right }),
        6 => measure_condition(),
        1 => Just(Condition::Sql(0)),
    ]
}

fn number_expression() -> impl Strategy<Value = NumberExpression> {
    use NumberFunction as F;
    let leaf = prop_oneof![
        1 => number_value().prop_map(|value| NumberExpression::Constant(Some(value))),
        1 => Just(NumberExpression::Constant(None)),
        6 => (sides(), 2_usize..5).prop_map(|(side, feature)| NumberExpression::Feature { side, feature }),
        2 => (0..plan().measures.len()).prop_map(NumberExpression::Measure),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let one = (prop::sample::select(vec![F::Abs, F::Acos, F::Float32]), inner.clone());
        let two =
            prop::sample::select(vec![F::Add, F::Subtract, F::Divide, F::Greatest, F::Least, F::Coalesce, F::NullIf]);
        let two = (two, inner.clone(), inner.clone());
        let case = (prop::collection::vec((plain_condition(), inner.clone()), 1..3), inner.clone());
        let difference = (sides(), 2_usize..4, 2_usize..4);
        prop_oneof![
            one.prop_map(|(function, one)| NumberExpression::Function { function, arguments: vec![one] }),
            two.prop_map(|(function, one, two)| NumberExpression::Function { function, arguments: vec![one, two] }),
            case.prop_map(|(branches, otherwise)| NumberExpression::Case { branches, otherwise: Box::new(otherwise) }),
            difference.prop_map(|(side, one, two)| {
                let other = if side == Side::Left { Side::Right } else { Side::Left };
                let operands = vec![
                    NumberExpression::Feature { side, feature: one },
                    NumberExpression::Feature { side: other, feature: two },
                ];
                let difference = NumberExpression::Function { function: F::Subtract, arguments: operands };
                NumberExpression::Function { function: F::Abs, arguments: vec![difference] }
            }),
        ]
    })
}

fn condition() -> impl Strategy<Value = Condition> {
    let compare = (number_expression(), operators(), number_expression());
    let against = (number_expression(), operators(), number_value());
    let leaf = prop_oneof![
        6 => plain_condition(),
        1 => compare.prop_map(|(left, operator, right)| Condition::Compare { left, operator, right }),
        2 => against.prop_map(|(left, operator, right)| {
            Condition::Compare { left, operator, right: NumberExpression::Constant(Some(right)) }
        }),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            1 => inner.clone().prop_map(|inner| Condition::Not(Box::new(inner))),
            1 => inner.clone().prop_map(|inner| Condition::IsUnknown(Box::new(inner))),
            2 => prop::collection::vec(inner.clone(), 0..4).prop_map(Condition::And),
            2 => prop::collection::vec(inner, 0..4).prop_map(Condition::Or),
        ]
    })
}

fn levels() -> impl Strategy<Value = Vec<Condition>> {
    prop::collection::vec(condition(), 0..6).prop_map(|mut levels| {
        levels.push(Condition::Constant(Some(true)));
        levels
    })
}

fn model(semantics: TextSemantics) -> LinkageModel {
    LinkageModel { text_semantics: semantics, ..LinkageModel::new(LinkType::DedupeOnly) }
}

fn all_pairs(count: usize) -> (Vec<u32>, Vec<u32>) {
    (0..count as u32).flat_map(|left| (0..count as u32).map(move |right| (left, right))).unzip()
}

/// Expects the levels of a comparison to be those of the interpreter, for all pairs.
fn check_levels(records: &[Record], levels: Vec<Condition>, semantics: TextSemantics) {
    let mut plan = plan();
    plan.comparisons.push(ComparisonPlan { name: "compared".to_owned(), levels });
    let columns = encode(records);
    let comparer = Comparer::new(&plan, &columns, &model(semantics), Some(&RowSums)).unwrap();
    let mut scratch = Scratch::default();
    let (lefts, rights) = all_pairs(records.len());
    let mut found = vec![0; lefts.len()];
    comparer.levels(0, &lefts, &rights, &mut found, &mut scratch).unwrap();
    for (place, level) in found.iter().enumerate() {
        let (left, right) = (&records[lefts[place] as usize], &records[rights[place] as usize]);
        let sql = ((lefts[place] + rights[place]) % 3) as u8;
        let interpreter = Interpreter { plan: &plan, left, right, sql, semantics };
        let expected = plan.comparisons[0].levels.iter().position(|level| interpreter.condition(level) == Some(true));
        assert_eq!(Some(usize::from(*level)), expected, "{left:?} {right:?} {:#?}", plan.comparisons[0].levels);
        let mut alone = [0];
        comparer.levels(0, &lefts[place..=place], &rights[place..=place], &mut alone, &mut scratch).unwrap();
        assert_eq!(alone[0], *level, "a pair alone has the level that it has in a batch");
    }
    for (measure, place) in (0..plan.measures.len()).zip((0..lefts.len()).cycle()) {
        let (left, right) = (lefts[place], rights[place]);
        let records = (&records[left as usize], &records[right as usize]);
        let interpreter = Interpreter { plan: &plan, left: records.0, right: records.1, sql: 0, semantics };
        let value = comparer.value(measure, left, right, &mut scratch).unwrap();
        let expected = interpreter.measure(measure);
        assert_eq!(value.map(f64::to_bits), expected.map(f64::to_bits), "{:?} {records:?}", plan.measures[measure]);
    }
}

/// Expects the truth values of a condition to be those of the interpreter, for all pairs.
fn check_condition(records: &[Record], condition: &Condition, semantics: TextSemantics) {
    let plan = plan();
    let columns = encode(records);
    let comparer = Comparer::new(&plan, &columns, &model(semantics), Some(&RowSums)).unwrap();
    let (lefts, rights) = all_pairs(records.len());
    let mut found = vec![0; lefts.len()];
    comparer.holds(condition, &lefts, &rights, &mut found, &mut Scratch::default()).unwrap();
    for (place, found) in found.iter().enumerate() {
        let (left, right) = (&records[lefts[place] as usize], &records[rights[place] as usize]);
        let sql = ((lefts[place] + rights[place]) % 3) as u8;
        let expected = Interpreter { plan: &plan, left, right, sql, semantics }.condition(condition);
        let found = [Some(false), Some(true), None][usize::from(*found)];
        assert_eq!(found, expected, "{left:?} {right:?} {condition:#?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn levels_are_those_of_the_interpreter(records in records(7), levels in levels(), bytes: bool) {
        let semantics = if bytes { TextSemantics::DuckDbBytes } else { TextSemantics::Characters };
        check_levels(&records, levels, semantics);
    }

    #[test]
    fn conditions_are_those_of_the_interpreter(records in records(6), condition in condition(), bytes: bool) {
        let semantics = if bytes { TextSemantics::DuckDbBytes } else { TextSemantics::Characters };
        check_condition(&records, &condition, semantics);
    }

    #[test]
    fn a_diagram_that_grows_too_large_is_split_without_a_change(
        records in records(5),
        levels in levels(),
        steps in 0_usize..6,
    ) {
        let mut plan = plan();
        plan.comparisons.push(ComparisonPlan { name: "compared".to_owned(), levels });
        let columns = encode(&records);
        let whole = Program::compile(&plan, TextSemantics::Characters).unwrap();
        let split = Program::compile_in_steps(&plan, TextSemantics::Characters, steps).unwrap();
        let (lefts, rights) = all_pairs(records.len());
        let run = |program: Program| {
            let comparer = Comparer::with_program(program.into(), &columns, Some(&RowSums)).unwrap();
            let mut levels = vec![0; lefts.len()];
            comparer.levels(0, &lefts, &rights, &mut levels, &mut Scratch::default()).unwrap();
            levels
        };
        prop_assert_eq!(run(whole), run(split));
    }

    #[test]
    fn batches_and_order_change_nothing(records in records(20), levels in levels(), seed in 1_u32..1000, size in 1_usize..90) {
        let mut plan = plan();
        plan.comparisons.push(ComparisonPlan { name: "compared".to_owned(), levels });
        let columns = encode(&records);
        let comparer = Comparer::new(&plan, &columns, &model(TextSemantics::Characters), Some(&RowSums)).unwrap();
        let mut scratch = Scratch::default();
        let (lefts, rights) = all_pairs(records.len());
        let mut ordered = vec![0; lefts.len()];
        comparer.levels(0, &lefts, &rights, &mut ordered, &mut scratch).unwrap();
        // Every step of 7 or a number coprime to 400 visits each pair once, with no two lefts in a row.
        let order: Vec<usize> = (0..400).map(|place| (place * (2 * 5 * seed as usize + 21) + 3) % 400).collect();
        let shuffled_lefts: Vec<u32> = order.iter().map(|place| lefts[*place]).collect();
        let shuffled_rights: Vec<u32> = order.iter().map(|place| rights[*place]).collect();
        let mut shuffled = vec![0; order.len()];
        let chunks = shuffled_lefts.chunks(size).zip(shuffled_rights.chunks(size)).zip(shuffled.chunks_mut(size));
        for ((lefts, rights), out) in chunks {
            comparer.levels(0, lefts, rights, out, &mut scratch).unwrap();
        }
        let expected: Vec<u8> = order.iter().map(|place| ordered[*place]).collect();
        prop_assert_eq!(shuffled, expected);
    }
}
