//! Problems, with the place they are at.

use hotpass_config::{ConfigError, ConfigLoader, Format, Overlay};

fn load(text: &str, format: Format) -> Result<(), ConfigError> {
    let overlay = Overlay::parse(text, format, "c")?;
    ConfigLoader::new().overlay(overlay).load().map(drop)
}

#[track_caller]
fn check(format: Format, text: &str, expected: &[&str]) {
    let error = load(text, format).expect_err("the document is wrong");
    let problems: Vec<String> = error.problems.iter().map(ToString::to_string).collect();
    assert_eq!(problems, expected, "{text}");
}

#[test]
fn unknown_keys_and_wrong_types_have_a_place_in_every_format() {
    check(
        Format::Toml,
        "[pipeline]\narchve = true\nthreads = \"two\"\n\n[[pipeline.acquisition.agents]]\nname = \"a\"\ntagets = []\n",
        &[
            "c:2:1: pipeline.archve: Unknown key: `archve` (did you mean `archive`?)",
            "c:3:11: pipeline.threads: Expected a whole number, 0 or more, found text",
            "c:7:1: pipeline.acquisition.agents[0].tagets: Unknown key: `tagets` (did you mean `targets`?)",
        ],
    );
    check(
        Format::Yaml,
        "pipeline:\n  archve: yes\n  threads: [2]\nprofil: {}\nfeatures:\n  resolve: no\n",
        &[
            "c:2:3: pipeline.archve: Unknown key: `archve` (did you mean `archive`?)",
            "c:3:12: pipeline.threads: Expected a whole number, 0 or more, found a list",
            "c:4:1: profil: Unknown key: `profil` (did you mean `profile`?)",
            "c:6:12: features.resolve: Expected true or false, found text",
        ],
    );
    check(
        Format::Json,
        "{\"pipeline\": {\n  \"é\": 1,\n  \"qa_mode\": \"strct\", \"threads\": -1}}",
        &[
            "c:2:3: pipeline.é: Unknown key: `é` (expected one of `input_dir`, `output_path`, `dist_dir`, `archive`, \
             `run_id`, `country_code`, `qa_mode`, `log_format`, `report_path`, `report_format`, `party_store_path`, \
             `sensitive_fields`, `threads`, `acquisition`)",
            "c:3:14: pipeline.qa_mode: Unknown choice: `strct` (did you mean `strict`?)",
            "c:3:34: pipeline.threads: Expected a whole number, 0 or more, found `-1`",
        ],
    );
    check(
        Format::Yaml,
        "profile:\n  sources:\n    - name: a\n",
        &["c:3:7: profile.sources[0]: Missing key: `pattern` (expected text)"],
    );
}

#[test]
fn syntax_errors_have_a_place() {
    #[track_caller]
    fn place(format: Format, text: &str, expected: (usize, usize)) {
        let error = Overlay::parse(text, format, "c").expect_err("the document is wrong");
        let problem = &error.problems[0];
        assert_eq!((problem.line, problem.column), (Some(expected.0), Some(expected.1)), "{error}");
    }
    place(Format::Toml, "[pipeline]\narchive = \n", (2, 11));
    place(Format::Json, "{\"pipeline\": {\"archive\": tru}}", (1, 29));
    place(Format::Json, "{\"pipeline\": {},\n \"pipeline\": {}}", (2, 2));
    place(Format::Yaml, "pipeline:\n  archive: [1, 2\n", (2, 12));
    place(Format::Yaml, "features: {}\nfeatures: {}\n", (2, 1));
    place(Format::Yaml, "features: {}\n---\nfeatures: {}\n", (3, 1));
}

#[test]
fn the_result_is_validated_as_a_whole_and_each_problem_points_to_its_layer() {
    check(
        Format::Yaml,
        "ingest:\n  mapping_threshold: 0.4\n  suggestion_threshold: 1.5\npipeline:\n  run_id: abc\n  country_code: zaf\n",
        &[
            "c:5:11: pipeline.run_id: Not a UUID: `abc` (expected a UUID, such as one of version 7)",
            "c:6:17: pipeline.country_code: Not a country code: `zaf` (expected two capital letters of ISO 3166-1, such as `ZA`)",
            "c:3:25: ingest.suggestion_threshold: Share lies outside 0 to 1: `1.5` (expected a number from 0 to 1)",
            "c:3:25: ingest.suggestion_threshold: Suggestions begin above the mapping threshold: `1.5` (expected at most `ingest.mapping_threshold`, 0.4)",
        ],
    );
}

#[test]
fn names_between_sections_are_checked() {
    #[track_caller]
    fn only(text: &str, expected: &str) {
        let error = load(text, Format::Yaml).expect_err("the document is wrong");
        assert_eq!(error.to_string(), expected);
    }
    only(
        "profile: {required_fields: [organisation_name]}",
        "c:1:29: profile.required_fields[0]: Unknown canonical field: `organisation_name` (did you mean `organization_name`?)",
    );
    only(
        "survivorship: {fields: {web_site: recency}}",
        "c:1:35: survivorship.fields.web_site: Unknown published column: `web_site` (did you mean `website`?)",
    );
    only(
        "profile: {expectations: [{type: match_regex, column: website, regex: '('}]}",
        "c:1:70: profile.expectations[0].regex: Regular expression cannot be read: unclosed group (expected a regular expression)",
    );
    only(
        "profile: {sources: [{name: a, pattern: '*.csv'}, {name: a, pattern: '{x'}]}",
        "c:1:57: profile.sources[1].name: Name is given twice: `a` (expected a name of its own)\n\
         c:1:69: profile.sources[1].pattern: `{` has no `}`: `{x` (expected a glob over the file's name, such as `*register*.xlsx`)",
    );
    only(
        "features: {compliance: true}\ngovernance: {intent: []}",
        "c:2:22: governance.intent: No purpose is given, and the compliance feature is on (expected at least one purpose)",
    );
    only(
        "profile: {column_synonyms: {status: [website url]}}",
        "profile generic, line 35: profile.column_synonyms.website[0]: Header already means `status`: `website url` (expected a header that means one field)",
    );
}

#[test]
fn variables_and_flags_name_themselves() {
    let error = ConfigLoader::new()
        .environment([
            ("HOTPASS__PIPELINE__THREADS".to_owned(), "two".to_owned()),
            ("HOTPASS__PIPELIN__THREADS".to_owned(), "2".to_owned()),
        ])
        .flag("pipeline.archive", "maybe")
        .flag("profile.sources[0].name", "a")
        .flag("pipeline.archive.deep", "1")
        .load()
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "environment variable HOTPASS__PIPELINE__THREADS: pipeline.threads: Expected a whole number, 0 or more, found text\n\
         environment variable HOTPASS__PIPELIN__THREADS: pipelin: Unknown key: `pipelin` (did you mean `pipeline`?)\n\
         flag for pipeline.archive: Expected true or false, found text\n\
         flag for profile.sources[0].name: A list is set as a whole, not at: `[0]`\n\
         flag for pipeline.archive.deep: No key below true or false: `deep`"
    );
}

#[test]
fn all_layers_are_reported_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let bad = folder.path().join("bad.toml");
    hotpass_core::write_atomic(&bad, b"[pipeline]\nx = 1\n").unwrap();
    let binary = folder.path().join("binary.yaml");
    hotpass_core::write_atomic(&binary, b"a: b\nc: \xff\n").unwrap();
    let error = ConfigLoader::new()
        .profile("nowhere")
        .file(&bad)
        .file(&binary)
        .file(folder.path().join("absent.json"))
        .file(folder.path().join("words.txt"))
        .flag("nothing", "1")
        .load()
        .unwrap_err();
    let text = error.to_string();
    for expected in [
        "Unknown profile: `nowhere`",
        "bad.toml:2:1",
        "binary.yaml:2:4: File is not UTF-8",
        "absent.json: Failed to read",
        "words.txt: File has no known ending",
        "Unknown key: `nothing`",
    ] {
        assert!(text.contains(expected), "{expected} not in\n{text}");
    }
    assert_eq!(error.problems.len(), 6);
}
