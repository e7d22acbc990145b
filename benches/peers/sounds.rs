//! What everybody hears: prompts from Debian's packages, and sound that is made.

use std::path::PathBuf;

use tonopago::audio::wav::to_16_bits;
use tonopago::conformance::{RATE, Signal};
use tonopago::decode::gather;
use tonopago::dtmf::GeneratorConfig;
use tonopago::simulator::line::LineBuilder;

/// Where asterisk-core-sounds-en-wav and -es-wav put their prompts.
const SPEECH: [&str; 2] = ["/usr/share/asterisk/sounds/en_US_f_Allison", "/usr/share/asterisk/sounds/es_MX_f_Allison"];

/// The sounds.
pub(crate) struct Sounds {
    /// All prompts with a fifth of a second between them; empty where the packages are not installed.
    pub(crate) speech: Vec<f32>,
}

impl Sounds {
    /// Reads prompts until there are `most` samples of them.
    pub(crate) fn collect(most: usize) -> Self {
        let installed: Vec<PathBuf> = SPEECH.map(PathBuf::from).into_iter().filter(|folder| folder.is_dir()).collect();
        let files = gather(&installed, false).inputs;
        let mut speech = Vec::new();
        for file in &files {
            if speech.len() >= most {
                break;
            }
            let mut reader = hound::WavReader::open(file.to_string()).unwrap();
            assert_eq!(reader.spec().sample_rate, RATE, "{file}");
            speech.extend(reader.samples::<i16>().map(|sample| f32::from(sample.unwrap()) / 32768.0));
            speech.resize(speech.len() + RATE as usize / 5, 0.0);
        }
        if speech.is_empty() {
            println!("No speech: asterisk-core-sounds-en-wav and asterisk-core-sounds-es-wav are not installed.");
        }
        Self { speech }
    }

    /// What cost is measured on, by name: so many samples of each, rounded to the 16 bits that everybody gets.
    pub(crate) fn for_cost(&self, length: usize) -> Vec<(&'static str, Vec<f32>)> {
        let digits = Signal::random(3001, length / 800, &GeneratorConfig::default().timing(50.0, 50.0));
        let noise = LineBuilder::new(3002).noise_dbm0(-30.0).build(RATE).carry(&vec![0.0; length]);
        let speech: Vec<f32> = self.speech.iter().take(length).copied().collect();
        let sounds = [
            ("speech", speech),
            ("digits, 50/50 ms", digits.samples),
            ("silence", vec![0.0; length]),
            ("noise, -30 dBm0", noise),
        ];
        sounds.into_iter().filter(|(_, samples)| !samples.is_empty()).map(|(name, s)| (name, rounded(&s))).collect()
    }
}

/// The samples as 16 bits hold them.
pub(crate) fn rounded(samples: &[f32]) -> Vec<f32> {
    samples.iter().map(|sample| f32::from(to_16_bits(*sample)) / 32768.0).collect()
}
