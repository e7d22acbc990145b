//! Charts as SVG: lines or bars on labelled axes. Colours come from the page's style, so that they suit light and dark.

use std::fmt::Write as _;

use crate::svg::{Anchor, escape, line, number, text, ticks};

/// Width and height of a chart in its own units.
const SIZE: (f64, f64) = (560.0, 320.0);
/// Ticks on an axis, about.
const TICKS: f64 = 8.0;
/// Room for labels: left, right, above, below.
const MARGIN: (f64, f64, f64, f64) = (64.0, 16.0, 36.0, 48.0);

/// Room for a line's name in the legend.
const LEGEND: f64 = 90.0;

/// A chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// What it shows.
    pub title: String,
    /// Under the horizontal axis, with its unit.
    pub x_label: String,
    /// Beside the vertical axis, with its unit.
    pub y_label: String,
    /// How it is drawn.
    pub form: Form,
    /// What is drawn.
    pub lines: Vec<Line>,
    /// Limits: vertical lines at a place, with a word.
    pub limits: Vec<(f64, String)>,
}

/// How a chart is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Form {
    /// Lines; the vertical axis is linear from 0 to this.
    Linear(f64),
    /// Lines; the vertical axis is logarithmic from the first to the second. Zero is drawn at the bottom.
    Logarithmic(f64, f64),
    /// Bars between a point's place and the next one's, from zero.
    Bars,
}

/// A line, or the bars.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// For the legend.
    pub name: String,
    /// Places and values, by rising place.
    pub points: Vec<(f64, f64)>,
}

/// From values to places on the sheet.
struct Scale {
    x: (f64, f64),
    y: (f64, f64),
    logarithmic: bool,
}

impl Chart {
    /// The chart as an `svg` element.
    pub fn svg(&self) -> String {
        let (scale, mut out) = (self.scale(), String::new());
        let (width, height) = SIZE;
        let title = escape(&self.title);
        let _ = write!(out, r#"<svg viewBox="0 0 {width} {height}" role="img" aria-label="{title}">"#);
        text(&mut out, "title", (MARGIN.0, 20.0), Anchor::Start, &self.title);
        self.axes(&scale, &mut out);
        for (place, word) in &self.limits {
            let ((_, _, top, bottom), x) = (edges(), scale.place_x(*place));
            line(&mut out, "limit", (x, top), (x, bottom));
            text(&mut out, "limit", (x + 3.0, top + 10.0), Anchor::Start, word);
        }
        match self.form {
            Form::Bars => self.bars(&scale, &mut out),
            Form::Linear(_) | Form::Logarithmic(..) => self.lines(&scale, &mut out),
        }
        out.push_str("</svg>");
        out
    }

    fn scale(&self) -> Scale {
        let points = || self.lines.iter().flat_map(|line| &line.points);
        let x = points().fold((f64::MAX, f64::MIN), |(low, high), (x, _)| (low.min(*x), high.max(*x)));
        let x = if x.0 < x.1 { x } else { (0.0, 1.0) };
        let most = points().fold(0.0, |most: f64, (_, y)| most.max(*y));
        match self.form {
            Form::Linear(top) => Scale { x, y: (0.0, top), logarithmic: false },
            Form::Logarithmic(low, high) => Scale { x, y: (low, high), logarithmic: true },
            Form::Bars => Scale { x, y: (0.0, most.max(1.0)), logarithmic: false },
        }
    }

    fn axes(&self, scale: &Scale, out: &mut String) {
        let (left, right, top, bottom) = edges();
        for value in scale.y_ticks() {
            let y = scale.place_y(value);
            line(out, "grid", (left, y), (right, y));
            text(out, "tick", (left - 6.0, y + 4.0), Anchor::End, &number(value));
        }
        for value in ticks(scale.x.0, scale.x.1, TICKS) {
            let x = scale.place_x(value);
            line(out, "grid", (x, top), (x, bottom));
            text(out, "tick", (x, bottom + 16.0), Anchor::Middle, &number(value));
        }
        let _ = write!(out, r#"<path class="axis" d="M{left} {top}V{bottom}H{right}"/>"#);
        text(out, "label", ((left + right) / 2.0, SIZE.1 - 10.0), Anchor::Middle, &self.x_label);
        let _ = write!(
            out,
            r#"<text class="label" transform="translate(16 {}) rotate(-90)" text-anchor="middle">{}</text>"#,
            (top + bottom) / 2.0,
            escape(&self.y_label)
        );
    }

    fn lines(&self, scale: &Scale, out: &mut String) {
        for (index, shown) in self.lines.iter().enumerate() {
            let places: Vec<(f64, f64)> =
                shown.points.iter().map(|(x, y)| (scale.place_x(*x), scale.place_y(*y))).collect();
            let path: Vec<String> = places.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
            let _ = write!(out, r#"<polyline class="line c{index}" points="{}"/>"#, path.join(" "));
            for ((x, y), (place, value)) in places.iter().zip(&shown.points) {
                let told = format!("{}: {}", number(*place), number(*value));
                let dot = format!(r#"<circle class="dot c{index}" cx="{x:.1}" cy="{y:.1}" r="2.5">"#);
                let _ = write!(out, "{dot}<title>{told}</title></circle>");
            }
        }
        self.legend(out);
    }

    /// The names of the lines, right of the title; a single one is named by the axis.
    fn legend(&self, out: &mut String) {
        for (index, shown) in self.lines.iter().enumerate().filter(|_| self.lines.len() > 1) {
            let x = SIZE.0 - MARGIN.1 - LEGEND * (self.lines.len() - index) as f64 + 10.0;
            let _ = write!(out, r#"<path class="line c{index}" d="M{x} 16h18"/>"#);
            text(out, "tick", (x + 24.0, 20.0), Anchor::Start, &shown.name);
        }
    }

    fn bars(&self, scale: &Scale, out: &mut String) {
        for line in &self.lines {
            for pair in line.points.windows(2) {
                let (x, y) = (scale.place_x(pair[0].0), scale.place_y(pair[0].1));
                let (width, height) = (scale.place_x(pair[1].0) - x, SIZE.1 - MARGIN.3 - y);
                let told = format!("{} to {}: {}", number(pair[0].0), number(pair[1].0), number(pair[0].1));
                let _ = write!(
                    out,
                    r#"<rect class="bar" x="{:.1}" y="{y:.1}" width="{:.1}" height="{height:.1}"><title>{told}</title></rect>"#,
                    x + 0.5,
                    (width - 1.0).max(0.5)
                );
            }
        }
    }
}

/// Where the axes are: left, right, top, bottom.
const fn edges() -> (f64, f64, f64, f64) {
    (MARGIN.0, SIZE.0 - MARGIN.1, MARGIN.2, SIZE.1 - MARGIN.3)
}

impl Scale {
    fn place_x(&self, value: f64) -> f64 {
        let (left, right) = (MARGIN.0, SIZE.0 - MARGIN.1);
        left + (value - self.x.0) / (self.x.1 - self.x.0) * (right - left)
    }

    fn place_y(&self, value: f64) -> f64 {
        let (top, bottom) = (MARGIN.2, SIZE.1 - MARGIN.3);
        let part = if self.logarithmic {
            (value.max(self.y.0) / self.y.0).ln() / (self.y.1 / self.y.0).ln()
        } else {
            (value - self.y.0) / (self.y.1 - self.y.0)
        };
        bottom - part.clamp(0.0, 1.0) * (bottom - top)
    }

    fn y_ticks(&self) -> Vec<f64> {
        if !self.logarithmic {
            return ticks(self.y.0, self.y.1, TICKS);
        }
        let decades = (self.y.1 / self.y.0).log10().round() as i32;
        (0..=decades).map(|decade| self.y.0 * 10f64.powi(decade)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_legend_stands_behind_the_longest_title() {
        let line = |name: &str| Line { name: name.into(), points: vec![(0.0, 0.0), (1.0, 1.0)] };
        let chart = Chart {
            title: "Acceptance against frequency offset".into(),
            x_label: "%".into(),
            y_label: "%".into(),
            form: Form::Linear(1.0),
            lines: vec![line("low group"), line("high group")],
            limits: vec![],
        };
        // A bold letter of 14 pixels is 8 wide at most, on average.
        let end_of_title = MARGIN.0 + 8.0 * chart.title.len() as f64;
        let svg = chart.svg();
        let legend = svg.split(r#"<path class="line c0" d="M"#).nth(1).and_then(|rest| rest.split(' ').next());
        let legend: f64 = legend.and_then(|x| x.parse().ok()).expect("a legend");
        assert!(legend > end_of_title, "{legend} {end_of_title}");
    }

    #[test]
    fn values_have_their_places_and_text_is_escaped() {
        let chart = Chart {
            title: "a < b".into(),
            x_label: "dB".into(),
            y_label: "%".into(),
            form: Form::Logarithmic(0.01, 100.0),
            lines: vec![Line { name: "ours".into(), points: vec![(0.0, 0.0), (10.0, 100.0)] }],
            limits: vec![(5.0, "limit".into())],
        };
        let svg = chart.svg();
        assert!(svg.contains("a &lt; b") && svg.contains(r#"points="64.0,272.0 544.0,36.0""#), "{svg}");
        let bars = Chart { form: Form::Bars, ..chart };
        assert_eq!(bars.svg().matches("<rect").count(), 1);
    }
}
