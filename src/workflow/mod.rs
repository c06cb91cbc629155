//! The workflow file: parse, plan, apply, export.
