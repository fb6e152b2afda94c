use std::process::Command;

use super::*;

type TestResult = Result<(), Box<dyn std::error::Error>>;

const CLOCK: Clock = Clock::Fixed(1_700_000_000_000);
/// Tells the test program to be a writer, and where to write.
const WRITER: &str = "HOTPASS_TEST_LEDGER_WRITER";

fn ledger_of(entries: u64) -> Result<(tempfile::TempDir, Ledger), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let ledger = Ledger::open(folder.path().join("ledger.ndjson"));
    for number in 0..entries {
        ledger.append(Entry::new(EntryKind::ExportWritten).by(Some("thandi"), &[]).detail("rows", number), CLOCK)?;
    }
    Ok((folder, ledger))
}

fn lines(ledger: &Ledger) -> Result<Vec<String>, io::Error> {
    Ok(std::fs::read_to_string(ledger.path())?.lines().map(str::to_owned).collect())
}

fn write(ledger: &Ledger, lines: &[String]) -> io::Result<()> {
    hotpass_core::write_atomic(ledger.path(), lines.join("\n") + "\n")
}

#[test]
fn the_hash_is_that_of_the_line_without_it() -> TestResult {
    let (_folder, ledger) = ledger_of(2)?;
    let lines = lines(&ledger)?;
    let (content, hash) = lines[0].split_once(",\"hash\":\"").ok_or("hash")?;
    assert_eq!(
        content,
        "{\"sequence\":0,\"time\":\"2023-11-14T22:13:20Z\",\"kind\":\"export.written\",\"operator\":\"thandi\",\
         \"details\":{\"rows\":0},\"previous\":\"0000000000000000000000000000000000000000000000000000000000000000\""
    );
    assert_eq!(hash.trim_end_matches("\"}"), hotpass_core::sha256_bytes(format!("{content}}}")).as_str());
    let reading = ledger.read()?;
    assert_eq!(reading.entries[1].previous, reading.entries[0].hash);
    assert!(reading.faults.is_empty() && reading.holds(&reading.head().ok_or("head")?));
    Ok(())
}

#[test]
fn any_changed_byte_is_found_in_its_line() -> TestResult {
    let (_folder, ledger) = ledger_of(3)?;
    let bytes = std::fs::read(ledger.path())?;
    let mut line = 1;
    for position in 0..bytes.len() {
        for replacement in [bytes[position] ^ 1, b'\n', b'"', 0xff] {
            if replacement == bytes[position] {
                continue;
            }
            let mut changed = bytes.clone();
            changed[position] = replacement;
            let faults = super::check(&changed).faults;
            let first = faults.first().ok_or_else(|| format!("byte {position} as {replacement} is not found"))?;
            assert!(first.line == line, "byte {position} of line {line} as {replacement}: {first}");
        }
        line += u64::from(bytes[position] == b'\n');
    }
    Ok(())
}

#[test]
fn missing_moved_inserted_and_replaced_entries_are_named() -> TestResult {
    let (_folder, ledger) = ledger_of(6)?;
    let original = lines(&ledger)?;
    let check = |order: &[usize], expected: &str| -> TestResult {
        write(&ledger, &order.iter().map(|index| original[*index].clone()).collect::<Vec<_>>())?;
        let faults: Vec<String> = ledger.read()?.faults.iter().map(ToString::to_string).collect();
        assert!(faults.iter().any(|fault| fault.starts_with(expected)), "{order:?}: {faults:?}");
        Ok(())
    };
    check(&[0, 1, 3, 4, 5], "Entry 2 (line 3) is missing before this line")?;
    check(&[0, 1, 4, 5], "Entry 2 (line 3) is missing before this line, and all up to entry 3")?;
    check(&[1, 2, 3], "Entry 0 (line 1) is missing")?;
    check(&[0, 2, 1, 3], "Entry 2 (line 2) stands before entry 1: it was moved")?;
    check(&[0, 2, 1, 3], "Entry 1 (line 3) stands after entry 2: it was moved or inserted")?;
    check(&[0, 1, 1, 2], "Entry 1 (line 3) stands after entry 1: it was moved or inserted")?;

    // An entry that is written anew with a right hash of its own breaks the chain behind it.
    let (_other_folder, other) = ledger_of(1)?;
    other.append(Entry::new(EntryKind::PrivacyErased), CLOCK)?;
    let mut forged = original.clone();
    forged[1].clone_from(&lines(&other)?[1]);
    write(&ledger, &forged)?;
    let faults: Vec<String> = ledger.read()?.faults.iter().map(ToString::to_string).collect();
    assert_eq!(faults, ["Entry 1 (line 2) is not the one that entry 2 was written after"]);

    // What is cut off the end is missed by whoever kept the head.
    write(&ledger, &original)?;
    let head = ledger.read()?.head().ok_or("head")?;
    write(&ledger, &original[..5])?;
    let reading = ledger.read()?;
    assert!(reading.faults.is_empty() && !reading.holds(&head));
    Ok(())
}

#[test]
fn a_torn_line_is_kept_and_recorded() -> TestResult {
    let (_folder, ledger) = ledger_of(3)?;
    let whole = std::fs::read(ledger.path())?;
    let last = whole[..whole.len() - 1].iter().rposition(|byte| *byte == b'\n').ok_or("line")? + 1;
    for length in last..whole.len() {
        hotpass_core::write_atomic(ledger.path(), &whole[..length])?;
        let entry = ledger.append(Entry::new(EntryKind::RunCompleted), CLOCK)?;
        let reading = ledger.read()?;
        assert!(reading.faults.is_empty(), "{length}: {:?}", reading.faults);
        let bytes = std::fs::read(ledger.path())?;
        assert!(bytes.starts_with(&whole[..length]), "nothing is taken away");
        let torn = length - last;
        let complete = length == whole.len() - 1;
        assert_eq!(entry.sequence, if torn == 0 { 2 } else { 3 });
        assert_eq!(reading.repaired.len(), usize::from(torn > 0 && !complete), "{length}");
        if torn > 0 && !complete {
            let repair = &reading.entries[2];
            assert_eq!(
                (repair.kind.as_str(), repair.details["torn_lines"][0]["bytes"].as_u64()),
                ("ledger.repaired", Some(torn as u64))
            );
        }
    }
    // A crash while a repair is written tears the repair too.
    hotpass_core::write_atomic(ledger.path(), [&whole[..last + 20], b"\n{\"sequence\":2,\"ti"].concat())?;
    ledger.append(Entry::new(EntryKind::RunCompleted), CLOCK)?;
    let reading = ledger.read()?;
    assert_eq!((reading.repaired.as_slice(), reading.faults.len()), ([3, 4].as_slice(), 0));
    // What a repair says of the torn bytes holds them as well.
    let mut changed = std::fs::read(ledger.path())?;
    changed[last + 3] ^= 1;
    assert!(super::check(&changed).faults.iter().any(|fault| fault.line == 3));
    Ok(())
}

#[test]
fn nothing_is_put_after_a_changed_entry() -> TestResult {
    let (_folder, ledger) = ledger_of(2)?;
    let text = std::fs::read_to_string(ledger.path())?.replace("\"rows\":1", "\"rows\":7");
    hotpass_core::write_atomic(ledger.path(), text)?;
    let refused = ledger.append(Entry::new(EntryKind::RunCompleted), CLOCK);
    assert!(matches!(refused, Err(LedgerError::Changed { .. })), "{refused:?}");
    Ok(())
}

#[test]
fn a_long_last_entry_is_found() -> TestResult {
    let (_folder, ledger) = ledger_of(1)?;
    let long = Entry::new(EntryKind::RunInputs).detail("files", vec!["0123456789abcdef"; 40_000]);
    ledger.append(long, CLOCK)?;
    assert_eq!(ledger.append(Entry::new(EntryKind::RunCompleted), CLOCK)?.sequence, 2);
    assert!(ledger.read()?.faults.is_empty());
    Ok(())
}

#[test]
fn what_is_appended_to_a_run_is_in_the_workspace_too() -> TestResult {
    let dist = tempfile::tempdir()?;
    let run = dist.path().join("runs/018bcfe5-6800-7000-8000-000000000000");
    let entry = Ledger::of_run(&run).append(Entry::new(EntryKind::PrivacyErased).detail("values", 2), CLOCK)?;
    let workspace = Ledger::open(dist.path().join(LEDGER_FILE)).read()?;
    let mirrored = &workspace.entries[0];
    assert_eq!(mirrored.run_id.as_deref(), Some("018bcfe5-6800-7000-8000-000000000000"));
    assert_eq!(mirrored.details["run_ledger"]["hash"], entry.hash);
    assert_eq!(mirrored.details["values"], 2);
    Ok(())
}

#[test]
fn threads_and_processes_land_in_order() -> TestResult {
    const WRITERS: u64 = 4;
    const ENTRIES: u64 = 12;
    let (_folder, ledger) = ledger_of(0)?;
    let program = std::env::current_exe()?;
    let mut processes = Vec::new();
    for _ in 0..WRITERS {
        let mut process = Command::new(&program);
        process.args(["--exact", "ledger::tests::writes_where_it_is_told_to", "--nocapture"]);
        process.env(WRITER, ledger.path()).stdout(std::process::Stdio::null());
        processes.push(process.spawn()?);
    }
    std::thread::scope(|scope| {
        for _ in 0..WRITERS {
            scope.spawn(|| (0..ENTRIES).try_for_each(|_| append_one(&ledger)).expect("the ledger can be written"));
        }
    });
    for mut process in processes {
        assert!(process.wait()?.success());
    }
    let reading = ledger.read()?;
    assert_eq!(reading.faults, []);
    assert_eq!(reading.entries.len() as u64, 2 * WRITERS * ENTRIES);
    let writers: std::collections::BTreeSet<_> =
        reading.entries.iter().filter_map(|entry| entry.details["process"].as_u64()).collect();
    assert_eq!(writers.len() as u64, WRITERS + 1, "every process has written");
    Ok(())
}

#[test]
fn writes_where_it_is_told_to() -> TestResult {
    let Some(path) = std::env::var_os(WRITER) else { return Ok(()) };
    let ledger = Ledger::open(PathBuf::from(path));
    (0..12).try_for_each(|_| append_one(&ledger))?;
    Ok(())
}

fn append_one(ledger: &Ledger) -> Result<(), LedgerError> {
    let entry = Entry::new(EntryKind::ExportWritten).detail("process", u64::from(std::process::id()));
    ledger.append(entry, Clock::System).map(|_| ())
}
