//! Text files that people write: menus, configurations, tables, transcripts. Their editors may know other encodings.

use std::io;
use std::path::Path;

use crate::regular_file;

/// Longest text that is read, in bytes; what is read bounds itself more closely.
const LONGEST: u64 = 64 << 20;

/// What some editors and spreadsheets put before a text to tell its encoding. It is none of the text.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// Why a text file can't be read.
#[derive(Debug, thiserror::Error)]
pub enum TextError {
    /// The system gives it not.
    #[error("cannot be read ({0})")]
    System(#[from] io::Error),
    /// It is text in another encoding, or none at all.
    #[error("line {line}, column {column} is not UTF-8")]
    NotUtf8 {
        /// Line of the first byte that does not fit, from 1.
        line: usize,
        /// Its column in characters, from 1.
        column: usize,
    },
}

impl TextError {
    /// What to do about it.
    pub const fn cure(&self) -> &'static str {
        match self {
            Self::System(_) => "check the path and the permissions",
            Self::NotUtf8 { .. } => "save the file as UTF-8",
        }
    }
}

/// Reads a whole file, without a byte order mark.
///
/// # Errors
/// If it can't be read, is no regular file, too long, or not UTF-8, with the place.
pub fn read(path: &Path) -> Result<String, TextError> {
    let mut text = String::from_utf8(regular_file::read(path, LONGEST)?).map_err(|error| {
        let fits = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let before = String::from_utf8_lossy(fits);
        let in_line = before.rsplit('\n').next().unwrap_or_default().trim_start_matches(BYTE_ORDER_MARK);
        TextError::NotUtf8 { line: before.matches('\n').count() + 1, column: in_line.chars().count() + 1 }
    })?;
    if text.starts_with(BYTE_ORDER_MARK) {
        text.remove(0);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_bytes(bytes: &[u8]) -> Result<String, TextError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        read(file.path())
    }

    #[test]
    fn a_text_comes_as_it_is_without_the_mark_of_its_encoding() {
        assert_eq!(read_bytes("año\r\n".as_bytes()).unwrap(), "año\r\n");
        assert_eq!(read_bytes("\u{feff}año\u{feff}".as_bytes()).unwrap(), "año\u{feff}");
        assert_eq!(read_bytes(b"").unwrap(), "");
    }

    #[test]
    fn another_encoding_is_told_with_its_place_and_cure() {
        for (bytes, place) in [
            (&b"a: 1\n\xc3\xb1o: a\xf1o\n"[..], "line 2, column 6 is not UTF-8"),
            (b"\xff\xfea\0", "line 1, column 1 is not UTF-8"),
            (b"\xef\xbb\xbfa\xf1o", "line 1, column 2 is not UTF-8"),
            (b"a\r\n\n\xc3", "line 3, column 1 is not UTF-8"),
        ] {
            let error = read_bytes(bytes).unwrap_err();
            assert_eq!((error.to_string().as_str(), error.cure()), (place, "save the file as UTF-8"));
        }
    }

    /// Such a configuration once was read for ever.
    #[cfg(unix)]
    #[test]
    fn a_device_is_no_text_file() {
        let error = read(Path::new("/dev/zero")).unwrap_err();
        assert_eq!(error.to_string(), "cannot be read (it is a device or a pipe, not a file)");
    }

    #[test]
    fn what_is_not_there_is_told() {
        let error = read(Path::new("no/such/file")).unwrap_err();
        assert!(error.to_string().starts_with("cannot be read (No such file"), "{error}");
    }
}
