//! Dictionary-encoded features of all records.

use crate::plan::{DomainId, FeatureId};

/// The code of a null.
pub const NULL: u32 = u32::MAX;

/// All records of all sources, row by row in key order, as codes into dictionaries of distinct values.
///
/// The order is that of the pair's sides: of two records the one with the lower row is the left one.
#[derive(Debug, Default)]
pub struct Columns {
    /// Number of records.
    pub n_rows: usize,
    /// For each feature a code per record: an index into the dictionary of the feature's domain, or [`NULL`].
    pub codes: Vec<Vec<u32>>,
    /// For each feature its domain.
    pub domain_of: Vec<DomainId>,
    /// For each domain its distinct values.
    pub domains: Vec<Values>,
    /// The source of each record; empty if there is but one.
    pub source: Vec<u16>,
}

/// The distinct values of a domain, by code.
#[derive(Debug)]
pub enum Values {
    /// Text, with what the kernels need of each value.
    Text(crate::kernels::TextTable),
    /// Whole numbers.
    Integer(Vec<i64>),
    /// Floating point numbers; all not-a-number values are one.
    Number(Vec<f64>),
    /// Truth values.
    Boolean(Vec<bool>),
    /// Lists of text: for each list its elements as sorted distinct codes into `elements`.
    TextList {
        /// `codes[offsets[i]..offsets[i + 1]]` are the elements of list `i`.
        offsets: Vec<u32>,
        /// Sorted distinct codes of elements, list after list.
        codes: Vec<u32>,
        /// The distinct elements.
        elements: crate::kernels::TextTable,
    },
    /// Lists of numbers.
    NumberList {
        /// `numbers[offsets[i]..offsets[i + 1]]` is list `i`.
        offsets: Vec<u32>,
        /// The numbers, list after list.
        numbers: Vec<f64>,
    },
}

impl Columns {
    /// Gives the distinct values behind a feature's codes.
    pub fn values(&self, feature: FeatureId) -> &Values {
        &self.domains[self.domain_of[feature]]
    }
}
