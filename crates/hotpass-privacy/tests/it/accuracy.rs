//! Precision and recall of the recognisers on an invented, labelled set: no person of it exists.
//!
//! The set is generated from templates with a small generator, so that it has thousands of texts and no file. Names are drawn
//! half from words that are on the recognisers' list and half from words that are not, since a list of given names finds
//! only those on it; the figures of names say so.

use std::collections::BTreeMap;
use std::ops::Range;

use hotpass_privacy::{DataClass, Detector, detect::Span};

/// A linear congruential generator (Knuth, MMIX): the same numbers on every machine.
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn pick<'a>(&mut self, values: &[&'a str]) -> &'a str {
        values[self.below(values.len() as u64) as usize]
    }

    fn digits(&mut self, count: usize) -> String {
        (0..count).map(|_| char::from(b'0' + self.below(10) as u8)).collect()
    }
}

fn luhn_digit(digits: &str) -> char {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(at, digit)| {
            let value = u32::from(digit - b'0') * if at % 2 == 0 { 2 } else { 1 };
            value / 10 + value % 10
        })
        .sum();
    char::from(b'0' + ((10 - sum % 10) % 10) as u8)
}

pub(crate) fn za_id(numbers: &mut Numbers, valid: bool) -> String {
    let mut digits = format!(
        "{:02}{:02}{:02}{}{}8",
        numbers.below(100),
        1 + numbers.below(12),
        1 + numbers.below(28),
        numbers.digits(4),
        numbers.below(2)
    );
    let check = luhn_digit(&digits);
    digits.push(if valid { check } else { char::from(b'0' + (check as u8 - b'0' + 1 + numbers.below(9) as u8) % 10) });
    digits
}

pub(crate) fn card(numbers: &mut Numbers, valid: bool) -> String {
    let mut digits = format!("{}{}", numbers.pick(&["4", "51", "55"]), numbers.digits(14));
    digits.truncate(15);
    let check = luhn_digit(&digits);
    digits.push(if valid { check } else { char::from(b'0' + (check as u8 - b'0' + 1 + numbers.below(9) as u8) % 10) });
    let parts: Vec<String> =
        digits.as_bytes().chunks(4).map(|part| String::from_utf8_lossy(part).into_owned()).collect();
    parts.join(numbers.pick(&["", " ", "-"]))
}

pub(crate) fn iban(numbers: &mut Numbers) -> String {
    let account = numbers.digits(18);
    // Mod 97 of account, country DE (13 14), check digits 00.
    let remainder =
        account.bytes().chain(*b"131400").fold(0u32, |rest, digit| (rest * 10 + u32::from(digit - b'0')) % 97);
    let text = format!("DE{:02}{account}", 98 - remainder);
    if numbers.below(2) == 0 {
        return text;
    }
    text.as_bytes().chunks(4).map(|part| String::from_utf8_lossy(part).into_owned()).collect::<Vec<_>>().join(" ")
}

const KNOWN: [&str; 8] = ["Thabo", "Lerato", "John", "Maria", "Pieter", "Aisha", "Emma", "Sipho"];
const UNKNOWN: [&str; 8] =
    ["Quorvin", "Zelphia", "Brandolf", "Ystrid", "Omphile-Rae", "Tjaard", "Wenzeslaus", "Anouschka"];
const FAMILY: [&str; 8] =
    ["Fictum", "van der Probe", "Invented", "Nulova", "Testament", "O'Sample", "Beispiel-Fall", "Dummy"];

fn value(class: DataClass, numbers: &mut Numbers) -> String {
    match class {
        DataClass::Email => format!(
            "{}{}{}@{}.{}",
            numbers.pick(&["info", "t.fictum", "o'sample", "x_y", "first+tag"]),
            numbers.below(1000),
            numbers.pick(&["", "-a", ".b"]),
            numbers.pick(&["example", "mail.example", "uni-sample"]),
            numbers.pick(&["org", "co.za", "com", "museum"])
        ),
        DataClass::Phone => {
            let own = format!("{}{}", numbers.pick(&["82", "11", "21", "73"]), 2_000_000 + numbers.below(7_000_000));
            let (area, rest) = own.split_at(2);
            let (first, last) = rest.split_at(3);
            match numbers.below(11) {
                6 => format!("0{area}-{first}-{last}"),
                7 => format!("+27 (0){area} {first} {last}"),
                8 => format!("00 27 {area} {first} {last}"),
                9 => format!("+49 30 {}", 1_000_000 + numbers.below(8_000_000)),
                10 => format!("+1 (212) 555-{:04}", numbers.below(10_000)),
                0 => format!("0{own}"),
                1 => format!("0{area} {first} {last}"),
                2 => format!("+27 {area} {first} {last}"),
                3 => format!("+27{own}"),
                4 => format!("(0{area}) {first}-{last}"),
                _ => format!("+44 20 79{} {}", 10 + numbers.below(80), 1000 + numbers.below(9000)),
            }
        }
        DataClass::ZaId => {
            let id = za_id(numbers, true);
            match numbers.below(3) {
                0 => format!("{} {} {}", &id[..6], &id[6..10], &id[10..]),
                1 => format!("{}-{}-{}", &id[..6], &id[6..10], &id[10..]),
                _ => id,
            }
        }
        DataClass::PaymentCard => card(numbers, true),
        DataClass::Iban => {
            if numbers.below(4) == 0 {
                iban(numbers).to_lowercase()
            } else {
                iban(numbers)
            }
        }
        DataClass::IpAddress => {
            if numbers.below(3) == 0 {
                format!("2001:db8:{:x}::{:x}", 1 + numbers.below(0xffff), 1 + numbers.below(0xffff))
            } else {
                format!(
                    "{}.{}.{}.{}",
                    1 + numbers.below(223),
                    numbers.below(256),
                    numbers.below(256),
                    1 + numbers.below(254)
                )
            }
        }
        DataClass::Coordinates => format!(
            "-{}.{}, {}.{}",
            22 + numbers.below(12),
            numbers.digits(5),
            16 + numbers.below(16),
            numbers.digits(5)
        ),
        DataClass::Passport => format!(
            "{} {}{}",
            numbers.pick(&["passport no.", "Passport number:", "passport"]),
            numbers.pick(&["A", "M", "T"]),
            10_000_000 + numbers.below(89_999_999)
        ),
        DataClass::DateOfBirth => format!(
            "{} {}-{:02}-{:02}",
            numbers.pick(&["born", "DOB:", "date of birth:"]),
            1930 + numbers.below(75),
            1 + numbers.below(12),
            1 + numbers.below(28)
        ),
        DataClass::TaxNumber => format!(
            "{} 4{}",
            numbers.pick(&["VAT no.", "VAT number:", "tax ref"]),
            100_000_000 + numbers.below(899_999_999)
        ),
        _ => {
            let given = if numbers.below(2) == 0 { numbers.pick(&KNOWN) } else { numbers.pick(&UNKNOWN) };
            let title = numbers.pick(&["", "", "", "Dr ", "Ms "]);
            format!("{title}{given} {}", numbers.pick(&FAMILY))
        }
    }
}

const CLASSES: [DataClass; 11] = [
    DataClass::Email,
    DataClass::Phone,
    DataClass::ZaId,
    DataClass::PaymentCard,
    DataClass::Iban,
    DataClass::IpAddress,
    DataClass::Coordinates,
    DataClass::Passport,
    DataClass::DateOfBirth,
    DataClass::TaxNumber,
    DataClass::PersonName,
];

/// Texts that hold no personal data and look as if they did.
fn decoy(numbers: &mut Numbers) -> String {
    match numbers.below(32) {
        16 => format!("Order 08{} is on its way", numbers.digits(8)),
        17 => format!("order no. 27{}", numbers.digits(9)),
        18 => format!("firmware 10.{}.{}.{}", numbers.below(9), numbers.below(255), numbers.below(255)),
        19 => format!(
            "version {}.{}.{}.{} released",
            1 + numbers.below(9),
            numbers.below(9),
            numbers.below(99),
            numbers.below(99)
        ),
        20 => format!("ratio {}.{}, {}.{}", numbers.below(9), numbers.digits(2), numbers.below(9), numbers.digits(2)),
        21 => format!("R {}.{}; R {}.{}", numbers.below(999), numbers.digits(2), numbers.below(999), numbers.digits(2)),
        22 => format!(
            "{:04x}{:04x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
            numbers.below(65_536),
            numbers.below(65_536),
            numbers.below(65_536),
            numbers.below(4096),
            numbers.below(4096),
            numbers.below(1 << 31)
        ),
        23 => format!(
            "MAC {:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}",
            numbers.below(256),
            numbers.below(256),
            numbers.below(256),
            numbers.below(256),
            numbers.below(256),
            numbers.below(256)
        ),
        24 => format!("from {:02}:{:02}:{:02} on", numbers.below(24), numbers.below(60), numbers.below(60)),
        25 => format!(
            "{}-{:02}-{:02}T{:02}:{:02}:00Z",
            2000 + numbers.below(25),
            1 + numbers.below(12),
            1 + numbers.below(28),
            numbers.below(24),
            numbers.below(60)
        ),
        26 => format!("part 082-{}-{}", numbers.digits(3), numbers.digits(4)),
        27 => format!("image-{}@2x", numbers.below(99)),
        28 => format!("DE{:02}{} as batch", 10 + numbers.below(80), numbers.digits(17)),
        29 => format!(
            "{} {}",
            numbers.pick(&["Port", "East", "North", "New"]),
            numbers.pick(&["Elizabeth", "London", "York", "George"])
        ),
        30 => format!("epoch 16{}", numbers.digits(11)),
        31 => format!("ZS-{} / ZU-{}", numbers.digits(4), numbers.digits(4)),
        0 => format!(
            "Invoice {} of {}-{:02}-{:02}",
            numbers.digits(8),
            2000 + numbers.below(25),
            1 + numbers.below(12),
            1 + numbers.below(28)
        ),
        1 => format!("Stock {} at R {},{}.00", numbers.digits(5), 1 + numbers.below(900), 100 + numbers.below(900)),
        2 => za_id(numbers, false),
        3 => card(numbers, false),
        4 => format!("Version {}.{}.{}", numbers.below(20), numbers.below(20), numbers.below(20)),
        5 => format!("{} Flight School, {} Street", numbers.pick(&KNOWN), numbers.pick(&["Oak", "Main", "Church"])),
        6 => format!(
            "Meeting {}:{:02} to {}:{:02}",
            numbers.below(24),
            numbers.below(60),
            numbers.below(24),
            numbers.below(60)
        ),
        7 => format!("Order #{} ready, room {}.{}", numbers.digits(7), numbers.below(9), numbers.below(99)),
        8 => format!("Registration {}/{}/07", 1990 + numbers.below(35), numbers.digits(6)),
        9 => format!(
            "{} of {}",
            numbers.pick(&["University", "Chamber", "Ministry"]),
            numbers.pick(&["York", "Gauteng", "Science"])
        ),
        10 => format!("Twitter @{}", numbers.pick(&["acacia", "works", "sample"])),
        11 => format!("ISBN 978-{}-{}-{}-{}", numbers.below(9), numbers.digits(3), numbers.digits(5), numbers.below(9)),
        12 => format!("Part no. {}-{}-{}", numbers.digits(3), numbers.digits(4), numbers.digits(2)),
        13 => format!("Area {} m2, price {}.{}", numbers.digits(4), numbers.digits(7), numbers.digits(2)),
        14 => format!(
            "{} {}",
            numbers.pick(&["Acacia", "Baobab", "Cedar", "Dassie"]),
            numbers.pick(&["Works", "Hall", "Holdings", "Training Centre"])
        ),
        _ => format!(
            "Flight {}{} at {:02}:{:02}",
            numbers.pick(&["SA", "BA", "LH"]),
            numbers.digits(3),
            numbers.below(24),
            numbers.below(60)
        ),
    }
}

/// A text with what is personal in it.
struct Labelled {
    text: String,
    labels: Vec<(DataClass, Range<usize>)>,
}

/// Sentences around one value, sentences around several, and texts that hold none.
fn labelled_set() -> Vec<Labelled> {
    let mut set = Vec::new();
    for seed in [20_240_101, 7, 424_242] {
        let mut numbers = Numbers(seed);
        for round in 0..2_000usize {
            let before =
                numbers.pick(&["", "Spoke on Monday; ", "see ", "(as agreed) ", "waiting for reply: "]).to_owned();
            let class = CLASSES[round % CLASSES.len()];
            let own = value(class, &mut numbers);
            let mut text = before;
            let mut labels = vec![(class, text.len()..text.len() + own.len())];
            text.push_str(&own);
            // A third of the texts holds more: a note somebody has typed.
            if round % 3 == 0 {
                for _ in 0..=numbers.below(2) {
                    text.push_str(numbers.pick(&[" and ", "; ", ", or ", " / ", "\n"]));
                    let class = CLASSES[numbers.below(CLASSES.len() as u64) as usize];
                    let own = value(class, &mut numbers);
                    labels.push((class, text.len()..text.len() + own.len()));
                    text.push_str(&own);
                }
            }
            text.push_str(numbers.pick(&["", ".", " please", "; thanks", ", to be checked"]));
            set.push(Labelled { text, labels });
            set.push(Labelled { text: decoy(&mut numbers), labels: Vec::new() });
        }
    }
    set
}

/// What was found of a class.
#[derive(Debug, Default)]
struct Counts {
    labels: u64,
    found: u64,
    hits: u64,
    missed: u64,
}

/// Writes the set with what was found beside the test's program, for the comparison with other tools.
fn write_set(set: &[Labelled], found: &[Vec<Span>]) {
    let mut lines = String::new();
    for (labelled, spans) in set.iter().zip(found) {
        let place = |class: DataClass, range: &Range<usize>| {
            // Characters, as other languages count.
            let count = |end: usize| labelled.text[..end].chars().count();
            serde_json::json!({"class": class.name(), "start": count(range.start), "end": count(range.end)})
        };
        let labels: Vec<_> = labelled.labels.iter().map(|(class, range)| place(*class, range)).collect();
        let found: Vec<_> = spans.iter().map(|span| place(span.class, &span.range)).collect();
        lines.push_str(&serde_json::json!({"text": labelled.text, "labels": labels, "found": found}).to_string());
        lines.push('\n');
    }
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("personal_data.ndjson");
    hotpass_core::write_atomic(&path, lines).unwrap();
    println!("the set is in {}", path.display());
}

#[test]
fn precision_and_recall_are_as_the_docs_say() {
    let detector = Detector::new();
    let set = labelled_set();
    let found: Vec<Vec<Span>> = set.iter().map(|labelled| detector.spans(&labelled.text)).collect();
    write_set(&set, &found);
    let mut counts: BTreeMap<DataClass, Counts> = BTreeMap::new();
    let mut alarms: BTreeMap<DataClass, Vec<&str>> = BTreeMap::new();
    for (labelled, spans) in set.iter().zip(&found) {
        let meets = |span: &Span, (class, range): &(DataClass, Range<usize>)| {
            span.class == *class && span.range.start < range.end && range.start < span.range.end
        };
        for label in &labelled.labels {
            let entry = counts.entry(label.0).or_default();
            entry.labels += 1;
            if !spans.iter().any(|span| meets(span, label)) {
                entry.missed += 1;
                alarms.entry(label.0).or_default().push(&labelled.text);
            }
        }
        for span in spans {
            let entry = counts.entry(span.class).or_default();
            entry.found += 1;
            if labelled.labels.iter().any(|label| meets(span, label)) {
                entry.hits += 1;
            } else {
                alarms.entry(span.class).or_default().push(&labelled.text);
            }
        }
    }
    for (class, texts) in &alarms {
        texts.iter().take(6).for_each(|text| println!("missed or false alarm: {class} in {text:?}"));
    }
    println!("| class | values | precision | recall |\n| --- | ---: | ---: | ---: |");
    for (class, Counts { labels, found, hits, missed }) in &counts {
        let precision = *hits as f64 / (*found).max(1) as f64;
        let recall = (labels - missed) as f64 / (*labels).max(1) as f64;
        println!("| `{class}` | {labels} | {precision:.3} | {recall:.3} |");
    }
    assert_eq!(counts.len(), CLASSES.len(), "a class that is not in the set was found");
    for (class, Counts { labels, found, hits, missed }) in &counts {
        let (least_precision, least_recall) = match class {
            // By title or a list of given names; half of the names of the set are on no list.
            DataClass::PersonName => (0.95, 0.60),
            _ => (0.97, 0.97),
        };
        assert!(*hits as f64 >= least_precision * *found as f64, "{class}: {} false alarms", found - hits);
        assert!((labels - missed) as f64 >= least_recall * *labels as f64, "{class}: {missed} missed");
    }
}

#[test]
fn any_text_is_read_without_a_panic_and_spans_stand_in_order() {
    let detector = Detector::new();
    let mut numbers = Numbers(7);
    let alphabet: Vec<char> = "0123456789+-() .:/@aAéßZ\u{1F600}\u{200b}\n;,#DE".chars().collect();
    for _ in 0..3_000 {
        let length = numbers.below(60);
        let text: String = (0..length).map(|_| alphabet[numbers.below(alphabet.len() as u64) as usize]).collect();
        let mut end = 0;
        for span in detector.spans(&text) {
            assert!(span.range.start >= end && text.get(span.range.clone()).is_some(), "{text:?}");
            assert!((0.0..=1.0).contains(&span.confidence), "{text:?}");
            end = span.range.end;
        }
    }
}
