//! The tools that the gates call: which stage needs which, and how each is installed when it is absent.

use crate::process::{command, present, root, run};
use crate::secrets;

/// When a gate runs, or a tool is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// With every change: `cargo xtask qa`, `cargo xtask ci`.
    Default,
    /// With `--deep`: what takes minutes more and seldom says something new.
    Deep,
    /// Only when named: what takes an hour.
    OnDemand,
    /// With `cargo xtask ci --peers`: other programs to compare with.
    Peers,
}

impl Stage {
    /// Returns the name that is typed and printed.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Deep => "deep",
            Self::OnDemand => "on demand",
            Self::Peers => "peers",
        }
    }
}

struct Tool {
    stage: Stage,
    name: &'static str,
    /// How it is installed, for people and (for cargo and Go) as the command.
    install: &'static str,
    present: fn() -> bool,
}

const TOOLS: &[Tool] = &[
    Tool {
        stage: Stage::Default,
        name: "cargo-deny",
        install: "cargo install --locked cargo-deny@0.20.2",
        present: || present("cargo deny --version"),
    },
    Tool {
        stage: Stage::Default,
        name: "gitleaks",
        install: "go install github.com/zricethezav/gitleaks/v8@v8.30.1",
        present: || secrets::program().is_ok(),
    },
    Tool {
        stage: Stage::Deep,
        name: "cargo-llvm-cov",
        install: "cargo install --locked cargo-llvm-cov@0.9.1",
        present: || present("cargo llvm-cov --version"),
    },
    Tool {
        stage: Stage::Deep,
        name: "llvm-19",
        install: "apt-get install -y --no-install-recommends llvm-19",
        present: || present("llvm-cov-19 --version") && present("llvm-profdata-19 --version"),
    },
    Tool {
        stage: Stage::Deep,
        name: "cargo-fuzz",
        install: "cargo install --locked cargo-fuzz@0.13.2",
        present: || present("cargo fuzz --version"),
    },
    Tool {
        stage: Stage::OnDemand,
        name: "cargo-mutants",
        install: "cargo install --locked cargo-mutants@27.1.0",
        present: || present("cargo mutants --version"),
    },
    Tool {
        stage: Stage::Peers,
        name: "Python environments below target/peers",
        install: "made by the comparisons themselves, with pip",
        present: || root().join("target/peers").is_dir(),
    },
];

/// Prints which stage needs which tool, and which are there.
pub(crate) fn list() {
    println!("{:<10} {:<40} {:<8} installed by", "stage", "tool", "here");
    for tool in TOOLS {
        let here = if (tool.present)() { "yes" } else { "no" };
        println!("{:<10} {:<40} {here:<8} {}", tool.stage.name(), tool.name, tool.install);
    }
}

/// Installs the missing tools of a stage.
pub(crate) fn install(stage: Stage) -> Result<(), String> {
    for tool in TOOLS.iter().filter(|tool| tool.stage == stage && tool.stage != Stage::Peers) {
        if (tool.present)() {
            continue;
        }
        println!("$ {}", tool.install);
        let mut install = command(tool.install);
        // Tools do not share the workspace's lock file or features, so they must not share its build folder.
        install.env("CARGO_TARGET_DIR", root().join("target/tools"));
        let first = run(install);
        if first.is_err() && tool.install.starts_with("apt-get") {
            // A fresh machine has no list of packages yet.
            run(command("apt-get update"))?;
            run(command(tool.install))?;
        } else {
            first?;
        }
        if !(tool.present)() {
            return Err(format!("`{}` was installed and does not answer", tool.name));
        }
    }
    Ok(())
}

/// Returns an error that says how to install a tool, unless it is there.
pub(crate) fn need(name: &str) -> Result<(), String> {
    match TOOLS.iter().find(|tool| tool.name == name) {
        Some(tool) if !(tool.present)() => {
            let stage = match tool.stage {
                Stage::Default => "",
                Stage::Deep => " deep",
                Stage::OnDemand => " on-demand",
                Stage::Peers => " peers",
            };
            Err(format!("`{name}` is missing; run `cargo xtask install{stage}`"))
        }
        _ => Ok(()),
    }
}
