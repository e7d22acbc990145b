//! What people write in YAML, a menu or a box's configuration: read to its end, so that every problem is told at once, each
//! with its line and column and a cure.
//!
//! A text becomes a tree of [`Node`]s ([`syntax::document`]); a [`Value`] is a node being read, which notes in [`Notes`] what
//! is wrong with it and goes on; [`Notes::into_problems`] finds the places. What the names mean is for who reads them.

mod node;
mod place;
mod problem;
mod reader;
pub(crate) mod syntax;

pub(crate) use node::Node;
pub(crate) use place::Path;
pub use place::Place;
pub(crate) use problem::{Notes, nearest, quoted, suggest};
pub use problem::{Problem, Problems};
pub(crate) use reader::{Map, Value, parse_duration};
