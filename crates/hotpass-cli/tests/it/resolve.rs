//! `hotpass resolve` on invented people: the whole way, each step by itself, and what is refused.

use std::collections::HashMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::sandbox::{Outcome, Sandbox};

const FIRST: [&str; 12] =
    ["Ada", "Bela", "Cleo", "Dario", "Edda", "Fritz", "Gita", "Hugo", "Ines", "Jovan", "Kaja", "Lennart"];
const LAST: [&str; 11] = [
    "Abernathy",
    "Bracegirdle",
    "Cattermole",
    "Dunsworth",
    "Entwistle",
    "Fothergill",
    "Gathercole",
    "Hathersage",
    "Inglethorpe",
    "Jessamine",
    "Kettlewell",
];
const CITIES: [&str; 7] = ["Aldbury", "Brackwell", "Carrow", "Denholme", "Eastry", "Fallow", "Garsdale"];

/// Makes people; each third one has a second record with a slip of the pen.
fn people() -> String {
    let mut text = String::from("unique_id,truth,first_name,surname,dob,city\n");
    let mut id = 0;
    for person in 0..240_usize {
        let first = FIRST[person % FIRST.len()];
        let last = LAST[(person / 3 + person) % LAST.len()];
        let dob = format!("19{:02}-{:02}-{:02}", 40 + person % 55, 1 + person * 7 % 12, 1 + person * 11 % 28);
        let city = CITIES[person * 5 % CITIES.len()];
        let _ = writeln!(text, "{id},{person},{first},{last},{dob},{city}");
        id += 1;
        if person % 3 == 0 {
            let (first, last, city) = match person % 4 {
                0 => (format!("{first}e"), last.to_owned(), city),
                1 => (first.to_owned(), last.replacen('e', "a", 1), city),
                2 => (first.to_owned(), last.to_owned(), ""),
                _ => (first.to_owned(), last[..last.len() - 1].to_owned(), city),
            };
            let _ = writeln!(text, "{id},{person},{first},{last},{dob},{city}");
            id += 1;
        }
    }
    text
}

fn comparison(
    column: &str,
    condition: Option<(&str, f64, f64)>,
    exact: (f64, f64),
    other: (f64, f64),
    trained: bool,
) -> Value {
    let level = |sql: String, label: &str, m: f64, u: f64| {
        let mut level = json!({"sql_condition": sql, "label_for_charts": label});
        if trained {
            level["m_probability"] = json!(m);
            level["u_probability"] = json!(u);
        }
        level
    };
    let mut levels = vec![
        json!({"sql_condition": format!("{column}_l IS NULL OR {column}_r IS NULL"), "label_for_charts": "null", "is_null_level": true}),
        level(format!("{column}_l = {column}_r"), "exact", exact.0, exact.1),
    ];
    if let Some((sql, m, u)) = condition {
        levels.push(level(sql.to_owned(), "similar", m, u));
    }
    levels.push(level("ELSE".to_owned(), "other", other.0, other.1));
    json!({"output_column_name": column, "comparison_levels": levels})
}

fn model(trained: bool) -> Value {
    let similar = |column: &str| format!("jaro_winkler_similarity({column}_l, {column}_r) >= 0.88");
    json!({
        "link_type": "dedupe_only",
        "unique_id_column_name": "unique_id",
        "probability_two_random_records_match": 0.002,
        "comparisons": [
            comparison("first_name", Some((&similar("first_name"), 0.25, 0.01)), (0.7, 0.08), (0.05, 0.91), trained),
            comparison("surname", Some((&similar("surname"), 0.25, 0.01)), (0.7, 0.09), (0.05, 0.9), trained),
            comparison("dob", Some(("levenshtein(dob_l, dob_r) <= 1", 0.04, 0.02)), (0.95, 0.005), (0.01, 0.975), trained),
            comparison("city", None, (0.9, 0.15), (0.1, 0.85), trained),
        ],
        "blocking_rules_to_generate_predictions": [
            {"blocking_rule": "l.dob = r.dob"},
            {"blocking_rule": "l.first_name = r.first_name AND l.surname = r.surname"},
        ],
        "sql_dialect": "duckdb",
    })
}

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("people.csv", people());
    sandbox.write("model.json", model(true).to_string());
    sandbox.write("draft.json", model(false).to_string());
    sandbox
}

fn done(outcome: &Outcome) {
    assert_eq!(outcome.code, 0, "{outcome}");
}

fn refused(outcome: &Outcome, parts: &[&str]) {
    assert_eq!(outcome.code, 2, "{outcome}");
    for part in parts {
        assert!(outcome.stderr.contains(part), "`{part}` is missing:\n{outcome}");
    }
}

fn read(sandbox: &Sandbox, name: &str) -> String {
    std::fs::read_to_string(sandbox.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn json_of(sandbox: &Sandbox, name: &str) -> Value {
    serde_json::from_str(&read(sandbox, name)).expect("JSON")
}

/// Gives the columns of a csv without quotes by name.
fn csv(text: &str) -> HashMap<String, Vec<String>> {
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap_or_default().split(',').collect();
    let mut columns: HashMap<String, Vec<String>> = HashMap::new();
    for line in lines {
        for (name, value) in header.iter().zip(line.split(',')) {
            columns.entry((*name).to_owned()).or_default().push(value.to_owned());
        }
    }
    columns
}

/// Counts the pairs of records that share a label, those that share the other, and those that share both.
fn agreement(one: &[String], other: &[String]) -> (usize, usize, usize) {
    let mut counts = (0, 0, 0);
    for left in 0..one.len() {
        for right in left + 1..one.len() {
            let (a, b) = (one[left] == one[right], other[left] == other[right]);
            counts = (counts.0 + usize::from(a), counts.1 + usize::from(b), counts.2 + usize::from(a && b));
        }
    }
    counts
}

#[test]
fn files_go_in_and_come_out_with_entities() {
    let sandbox = sandbox();
    let outcome = sandbox.run(&[
        "resolve",
        "--input-file",
        "people.csv",
        "--model",
        "model.json",
        "--output-file",
        "out.csv",
        "--exclude-columns",
        "truth",
    ]);
    done(&outcome);
    let (input, output) = (people(), read(&sandbox, "out.csv"));
    let without_entity: Vec<&str> =
        output.lines().map(|line| line.rsplit_once(',').map_or(line, |(rest, _)| rest)).collect();
    assert_eq!(without_entity, input.lines().collect::<Vec<_>>());
    let columns = csv(&output);
    let (found, truth, both) = agreement(&columns["entity_id"], &columns["truth"]);
    assert!(both * 100 >= truth * 95 && both * 100 >= found * 95, "{found} found, {truth} true, {both} both");

    let summary = json_of(&sandbox, "linkage/summary.json");
    assert_eq!(summary["input_records"], 320);
    assert_eq!(summary["ids"], "column `unique_id`");
    assert_eq!(summary["trained"], false);
    let entities = columns["entity_id"].iter().collect::<std::collections::HashSet<_>>().len();
    assert_eq!(summary["entities"], entities);
    assert!(sandbox.path("linkage/pairs.parquet").is_file());
    assert!(sandbox.path("linkage/model.json").is_file());
    assert!(!sandbox.path("linkage/training.json").exists());

    // From Parquet to Parquet columns are copied as they are stored.
    let base = ["resolve", "--model", "model.json", "--input-file"];
    done(
        &sandbox
            .run(&[&base[..], &["people.csv", "--output-file", "one.parquet", "--entity-id-column", "first"]].concat()),
    );
    done(&sandbox.run(&[&base[..], &["one.parquet", "--output-file", "two.parquet"]].concat()));
    done(
        &sandbox
            .run(&[&base[..], &["two.parquet", "--output-file", "three.csv", "--entity-id-column", "third"]].concat()),
    );
    let copied = csv(&read(&sandbox, "three.csv"));
    assert_eq!((&copied["first"], &copied["third"]), (&columns["entity_id"], &columns["entity_id"]));
    assert_eq!(copied["surname"], columns["surname"]);

    // The same again, whatever the threads, and with the predecessor's flags.
    let again = sandbox.run(&[
        "resolve",
        "--input-file",
        "people.csv",
        "--model",
        "linkage/model.json",
        "--output-file",
        "again.csv",
        "--use-splink",
        "--threads",
        "1",
        "--artifacts-dir",
        "again",
        "--match-threshold",
        "0.9",
        "--review-threshold",
        "0.7",
    ]);
    done(&again);
    assert_eq!(read(&sandbox, "again.csv"), output);
    let pairs = |name: &str| std::fs::read(sandbox.path(name)).expect("pairs");
    assert!(pairs("again/pairs.parquet") == pairs("linkage/pairs.parquet"), "the same pairs to the byte");
}

#[test]
fn an_untrained_model_is_trained_first() {
    let sandbox = sandbox();
    let outcome =
        sandbox.run(&["resolve", "--input-file", "people.csv", "--model", "draft.json", "--output-file", "out.csv"]);
    done(&outcome);
    assert!(outcome.stderr.contains("was trained on these records first"), "{outcome}");
    let training = json_of(&sandbox, "linkage/training.json");
    assert_eq!(training["u"].as_array().map(Vec::len), Some(4), "{training}");
    let columns = csv(&read(&sandbox, "out.csv"));
    let (found, truth, both) = agreement(&columns["entity_id"], &columns["truth"]);
    assert!(both * 10 >= truth * 9 && both * 10 >= found * 9, "{found} found, {truth} true, {both} both");
    refused(
        &sandbox.run(&[
            "resolve",
            "predict",
            "--input-file",
            "people.csv",
            "--model",
            "draft.json",
            "--output-file",
            "p.csv",
        ]),
        &["not trained", "hotpass resolve train"],
    );
    assert!(!sandbox.path("p.csv").exists());
}

#[test]
fn each_step_works_by_itself() {
    let sandbox = sandbox();
    let base = ["--input-file", "people.csv", "--model", "model.json"];
    let run = |verb: &[&str], rest: &[&str]| {
        let outcome = sandbox.run(&[&["resolve"], verb, &base, rest].concat());
        done(&outcome);
        outcome
    };
    run(&["predict"], &["--output-file", "all.csv", "--clusters", "clusters.csv"]);
    run(&["predict"], &["--output-file", "some.csv", "--threshold", "0.9"]);
    run(&["predict"], &["--output-file", "full.csv", "--full"]);
    run(&["predict"], &["--output-file", "rules.csv", "--deterministic"]);
    let (all, some, full, rules) = (
        csv(&read(&sandbox, "all.csv")),
        csv(&read(&sandbox, "some.csv")),
        csv(&read(&sandbox, "full.csv")),
        csv(&read(&sandbox, "rules.csv")),
    );
    let strong = all["match_probability"].iter().filter(|text| text.parse::<f64>().expect("a number") >= 0.9).count();
    assert_eq!(some["match_weight"].len(), strong);
    assert_eq!(full["match_weight"], all["match_weight"]);
    for column in ["gamma_surname", "mw_surname", "surname_l", "dob_r", "match_key"] {
        assert!(full.contains_key(column), "{column}");
    }
    assert_eq!(rules["unique_id_l"], all["unique_id_l"]);
    assert!(!rules.contains_key("match_weight"));
    let clusters = csv(&read(&sandbox, "clusters.csv"));
    assert_eq!(clusters["cluster_id"].len(), 320);

    // Clusters from the file of pairs are those that prediction made.
    let outcome = sandbox.run(&[
        "resolve",
        "cluster",
        "--pairs",
        "all.csv",
        "--input-file",
        "people.csv",
        "--threshold",
        "0.9",
        "--output-file",
        "c.csv",
    ]);
    done(&outcome);
    let by_id = |columns: &HashMap<String, Vec<String>>| -> HashMap<String, String> {
        columns["unique_id"].iter().cloned().zip(columns["cluster_id"].iter().cloned()).collect()
    };
    assert_eq!(by_id(&csv(&read(&sandbox, "c.csv"))), by_id(&clusters));
    done(&sandbox.run(&[
        "resolve",
        "cluster",
        "--pairs",
        "all.csv",
        "--threshold",
        "0.5,0.99",
        "--output-file",
        "two.csv",
    ]));
    assert!(read(&sandbox, "two.csv").starts_with("cluster_id_0.5,cluster_id_0.99,unique_id\n"));

    // Given pairs get the weight they have as candidates.
    run(&["score"], &["--pairs", "some.csv", "--output-file", "scored.csv"]);
    let scored = csv(&read(&sandbox, "scored.csv"));
    assert_eq!((&scored["unique_id_l"], &scored["match_weight"]), (&some["unique_id_l"], &some["match_weight"]));

    let (left, right) = (some["unique_id_l"][0].as_str(), some["unique_id_r"][0].as_str());
    let compared = run(&["compare", left, right], &["--format", "json"]);
    let compared: Value = serde_json::from_str(&compared.stdout).expect("JSON");
    let weight: f64 = some["match_weight"][0].parse().expect("a number");
    assert!((compared["match_weight"].as_f64().unwrap_or_default() - weight).abs() < 1e-9, "{compared}");
    assert_eq!(compared["comparisons"].as_array().map(Vec::len), Some(4));
    assert_eq!(compared["blocking"]["proposed"], "yes");
    let table = run(&["compare", left, right], &["--show-values"]);
    assert!(table.stdout.contains("dob: 19"), "{table}");
    assert!(!run(&["compare", left, right], &[]).stdout.contains("dob: 19"));
}

#[test]
fn training_learns_and_says_what() {
    let sandbox = sandbox();
    let train = |name: &str, rest: &[&str]| {
        let arguments =
            ["resolve", "train", "--input-file", "people.csv", "--model", "draft.json", "--output-model", name];
        let outcome = sandbox.run(&[&arguments, rest].concat());
        done(&outcome);
        json_of(&sandbox, "training.json")
    };
    let by_rules = train("a.json", &["--training-rule", "l.dob = r.dob", "--training-rule", "l.surname = r.surname"]);
    assert_eq!(by_rules["sessions"].as_array().map(Vec::len), Some(2));
    assert_eq!(by_rules["sessions"][0]["rule"], "l.dob = r.dob");
    let by_labels = train("b.json", &["--label-column", "truth"]);
    // 80 pairs of 320 records.
    let prior = by_labels["prior"]["prior"].as_f64().unwrap_or_default();
    assert!((prior - 80.0 / (320.0 * 319.0 / 2.0)).abs() < 1e-12, "{prior}");
    train(
        "c.json",
        &["--deterministic-rule", "l.dob = r.dob and l.city = r.city", "--recall", "0.7", "--pooling", "median"],
    );
    for name in ["a.json", "b.json", "c.json"] {
        let outcome = sandbox.run(&["resolve", "model", "check", name, "--input-file", "people.csv"]);
        done(&outcome);
        assert!(outcome.stdout.contains("valid against `people.csv`, trained"), "{outcome}");
    }
    sandbox.write("labels.csv", "unique_id_l,unique_id_r,clerical_match_score\n0,1,1\n4,5,1\n0,7,0\n2,3,0\n");
    let with_labels = train("d.json", &["--training-rule", "l.dob = r.dob", "--labels", "labels.csv"]);
    assert_eq!(with_labels["sessions"].as_array().map(Vec::len), Some(1));
    // The same seed gives the same model.
    train("e.json", &["--training-rule", "l.dob = r.dob", "--labels", "labels.csv", "--threads", "1"]);
    assert_eq!(read(&sandbox, "d.json"), read(&sandbox, "e.json"));
}

#[test]
fn pairs_are_counted_before_they_are_built() {
    let sandbox = sandbox();
    let outcome = sandbox.run(&[
        "resolve",
        "block",
        "count",
        "--input-file",
        "people.csv",
        "--rule",
        "l.city = r.city",
        "--rule",
        "l.dob = r.dob",
        "--format",
        "json",
    ]);
    done(&outcome);
    let counts: Value = serde_json::from_str(&outcome.stdout).expect("JSON");
    let columns = csv(&people());
    let (city, dob, both) = agreement(&columns["city"], &columns["dob"]);
    // Records without a city pair with nobody by city.
    let blank = columns["city"].iter().filter(|city| city.is_empty()).count();
    let city = city - blank * (blank - 1) / 2;
    assert_eq!(counts["rules"][0]["pairs"], city);
    assert_eq!(counts["rules"][0]["null_records"], blank);
    assert_eq!(counts["rules"][1]["pairs"], dob);
    assert_eq!(counts["rules"][1]["cumulative"], counts["candidate_pairs"]);
    assert!(counts["candidate_pairs"].as_u64().unwrap_or_default() as usize >= city + dob - both, "{counts}");
    assert_eq!(counts["possible_pairs"], 320 * 319 / 2);
    let table = sandbox.run(&["resolve", "block", "count", "--input-file", "people.csv", "--model", "model.json"]);
    done(&table);
    assert!(table.stdout.contains("320 records, "), "{table}");
}

#[test]
fn models_are_shown_checked_and_converted() {
    let sandbox = sandbox();
    let shown = sandbox.run(&["resolve", "model", "show", "model.json"]);
    done(&shown);
    assert!(shown.stdout.contains("first_name") && shown.stdout.contains("+3.13"), "{shown}");
    done(&sandbox.run(&["resolve", "model", "convert", "model.json", "--to", "hotpass", "--output", "own.json"]));
    done(&sandbox.run(&["resolve", "model", "convert", "own.json", "--to", "splink", "--output", "back.json"]));
    let show = |name: &str| sandbox.run(&["resolve", "model", "show", name, "--format", "json"]).stdout;
    assert_eq!(show("own.json"), show("model.json"));
    assert_eq!(show("back.json"), show("model.json"));

    let mut wrong = model(true);
    wrong["comparisons"][1]["comparison_levels"][1]["sql_condition"] = json!("sirname_l = sirname_r");
    wrong["comparisons"][2]["comparison_levels"][1]["sql_condition"] = json!("date_l = date_r");
    sandbox.write("wrong.json", wrong.to_string());
    let outcome = sandbox.run(&["resolve", "model", "check", "wrong.json", "--input-file", "people.csv"]);
    refused(&outcome, &["`sirname`", "`surname`", "`date`"]);
    let outcome =
        sandbox.run(&["resolve", "--input-file", "people.csv", "--model", "wrong.json", "--output-file", "out.csv"]);
    refused(&outcome, &["`sirname`", "`surname`", "`date`"]);
    assert!(!sandbox.path("out.csv").exists() && !sandbox.path("linkage").exists());
    sandbox.write("no.json", r#"{"link_type": "dedupe", "comparison": []}"#);
    refused(&sandbox.run(&["resolve", "model", "show", "no.json"]), &["link_type", "comparison"]);
}

#[test]
fn pairs_and_clusters_are_measured() {
    let sandbox = sandbox();
    done(&sandbox.run(&[
        "resolve",
        "predict",
        "--input-file",
        "people.csv",
        "--model",
        "model.json",
        "--output-file",
        "pairs.parquet",
        "--clusters",
        "clusters.csv",
    ]));
    let truth = ["--truth-column", "truth", "--input-file", "people.csv"];
    let evaluate = |what: &[&str], truth: &[&str]| {
        let outcome = sandbox.run(&[&["resolve", "evaluate", "--format", "json"], what, truth].concat());
        done(&outcome);
        serde_json::from_str::<Value>(&outcome.stdout).expect("JSON")
    };
    let pairs = evaluate(&["--pairs", "pairs.parquet", "--threshold", "0.9"], &truth);
    assert_eq!(pairs["pairs"]["blocking"]["true_pairs"], 80);
    let at = &pairs["thresholds"][0];
    assert!(at["pairs"]["at_threshold"]["f1"].as_f64().unwrap_or_default() > 0.9, "{at}");
    assert!(at["pairs"]["intervals"]["f1"]["low"].as_f64() < at["pairs"]["intervals"]["f1"]["high"].as_f64(), "{at}");
    let clusters = evaluate(&["--clusters", "clusters.csv"], &truth);
    assert_eq!(clusters["clusters"]["pairwise"]["f1"], at["clusters"]["evaluation"]["pairwise"]["f1"]);
    assert_eq!(clusters["clusters"]["b_cubed"]["f1"], at["clusters"]["evaluation"]["b_cubed"]["f1"]);

    // The same truth as pairs, and a few judged pairs.
    let columns = csv(&people());
    let mut known = String::from("id_l,id_r\n");
    let mut judged = String::from("unique_id_l,unique_id_r,clerical_match_score\n");
    for (row, window) in columns["truth"].windows(2).enumerate() {
        let same = window[0] == window[1];
        if same {
            let _ = writeln!(known, "{row},{}", row + 1);
        }
        let _ = writeln!(judged, "{row},{},{}", row + 1, u8::from(same));
    }
    sandbox.write("known.csv", known);
    sandbox.write("judged.csv", judged);
    let by_pairs = evaluate(&["--clusters", "clusters.csv"], &["--truth-pairs", "known.csv"]);
    assert_eq!(by_pairs["clusters"]["pairwise"]["true_positives"], clusters["clusters"]["pairwise"]["true_positives"]);
    let by_labels = evaluate(&["--pairs", "pairs.parquet", "--threshold", "0.9"], &["--labels", "judged.csv"]);
    assert_eq!(by_labels["pairs"]["blocking"]["true_pairs"], 80);
    let table = sandbox.run(&[&["resolve", "evaluate", "--pairs", "pairs.parquet"], truth.as_slice()].concat());
    done(&table);
    assert!(table.stdout.contains("80 true pairs") && table.stdout.contains("B-cubed F1"), "{table}");
    refused(
        &sandbox.run(&[
            "resolve",
            "evaluate",
            "--pairs",
            "pairs.parquet",
            "--truth-column",
            "trush",
            "--input-file",
            "people.csv",
        ]),
        &["`trush`", "`truth`"],
    );
}

#[test]
fn several_files_are_several_sources() {
    let sandbox = sandbox();
    let text = people();
    let mut lines = text.lines();
    let header = lines.next().unwrap_or_default();
    let (mut one, mut two) = (format!("{header}\n"), format!("{header}\n"));
    for (number, line) in lines.enumerate() {
        let _ = writeln!(if number % 4 == 1 { &mut two } else { &mut one }, "{line}");
    }
    sandbox.write("one.csv", one);
    sandbox.write("two.csv", two);
    let outcome = sandbox.run(&[
        "resolve",
        "--input-file",
        "one.csv",
        "--input-file",
        "two.csv",
        "--link-type",
        "link_only",
        "--model",
        "model.json",
        "--output-file",
        "linked.csv",
    ]);
    done(&outcome);
    let columns = csv(&read(&sandbox, "linked.csv"));
    assert_eq!(columns["source_dataset"].first().map(String::as_str), Some("one"));
    assert_eq!(columns["source_dataset"].last().map(String::as_str), Some("two"));
    assert!(columns["entity_id"].iter().all(|id| id.contains("-__-")), "entities are named by source and id");
    refused(
        &sandbox.run(&[
            "resolve",
            "--input-file",
            "one.csv",
            "--link-type",
            "link_only",
            "--model",
            "model.json",
            "--output-file",
            "x.csv",
        ]),
        &["needs several sources"],
    );
    let compared = sandbox.run(&[
        "resolve",
        "compare",
        "--input-file",
        "one.csv",
        "--input-file",
        "two.csv",
        "--link-type",
        "link_only",
        "--model",
        "model.json",
        "one:0",
        "two:1",
    ]);
    done(&compared);
}

#[test]
fn without_ids_rows_are_numbered() {
    let sandbox = sandbox();
    sandbox.write("bare.csv", people().replacen("unique_id,", "nr,", 1));
    let run = |rest: &[&str]| {
        let arguments =
            ["resolve", "--input-file", "bare.csv", "--model", "model.json", "--output-file", "bare_out.csv"];
        sandbox.run(&[&arguments, rest].concat())
    };
    let outcome = run(&[]);
    done(&outcome);
    assert!(outcome.stderr.contains("ids are row numbers"), "{outcome}");
    assert_eq!(json_of(&sandbox, "linkage/summary.json")["ids"], "row numbers");
    let by_number = csv(&read(&sandbox, "bare_out.csv"))["entity_id"].clone();
    done(&run(&["--unique-id-column", "nr"]));
    let by_id = csv(&read(&sandbox, "bare_out.csv"))["entity_id"].clone();
    let shifted: Vec<String> = by_id.iter().map(|id| (id.parse::<u32>().expect("a number") + 1).to_string()).collect();
    assert_eq!(by_number, shifted);
    refused(&run(&["--unique-id-column", "nrr"]), &["`nrr`", "`nr`"]);
}

#[test]
fn equal_names_need_no_model() {
    let sandbox = Sandbox::new();
    sandbox.write("clubs.csv", "Name,Town\nHarbour Rowing Club,X\nHARBOUR ROWING CLUB,Y\nHill Chess,X\n,X\n");
    let outcome = sandbox.run(&["resolve", "--input-file", "clubs.csv", "--output-file", "out.csv", "--no-use-splink"]);
    done(&outcome);
    assert!(outcome.stderr.contains("Without a model"), "{outcome}");
    assert_eq!(csv(&read(&sandbox, "out.csv"))["entity_id"], ["1", "1", "3", "4"]);
    let xlsx =
        sandbox.run(&["resolve", "--input-file", "clubs.csv", "--output-file", "out.xlsx", "--no-probabilistic"]);
    done(&xlsx);
    assert!(std::fs::read(sandbox.path("out.xlsx")).expect("a workbook").starts_with(b"PK"));

    let people = self::sandbox();
    let outcome = people.run(&[
        "resolve",
        "--input-file",
        "people.csv",
        "--model",
        "model.json",
        "--no-probabilistic",
        "--output-file",
        "out.csv",
    ]);
    done(&outcome);
    assert_eq!(json_of(&people, "linkage/summary.json")["method"], "rules");
}

#[test]
fn what_cannot_be_done_is_refused_with_a_hint() {
    let sandbox = sandbox();
    let run = |rest: &[&str]| {
        let arguments = ["resolve", "--input-file", "people.csv", "--output-file", "out.csv"];
        sandbox.run(&[&arguments, rest].concat())
    };
    refused(&run(&[]), &["without a model", "--model", "--no-probabilistic"]);
    refused(&run(&["--model", "none.json"]), &["none.json", "Check the path"]);
    refused(&run(&["--model", "model.json", "--review-threshold", "0.95"]), &["above the match threshold"]);
    refused(
        &run(&["--model", "model.json", "--exclude-columns", "dob"]),
        &["excluded column `dob`", "comparison `dob`"],
    );
    refused(&run(&["--model", "model.json", "--exclude-columns", "cty"]), &["`cty`", "`city`"]);
    refused(&run(&["--model", "model.json", "--label-studio-url", "http://localhost"]), &["Label Studio"]);
    refused(&run(&["--model", "model.json", "--memory-limit", "much"]), &["500MB"]);
    let mut product = model(true);
    product["blocking_rules_to_generate_predictions"] = json!([{"blocking_rule": "l.dob <> r.dob"}]);
    sandbox.write("product.json", product.to_string());
    refused(&run(&["--model", "product.json"]), &["51040", "--allow-full-product"]);
    done(&run(&["--model", "product.json", "--allow-full-product", "--artifacts-dir", "product"]));
    std::fs::remove_file(sandbox.path("out.csv")).expect("the output");

    sandbox.write("twice.csv", people().replacen("\n1,", "\n0,", 1));
    let twice =
        sandbox.run(&["resolve", "--input-file", "twice.csv", "--model", "model.json", "--output-file", "out.csv"]);
    refused(&twice, &["not unique", "--unique-id-column"]);
    refused(
        &sandbox.run(&["resolve", "--input-file", "people.csv", "--model", "model.json", "--output-file", "out.doc"]),
        &["out.doc"],
    );
    refused(
        &sandbox.run(&["resolve", "--input-file", "nothing.csv", "--model", "model.json", "--output-file", "out.csv"]),
        &["nothing.csv"],
    );
    let memory = run(&["--model", "model.json", "--memory-limit", "1KB"]);
    assert_eq!(memory.code, 1, "{memory}");
    assert!(memory.stderr.contains("--memory-limit"), "{memory}");
    assert!(!sandbox.path("out.csv").exists());
}

#[cfg(feature = "query")]
#[test]
fn predictions_are_a_table_of_a_query() {
    let sandbox = sandbox();
    // A model that measures the text of dates wants them as text.
    let sql = "SELECT unique_id, truth, first_name, surname, CAST(dob AS VARCHAR) AS dob, city FROM people";
    done(&sandbox.run(&["query", "--table", "people=people.csv", sql, "--output", "text.parquet"]));
    let ask = |sql: &str| sandbox.run(&["query", "--table", "people=text.parquet", sql, "--format", "csv"]);
    let found =
        ask("SELECT count(*) AS pairs, min(match_probability) >= 0.9 AS sure FROM predict('model.json', people, 0.9)");
    let pairs = "SELECT count(*) AS pairs FROM predict('model.json', people) p \
                 JOIN people l ON l.unique_id = p.unique_id_l JOIN people r ON r.unique_id = p.unique_id_r \
                 WHERE p.match_probability >= 0.9 AND l.truth = r.truth";
    done(&found);
    assert!(found.stdout.ends_with(",true\n"), "{found}");
    let same = ask(pairs);
    done(&same);
    let count: usize = same.stdout.lines().last().and_then(|line| line.parse().ok()).expect("a number");
    assert!((60..=80).contains(&count), "{same}");
    let functions = ask("SELECT jaro_winkler_similarity('José', 'José') AS same, levenshtein('Zoë', 'Zoe') AS edits");
    assert_eq!(functions.stdout, "same,edits\n1.0,1\n", "{functions}");
    refused(&ask("SELECT * FROM predict('modl.json', people)"), &["modl.json", "hint: Check the path"]);
    refused(&ask("SELECT * FROM predict('draft.json', people)"), &["is not trained", "hotpass resolve train"]);
    refused(&ask("SELECT * FROM predict('model.json', peple)"), &["No table `peple`", "Did you mean `people`?"]);
    refused(
        &sandbox.run(&["query", "--table", "people=people.csv", "SELECT * FROM predict('model.json', people)"]),
        &["levenshtein", "dob"],
    );
}

#[test]
fn a_run_keeps_evidence_that_verifies() {
    let sandbox = sandbox();
    let base = ["resolve", "--input-file", "people.csv", "--model", "model.json", "--output-file", "out.csv"];
    done(&sandbox.run(&base));
    let runs: Vec<_> = std::fs::read_dir(sandbox.path("dist/runs")).expect("runs").filter_map(Result::ok).collect();
    assert_eq!(runs.len(), 1, "{runs:?}");
    let run = runs[0].file_name().into_string().expect("a run id");
    let manifest = json_of(&sandbox, &format!("dist/runs/{run}/manifest.json"));
    assert_eq!((&manifest["command"], &manifest["status"]), (&json!("resolve"), &json!("completed")));
    let paths = |key: &str| -> Vec<String> {
        manifest[key]
            .as_array()
            .into_iter()
            .flatten()
            .map(|record| record["path"].as_str().unwrap_or("").to_owned())
            .collect()
    };
    assert_eq!(paths("inputs"), ["people.csv", "model.json"]);
    assert_eq!(paths("outputs"), ["out.csv", "linkage/pairs.parquet", "linkage/summary.json", "linkage/model.json"]);
    assert_eq!(manifest["rows"]["rows_in"], 320);
    done(&sandbox.run(&["verify", &run]));

    sandbox.write("out.csv", "changed");
    let changed = sandbox.run(&["verify", &run]);
    assert_eq!(changed.code, 3, "{changed}");
    assert!(changed.stdout.contains("output out.csv"), "{changed}");

    done(&sandbox.run(&[&base[..], &["--no-evidence"]].concat()));
    assert_eq!(std::fs::read_dir(sandbox.path("dist/runs")).expect("runs").count(), 1);
}

#[test]
fn records_are_checked_redacted_and_signed() {
    let sandbox = sandbox();
    assert_eq!(sandbox.run(&["keygen", "--out", "keys"]).code, 0);
    sandbox.write(
        "people.contract.json",
        r#"{"hotpass_contract": 1, "name": "people", "fields": [{"name": "city", "nullable": false}]}"#,
    );
    sandbox.write(
        "people.suite.json",
        json!({"name": "people", "expectations": [
            {"type": "expect_column_values_to_be_unique", "kwargs": {"column": "unique_id"}},
            {"type": "expect_column_values_to_be_in_set", "kwargs": {"column": "city", "value_set": CITIES}},
        ]})
        .to_string(),
    );
    let base = ["resolve", "--input-file", "people.csv", "--model", "model.json", "--output-file", "out.csv"];
    let plain = sandbox.run(&base);
    done(&plain);
    let entities = |text: &str| -> Vec<String> {
        text.lines().map(|line| line.rsplit(',').next().unwrap_or_default().to_owned()).collect()
    };
    let expected = entities(&read(&sandbox, "out.csv"));

    // The suite holds, and what is redacted is still compared.
    let checks = ["--expectation-suite", "people.suite.json", "--redact", "surname", "--redact", "first_name=mask"];
    let key = ["--signing-key", "file:keys/hotpass.key.pem"];
    let held = sandbox.run_at(1_700_000_100, &[&base[..], &checks, &key].concat());
    done(&held);
    let written = read(&sandbox, "out.csv");
    assert_eq!(entities(&written), expected);
    for name in LAST.iter().chain(&FIRST) {
        for file in ["out.csv", "linkage/summary.json", "linkage/quality.json"] {
            assert!(!read(&sandbox, file).contains(name), "`{name}` is in {file}");
        }
    }
    let signed = sandbox.run(&["verify", "--key", "keys/hotpass.pub.pem", "--require-signature"]);
    done(&signed);

    // Four people have no city: the contract is broken, the result is there, and the ledger says so.
    let contract = ["--contract", "people.contract.json"];
    let broken = sandbox.run_at(1_700_000_200, &[&base[..], &contract].concat());
    assert_eq!(broken.code, 3, "{broken}");
    assert!(broken.stderr.contains("contract `people`, broken by 20 of 320 rows"), "{broken}");
    let summary = sandbox.run(&["verify"]);
    done(&summary);
    let run = summary.stderr.split('`').nth(1).expect("the run is named").to_owned();
    let ledger = read(&sandbox, &format!("dist/runs/{run}/ledger.ndjson"));
    assert!(ledger.contains("contract.checked") && ledger.contains("run.failed"), "{ledger}");

    refused(&sandbox.run(&[&base[..], &["--contract", "peple.json"]].concat()), &["peple.json"]);
    refused(&sandbox.run(&[&base[..], &["--redact", "last_name"]].concat()), &["last_name"]);
    refused(&sandbox.run(&[&base[..], &["--redact", "surname=hash"]].concat()), &["privacy-key"]);
}

#[test]
fn a_run_that_fails_says_so_in_its_manifest() {
    let sandbox = sandbox();
    sandbox.write("broken.json", "{}");
    let base = ["resolve", "--input-file", "people.csv", "--model", "broken.json", "--output-file", "out.csv"];
    assert_eq!(sandbox.run(&base).code, 2);
    let runs: Vec<_> = std::fs::read_dir(sandbox.path("dist/runs")).expect("runs").filter_map(Result::ok).collect();
    let run = runs[0].file_name().into_string().expect("a run id");
    let manifest = json_of(&sandbox, &format!("dist/runs/{run}/manifest.json"));
    assert_eq!(manifest["status"], "failed");
    assert!(manifest["error"].as_str().is_some_and(|error| error.contains("broken.json")), "{manifest}");
}
