//! Character encoding of text files: found from a sample, decoded in a stream.

use std::io::{self, Read};

use chardetng::EncodingDetector;
use encoding_rs::{Decoder, Encoding, UTF_8, UTF_16BE, UTF_16LE};

/// An encoding, and how it was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FoundEncoding {
    pub(crate) encoding: &'static Encoding,
    /// Bytes of the byte-order mark.
    pub(crate) mark: usize,
    /// The sample has bytes that are invalid in this encoding.
    pub(crate) has_invalid: bool,
}

/// Finds the encoding of a text from its first bytes.
///
/// A byte-order mark decides; without one, NUL bytes on one side mean UTF-16; text that is valid UTF-8 is UTF-8, as is text with
/// more valid than invalid sequences of it; for the rest the detector of web browsers decides.
pub(crate) fn find_encoding(sample: &[u8], is_whole: bool) -> FoundEncoding {
    if let Some((encoding, mark)) = Encoding::for_bom(sample) {
        return FoundEncoding { encoding, mark, has_invalid: false };
    }
    if let Some(encoding) = utf16_without_mark(sample) {
        return FoundEncoding { encoding, mark: 0, has_invalid: false };
    }
    let (valid, invalid) = count_utf8(sample, is_whole);
    if invalid == 0 || valid > 2 * invalid {
        return FoundEncoding { encoding: UTF_8, mark: 0, has_invalid: invalid > 0 };
    }
    let mut detector = EncodingDetector::new(chardetng::Iso2022JpDetection::Deny);
    detector.feed(sample, is_whole);
    let encoding = detector.guess(None, chardetng::Utf8Detection::Deny);
    FoundEncoding { encoding, mark: 0, has_invalid: false }
}

fn utf16_without_mark(sample: &[u8]) -> Option<&'static Encoding> {
    let sample = &sample[..sample.len().min(4096)];
    let nul = |offset: usize| sample.iter().skip(offset).step_by(2).filter(|&&byte| byte == 0).count();
    let (even, odd) = (nul(0), nul(1));
    let half = sample.len() / 2;
    if half < 2 {
        return None;
    }
    if odd * 3 > half && even * 20 < half {
        Some(UTF_16LE)
    } else if even * 3 > half && odd * 20 < half {
        Some(UTF_16BE)
    } else {
        None
    }
}

/// Counts valid sequences of several bytes and invalid ones.
fn count_utf8(sample: &[u8], is_whole: bool) -> (usize, usize) {
    let (mut valid, mut invalid) = (0, 0);
    let mut chunks = sample.utf8_chunks().peekable();
    while let Some(chunk) = chunks.next() {
        if !chunk.valid().is_ascii() {
            valid += chunk.valid().chars().filter(|character| !character.is_ascii()).count();
        }
        let cut_off = !is_whole && chunks.peek().is_none() && chunk.invalid().len() < 4;
        if !chunk.invalid().is_empty() && !cut_off {
            invalid += 1;
        }
    }
    (valid, invalid)
}

/// A stream of UTF-8 from a stream in some encoding; UTF-8 itself passes unchecked, its reader checks it.
pub(crate) struct Utf8Stream {
    source: Box<dyn Read + Send>,
    decoder: Option<Decoder>,
    raw: Vec<u8>,
    skip: usize,
    ended: bool,
    read: u64,
}

impl Utf8Stream {
    pub(crate) fn new(source: Box<dyn Read + Send>, found: FoundEncoding) -> Self {
        let decoder = (found.encoding != UTF_8).then(|| found.encoding.new_decoder_without_bom_handling());
        Self { source, decoder, raw: vec![0; 1 << 17], skip: found.mark, ended: false, read: 0 }
    }

    /// Bytes read from the source so far.
    pub(crate) fn bytes_read(&self) -> u64 {
        self.read
    }

    /// Appends the next piece of text; returns false at the end.
    pub(crate) fn fill(&mut self, out: &mut Vec<u8>) -> io::Result<bool> {
        while !self.ended {
            let length = match self.source.read(&mut self.raw) {
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            self.read += length as u64;
            self.ended = length == 0;
            let skipped = self.skip.min(length);
            self.skip -= skipped;
            let raw = &self.raw[skipped..length];
            let before = out.len();
            match &mut self.decoder {
                None => out.extend_from_slice(raw),
                Some(decoder) => {
                    let room = decoder.max_utf8_buffer_length(raw.len()).unwrap_or(raw.len() * 4 + 16);
                    out.resize(before + room, 0);
                    let (_, _, written, _) = decoder.decode_to_utf8(raw, &mut out[before..], self.ended);
                    out.truncate(before + written);
                }
            }
            if out.len() > before {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_found() {
        let check = |sample: &[u8], expected: &str, has_invalid: bool| {
            let found = find_encoding(sample, true);
            assert_eq!((found.encoding.name(), found.has_invalid), (expected, has_invalid), "{sample:?}");
        };
        check(b"a,b\n", "UTF-8", false);
        check("é,b\n".as_bytes(), "UTF-8", false);
        check(b"\xef\xbb\xbfa,b", "UTF-8", false);
        check(b"\xff\xfea\0,\0", "UTF-16LE", false);
        check(b"a\0,\0b\0\n\0", "UTF-16LE", false);
        check(b"\0a\0,\0b\0\n", "UTF-16BE", false);
        check(b"caf\xe9,na\xefve\n", "windows-1252", false);
        check(b"caf\xc3\xa9,\xc3\xa9t\xc3\xa9,na\xefve\n", "UTF-8", true);
    }

    #[test]
    fn streams_decode_across_reads() {
        struct OneByte(Vec<u8>);
        impl Read for OneByte {
            fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
                if self.0.is_empty() {
                    return Ok(0);
                }
                out[0] = self.0.remove(0);
                Ok(1)
            }
        }
        let bytes = vec![0xff, 0xfe, 0xe9, 0, 0x3d, 0xd8, 0, 0xde];
        let found = find_encoding(&bytes, true);
        let mut stream = Utf8Stream::new(Box::new(OneByte(bytes)), found);
        let mut out = Vec::new();
        while stream.fill(&mut out).unwrap() {}
        assert_eq!(String::from_utf8(out).unwrap(), "é😀");
    }
}
