//! The `moonport` program.

fn main() {}
