//! How a trajectory ended.

/// The end of one trajectory. Anything but [`Outcome::Ok`] leaves NaN in the samples after the stop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Outcome {
    /// Every requested sample was reached.
    #[default]
    Ok = 0,
    /// The state grew beyond every bound.
    Diverged = 1,
    /// The step size fell below the resolution of the clock.
    Stalled = 2,
    /// The equations are not defined at the state reached (square root of a negative number, division by zero …).
    LeftDomain = 3,
    /// The limit on the number of steps was used up.
    OutOfSteps = 4,
    /// A condition on which to stop was fulfilled.
    Stopped = 5,
}

impl Outcome {
    /// The names, in the order of the discriminants.
    pub const NAMES: [&'static str; 6] = ["ok", "diverged", "stalled", "left domain", "out of steps", "stopped"];

    /// The name users see.
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }
}

/// Work done for one trajectory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Accepted steps (iterations of a map).
    pub steps: u64,
    /// Rejected steps.
    pub rejected: u64,
    /// Evaluations of the right-hand side; for Taylor, expansions of the jet and evaluations of the defect.
    pub evaluations: u64,
}
