//! The reference page of expectations names what there is.

use std::path::Path;

use hotpass_core::expectations::EXPECTATIONS;

#[test]
fn the_reference_lists_every_expectation_with_its_arguments() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/expectations.md");
    let text = std::fs::read_to_string(page).unwrap();
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| `")).collect();
    assert_eq!(rows.len(), EXPECTATIONS.len());
    for spec in EXPECTATIONS {
        let alias = spec.alias.map(|alias| format!("`{alias}`")).unwrap_or_default();
        let required = spec.required.iter().map(|name| format!("**{name}**"));
        let arguments: Vec<String> = required.chain(spec.optional.iter().map(ToString::to_string)).collect();
        let row = format!("| `{}` | {alias} | {} | {} |", spec.name, arguments.join(", "), spec.summary);
        assert!(rows.contains(&row.as_str()), "the page lacks:\n{row}");
    }
}
