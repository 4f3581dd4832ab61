//! Debian archives: signed indices, packages, and the closure that apt would choose.
