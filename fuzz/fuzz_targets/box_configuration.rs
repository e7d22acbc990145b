//! A box's configuration, in a folder with a menu and secrets to name: every problem lies in the text, and what passes is whole.

#![no_main]

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tonopago::station::{Config, ConfigError};
use tonopago_fuzz::places;

/// What the texts may name; it stays for the next run.
static FILE: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join("tonopago-fuzz-box");
    std::fs::create_dir_all(&folder).expect("the folder for temporary files can be written");
    for (name, text) in [
        ("pago.yaml", include_str!("../../menus/pago.yaml")),
        ("centralita.yaml", include_str!("../../menus/centralita.yaml")),
        ("secret", "0123456789abcdef0123456789abcdef\n"),
    ] {
        std::fs::write(folder.join(name), text).expect("the folder was made just now");
    }
    folder.join("box.yaml")
});

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match Config::parse(&FILE, text) {
        Ok(config) => check(&config),
        Err(ConfigError::Unreadable { .. }) => panic!("a text needs no reading"),
        Err(ConfigError::Problems(files)) => {
            assert!(files.iter().any(|problems| !problems.list.is_empty()));
            let own = FILE.display().to_string();
            for problems in files.iter().filter(|problems| problems.file == own) {
                places::check(text, &problems.list);
            }
        }
    }
});

fn check(config: &Config) {
    assert!(!config.lines.is_empty() && !config.menus.is_empty());
    let names: HashSet<&str> = config.lines.iter().map(|line| line.name.as_str()).collect();
    assert_eq!(names.len(), config.lines.len(), "every line has a name of its own");
    for line in &config.lines {
        assert!(line.menu < config.menus.len(), "{line:?}");
        assert!([line.sound_dbm0, line.gain_in_db, line.gain_out_db].iter().all(|db| db.is_finite()), "{line:?}");
        let _ = line.begins();
    }
}
