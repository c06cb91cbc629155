//! What listings show: flat rows made from the structs of the seams, the same for tables and for JSON.

pub mod dead_letter;
pub mod function;
pub mod group;
pub mod instance;
pub mod message;
pub mod topic;
pub mod trigger;
