//! Merging configuration layers, beside figment and the `config` crate on the same payloads.
//!
//! Scenarios: a small overlay on a small base and on a large one (1,000 acquisition agents with 10,000 targets,
//! several MB), the large payload as overlay, and 20 small layers on the large base. `merge` begins with a loaded
//! base and ends with a typed configuration; `load` begins with the documents' text.
//!
//! Run with `cargo bench -p hotpass-benches --features peers --bench config_merge`. Medians, ratios, machine and
//! versions are written to `dist/benchmarks/hotpass_config_merge.json`; the last result is in `docs/adr/003-config-merge.md`.

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use criterion::{BatchSize, Criterion};
use hotpass_config::{ConfigLoader, Format, HotpassConfig, Overlay};
use serde_json::{Value, json};

const SAMPLES: usize = 15;

struct Scenario {
    name: &'static str,
    base: Value,
    overlays: Vec<Value>,
}

fn large() -> Value {
    let agents: Vec<Value> = (0..1_000)
        .map(|agent| {
            let targets: Vec<Value> = (0..10)
                .map(|target| {
                    json!({
                        "identifier": format!("Organisation {agent}-{target} (Pty) Ltd"),
                        "domain": format!("organisation-{agent}-{target}.example"),
                        "location": "Western Cape",
                        "metadata": {
                            "address": format!("{target} Main Road, Cape Town, {agent}"),
                            "notes": "An organisation that an agent knows of, with a note as long as such notes are.",
                            "contact_emails": format!("office@organisation-{agent}-{target}.example"),
                        },
                    })
                })
                .collect();
            json!({"name": format!("agent-{agent}"), "description": "Finds organisations", "targets": targets})
        })
        .collect();
    json!({"pipeline": {"acquisition": {"agents": agents}}})
}

fn small(layer: usize) -> Value {
    json!({
        "pipeline": {"archive": layer.is_multiple_of(2), "threads": layer + 1, "dist_dir": format!("dist-{layer}")},
        "ingest": {"mapping_threshold": 0.75},
        "survivorship": {"fields": {"website": "recency"}},
    })
}

fn scenarios() -> Vec<Scenario> {
    let empty = || json!({});
    vec![
        Scenario { name: "small_on_small", base: empty(), overlays: vec![small(0)] },
        Scenario { name: "small_on_large", base: large(), overlays: vec![small(0)] },
        Scenario { name: "large_on_small", base: empty(), overlays: vec![large()] },
        Scenario { name: "20_layers_on_large", base: large(), overlays: (0..20).map(small).collect() },
    ]
}

fn overlay(value: &Value) -> Overlay {
    Overlay::parse(&value.to_string(), Format::Json, "layer.json").expect("the payload is valid")
}

fn base_config(scenario: &Scenario) -> HotpassConfig {
    let mut config = HotpassConfig::default();
    config.merge(&overlay(&scenario.base));
    config
}

/// Returns the median time of `run`, in nanoseconds; `prepare` is not timed, nor is the drop of what it made.
fn median<T, R>(mut prepare: impl FnMut() -> T, mut run: impl FnMut(&mut T) -> R) -> f64 {
    let prepare_start = Instant::now();
    let mut prepared = prepare();
    let run_start = Instant::now();
    black_box(run(&mut prepared));
    // What is too short for the clock is repeated on fresh inputs within one sample, where inputs are cheap to make.
    let cheap = run_start - prepare_start < Duration::from_micros(50);
    let repeats = if cheap && run_start.elapsed() < Duration::from_millis(1) { 200 } else { 1 };
    let mut samples: Vec<f64> = (0..SAMPLES)
        .map(|_| {
            let mut inputs: Vec<T> = (0..repeats).map(|_| prepare()).collect();
            let start = Instant::now();
            for input in &mut inputs {
                black_box(run(input));
            }
            start.elapsed().as_secs_f64() * 1e9 / f64::from(repeats)
        })
        .collect();
    samples.sort_by(f64::total_cmp);
    samples[SAMPLES / 2]
}

fn hotpass_merge(scenario: &Scenario) -> f64 {
    let base = base_config(scenario);
    let overlays: Vec<Overlay> = scenario.overlays.iter().map(overlay).collect();
    median(|| base.clone(), |config| overlays.iter().map(|overlay| config.merge(overlay)).sum::<usize>())
}

fn hotpass_load(scenario: &Scenario) -> f64 {
    let texts = texts(scenario);
    median(
        || (),
        |()| {
            let loader = texts.iter().fold(ConfigLoader::new(), |loader, text| {
                loader.overlay(Overlay::parse(text, Format::Json, "layer.json").expect("the payload is valid"))
            });
            loader.load().expect("the payload is valid")
        },
    )
}

fn texts(scenario: &Scenario) -> Vec<String> {
    std::iter::once(&scenario.base).chain(&scenario.overlays).map(Value::to_string).collect()
}

#[cfg(feature = "peers")]
mod peers {
    use config::{Config, File, FileFormat};
    use figment::Figment;
    use figment::providers::{Format as _, Json, Serialized};
    use hotpass_config::HotpassConfig;

    use super::{Scenario, base_config, median, texts};

    pub(super) fn figment_merge(scenario: &Scenario) -> f64 {
        let base = Figment::from(Serialized::defaults(base_config(scenario)));
        median(
            || Some(base.clone()),
            |base| {
                let start = base.take().expect("each input is used once");
                let merged =
                    scenario.overlays.iter().fold(start, |merged, layer| merged.merge(Serialized::defaults(layer)));
                merged.extract::<HotpassConfig>().expect("the payload is valid")
            },
        )
    }

    pub(super) fn figment_load(scenario: &Scenario) -> f64 {
        let texts = texts(scenario);
        median(
            || (),
            |()| {
                let start = Figment::from(Serialized::defaults(HotpassConfig::default()));
                let merged = texts.iter().fold(start, |merged, text| merged.merge(Json::string(text)));
                merged.extract::<HotpassConfig>().expect("the payload is valid")
            },
        )
    }

    pub(super) fn config_merge(scenario: &Scenario) -> f64 {
        let parsed = |value: &serde_json::Value| {
            Config::builder()
                .add_source(File::from_str(&value.to_string(), FileFormat::Json))
                .build()
                .expect("the payload is valid")
        };
        // `Config::try_from` on a large structure is quadratic, so only the defaults come that way.
        let defaults = Config::try_from(&HotpassConfig::default()).expect("the defaults are valid");
        let base = Config::builder()
            .add_source(defaults)
            .add_source(File::from_str(&scenario.base.to_string(), FileFormat::Json))
            .build()
            .expect("the payload is valid");
        let layers: Vec<Config> = scenario.overlays.iter().map(parsed).collect();
        median(
            || Some((base.clone(), layers.clone())),
            |input| {
                let (base, layers) = input.take().expect("each input is used once");
                let builder =
                    layers.into_iter().fold(Config::builder().add_source(base), |b, layer| b.add_source(layer));
                let merged = builder.build().expect("the payload is valid");
                merged.try_deserialize::<HotpassConfig>().expect("the payload is valid")
            },
        )
    }

    pub(super) fn config_load(scenario: &Scenario) -> f64 {
        let texts = texts(scenario);
        median(
            || (),
            |()| {
                let defaults = Config::try_from(&HotpassConfig::default()).expect("the defaults are valid");
                let builder = texts.iter().fold(Config::builder().add_source(defaults), |builder, text| {
                    builder.add_source(File::from_str(text, FileFormat::Json))
                });
                let merged = builder.build().expect("the payload is valid");
                merged.try_deserialize::<HotpassConfig>().expect("the payload is valid")
            },
        )
    }
}

fn benches(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("config_merge");
    group.sample_size(20);
    for scenario in scenarios() {
        let base = base_config(&scenario);
        let overlays: Vec<Overlay> = scenario.overlays.iter().map(overlay).collect();
        group.bench_function(scenario.name, |bencher| {
            bencher.iter_batched_ref(
                || base.clone(),
                |config| overlays.iter().map(|overlay| config.merge(overlay)).sum::<usize>(),
                BatchSize::LargeInput,
            );
        });
    }
    group.finish();
}

/// Measures every scenario for every library and writes the evidence.
fn evidence() {
    let mut rows = Vec::new();
    for scenario in scenarios() {
        let measured = vec![
            ("merge", "hotpass-config", hotpass_merge(&scenario)),
            ("load", "hotpass-config", hotpass_load(&scenario)),
        ];
        #[cfg(feature = "peers")]
        measured.extend([
            ("merge", "figment", peers::figment_merge(&scenario)),
            ("load", "figment", peers::figment_load(&scenario)),
            ("merge", "config", peers::config_merge(&scenario)),
            ("load", "config", peers::config_load(&scenario)),
        ]);
        let bytes: usize = texts(&scenario).iter().map(String::len).sum();
        for (operation, library, nanoseconds) in &measured {
            let own = measured.iter().find(|row| row.0 == *operation).map_or(f64::NAN, |row| row.2);
            rows.push(json!({
                "scenario": scenario.name,
                "operation": operation,
                "library": library,
                "payload_bytes": bytes,
                "median_nanoseconds": nanoseconds.round(),
                "times_hotpass": (nanoseconds / own * 100.0).round() / 100.0,
            }));
        }
    }
    let processor = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let processor = processor.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    let report = json!({
        "benchmark": "hotpass_config_merge",
        "machine": {
            "processor": processor.trim_start_matches([' ', '\t', ':']),
            "threads": std::thread::available_parallelism().map_or(1, usize::from),
            "system": format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        },
        "versions": versions(),
        "samples": SAMPLES,
        "results": rows,
    });
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../dist/benchmarks");
    let text = serde_json::to_string_pretty(&report).expect("a report is valid JSON") + "\n";
    std::fs::create_dir_all(&folder).expect("the folder of evidence can be made");
    hotpass_core::write_atomic(folder.join("hotpass_config_merge.json"), text.as_bytes())
        .expect("the evidence can be written");
}

/// Returns the versions of what is compared, from the lock file.
fn versions() -> Value {
    let lock = include_str!("../../Cargo.lock");
    let version = |name: &str| {
        let at = lock.find(&format!("name = \"{name}\"\nversion = \""))?;
        lock[at..].split('"').nth(3).map(str::to_owned)
    };
    json!({
        "hotpass-config": version("hotpass-config"),
        "figment": version("figment"),
        "config": version("config"),
    })
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    benches(&mut criterion);
    criterion.final_summary();
    // `cargo test --benches` and `--list` only want to know that it runs.
    if std::env::args().any(|argument| argument == "--bench") {
        evidence();
    }
}
