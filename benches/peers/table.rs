//! Tables for people, and a line of JSON for each figure.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use serde_json::Value;

/// The file of figures.
pub(crate) struct Log {
    path: PathBuf,
    out: BufWriter<File>,
}

impl Log {
    pub(crate) fn create(path: &Path) -> Self {
        Self { path: path.to_owned(), out: BufWriter::new(File::create(path).unwrap()) }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn write(&mut self, figure: &Value) {
        writeln!(self.out, "{figure}").unwrap();
        self.out.flush().unwrap();
    }
}

/// A row of a table: a name of 38 characters, then columns of 21.
pub(crate) fn row(name: &str, columns: &[String]) {
    let columns: String = columns.iter().map(|column| format!("{column:>21}")).collect();
    println!("{name:38}{columns}");
}

/// What stands where a peer is not installed.
pub(crate) fn or_absent(figure: Option<String>) -> String {
    figure.unwrap_or_else(|| "-".to_owned())
}
