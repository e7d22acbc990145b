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

/// A file answers are added to, and nothing else is done to. It is opened for each caller's answers: once it has been moved
/// away, the next ones begin a new one.
#[derive(Debug)]
pub struct AnswersFile {
    path: PathBuf,
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
    /// Finds out whether the file can be written, and makes it if it is not there.
    ///
    /// # Errors
    /// [`AnswersError::File`].
    pub fn open(path: &Path) -> Result<Self, AnswersError> {
        let answers = Self { path: path.to_owned() };
        answers.file().map_err(|source| answers.failed(source))?;
        Ok(answers)
    }

    fn file(&self) -> io::Result<File> {
        output_file::check(&self.path)?;
        private_file::owner_only(OpenOptions::new().create(true).read(true).append(true)).open(&self.path)
    }

    /// Adds a caller's answers in one write, so that several boxes may share the file.
    ///
    /// # Errors
    /// [`AnswersError`].
    pub fn add(&self, answers: &Answers, at: Timestamp) -> Result<(), AnswersError> {
        let failed = |source| self.failed(source);
        let mut file = self.file().map_err(failed)?;
        let line = if is_table(&self.path) { self.row(&file, answers, at)? } else { object(answers, at) };
        // Of a line a full disk or a lost supply may have kept a part; it is not to spoil this one.
        let apart = if is_cut(&mut file).map_err(failed)? { "\n" } else { "" };
        let line = format!("{apart}{line}");
        file.write_all(line.as_bytes()).and_then(|()| file.sync_data()).map_err(failed)
    }

    /// A row, after the heading where the file is still empty.
    fn row(&self, file: &File, answers: &Answers, at: Timestamp) -> Result<String, AnswersError> {
        let names = answers.values.iter().map(|(name, _)| name.as_str());
        let needed = csv_line(["time", "menu"].into_iter().chain(names));
        let found = heading(file).map_err(|source| self.failed(source))?;
        if !found.is_empty() && found != needed.trim_end() {
            let (found, needed) = (found.chars().take(SHOWN).collect(), needed.trim_end().to_owned());
            return Err(AnswersError::Columns { path: self.path.clone(), found, needed });
        }
        let (at, values) =
            (at.to_string(), answers.values.iter().map(|(_, value)| value.as_deref().unwrap_or_default()));
        let row = csv_line([at.as_str(), answers.menu.as_str()].into_iter().chain(values));
        Ok(if found.is_empty() { needed + &row } else { row })
    }

    fn failed(&self, source: io::Error) -> AnswersError {
        AnswersError::File { path: self.path.clone(), source }
    }
}

/// A file's first line, and no more of it: what follows may end anywhere, also within a character.
fn heading(mut file: &File) -> io::Result<String> {
    file.seek(SeekFrom::Start(0))?;
    let mut line = Vec::new();
    BufReader::new(file).take(LONGEST_HEADING).read_until(b'\n', &mut line)?;
    Ok(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned())
}

/// Whether a file's last line has no end.
fn is_cut(file: &mut File) -> io::Result<bool> {
    let mut last = [b'\n'];
    if file.seek(SeekFrom::End(0))? > 0 {
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
    }
    Ok(last != *b"\n")
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
                let file = AnswersFile::open(&folder.path().join(name)).unwrap();
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

    /// After a full disk the next row stood in the half one.
    #[test]
    fn half_a_line_spoils_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        std::fs::write(&path, "time,menu,a\n1970-01-").unwrap();
        AnswersFile::open(&path).unwrap().add(&answers(&[("a", Some("5"))]), Timestamp::UNIX_EPOCH).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text, "time,menu,a\n1970-01-\n1970-01-01T00:00:00Z,encuesta,5\n");
    }

    /// A file that an operator had put away at the end of a month went on growing, and one that was removed kept nothing.
    #[test]
    fn a_file_that_was_moved_away_is_followed_by_a_new_one() {
        let folder = tempfile::tempdir().unwrap();
        let (path, november) = (folder.path().join("a.csv"), folder.path().join("november.csv"));
        let file = AnswersFile::open(&path).unwrap();
        let add = |value| file.add(&answers(&[("a", Some(value))]), Timestamp::UNIX_EPOCH).unwrap();
        add("1");
        std::fs::rename(&path, &november).unwrap();
        add("2");
        let rows = |path: &Path| std::fs::read_to_string(path).unwrap();
        assert_eq!(rows(&november), "time,menu,a\n1970-01-01T00:00:00Z,encuesta,1\n");
        assert_eq!(rows(&path), "time,menu,a\n1970-01-01T00:00:00Z,encuesta,2\n");
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
            let file = AnswersFile::open(&path).unwrap();
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
