//! Files in, linked files out: reads tables, runs the matching engine on them and writes what it finds.
//!
//! [`resolve_files`] does all of it: the input rows with the entity of each, and the pairs, the model and a summary beside them. The other
//! functions do one step each: [`train_model`], [`predict_pairs`], [`cluster_pairs`], [`score_pairs`], [`compare_records`],
//! [`count_blocks`], [`check_model`], [`evaluate_files`].
//!
//! Inputs are read twice: first the columns that the model needs, straight into the engine's codes; then, to write the result, every column. At no
//! time are all rows in memory.

mod checking;
mod checks;
mod clusters;
mod counting;
mod equal_names;
mod error;
mod evaluation;
mod evidence;
mod files;
mod input;
mod keys;
mod lookup;
mod model_file;
mod predicting;
mod rows;
mod session;
mod training;

pub use checking::check_model;
pub use checks::{ColumnOperators, InputCheck, InputChecks};
pub use clusters::{ClusterMethod, ClusterRequest, cluster_pairs};
pub use counting::{BlockCounts, count_blocks};
pub use error::ResolveError;
pub use evaluation::{AtThreshold, EvaluateRequest, Evaluated, Evaluation, TruthSource, evaluate_files};
pub use evidence::EvidenceRequest;
pub(crate) use files::ResolvedTable;
pub use files::{Method, ResolveOutcome, ResolveRequest, ResolveSummary, SourceSummary, Thresholds, resolve_files};
pub use model_file::{ModelForm, is_trained, model_text, read_model_file, write_model_file};
pub use predicting::{
    CompareRequest, PairSelection, PredictOutcome, PredictRequest, Proposal, ScoreOutcome, ScoreRequest, Waterfall,
    WaterfallStep, compare_records, predict_pairs, score_pairs,
};
pub use session::{PairColumns, RecordsRequest};
pub use training::{Labels, TrainOutcome, TrainRequest, TrainingRequest, train_model};
