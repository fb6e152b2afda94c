//! Refines a folder from a program of one's own, and reads the published table back as Arrow batches.
//!
//! `cargo run -p hotpass-pipeline --example embed -- FOLDER RESULTS`

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;

use hotpass_config::ConfigLoader;
use hotpass_core::Clock;
use hotpass_pipeline::{CancelToken, Progress, RefineRequest, Services, Stage, refine};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

/// Says when a stage has ended.
struct StageLines;

impl Progress for StageLines {
    fn finished(&self, stage: Stage, seconds: f64) {
        // That progress cannot be shown is no reason to stop.
        let _ = writeln!(std::io::stderr(), "{} took {seconds:.2} s", stage.name());
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(input), Some(results)) = (arguments.next(), arguments.next()) else {
        return Err("Give the folder to read and the folder for results".into());
    };

    // Layers, later wins: defaults, the profile, files, then single keys.
    let loaded = ConfigLoader::new()
        .profile("generic")
        .flag("pipeline.dist_dir", results.display().to_string())
        .flag("pipeline.output_path", results.join("organizations.parquet").display().to_string())
        .load()?;

    let outcome = refine(&RefineRequest {
        config: &loaded.config,
        config_origins: loaded.origins().into_iter().map(|(key, origin)| (key, origin.to_string())).collect(),
        inputs: vec![input],
        clock: Clock::System,
        progress: &StageLines,
        // A clone of the token, kept elsewhere, stops the run.
        cancel: CancelToken::new(),
        services: Services::default(),
    })?;

    let mut out = std::io::stdout().lock();
    for diagnostic in &outcome.diagnostics {
        writeln!(out, "{diagnostic}")?;
    }
    let published = File::open(outcome.run.path("golden.parquet"))?;
    for batch in ParquetRecordBatchReaderBuilder::try_new(published)?.build()? {
        let batch = batch?;
        writeln!(out, "a batch of {} organisations in {} columns", batch.num_rows(), batch.num_columns())?;
    }
    writeln!(out, "run {}, expectations {}", outcome.run.id(), if outcome.passed { "hold" } else { "failed" })?;
    Ok(())
}
