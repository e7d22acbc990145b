//! A spectrogram of bounded size: when its columns become too many, each two are merged.

use std::sync::Arc;

use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};

use crate::dtmf::level::dbm0;

/// Highest frequency drawn, in Hz: the tones lie below 1.7 kHz.
pub(super) const HIGHEST_HZ: f64 = 2000.0;
/// Rows of the picture: 15.6 Hz each.
const ROWS: usize = 128;
/// Columns at most. At half of it merging ends.
const COLUMNS: usize = 2400;
/// Length of the window in seconds: a compromise between a key's 40 ms and the 70 Hz between two rows of keys.
const WINDOW_S: f64 = 0.036;
/// Time between two windows, in seconds: at first, and at most. As columns grow wider their windows move apart, up to where a
/// key of 40 ms still has one with its middle at most 8 ms from its own, which shows it within 0.3 dB.
const HOP_S: (f64, f64) = (0.004, 0.016);
/// Levels drawn below the loudest, in dB.
const RANGE_DB: f32 = 60.0;
/// Level of digital silence, in dBm0.
const SILENCE_DBM0: f32 = -120.0;
/// Colours from weak to strong.
const COLOURS: [[f32; 3]; 6] = [
    [10.0, 8.0, 30.0],
    [50.0, 20.0, 95.0],
    [130.0, 35.0, 110.0],
    [210.0, 65.0, 75.0],
    [250.0, 150.0, 40.0],
    [252.0, 250.0, 165.0],
];

type Column = [f32; ROWS];

pub(super) struct Spectrogram {
    rate: f64,
    window: Vec<f32>,
    fft: Arc<dyn Fft<f32>>,
    work: Vec<Complex<f32>>,
    /// Two windows, one as the real and one as the imaginary part, then what the transform makes of them.
    spectrum: Vec<Complex<f32>>,
    /// The line of the transform that stands for each row.
    lines: [usize; ROWS],
    /// The latest samples, as many as the window.
    latest: Vec<f32>,
    heard: u64,
    /// Samples between two windows. It doubles with each merging as far as [`HOP_S`] allows, then `hops_a_column` does.
    hop: u64,
    hops_a_column: usize,
    hops: usize,
    /// The strongest power of each row in the column being made; an amplitude of 1 has 1. Levels wait for its end: a logarithm
    /// for each window costs more than its transform.
    column: Column,
    /// Levels in dBm0.
    columns: Vec<Column>,
}

impl Spectrogram {
    pub(super) fn new(sample_rate: u32) -> Self {
        let rate = f64::from(sample_rate);
        let length = (rate * WINDOW_S).round().max(8.0) as usize;
        let hann = |n: usize| (0.5 - 0.5 * (std::f64::consts::TAU * (n as f64 + 0.5) / length as f64).cos()) as f32;
        // Twice as long as the window, so that the rows' frequencies are near a line of the transform.
        let size = (2 * length).next_power_of_two();
        let line = |row: usize| {
            let hz = (row as f64 + 0.5) * HIGHEST_HZ / ROWS as f64;
            ((hz / rate * size as f64).round() as usize).min(size / 2)
        };
        let fft = FftPlanner::new().plan_fft_forward(size);
        Self {
            rate,
            window: (0..length).map(hann).collect(),
            work: vec![Complex::default(); fft.get_inplace_scratch_len()],
            fft,
            spectrum: vec![Complex::default(); size],
            lines: std::array::from_fn(line),
            latest: vec![0.0; length],
            heard: 0,
            hop: (rate * HOP_S.0).round().max(1.0) as u64,
            hops_a_column: 1,
            hops: 0,
            column: [0.0; ROWS],
            columns: Vec::new(),
        }
    }

    /// Length heard in seconds.
    pub(super) fn seconds(&self) -> f64 {
        self.heard as f64 / self.rate
    }

    /// Length of a column in seconds.
    fn column_s(&self) -> f64 {
        self.hop as f64 * self.hops_a_column as f64 / self.rate
    }

    pub(super) fn hear(&mut self, mut samples: &[f32]) {
        while !samples.is_empty() {
            let due = (self.hop - self.heard % self.hop) as usize;
            let (now, later) = samples.split_at(due.min(samples.len()));
            self.latest.extend_from_slice(now);
            self.latest.drain(..now.len());
            self.heard += now.len() as u64;
            if self.heard.is_multiple_of(self.hop) {
                self.analyse();
            }
            samples = later;
        }
    }

    /// Takes the window that ends here into the column being made.
    fn analyse(&mut self) {
        let weighted = self.latest.iter().zip(&self.window).map(|(sample, weight)| sample * weight);
        let second = self.hops % 2 == 1;
        if second {
            self.spectrum.iter_mut().zip(weighted).for_each(|(value, sample)| value.im = sample);
        } else {
            self.spectrum.fill(Complex::default());
            self.spectrum.iter_mut().zip(weighted).for_each(|(value, sample)| value.re = sample);
        }
        self.hops += 1;
        let complete = self.hops == self.hops_a_column;
        if second || complete {
            self.transform();
        }
        if complete {
            let powers = std::mem::replace(&mut self.column, [0.0; ROWS]);
            self.columns.push(powers.map(|power| (dbm0(f64::from(power).sqrt()) as f32).max(SILENCE_DBM0)));
            self.hops = 0;
            self.merge_if_too_many();
        }
    }

    /// Keeps the strongest of each row. One transform serves two windows, which have real samples: the symmetry of their
    /// spectra takes them apart.
    fn transform(&mut self) {
        self.fft.process_with_scratch(&mut self.spectrum, &mut self.work);
        // A sine of amplitude 1 gives a quarter of the window's length behind a Hann window, and twice that in a sum of two.
        let scale = (2.0 / self.window.len() as f32).powi(2);
        for (strongest, line) in self.column.iter_mut().zip(self.lines) {
            let (value, mirrored) =
                (self.spectrum[line], self.spectrum[(self.spectrum.len() - line) % self.spectrum.len()]);
            let (first, second) = (value + mirrored.conj(), value - mirrored.conj());
            *strongest = strongest.max(scale * first.norm_sqr().max(second.norm_sqr()));
        }
    }

    fn merge_if_too_many(&mut self) {
        if self.columns.len() < COLUMNS {
            return;
        }
        let merge = |pair: &[Column]| {
            let mut merged = pair[0];
            merged.iter_mut().zip(&pair[1]).for_each(|(level, other)| *level = level.max(*other));
            merged
        };
        self.columns = self.columns.chunks_exact(2).map(merge).collect();
        if self.hop as f64 * 1.5 < self.rate * HOP_S.1 {
            self.hop *= 2;
        } else {
            self.hops_a_column *= 2;
        }
    }

    /// The picture, low frequencies at the bottom; `None` of no sound.
    pub(super) fn png(&self) -> Option<Vec<u8>> {
        if self.columns.is_empty() {
            return None;
        }
        let loudest = self.columns.iter().flatten().fold(SILENCE_DBM0 + RANGE_DB, |loudest, level| loudest.max(*level));
        let shade = |level: f32| (((level - loudest) / RANGE_DB + 1.0).clamp(0.0, 1.0) * 255.0) as u8;
        // A window ends at its column's time: what it shows lies half a window before.
        let late = (0.5 * WINDOW_S / self.column_s()).round() as usize;
        let last = self.columns.len() - 1;
        let shown = |column: usize| &self.columns[(column + late).min(last)];
        let rows = (0..ROWS).rev().flat_map(|row| (0..=last).map(move |column| (row, column)));
        let pixels: Vec<u8> = rows.map(|(row, column)| shade(shown(column)[row])).collect();
        encode(&pixels, self.columns.len())
    }
}

fn encode(pixels: &[u8], width: usize) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, u32::try_from(width).ok()?, ROWS as u32);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_palette((0..=255).flat_map(colour).collect::<Vec<u8>>());
    encoder.set_compression(png::Compression::High);
    encoder.write_header().ok()?.write_image_data(pixels).ok()?;
    Some(bytes)
}

fn colour(shade: u8) -> [u8; 3] {
    let place = f32::from(shade) / 255.0 * (COLOURS.len() - 1) as f32;
    let (from, part) = ((place as usize).min(COLOURS.len() - 2), place.fract());
    let part = if place as usize > from { 1.0 } else { part };
    std::array::from_fn(|n| (COLOURS[from][n] + part * (COLOURS[from + 1][n] - COLOURS[from][n])) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_stands_at_its_frequency_with_its_level() {
        for rate in [8000, 44_100] {
            let mut spectrogram = Spectrogram::new(rate);
            let step = std::f64::consts::TAU * 1336.0 / f64::from(rate);
            let tone: Vec<f32> = (0..rate).map(|n| (0.5 * (step * f64::from(n)).sin()) as f32).collect();
            spectrogram.hear(&tone);
            let column = spectrogram.columns[100];
            let loudest = (0..ROWS).max_by(|a, b| column[*a].total_cmp(&column[*b])).unwrap();
            let hz = (loudest as f64 + 0.5) * HIGHEST_HZ / ROWS as f64;
            assert!((hz - 1336.0).abs() < 16.0, "{rate} Hz: {hz}");
            assert!((f64::from(column[loudest]) - dbm0(0.5)).abs() < 1.0, "{rate} Hz: {}", column[loudest]);
        }
    }

    /// Windows lie far apart in a long recording, and two share a transform: wherever a short key lies, it shows with its level,
    /// and nothing shows where there is none.
    #[test]
    fn short_keys_in_a_long_recording_show_wherever_they_lie() {
        let key: Vec<f32> = (0..320).map(|n| 0.5 * (std::f32::consts::TAU * 0.167 * n as f32).sin()).collect();
        let starts: Vec<usize> = (1..30).map(|n| n * 20 * 8000 + n * 8).collect();
        let mut samples = vec![0.0; 8000 * 600];
        starts.iter().for_each(|start| samples[*start..start + key.len()].copy_from_slice(&key));
        let mut spectrogram = Spectrogram::new(8000);
        spectrogram.hear(&samples);
        assert!(spectrogram.hop == 128 && spectrogram.hops_a_column > 8, "{}", spectrogram.hops_a_column);
        let row = (1336.0 / HIGHEST_HZ * ROWS as f64) as usize;
        let mut levels: Vec<f32> = spectrogram.columns.iter().map(|column| column[row]).collect();
        for start in starts {
            let column = ((start + 320) as f64 / 8000.0 / spectrogram.column_s()) as usize;
            let around = &mut levels[column - 1..=column + 1];
            let loudest = around.iter().copied().fold(SILENCE_DBM0, f32::max);
            assert!((f64::from(loudest) - dbm0(0.5)).abs() < 0.5, "{start}: {loudest}");
            around.fill(SILENCE_DBM0);
        }
        assert!(levels.iter().all(|level| *level == SILENCE_DBM0));
    }

    #[test]
    fn columns_are_merged_when_they_are_too_many() {
        let mut spectrogram = Spectrogram::new(8000);
        spectrogram.hear(&vec![0.1; 8000 * 60]);
        assert!((COLUMNS / 2..COLUMNS).contains(&spectrogram.columns.len()), "{}", spectrogram.columns.len());
        assert!((spectrogram.seconds() - 60.0).abs() < 1e-9);
        assert!(spectrogram.png().unwrap().starts_with(b"\x89PNG"));
        assert!(Spectrogram::new(8000).png().is_none());
    }

    #[test]
    fn colours_go_from_dark_to_bright() {
        assert_eq!((colour(0), colour(255)), ([10, 8, 30], [252, 250, 165]));
        let sum = |shade| colour(shade).iter().map(|part| u32::from(*part)).sum::<u32>();
        assert!((1..=255).all(|shade| sum(shade) >= sum(shade - 1)));
    }
}
