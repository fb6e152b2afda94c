//! Looks into a workbook's zip package before a reader unpacks it: sizes, encryption, and what its sheets use.

#![expect(clippy::unnecessary_box_returns, reason = "made for results, whose errors are boxed to stay small")]

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use hotpass_core::{Diagnostic, Location};

use crate::format::FileFormat;
use crate::options::ReadOptions;
use crate::workbook::encrypted;

/// A part may unpack to this many times its packed size; XML of repetitive sheets reaches about 100.
const RATIO_LIMIT: u64 = 250;
/// The ratio counts only for parts that unpack to more than this, in bytes.
const RATIO_FREE: u64 = 64 << 20;
/// Most parts a package may have.
const PARTS_LIMIT: usize = 65_536;

/// What the parts of a package use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct PackageScan {
    /// A sheet has merged ranges.
    pub(crate) has_merges: bool,
    /// A sheet has formulas.
    pub(crate) has_formulas: bool,
}

/// Checks a package: each part is unpacked once, without keeping it, and stopped at the limits.
///
/// What a package declares about its sizes is not believed: readers do not check it either.
pub(crate) fn scan_package(
    path: &Path,
    format: FileFormat,
    location: &Location,
    options: &ReadOptions,
) -> Result<PackageScan, Box<Diagnostic>> {
    let broken = |error: &dyn std::fmt::Display| {
        Box::new(
            Diagnostic::error(
                "ingest.file.broken",
                format!("The package of the workbook is broken or cut off: {error}"),
            )
            .at(location.clone())
            .hint("Copy or export the file again"),
        )
    };
    let file = File::open(path).map_err(|error| broken(&error))?;
    let mut archive = zip::ZipArchive::new(BufReader::new(file)).map_err(|error| broken(&error))?;
    if archive.len() > PARTS_LIMIT {
        return Err(bomb(location, format!("The package has {} parts", archive.len())));
    }
    let mut scan = PackageScan::default();
    let mut total = 0;
    for index in 0..archive.len() {
        let (name, packed, is_encrypted) = {
            let part = archive.by_index_raw(index).map_err(|error| broken(&error))?;
            let name = part.name().map(|name| name.replace('\\', "/").to_ascii_lowercase()).unwrap_or_default();
            (name, part.compressed_size(), part.encrypted())
        };
        if is_encrypted {
            return Err(Box::new(encrypted(location.clone())));
        }
        // Pictures and the like are never unpacked.
        if !matches!(name.rsplit('.').next(), Some("xml" | "rels" | "bin")) {
            continue;
        }
        // A part that cannot be unpacked may be one that no reader needs.
        let Ok(mut part) = archive.by_index(index) else { continue };
        let is_sheet = name.contains("worksheets/");
        let mut search = Search::default();
        let size = unpack(&mut part, |size, block| {
            if size > RATIO_FREE && size > packed.saturating_mul(RATIO_LIMIT) {
                return Err(bomb(
                    location,
                    format!("A part of the package unpacks to more than {RATIO_LIMIT} times its size"),
                ));
            }
            if !is_sheet && size > options.memory_limit_bytes / 2 || size > options.memory_limit_bytes.saturating_mul(8)
            {
                return Err(bomb(
                    location,
                    format!("A part of the package unpacks to more than the memory limit allows: {} MB", size >> 20),
                ));
            }
            if is_sheet || name == "meta-inf/manifest.xml" {
                search.look(block);
            }
            Ok(())
        })?;
        total += size;
        scan.has_merges |= search.has_merges;
        scan.has_formulas |= search.has_formulas;
        if format == FileFormat::Ods && name == "meta-inf/manifest.xml" && search.has_encryption {
            return Err(Box::new(encrypted(location.clone())));
        }
        if total > options.memory_limit_bytes.saturating_mul(16) {
            return Err(bomb(
                location,
                format!("The package unpacks to more than the memory limit allows: {} MB", total >> 20),
            ));
        }
    }
    Ok(scan)
}

fn bomb(location: &Location, message: String) -> Box<Diagnostic> {
    Box::new(
        Diagnostic::error("ingest.file.too_large", message)
            .at(location.clone())
            .hint("If the file is genuine, raise the memory limit or save its sheets as csv"),
    )
}

/// Reads a part to its end in blocks and returns its size; a broken end is left to the reader to report.
fn unpack(
    part: &mut impl Read,
    mut each: impl FnMut(u64, &[u8]) -> Result<(), Box<Diagnostic>>,
) -> Result<u64, Box<Diagnostic>> {
    let mut block = vec![0; 1 << 16];
    let mut size = 0;
    loop {
        match part.read(&mut block) {
            Ok(0) => return Ok(size),
            Ok(length) => {
                size += length as u64;
                each(size, &block[..length])?;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return Ok(size),
        }
    }
}

/// Looks for marks in blocks, across their borders.
#[derive(Default)]
struct Search {
    tail: Vec<u8>,
    has_merges: bool,
    has_formulas: bool,
    has_encryption: bool,
}

impl Search {
    fn look(&mut self, block: &[u8]) {
        const OVERLAP: usize = 20;
        self.tail.extend_from_slice(&block[..block.len().min(OVERLAP)]);
        let border = std::mem::take(&mut self.tail);
        self.look_in(&border);
        self.look_in(block);
        self.tail.extend_from_slice(&block[block.len().saturating_sub(OVERLAP)..]);
    }

    fn look_in(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let Some(position) = memchr::memchr2(b'f', b'm', rest) {
            let before = position.checked_sub(1).map(|previous| rest[previous]);
            let at = &rest[position..];
            match at[0] {
                b'f' if !self.has_formulas => {
                    self.has_formulas =
                        matches!(before, Some(b'<' | b':')) && matches!(at.get(1), Some(b'>' | b' ' | b'/'));
                }
                b'm' if !self.has_merges => self.has_merges = at.starts_with(b"mergeCell"),
                _ => {}
            }
            if at.starts_with(b"manifest:encryption-data") || at.starts_with(b"manifest:encry") {
                self.has_encryption = true;
            }
            rest = &at[1..];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_found_across_blocks() {
        let check = |blocks: &[&str], merges: bool, formulas: bool| {
            let mut search = Search::default();
            for block in blocks {
                search.look(block.as_bytes());
            }
            assert_eq!((search.has_merges, search.has_formulas), (merges, formulas), "{blocks:?}");
        };
        check(&["<c><f>A1</f></c>"], false, true);
        check(&["<c><", "f>A1</f></c>"], false, true);
        check(&["<mergeCells><merge", "Cell ref=\"A1:B1\"/>"], true, false);
        check(&["<merg", "eCells>"], true, false);
        check(&["<c><v>12 of 3</v></c>"], false, false);
    }
}
