//! Many values of one quantity, in ms.

use serde_json::{Value, json};

/// Longest bar of a histogram for people, in characters.
const LONGEST_BAR: usize = 50;

/// Values in ms, sorted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Distribution(Vec<f64>);

impl Distribution {
    /// Of values in any order.
    pub fn new(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        Self(values)
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value that a part (0 to 1) of them does not exceed; not a number where there is none.
    pub fn part(&self, part: f64) -> f64 {
        let last = self.0.len().saturating_sub(1) as f64;
        self.0.get((last * part.clamp(0.0, 1.0)).round() as usize).copied().unwrap_or(f64::NAN)
    }

    /// The mean; not a number where there is none.
    pub fn mean(&self) -> f64 {
        self.0.iter().sum::<f64>() / self.0.len() as f64
    }

    /// How many lie in each bar so many ms wide: its left end and the count, from the lowest to the highest.
    pub fn histogram(&self, width_ms: f64) -> Vec<(f64, usize)> {
        let bar = |value: f64| (value / width_ms).floor() as i64;
        let (Some(first), Some(last)) = (self.0.first(), self.0.last()) else { return Vec::new() };
        let mut counts: Vec<(f64, usize)> =
            (bar(*first)..=bar(*last)).map(|place| (place as f64 * width_ms, 0)).collect();
        self.0.iter().for_each(|value| counts[(bar(*value) - bar(*first)) as usize].1 += 1);
        counts
    }

    /// The histogram as lines of text, one bar a line, about `most` of them.
    pub fn drawn(&self, most: usize) -> Vec<String> {
        let span = self.part(1.0) - self.part(0.0);
        let widths = [0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 500.0];
        let width = widths.into_iter().find(|width| span / width <= most as f64).unwrap_or(1000.0);
        let bars = self.histogram(width);
        let highest = bars.iter().map(|(_, count)| *count).max().unwrap_or(1);
        let line = |(place, count): (f64, usize)| {
            // A bar of one is seen, too.
            let length = (count * LONGEST_BAR).div_ceil(highest.max(1));
            format!("{place:7.1} ms {count:6}  {}", "#".repeat(length))
        };
        bars.into_iter().map(line).collect()
    }

    /// Count, mean and parts, as an object.
    pub fn json(&self) -> Value {
        json!({ "count": self.len(), "min": round(self.part(0.0)), "mean": round(self.mean()), "p50": round(self.part(0.5)),
            "p95": round(self.part(0.95)), "p99": round(self.part(0.99)), "max": round(self.part(1.0)) })
    }
}

/// To a microsecond; what is not a number is null in JSON.
fn round(ms: f64) -> f64 {
    (ms * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_and_bars_count_every_value() {
        let values = Distribution::new((0..=100).rev().map(f64::from).collect());
        assert_eq!((values.part(0.0), values.part(0.5), values.part(0.95), values.part(1.0)), (0.0, 50.0, 95.0, 100.0));
        assert!((values.mean() - 50.0).abs() < 1e-9);
        let bars = values.histogram(10.0);
        assert_eq!((bars.len(), bars[0], bars[10]), (11, (0.0, 10), (100.0, 1)));
        assert_eq!(values.drawn(12).len(), 11);
        assert!(values.drawn(12)[10].ends_with(" 1  #####"), "{:?}", values.drawn(12));
    }

    #[test]
    fn nothing_is_no_number() {
        let nothing = Distribution::default();
        assert!(nothing.is_empty() && nothing.part(0.5).is_nan() && nothing.drawn(10).is_empty());
        assert_eq!(nothing.json()["p50"], Value::Null);
    }
}
