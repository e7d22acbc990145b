//! Telephone speech holds no digits. The speech is Debian's asterisk-core-sounds-en-wav and -es-wav; without the
//! packages the test says so and ends.

use std::path::{Path, PathBuf};
use tonopago::decode::{Gathered, gather};
use tonopago::dtmf::{Detector, Event, Profile};

const FOLDER: &str = "/usr/share/asterisk/sounds";

#[test]
fn speech_holds_no_digits() {
    let folders = ["en_US_f_Allison", "es_MX_f_Allison"].map(|language| Path::new(FOLDER).join(language));
    let installed: Vec<PathBuf> = folders.into_iter().filter(|folder| folder.is_dir()).collect();
    let Gathered { inputs: files, errors, .. } = gather(&installed, false);
    assert!(errors.is_empty(), "{errors:?}");
    if files.is_empty() {
        eprintln!("skipped: install asterisk-core-sounds-en-wav and asterisk-core-sounds-es-wav");
        return;
    }
    let mut found = Vec::new();
    let mut detector = Detector::new(8000, &Profile::default()).expect("8 kHz is in range");
    for file in files {
        let samples: Vec<f32> = hound::WavReader::open(file.to_string())
            .expect("readable recording")
            .samples::<i16>()
            .map(|sample| f32::from(sample.expect("readable recording")) / 32768.0)
            .chain(std::iter::repeat_n(0.0, 1600))
            .collect();
        detector.process(&samples, &mut |event| {
            if let Event::Begin(begin) = event {
                found.push((file.clone(), begin));
            }
        });
    }
    assert!(found.is_empty(), "{found:?}");
}
