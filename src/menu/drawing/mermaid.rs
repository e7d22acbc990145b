//! Mermaid's flowcharts, which many pages and editors show.

use std::fmt::Write as _;

use super::{Drawing, Shape};

impl Drawing {
    /// The menu as a Mermaid flowchart.
    pub fn mermaid(&self) -> String {
        let mut text = String::from("flowchart TD\n");
        for (index, node) in self.nodes.iter().enumerate() {
            let (open, close) = match node.shape {
                Shape::Passing => ("[", "]"),
                Shape::Asking => ("[/", "/]"),
                Shape::Deciding => ("{", "}"),
                Shape::Service => ("[[", "]]"),
                Shape::Visit => ("(", ")"),
                Shape::Last => ("([", "])"),
            };
            let label = format!("{}<br/>{}", escaped(&node.name), escaped(&node.does));
            let steps = if node.steps.is_empty() { String::new() } else { format!("<br/>{}", node.steps_label()) };
            let _ = writeln!(text, "  s{index}{open}\"{label}{steps}\"{close}");
        }
        for edge in &self.edges {
            let arrow = if edge.walked > 0 { "==>" } else { "-->" };
            let label = if edge.label.is_empty() { String::new() } else { format!("|\"{}\"|", escaped(&edge.label)) };
            let _ = writeln!(text, "  s{} {arrow}{label} s{}", edge.from, edge.to);
        }
        for (index, _) in self.nodes.iter().enumerate().filter(|(_, node)| !node.steps.is_empty()) {
            let _ = writeln!(text, "  style s{index} stroke:#d9480f,stroke-width:3px");
        }
        text
    }
}

/// Mermaid reads `#name;` as a character's name.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        match character {
            '"' => escaped.push_str("#quot;"),
            '#' => escaped.push_str("#35;"),
            '<' => escaped.push_str("#lt;"),
            '>' => escaped.push_str("#gt;"),
            '&' => escaped.push_str("#amp;"),
            other => escaped.push(other),
        }
    }
    escaped
}
