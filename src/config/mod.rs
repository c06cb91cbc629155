//! Settings: as written, then checked; and where files lie.
