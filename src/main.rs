//! The `tonopago` program.

fn main() {}
