//! A folder of its own, a fixed clock, an empty environment, and output without what differs between machines.

use std::path::{Path, PathBuf};

use assert_cmd::Command;

/// A place to run the program in.
pub(crate) struct Sandbox {
    folder: tempfile::TempDir,
}

/// The one variable of the caller that a run keeps: where a program built for coverage writes what it ran, which would else be the
/// folder that a test looks at.
pub(crate) fn kept_variables() -> impl Iterator<Item = (&'static str, std::ffi::OsString)> {
    std::env::var_os("LLVM_PROFILE_FILE").into_iter().map(|value| ("LLVM_PROFILE_FILE", value))
}

/// What a run of the program gave.
pub(crate) struct Outcome {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    all: String,
}

impl Sandbox {
    /// Makes an empty sandbox.
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    /// Returns the path of something in the sandbox.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file into the sandbox.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        hotpass_core::write_atomic(self.path(name), content).expect("the sandbox can be written");
    }

    /// Runs the program in the sandbox.
    pub(crate) fn run(&self, arguments: &[&str]) -> Outcome {
        self.run_in(self.folder.path(), arguments)
    }

    /// Runs the program in the sandbox at another moment, in seconds since 1970.
    pub(crate) fn run_at(&self, moment: i64, arguments: &[&str]) -> Outcome {
        self.run_with(self.folder.path(), moment, arguments)
    }

    /// Runs the program in the sandbox with further variables.
    pub(crate) fn run_told(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Outcome {
        self.run_all(self.folder.path(), 1_700_000_000, variables, arguments, "")
    }

    /// Runs the program in the sandbox with a text on its standard input.
    pub(crate) fn run_fed(&self, arguments: &[&str], input: &str) -> Outcome {
        self.run_all(self.folder.path(), 1_700_000_000, &[], arguments, input)
    }

    /// Runs the program in a folder.
    pub(crate) fn run_in(&self, folder: &Path, arguments: &[&str]) -> Outcome {
        self.run_with(folder, 1_700_000_000, arguments)
    }

    fn run_with(&self, folder: &Path, moment: i64, arguments: &[&str]) -> Outcome {
        self.run_all(folder, moment, &[], arguments, "")
    }

    fn run_all(
        &self,
        folder: &Path,
        moment: i64,
        variables: &[(&str, &str)],
        arguments: &[&str],
        input: &str,
    ) -> Outcome {
        let output = Command::cargo_bin("hotpass")
            .expect("the program was built")
            .args(arguments)
            .current_dir(folder)
            .env_clear()
            .envs(kept_variables())
            .env("PATH", "")
            .env("HOME", self.folder.path())
            .env("LC_ALL", "C.UTF-8")
            .env("COLUMNS", "100")
            .env("SOURCE_DATE_EPOCH", moment.to_string())
            .envs(variables.iter().copied())
            .write_stdin(input)
            .timeout(std::time::Duration::from_mins(2))
            .output()
            .expect("the program runs");
        let text = |bytes: &[u8]| {
            String::from_utf8_lossy(bytes).replace(&self.folder.path().display().to_string(), "[SANDBOX]")
        };
        let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
        let code = output.status.code().unwrap_or(-1);
        let all = format!("exit code: {code}\n----- stdout -----\n{stdout}----- stderr -----\n{stderr}");
        Outcome { code, stdout, stderr, all }
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.all)
    }
}
