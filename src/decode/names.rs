//! Names of files as text. A name may hold any bytes: those that are no text, or that a terminal would obey, are escaped, in
//! a way that leads back to the name.

use std::fmt::{self, Write as _};
use std::path::Path;

/// A path whose bytes can be told from its text: a control character, or what is not UTF-8, becomes `\xHH` for each byte,
/// and a backslash becomes two.
pub struct Name<'a>(pub &'a Path);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.as_os_str().as_encoded_bytes().utf8_chunks() {
            for character in chunk.valid().chars() {
                match character {
                    '\\' => f.write_str(r"\\")?,
                    _ if character.is_control() => escape(f, character.encode_utf8(&mut [0; 4]).as_bytes())?,
                    _ => f.write_char(character)?,
                }
            }
            escape(f, chunk.invalid())?;
        }
        Ok(())
    }
}

fn escape(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, r"\x{byte:02x}"))
}

#[cfg(all(test, unix))]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    use super::*;

    #[test]
    fn different_names_stay_different_and_no_terminal_obeys_them() {
        for (name, told) in [
            (&b"call.wav"[..], "call.wav"),
            ("folder/ñandú 電話.wav".as_bytes(), "folder/ñandú 電話.wav"),
            (b"a\xff.wav", r"a\xff.wav"),
            (b"a\xfe.wav", r"a\xfe.wav"),
            (br"a\xff.wav", r"a\\xff.wav"),
            (b"\x1b[2J\n.wav", r"\x1b[2J\x0a.wav"),
            ("\u{9b}2J".as_bytes(), r"\xc2\x9b2J"),
            (b"\xf0\x9f\x98", r"\xf0\x9f\x98"),
        ] {
            assert_eq!(Name(Path::new(OsStr::from_bytes(name))).to_string(), told);
        }
    }
}
