//! Embeds the voices: writes a table of every clip and text file under `menus/voices` with `include_bytes!`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it for build scripts"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it for build scripts"));
    let mut table = String::from("static VOICES: &[(&str, EmbeddedFiles)] = &[\n");
    for folder in children(&root.join("menus/voices"))?.iter().filter(|path| path.is_dir()) {
        // Cargo compares the newest file time below a folder, so this also sees a clip replaced in place.
        println!("cargo::rerun-if-changed={}", folder.display());
        writeln!(table, "({:?}, &[", name(folder)).expect("writing to a string cannot fail");
        for file in children(folder)?.iter().filter(|path| embeds(path)) {
            writeln!(table, "({:?}, include_bytes!({file:?})),", name(file)).expect("writing to a string cannot fail");
        }
        table.push_str("]),\n");
    }
    table.push_str("];\n");
    fs::write(out.join("voices.rs"), table)
}

fn embeds(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "wav")
        || matches!(name(path), "prompts.yaml" | "numbers.yaml")
}

/// Sorted, so that the same files give the same program.
fn children(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

fn name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).expect("the voices' files have plain names")
}
