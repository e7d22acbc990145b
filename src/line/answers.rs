//! Callers' answers kept in a file: one JSON object a line, or a table with a heading where the file's name ends in
//! `.csv`.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::json;

use crate::menu::Answers;
use crate::{output_file, private_file};

/// Longest heading looked at, in bytes; a table's first line without an end is not read to the end of the disk.
const LONGEST_HEADING: u64 = 1 << 16;
/// Characters of a foreign heading that are told.
const SHOWN: usize = 400;

/// A file answers are added to, and nothing else is done to.
#[derive(Debug)]
pub struct AnswersFile {
    path: PathBuf,
    file: File,
}

/// Why answers can't be kept.
#[derive(Debug, thiserror::Error)]
pub enum AnswersError {
    /// The file can't be opened or written.
    #[error("{path}: cannot keep answers here ({source}): check the path, the permissions and the space left", path = .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A table with other columns stands in the file.
    #[error("{path}: this table has the columns {found}, not {needed}: give another file, or rename this one", path = .path.display())]
    Columns {
        /// The file.
        path: PathBuf,
        /// Its heading.
        found: String,
        /// The heading these answers need.
        needed: String,
    },
}

impl AnswersFile {
    /// Opens the file, or makes it.
    ///
    /// # Errors
    /// [`AnswersError::File`].
    pub fn open(path: &Path) -> Result<Self, AnswersError> {
        let open = || private_file::owner_only(OpenOptions::new().create(true).read(true).append(true)).open(path);
        let file = output_file::check(path).and_then(|()| open());
        let path = path.to_owned();
        match file {
            Ok(file) => Ok(Self { path, file }),
            Err(source) => Err(AnswersError::File { path, source }),
        }
    }

    /// Adds a caller's answers in one write, so that several boxes may share the file.
    ///
    /// # Errors
    /// [`AnswersError`].
    pub fn add(&mut self, answers: &Answers, at: Timestamp) -> Result<(), AnswersError> {
        let line = if is_table(&self.path) { self.row(answers, at)? } else { object(answers, at) };
        self.file.write_all(line.as_bytes()).and_then(|()| self.file.sync_data()).map_err(|source| self.failed(source))
    }

    /// A row, after the heading where the file is still empty.
    fn row(&mut self, answers: &Answers, at: Timestamp) -> Result<String, AnswersError> {
        let names = answers.values.iter().map(|(name, _)| name.as_str());
        let needed = csv_line(["time", "menu"].into_iter().chain(names));
        let found = self.heading().map_err(|source| self.failed(source))?;
        if !found.is_empty() && found != needed.trim_end() {
            let (found, needed) = (found.chars().take(SHOWN).collect(), needed.trim_end().to_owned());
            return Err(AnswersError::Columns { path: self.path.clone(), found, needed });
        }
        let (at, values) =
            (at.to_string(), answers.values.iter().map(|(_, value)| value.as_deref().unwrap_or_default()));
        let row = csv_line([at.as_str(), answers.menu.as_str()].into_iter().chain(values));
        Ok(if found.is_empty() { needed + &row } else { row })
    }

    /// The file's first line, and no more of it: what follows may end anywhere, also within a character.
    fn heading(&mut self) -> io::Result<String> {
        self.file.seek(SeekFrom::Start(0))?;
        let mut line = Vec::new();
        BufReader::new(&self.file).take(LONGEST_HEADING).read_until(b'\n', &mut line)?;
        Ok(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned())
    }

    fn failed(&self, source: io::Error) -> AnswersError {
        AnswersError::File { path: self.path.clone(), source }
    }
}

fn object(answers: &Answers, at: Timestamp) -> String {
    let values: serde_json::Map<_, _> =
        answers.values.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    format!("{}\n", json!({ "time": at.to_string(), "menu": answers.menu, "answers": values }))
}

fn csv_line<'a>(cells: impl Iterator<Item = &'a str>) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(cells).expect("writing to memory cannot fail");
    let line = writer.into_inner().expect("writing to memory cannot fail");
    String::from_utf8(line).expect("cells are texts")
}

/// Whether answers are kept as a table, which has one list of columns, in a file of this name.
pub fn is_table(path: &Path) -> bool {
    path.extension().is_some_and(|end| end.eq_ignore_ascii_case("csv"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(values: &[(&str, Option<&str>)]) -> Answers {
        let values = values.iter().map(|(name, value)| ((*name).to_owned(), value.map(str::to_owned))).collect();
        Answers { menu: "encuesta".to_owned(), values }
    }

    #[cfg(unix)]
    #[test]
    fn a_new_file_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.jsonl");
        AnswersFile::open(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn answers_are_added_as_lines_or_rows() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str| {
            for value in [Some("5"), None] {
                let mut file = AnswersFile::open(&folder.path().join(name)).unwrap();
                file.add(&answers(&[("atencion", value), ("vuelve", Some("sí, claro"))]), Timestamp::UNIX_EPOCH)
                    .unwrap();
            }
            std::fs::read_to_string(folder.path().join(name)).unwrap()
        };
        assert_eq!(
            write("a.csv"),
            "time,menu,atencion,vuelve\n1970-01-01T00:00:00Z,encuesta,5,\"sí, claro\"\n\
             1970-01-01T00:00:00Z,encuesta,,\"sí, claro\"\n"
        );
        let lines = write("a.jsonl");
        assert_eq!(lines.lines().count(), 2);
        assert!(lines.contains(r#""answers":{"atencion":null,"vuelve":"sí, claro"}"#), "{lines}");
    }

    #[test]
    fn a_table_of_other_columns_is_not_added_to() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        std::fs::write(&path, "time,menu,otra\n").unwrap();
        let error = AnswersFile::open(&path).unwrap().add(&answers(&[("a", None)]), Timestamp::UNIX_EPOCH).unwrap_err();
        assert!(error.to_string().contains("has the columns time,menu,otra, not time,menu,a"), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "time,menu,otra\n");
    }

    /// 64 KiB of the table were read as text to find its heading; once they ended within a character, no more was kept.
    #[test]
    fn a_table_of_any_length_is_added_to_wherever_its_characters_lie() {
        let folder = tempfile::tempdir().unwrap();
        let heading = "time,menu,a\n";
        for shift in 0..2 {
            let path = folder.path().join(format!("{shift}.csv"));
            let row = format!("t,m,{}{}\n", "x".repeat(shift), "ñ".repeat(1 << 16));
            std::fs::write(&path, format!("{heading}{row}")).unwrap();
            let mut file = AnswersFile::open(&path).unwrap();
            file.add(&answers(&[("a", Some("1"))]), Timestamp::UNIX_EPOCH).unwrap();
            let text = std::fs::read_to_string(&path).unwrap();
            assert_eq!(text, format!("{heading}{row}1970-01-01T00:00:00Z,encuesta,1\n"));
        }
    }

    #[test]
    fn a_file_that_is_no_table_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        std::fs::write(&path, [0xff; 100_000]).unwrap();
        let error = AnswersFile::open(&path).unwrap().add(&answers(&[("a", None)]), Timestamp::UNIX_EPOCH).unwrap_err();
        assert!(matches!(&error, AnswersError::Columns { found, .. } if found.chars().count() == SHOWN));
        assert_eq!(std::fs::metadata(&path).unwrap().len(), 100_000);
    }
}
