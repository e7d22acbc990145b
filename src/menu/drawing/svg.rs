//! A picture that needs nothing else: SVG with its own layout.

use std::fmt::Write as _;

use super::layout::Layout;
use super::{Drawing, Edge, Node, Shape};
use crate::svg::escape;

const BOX: (f64, f64) = (190.0, 46.0);
const GAP: (f64, f64) = (46.0, 76.0);
const MARGIN: f64 = 60.0;
/// More ways than these from one state: their labels stand where they end, not where they begin.
const FAN: usize = 3;
/// Colour of the call's way, and of everything else.
const WAY: &str = "#d9480f";
const INK: &str = "#495057";

type Point = (f64, f64);

impl Drawing {
    /// The menu as an SVG picture.
    pub fn svg(&self) -> String {
        let layout = Layout::of(self);
        #[expect(clippy::cast_precision_loss, reason = "a menu has at most a thousand states")]
        let (columns, rows) =
            (layout.layers.iter().map(Vec::len).max().unwrap_or(1) as f64, layout.layers.len() as f64);
        // Ways that go back up run beside the states.
        let width = columns * (BOX.0 + GAP.0) + 2.0 * MARGIN + 120.0;
        let height = rows * (BOX.1 + GAP.1) + 2.0 * MARGIN;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" \
             height=\"{height:.0}\" font-family=\"sans-serif\" font-size=\"12\">\n<title>{}</title>\n\
             <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n{}",
            escape(&self.title),
            arrowheads(),
        );
        let centre = |node: usize| {
            #[expect(clippy::cast_precision_loss, reason = "a menu has at most a thousand states")]
            let row = layout.places[node].0 as f64;
            let x = width / 2.0 + layout.centre(node) * (BOX.0 + GAP.0);
            (x, MARGIN + BOX.1 / 2.0 + row * (BOX.1 + GAP.1))
        };
        // The call's way is drawn last, over the others.
        let (walked, others): (Vec<_>, Vec<_>) = self.edges.iter().enumerate().partition(|(_, edge)| edge.walked > 0);
        for (index, edge) in others.into_iter().chain(walked) {
            let fans_out = self.edges.iter().filter(|other| other.from == edge.from).count() > FAN;
            let ends = (centre(edge.from), centre(edge.to));
            way(&mut svg, edge, (index, fans_out), ends, self.is_marked());
        }
        for (index, node) in self.nodes.iter().enumerate() {
            state(&mut svg, node, centre(index), index == self.start, self.is_marked());
        }
        svg.push_str("</svg>\n");
        svg
    }
}

fn arrowheads() -> String {
    let head = |id: &str, colour: &str| {
        format!(
            "<marker id=\"{id}\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" \
             orient=\"auto\"><path d=\"M0 0 8 4 0 8z\" fill=\"{colour}\"/></marker>"
        )
    };
    format!("<defs>{}{}</defs>\n", head("arrow", INK), head("walked", WAY))
}

fn state(svg: &mut String, node: &Node, (x, y): (f64, f64), is_start: bool, is_marked: bool) {
    let fill = match node.shape {
        Shape::Passing => "#f1f3f5",
        Shape::Asking => "#e7f5ff",
        Shape::Deciding => "#fff9db",
        Shape::Service => "#f3f0ff",
        Shape::Visit => "#e6fcf5",
        Shape::Last => "#ffe3e3",
    };
    let walked = !node.steps.is_empty();
    let (stroke, thick) = if walked { (WAY, 3) } else { (INK, if is_start { 3 } else { 1 }) };
    let fade = if is_marked && !walked { " opacity=\"0.55\"" } else { "" };
    let round = if node.shape == Shape::Last { BOX.1 / 2.0 } else { 6.0 };
    let _ = writeln!(
        svg,
        "<g{fade}><rect x=\"{:.1}\" y=\"{:.1}\" width=\"{}\" height=\"{}\" rx=\"{round}\" fill=\"{fill}\" \
         stroke=\"{stroke}\" stroke-width=\"{thick}\"/><text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\" \
         font-weight=\"bold\">{}</text><text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\" fill=\"{INK}\">{}</text></g>",
        x - BOX.0 / 2.0,
        y - BOX.1 / 2.0,
        BOX.0,
        BOX.1,
        y - 4.0,
        escape(&node.name),
        y + 13.0,
        escape(&node.does),
    );
    if walked {
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\" fill=\"{WAY}\" font-weight=\"bold\">{}</text>",
            x + BOX.0 / 2.0,
            y - BOX.1 / 2.0 - 4.0,
            node.steps_label(),
        );
    }
}

fn way(svg: &mut String, edge: &Edge, (index, fans_out): (usize, bool), (from, to): (Point, Point), is_marked: bool) {
    let (colour, head, thick) = if edge.walked > 0 { (WAY, "walked", 3) } else { (INK, "arrow", 1) };
    let fade = if is_marked && edge.walked == 0 { " opacity=\"0.3\"" } else { "" };
    // Neighbouring ways are told apart by small steps sideways.
    #[expect(clippy::cast_precision_loss, reason = "0 to 6")]
    let aside = (index % 7) as f64 * 6.0 - 18.0;
    let (path, label) = if to.1 > from.1 {
        let (start, end) = ((from.0 + aside, from.1 + BOX.1 / 2.0), (to.0 + aside / 2.0, to.1 - BOX.1 / 2.0 - 2.0));
        let bend = (end.1 - start.1) / 2.0;
        let path = format!(
            "M{:.1} {:.1}C{:.1} {:.1} {:.1} {:.1} {:.1} {:.1}",
            start.0,
            start.1,
            start.0,
            start.1 + bend,
            end.0,
            end.1 - bend,
            end.0,
            end.1
        );
        let at_start = (start.0 * 0.75 + end.0 * 0.25, start.1 + 20.0 + aside.abs() / 3.0);
        (path, if fans_out { (end.0, end.1 - 14.0 - aside.abs() / 3.0) } else { at_start })
    } else {
        let (start, end) =
            ((from.0 + BOX.0 / 2.0, from.1 + aside / 3.0), (to.0 + BOX.0 / 2.0 + 2.0, to.1 + aside / 3.0));
        let out = start.0.max(end.0) + 40.0 + aside.abs();
        let path = format!(
            "M{:.1} {:.1}C{out:.1} {:.1} {out:.1} {:.1} {:.1} {:.1}",
            start.0, start.1, start.1, end.1, end.0, end.1
        );
        (path, (out - 14.0, (start.1 + end.1) / 2.0))
    };
    let _ = writeln!(
        svg,
        "<path{fade} d=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{thick}\" marker-end=\"url(#{head})\"/>"
    );
    if !edge.label.is_empty() {
        let _ = writeln!(
            svg,
            "<text{fade} x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\" font-size=\"10\" fill=\"{colour}\" stroke=\"#fff\" \
             stroke-width=\"3\" paint-order=\"stroke\">{}</text>",
            label.0,
            label.1,
            escape(&edge.label),
        );
    }
}
