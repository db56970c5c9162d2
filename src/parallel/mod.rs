//! Threads, vector units and random numbers: what runs side by side gives the same bits as what runs alone.

pub mod brownian;
pub mod pool;
pub mod random;
pub mod simd;
