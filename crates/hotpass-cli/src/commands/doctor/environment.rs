//! Folders, disk, memory and terminal.

use std::fs;
use std::path::{Path, PathBuf};

use hotpass_config::HotpassConfig;
use hotpass_core::AtomicFile;

use super::{Check, Repair};

/// Free space below which a run may well fail, in bytes.
const LITTLE_SPACE: u64 = 1 << 30;

/// Runs the checks.
pub(super) fn checks(config: &HotpassConfig) -> Vec<Check> {
    let pipeline = &config.pipeline;
    let output_folder = match pipeline.output_path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => PathBuf::from("."),
    };
    let mut checks = vec![
        input_folder(&pipeline.input_dir),
        writable("environment.output_folder", &output_folder, "pipeline.output_path"),
        writable("environment.dist_dir", &pipeline.dist_dir, "pipeline.dist_dir"),
    ];
    checks.extend(free_space(&pipeline.dist_dir));
    checks.extend(memory(config.ingest.memory_limit_bytes));
    checks.push(utf8_terminal());
    checks
}

fn input_folder(folder: &Path) -> Check {
    const NAME: &str = "environment.input_dir";
    let shown = folder.display();
    if folder.is_dir() {
        match fs::read_dir(folder) {
            Ok(_) => Check::pass(NAME, format!("Folder `{shown}` can be read")),
            Err(error) => Check::fail(
                NAME,
                format!("Folder `{shown}` cannot be read: {error}"),
                "Give yourself the right to read it",
            ),
        }
    } else if folder.exists() {
        Check::fail(NAME, format!("`{shown}` is not a folder"), "Set `pipeline.input_dir` to the folder of your files")
    } else {
        Check::fail(
            NAME,
            format!("Folder `{shown}` does not exist"),
            "Make it, or set `pipeline.input_dir` (`--input-dir` of `hotpass refine`) to the folder of your files",
        )
        .repair(Repair::MakeFolder(folder.to_path_buf()))
    }
}

/// Checks that files can be made in a folder, or in the nearest one above it that exists.
fn writable(name: &str, folder: &Path, key: &str) -> Check {
    let shown = folder.display();
    let existing = existing_ancestor(folder);
    if !existing.is_dir() {
        return Check::fail(
            name,
            format!("`{}` is not a folder", existing.display()),
            format!("Set `{key}` to another place"),
        );
    }
    // Dropped without a commit, the file leaves nothing behind.
    match AtomicFile::create(existing.join("hotpass-doctor")) {
        Ok(_) if folder.is_dir() => Check::pass(name, format!("Folder `{shown}` can be written")),
        Ok(_) => Check::pass(name, format!("Folder `{shown}` will be made by the first run")),
        Err(error) => Check::fail(
            name,
            format!("Nothing can be written to folder `{}`: {error}", existing.display()),
            format!("Give yourself the right to write there, or set `{key}` to another place"),
        ),
    }
}

fn existing_ancestor(folder: &Path) -> PathBuf {
    folder
        .ancestors()
        .map(|ancestor| if ancestor.as_os_str().is_empty() { Path::new(".") } else { ancestor })
        .find(|ancestor| ancestor.exists())
        .unwrap_or(Path::new("."))
        .to_path_buf()
}

#[cfg(unix)]
fn free_space(folder: &Path) -> Option<Check> {
    const NAME: &str = "environment.disk_space";
    let facts = rustix::fs::statvfs(existing_ancestor(folder)).ok()?;
    let free = facts.f_bavail.saturating_mul(facts.f_frsize);
    let message = format!("{} are free for results", bytes_text(free));
    Some(if free >= LITTLE_SPACE {
        Check::pass(NAME, message)
    } else {
        Check::warn(NAME, message, "Free some, or set `pipeline.dist_dir` to a larger disk")
    })
}

#[cfg(not(unix))]
fn free_space(_folder: &Path) -> Option<Check> {
    None
}

/// Compares the memory limit with the machine's memory, where the system tells it.
fn memory(limit: Option<u64>) -> Option<Check> {
    const NAME: &str = "environment.memory";
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let total = meminfo(&text, "MemTotal:")?;
    Some(match limit {
        None => Check::pass(NAME, format!("A run uses up to a quarter of {} of memory", bytes_text(total))),
        Some(limit) if limit <= total / 4 * 3 => {
            Check::pass(NAME, format!("A run uses up to {} of {} of memory", bytes_text(limit), bytes_text(total)))
        }
        Some(limit) => Check::warn(
            NAME,
            format!("The limit of {} is most of the machine's memory, {}", bytes_text(limit), bytes_text(total)),
            "Set `ingest.memory_limit_bytes` to less, or leave it out for a quarter of the machine's",
        ),
    })
}

fn meminfo(text: &str, key: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}

fn utf8_terminal() -> Check {
    const NAME: &str = "environment.terminal";
    let set = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    match set {
        Some(locale) if is_utf8(&locale) => Check::pass(NAME, "The terminal's encoding is UTF-8"),
        _ if cfg!(windows) => Check::pass(NAME, "The terminal's encoding is up to Windows"),
        Some(locale) => Check::warn(
            NAME,
            format!("The locale `{locale}` is not a UTF-8 one; accents and table lines may look wrong"),
            "Set `LC_ALL=C.UTF-8`",
        ),
        None => Check::warn(
            NAME,
            "No locale is set; accents and table lines may look wrong on this terminal",
            "Set `LC_ALL=C.UTF-8`",
        ),
    }
}

fn is_utf8(locale: &str) -> bool {
    let locale = locale.to_ascii_lowercase();
    locale.ends_with("utf-8") || locale.ends_with("utf8") || locale.contains("utf-8@") || locale.contains("utf8@")
}

/// Writes a number of bytes for people, in binary units.
fn bytes_text(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{bytes} B") } else { format!("{value:.1} {}", UNITS[unit]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_written_for_people() {
        assert_eq!(bytes_text(12), "12 B");
        assert_eq!(bytes_text(1 << 30), "1.0 GiB");
        assert_eq!(bytes_text(1_610_612_736), "1.5 GiB");
    }

    #[test]
    fn a_folder_that_is_missing_is_judged_by_the_one_above() -> std::io::Result<()> {
        let folder = tempfile::tempdir()?;
        assert!(writable("x", &folder.path().join("a/b"), "k").passed);
        hotpass_core::write_atomic(folder.path().join("file"), "")?;
        assert!(writable("x", &folder.path().join("file/b"), "k").is_failure());
        assert_eq!(fs::read_dir(folder.path())?.count(), 1, "the check leaves nothing behind");
        Ok(())
    }

    #[test]
    fn locales_name_their_encoding() {
        assert!(is_utf8("en_ZA.UTF-8") && is_utf8("C.utf8") && is_utf8("de_DE.UTF-8@euro"));
        assert!(!is_utf8("C") && !is_utf8("en_GB.ISO-8859-1"));
    }
}
