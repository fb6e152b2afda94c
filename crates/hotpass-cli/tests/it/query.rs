//! `hotpass query`: SQL over files, and what a wrong query gets.

use crate::sandbox::Sandbox;

#[cfg(not(feature = "query"))]
#[test]
fn a_program_without_it_says_how_to_get_it() {
    insta::assert_snapshot!(Sandbox::new().run(&["query", "SELECT 1"]));
}

#[cfg(feature = "query")]
fn clubs() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("clubs.csv", "Clubs of the coast\n\nName;Members;Since\nTern;30;1/02/1999\nGannet;12;15/03/2004\n");
    sandbox
}

#[cfg(feature = "query")]
#[test]
fn a_messy_file_is_a_typed_table() {
    let sandbox = clubs();
    let sql = "SELECT sum(members) AS members, min(since) AS since FROM clubs";
    let outcome = sandbox.run(&["query", "--table", "clubs=clubs.csv", sql, "--format", "csv"]);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (0, "members,since\n42,1999-02-01\n"), "{outcome}");
}

#[cfg(feature = "query")]
#[test]
fn results_are_written_in_every_form_and_read_again() {
    let sandbox = clubs();
    let sql = "SELECT name, members FROM clubs ORDER BY members";
    for name in ["out.parquet", "out.csv", "out.json"] {
        let outcome = sandbox.run(&["query", "--table", "clubs=clubs.csv", sql, "--output", name]);
        assert_eq!(outcome.code, 0, "{outcome}");
        let again = sandbox.run(&[
            "query",
            "--table",
            &format!("again={name}"),
            "SELECT name FROM again WHERE members > 20",
            "--format",
            "json",
        ]);
        assert_eq!(again.stdout, "{\"name\":\"Tern\"}\n", "{name}: {again}");
    }
}

#[cfg(feature = "query")]
#[test]
fn wrong_queries_are_usage_errors_with_the_nearest_name() {
    let sandbox = clubs();
    let check = |sql: &str, expected: &str| {
        let outcome = sandbox.run(&["query", "--table", "clubs=clubs.csv", sql]);
        assert_eq!(outcome.code, 2, "{outcome}");
        assert!(outcome.stderr.contains(expected), "{outcome}");
    };
    check("SELECT member FROM clubs", "hint: Did you mean `members`?");
    check("SELECT * FROM club", "hint: Did you mean `clubs`?");
    check("DROP TABLE clubs", "Only queries are run");
    let outcome = sandbox.run(&["query", "SELECT * FROM golden"]);
    assert_eq!(outcome.code, 2, "{outcome}");
    assert!(outcome.stderr.contains("hotpass refine"), "{outcome}");
}
