//! Drivers of the call engine.
