//! The text kernels beside `strsim` and `rapidfuzz`.
//!
//! Scenario: blocks of one left text against 100 right ones, drawn from 4,000 texts of a kind made here from a fixed seed, so
//! that nearly all pairs are unlike; throughput is in pairs. Kinds: short names (6 characters on average), full names (15),
//! organisations (35), full names outside ASCII (15). `bands` sorts by the thresholds in common use (Jaro and Jaro–Winkler
//! 0.92, 0.88, 0.7; edits up to 1 and 2; Jaccard 0.9, 0.7); `bands, all evaluated` has one threshold that every pair
//! fulfils, so that no bound helps. `strsim` and `rapidfuzz` give values.
//!
//! Run with `cargo bench -p hotpass-benches --bench string_kernels`. The last result, on 2 virtual x86-64 processors with
//! AVX-512, stands in `docs/explanation/kernels.md`.

use std::hint::black_box;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hotpass_resolve::engine::kernels::{TextKernel, TextTable, Thresholds};
use hotpass_resolve::engine::plan::{Operator, TextSimilarity};
use hotpass_resolve::model::TextSemantics;
use rapidfuzz::distance;

const TEXTS: usize = 4_000;
const BLOCK: usize = 100;
const BLOCKS: usize = 20;

/// A sequence of numbers that is the same in every run: `SplitMix64` of Steele, Lea and Flood (2014).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % below as u64) as usize
    }

    fn word(&mut self, syllables: &[&str], count: usize) -> String {
        (0..count).map(|_| syllables[self.next(syllables.len())]).collect()
    }
}

const PLAIN: &[&str] = &[
    "ma", "ri", "jo", "han", "na", "pe", "ter", "wil", "lem", "si", "pho", "than", "di", "fa", "ti", "no", "msa", "an",
    "dre", "chlo", "be", "kel", "son", "ton", "var", "ge", "lo", "u", "er", "ie",
];
const ACCENTED: &[&str] = &[
    "má", "rí", "jö", "hän", "né", "pè", "ter", "łem", "ši", "ção", "dré", "zoë", "bø", "kel", "son", "gé", "lø", "ü",
];

/// The texts of one kind and the blocks to compare.
struct Texts {
    kind: &'static str,
    values: Vec<String>,
    table: TextTable,
    blocks: Vec<(u32, Vec<u32>)>,
}

impl Texts {
    fn new(kind: &'static str, make: impl Fn(&mut Numbers) -> String) -> Self {
        let mut numbers = Numbers(7);
        let values: Vec<String> = (0..TEXTS).map(|_| make(&mut numbers)).collect();
        let mut table = TextTable::default();
        for text in &values {
            table.push(text);
        }
        table.finish();
        let mut code = || numbers.next(TEXTS) as u32;
        let blocks = (0..BLOCKS).map(|_| (code(), (0..BLOCK).map(|_| code()).collect())).collect();
        Self { kind, values, table, blocks }
    }

    fn text(&self, code: u32) -> &str {
        &self.values[code as usize]
    }
}

fn kinds() -> [Texts; 4] {
    [
        Texts::new("short names", |numbers| {
            let count = 2 + numbers.next(2);
            numbers.word(PLAIN, count)
        }),
        Texts::new("full names", |numbers| {
            let count = 2 + numbers.next(2);
            format!("{} {}", numbers.word(PLAIN, count), numbers.word(PLAIN, 3))
        }),
        Texts::new("organisations", |numbers| {
            let count = 3 + numbers.next(2);
            let words = [count, 3, 3].map(|count| numbers.word(PLAIN, count));
            format!("{} (pty) ltd", words.join(" "))
        }),
        Texts::new("full names, not ASCII", |numbers| {
            let count = 2 + numbers.next(2);
            format!("{} {}", numbers.word(ACCENTED, count), numbers.word(ACCENTED, 3))
        }),
    ]
}

fn bench(group: &mut BenchmarkGroup<'_, WallTime>, texts: &Texts, name: &str, mut block: impl FnMut(u32, &[u32])) {
    group.throughput(Throughput::Elements((BLOCKS * BLOCK) as u64));
    group.bench_function(BenchmarkId::new(name, texts.kind), |bencher| {
        bencher.iter(|| {
            for (left, rights) in &texts.blocks {
                block(black_box(*left), rights);
            }
        });
    });
}

fn bench_values(
    group: &mut BenchmarkGroup<'_, WallTime>,
    texts: &Texts,
    name: &str,
    value: impl Fn(&str, &str) -> f64,
) {
    bench(group, texts, name, |left, rights| {
        for &right in rights {
            black_box(value(texts.text(left), texts.text(right)));
        }
    });
}

fn bench_ours(group: &mut BenchmarkGroup<'_, WallTime>, texts: &Texts, similarity: TextSimilarity) {
    use Operator::{GreaterOrEqual, LessOrEqual};
    let Some(kernel) = TextKernel::new(similarity, TextSemantics::Characters) else { return };
    let (usual, all): (&[_], _) = match similarity {
        TextSimilarity::Jaccard => (&[(GreaterOrEqual, 0.9), (GreaterOrEqual, 0.7)], (GreaterOrEqual, 0.0)),
        TextSimilarity::Jaro | TextSimilarity::JaroWinkler => {
            (&[(GreaterOrEqual, 0.92), (GreaterOrEqual, 0.88), (GreaterOrEqual, 0.7)], (GreaterOrEqual, 0.0))
        }
        _ => (&[(LessOrEqual, 1.0), (LessOrEqual, 2.0)], (LessOrEqual, 1e9)),
    };
    bench(group, texts, "value", |left, rights| {
        for &right in rights {
            black_box(kernel.value(&texts.table, left, right));
        }
    });
    let mut bands = [0_u8; BLOCK];
    for (name, thresholds) in [("bands", usual), ("bands, all evaluated", &[all])] {
        let thresholds = Thresholds::new(thresholds).expect("the thresholds weaken");
        bench(group, texts, name, |left, rights| {
            kernel.bands(&texts.table, left, rights, &thresholds, &mut bands);
            black_box(&bands);
        });
    }
}

fn string_kernels(criterion: &mut Criterion) {
    let kinds = kinds();
    let mut group = criterion.benchmark_group("jaro_winkler");
    for texts in &kinds {
        bench_values(&mut group, texts, "strsim", strsim::jaro_winkler);
        bench_values(&mut group, texts, "rapidfuzz chars", |left, right| {
            distance::jaro_winkler::similarity(left.chars(), right.chars())
        });
        bench_values(&mut group, texts, "rapidfuzz bytes", |left, right| {
            distance::jaro_winkler::similarity(left.bytes(), right.bytes())
        });
        bench(&mut group, texts, "rapidfuzz batch", |left, rights| {
            let batch = distance::jaro_winkler::BatchComparator::new(texts.text(left).bytes());
            for &right in rights {
                black_box(batch.similarity(texts.text(right).bytes()));
            }
        });
        bench_ours(&mut group, texts, TextSimilarity::JaroWinkler);
    }
    group.finish();

    let mut group = criterion.benchmark_group("jaro");
    for texts in &kinds {
        bench_values(&mut group, texts, "strsim", strsim::jaro);
        bench_ours(&mut group, texts, TextSimilarity::Jaro);
    }
    group.finish();

    let mut group = criterion.benchmark_group("levenshtein");
    for texts in &kinds {
        bench_values(&mut group, texts, "strsim", |left, right| strsim::levenshtein(left, right) as f64);
        bench_values(&mut group, texts, "rapidfuzz chars", |left, right| {
            distance::levenshtein::distance(left.chars(), right.chars()) as f64
        });
        bench_values(&mut group, texts, "rapidfuzz bytes", |left, right| {
            distance::levenshtein::distance(left.bytes(), right.bytes()) as f64
        });
        bench(&mut group, texts, "rapidfuzz batch", |left, rights| {
            let batch = distance::levenshtein::BatchComparator::new(texts.text(left).bytes());
            for &right in rights {
                black_box(batch.distance(texts.text(right).bytes()));
            }
        });
        bench_ours(&mut group, texts, TextSimilarity::Levenshtein);
    }
    group.finish();

    let mut group = criterion.benchmark_group("damerau_levenshtein");
    for texts in &kinds {
        bench_values(&mut group, texts, "strsim", |left, right| strsim::damerau_levenshtein(left, right) as f64);
        bench_values(&mut group, texts, "rapidfuzz bytes", |left, right| {
            distance::damerau_levenshtein::distance(left.bytes(), right.bytes()) as f64
        });
        bench_ours(&mut group, texts, TextSimilarity::DamerauLevenshtein);
    }
    group.finish();

    let mut group = criterion.benchmark_group("jaccard");
    for texts in &kinds {
        bench_ours(&mut group, texts, TextSimilarity::Jaccard);
    }
    group.finish();
}

criterion_group!(benches, string_kernels);
criterion_main!(benches);
