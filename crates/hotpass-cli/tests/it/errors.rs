//! What a wrong request gets: the exit code, the reason, and a hint.

use insta::assert_snapshot;

use crate::sandbox::Sandbox;

#[test]
fn an_unknown_verb_is_named_with_the_nearest() {
    assert_snapshot!(Sandbox::new().run(&["overvew"]));
}

#[test]
fn an_unknown_flag_is_named_with_the_nearest() {
    assert_snapshot!(Sandbox::new().run(&["version", "--formt", "json"]));
}

#[test]
fn a_wrong_value_lists_the_right_ones() {
    assert_snapshot!(Sandbox::new().run(&["version", "--format", "yaml"]));
}

#[test]
fn a_wrong_clock_is_refused() {
    let sandbox = Sandbox::new();
    let output = assert_cmd::Command::cargo_bin("hotpass")
        .expect("the program was built")
        .arg("overview")
        .current_dir(sandbox.path(""))
        .env("SOURCE_DATE_EPOCH", "yesterday")
        .output()
        .expect("the program runs");
    assert_eq!(output.status.code(), Some(2));
    assert_snapshot!(String::from_utf8_lossy(&output.stderr));
}

#[test]
fn errors_are_events_in_json() {
    let sandbox = Sandbox::new();
    sandbox.write("workspace/file.txt", "x");
    let outcome = sandbox.run(&["init", "--path", "workspace", "--log-format", "json"]);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (2, ""));
    let event: serde_json::Value = serde_json::from_str(&outcome.stderr).expect("one JSON object");
    assert_eq!(event["event"], "error");
    assert_eq!(event["data"]["exit_code"], 2);
}
