//! What is measured on trajectories and tangent flows.

pub mod lyapunov;
mod orthonormalise;
pub mod tangent;
pub mod tangent_delay;
mod tangent_stochastic;
