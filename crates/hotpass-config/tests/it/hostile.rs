//! Documents that mean harm: refused with a problem, quickly, without a panic.

use std::fmt::Write as _;

use std::time::{Duration, Instant};

use hotpass_config::upgrade::upgrade;
use hotpass_config::{Format, Overlay};

const FORMATS: [Format; 3] = [Format::Yaml, Format::Toml, Format::Json];

#[track_caller]
fn refused(text: &str, format: Format) {
    let start = Instant::now();
    Overlay::parse(text, format, "c").expect_err("the document is hostile");
    // Nothing may panic on the way to the present form either.
    drop(upgrade(text, format, "c"));
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

#[test]
fn a_megabyte_of_nesting_is_refused() {
    const DEPTH: usize = 1 << 20;
    refused(&"[".repeat(DEPTH), Format::Yaml);
    refused(&"{a: ".repeat(DEPTH / 4), Format::Yaml);
    refused(&"- ".repeat(DEPTH / 2), Format::Yaml);
    refused(&"[".repeat(DEPTH), Format::Json);
    refused(&"{\"a\":".repeat(DEPTH / 5), Format::Json);
    refused(&format!("a = {}", "[".repeat(DEPTH)), Format::Toml);
    refused(&format!("[{}a]", "a.".repeat(DEPTH / 2)), Format::Toml);
}

#[test]
fn alias_bombs_are_refused() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let before = format!("*a{}", level - 1);
        let _ = writeln!(text, "a{level}: &a{level} [{}]", vec![before; 10].join(", "));
    }
    refused(&text, Format::Yaml);
    let long = format!("a: &a \"{}\"\nb: [{}]\n", "x".repeat(1 << 20), vec!["*a"; 10_000].join(", "));
    refused(&long, Format::Yaml);
    refused("a: &a [*a]\n", Format::Yaml);
}

#[test]
fn wrong_types_everywhere_give_problems_only() {
    let keys = [
        "profile",
        "pipeline",
        "ingest",
        "features",
        "resolve",
        "survivorship",
        "compliance",
        "data_contract",
        "governance",
    ];
    for value in ["1", "\"x\"", "true", "[]", "[1, {\"a\": 2}]", "1e999", "{\"x\": 1}"] {
        for key in keys {
            refused(&format!("{{\"{key}\": {value}}}"), Format::Json);
        }
        for path in ["sources", "column_synonyms", "expectations"] {
            if !matches!(value, "[]" | "{\"x\": 1}") || path == "expectations" && value != "[]" {
                refused(&format!("{{\"profile\": {{\"{path}\": {value}}}}}"), Format::Json);
            }
        }
    }
    for format in FORMATS {
        for text in
            ["\u{0}", "\u{feff}\u{feff}{", "= = =", "[[[", "]", "%YAML 9.9", "- a\n- b", "&a", "*a", "!!x {", "'"]
        {
            drop(Overlay::parse(text, format, "c"));
            drop(upgrade(text, format, "c"));
        }
    }
}

#[test]
fn an_empty_document_is_an_empty_layer() {
    for (format, text) in [(Format::Yaml, ""), (Format::Yaml, "# nothing\n"), (Format::Toml, ""), (Format::Json, "{}")]
    {
        assert!(Overlay::parse(text, format, "c").is_ok(), "{format:?} {text}");
    }
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "[-a-c0-9:{}\\[\\]\"'&*!|>%#=., \\n\\t\\\\é]{0,80}") {
        for format in FORMATS {
            drop(Overlay::parse(&text, format, "c"));
            drop(upgrade(&text, format, "c"));
        }
    }
}
