//! Integration: methods, the driver that deals trajectories to lanes and threads, outcomes.

pub mod delay;
pub mod delay_taylor;
mod ensemble;
pub mod event;
pub mod history;
mod map;
pub mod march;
mod outcome;
pub mod past;
pub mod rk4;
pub mod rosenbrock;
pub mod rosenbrock_tableau;
pub mod runge_kutta;
pub mod step_size;
pub mod stepper;
pub mod stochastic;
pub mod switching;
pub mod symplectic;
pub mod tableau;
pub mod taylor;

pub use ensemble::{Method, Problem, Solution, solve};
pub(crate) use ensemble::{check, room};
pub use event::{Condition, EventLog, Watch};
pub use history::History;
pub use march::{End, Times};
pub use outcome::{Outcome, Work};
