//! The console: a screen over the seams that never waits for them.
//!
//! One [`state::State`], changed only by [`update::update`], drawn by [`view::view`]. What takes time is an
//! [`effect::Effect`], carried out aside by [`engine::Engine`]; its answer comes back as an [`event::Event`]. `state`,
//! `update`, `keymap`, `theme`, `pane`, `dialog` and `widget` know neither runtime nor terminal nor clock.

pub mod action;
pub mod chord;
pub mod dialog;
pub mod effect;
pub mod engine;
pub mod event;
pub mod hints;
mod input;
pub mod keymap;
pub mod layout;
pub mod options;
mod outside;
pub mod pane;
pub mod picture;
pub mod placeholder;
mod run;
pub mod stage;
pub mod state;
mod terminal;
pub mod theme;
pub mod update;
pub mod view;
pub mod widget;

pub use run::run;
