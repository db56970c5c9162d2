//! Chaotic systems as equations: integrated in parallel, measured, exposed to Python.
//!
//! Dependencies point one way: [`expr`] <- [`system`] <- [`solve`] <- [`measures`] and [`extended`], [`metrics`] on its own,
//! and all of them <- `bindings`.

#![deny(unsafe_code)]

pub mod error;
pub mod expr;
pub mod extended;
pub mod forecast;
pub mod measures;
pub mod metrics;
pub mod parallel;
pub mod solve;
pub mod system;

#[cfg(feature = "python")]
mod bindings;
