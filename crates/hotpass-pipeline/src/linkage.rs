//! Which records are one entity by match probability: what the linkage model compares, and what becomes of its pairs.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray, StringBuilder};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use hashbrown::HashSet;
use hotpass_config::HotpassConfig;
use hotpass_config::model::Resolve;
use hotpass_config::profile::shipped_linkage_model;
use hotpass_core::fields::LINKAGE_KEY_COLUMNS;
use hotpass_resolve::engine::plan::{CompileOptions, Plan, PlanProblems};
use hotpass_resolve::model::{LinkType, LinkageModel, ModelError, ModelProblems, SourceSchema, read_model, validate};
use hotpass_resolve::prediction::match_weight_of;
use hotpass_resolve::{LinkError, Linker, PredictOptions};
use rayon::prelude::*;

use crate::grouping::{DeterministicGrouping, EntityGrouping, Forest, Groups, ReviewPair};
use crate::records::{Channel, Records, TextField, value_at};
use crate::tables::schema_of;

/// Separates name and branch in a name key.
const BRANCH_MARK: &str = " @ ";

/// Refine compares by native kernels alone, so that each build of it gives the same groups.
const NATIVE_ONLY: CompileOptions = CompileOptions { sql_tier: false };

/// Why records could not be grouped.
#[derive(Debug, thiserror::Error)]
pub enum GroupingError {
    /// What the model compares could not be laid out.
    #[error("Cannot build the table of linkage keys")]
    Keys(#[from] ArrowError),
    /// The model does not compile for them.
    #[error(transparent)]
    Plan(#[from] PlanProblems),
    /// The engine could not compare them.
    #[error(transparent)]
    Link(#[from] LinkError),
}

/// Why a linkage model cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("Cannot use linkage model `{}`", path.display())]
pub struct LinkageModelError {
    /// The file.
    pub path: PathBuf,
    /// Why.
    #[source]
    pub cause: LinkageModelCause,
}

/// What is wrong with a linkage model.
#[derive(Debug, thiserror::Error)]
pub enum LinkageModelCause {
    /// The file cannot be read.
    #[error("The file cannot be read")]
    Read(#[from] std::io::Error),
    /// The text is no model.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The model does not fit what refine compares.
    #[error(transparent)]
    Problems(#[from] ModelProblems),
    /// The model asks for what cannot be computed here.
    #[error(transparent)]
    Plan(#[from] PlanProblems),
    /// The model links several tables.
    #[error("The model does not dedupe one table: its link type is `{link_type}`")]
    LinkType {
        /// Its link type.
        link_type: LinkType,
    },
}

impl LinkageModelError {
    /// Returns what to do about it.
    pub fn hint(&self) -> String {
        match &self.cause {
            LinkageModelCause::Read(_) => {
                "Correct `resolve.model`, or leave it out to use the model that ships with hotpass".to_owned()
            }
            LinkageModelCause::LinkType { .. } => "Set `link_type` of the model to `dedupe_only`".to_owned(),
            LinkageModelCause::Model(_) | LinkageModelCause::Problems(_) | LinkageModelCause::Plan(_) => {
                let columns: Vec<String> =
                    LINKAGE_KEY_COLUMNS.iter().map(|column| format!("`{}`", column.name)).collect();
                format!("The model may use these columns: {}", columns.join(", "))
            }
        }
    }
}

/// Reads and checks the linkage model that the configuration names; none where equal keys alone decide.
///
/// # Errors
///
/// Returns an error when the file cannot be read, is no model, or does not fit the columns that refine compares.
pub(crate) fn linkage_model(config: &HotpassConfig) -> Result<Option<LinkageModel>, LinkageModelError> {
    let resolve = &config.resolve;
    if !config.features.resolve || !resolve.probabilistic {
        return Ok(None);
    }
    let path = resolve.model.clone().unwrap_or_else(|| PathBuf::from("organizations.linkage.json"));
    let read = || -> Result<LinkageModel, LinkageModelCause> {
        let text = match &resolve.model {
            Some(path) => std::borrow::Cow::from(std::fs::read_to_string(path)?),
            None => shipped_linkage_model().into(),
        };
        let (model, _) = read_model(&text)?;
        if model.link_type != LinkType::DedupeOnly {
            return Err(LinkageModelCause::LinkType { link_type: model.link_type });
        }
        let schema = schema_of(LINKAGE_KEY_COLUMNS);
        validate(&model, &[SourceSchema { name: "records", schema: &schema }])?;
        Plan::compile(&model, &schema, &NATIVE_ONLY)?;
        Ok(model)
    };
    read().map(Some).map_err(|cause| LinkageModelError { path, cause })
}

/// Lays out what the linkage model compares, a row for each record, in record order.
///
/// # Errors
///
/// Returns an error when a column holds more than 2 GiB of text.
pub(crate) fn linkage_keys(records: &Records) -> Result<RecordBatch, ArrowError> {
    let rows = 0..records.len();
    let text = |field: TextField| Arc::new(records.column(field).clone()) as ArrayRef;
    let small = |field: TextField| {
        collect(rows.clone(), |row, text| match value_at(records.column(field), row) {
            Some(value) => push_small(value, text),
            None => false,
        })
    };
    let contact = |channel: Channel| {
        collect(rows.clone(), |row, text| {
            let value = records.contacts.of(row as u32).find_map(|contact| records.contacts.get(channel, contact));
            value.is_some_and(|value| push_small(value, text))
        })
    };
    let name_part = |part: fn(&str) -> Option<&str>| {
        collect(rows.clone(), |row, text| {
            let value = value_at(&records.name_keys, row).and_then(part);
            value.is_some_and(|value| push(value, text))
        })
    };
    let columns: Vec<ArrayRef> = (0..LINKAGE_KEY_COLUMNS.len())
        .into_par_iter()
        .map(|column| match column {
            0 => Arc::new(Int64Array::from_iter_values(rows.clone().map(|row| row as i64))),
            1 => name_part(|key| Some(key.split(BRANCH_MARK).next().unwrap_or(key))),
            2 => name_part(|key| key.split_once(BRANCH_MARK).map(|(_, branch)| branch)),
            3 => text(TextField::RegistrationNumber),
            4 => contact(Channel::Phone),
            5 => contact(Channel::Email),
            6 => collect(rows.clone(), |row, text| {
                let of_mail = || records.contacts.of(row as u32).find_map(|at| value_at(&records.email_domains, at));
                let domain = value_at(&records.website_domains, row).or_else(of_mail);
                domain.is_some_and(|domain| push(domain, text))
            }),
            7 => collect(rows.clone(), |row, text| {
                let address = value_at(records.column(TextField::Address), row);
                address.is_some_and(|address| push_small(street_of(address), text))
            }),
            8 => small(TextField::City),
            9 => text(TextField::PostalCode),
            10 => text(TextField::Province),
            11 => text(TextField::Country),
            _ => contact(Channel::Name),
        })
        .collect();
    RecordBatch::try_new(schema_of(LINKAGE_KEY_COLUMNS), columns)
}

/// Builds a column; `write` tells whether it wrote a value.
fn collect(rows: std::ops::Range<usize>, write: impl Fn(usize, &mut String) -> bool) -> ArrayRef {
    let mut column = StringBuilder::with_capacity(rows.len(), rows.len() * 12);
    let mut text = String::new();
    for row in rows {
        text.clear();
        if write(row, &mut text) {
            column.append_value(&text);
        } else {
            column.append_null();
        }
    }
    Arc::new(column.finish()) as Arc<StringArray>
}

fn push(value: &str, text: &mut String) -> bool {
    text.push_str(value);
    !value.is_empty()
}

fn push_small(value: &str, text: &mut String) -> bool {
    text.extend(value.chars().flat_map(char::to_lowercase));
    !value.is_empty()
}

/// Returns house number and street of an address in its usual form: its first part that begins with a digit, else all of it.
fn street_of(address: &str) -> &str {
    let begins = |part: &&str| part.starts_with(|first: char| first.is_ascii_digit());
    address.split(", ").find(begins).unwrap_or(address)
}

/// Joins records by certain keys, then by match probability, then by names.
///
/// 1. What is proof joins first, as [`DeterministicGrouping`] says: an equal registration number, or an equal name that
///    another equal value confirms. It needs no estimate, and it is what is known of an entity when pairs are judged.
/// 2. Pairs of the model join from the highest match weight down, ties in record order, unless the registration numbers of
///    the two entities differ: a chain of likely pairs cannot join what is certainly apart. This takes the place of equal
///    values under similar names.
/// 3. Equal names join where nothing speaks against it: for a model a bare name is weak evidence, yet where no record of that
///    name contradicts another it is the best there is.
///
/// Pairs between the review and the match threshold, and likely pairs that were refused, go into the review queue.
pub(crate) struct ProbabilisticGrouping<'a> {
    /// What joins first.
    pub(crate) by_keys: DeterministicGrouping<'a>,
    /// Thresholds and the size of blocks.
    pub(crate) resolve: &'a Resolve,
    /// The model; it dedupes the table of [`linkage_keys`].
    pub(crate) model: &'a LinkageModel,
}

/// A pair that reaches the review threshold.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    match_weight: f64,
    left: u32,
    right: u32,
}

impl EntityGrouping for ProbabilisticGrouping<'_> {
    fn group(&self, records: &Records) -> Result<Groups, GroupingError> {
        let candidates = self.candidates(linkage_keys(records)?)?;
        let match_weight = match_weight_of(self.resolve.match_threshold);
        let mut unjoined: Vec<(Candidate, &'static str)> = Vec::new();
        let mut scored = |forest: &mut Forest| {
            for &candidate in &candidates {
                let Candidate { match_weight: weight, left, right } = candidate;
                if weight < match_weight {
                    unjoined.push((candidate, "probability"));
                } else if !forest.join_scored(left, right, weight) {
                    unjoined.push((candidate, "contradiction"));
                }
            }
        };
        let forest = self.by_keys.forest(records, Some(&mut scored));
        let mut groups = forest.groups();
        let mut seen: HashSet<(u32, u32)> = HashSet::new();
        for (Candidate { match_weight, left, right }, reason) in unjoined {
            let (one, other) = (groups.group_of[left as usize], groups.group_of[right as usize]);
            if one != other && seen.insert((one.min(other), one.max(other))) {
                groups.review.push(ReviewPair { left, right, match_weight, reason });
            }
        }
        Ok(groups)
    }
}

impl ProbabilisticGrouping<'_> {
    /// Returns the pairs that reach the review threshold, the likeliest first, ties in record order.
    fn candidates(&self, keys: RecordBatch) -> Result<Vec<Candidate>, GroupingError> {
        if keys.num_rows() < 2 {
            return Ok(Vec::new());
        }
        let plan = Plan::compile(self.model, &keys.schema(), &NATIVE_ONLY)?;
        let linker = Linker::builder(self.model.clone())
            .plan(plan)
            .table("records", [keys])
            .retain_output_columns(false)
            .threads(rayon::current_num_threads())
            .maximum_block(self.resolve.maximum_block)
            .build()?;
        let mut candidates: Vec<Candidate> = Vec::new();
        linker.predict_each(&PredictOptions::probability(self.resolve.review_threshold), |pairs, _| {
            let rows = pairs.left.iter().zip(&pairs.right).zip(&pairs.match_weight);
            candidates.extend(rows.map(|((&left, &right), &match_weight)| {
                let (left, right) = (linker.records().input_row(left), linker.records().input_row(right));
                Candidate { match_weight, left: left.min(right), right: left.max(right) }
            }));
            Ok(())
        })?;
        candidates.par_sort_unstable_by(|a, b| {
            b.match_weight.total_cmp(&a.match_weight).then_with(|| (a.left, a.right).cmp(&(b.left, b.right)))
        });
        Ok(candidates)
    }
}

#[cfg(test)]
mod tests {
    use hotpass_normalise::organization_key_similarity;

    use super::*;
    use crate::sample_records::{Sample, records};

    fn group(samples: Vec<Sample>, change: impl FnOnce(&mut Resolve)) -> Groups {
        let mut config = HotpassConfig::default();
        config.resolve.probabilistic = true;
        change(&mut config.resolve);
        let model = linkage_model(&config).expect("the model that ships fits").expect("a model");
        let by_keys = DeterministicGrouping { resolve: &config.resolve, similarity: &organization_key_similarity };
        let samples = records(&[(0, samples)]);
        ProbabilisticGrouping { by_keys, resolve: &config.resolve, model: &model }.group(&samples).unwrap()
    }

    fn at(name: &'static str, phone: &'static str, registration: Option<&'static str>) -> Sample {
        Sample {
            name: Some(name),
            registration,
            contact: [None, None, None, Some(phone)],
            postal_code: Some("4001"),
            city: Some("Durban"),
            ..Sample::default()
        }
    }

    #[test]
    fn partial_evidence_adds_up() {
        let rows = vec![at("Acacia Works", "+27110000001", None), at("Acadia Works", "+27110000001", None)];
        let groups = group(rows, |_| ());
        assert_eq!(groups.group_of, [0, 0]);
        assert_eq!(groups.links[0].rule, "probabilistic");
        assert!(groups.links[0].match_weight.is_some_and(|weight| weight > 3.0), "{groups:?}");
        assert!(groups.review.is_empty());
    }

    #[test]
    fn different_registration_numbers_are_refused_and_reviewed() {
        let rows = vec![
            at("Acacia Works", "+27110000001", Some("1")),
            at("Acadia Works", "+27110000001", None),
            at("Acacia Work", "+27110000001", Some("2")),
        ];
        let groups = group(rows, |_| ());
        assert_ne!(groups.group_of[0], groups.group_of[2]);
        assert_eq!(groups.count, 2);
        assert_eq!(groups.review.iter().map(|pair| pair.reason).collect::<Vec<_>>(), ["contradiction"]);
    }

    #[test]
    fn pairs_between_the_thresholds_wait_for_a_person() {
        let rows = || vec![at("Acacia Works", "+27110000001", None), at("Acadia Works", "+27110000001", None)];
        let groups = group(rows(), |resolve| resolve.match_threshold = 1.0);
        assert_eq!(groups.count, 2);
        let [pair] = groups.review.as_slice() else { panic!("{groups:?}") };
        assert_eq!((pair.left, pair.right, pair.reason), (0, 1, "probability"));
        assert_eq!(group(Vec::new(), |_| ()).count, 0);
    }

    #[test]
    fn a_street_is_the_part_with_the_house_number() {
        let check = |address, expected| assert_eq!(street_of(address), expected);
        check("Unit 6, 78 Fourth Avenue, Durban", "78 Fourth Avenue");
        check("78 Fourth Avenue", "78 Fourth Avenue");
        check("Fourth Avenue", "Fourth Avenue");
    }
}
