//! Between the wire and the domain, both ways. Nothing here decides: a value fits or is refused.

pub mod delivery;
pub mod draft;
pub mod names;
pub mod route;
pub mod settings;
pub mod time;
