//! Look-ups of single records among many that stay in memory.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use rayon::slice::ParallelSliceMut as _;

use crate::columns::{Columns, NULL, Values};
use crate::compare::{Comparer, Program, Scratch};
use crate::encode::{CodeIndex, OpaqueEvaluator, evaluate, hash_bytes, hash_word, number_word, numbers};
use crate::error::LinkError;
use crate::kernels::TextTable;
use crate::linker::Linker;
use crate::plan::{EqualityKey, RulePlan, RuleSearch, ValueType};
use crate::predict::{ScoreBuffers, Scorer, Threshold};
use crate::score::{Frequencies, Weights};

/// A reference record that matches a looked-up one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Match {
    /// Row of the looked-up record in its batch.
    pub query: u32,
    /// Row of the reference record.
    pub record: u32,
    /// Match weight in bits.
    pub match_weight: f64,
    /// The first rule that found the pair.
    pub rule: u16,
}

/// Finds the matches of new records among reference records, through the model's blocking rules.
///
/// A new record counts as the right one of each pair. Frequencies are those of the reference records. Immutable: threads may share it.
#[derive(Debug)]
pub struct Matcher {
    linker: Linker,
    program: Arc<Program>,
    weights: Weights,
    /// For each domain the codes of values by hash.
    lookups: Vec<CodeIndex>,
    rules: Vec<RuleIndex>,
    opaque: OpaqueEvaluator,
}

/// Reference records by the hash of a rule's key.
#[derive(Debug)]
struct RuleIndex {
    keys: Vec<EqualityKey>,
    /// Hash and row, sorted.
    entries: Vec<(u32, u32)>,
}

fn hash_codes(codes: &[u32]) -> u32 {
    codes.iter().fold(0x51ED_270B, |hash, &code| hash_word(u64::from(hash) << 32 | u64::from(code)))
}

/// Gives the blocking values of a code: itself, or its elements.
fn parts<'v>(values: &'v Values, exploded: bool, code: &'v u32) -> &'v [u32] {
    match values {
        _ if *code == NULL => &[],
        Values::TextList { offsets, codes, .. } if exploded => {
            &codes[offsets[*code as usize] as usize..offsets[*code as usize + 1] as usize]
        }
        _ => std::slice::from_ref(code),
    }
}

/// Calls `each` with every combination of one value per key.
fn combinations(of_keys: &[&[u32]], chosen: &mut Vec<u32>, each: &mut impl FnMut(&[u32])) {
    match of_keys.split_first() {
        None => each(chosen),
        Some((first, rest)) => {
            for &value in *first {
                chosen.push(value);
                combinations(rest, chosen, each);
                chosen.pop();
            }
        }
    }
}

impl RuleIndex {
    fn new(rule: &RulePlan, columns: &Columns) -> Result<Self, LinkError> {
        let RuleSearch::Equality(keys) = &rule.search else {
            return Err(LinkError::NoLookup { rule: rule.description.clone() });
        };
        if keys.iter().any(|key| key.exploded && matches!(columns.values(key.left), Values::NumberList { .. })) {
            return Err(LinkError::NoLookup { rule: rule.description.clone() });
        }
        let mut entries = Vec::new();
        let mut chosen = Vec::new();
        for row in 0..columns.n_rows {
            let of_keys: Vec<&[u32]> = keys
                .iter()
                .map(|key| parts(columns.values(key.left), key.exploded, &columns.codes[key.left][row]))
                .collect();
            combinations(&of_keys, &mut chosen, &mut |codes| entries.push((hash_codes(codes), row as u32)));
        }
        entries.par_sort_unstable();
        entries.dedup();
        Ok(Self { keys: keys.clone(), entries })
    }
}

/// The values of looked-up records, by feature: codes of the reference where it knows the value.
struct Query {
    /// For each feature its values.
    values: Vec<QueryValues>,
    n_rows: usize,
}

enum QueryValues {
    Text(ArrayRef),
    Integer(ArrayRef),
    Number(arrow::array::PrimitiveArray<Float64Type>),
    Boolean(ArrayRef),
    /// Sorted distinct texts; none for a null.
    TextList(Vec<Option<Vec<String>>>),
    NumberList(Vec<Option<Vec<f64>>>),
}

impl Matcher {
    /// Indexes the records of a linker.
    ///
    /// # Errors
    ///
    /// When a blocking rule of the model is not made of equalities, or a parameter is not a probability.
    pub fn new(linker: Linker) -> Result<Self, LinkError> {
        let weights = linker.weights()?;
        let columns = linker.records().columns();
        let rules = linker.install(|| {
            linker.model_rules().iter().map(|rule| RuleIndex::new(rule, columns)).collect::<Result<_, _>>()
        })?;
        let lookups = columns.domains.iter().map(lookup).collect();
        let program = linker.program();
        let opaque = OpaqueEvaluator::new(linker.model().text_semantics);
        Ok(Self { linker, program, weights, lookups, rules, opaque })
    }

    /// Gives the linker that holds the reference records.
    pub fn linker(&self) -> &Linker {
        &self.linker
    }

    /// Finds the matches of each record of a batch that reach a threshold, the best first for each record.
    ///
    /// The batch has the columns that the model reads; it needs no ids.
    ///
    /// # Errors
    ///
    /// When a column is missing, a value cannot be read or a condition cannot be evaluated.
    pub fn find(&self, batch: &RecordBatch, threshold: Threshold) -> Result<Vec<Match>, LinkError> {
        let threshold = threshold.match_weight()?;
        let query = self.read(batch)?;
        let mut matches = Vec::new();
        for row in 0..query.n_rows {
            let candidates = self.candidates(&query, row);
            matches.extend(self.score(&query, row, &candidates, threshold)?);
        }
        Ok(matches)
    }

    fn read(&self, batch: &RecordBatch) -> Result<Query, LinkError> {
        let features = self.linker.plan().features.iter();
        let values = features.map(|feature| {
            let array = evaluate(&feature.expression, batch, "lookup", &self.opaque)?;
            let cast = |to: &DataType| arrow::compute::cast(&array, to).map_err(LinkError::Output);
            Ok(match feature.value_type {
                ValueType::Text => QueryValues::Text(cast(&DataType::Utf8)?),
                ValueType::Integer => QueryValues::Integer(cast(&DataType::Int64)?),
                ValueType::Number => QueryValues::Number(numbers(&array).map_err(LinkError::Output)?),
                ValueType::Boolean => QueryValues::Boolean(cast(&DataType::Boolean)?),
                ValueType::TextList => QueryValues::TextList(lists(&array, |elements| {
                    let elements = arrow::compute::cast(&elements, &DataType::Utf8)?;
                    let mut texts: Vec<String> =
                        elements.as_string::<i32>().iter().flatten().map(str::to_owned).collect();
                    texts.sort_unstable();
                    texts.dedup();
                    Ok(texts)
                })?),
                ValueType::NumberList => QueryValues::NumberList(lists(&array, |elements| {
                    Ok(numbers(&elements)?.iter().flatten().collect())
                })?),
            })
        });
        Ok(Query { values: values.collect::<Result<_, LinkError>>()?, n_rows: batch.num_rows() })
    }

    /// Gives the reference codes by which a record blocks; empty if the value is null or unknown.
    fn block_codes(&self, query: &Query, row: usize, feature: usize, exploded: bool) -> Vec<u32> {
        let columns = self.linker.records().columns();
        let domain = columns.domain_of[feature];
        let (values, index) = (&columns.domains[domain], &self.lookups[domain]);
        let text_code =
            |text: &str, table: &TextTable| index.find(hash_bytes(text.as_bytes()), |code| table.get(code) == text);
        let word_code = |word: u64, same: &dyn Fn(u32) -> bool| index.find(hash_word(word), same);
        match (&query.values[feature], values) {
            (QueryValues::Text(array), Values::Text(table)) if array.is_valid(row) => {
                text_code(array.as_string::<i32>().value(row), table).into_iter().collect()
            }
            (QueryValues::Integer(array), Values::Integer(known)) if array.is_valid(row) => {
                let value = array.as_primitive::<Int64Type>().value(row);
                word_code(value as u64, &|code| known[code as usize] == value).into_iter().collect()
            }
            (QueryValues::Number(array), Values::Number(known)) if array.is_valid(row) => {
                let word = number_word(array.value(row));
                word_code(word, &|code| number_word(known[code as usize]) == word).into_iter().collect()
            }
            (QueryValues::Boolean(array), Values::Boolean(_)) if array.is_valid(row) => {
                vec![u32::from(array.as_boolean().value(row))]
            }
            (QueryValues::TextList(lists), Values::TextList { elements, .. }) if exploded => {
                let mut codes: Vec<u32> =
                    lists[row].iter().flatten().filter_map(|text| text_code(text, elements)).collect();
                codes.sort_unstable();
                codes
            }
            _ => Vec::new(),
        }
    }

    /// Gives candidate rows with the first rule whose key they share.
    fn candidates(&self, query: &Query, row: usize) -> Vec<(u32, u16)> {
        let columns = self.linker.records().columns();
        let mut found: Vec<(u32, u16)> = Vec::new();
        for (number, rule) in self.rules.iter().enumerate() {
            let of_keys: Vec<Vec<u32>> =
                rule.keys.iter().map(|key| self.block_codes(query, row, key.right, key.exploded)).collect();
            let slices: Vec<&[u32]> = of_keys.iter().map(Vec::as_slice).collect();
            combinations(&slices, &mut Vec::new(), &mut |codes| {
                let hash = hash_codes(codes);
                let begin = rule.entries.partition_point(|entry| entry.0 < hash);
                for &(_, record) in rule.entries[begin..].iter().take_while(|entry| entry.0 == hash) {
                    let same = rule.keys.iter().zip(codes).all(|(key, code)| {
                        parts(columns.values(key.left), key.exploded, &columns.codes[key.left][record as usize])
                            .contains(code)
                    });
                    if same {
                        found.push((record, number as u16));
                    }
                }
            });
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Scores a record against candidates: both are put into columns of their own, which hold nothing else.
    fn score(
        &self,
        query: &Query,
        row: usize,
        candidates: &[(u32, u16)],
        threshold: Option<f64>,
    ) -> Result<Vec<Match>, LinkError> {
        if candidates.is_empty() {
            return Ok(Vec::new());
        }
        let mut records: Vec<u32> = candidates.iter().map(|candidate| candidate.0).collect();
        records.dedup();
        let (columns, frequencies) = self.small(query, row, &records);
        let comparer = Comparer::with_program(Arc::clone(&self.program), &columns, None)?;
        let right = records.len() as u32;
        // The first rule whose conditions hold as well.
        let mut rule_of = vec![u16::MAX; records.len()];
        for &(record, rule) in candidates {
            let place = records.binary_search(&record).unwrap_or_default();
            if rule_of[place] != u16::MAX {
                continue;
            }
            let mut holds = [1];
            if let Some(condition) = &self.linker.model_rules()[usize::from(rule)].residual {
                comparer.holds(condition, &[place as u32], &[right], &mut holds, &mut Scratch::default())?;
            }
            if holds[0] == 1 {
                rule_of[place] = rule;
            }
        }
        let lefts: Vec<u32> = (0..right).filter(|&place| rule_of[place as usize] != u16::MAX).collect();
        let mut buffers = ScoreBuffers::default();
        let scorer = Scorer::new(&comparer, &columns, &self.weights, &frequencies, threshold);
        scorer.score(&lefts, &vec![right; lefts.len()], &mut buffers)?;
        let kept = buffers.lefts.iter().zip(&buffers.weights);
        let mut matches: Vec<Match> = kept
            .map(|(&place, &match_weight)| Match {
                query: row as u32,
                record: records[place as usize],
                match_weight,
                rule: rule_of[place as usize],
            })
            .collect();
        matches
            .sort_by(|one, other| other.match_weight.total_cmp(&one.match_weight).then(one.record.cmp(&other.record)));
        Ok(matches)
    }

    /// Builds columns of some reference records followed by one looked-up record, and the frequencies of their values.
    fn small(&self, query: &Query, row: usize, records: &[u32]) -> (Columns, Frequencies) {
        let columns = self.linker.records().columns();
        let n_rows = records.len() + 1;
        let mut small: Vec<SmallDomain> = columns.domains.iter().map(SmallDomain::new).collect();
        let mut codes = vec![Vec::with_capacity(n_rows); columns.codes.len()];
        for (feature, codes) in codes.iter_mut().enumerate() {
            let domain = columns.domain_of[feature];
            for &record in records {
                codes.push(small[domain].reference(&columns.domains[domain], columns.codes[feature][record as usize]));
            }
            let known = self.block_codes(query, row, feature, false).first().copied();
            codes.push(match known {
                Some(code) => small[domain].reference(&columns.domains[domain], code),
                None => small[domain].new_value(&query.values[feature], row),
            });
        }
        let frequencies =
            self.linker.frequencies().of_few(|feature| small[columns.domain_of[feature]].origin.as_slice());
        let domains = small.into_iter().map(SmallDomain::finish).collect();
        (Columns { n_rows, codes, domain_of: columns.domain_of.clone(), domains, source: Vec::new() }, frequencies)
    }
}

fn lookup(values: &Values) -> CodeIndex {
    let mut index = CodeIndex::new();
    let mut enter = |hash: u32, code: usize| {
        index.find_or_insert(hash, code as u32, |_| false);
    };
    match values {
        Values::Text(table) | Values::TextList { elements: table, .. } => {
            (0..table.len()).for_each(|code| enter(hash_bytes(table.get(code as u32).as_bytes()), code));
        }
        Values::Integer(known) => {
            known.iter().enumerate().for_each(|(code, &value)| enter(hash_word(value as u64), code));
        }
        Values::Number(known) => {
            known.iter().enumerate().for_each(|(code, &value)| enter(hash_word(number_word(value)), code));
        }
        Values::Boolean(_) | Values::NumberList { .. } => {}
    }
    index
}

fn lists<T>(
    array: &ArrayRef,
    read: impl Fn(ArrayRef) -> Result<Vec<T>, arrow::error::ArrowError>,
) -> Result<Vec<Option<Vec<T>>>, LinkError> {
    let large = match array.data_type() {
        DataType::List(field) | DataType::LargeList(field) | DataType::FixedSizeList(field, _) => {
            arrow::compute::cast(array, &DataType::LargeList(Arc::clone(field))).map_err(LinkError::Output)?
        }
        _ => return Ok((0..array.len()).map(|_| None).collect()),
    };
    large.as_list::<i64>().iter().map(|list| list.map(&read).transpose().map_err(LinkError::Output)).collect()
}

/// The dictionary of a few records.
struct SmallDomain {
    values: Values,
    /// For each code that of the reference, or [`NULL`] where the reference lacks the value.
    origin: Vec<u32>,
}

impl SmallDomain {
    fn new(of: &Values) -> Self {
        let values = match of {
            Values::Text(_) => Values::Text(TextTable::default()),
            Values::Integer(_) => Values::Integer(Vec::new()),
            Values::Number(_) => Values::Number(Vec::new()),
            Values::Boolean(_) => Values::Boolean(vec![false, true]),
            Values::TextList { .. } => {
                Values::TextList { offsets: vec![0], codes: Vec::new(), elements: TextTable::default() }
            }
            Values::NumberList { .. } => Values::NumberList { offsets: vec![0], numbers: Vec::new() },
        };
        let origin = if matches!(values, Values::Boolean(_)) { vec![0, 1] } else { Vec::new() };
        Self { values, origin }
    }

    /// Takes over a value of the reference.
    fn reference(&mut self, of: &Values, code: u32) -> u32 {
        if code == NULL || matches!(self.values, Values::Boolean(_)) {
            return code;
        }
        if let Some(known) = self.origin.iter().position(|&origin| origin == code) {
            return known as u32;
        }
        match (&mut self.values, of) {
            (Values::Text(table), Values::Text(of)) => {
                table.push(of.get(code));
            }
            (Values::Integer(values), Values::Integer(of)) => values.push(of[code as usize]),
            (Values::Number(values), Values::Number(of)) => values.push(of[code as usize]),
            (
                Values::TextList { offsets, codes, elements },
                Values::TextList { offsets: of_offsets, codes: of_codes, elements: of_elements },
            ) => {
                let list = &of_codes[of_offsets[code as usize] as usize..of_offsets[code as usize + 1] as usize];
                push_list(offsets, codes, elements, list.iter().map(|&element| of_elements.get(element)));
            }
            (Values::NumberList { offsets, numbers }, Values::NumberList { offsets: of_offsets, numbers: of }) => {
                numbers
                    .extend_from_slice(&of[of_offsets[code as usize] as usize..of_offsets[code as usize + 1] as usize]);
                offsets.push(numbers.len() as u32);
            }
            _ => return NULL,
        }
        self.origin.push(code);
        self.origin.len() as u32 - 1
    }

    /// Adds a value that the reference lacks; equal values of one record share a code.
    fn new_value(&mut self, value: &QueryValues, row: usize) -> u32 {
        let next = self.origin.len() as u32;
        let unknown: Vec<u32> = (0..next).filter(|&code| self.origin[code as usize] == NULL).collect();
        match (&mut self.values, value) {
            (Values::Text(table), QueryValues::Text(array)) if array.is_valid(row) => {
                let text = array.as_string::<i32>().value(row);
                if let Some(&code) = unknown.iter().find(|&&code| table.get(code) == text) {
                    return code;
                }
                table.push(text);
            }
            (Values::Integer(values), QueryValues::Integer(array)) if array.is_valid(row) => {
                let value = array.as_primitive::<Int64Type>().value(row);
                if let Some(&code) = unknown.iter().find(|&&code| values[code as usize] == value) {
                    return code;
                }
                values.push(value);
            }
            (Values::Number(values), QueryValues::Number(array)) if array.is_valid(row) => {
                let value = array.value(row);
                let word = number_word(value);
                if let Some(&code) = unknown.iter().find(|&&code| number_word(values[code as usize]) == word) {
                    return code;
                }
                values.push(value);
            }
            (Values::Boolean(_), QueryValues::Boolean(array)) if array.is_valid(row) => {
                return u32::from(array.as_boolean().value(row));
            }
            (Values::TextList { offsets, codes, elements }, QueryValues::TextList(lists)) => {
                let Some(list) = &lists[row] else { return NULL };
                let begin = codes.len();
                push_list(offsets, codes, elements, list.iter().map(String::as_str));
                let list = codes[begin..].to_vec();
                let same =
                    |code: &u32| codes[offsets[*code as usize] as usize..offsets[*code as usize + 1] as usize] == list;
                if let Some(known) = (0..next).find(same) {
                    codes.truncate(begin);
                    offsets.pop();
                    return known;
                }
            }
            (Values::NumberList { offsets, numbers }, QueryValues::NumberList(lists)) => {
                let Some(list) = &lists[row] else { return NULL };
                let of = |code: &u32| &numbers[offsets[*code as usize] as usize..offsets[*code as usize + 1] as usize];
                if let Some(known) = (0..next).find(|code| of(code) == list.as_slice()) {
                    return known;
                }
                numbers.extend_from_slice(list);
                offsets.push(numbers.len() as u32);
            }
            _ => return NULL,
        }
        self.origin.push(NULL);
        next
    }

    fn finish(mut self) -> Values {
        match &mut self.values {
            Values::Text(table) | Values::TextList { elements: table, .. } => table.finish(),
            _ => {}
        }
        self.values
    }
}

/// Appends a list of texts to a few: elements are looked for one by one.
fn push_list<'t>(
    offsets: &mut Vec<u32>,
    codes: &mut Vec<u32>,
    elements: &mut TextTable,
    list: impl Iterator<Item = &'t str>,
) {
    let begin = codes.len();
    for text in list {
        let known = (0..elements.len() as u32).find(|&code| elements.get(code) == text);
        codes.push(known.unwrap_or_else(|| elements.push(text)));
    }
    codes[begin..].sort_unstable();
    offsets.push(codes.len() as u32);
}
