//! A whole run: a CSV of organisations in, the published Parquet file and the run folder out.
//!
//! Scenario: 100,000 rows made here from a fixed seed, about a third of which name an organisation again with another spelling
//! or another contact; throughput is in rows.
//!
//! Run with `cargo bench -p hotpass-benches --bench refine_organizations`.

use std::collections::BTreeMap;
use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use hotpass_benches::write_organizations;
use hotpass_config::HotpassConfig;
use hotpass_core::Clock;
use hotpass_pipeline::{CancelToken, NoProgress, RefineRequest, Services, refine};

const ROWS: usize = 100_000;

fn runs(criterion: &mut Criterion) {
    let input = tempfile::tempdir().expect("a folder for the input");
    let path = write_organizations(input.path(), ROWS).expect("the input can be written");
    let mut group = criterion.benchmark_group("refine");
    group.throughput(Throughput::Elements(ROWS as u64)).sample_size(10);
    group.bench_function("csv_to_parquet", |bencher| {
        bencher.iter_batched(
            || tempfile::tempdir().expect("a folder for the run"),
            |folder| {
                let mut config = HotpassConfig::default();
                config.pipeline.dist_dir = folder.path().join("dist");
                config.pipeline.output_path = folder.path().join("refined.parquet");
                let outcome = refine(&RefineRequest {
                    config: &config,
                    config_origins: BTreeMap::new(),
                    inputs: vec![path.clone()],
                    clock: Clock::fixed_seconds(1_700_000_000),
                    progress: &NoProgress,
                    cancel: CancelToken::new(),
                    services: Services::default(),
                })
                .expect("the run succeeds");
                assert_eq!(outcome.statistics.rows_in, ROWS as u64);
                black_box(outcome.statistics.entities);
                folder
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

criterion_group!(benches, runs);
criterion_main!(benches);
