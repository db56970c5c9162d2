//! Integration: methods, the driver that deals trajectories to lanes and threads, outcomes.

pub mod delay;
pub mod delay_taylor;
mod ensemble;
pub mod event;
pub mod history;
mod map;
pub mod march;
mod method;
mod outcome;
pub mod past;
mod problem;
pub mod rk4;
pub mod rosenbrock;
pub mod rosenbrock_tableau;
pub mod runge_kutta;
mod sampling;
mod stages;
pub mod step_size;
pub mod stepper;
pub mod stochastic;
pub mod switching;
pub mod symplectic;
pub mod tableau;
pub mod taylor;

pub use ensemble::solve;
pub use event::{Condition, EventLog, Watch};
pub use history::History;
pub use march::{End, Times};
pub use method::Method;
pub use outcome::{Outcome, Work};
pub use problem::{Problem, Solution};
pub(crate) use problem::{check, room};
