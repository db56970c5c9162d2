//! Linear systems over lanes. Not a library of linear algebra: what the integrators need, and no more.

pub mod lu;
pub mod sparse;
