//! Tests of the core that need no Python.

mod delay;
mod expression;
mod language;
mod metrics;
mod runge_kutta;
mod taylor;
