//! What is measured on trajectories and tangent flows, and on data.

pub mod boxes;
pub mod correlation_sum;
pub mod divergence;
pub mod fluctuation;
pub mod local_dimension;
pub mod lyapunov;
pub mod neighbours;
mod orthonormalise;
pub mod patterns;
pub mod recurrence;
mod saltation;
pub mod tangent;
pub mod tangent_delay;
pub mod tangent_from_data;
mod tangent_stochastic;
