//! Similarity of names of organisations against the labelled pairs of nomenklatura.

use std::path::PathBuf;

use hotpass_normalise::{organization_similarity, parse_organization};

fn data() -> Option<PathBuf> {
    let root = std::env::var_os("HOTPASS_TEST_DATA")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")), PathBuf::from);
    let file = root.join("er/nomenklatura/name_cases.csv");
    file.exists().then_some(file)
}

/// Splits a line of CSV whose values hold no line breaks.
fn cells(line: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut is_quoted = false;
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        let last = cells.len() - 1;
        match character {
            '"' if is_quoted && characters.peek() == Some(&'"') => {
                characters.next();
                cells[last].push('"');
            }
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => cells.push(String::new()),
            other => cells[last].push(other),
        }
    }
    cells
}

/// Returns precision and recall at a threshold.
fn measure(pairs: &[(f64, bool)], threshold: f64) -> (f64, f64) {
    let count = |matched: bool, truth: bool| {
        pairs.iter().filter(|(score, is_match)| (*score >= threshold) == matched && *is_match == truth).count() as f64
    };
    let hits = count(true, true);
    (hits / (hits + count(true, false)), hits / (hits + count(false, true)))
}

#[test]
fn company_names_are_told_apart() -> std::io::Result<()> {
    let Some(file) = data() else {
        println!("skipped: no test data; set HOTPASS_TEST_DATA");
        return Ok(());
    };
    let text = std::fs::read_to_string(file)?;
    let mut pairs = Vec::new();
    for line in text.lines().skip(1) {
        let cells = cells(line);
        if matches!(cells.get(1).map(String::as_str), Some("Company" | "Organization" | "LegalEntity")) {
            let score =
                organization_similarity(&parse_organization(&cells[2], "US"), &parse_organization(&cells[3], "US"));
            let is_match = cells[4] == "true";
            if (score >= 0.8) != is_match {
                println!("{score:.2} {is_match} {} | {}", cells[2], cells[3]);
            }
            pairs.push((score, is_match));
        }
    }
    assert!(pairs.len() > 250, "{} pairs", pairs.len());
    // Measured: precision 0.815 and recall 0.877 at 0.6, precision 0.917 and recall 0.772 at 0.8.
    for (threshold, least_precision, least_recall) in [(0.6, 0.80, 0.86), (0.8, 0.90, 0.76)] {
        let (precision, recall) = measure(&pairs, threshold);
        println!("threshold {threshold}: precision {precision:.3}, recall {recall:.3}");
        assert!(precision >= least_precision && recall >= least_recall, "{threshold}: {precision:.3} {recall:.3}");
    }
    Ok(())
}
