//! Tests of the core that need no Python.

mod delay;
mod event;
mod expression;
mod forecast;
mod language;
mod metrics;
mod rosenbrock;
mod runge_kutta;
mod symplectic;
mod taylor;
mod trees;
