//! The field rules over columns of organisations.
//!
//! Scenario: a rule over a column of 20,000 values made here from a fixed seed, spelt as several sources spell them
//! (legal forms, abbreviations, local and international numbers, addresses of web pages with and without scheme); throughput is in
//! values. `organization_key_similarity` compares each name with the next one.
//!
//! Run with `cargo bench -p hotpass-benches --bench normalise_fields`.

use std::hint::black_box;

use arrow::array::{Array, StringArray};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use hotpass_normalise::{
    Kind, RuleOptions, TextRule, compose_address, normalise_column, organization_columns, organization_key_similarity,
    rule_for,
};

const ROWS: usize = 20_000;

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

const FIRST: &[&str] = &["Baobab", "Silver", "Mountain", "Harbour", "Delta", "Ndlovu", "van der Merwe", "Sokhela"];
const SECOND: &[&str] = &["Falcon", "Omega", "and Jordaan", "Umoja", "Horizon", "& Smith", "Pioneer", "Cape"];
const TRADE: &[&str] = &["Logistics", "Auto Repairs", "Tpt", "Veterinary Clinic", "Solar", "Maint", "Primary School"];
const FORMS: &[&str] =
    &["", "", " (Pty) Ltd", " Pty Ltd", " CC", " cc", " (Durban)", " NPC", " Ltd", " (Proprietary) Limited"];
const STREETS: &[&str] = &["Maple Rd.", "Rose Street", "Kloof St", "Louis Botha Avenue", "Church Dr", "Albert Ave"];
const TOWNS: &[&str] = &["Durban", "Pretoria", "George", "Umlazi", "Cape Town", "Benoni"];
const PROVINCES: &[&str] = &["Gauteng", "KwaZulu-Natal", "Western Cape", "KZN", "eastern cape", "North West"];
const MAILBOXES: &[&str] = &["info", "sales", "office", "Admin", "thandi.mokoena"];

/// The columns of one table.
struct Columns {
    names: StringArray,
    addresses: StringArray,
    towns: StringArray,
    others: Vec<(Kind, StringArray)>,
}

fn columns() -> Columns {
    let mut numbers = Numbers(2);
    let mut rows: [Vec<String>; 10] = Default::default();
    for _ in 0..ROWS {
        let (first, second) = (numbers.pick(FIRST), numbers.pick(SECOND));
        let name = format!("{first} {second} {}{}", numbers.pick(TRADE), numbers.pick(FORMS));
        let domain: String = format!("{first}{second}.co.za").chars().filter(char::is_ascii_alphabetic).collect();
        let domain = domain.to_lowercase().replace("coza", ".co.za");
        let area = 10 + numbers.next(50);
        let line = 1_000_000 + numbers.next(9_000_000);
        let web = match numbers.next(4) {
            0 => format!("www.{domain}/"),
            1 => format!("http://{domain}"),
            2 => format!("https://www.{domain}"),
            _ => format!("https://{domain}/contact"),
        };
        let phone = if numbers.next(3) == 0 { format!("0{area} {line}") } else { format!("+27{area}{line}") };
        let year = 1970 + numbers.next(50);
        let sequence = 1 + numbers.next(999_999);
        let contact = format!("{} {}", numbers.pick(&["Lerato", "Anna", "Dr Vusi", "J.P."]), numbers.pick(FIRST));
        let values = [
            name,
            format!("{} {}", 1 + numbers.next(300), numbers.pick(STREETS)),
            numbers.pick(TOWNS).to_owned(),
            numbers.pick(PROVINCES).to_owned(),
            phone,
            format!("{}@{domain}", numbers.pick(MAILBOXES)),
            web,
            format!("{year}/{sequence:06}/07"),
            format!("{}", 100 + numbers.next(9_000)),
            contact,
        ];
        for (column, value) in rows.iter_mut().zip(values) {
            column.push(value);
        }
    }
    let [names, addresses, towns, provinces, phones, emails, webs, registrations, postcodes, people] =
        rows.map(StringArray::from);
    Columns {
        names,
        addresses,
        towns,
        others: vec![
            (Kind::Province, provinces),
            (Kind::Phone, phones),
            (Kind::Email, emails),
            (Kind::Web, webs),
            (Kind::RegistrationNumber, registrations),
            (Kind::PostalCode, postcodes),
            (Kind::Person, people),
        ],
    }
}

fn normalise_fields(criterion: &mut Criterion) {
    let columns = columns();
    let options = RuleOptions::default();
    let mut group = criterion.benchmark_group("normalise_fields");
    group.throughput(Throughput::Elements(ROWS as u64));
    let kinds =
        [(Kind::Organization, &columns.names), (Kind::Address, &columns.addresses), (Kind::Text, &columns.towns)];
    for (kind, values) in kinds.into_iter().chain(columns.others.iter().map(|(kind, values)| (*kind, values))) {
        let rule = rule_for(kind, &options);
        group.bench_function(kind.as_str(), |bencher| bencher.iter(|| normalise_column(black_box(values), &*rule)));
    }
    let text = TextRule::default();
    group.bench_function("organization_columns", |bencher| {
        bencher.iter(|| organization_columns(black_box(&columns.names), "ZA", &text));
    });
    let keys = organization_columns(&columns.names, "ZA", &text).expanded_key;
    let keys: Vec<&str> = keys.iter().flatten().collect();
    group.bench_function("organization_key_similarity", |bencher| {
        bencher.iter(|| keys.windows(2).map(|pair| organization_key_similarity(pair[0], pair[1])).sum::<f64>());
    });
    group.bench_function("compose_address", |bencher| {
        bencher.iter(|| {
            (0..columns.addresses.len())
                .filter_map(|row| {
                    compose_address(Some(columns.addresses.value(row)), Some(columns.towns.value(row)), None, "ZA")
                })
                .map(|line| line.len())
                .sum::<usize>()
        });
    });
    group.finish();
}

criterion_group!(benches, normalise_fields);
criterion_main!(benches);
