//! Where the states stand: in layers by their distance from the start, in each layer near those they come from.

use std::collections::VecDeque;

use super::Drawing;

/// Times the layers are put in order, down and up.
const SWEEPS: usize = 8;

/// Each state's layer and its place in it, both from 0.
pub(super) struct Layout {
    pub(super) places: Vec<(usize, usize)>,
    pub(super) layers: Vec<Vec<usize>>,
}

impl Layout {
    pub(super) fn of(drawing: &Drawing) -> Self {
        let depths = depths(drawing);
        let count = depths.iter().max().map_or(0, |deepest| deepest + 1);
        let mut layers = vec![Vec::new(); count];
        depths.iter().enumerate().for_each(|(node, depth)| layers[*depth].push(node));
        let mut layout = Self { places: vec![(0, 0); drawing.nodes.len()], layers };
        layout.number();
        for sweep in 0..SWEEPS {
            layout.put_in_order(drawing, sweep % 2 == 0);
        }
        layout
    }

    fn number(&mut self) {
        for (depth, layer) in self.layers.iter().enumerate() {
            layer.iter().enumerate().for_each(|(place, node)| self.places[*node] = (depth, place));
        }
    }

    /// Moves each state to the middle of its neighbours in the layer before (or after).
    fn put_in_order(&mut self, drawing: &Drawing, downwards: bool) {
        let count = self.layers.len();
        for step in 1..count {
            let depth = if downwards { step } else { count - 1 - step };
            let beside = if downwards { depth - 1 } else { depth + 1 };
            let middle = |node: usize| {
                let ends = drawing.edges.iter().filter_map(|edge| match (edge.from, edge.to) {
                    (from, to) if to == node && self.places[from].0 == beside => Some(self.centre(from)),
                    (from, to) if from == node && self.places[to].0 == beside => Some(self.centre(to)),
                    _ => None,
                });
                let ends: Vec<f64> = ends.collect();
                #[expect(clippy::cast_precision_loss, reason = "a menu has at most a thousand states")]
                let mean = ends.iter().sum::<f64>() / ends.len() as f64;
                if ends.is_empty() { self.centre(node) } else { mean }
            };
            let mut order: Vec<(f64, usize)> = self.layers[depth].iter().map(|node| (middle(*node), *node)).collect();
            order.sort_by(|(a, _), (b, _)| a.total_cmp(b));
            self.layers[depth] = order.into_iter().map(|(_, node)| node).collect();
            self.number();
        }
    }

    /// How far right a state stands, layers being centred: 0 is the middle.
    #[expect(clippy::cast_precision_loss, reason = "a menu has at most a thousand states")]
    pub(super) fn centre(&self, node: usize) -> f64 {
        let (depth, place) = self.places[node];
        place as f64 - (self.layers[depth].len() as f64 - 1.0) / 2.0
    }
}

/// Distances from the start; what cannot be reached from it stands below everything else.
fn depths(drawing: &Drawing) -> Vec<usize> {
    let mut depths = vec![None; drawing.nodes.len()];
    let mut open = VecDeque::from([(drawing.start, 0)]);
    while let Some((node, depth)) = open.pop_front() {
        if depths[node].is_none() {
            depths[node] = Some(depth);
            open.extend(drawing.edges.iter().filter(|edge| edge.from == node).map(|edge| (edge.to, depth + 1)));
        }
    }
    let below = depths.iter().flatten().max().map_or(0, |deepest| deepest + 1);
    depths.into_iter().map(|depth| depth.unwrap_or(below)).collect()
}
