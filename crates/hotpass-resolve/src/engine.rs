//! The engine's inside: what a model compiles to, and how pairs are compared.

pub use crate::encode::Records;

/// Dictionary-encoded features of all records.
pub mod columns {
    pub use crate::columns::*;
}

/// Candidate pairs in, comparison levels out.
pub mod compare {
    pub use crate::compare::*;
}

/// Similarity kernels over tables of distinct texts.
pub mod kernels {
    pub use crate::kernels::*;
}

/// Candidate pairs summarised by agreement pattern.
pub mod patterns {
    pub use crate::patterns::*;
}

/// A model made ready to run against the columns of its inputs.
pub mod plan {
    pub use crate::plan::*;
}

/// Conditions and rules: SQL in, expressions out.
pub mod sql {
    pub use crate::sql::*;
}
