//! The inner loops of forecasters that Python would be too slow for: neighbours, iterated analogs, reservoirs.
//!
//! Learning stays in Python. Everything here is a plain loop in a fixed order, so that the same call gives the same bits.

pub mod analog;
pub mod neighbours;
pub mod reservoir;
