//! Beyond double precision: numbers of two doubles (about 31 digits), their elementary functions, and runs in them.
//!
//! A reference to compare with, not a way to work: some hundred times slower than `solve`, one trajectory a thread.

pub mod functions;
pub mod number;
mod run;
mod series;

pub use run::solve;
