//! What drawings in SVG share: text, lines, ticks, numbers.

use std::fmt::Write as _;

/// Text for HTML and SVG.
pub(crate) fn escape(text: &str) -> String {
    // Control characters are not allowed in XML, however they are written.
    let allowed: String = text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    allowed.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Which part of a text stands at its place.
#[derive(Clone, Copy)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// Adds a text of a class at a place.
pub(crate) fn text(out: &mut String, class: &str, (x, y): (f64, f64), anchor: Anchor, words: &str) {
    let anchor = match anchor {
        Anchor::Start => "",
        Anchor::Middle => r#" text-anchor="middle""#,
        Anchor::End => r#" text-anchor="end""#,
    };
    let _ = write!(out, r#"<text class="{class}" x="{x:.1}" y="{y:.1}"{anchor}>{}</text>"#, escape(words));
}

/// Adds a straight line of a class.
pub(crate) fn line(out: &mut String, class: &str, from: (f64, f64), to: (f64, f64)) {
    let ((x1, y1), (x2, y2)) = (from, to);
    let _ = write!(out, r#"<line class="{class}" x1="{x1:.1}" x2="{x2:.1}" y1="{y1:.1}" y2="{y2:.1}"/>"#);
}

/// Round values in a range, about `count`.
pub(crate) fn ticks(from: f64, to: f64, count: f64) -> Vec<f64> {
    let rough = (to - from) / count;
    if !(rough.is_finite() && rough > 0.0) {
        return Vec::new();
    }
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|n| n * power).into_iter().find(|step| *step >= rough).unwrap_or(rough);
    let (first, last) = ((from / step - 1e-9).ceil() as i64, (to / step + 1e-9).floor() as i64);
    (first..=last).map(|n| n as f64 * step).collect()
}

/// A number without needless digits.
pub(crate) fn number(value: f64) -> String {
    let text = format!("{value:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_within() {
        assert_eq!(ticks(0.0, 100.0, 8.0), [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]);
        assert_eq!(ticks(-4.0, 4.0, 8.0), [-4.0, -3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0]);
        assert!(ticks(1.0, 1.0, 8.0).is_empty());
    }

    #[test]
    fn text_and_numbers_are_safe_and_short() {
        assert_eq!(escape("a<b & \"c\"\u{7}"), "a&lt;b &amp; &quot;c&quot;\u{fffd}");
        let mut out = String::new();
        text(&mut out, "tick", (1.0, 2.0), Anchor::End, "<");
        assert_eq!(out, r#"<text class="tick" x="1.0" y="2.0" text-anchor="end">&lt;</text>"#);
        assert_eq!((&*number(0.5), &*number(20.0), &*number(-0.0)), ("0.5", "20", "0"));
    }
}
