//! The line returns an echo of the box's own voice; the detector must find no digit in it.

use std::path::Path;

use tonopago::dtmf::{Detector, Event, Profile};
use tonopago::speech::{Clip, Clips, Language, SAMPLE_RATE};

/// Losses of the echo, in dB: none, as in a loop, and what a hybrid gives.
const ECHO_LOSS_DB: [f32; 2] = [0.0, 12.0];

fn heard(clip: &Clip, loss_db: f32) -> String {
    let gain = 10_f32.powf(-loss_db / 20.0);
    let echo: Vec<f32> = clip.samples().iter().map(|sample| sample * gain).collect();
    let mut detector = Detector::new(SAMPLE_RATE, &Profile::default()).unwrap();
    let mut digits = String::new();
    let mut on_event = |event| {
        if let Event::Begin(begin) = event {
            digits.push(begin.digit.as_char());
        }
    };
    detector.process(&echo, &mut on_event);
    detector.process(&[0.0; 800], &mut on_event);
    detector.finish(&mut on_event);
    digits
}

#[test]
fn in_any_language_at_any_loss_of_the_echo() {
    let menus = Path::new(env!("CARGO_MANIFEST_DIR")).join("menus");
    for menu in ["centralita", "colegio", "encuesta"] {
        no_key_in(&Clips::with_overrides(&menus.join(menu)).unwrap());
    }
    no_key_in(&Clips::embedded());
}

fn no_key_in(clips: &Clips) {
    let spoken = Language::ALL.into_iter().flat_map(|language| clips.ids(language).map(move |id| (language, id)));
    let spoken = spoken.map(|(language, id)| (format!("{language}/{id}"), clips.get(language, id).unwrap()));
    let caller = clips.caller_speech().iter().map(|clip| (clip.text().to_owned(), clip));
    let mut mistaken = Vec::new();
    for (name, clip) in spoken.chain(caller) {
        for loss_db in ECHO_LOSS_DB {
            let digits = heard(clip, loss_db);
            if !digits.is_empty() {
                mistaken.push(format!("{name} at -{loss_db} dB: {digits}"));
            }
        }
    }
    assert!(mistaken.is_empty(), "give these another `pitch` (menus/voices/README.md): {mistaken:#?}");
}
