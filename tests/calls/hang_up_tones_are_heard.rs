//! The network's tone ends the call of a caller who has gone; speech never does.

use std::f64::consts::TAU;
use std::path::{Path, PathBuf};

use tonopago::audio::{Block, Recording};
use tonopago::call::{Call, CallConfig, Effect};
use tonopago::decode::{Gathered, gather};
use tonopago::media::MediaTime;
use tonopago::progress::{Country, Kind, Progress};
use tonopago::simulator::line::LineBuilder;
use tonopago::speech::Clips;

use crate::bench::pago;

/// Where Debian's asterisk-core-sounds packages put their speech.
const SPEECH: &str = "/usr/share/asterisk/sounds";

/// 425 Hz in bursts of 250 ms at -15 dBm0 beside the echo of the box's own prompt: the caller hung up in the middle of it.
#[test]
fn a_caller_who_hangs_up_in_a_prompt_frees_the_line_within_six_seconds() {
    for hung_up_ms in [600, 2300, 4100, 5100] {
        let mut call = Call::new(pago(), Clips::embedded(), &CallConfig::default());
        let mut line = LineBuilder::new(4).noise_dbm0(-50.0).echo(30.0, 10.0).build(8000);
        let hung_up = MediaTime::from_ms(hung_up_ms);
        let (mut heard, mut said) = ([0.0; 80], [0.0; 80]);
        let mut over_at = None;
        while over_at.is_none() && call.now() < MediaTime::from_ms(20_000) {
            let tone: [f32; 80] = std::array::from_fn(|index| {
                let n = (call.now().0 + index as u64).saturating_sub(hung_up.0);
                let on = call.now() >= hung_up && (n / 2000).is_multiple_of(2);
                if on { (0.13 * (TAU * 425.0 * n as f64 / 8000.0).sin()) as f32 } else { 0.0 }
            });
            let before = said;
            line.process(&tone, &before, &mut heard);
            let mut done = 0;
            while done < heard.len() {
                done += call.step(&heard[done..], &mut said[done..]);
                while let Some(effect) = call.poll_effect() {
                    assert!(!matches!(effect, Effect::HangUp), "the caller hung up, not the box");
                }
            }
            over_at = call.is_over().then(|| call.now());
        }
        let took = over_at.expect("the call ends") - hung_up;
        println!("freed after {took}");
        assert!(took < MediaTime::from_ms(6000) && call.tone().map(|tone| tone.kind) == Some(Kind::Busy));
    }
}

#[test]
fn an_hour_of_telephone_speech_holds_no_tone_of_any_country() {
    let folders = ["en_US_f_Allison", "es_MX_f_Allison"].map(|language| Path::new(SPEECH).join(language));
    let installed: Vec<PathBuf> = folders.into_iter().filter(|folder| folder.is_dir()).collect();
    let Gathered { inputs: files, errors, .. } = gather(&installed, false);
    assert!(errors.is_empty(), "{errors:?}");
    if files.is_empty() {
        println!("skipped: install asterisk-core-sounds-en-wav and asterisk-core-sounds-es-wav");
        return;
    }
    let mut listening: Vec<Progress> =
        Country::names().map(|name| Progress::new(Country::named(name).unwrap())).collect();
    let (mut samples, mut found, mut block) = (0, Vec::new(), Block::new());
    for file in &files {
        let mut recording = Recording::open(Path::new(&file.to_string())).unwrap();
        while recording.next_block(&mut block).unwrap() {
            samples += block.frames();
            for progress in &mut listening {
                let heard = progress.process(block.channel(0));
                found.extend(heard.map(|heard| (file.clone(), progress.country().name, heard)));
            }
        }
    }
    println!("{} min of speech, {} tables: {} tones", samples / 480_000, listening.len(), found.len());
    assert!(found.is_empty(), "{found:?}");
}
