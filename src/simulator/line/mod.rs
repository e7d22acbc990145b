//! A telephone line with its faults: a builder with a seed makes a streaming line.
//!
//! The same seed gives the same faults, however the audio is cut into blocks.
//!
//! ```
//! use tonopago::simulator::line::LineBuilder;
//!
//! let mut line = LineBuilder::new(1).noise_dbm0(-45.0).echo(30.0, 14.0).build(8000);
//! let (caller, far) = ([0.1f32; 160], [0.0f32; 160]);
//! let mut heard = [0.0f32; 160];
//! line.process(&caller, &far, &mut heard);
//! assert!(heard.iter().all(|sample| sample.is_finite()));
//! ```

mod carrier;
mod clock;
mod codec;
mod echo;
mod loss;
mod noise;
mod tilt;

use crate::dtmf::level::{amplitude, rms};
use carrier::CarrierOffset;
use clock::ClockOffset;
pub use codec::Companding;
use echo::{Delay, Response, Room};
use loss::{Dropouts, PacketLoss};
use noise::{Hum, Impulses, Pink, Tones, White};
use std::sync::Arc;
use tilt::Tilt;

/// Describes a line. Levels in dBm0 (a full-scale sine is +3.14), times in ms. Faults act in the order a call meets
/// them: room and caller's echo, clocks, carrier, the line's tilt and gain, the box's echo, other sounds, noise, interruptions,
/// clipping, the codec, lost packets.
#[derive(Clone, Debug, Default)]
pub struct LineBuilder {
    seed: u64,
    gain_db: f64,
    twist_db: Option<f64>,
    clock_ppm: Option<f64>,
    carrier_hz: Option<f64>,
    room: Option<(f64, f64)>,
    response: Option<Arc<[f32]>>,
    caller_echoes: Vec<(f64, f64)>,
    echoes: Vec<(f64, f64)>,
    mixed: Vec<(Arc<[f32]>, f64)>,
    tones: Vec<ToneSpec>,
    noise_dbm0: Option<f64>,
    pink_dbm0: Option<f64>,
    impulses: Option<(f64, f64)>,
    hum: Option<(f64, f64)>,
    dc: f64,
    dropouts: Option<(f64, f64)>,
    clip_dbm0: Option<f64>,
    codec: Option<Companding>,
    packet_loss: Option<(f64, f64)>,
}

/// Steady or cadenced tones.
#[derive(Clone, Debug)]
struct ToneSpec {
    hz: Vec<f64>,
    level_dbm0: f64,
    cadence_ms: Option<(f64, f64)>,
}

impl LineBuilder {
    /// A perfect line whose random faults, if any are added, follow from `seed`.
    pub fn new(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    /// Gain from the caller to the box in dB.
    pub fn gain_db(self, gain_db: f64) -> Self {
        Self { gain_db, ..self }
    }

    /// Lowers the high DTMF group by this many dB against the low group, in the middle of both; negative lowers the low group. As a
    /// line does it, by a slope: of 8 dB, digits get 3.8 (their tones nearest to each other) to 11.6.
    pub fn twist_db(self, db: f64) -> Self {
        Self { twist_db: Some(db), ..self }
    }

    /// The caller's sample clock is fast by this many parts in a million; the buffer between slips when it is over.
    pub fn clock_offset_ppm(self, ppm: f64) -> Self {
        Self { clock_ppm: Some(ppm), ..self }
    }

    /// The caller's keypad sounds in a room: reverberation time (60 dB) in ms and level of the reverberation in dB
    /// against the direct sound.
    pub fn room(self, reverberation_ms: f64, level_db: f64) -> Self {
        Self { room: Some((reverberation_ms, level_db)), ..self }
    }

    /// A measured impulse response, of a room or a handset, at the line's rate; its first sample is the direct sound. What it
    /// costs grows with its length.
    pub fn impulse_response(self, samples: Arc<[f32]>) -> Self {
        Self { response: Some(samples), ..self }
    }

    /// A carrier system's frequency error in Hz: every tone is moved by as much, 200 Hz and up.
    pub fn carrier_offset_hz(self, hz: f64) -> Self {
        Self { carrier_hz: Some(hz), ..self }
    }

    /// Echo of the caller's own audio: delay in ms, attenuation in dB. May be given several times.
    pub fn caller_echo(mut self, delay_ms: f64, attenuation_db: f64) -> Self {
        self.caller_echoes.push((delay_ms, attenuation_db));
        self
    }

    /// Echo of the box's own output into its input: delay in ms, attenuation in dB. May be given several times.
    pub fn echo(mut self, delay_ms: f64, attenuation_db: f64) -> Self {
        self.echoes.push((delay_ms, attenuation_db));
        self
    }

    /// Speech, music or any recording mixed in and repeated: samples at the line's rate, and gain in dB.
    pub fn mix(mut self, samples: Arc<[f32]>, gain_db: f64) -> Self {
        self.mixed.push((samples, gain_db));
        self
    }

    /// Dial or call-progress tones: frequencies in Hz, level of each in dBm0, cadence (on, off) in ms or `None`.
    pub fn tones(mut self, hz: &[f64], level_dbm0: f64, cadence_ms: Option<(f64, f64)>) -> Self {
        self.tones.push(ToneSpec { hz: hz.to_vec(), level_dbm0, cadence_ms });
        self
    }

    /// White noise over the whole band, in dBm0.
    pub fn noise_dbm0(self, level: f64) -> Self {
        Self { noise_dbm0: Some(level), ..self }
    }

    /// Pink noise (3 dB less per octave), in dBm0.
    pub fn pink_noise_dbm0(self, level: f64) -> Self {
        Self { pink_dbm0: Some(level), ..self }
    }

    /// Clicks: how many per second on average, and their peak as the level in dBm0 of a sine of that peak.
    pub fn impulses(self, per_second: f64, peak_dbm0: f64) -> Self {
        Self { impulses: Some((per_second, peak_dbm0)), ..self }
    }

    /// Mains hum: frequency in Hz (50 or 60) and level in dBm0, with its second and third harmonic 10 dB down.
    pub fn hum(self, hz: f64, level_dbm0: f64) -> Self {
        Self { hum: Some((hz, level_dbm0)), ..self }
    }

    /// Constant offset as a fraction of full scale.
    pub fn dc(self, offset: f64) -> Self {
        Self { dc: offset, ..self }
    }

    /// Interruptions: how many per second on average, and their length in ms.
    pub fn dropouts(self, per_second: f64, length_ms: f64) -> Self {
        Self { dropouts: Some((per_second, length_ms)), ..self }
    }

    /// Clips at the peak of a sine of this level in dBm0. Without it the line clips at full scale.
    pub fn clip_dbm0(self, level: f64) -> Self {
        Self { clip_dbm0: Some(level), ..self }
    }

    /// Passes everything through G.711.
    pub fn codec(self, law: Companding) -> Self {
        Self { codec: Some(law), ..self }
    }

    /// Loses packets: probability 0 to 1 and packet length in ms; what is lost is heard as zeros.
    pub fn packet_loss(self, probability: f64, packet_ms: f64) -> Self {
        Self { packet_loss: Some((probability, packet_ms)), ..self }
    }

    /// The line for a sample rate in Hz.
    pub fn build(self, sample_rate: u32) -> Line {
        let gain = |db: f64| 10f64.powf(db / 20.0);
        let samples = |ms: f64| (ms.max(0.0) * f64::from(sample_rate) / 1000.0).round() as u64;
        let delays = |echoes: &[(f64, f64)]| {
            echoes.iter().map(|(ms, db)| Delay::new(samples(*ms) as usize, gain(-db))).collect()
        };
        let tones = |tone: &ToneSpec| Tones::new(sample_rate, &tone.hz, amplitude(tone.level_dbm0), tone.cadence_ms);
        let seed = self.seed;
        Line {
            room: self.room.map(|(ms, db)| Room::new(seed, samples(ms) as usize, gain(db))),
            response: self.response.map(Response::new),
            caller_echoes: delays(&self.caller_echoes),
            clock: self.clock_ppm.map(ClockOffset::new),
            carrier: self.carrier_hz.map(|hz| CarrierOffset::new(sample_rate, hz)),
            tilt: self.twist_db.map(|db| Tilt::new(sample_rate, db)),
            gain: gain(self.gain_db) as f32,
            echoes: delays(&self.echoes),
            mixed: self.mixed.iter().map(|(audio, db)| Mixed::new(audio.clone(), gain(*db))).collect(),
            tones: self.tones.iter().map(tones).collect(),
            noise: self.noise_dbm0.map(|level| White::new(seed, rms(level))),
            pink: self.pink_dbm0.map(|level| Pink::new(seed, rms(level))),
            impulses: self.impulses.map(|(rate, peak)| Impulses::new(seed, sample_rate, rate, amplitude(peak))),
            hum: self.hum.map(|(hz, level)| Hum::new(sample_rate, hz, amplitude(level))),
            dc: self.dc as f32,
            dropouts: self.dropouts.map(|(rate, ms)| Dropouts::new(seed, sample_rate, rate, samples(ms))),
            limit: self.clip_dbm0.map_or(1.0, |level| amplitude(level).min(1.0)) as f32,
            codec: self.codec,
            packet_loss: self.packet_loss.map(|(probability, ms)| PacketLoss::new(seed, probability, samples(ms))),
        }
    }
}

/// A line in use; see [`LineBuilder`].
#[derive(Clone, Debug)]
pub struct Line {
    room: Option<Room>,
    response: Option<Response>,
    caller_echoes: Vec<Delay>,
    clock: Option<ClockOffset>,
    carrier: Option<CarrierOffset>,
    tilt: Option<Tilt>,
    gain: f32,
    echoes: Vec<Delay>,
    mixed: Vec<Mixed>,
    tones: Vec<Tones>,
    noise: Option<White>,
    pink: Option<Pink>,
    impulses: Option<Impulses>,
    hum: Option<Hum>,
    dc: f32,
    dropouts: Option<Dropouts>,
    limit: f32,
    codec: Option<Companding>,
    packet_loss: Option<PacketLoss>,
}

impl Line {
    /// Carries one block: the caller's clean audio and the box's output in, what the box hears out. Allocates nothing.
    ///
    /// # Panics
    /// If the three slices differ in length.
    pub fn process(&mut self, caller: &[f32], far: &[f32], heard: &mut [f32]) {
        assert!(caller.len() == far.len() && far.len() == heard.len(), "blocks of one length");
        for ((caller, far), heard) in caller.iter().zip(far).zip(heard) {
            *heard = self.next(*caller, *far);
        }
    }

    /// What the box hears of a whole recording while it is silent itself.
    pub fn carry(&mut self, caller: &[f32]) -> Vec<f32> {
        caller.iter().map(|sample| self.next(*sample, 0.0)).collect()
    }

    fn next(&mut self, caller: f32, far: f32) -> f32 {
        let mut sample = self.room.as_mut().map_or(caller, |room| room.next(caller));
        sample = self.response.as_mut().map_or(sample, |response| response.next(sample));
        sample += self.caller_echoes.iter_mut().map(|echo| echo.next(caller)).sum::<f32>();
        sample = self.clock.as_mut().map_or(sample, |clock| clock.next(sample));
        sample = self.carrier.as_mut().map_or(sample, |carrier| carrier.next(sample));
        sample = self.gain * self.tilt.as_mut().map_or(sample, |tilt| tilt.next(sample));
        sample += self.echoes.iter_mut().map(|echo| echo.next(far)).sum::<f32>();
        sample += self.other_sounds();
        sample = self.dropouts.as_mut().map_or(sample, |dropouts| dropouts.next(sample));
        sample = (sample + self.dc).clamp(-self.limit, self.limit);
        sample = self.codec.map_or(sample, |law| law.round_trip(sample));
        self.packet_loss.as_mut().map_or(sample, |loss| loss.next(sample))
    }

    fn other_sounds(&mut self) -> f32 {
        let mixed: f32 = self.mixed.iter_mut().map(Mixed::next).sum();
        let tones: f32 = self.tones.iter_mut().map(Tones::next).sum();
        mixed
            + tones
            + self.noise.as_mut().map_or(0.0, White::next)
            + self.pink.as_mut().map_or(0.0, Pink::next)
            + self.impulses.as_mut().map_or(0.0, Impulses::next)
            + self.hum.as_mut().map_or(0.0, Hum::next)
    }
}

/// A recording that goes round.
#[derive(Clone, Debug)]
struct Mixed {
    samples: Arc<[f32]>,
    position: usize,
    gain: f32,
}

impl Mixed {
    fn new(samples: Arc<[f32]>, gain: f64) -> Self {
        Self { samples, position: 0, gain: gain as f32 }
    }

    fn next(&mut self) -> f32 {
        let Some(sample) = self.samples.get(self.position) else { return 0.0 };
        self.position = (self.position + 1) % self.samples.len();
        self.gain * sample
    }
}

#[cfg(test)]
mod tests;
