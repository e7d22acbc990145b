//! The report as one HTML page that needs nothing else: rows by group, and the curves.

use std::fmt::Write as _;

use super::chart::Chart;
use super::row::Row;
use super::setting::Group;
use super::signal::RATE;
use super::{Effort, Options};
use crate::svg::{escape, number};

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1b1f24;--paper:#fff;--dim:#5c6670;--rule:#d5dae0;--good:#116329;--bad:#b3261e;--a:#0b61c4;--b:#c2410c}
@media(prefers-color-scheme:dark){:root{--ink:#e6eaef;--paper:#14181d;--dim:#9aa5b1;--rule:#343b44;--good:#6fdd8b;--bad:#ff8a80;--a:#6db3ff;--b:#ffb067}}
body{font:15px/1.45 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:76rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem;margin-bottom:.2rem}h2{font-size:1.1rem;margin:2rem 0 .5rem}p{color:var(--dim);margin:.2rem 0}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.28rem .6rem;border-bottom:1px solid var(--rule);vertical-align:top}
th{color:var(--dim);font-weight:600}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.pass{color:var(--good)}.FAIL{color:var(--bad);font-weight:700}.skipped{color:var(--dim)}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(30rem,100%),1fr));gap:1rem}figure{margin:0}summary{color:var(--dim);cursor:pointer}svg{width:100%;height:auto;border:1px solid var(--rule);border-radius:6px}
svg text{fill:var(--ink);font:12px system-ui,sans-serif}svg .title{font-weight:600;font-size:14px}svg .tick{fill:var(--dim);font-size:11px}
svg .grid{stroke:var(--rule);stroke-width:.6}svg .axis{fill:none;stroke:var(--dim)}svg .line{fill:none;stroke-width:2}
svg .c0{stroke:var(--a)}svg .c1{stroke:var(--b);stroke-dasharray:6 3}svg .dot{fill:var(--paper);stroke-dasharray:none}
svg .bar{fill:var(--a)}svg line.limit{stroke:var(--bad);stroke-dasharray:3 3}svg text.limit{fill:var(--bad);font-size:10px}";

/// The page for rows and curves that were measured with these options.
pub fn page(options: &Options, rows: &[Row], charts: &[Chart]) -> String {
    let failed = rows.iter().filter(|row| !row.pass).count();
    let skipped = rows.iter().filter(|row| row.skipped.is_some()).count();
    let mut out = String::from("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">");
    out.push_str("<meta name=\"viewport\" content=\"width=device-width\"><title>tonopago conformance</title>");
    let _ =
        write!(out, "<style>{STYLE}</style></head><body><h1>tonopago {}: conformance</h1>", env!("CARGO_PKG_VERSION"));
    let profile = options.profile.name().unwrap_or("of its own");
    if let Some(other) = &options.other {
        let _ = write!(out, "<p>The receiver that was measured: <code>{}</code></p>", escape(&other.to_string()));
    }
    let _ = write!(out, "<p>Profile {profile}: {} rows, {failed} failed, {skipped} not measured here.</p>", rows.len());
    let _ = write!(out, "<p>{}</p>", escape(&measured_with(options)));
    out.push_str(
        "<p>A bound is the proportion of failures that is exceeded with a chance of 5 % at most (Clopper-Pearson).</p>",
    );
    if !charts.is_empty() {
        out.push_str("<h2>Curves</h2><div class=\"charts\">");
        charts.iter().for_each(|chart| drawn(chart, &mut out));
        out.push_str("</div>");
    }
    for group in Group::ALL {
        table(group, rows, &mut out);
    }
    out.push_str("</body></html>\n");
    out
}

/// How thoroughly, and with what sound from files.
fn measured_with(options: &Options) -> String {
    let minutes = |samples: &[f32]| samples.len() / (60 * RATE as usize);
    let effort = match options.effort {
        Effort::Quick => "A quick run: few trials, enough to see that nothing is broken.",
        Effort::Full => "A full run.",
    };
    let rows =
        if options.only.is_empty() { String::new() } else { format!(" Only rows of: {}.", options.only.join(", ")) };
    let known = options.recordings.iter().map(|known| known.name.as_str()).collect::<Vec<_>>().join(", ");
    let known = if known.is_empty() { "none" } else { &known };
    let (speech, music) = (minutes(&options.speech), minutes(&options.music));
    format!(
        "{effort}{rows} From files: speech, {speech} minutes; music, {music} minutes; recordings with known digits: {known}."
    )
}

/// A chart, and its figures for whoever can't see it or wants them exactly.
fn drawn(chart: &Chart, out: &mut String) {
    let _ = write!(out, "<figure>{}<details><summary>Figures</summary><div class=\"wide\"><table><tr>", chart.svg());
    let names = chart.lines.iter().map(|line| if chart.lines.len() > 1 { &line.name } else { &chart.y_label });
    for name in std::iter::once(&chart.x_label).chain(names) {
        let _ = write!(out, "<th class=\"n\" scope=\"col\">{}</th>", escape(name));
    }
    out.push_str("</tr>");
    let places = chart.lines.first().map_or(&[][..], |line| &line.points);
    for (index, (place, _)) in places.iter().enumerate() {
        let _ = write!(out, "<tr><th class=\"n\" scope=\"row\">{}</th>", number(*place));
        for (_, value) in chart.lines.iter().filter_map(|line| line.points.get(index)) {
            let _ = write!(out, "<td class=\"n\">{}</td>", number(*value));
        }
        out.push_str("</tr>");
    }
    out.push_str("</table></div></details></figure>");
}

fn table(group: Group, rows: &[Row], out: &mut String) {
    let mut rows = rows.iter().filter(|row| row.group == group).peekable();
    if rows.peek().is_none() {
        return;
    }
    let _ = write!(out, "<h2>{}</h2><div class=\"wide\"><table><tr>", escape(group.title()));
    for (class, name) in
        [("", "verdict"), ("", "property"), ("", "promised"), ("", "measured"), ("n", "trials"), ("n", "bound")]
    {
        let _ = write!(out, "<th class=\"{class}\" scope=\"col\">{name}</th>");
    }
    out.push_str("</tr>");
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
    use crate::dtmf::Profile;

    #[test]
    fn the_page_needs_nothing_else_and_tells_all() {
        let row = Row {
            group: Group::Promise,
            name: "level <3> dBm0".into(),
            target: "none missed".into(),
            measured: "1 missed".into(),
            pass: false,
            skipped: None,
            profile: Profile::default(),
            trials: 100,
            failures: Some(1),
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
        let options = Options { speech: vec![0.0; 125 * RATE as usize], ..Options::default() };
        let html = page(&options, &[row.clone(), lacking], std::slice::from_ref(&chart));
        assert!(html.contains("level &lt;3&gt; dBm0") && html.contains("class=\"FAIL\"") && html.contains("<svg"));
        assert!(html.contains("&lt; 4.7 %") && html.contains("no speech") && html.contains("1 failed, 1 not measured"));
        assert!(!html.contains("http") && !html.contains("src="), "nothing from elsewhere");
        assert!(
            html.contains("<th class=\"n\" scope=\"row\">1</th><td class=\"n\">50</td>"),
            "the curve in figures: {html}"
        );
        assert!(
            html.contains("Profile default: ") && html.contains("A full run. From files: speech, 2 minutes;"),
            "{html}"
        );
        let (effort, only) = (Effort::Quick, vec!["noise".to_owned()]);
        let profile = Profile { floor_dbm0: -30.0, ..Profile::default() };
        let quick = page(&Options { effort, only, profile, ..options }, &[row], &[chart]);
        assert!(quick.contains("A quick run: few trials") && quick.contains("Only rows of: noise."), "{quick}");
        assert!(quick.contains("Profile of its own: "), "{quick}");
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
