//! `hotpass demo`: the first command of a stranger.

use crate::sandbox::Sandbox;

#[test]
fn the_demonstration_runs_and_says_where_to_look() {
    let sandbox = Sandbox::new();
    let outcome = sandbox.run(&["demo"]);
    assert_eq!(outcome.code, 0, "{outcome}");
    let folder = sandbox.path("hotpass-demo");
    assert!(folder.join("dist/refined.xlsx").is_file(), "{outcome}");
    for line in outcome.stdout.lines().skip_while(|line| !line.starts_with("Look at")).skip(1).take(3) {
        let path = line.split_whitespace().next().unwrap_or_default();
        assert!(folder.join(path).is_file(), "`{path}` is named and missing:\n{outcome}");
    }
    let commands = outcome.stdout.lines().skip_while(|line| !line.starts_with("Type next")).skip(1);
    for line in commands {
        let command = line.trim().split("  ").next().unwrap_or_default();
        let arguments: Vec<&str> = command.split_whitespace().skip(1).collect();
        let typed = sandbox.run_in(&folder, &arguments);
        assert_eq!(typed.code, 0, "`{command}`:\n{typed}");
    }
    let again = sandbox.run(&["demo"]);
    assert_eq!(again.code, 2, "a folder that holds something is left alone: {again}");
}

#[test]
fn two_demonstrations_are_equal_to_the_byte() {
    let sandbox = Sandbox::new();
    let read = |folder: &str| {
        assert_eq!(sandbox.run(&["demo", "--path", folder]).code, 0);
        std::fs::read(sandbox.path(folder).join("dist/refined.xlsx")).expect("the result")
    };
    assert_eq!(read("one"), read("two"));
}
