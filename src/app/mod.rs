//! The place of wiring: builds the parts, starts and stops them in order, owns the data directory.
