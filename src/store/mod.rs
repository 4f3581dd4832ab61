//! remint
