//! What the targets share: files of any bytes, packages around any parts, and tables read to the end.

use std::fs;
use std::io::{Cursor, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{LazyLock, Once};

use hotpass_core::sha256_bytes;
use hotpass_ingest::source::{Compression, FileFormat};
use hotpass_ingest::{ReadOptions, SourceFile, open_file};
use zip::write::SimpleFileOptions;

/// A folder of this process, in memory where the system has such a place.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let memory = Path::new("/dev/shm");
    let base = if memory.is_dir() { memory.to_path_buf() } else { std::env::temp_dir() };
    let folder = base.join(format!("hotpass-fuzz-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder for files");
    folder
});

/// Most memory that a file may take: an input is some kilobytes.
const MEMORY: u64 = 256 << 20;

/// Rows of a table that are read; what comes after them is more of the same.
const BATCHES: usize = 64;

/// Writes the bytes to a file and works on its path.
pub fn with_file(bytes: &[u8], work: impl FnOnce(&Path)) {
    with_file_named("input", bytes, work);
}

/// Writes the bytes to a file of a name and works on its path.
pub fn with_file_named(name: &str, bytes: &[u8], work: impl FnOnce(&Path)) {
    let path = FOLDER.join(name);
    fs::write(&path, bytes).expect("the file can be written");
    work(&path);
    let _ = fs::remove_file(&path);
}

/// Reads the bytes as a file of a format.
pub fn read_table_file(bytes: &[u8], format: FileFormat, compression: Compression) {
    with_file(bytes, |path| {
        let file = SourceFile {
            path: path.to_path_buf(),
            name: "input".into(),
            format,
            compression,
            bytes: bytes.len() as u64,
            sha256: sha256_bytes(bytes),
        };
        drain(&file);
    });
}

/// Lets panics unwind that the product itself catches: libFuzzer's hook would end the process before it can. One that nobody
/// catches still ends it, with the input kept.
fn let_panics_unwind() {
    static SAID: AtomicU32 = AtomicU32::new(0);
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        std::panic::set_hook(Box::new(|panic| {
            if SAID.fetch_add(1, Ordering::Relaxed) < 20 {
                eprintln!("{panic}");
            }
        }));
    });
}

/// Opens a file and reads its tables: every batch is as wide as the schema says, and rows only go down.
pub fn drain(file: &SourceFile) {
    let_panics_unwind();
    let options = ReadOptions { memory_limit_bytes: MEMORY, batch_rows: 256, ..ReadOptions::default() };
    let Ok(opened) = open_file(file, &options) else { return };
    for table in opened.tables {
        let width = table.schema.columns.len() + 1;
        for batch in table.batches.take(BATCHES) {
            let Ok(batch) = batch else { break };
            assert_eq!(batch.num_columns(), width, "a batch is as wide as its schema");
        }
    }
}

/// Returns a zip package of parts.
pub fn package(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut package = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, bytes) in parts {
        package.start_file(*name, stored).expect("a part begins");
        package.write_all(bytes).expect("a part is written");
    }
    package.finish().expect("the package is closed").into_inner()
}
