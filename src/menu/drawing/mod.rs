//! A menu drawn: its states and where each outcome leads, and a call's way through them.

mod dot;
mod layout;
mod mermaid;
mod svg;

use std::collections::BTreeMap;

use super::check::graph::labelled_targets;
use super::model::{Kind, Menu, State};

/// Longest text of a label, in characters.
const LONGEST_LABEL: usize = 28;

/// What a state is, as far as its shape tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// Speaks, sets, saves.
    Passing,
    /// Takes keys.
    Asking,
    /// Decides by what it knows.
    Deciding,
    /// Asks a service.
    Service,
    /// Goes to a sub-menu, or comes from one.
    Visit,
    /// Ends the call.
    Last,
}

#[derive(Debug, Clone)]
struct Node {
    name: String,
    does: String,
    shape: Shape,
    /// The steps of the call's way at which it was entered, from 1.
    steps: Vec<usize>,
}

#[derive(Debug, Clone)]
struct Edge {
    from: usize,
    to: usize,
    label: String,
    /// How often the call went this way.
    walked: usize,
}

/// A menu to be drawn.
#[derive(Debug, Clone)]
pub struct Drawing {
    title: String,
    start: usize,
    nodes: Vec<Node>,
    edges: Vec<Edge>,
}

impl Drawing {
    /// The menu's states and ways. What leads to the menu's own `give_up` is left out unless `all` is wanted: it leads
    /// there from everywhere.
    pub fn of(menu: &Menu, all: bool) -> Self {
        let nodes = menu.states.iter().map(|state| Node {
            name: state.name.clone(),
            does: shortened(&does(menu, state)),
            shape: shape(&state.kind),
            steps: Vec::new(),
        });
        let mut drawing =
            Self { title: menu.name.clone(), start: menu.start.0, nodes: nodes.collect(), edges: Vec::new() };
        for (from, state) in menu.states.iter().enumerate() {
            for (label, to) in labelled_targets(&state.kind) {
                if all || label != "give_up" || to != menu.give_up {
                    drawing.join(from, to.0, &label);
                }
            }
        }
        drawing
    }

    /// Marks a call's way: the names of the states it entered, in order. Names of no state are skipped.
    pub fn mark<'a>(&mut self, states: impl IntoIterator<Item = &'a str>) {
        let mut before = None;
        for (step, name) in states.into_iter().enumerate() {
            let Some(at) = self.nodes.iter().position(|node| node.name == name) else { continue };
            self.nodes[at].steps.push(step + 1);
            if let Some(from) = before.replace(at) {
                self.walk(from, at);
            }
        }
    }

    fn walk(&mut self, from: usize, to: usize) {
        if let Some(edge) = self.edges.iter_mut().find(|edge| (edge.from, edge.to) == (from, to)) {
            edge.walked += 1;
        } else {
            // A way that is not drawn: to give_up, or back from a sub-menu.
            self.edges.push(Edge { from, to, label: String::new(), walked: 1 });
        }
    }

    fn join(&mut self, from: usize, to: usize, label: &str) {
        match self.edges.iter_mut().find(|edge| (edge.from, edge.to) == (from, to)) {
            Some(edge) => {
                edge.label.push_str(", ");
                edge.label.push_str(label);
            }
            None => self.edges.push(Edge { from, to, label: label.to_owned(), walked: 0 }),
        }
    }

    fn is_marked(&self) -> bool {
        self.nodes.iter().any(|node| !node.steps.is_empty())
    }
}

impl Node {
    /// The steps at which the call was here, in words.
    fn steps_label(&self) -> String {
        self.steps.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")
    }
}

const fn shape(kind: &Kind) -> Shape {
    match kind {
        Kind::Say { .. } | Kind::Set { .. } | Kind::Save { .. } => Shape::Passing,
        Kind::Choose(_) | Kind::Confirm(_) | Kind::Collect(_) | Kind::Months(_) => Shape::Asking,
        Kind::Branch { .. } | Kind::Hours(_) => Shape::Deciding,
        Kind::Authorize(_) | Kind::Charge(_) => Shape::Service,
        Kind::Visit { .. } | Kind::Return => Shape::Visit,
        Kind::HangUp | Kind::Transfer { .. } => Shape::Last,
    }
}

fn does(menu: &Menu, state: &State) -> String {
    match &state.kind {
        Kind::Say { .. } => "says".to_owned(),
        Kind::Choose(choose) => {
            let keys: BTreeMap<char, ()> = choose.options.iter().map(|(key, _)| (key.as_char(), ())).collect();
            format!("choose {}", keys.keys().map(char::to_string).collect::<Vec<_>>().join(" "))
        }
        Kind::Confirm(_) => "confirm the amount".to_owned(),
        Kind::Collect(collect) => format!("collect {}", menu.field(collect.field).name),
        Kind::Months(_) => "months without interest".to_owned(),
        Kind::Authorize(authorize) => {
            let with = authorize.with.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
            if with.is_empty() { "authorize".to_owned() } else { format!("authorize with {with}") }
        }
        Kind::Charge(_) => "charge".to_owned(),
        Kind::Branch { .. } => "branch".to_owned(),
        Kind::Hours(hours) => format!("hours {}", menu.schedules[hours.schedule.0].name),
        Kind::Set { values, .. } => {
            let names = values.iter().map(|(variable, _)| menu.variables[variable.0].name.as_str());
            format!("set {}", names.collect::<Vec<_>>().join(", "))
        }
        Kind::Save { values, .. } => {
            format!("save {}", values.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", "))
        }
        Kind::Visit { .. } => "visit".to_owned(),
        Kind::Return => "return".to_owned(),
        Kind::Transfer { to } => format!("transfer to {to}"),
        Kind::HangUp => "hang up".to_owned(),
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST_LABEL) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::runtime::tests::pago;
    use super::*;

    #[test]
    fn every_way_is_drawn_once_and_the_ones_to_give_up_only_if_wanted() {
        let menu = pago();
        let (some, all) = (Drawing::of(&menu, false), Drawing::of(&menu, true));
        assert_eq!(some.nodes.len(), menu.state_names().count());
        assert!(all.edges.len() > some.edges.len() + 5);
        let name = |at: usize| some.nodes[at].name.as_str();
        let from_confirm: Vec<String> = some
            .edges
            .iter()
            .filter(|edge| name(edge.from) == "confirmar")
            .map(|edge| format!("{} -> {}", edge.label, name(edge.to)))
            .collect();
        assert_eq!(from_confirm, ["yes -> tarjeta", "no -> cancelado"]);
    }

    /// XML allows no control characters, and a browser shows nothing of a picture that has one.
    #[test]
    fn a_control_character_in_a_name_does_not_spoil_the_picture() {
        let text = "{version: 1, name: \"m\\x01\", languages: [es-MX], start: \"a\\x02\", give_up: \"a\\x02\",
                     states: {\"a\\x02\": {say: [despedida], hang_up: true}}}";
        let menu = Menu::parse("m.yaml", text, &*crate::speech::Clips::embedded()).unwrap();
        let svg = Drawing::of(&menu, true).svg();
        assert!(svg.contains("a\u{fffd}") && !svg.contains(['\u{1}', '\u{2}']), "{svg}");
    }

    #[test]
    fn a_calls_way_is_marked_even_where_no_way_is_drawn() {
        let mut drawing = Drawing::of(&pago(), false);
        drawing.mark(["bienvenida", "espanol", "clave", "demasiados_intentos", "no_such_state"]);
        let walked: Vec<_> = drawing.edges.iter().filter(|edge| edge.walked > 0).collect();
        assert_eq!(walked.len(), 3);
        assert_eq!(drawing.nodes[drawing.start].steps, [1]);
        for text in [drawing.mermaid(), drawing.dot(), drawing.svg()] {
            assert!(text.contains("demasiados_intentos") && text.contains("#d9480f"), "{text}");
        }
    }

    #[test]
    fn names_cannot_break_out_of_a_drawing() {
        let menu = super::super::runtime::tests::menu(
            "{version: 1, name: '<script>\"', languages: [es-MX], start: 'a\"<b>&]', give_up: 'a\"<b>&]', \
             states: {'a\"<b>&]': {say: [x], hang_up: true}}}",
        );
        let drawing = Drawing::of(&menu, true);
        assert!(!drawing.svg().contains("<script>") && !drawing.svg().contains("<b>"), "{}", drawing.svg());
        assert!(drawing.dot().contains(r#"a\"<b>&]"#), "{}", drawing.dot());
        assert!(!drawing.mermaid().contains("\"<b>"), "{}", drawing.mermaid());
    }
}
