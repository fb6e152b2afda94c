//! A whole run: a CSV of organisations in, the published Parquet file and the run folder out.
//!
//! Scenario: 100,000 rows made here from a fixed seed, about a third of which name an organisation again with another spelling
//! or another contact; throughput is in rows.
//!
//! Run with `cargo bench -p hotpass-benches --bench refine_organizations`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::hint::black_box;
use std::path::{Path, PathBuf};

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use hotpass_config::HotpassConfig;
use hotpass_core::Clock;
use hotpass_pipeline::{CancelToken, NoProgress, RefineRequest, Services, refine};

const ROWS: usize = 100_000;

/// A sequence of numbers that is the same in every run: `SplitMix64` of Steele, Lea and Flood (2014).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % below as u64) as usize
    }

    fn pick<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.next(words.len())]
    }
}

const FIRST: &[&str] = &["Baobab", "Silver", "Mountain", "Harbour", "Delta", "Ndlovu", "Acacia", "Sokhela"];
const SECOND: &[&str] = &["Falcon", "Omega", "Jordaan", "Umoja", "Horizon", "Smith", "Pioneer", "Cape"];
const TRADE: &[&str] = &["Logistics", "Auto Repairs", "Veterinary Clinic", "Solar", "Primary School", "Bakery"];
const FORMS: &[&str] = &["", " (Pty) Ltd", " Pty Ltd", " CC", " NPC", " Ltd"];
const PLACES: &[(&str, &str)] =
    &[("Durban", "KwaZulu-Natal"), ("Pretoria", "Gauteng"), ("George", "Western Cape"), ("Benoni", "Gauteng")];
const PEOPLE: &[&str] = &["", "Thandi Mokoena", "Maria du Plessis", "Sipho Dube", "Ann Naidoo"];
const MAILBOXES: &[&str] = &["info", "sales", "office", "thandi"];

/// Writes the table and returns its path.
fn write_organizations(folder: &Path) -> Result<PathBuf, Box<dyn std::error::Error>> {
    let mut numbers = Numbers(3);
    let mut text = String::from("org_name,province,street,city,postcode,phone,email,website,contact_name\n");
    for _ in 0..ROWS {
        // Two rows for three organisations: some come once, some several times.
        let organization = numbers.next(ROWS * 3 / 2);
        let mut own = Numbers(organization as u64);
        let (first, second, trade) = (own.pick(FIRST), own.pick(SECOND), own.pick(TRADE));
        let (city, province) = PLACES[own.next(PLACES.len())];
        let domain = format!("{first}{second}{organization}.co.za").to_lowercase();
        writeln!(
            text,
            "{first} {second} {organization} {trade}{form},{province},{house} Maple Rd.,{city},{postcode:04},\
             +2731{phone:07},{mailbox}@{domain},https://www.{domain},{person}",
            form = numbers.pick(FORMS),
            house = 1 + own.next(99),
            postcode = 1 + own.next(9998),
            phone = 2_000_000 + own.next(7_000_000),
            mailbox = numbers.pick(MAILBOXES),
            person = numbers.pick(PEOPLE),
        )?;
    }
    let path = folder.join("organizations.csv");
    hotpass_core::write_atomic(&path, &text)?;
    Ok(path)
}

fn runs(criterion: &mut Criterion) {
    let input = tempfile::tempdir().expect("a folder for the input");
    let path = write_organizations(input.path()).expect("the input can be written");
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
