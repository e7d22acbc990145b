//! Measures this build's detector on every property it promises, with enough trials for each claim.
//!
//! ```
//! use tonopago::conformance::{Effort, measure};
//! use tonopago::dtmf::Profile;
//!
//! let rows = measure(&Profile::default(), Effort::Quick, None, &mut |_name| ());
//! assert!(rows.iter().all(|row| row.pass), "{rows:#?}");
//! ```

mod rows;
mod score;
mod signal;

use crate::dtmf::Profile;

/// How many trials a measurement takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// Seconds: enough to see that nothing is broken.
    Quick,
    /// Minutes: enough for the claim each row makes.
    Full,
}

impl Effort {
    /// Trials for a row that needs `full` of them for its claim.
    fn trials(self, full: usize) -> usize {
        match self {
            Self::Quick => (full / 50).max(16),
            Self::Full => full,
        }
    }
}

/// One property, measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The property, in words.
    pub name: String,
    /// What is promised.
    pub target: String,
    /// What was found.
    pub measured: String,
    /// Whether the promise holds.
    pub pass: bool,
    /// How many digits (or minutes, for false digits) were tried.
    pub trials: usize,
    /// Upper 95 % confidence bound of the failing part, 0 to 1 (Wilson), where the row counts failures.
    pub upper_bound: Option<f64>,
}

/// Measures all rows. `speech` is telephone speech at 8 kHz (full scale 1.0) for the rows that need it; they are left out
/// without it. `progress` is told the name of each row before it runs.
pub fn measure(profile: &Profile, effort: Effort, speech: Option<&[f32]>, progress: &mut dyn FnMut(&str)) -> Vec<Row> {
    rows::all(profile, effort, speech, progress)
}

/// Upper 95 % confidence bound of a proportion of `failed` in `trials` (Wilson's score interval).
fn upper_bound(failed: usize, trials: usize) -> f64 {
    const Z: f64 = 1.645;
    if trials == 0 {
        return 1.0;
    }
    let (n, p) = (trials as f64, failed as f64 / trials as f64);
    let spread = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    ((p + Z * Z / (2.0 * n) + spread) / (1.0 + Z * Z / n)).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quick_run_passes_every_row() {
        let rows = measure(&Profile::default(), Effort::Quick, None, &mut |_| ());
        let failed: Vec<&Row> = rows.iter().filter(|row| !row.pass).collect();
        assert!(failed.is_empty(), "{failed:#?}");
        assert!(rows.len() > 25, "{} rows", rows.len());
    }

    #[test]
    fn bounds_shrink_with_trials_and_grow_with_failures() {
        assert!(upper_bound(0, 10_000) < 3e-4);
        assert!(upper_bound(0, 100) > upper_bound(0, 10_000));
        assert!(upper_bound(5, 100) > 0.05);
        assert!((upper_bound(0, 0) - 1.0).abs() < 1e-9);
    }
}
