//! Ready-made comparisons, comparison levels, blocking rules and column transforms.

mod functions;

pub use functions::{
    FUNCTIONS, Function, FunctionKind, FunctionResult, RecordFunction, function, record_function, text_similarity,
};
