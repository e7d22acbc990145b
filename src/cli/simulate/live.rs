//! The author at the keyboard: time runs as it does for a caller, every key is pressed when it is typed.

use std::io::Write as _;
use std::thread;
use std::time::{Duration, Instant};

use console::{Term, style, truncate_str};
use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};
use tonopago::dtmf::Digit;
use tonopago::media::MediaTime;
use tonopago::menu::View;
use tonopago::tryout::Tryout;

use super::speaker::Speaker;
use crate::cli::Failure;

/// How often time goes on: what the box says meanwhile goes to the sound card in one piece.
const STEP: Duration = Duration::from_millis(20);
/// Steps after which the screen is brought up to date.
const LOOK: u32 = 5;

pub(super) fn play(tryout: &mut Tryout, mut speaker: Option<Speaker>) -> Result<(), Failure> {
    let term = Term::stdout();
    writeln!(&term, "Keys 0-9 * # are the telephone's; h hangs up. Type test cards only.")?;
    match &speaker {
        Some(speaker) => writeln!(&term, "Prompts are played on {}.", speaker.card())?,
        None => writeln!(&term, "Prompts are shown, not played.")?,
    }
    let keys = keyboard(&term);
    let begun = Instant::now();
    for step in 0_u32.. {
        if tryout.is_over() {
            break;
        }
        match keys.recv_timeout(STEP) {
            Ok('h' | 'q' | '\u{4}') => tryout.hang_up(),
            Ok(key) if Digit::from_char(key).is_some() => tryout.press(&key.to_string()),
            Ok(_) | Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => tryout.hang_up(),
        }
        let elapsed = MediaTime::from_ms(u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX / 8));
        tryout.wait(elapsed - tryout.now());
        if let Some(Err(lost)) = speaker.as_mut().map(|speaker| speaker.play(&tryout.take_sound())) {
            term.clear_line()?;
            writeln!(&term, "Prompts are shown from now on: {lost}")?;
            speaker = None;
        }
        if step.is_multiple_of(LOOK) || tryout.is_over() {
            show(&term, tryout)?;
        }
    }
    term.clear_line()?;
    writeln!(&term, "The call is over; press any key to leave.")?;
    // The keyboard's thread has the terminal until a key comes: only then is it as it was.
    let _ = keys.recv();
    Ok(())
}

/// Keys as they are typed, until nobody wants them.
fn keyboard(term: &Term) -> Receiver<char> {
    let (typed, keys) = bounded(64);
    let term = term.clone();
    thread::spawn(move || {
        while let Ok(key) = term.read_char() {
            if typed.send(key).is_err() {
                break;
            }
        }
    });
    keys
}

/// What happened, and below it what is.
fn show(term: &Term, tryout: &mut Tryout) -> Result<(), Failure> {
    term.clear_line()?;
    for (at, line) in tryout.take_lines() {
        let line = if line.starts_with("  says") { style(line).bold() } else { style(line).dim() };
        writeln!(&*term, "{}  {line}", style(at).dim())?;
    }
    let line = status(&tryout.view(), tryout.now());
    let width = usize::from(term.size().1).saturating_sub(1);
    write!(&*term, "{}", style(truncate_str(&line, width, "...")).reverse())?;
    term.flush()?;
    Ok(())
}

/// One line: media time, state, what it does, what was keyed, the timers that run.
fn status(view: &View, now: MediaTime) -> String {
    let mut parts = vec![format!("{now} {} ({})", view.state, view.doing.name())];
    if !view.entry.is_empty() {
        parts.push(format!("keyed {}", view.entry));
    }
    if view.keys_ahead > 0 {
        parts.push(format!("{} key(s) ahead", view.keys_ahead));
    }
    let timer =
        |(timer, left): &(tonopago::menu::Timer, MediaTime)| format!("{} {} s", timer.name(), left.as_ms() / 1000);
    parts.extend(view.timers.iter().map(timer));
    parts.extend(view.fields.iter().map(|(name, value)| format!("{name} = {value}")));
    parts.join(" | ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use tonopago::menu::{Doing, Timer};
    use tonopago::speech::Language;

    #[test]
    fn the_status_tells_what_is_going_on() {
        let view = View {
            state: "tarjeta".to_owned(),
            doing: Doing::Listening,
            takes_keys: true,
            language: Language::EsMx,
            timers: vec![(Timer::InterDigit, MediaTime::from_ms(6200))],
            entry: "••••".to_owned(),
            fields: vec![("payment_key".to_owned(), "••••••".to_owned())],
            keys_ahead: 2,
        };
        assert_eq!(
            status(&view, MediaTime::from_ms(9000)),
            "00:09.000 tarjeta (listening) | keyed •••• | 2 key(s) ahead | inter-digit 6 s | payment_key = ••••••"
        );
    }
}
