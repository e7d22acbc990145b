//! Scripted callers: a transcript whose lines beginning with `>` are what the caller does. Playing a script writes the
//! whole transcript anew; where it differs from the file, the menu has changed its ways.

use std::fmt;

use crate::media::MediaTime;

use super::Tryout;
use super::at::At;
use super::stand_in::{AuthorizerDoes, GatewayDoes};

/// How long into a prompt a caller cuts it.
const CUTS_IN: MediaTime = MediaTime::from_ms(500);
const MARK: &str = "> ";

/// What a script can say, for whoever wrote something else.
const STEPS: &str = "write keys such as `> 257139#`, `> over 1` (cuts the prompt), `> wait 9s`, `> hang up`, \
                     `> authorizer: 200.00` or `> gateway: declined`; and before all of them `> at: 2026-12-24T18:30`";
/// A call's time is an input of its beginning.
const AT_COMES_FIRST: &str = "when the call begins is told before anything else: write it as the first step";

/// One step of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    /// Hears the prompt out, then presses keys.
    Keys(String),
    /// Presses keys over the next prompt that asks for some.
    Over(String),
    /// Lets time pass.
    Wait(MediaTime),
    /// Puts the receiver down.
    HangUp,
    /// The authorizer answers this from now on.
    Authorizer(AuthorizerDoes),
    /// The gateway answers this from now on.
    Gateway(GatewayDoes),
    /// When the call begins; first of all.
    At(At),
}

/// A scripted caller.
#[derive(Debug, Clone)]
pub struct Script {
    /// Lines of the file that are kept as they are, and steps, each with its line as written.
    lines: Vec<(String, Option<Step>)>,
}

/// Why a script cannot be played.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct ScriptError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong and the cure.
    pub message: String,
}

impl Script {
    /// Reads a script or a whole transcript; lines that are neither steps nor comments are what the box did, and not
    /// needed to play it.
    ///
    /// # Errors
    /// [`ScriptError`] names the line and what can be written there. A step without its mark is one, too: it would not be
    /// played, and the transcript would be written over it.
    pub fn parse(text: &str) -> Result<Self, ScriptError> {
        let mut lines = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let at_line = |message| ScriptError { line: index + 1, message };
            if line.starts_with('#') || line.trim().is_empty() {
                lines.push((line.trim_end().to_owned(), None));
            } else if let Some(written) = line.trim_start().strip_prefix('>') {
                let step = parse_step(written.trim()).map_err(at_line)?;
                if matches!(step, Step::At(_)) && lines.iter().any(|(_, earlier)| earlier.is_some()) {
                    return Err(at_line(AT_COMES_FIRST.to_owned()));
                }
                lines.push((format!("{MARK}{}", written.trim()), Some(step)));
            } else if parse_step(line.trim()).is_ok() {
                let step = line.trim();
                return Err(at_line(format!("{step:?} is what a caller does: write `{MARK}{step}`, with the mark")));
            }
        }
        Ok(Self { lines })
    }

    /// When the script says that its call begins.
    pub fn at(&self) -> Option<&At> {
        self.lines.iter().find_map(|(_, step)| match step {
            Some(Step::At(at)) => Some(at),
            _ => None,
        })
    }

    /// Plays the script and writes the transcript. After the last step the call is heard out until it waits for the
    /// caller, who then hangs up.
    ///
    /// # Errors
    /// [`ScriptError`] if the call is over before a step.
    pub fn play(&self, tryout: &mut Tryout) -> Result<String, ScriptError> {
        let mut transcript = String::new();
        for (index, (line, step)) in self.lines.iter().enumerate() {
            let Some(step) = step else {
                transcript.push_str(line);
                transcript.push('\n');
                continue;
            };
            if !matches!(step, Step::At(_)) {
                wait_for_the_question(step, tryout);
                tell(tryout, &mut transcript);
            }
            transcript.push_str(line);
            transcript.push('\n');
            do_step(step, tryout).map_err(|message| ScriptError { line: index + 1, message })?;
            tell(tryout, &mut transcript);
        }
        tryout.until_it_listens();
        if !tryout.is_over() {
            tryout.hang_up();
        }
        tell(tryout, &mut transcript);
        Ok(transcript)
    }

    /// Does one step written without its mark, as `1`, `wait 9s` or `gateway: declined`. Keys wait for the prompt's end.
    ///
    /// # Errors
    /// What can be written, or that the call is over.
    pub fn step(written: &str, tryout: &mut Tryout) -> Result<(), String> {
        let step = parse_step(written)?;
        if matches!(step, Step::At(_)) {
            return Err("the call has begun: give its time with --at, or in a script".to_owned());
        }
        wait_for_the_question(&step, tryout);
        do_step(&step, tryout)
    }
}

fn tell(tryout: &mut Tryout, transcript: &mut String) {
    for (_, line) in tryout.take_lines() {
        transcript.push_str(&line);
        transcript.push('\n');
    }
}

fn wait_for_the_question(step: &Step, tryout: &mut Tryout) {
    match step {
        Step::Keys(_) => tryout.until_it_listens(),
        Step::Over(_) => tryout.until_it_asks(),
        _ => {}
    }
}

fn do_step(step: &Step, tryout: &mut Tryout) -> Result<(), String> {
    match step {
        // The call has begun at this time.
        Step::At(_) => {}
        Step::Authorizer(does) => tryout.services.authorizer = does.clone(),
        Step::Gateway(does) => tryout.services.gateway = does.clone(),
        _ if tryout.is_over() => return Err("the call is over before this".to_owned()),
        Step::Keys(keys) => tryout.press(keys),
        Step::Over(keys) => {
            tryout.wait(CUTS_IN);
            tryout.press(keys);
        }
        Step::Wait(span) => tryout.wait(*span),
        Step::HangUp => tryout.hang_up(),
    }
    Ok(())
}

fn parse_step(written: &str) -> Result<Step, String> {
    let keys = |text: &str| {
        let keys: String = text.chars().filter(|character| *character != ' ').collect();
        let are_keys = !keys.is_empty() && keys.chars().all(|key| key.is_ascii_digit() || "*#ABCD".contains(key));
        are_keys.then_some(keys)
    };
    let not_a_step = || format!("{written:?} is nothing a caller does: {STEPS}");
    if written == "hang up" {
        return Ok(Step::HangUp);
    }
    if let Some(does) = written.strip_prefix("authorizer:") {
        return AuthorizerDoes::parse(does.trim()).map(Step::Authorizer);
    }
    if let Some(does) = written.strip_prefix("gateway:") {
        return GatewayDoes::parse(does.trim()).map(Step::Gateway);
    }
    if let Some(time) = written.strip_prefix("at:") {
        return At::parse(time.trim()).map(Step::At);
    }
    if let Some(span) = written.strip_prefix("wait ") {
        return crate::yaml::parse_duration(span).map(Step::Wait).ok_or_else(not_a_step);
    }
    if let Some(text) = written.strip_prefix("over ") {
        return keys(text).map(Step::Over).ok_or_else(not_a_step);
    }
    keys(written).map(Step::Keys).ok_or_else(not_a_step)
}

/// How a transcript differs from the one expected: `-` lines were expected, `+` lines came instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    lines: Vec<(char, String)>,
}

/// Lines shown before and after a difference.
const CONTEXT: usize = 3;

impl Mismatch {
    /// Compares line by line; `None` if they are the same. Line ends of other systems are the same.
    pub fn between(expected: &str, came: &str) -> Option<Self> {
        let (expected, came): (Vec<&str>, Vec<&str>) = (expected.lines().collect(), came.lines().collect());
        let lines = difference(&expected, &came);
        lines.iter().any(|(mark, _)| *mark != ' ').then_some(Self { lines })
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let differs = |index: usize| self.lines.get(index).is_some_and(|(mark, _)| *mark != ' ');
        let mut hidden = false;
        for (index, (mark, line)) in self.lines.iter().enumerate() {
            if (index.saturating_sub(CONTEXT)..=index + CONTEXT).any(differs) {
                writeln!(f, "  {mark} {line}")?;
                hidden = false;
            } else if !std::mem::replace(&mut hidden, true) {
                writeln!(f, "    ...")?;
            }
        }
        Ok(())
    }
}

/// The shortest list of lines kept, taken away and added (longest common subsequence).
fn difference(old: &[&str], new: &[&str]) -> Vec<(char, String)> {
    let mut common = vec![vec![0_usize; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i][j] =
                if old[i] == new[j] { common[i + 1][j + 1] + 1 } else { common[i + 1][j].max(common[i][j + 1]) };
        }
    }
    let (mut i, mut j, mut lines) = (0, 0, Vec::new());
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            lines.push((' ', old[i].to_owned()));
            (i, j) = (i + 1, j + 1);
        } else if j == new.len() || (i < old.len() && common[i + 1][j] >= common[i][j + 1]) {
            lines.push(('-', old[i].to_owned()));
            i += 1;
        } else {
            lines.push(('+', new[j].to_owned()));
            j += 1;
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_what_a_caller_does() {
        let keys = |keys: &str| Ok(Step::Keys(keys.to_owned()));
        assert_eq!(parse_step("257139#"), keys("257139#"));
        assert_eq!(parse_step("4111 1111"), keys("41111111"));
        assert_eq!(parse_step("over 1"), Ok(Step::Over("1".to_owned())));
        assert_eq!(parse_step("wait 1.5s"), Ok(Step::Wait(MediaTime::from_ms(1500))));
        assert_eq!(parse_step("hang up"), Ok(Step::HangUp));
        assert_eq!(parse_step("gateway: silent"), Ok(Step::Gateway(GatewayDoes::Sleeps)));
        for wrong in ["", "press 1", "wait", "over", "1x", "authorizer: perhaps"] {
            assert!(parse_step(wrong).is_err(), "{wrong}");
        }
        assert_eq!(Script::parse("  > 1\n>2\n").unwrap().lines.len(), 2);
        let error = Script::parse("state a\n1\n").unwrap_err();
        assert_eq!(error.to_string(), "line 2: \"1\" is what a caller does: write `> 1`, with the mark");
        let script = Script::parse("# at night\nstate a\n> at: 2026-12-24T18:30\n> 1\n").unwrap();
        assert_eq!(script.at(), At::parse("2026-12-24T18:30").ok().as_ref());
        let error = Script::parse("> 1\n> at: 2026-12-24T18:30\n").unwrap_err();
        assert!(error.to_string().starts_with("line 2: when the call begins is told before anything else"), "{error}");
        let error = Script::parse("# a comment\n> 1\nstate a\n> one\n").unwrap_err();
        assert!(error.to_string().starts_with("line 4: \"one\" is nothing a caller does: write keys"), "{error}");
    }

    #[test]
    fn a_difference_is_shown_with_its_surroundings() {
        assert_eq!(Mismatch::between("a\nb\n", "a\r\nb"), None);
        let old = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
        let told = Mismatch::between(old, &old.replace("5\n", "five\nfünf\n")).unwrap().to_string();
        assert_eq!(told, "    ...\n    2\n    3\n    4\n  - 5\n  + five\n  + fünf\n    6\n    7\n    8\n    ...\n");
    }
}
