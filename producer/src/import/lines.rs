//! Lines of a file of any size, in bounded memory.

use std::io::{self, BufRead};

/// A line without its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    Whole(Vec<u8>),
    /// Longer than the limit: only its length in bytes is known.
    TooLong(u64),
}

/// The next line and how many bytes it took in the file; `None` at the end.
/// Of a line longer than `limit` nothing is kept.
pub(super) fn next(reader: &mut impl BufRead, limit: usize) -> io::Result<Option<(Line, u64)>> {
    let mut kept = Vec::new();
    let mut length = 0_u64;
    loop {
        let chunk = match reader.fill_buf() {
            Ok(chunk) => chunk,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let end = chunk.iter().position(|byte| *byte == b'\n');
        let text = chunk.get(..end.unwrap_or(chunk.len())).unwrap_or(chunk);
        length += text.len() as u64;
        if length <= limit as u64 {
            kept.extend_from_slice(text);
        } else {
            kept = Vec::new();
        }
        let (taken, at_end_of_file) = (text.len() + usize::from(end.is_some()), chunk.is_empty());
        reader.consume(taken);
        if at_end_of_file && length == 0 {
            return Ok(None);
        }
        if end.is_some() || at_end_of_file {
            let line = if length <= limit as u64 {
                Line::Whole(kept)
            } else {
                Line::TooLong(length)
            };
            return Ok(Some((line, length + u64::from(end.is_some()))));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    fn all(text: &str, limit: usize) -> Vec<(Line, u64)> {
        // A tiny buffer, so that lines span several reads.
        let mut reader = BufReader::with_capacity(3, text.as_bytes());
        std::iter::from_fn(|| next(&mut reader, limit).unwrap()).collect()
    }

    fn whole(text: &str) -> Line {
        Line::Whole(text.as_bytes().to_vec())
    }

    #[test]
    fn every_line_is_given_once_also_empty_ones_and_a_last_one_without_end() {
        assert_eq!(
            all("one\n\nthree", 100),
            [(whole("one"), 4), (whole(""), 1), (whole("three"), 5)]
        );
        assert_eq!(all("one\n", 100), [(whole("one"), 4)]);
        assert_eq!(all("", 100), []);
    }

    #[test]
    fn of_a_line_over_the_limit_only_its_length_is_kept() {
        assert_eq!(
            all("12345678\n1234\n", 4),
            [(Line::TooLong(8), 9), (whole("1234"), 5)]
        );
    }
}
