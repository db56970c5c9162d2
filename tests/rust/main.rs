//! Tests of the core that need no Python.

mod delay;
mod expression;
mod language;
mod rosenbrock;
mod runge_kutta;
mod taylor;
mod trees;
