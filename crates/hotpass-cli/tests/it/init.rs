//! `hotpass init`: what it writes loads and runs.

use insta::assert_snapshot;

use crate::sandbox::Sandbox;

#[test]
fn a_workspace_is_written_and_listed() {
    let sandbox = Sandbox::new();
    assert_snapshot!(sandbox.run(&["init", "--path", "workspace"]));
    for name in ["hotpass.toml", "profiles/workspace.yaml", "data/README.md", ".gitignore"] {
        assert!(sandbox.path("workspace").join(name).is_file(), "{name}");
    }
}

#[test]
fn a_folder_that_holds_something_is_left_alone() {
    let sandbox = Sandbox::new();
    sandbox.write("workspace/hotpass.toml", "mine");
    assert_snapshot!(sandbox.run(&["init", "--path", "workspace"]));
    let kept = std::fs::read_to_string(sandbox.path("workspace/hotpass.toml")).expect("the file");
    assert_eq!(kept, "mine");
    assert_eq!(sandbox.run(&["init", "--path", "workspace", "--force"]).code, 0);
}

#[test]
fn an_unknown_profile_is_refused_before_anything_is_written() {
    let sandbox = Sandbox::new();
    assert_snapshot!(sandbox.run(&["init", "--path", "workspace", "--profile", "aviaton"]));
    assert!(!sandbox.path("workspace").exists());
}

#[test]
fn the_workspace_loads_and_runs() {
    let sandbox = Sandbox::new();
    for profile in ["generic", "aviation"] {
        let folder = sandbox.path(profile);
        let outcome = sandbox.run(&["init", "--sample", "--profile", profile, "--path", profile]);
        assert_eq!(outcome.code, 0, "{outcome}");
        let outcome = sandbox.run_in(&folder, &["config", "check", "hotpass.toml"]);
        assert_eq!(outcome.code, 0, "{outcome}");
        let outcome = sandbox.run_in(&folder, &["profile", "check", "profiles/workspace.yaml"]);
        assert_eq!(outcome.code, 0, "{outcome}");
        let outcome = sandbox.run_in(&folder, &["refine"]);
        assert_eq!(outcome.code, 0, "{outcome}");
        assert!(folder.join("dist/refined.xlsx").is_file());
    }
}
