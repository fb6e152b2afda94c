//! Help, overview, version, completions, manual and reference.

use insta::assert_snapshot;

use crate::sandbox::Sandbox;

/// Returns the verbs that a help text lists.
fn verbs(help: &str) -> Vec<String> {
    help.lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|verb| *verb != "help")
        .map(str::to_owned)
        .collect()
}

fn check_help(sandbox: &Sandbox, verb: &[String]) {
    let mut arguments: Vec<&str> = verb.iter().map(String::as_str).collect();
    arguments.push("--help");
    let outcome = sandbox.run(&arguments);
    assert_eq!(outcome.code, 0, "{outcome}");
    assert_eq!(outcome.stderr, "");
    let name = if verb.is_empty() { "help".to_owned() } else { format!("help_{}", verb.join("_")) };
    // A program without the feature says so in the help.
    assert_snapshot!(name, outcome.stdout.replace(" (not in this build)", ""));
    for inner in verbs(&outcome.stdout) {
        check_help(sandbox, &[verb, &[inner]].concat());
    }
}

#[test]
fn help_of_every_verb() {
    check_help(&Sandbox::new(), &[]);
}

#[test]
fn bare_hotpass_says_what_to_type() {
    assert_snapshot!(Sandbox::new().run(&[]));
}

#[test]
fn overview_lists_every_verb() {
    let sandbox = Sandbox::new();
    let overview = sandbox.run(&["overview"]);
    assert_eq!((overview.code, overview.stderr.as_str()), (0, ""));
    for verb in verbs(&sandbox.run(&["--help"]).stdout) {
        assert!(overview.stdout.contains(&format!("\n  {verb} ")), "`{verb}` is missing:\n{overview}");
    }
}

#[test]
fn version_as_json_holds_what_the_program_is() {
    let outcome = Sandbox::new().run(&["version", "--format", "json"]);
    let version: serde_json::Value = serde_json::from_str(&outcome.stdout).expect("JSON");
    assert_eq!(version["version"], env!("CARGO_PKG_VERSION"));
    assert!(version["target"].as_str().is_some_and(|target| target.contains('-')), "{outcome}");
    assert!(version["rustc"].as_str().is_some_and(|rustc| rustc.starts_with("rustc ")), "{outcome}");
    assert_eq!(version["features"].as_array().map(|features| !features.is_empty()), Some(cfg!(feature = "query")));
}

#[test]
fn completions_of_every_shell_know_the_verbs() {
    let sandbox = Sandbox::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let outcome = sandbox.run(&["completions", shell]);
        assert_eq!(outcome.code, 0, "{outcome}");
        assert!(outcome.stdout.contains("overview"), "{shell}");
    }
}

#[test]
fn manual_pages_are_written_for_every_verb() {
    let sandbox = Sandbox::new();
    let outcome = sandbox.run(&["man", "--output", "man"]);
    assert_eq!(outcome.code, 0, "{outcome}");
    for verb in verbs(&sandbox.run(&["--help"]).stdout) {
        assert!(sandbox.path(&format!("man/hotpass-{verb}.1")).is_file(), "{verb}");
    }
    assert!(sandbox.run(&["man"]).stdout.starts_with(".ie"));
}

#[test]
fn reference_of_exit_codes() {
    assert_snapshot!(Sandbox::new().run(&["reference", "exit-codes"]).stdout);
}

#[test]
fn reference_of_fields_and_artefacts_is_complete() {
    let sandbox = Sandbox::new();
    let fields = sandbox.run(&["reference", "fields"]).stdout;
    for field in hotpass_core::fields::INPUT_FIELDS {
        assert!(fields.contains(&format!("| `{}` |", field.name)), "{}", field.name);
    }
    let artefacts = sandbox.run(&["reference", "artefacts"]).stdout;
    for column in hotpass_core::fields::GOLDEN_COLUMNS {
        assert!(artefacts.contains(&format!("| `{}` |", column.name)), "{}", column.name);
    }
}
