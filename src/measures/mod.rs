//! What is measured on trajectories and tangent flows.

pub mod lyapunov;
