//! A scripted caller: the first byte chooses the menu, the rest is the script. A mistake names its line; what is played comes to
//! an end, and the transcript is a script that plays the same again.

#![no_main]

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use tonopago::menu::Menu;
use tonopago::speech::{Clips, Language};
use tonopago::tryout::{Script, Setup, Tryout};
use tonopago_fuzz::canary;

/// More steps than this take too long to play over and over.
const MOST_STEPS: usize = 8;

static CLIPS: LazyLock<Arc<Clips>> = LazyLock::new(Clips::embedded);
static MENUS: LazyLock<Vec<(Arc<Menu>, Arc<Clips>)>> = LazyLock::new(|| {
    let texts = [
        include_str!("../../menus/pago.yaml"),
        include_str!("../../menus/pago-msi.yaml"),
        include_str!("../../menus/centralita.yaml"),
        include_str!("../../menus/encuesta.yaml"),
    ];
    texts.map(menu).into()
});

fn menu(text: &str) -> (Arc<Menu>, Arc<Clips>) {
    let menu = Menu::parse_draft("menu.yaml", text, &**CLIPS).unwrap_or_else(|problems| panic!("{problems}"));
    let own: Vec<(Language, &str, &str)> =
        menu.own_texts().iter().map(|own| (own.language, own.id.as_str(), own.text.as_str())).collect();
    let clips = CLIPS.with_drafts(own);
    (menu, clips)
}

fuzz_target!(init: canary::keep_logs(), |data: &[u8]| {
    let Some((&number, text)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    if text.lines().filter(|line| line.trim_start().starts_with('>')).count() > MOST_STEPS {
        return;
    }
    let script = match Script::parse(text) {
        Ok(script) => script,
        Err(error) => return assert!((1..=text.lines().count()).contains(&error.line) && !error.message.is_empty()),
    };
    let (menu, clips) = &MENUS[usize::from(number) % MENUS.len()];
    let play = |script: &Script| {
        let setup = Setup { at: script.at().cloned().unwrap_or_default(), ..Setup::default() };
        script.play(&mut Tryout::new(Arc::clone(menu), Arc::clone(clips), setup))
    };
    let Ok(transcript) = play(&script) else { return };
    let again = Script::parse(&transcript).unwrap_or_else(|error| panic!("{error} of\n{transcript}"));
    // A call that begins now goes by another time the next time.
    if !text.contains("now") {
        assert_eq!(play(&again).as_deref(), Ok(transcript.as_str()));
    }
    let told: String = transcript.lines().filter(|line| !line.starts_with(['>', '#'])).collect();
    assert!(!canary::tells(&told) && !canary::tells(&canary::take_logs()), "{told}");
});
