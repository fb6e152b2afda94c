//! Dialect of delimited text: separator, quotes and line ends, found from a sample.

use csv_core::{ReadRecordResult, ReaderBuilder};

/// Bytes of the sample that are parsed with each candidate.
const SNIFFED_BYTES: usize = 128 * 1024;
/// Records that are looked at for each candidate.
const SNIFFED_RECORDS: usize = 500;
/// Separators, with how readily each is believed.
const DELIMITERS: [(u8, f64); 7] =
    [(b',', 1.0), (b';', 1.0), (b'\t', 1.05), (b'|', 1.0), (b'^', 0.8), (b'~', 0.7), (b':', 0.5)];

/// How a delimited text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dialect {
    pub(crate) delimiter: u8,
    pub(crate) quote: Option<u8>,
    /// The first line names the separator (`sep=;`) and is no record.
    pub(crate) named_delimiter: bool,
}

/// Finds the dialect of a sample of UTF-8 text; the ending of the file tips the balance.
///
/// Each candidate separator parses the sample: the one whose records have most often the same number of fields, at least two,
/// wins. Without one the text has a single column.
pub(crate) fn sniff_dialect(sample: &[u8], ending: Option<&str>) -> Dialect {
    let sample = &sample[..sample.len().min(SNIFFED_BYTES)];
    let mut dialect = Dialect { delimiter: b',', quote: Some(b'"'), named_delimiter: false };
    if let Some(&[delimiter, after]) = sample.strip_prefix(b"sep=").and_then(|rest| rest.first_chunk::<2>())
        && matches!(after, b'\r' | b'\n')
    {
        return Dialect { delimiter, named_delimiter: true, ..dialect };
    }
    let promised = match ending {
        Some("tsv" | "tab") => b'\t',
        Some("psv") => b'|',
        Some("ssv") => b';',
        _ => b',',
    };
    let best = DELIMITERS
        .iter()
        .map(|&(delimiter, prior)| {
            let bonus = match ending {
                Some("tsv" | "tab" | "psv" | "ssv") if delimiter == promised => 1.15,
                Some("csv") if delimiter == promised => 1.06,
                _ => 1.0,
            };
            (delimiter, bonus * prior * consistency(sample, delimiter))
        })
        .max_by(|left, right| left.1.total_cmp(&right.1));
    dialect.delimiter = best.filter(|(_, score)| *score > 0.2).map_or(promised, |(delimiter, _)| delimiter);
    dialect.quote = Some(quote_of(sample, dialect.delimiter));
    dialect
}

/// Scores a separator from 0 to about 1.2: the share of records with the commonest number of fields, a little more for many fields.
fn consistency(sample: &[u8], delimiter: u8) -> f64 {
    let mut reader = ReaderBuilder::new().delimiter(delimiter).build();
    let mut counts: std::collections::BTreeMap<usize, usize> = std::collections::BTreeMap::new();
    let (mut position, mut records) = (0, 0);
    let (mut text, mut ends) = (vec![0; 16 * 1024], vec![0; 1024]);
    let (mut fields, mut written) = (0, 0);
    while records < SNIFFED_RECORDS {
        let (result, read, out, ended) = reader.read_record(&sample[position..], &mut text, &mut ends);
        position += read;
        fields += ended;
        written += out;
        match result {
            ReadRecordResult::Record => {
                if written > 0 || fields > 1 {
                    *counts.entry(fields).or_default() += 1;
                    records += 1;
                }
                (fields, written) = (0, 0);
            }
            // The last record may be cut off: it is not counted.
            ReadRecordResult::InputEmpty if position >= sample.len() && records > 0 => break,
            ReadRecordResult::End => break,
            ReadRecordResult::InputEmpty | ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {}
        }
    }
    let Some((&commonest, &count)) =
        counts.iter().filter(|(fields, _)| **fields > 1).max_by_key(|(fields, count)| (**count, **fields))
    else {
        return 0.0;
    };
    count as f64 / records.max(1) as f64 * (1.0 + 0.02 * commonest.min(10) as f64)
}

/// Returns the quote that fields start and end with: `'` only where it is used and `"` is not.
fn quote_of(sample: &[u8], delimiter: u8) -> u8 {
    let is_border = |byte: Option<&u8>| byte.is_none_or(|&byte| byte == delimiter || matches!(byte, b'\n' | b'\r'));
    let count = |quote: u8| {
        let mut opened = 0_usize;
        let mut closed = 0_usize;
        for (position, _) in sample.iter().enumerate().filter(|(_, byte)| **byte == quote) {
            opened += usize::from(position.checked_sub(1).is_none_or(|before| is_border(sample.get(before))));
            closed += usize::from(is_border(sample.get(position + 1)));
        }
        opened.min(closed)
    };
    let (double, single) = (count(b'"'), count(b'\''));
    if double == 0 && single >= 2 { b'\'' } else { b'"' }
}

/// Finds dialect and encoding of arbitrary bytes and reads their records: the entry for fuzzing and property tests.
///
/// Returns the number of records and of bytes in their fields.
#[doc(hidden)]
pub fn sniff_arbitrary(bytes: &[u8]) -> (usize, usize) {
    use crate::encoding::{Utf8Stream, find_encoding};
    use crate::records::Records;
    let found = find_encoding(bytes, true);
    let stream = || Utf8Stream::new(Box::new(std::io::Cursor::new(bytes.to_vec())), found);
    let mut text = Vec::new();
    let mut decoded = stream();
    while matches!(decoded.fill(&mut text), Ok(true)) {}
    let dialect = sniff_dialect(&text, None);
    let mut records = Records::new(stream(), true, dialect, None);
    let (mut count, mut length, mut line) = (0, 0, 0);
    while let Ok(Some(record)) = records.next() {
        assert!(record.line > line || count == 0, "lines grow");
        line = record.line;
        count += 1;
        length += record.fields().map(str::len).sum::<usize>();
    }
    (count, length)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn separators_are_found() {
        let check = |sample: &str, ending: Option<&str>, expected: u8| {
            let dialect = sniff_dialect(sample.as_bytes(), ending);
            assert_eq!(char::from(dialect.delimiter), char::from(expected), "{sample:?}");
        };
        check("a,b\n1,2\n", None, b',');
        check("a;b\n1,5;2,5\n3,5;4,5\n", None, b';');
        check("a\tb, c\n1\t2, 3\n", None, b'\t');
        check("a|b|c\n1|2|3\n", None, b'|');
        check("name\nAnn\nBob\n", None, b',');
        check("name\nAnn\n", Some("tsv"), b'\t');
        check("title of the report\n\na,b,c\n1,2,3\n4,5,6\n", None, b',');
        check("\"a;b\",c\n\"d;e\",f\n", None, b',');
        check("at,time\n10:30:00,1\n11:30:00,2\n", None, b',');
        check("sep=^\na^b\n", None, b'^');
    }

    #[test]
    fn single_quotes_only_where_double_ones_are_not_used() {
        assert_eq!(sniff_dialect(b"'a','b,c'\n'1','2'\n", None).quote, Some(b'\''));
        assert_eq!(sniff_dialect(b"it's,\"b\"\n", None).quote, Some(b'"'));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            sniff_arbitrary(&bytes);
        }

        #[test]
        fn separators_and_quotes_in_any_order_are_read(text in "[a,;\"'\t\r\n|é]{0,80}") {
            sniff_arbitrary(text.as_bytes());
        }
    }
}
