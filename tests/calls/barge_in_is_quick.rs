//! From a key's onset in the line's input to silence in the line's output: at most 60 ms of media time.

use tonopago::simulator::line::LineBuilder;

use crate::bench;
use crate::sound::Sound;

/// 60 ms in samples.
const MOST: usize = 480;

/// Samples from the onset of `key` to the last sound said, if the key is pressed `after` samples into the prompt.
fn samples_to_silence(after: usize, key: char, noise_dbm0: Option<f64>) -> usize {
    let mut sound = Sound::new(bench::pago());
    sound.until_heard("bienvenida").keys("1").silence(100);
    assert_eq!(sound.state(), "clave");
    sound.feed(&vec![0.0; after]);
    let speaking = sound.said[sound.said.len() - 800..].iter().any(|sample| *sample != 0.0);
    assert!(speaking, "the prompt is being said before the key");
    let onset = sound.said.len();
    let mut tone = vec![0.0; 1600];
    let config = tonopago::dtmf::GeneratorConfig::default().timing(120.0, 80.0);
    let clean = tonopago::dtmf::generate(&[tonopago::dtmf::Digit::from_char(key).unwrap()], &config).unwrap();
    let line = LineBuilder::new(after as u64);
    let mut line = noise_dbm0.map_or(line.clone(), |level| line.noise_dbm0(level)).build(8000);
    line.process(&clean, &vec![0.0; 1600], &mut tone);
    sound.feed(&tone).silence(1000);
    let last = sound.said.iter().rposition(|sample| *sample != 0.0).unwrap();
    (last + 1).saturating_sub(onset)
}

#[test]
fn the_prompt_is_silent_60_ms_after_a_keys_onset_whenever_it_comes() {
    let mut worst = 0;
    for (index, after) in (2000..4000).step_by(53).enumerate() {
        let key = char::from(b'0' + (index % 10) as u8);
        let took = samples_to_silence(after, key, None);
        worst = worst.max(took);
        assert!(took <= MOST, "key {key} {after} samples into the prompt: {took} samples to silence");
    }
    println!("clean line: worst {worst} samples ({} ms) from onset to silence, 38 keys", worst as f64 / 8.0);
}

#[test]
fn the_prompt_is_silent_60_ms_after_a_keys_onset_on_a_noisy_line() {
    let mut worst = 0;
    for (index, after) in (2000..4000).step_by(101).enumerate() {
        let key = char::from(b'0' + (index % 10) as u8);
        let took = samples_to_silence(after, key, Some(-30.0));
        worst = worst.max(took);
        assert!(took <= MOST, "key {key} {after} samples into the prompt: {took} samples to silence");
    }
    println!("noise at -30 dBm0: worst {worst} samples ({} ms), 20 keys", worst as f64 / 8.0);
}
