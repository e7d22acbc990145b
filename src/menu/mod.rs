//! The menu: YAML model, checks with line and column, resolved menu, runtime, timers, fields. Knows no audio.

mod check;
mod collector;
mod drawing;
mod event;
mod hours;
mod model;
mod resolve;
mod row;
mod runtime;
mod said_by_itself;
mod schema;
mod session;
mod timer;
mod type_ahead;
mod view;

pub use crate::yaml::{Place, Problem, Problems};
pub use drawing::Drawing;
pub(crate) use event::with_values;
pub use event::{Answers, Dropped, Event, EventKind, Outcome, Party, Rule};
pub use model::{Menu, OwnText};
pub use resolve::Catalog;
pub use runtime::{Action, KeyUse, Runtime, Utterance};
pub use schema::schema;
pub use timer::Timer;
pub use view::{Doing, View};
