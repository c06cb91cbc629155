//! What panes and dialogs are drawn with. All text goes through [`canvas::Canvas`], which cleans it.

pub mod canvas;
pub mod chart;
pub mod document;
pub mod flow;
pub mod frame;
pub mod hex;
pub mod hits;
pub mod input;
pub mod json;
pub mod line;
pub mod numbers;
pub mod safe;
pub mod table;
pub mod textbox;
pub mod times;
