//! What the fuzz targets share. `docs/fuzzing.md` tells what each of them checks.

pub mod caller;
pub mod canary;
pub mod hearing;
pub mod pieces;
pub mod places;
