//! Missing audio: lost packets and short interruptions.

/// Packets that are lost now and then and heard as silence.
#[derive(Clone, Debug)]
pub(super) struct PacketLoss {
    rng: fastrand::Rng,
    probability: f64,
    length: u64,
    left: u64,
    lost: bool,
}

impl PacketLoss {
    pub(super) fn new(seed: u64, probability: f64, length: u64) -> Self {
        let rng = fastrand::Rng::with_seed(seed ^ 0x7061_636b);
        Self { rng, probability, length: length.max(1), left: 0, lost: false }
    }

    pub(super) fn next(&mut self, sample: f32) -> f32 {
        if self.left == 0 {
            self.left = self.length;
            self.lost = self.rng.f64() < self.probability;
        }
        self.left -= 1;
        if self.lost { 0.0 } else { sample }
    }
}

/// Interruptions of a fixed length at random times.
#[derive(Clone, Debug)]
pub(super) struct Dropouts {
    rng: fastrand::Rng,
    probability: f64,
    length: u64,
    left: u64,
}

impl Dropouts {
    /// `per_second` interruptions on average, each of `length` samples.
    pub(super) fn new(seed: u64, sample_rate: u32, per_second: f64, length: u64) -> Self {
        let rng = fastrand::Rng::with_seed(seed ^ 0x6472_6f70);
        Self { rng, probability: per_second / f64::from(sample_rate), length, left: 0 }
    }

    pub(super) fn next(&mut self, sample: f32) -> f32 {
        if self.left == 0 && self.rng.f64() < self.probability {
            self.left = self.length;
        }
        if self.left == 0 {
            return sample;
        }
        self.left -= 1;
        0.0
    }
}
