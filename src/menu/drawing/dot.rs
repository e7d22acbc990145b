//! Graphviz's language.

use std::fmt::Write as _;

use super::{Drawing, Shape};

impl Drawing {
    /// The menu in Graphviz's DOT.
    pub fn dot(&self) -> String {
        let mut text =
            format!("digraph {} {{\n  rankdir=TB;\n  node [fontname=\"sans-serif\"];\n", quoted(&self.title));
        for (index, node) in self.nodes.iter().enumerate() {
            let shape = match node.shape {
                Shape::Passing => "box",
                Shape::Asking => "parallelogram",
                Shape::Deciding => "diamond",
                Shape::Service => "component",
                Shape::Visit => "cds",
                Shape::Last => "oval",
            };
            let steps = if node.steps.is_empty() { String::new() } else { format!("\n{}", node.steps_label()) };
            let label = quoted(&format!("{}\n{}{steps}", node.name, node.does));
            let marked = if node.steps.is_empty() { "" } else { ", color=\"#d9480f\", penwidth=3" };
            let _ = writeln!(text, "  s{index} [shape={shape}, label={label}{marked}];");
        }
        for edge in &self.edges {
            let marked = if edge.walked == 0 { "" } else { ", color=\"#d9480f\", penwidth=3" };
            let _ = writeln!(text, "  s{} -> s{} [label={}{marked}];", edge.from, edge.to, quoted(&edge.label));
        }
        text.push_str("}\n");
        text
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}
