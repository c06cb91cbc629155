//! Settings: where things lie, and what the configuration file says.
//!
//! Two stages: [`raw`] is the file as written, [`settings`] is checked. Nothing here reads the environment by itself;
//! the command line hands in what it found.

pub mod error;
pub mod paths;
pub mod raw;
pub mod settings;
