//! Integration tests of the pipeline.

mod publish;
mod refine;
