//! Scripted callers, compared with what their files say.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use tonopago::text_file;
use tonopago::tryout::{At, Mismatch, Script, Tryout};

use crate::cli::{FAILED, Failure, Outcome};

/// Plays every script; tells of each whether the call went as it says.
pub(super) fn play(given: &[PathBuf], bless: bool, begin: impl Fn(Option<&At>) -> Tryout) -> Outcome {
    let (mut all_alike, mut some_differ) = (true, false);
    for path in files(given)? {
        let name = path.display();
        match play_one(&path, bless, &begin) {
            Ok(None) => tell!("{name}: {}", if bless { "written" } else { "as expected" }),
            Ok(Some(mismatch)) => {
                (all_alike, some_differ) = (false, true);
                tell!("{name}: the call went differently (- expected, + came):\n{mismatch}");
            }
            Err(message) => {
                all_alike = false;
                tell!("{name}: {message}");
            }
        }
    }
    if some_differ {
        say!("tonopago: if the new ways are right, run it again with --bless");
    }
    Ok(if all_alike { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}

fn play_one(path: &Path, bless: bool, begin: impl Fn(Option<&At>) -> Tryout) -> Result<Option<Mismatch>, String> {
    let expected = text_file::read(path).map_err(|error| format!("the script: {error}: {}", error.cure()))?;
    let script = Script::parse(&expected).map_err(|error| error.to_string())?;
    let came = script.play(&mut begin(script.at())).map_err(|error| error.to_string())?;
    if bless {
        let written = fs::write(path, came).map(|()| None);
        return written.map_err(|error| format!("cannot write the transcript: {error}: check the permissions"));
    }
    Ok(Mismatch::between(&expected, &came))
}

/// The files given, and the `.txt` files of the folders given, sorted.
fn files(given: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for path in given {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let failed = |error| Failure::failed(format!("{}: cannot list the scripts: {error}", path.display()));
        let entries = fs::read_dir(path).map_err(failed)?;
        let paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, _>>().map_err(failed)?;
        let mut scripts: Vec<PathBuf> =
            paths.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "txt")).collect();
        if scripts.is_empty() {
            return Err(Failure::failed(format!("{}: no scripts here: their names end in .txt", path.display())));
        }
        scripts.sort();
        files.append(&mut scripts);
    }
    Ok(files)
}
