//! How sure a count makes us.

/// Share of the cases in which the true proportion is below the bound.
const CONFIDENCE: f64 = 0.95;

/// Upper 95 % confidence bound of a proportion of which `failed` of `trials` were seen (Clopper and Pearson's exact one):
/// the proportion at which seeing so few would have a chance of 5 %. 3 / `trials` if none failed.
pub fn upper_bound(failed: usize, trials: usize) -> f64 {
    if failed >= trials {
        return 1.0;
    }
    let (mut low, mut high) = (failed as f64 / trials as f64, 1.0);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if at_most(failed, trials, middle) > 1.0 - CONFIDENCE { low = middle } else { high = middle }
    }
    high
}

/// Chance of at most `failed` failures in `trials` of a proportion strictly between 0 and 1 (the binomial sum).
fn at_most(failed: usize, trials: usize, proportion: f64) -> f64 {
    let (n, success, failure) = (trials as f64, (1.0 - proportion).ln(), proportion.ln());
    let mut log_choices = 0.0;
    let mut sum = 0.0;
    for k in 0..=failed {
        let k = k as f64;
        sum += (log_choices + k * failure + (n - k) * success).exp();
        log_choices += ((n - k) / (k + 1.0)).ln();
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_those_of_the_tables() {
        // Clopper-Pearson, one-sided 95 %: the rule of three, and values of the binomial tables.
        assert!((upper_bound(0, 10_000) - 2.995e-4).abs() < 1e-6);
        assert!((upper_bound(0, 10) - 0.2589).abs() < 1e-4);
        assert!((upper_bound(1, 10) - 0.3942).abs() < 1e-4);
        assert!((upper_bound(5, 100) - 0.1023).abs() < 1e-4);
        assert!((upper_bound(0, 0) - 1.0).abs() < 1e-12);
        assert!((upper_bound(7, 7) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn bounds_shrink_with_trials_and_grow_with_failures() {
        assert!(upper_bound(0, 100) > upper_bound(0, 10_000));
        assert!(upper_bound(900, 1000) > upper_bound(899, 1000));
        assert!(upper_bound(900, 1000) > 0.9);
    }
}
