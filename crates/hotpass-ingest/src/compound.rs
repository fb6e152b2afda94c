//! The chains of sectors in a compound file (MS-CFB, the container of xls), followed once before its reader does: a chain that leads
//! back to itself would be read until no memory is left.

use std::collections::HashMap;
use std::io::{Read, Seek, SeekFrom};

/// First bytes of a compound file (MS-CFB 2.2).
const SIGNATURE: [u8; 8] = [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1];
/// Sector numbers from here on are marks and no sectors (MS-CFB 2.1: `MAXREGSECT` and above).
const MARKS: u32 = 0xFFFF_FFFA;
/// Bytes of an entry of the directory.
const ENTRY: usize = 128;
/// Numbers of the allocation table's sectors that stand in the header.
const IN_HEADER: usize = 109;

/// Follows the chains of the directory and of every stream, and rewinds.
///
/// Returns in words what is wrong; what the reader itself tells, such as a file that is cut off, is no error here.
pub(crate) fn check(source: &mut (impl Read + Seek)) -> Result<(), String> {
    let result = check_chains(source);
    source.rewind().map_err(|error| error.to_string())?;
    result
}

fn check_chains(source: &mut (impl Read + Seek)) -> Result<(), String> {
    let length = source.seek(SeekFrom::End(0)).map_err(|error| error.to_string())?;
    source.rewind().map_err(|error| error.to_string())?;
    let mut header = [0; 512];
    if source.read_exact(&mut header).is_err() || header[..8] != SIGNATURE {
        return Ok(());
    }
    let shift = u16::from_le_bytes([header[30], header[31]]);
    if !(7..=20).contains(&shift) {
        return Ok(());
    }
    let number = |at: usize| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    let mut file = Sectors { source, size: 1 << shift, count: length >> shift, table: Vec::new() };

    // The sectors of the allocation table: in the header, then in a chain whose sectors name the next one last.
    let mut of_table: Vec<u32> = (0..IN_HEADER).map(|index| number(76 + 4 * index)).collect();
    let mut next = number(68);
    let mut seen = 0_u64;
    while next < MARKS {
        seen += 1;
        if seen > file.count {
            return Err("its list of allocation tables leads back to itself".to_owned());
        }
        let Some(mut numbers) = file.numbers(next) else { return Ok(()) };
        next = numbers.pop().unwrap_or(u32::MAX);
        of_table.extend(numbers);
    }
    for sector in of_table.into_iter().filter(|sector| *sector < MARKS) {
        let Some(numbers) = file.numbers(sector) else { return Ok(()) };
        file.table.extend(numbers);
    }

    let directory = file.chain(number(48), &mut HashMap::new(), 0)?;
    let mut known = HashMap::new();
    let mut order = 0;
    for sector in directory {
        let Some(bytes) = file.read(sector) else { return Ok(()) };
        for entry in bytes.chunks_exact(ENTRY) {
            let start = u32::from_le_bytes([entry[116], entry[117], entry[118], entry[119]]);
            let size = u32::from_le_bytes([entry[120], entry[121], entry[122], entry[123]]);
            // A short stream stands in the small sectors, whose chain is no longer than it is; the root's is that of all of them.
            if entry[66] == 5 || size >= 4096 {
                order += 1;
                file.chain(start, &mut known, order)?;
            }
        }
    }
    order += 1;
    file.chain(number(60), &mut known, order).map(drop)
}

struct Sectors<'a, S> {
    source: &'a mut S,
    size: usize,
    count: u64,
    table: Vec<u32>,
}

impl<S: Read + Seek> Sectors<'_, S> {
    fn read(&mut self, sector: u32) -> Option<Vec<u8>> {
        let mut bytes = vec![0; self.size];
        self.source.seek(SeekFrom::Start((u64::from(sector) + 1) * self.size as u64)).ok()?;
        self.source.read_exact(&mut bytes).ok()?;
        Some(bytes)
    }

    fn numbers(&mut self, sector: u32) -> Option<Vec<u32>> {
        let bytes = self.read(sector)?;
        Some(bytes.chunks_exact(4).map(|four| u32::from_le_bytes([four[0], four[1], four[2], four[3]])).collect())
    }

    /// Follows a chain to its end, or into one that was followed before; `order` tells this one from those.
    fn chain(&self, start: u32, known: &mut HashMap<u32, u32>, order: u32) -> Result<Vec<u32>, String> {
        let mut sectors = Vec::new();
        let mut next = start;
        while next < MARKS && u64::from(next) < self.count {
            match known.insert(next, order) {
                Some(earlier) if earlier == order => {
                    return Err("a chain of its sectors leads back to itself".to_owned());
                }
                Some(_) => break,
                None => sectors.push(next),
            }
            let Some(following) = self.table.get(next as usize) else { break };
            next = *following;
        }
        Ok(sectors)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    /// A file of one table, a directory in sector 1 and a stream from sector 2 on, with the given table.
    fn compound(table: [u32; 6]) -> Cursor<Vec<u8>> {
        let mut bytes = vec![0xFF; 512 * 7];
        bytes[..8].copy_from_slice(&SIGNATURE);
        bytes[30..32].copy_from_slice(&9_u16.to_le_bytes());
        for (at, number) in [(48, 1_u32), (60, u32::MAX - 1), (68, u32::MAX - 1), (76, 0)] {
            bytes[at..at + 4].copy_from_slice(&number.to_le_bytes());
        }
        for (index, number) in table.iter().enumerate() {
            bytes[512 + 4 * index..516 + 4 * index].copy_from_slice(&number.to_le_bytes());
        }
        let entry = 1024;
        bytes[entry..entry + 512].fill(0);
        bytes[entry + 116..entry + 120].copy_from_slice(&2_u32.to_le_bytes());
        bytes[entry + 120..entry + 124].copy_from_slice(&8192_u32.to_le_bytes());
        Cursor::new(bytes)
    }

    #[test]
    fn chains_that_lead_back_are_found_and_others_are_not() {
        const END: u32 = 0xFFFF_FFFE;
        const TABLE: u32 = 0xFFFF_FFFD;
        for (table, sound) in [
            ([TABLE, END, 3, 4, END, END], true),
            ([TABLE, 1, 3, 4, END, END], false),
            ([TABLE, END, 3, 4, 2, END], false),
            ([TABLE, END, 3, 4, 900, END], true),
            ([0, 0, 0, 0, 0, 0], false),
        ] {
            let found = check(&mut compound(table));
            assert_eq!(found.is_ok(), sound, "{table:?}: {found:?}");
        }
        assert_eq!(check(&mut Cursor::new(b"no compound file".to_vec())), Ok(()));
    }
}
