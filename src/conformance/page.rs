//! The report as one HTML page that needs nothing else: rows by group, and the curves.

use std::fmt::Write as _;

use super::chart::Chart;
use super::row::Row;
use super::setting::Group;
use crate::svg::escape;

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1b1f24;--paper:#fff;--dim:#5c6670;--rule:#d5dae0;--good:#116329;--bad:#b3261e;--a:#0b61c4;--b:#c2410c}
@media(prefers-color-scheme:dark){:root{--ink:#e6eaef;--paper:#14181d;--dim:#9aa5b1;--rule:#343b44;--good:#6fdd8b;--bad:#ff8a80;--a:#6db3ff;--b:#ffb067}}
body{font:15px/1.45 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:76rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem;margin-bottom:.2rem}h2{font-size:1.1rem;margin:2rem 0 .5rem}p{color:var(--dim);margin:.2rem 0}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.28rem .6rem;border-bottom:1px solid var(--rule);vertical-align:top}
th{color:var(--dim);font-weight:600}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.pass{color:var(--good)}.FAIL{color:var(--bad);font-weight:700}.skipped{color:var(--dim)}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(30rem,100%),1fr));gap:1rem}svg{width:100%;height:auto;border:1px solid var(--rule);border-radius:6px}
svg text{fill:var(--ink);font:12px system-ui,sans-serif}svg .title{font-weight:600;font-size:14px}svg .tick{fill:var(--dim);font-size:11px}
svg .grid{stroke:var(--rule);stroke-width:.6}svg .axis{fill:none;stroke:var(--dim)}svg .line{fill:none;stroke-width:2}
svg .c0{stroke:var(--a)}svg .c1{stroke:var(--b);stroke-dasharray:6 3}svg .dot{fill:var(--paper);stroke-dasharray:none}
svg .bar{fill:var(--a)}svg line.limit{stroke:var(--bad);stroke-dasharray:3 3}svg text.limit{fill:var(--bad);font-size:10px}";

/// The page for rows and curves, measured with a profile.
pub fn page(profile: &str, rows: &[Row], charts: &[Chart]) -> String {
    let failed = rows.iter().filter(|row| !row.pass).count();
    let skipped = rows.iter().filter(|row| row.skipped.is_some()).count();
    let mut out = String::from("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">");
    out.push_str("<meta name=\"viewport\" content=\"width=device-width\"><title>tonopago conformance</title>");
    let _ =
        write!(out, "<style>{STYLE}</style></head><body><h1>tonopago {}: conformance</h1>", env!("CARGO_PKG_VERSION"));
    let _ = write!(
        out,
        "<p>Profile {}: {} rows, {failed} failed, {skipped} not measured here.</p>",
        escape(profile),
        rows.len()
    );
    out.push_str(
        "<p>A bound is the proportion of failures that is exceeded with a chance of 5 % at most (Clopper-Pearson).</p>",
    );
    if !charts.is_empty() {
        out.push_str("<h2>Curves</h2><div class=\"charts\">");
        charts.iter().for_each(|chart| out.push_str(&chart.svg()));
        out.push_str("</div>");
    }
    for group in Group::ALL {
        table(group, rows, &mut out);
    }
    out.push_str("</body></html>\n");
    out
}

fn table(group: Group, rows: &[Row], out: &mut String) {
    let mut rows = rows.iter().filter(|row| row.group == group).peekable();
    if rows.peek().is_none() {
        return;
    }
    let _ = write!(out, "<h2>{}</h2><div class=\"wide\"><table><tr><th></th><th>property</th>", escape(group.title()));
    out.push_str("<th>promised</th><th>measured</th><th class=\"n\">trials</th><th class=\"n\">bound</th></tr>");
    for row in rows {
        let verdict = row.verdict();
        let measured = row.skipped.as_deref().unwrap_or(&row.measured);
        let bound = escape(&row.bound());
        let _ = write!(
            out,
            "<tr><td class=\"{verdict}\">{verdict}</td><td>{}</td><td>{}</td><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{bound}</td></tr>",
            escape(&row.name),
            escape(&row.target),
            escape(measured),
            row.trials
        );
    }
    out.push_str("</table></div>");
}

impl Row {
    /// `pass`, `FAIL` or `skipped`.
    pub const fn verdict(&self) -> &'static str {
        match (&self.skipped, self.pass) {
            (Some(_), _) => "skipped",
            (None, true) => "pass",
            (None, false) => "FAIL",
        }
    }

    /// The confidence bound for people: `< 0.03 %`; nothing where there is none.
    pub fn bound(&self) -> String {
        self.upper_bound.map_or_else(String::new, percent)
    }
}

/// A bound in percent with two significant digits, rounded up: what is said to be less than it must be.
fn percent(bound: f64) -> String {
    let percent = bound * 100.0;
    let digits = decimals(percent);
    let scale = 10_f64.powi(digits as i32);
    // What was a whole number before it was a binary fraction stays one.
    let rounded = (percent * scale - 1e-6).ceil() / scale;
    format!("< {rounded:.0$} %", decimals(rounded))
}

/// Decimals with which a percentage has two significant digits.
fn decimals(percent: f64) -> usize {
    if percent >= 10.0 { 0 } else { (1.0 - percent.max(1e-9).log10().floor()).clamp(0.0, 9.0) as usize }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::chart::{Form, Line};

    #[test]
    fn the_page_needs_nothing_else_and_tells_all() {
        let row = Row {
            group: Group::Promise,
            name: "level <3> dBm0".into(),
            target: "none missed".into(),
            measured: "1 missed".into(),
            pass: false,
            skipped: None,
            trials: 100,
            upper_bound: Some(0.047),
        };
        let lacking = Row { group: Group::TalkOff, pass: true, skipped: Some("no speech".into()), ..row.clone() };
        let chart = Chart {
            title: "noise".into(),
            x_label: "dB".into(),
            y_label: "%".into(),
            form: Form::Linear(100.0),
            lines: vec![Line { name: "ours".into(), points: vec![(0.0, 0.0), (1.0, 50.0)] }],
            limits: vec![],
        };
        let html = page("default", &[row, lacking], &[chart]);
        assert!(html.contains("level &lt;3&gt; dBm0") && html.contains("class=\"FAIL\"") && html.contains("<svg"));
        assert!(html.contains("&lt; 4.7 %") && html.contains("no speech") && html.contains("1 failed, 1 not measured"));
        assert!(!html.contains("http") && !html.contains("src="), "nothing from elsewhere");
    }

    #[test]
    fn bounds_have_two_digits_and_are_never_rounded_down() {
        for (bound, told) in [
            (0.000_299_5, "< 0.030 %"),
            (0.5, "< 50 %"),
            (0.0217, "< 2.2 %"),
            (0.089_37, "< 9.0 %"),
            (0.1826, "< 19 %"),
            (0.07, "< 7.0 %"),
            (0.003, "< 0.30 %"),
            (0.0991, "< 10 %"),
            (0.000_995_1, "< 0.10 %"),
            (1.0, "< 100 %"),
        ] {
            assert_eq!(percent(bound), told, "{bound}");
        }
    }
}
