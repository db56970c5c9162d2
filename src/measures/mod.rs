//! What is measured on trajectories and tangent flows.

pub mod correlation_sum;
pub mod lyapunov;
pub mod neighbours;
