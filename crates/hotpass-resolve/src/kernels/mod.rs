//! Similarity kernels over tables of distinct texts.

mod table;

pub use table::TextTable;
