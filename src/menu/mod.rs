//! The menu: YAML model, checks, runtime, timers, fields.
