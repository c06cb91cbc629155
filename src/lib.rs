//! moonport.
