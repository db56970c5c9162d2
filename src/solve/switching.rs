//! An explicit method that hands stiff stretches of a trajectory to Rodas5P, and takes the rest back.
//!
//! Nothing is measured with a clock: what counts is the time that a method advances for a count of operations, which is the same
//! on every machine. Each lane decides for itself, so a trajectory has the same bits alone or among others.
//!
//! Where the explicit method's steps have been limited by stability and not by accuracy for a while, Rodas5P is tried.
//! It stays if it advances faster; otherwise the next try waits eight times as long. It hands back where the explicit method
//! would be the faster one even at the edge of its stability, for the largest eigenvalue that the Jacobian can have.

use super::rosenbrock::Rosenbrock;
use super::rosenbrock_tableau::{RODAS5P, STAGES};
use super::stepper::{Lanes, Piece, Pieces, Rhs, Stepper, Tolerance, Verdict};
use crate::expr::program::Program;
use crate::parallel::simd::Level;
use crate::system::System;

/// What an explicit method must tell to be relieved where a flow is stiff.
pub trait Explicit<const L: usize>: Stepper<L> {
    /// Whether the step just accepted on `lane` could have been much longer but for stability.
    fn limited_by_stability(&self, lanes: &Lanes<L>, lane: usize) -> bool;

    /// The largest `h |lambda|`, lambda negative, for which steps do not amplify errors.
    fn stability_limit(&self) -> f64;

    /// Operations of an attempt on a system of `n` variables with this right-hand side.
    fn operations(&self, rhs: &Program, n: usize) -> f64;
}

/// Of the steps of the explicit method, one in this many is looked at.
const LOOK: u32 = 4;
/// Looks in a row that show a step limited by stability before Rodas5P is tried, at first and at most.
const PATIENCE: u32 = 8;
const MOST_PATIENCE: u32 = 1 << 22;
/// By this the patience grows when a try was in vain.
const DISAPPOINTMENT: u32 = 8;
/// Attempts over which the speed of Rodas5P is measured; the first such window is for finding its step.
const WINDOW: u32 = 8;
/// Systems with more variables than this are left to the explicit method.
const MOST_VARIABLES: usize = 512;

/// What is remembered of a lane.
#[derive(Clone, Copy, Debug)]
struct Seat {
    stiff: bool,
    switched: bool,
    /// Whether the next attempt is by the other method.
    change: bool,
    /// Steps since the last look.
    unseen: u32,
    /// Looks in a row at steps limited by stability, and how many it takes.
    streak: u32,
    patience: u32,
    /// Time advanced in these steps, or in the window.
    progress: f64,
    /// Time advanced by the explicit method for one operation before the switch.
    speed: f64,
    /// Attempts of Rodas5P since the switch.
    attempts: u32,
}

impl Seat {
    const NEW: Seat = Seat {
        stiff: false,
        switched: false,
        change: false,
        unseen: 0,
        streak: 0,
        patience: PATIENCE,
        progress: 0.0,
        speed: 0.0,
        attempts: 0,
    };

    fn turn(&mut self) {
        *self = Seat { change: true, streak: 0, progress: 0.0, attempts: 0, ..*self };
    }
}

/// The explicit method `E`, relieved by Rodas5P.
pub struct Switching<'p, E, const L: usize> {
    explicit: E,
    implicit: Option<Rosenbrock<'p, L>>,
    system: &'p System,
    tolerance: Tolerance,
    level: Level,
    parameters: Vec<Vec<f64>>,
    seats: [Seat; L],
    /// Operations of an attempt by either method.
    operations: [f64; 2],
    /// What the explicit method left, where both have lanes.
    kept: Lanes<L>,
}

impl<'p, E: Explicit<L>, const L: usize> Switching<'p, E, L> {
    /// `explicit`, relieved where `system` is stiff.
    pub fn new(explicit: E, system: &'p System, tolerance: Tolerance, level: Level) -> Self {
        let n = system.dimension();
        Self {
            operations: [explicit.operations(system.program(), n), f64::NAN],
            explicit,
            implicit: None,
            system,
            tolerance,
            level,
            parameters: vec![Vec::new(); L],
            seats: [Seat::NEW; L],
            kept: Lanes::new(n),
        }
    }

    /// The explicit method.
    pub fn explicit(&mut self) -> &mut E {
        &mut self.explicit
    }

    /// Puts the parameters of `lane` in place; those of the explicit method are the caller's business.
    pub fn set_parameters(&mut self, lane: usize, parameters: &[f64]) {
        self.parameters[lane] = parameters.to_vec();
        if let Some(implicit) = &mut self.implicit {
            implicit.set_parameters(lane, parameters);
        }
    }

    fn implicit(&mut self) -> &mut Rosenbrock<'p, L> {
        let Self { system, tolerance, level, parameters, operations, .. } = self;
        self.implicit.get_or_insert_with(|| {
            let linear = system.linearisation();
            let n = linear.n as f64;
            let elimination = linear.plan.as_ref().map_or(n * n * n / 3.0, |plan| plan.operations() as f64);
            let solving = linear.plan.as_ref().map_or(n * n, |plan| plan.entries() as f64);
            let stages = STAGES as f64;
            operations[1] = stages * (system.program().body.len() as f64 + solving + stages * n)
                + linear.program.body.len() as f64
                + elimination;
            let mut implicit = Rosenbrock::new(&RODAS5P, linear, tolerance.clone(), *level);
            for (lane, parameters) in parameters.iter().enumerate().filter(|(_, list)| !list.is_empty()) {
                implicit.set_parameters(lane, parameters);
            }
            implicit
        })
    }

    /// Gives the lane to the other method.
    fn change<R: Rhs<L>>(&mut self, rhs: &mut R, lanes: &mut Lanes<L>, lane: usize) {
        let h = lanes.h[lane];
        let seat = &mut self.seats[lane];
        seat.change = false;
        seat.stiff = !seat.stiff;
        seat.switched = true;
        if seat.stiff {
            self.implicit().start(rhs, lanes, lane);
        } else {
            self.explicit.start(rhs, lanes, lane);
        }
        lanes.h[lane] = h;
    }

    /// Draws the conclusions from an attempt.
    fn learn(&mut self, lanes: &Lanes<L>, lane: usize, verdict: Verdict) {
        let seat = &mut self.seats[lane];
        let [explicit, implicit] = self.operations;
        match (seat.stiff, verdict) {
            (false, Verdict::Accepted) => {
                seat.unseen += 1;
                if seat.unseen < LOOK {
                    return;
                }
                seat.unseen = 0;
                if !self.explicit.limited_by_stability(lanes, lane) {
                    (seat.streak, seat.progress) = (0, 0.0);
                    return;
                }
                seat.streak += 1;
                seat.progress += lanes.h_taken[lane];
                if seat.streak == seat.patience {
                    seat.speed = seat.progress / (f64::from(seat.streak) * explicit);
                    seat.turn();
                }
            }
            (true, Verdict::Accepted | Verdict::Rejected) => {
                seat.attempts += 1;
                if verdict == Verdict::Accepted {
                    seat.progress += lanes.h_taken[lane];
                }
                if !seat.attempts.is_multiple_of(WINDOW) {
                    return;
                }
                let speed = seat.progress / (f64::from(WINDOW) * implicit);
                seat.progress = 0.0;
                if seat.attempts == 2 * WINDOW && speed < seat.speed {
                    seat.patience = (seat.patience.saturating_mul(DISAPPOINTMENT)).min(MOST_PATIENCE);
                    seat.turn();
                } else if seat.attempts > 2 * WINDOW {
                    let limit = self.explicit.stability_limit();
                    let bound = self.implicit.as_mut().map_or(f64::NAN, |implicit| implicit.spectral_bound(lane));
                    if speed * bound * explicit < limit {
                        seat.patience = PATIENCE;
                        seat.turn();
                    }
                }
            }
            _ => {}
        }
    }
}

impl<E: Explicit<L>, const L: usize> Stepper<L> for Switching<'_, E, L> {
    fn start<R: Rhs<L>>(&mut self, rhs: &mut R, lanes: &mut Lanes<L>, lane: usize) {
        self.seats[lane] = Seat::NEW;
        if self.system.dimension() > MOST_VARIABLES {
            self.seats[lane].patience = u32::MAX;
        }
        self.explicit.start(rhs, lanes, lane);
    }

    fn attempt<R: Rhs<L>>(&mut self, rhs: &mut R, lanes: &mut Lanes<L>) -> [Verdict; L] {
        let running = lanes.running;
        for lane in 0..L {
            if running[lane] && self.seats[lane].change {
                self.change(rhs, lanes, lane);
            }
        }
        let stiff: [bool; L] = std::array::from_fn(|lane| running[lane] && self.seats[lane].stiff);
        let verdicts = if stiff == [false; L] {
            self.explicit.attempt(rhs, lanes)
        } else if stiff == running {
            self.implicit().attempt(rhs, lanes)
        } else {
            lanes.running = std::array::from_fn(|lane| running[lane] && !stiff[lane]);
            let explicit = self.explicit.attempt(rhs, lanes);
            self.kept.clone_from(lanes);
            lanes.running = stiff;
            let mut verdicts = self.implicit().attempt(rhs, lanes);
            lanes.running = running;
            for lane in (0..L).filter(|&lane| running[lane] && !stiff[lane]) {
                verdicts[lane] = explicit[lane];
                lanes.h[lane] = self.kept.h[lane];
                lanes.h_taken[lane] = self.kept.h_taken[lane];
                for (next, kept) in lanes.y_next.iter_mut().zip(&self.kept.y_next) {
                    next[lane] = kept[lane];
                }
            }
            verdicts
        };
        for lane in (0..L).filter(|&lane| running[lane]) {
            self.learn(lanes, lane, verdicts[lane]);
        }
        verdicts
    }

    fn prepare_pieces<R: Rhs<L>>(&mut self, rhs: &mut R, lanes: &Lanes<L>, wanted: &[bool; L]) {
        let of = |stiff: bool| std::array::from_fn(|lane| wanted[lane] && self.seats[lane].stiff == stiff);
        let (explicit, stiff): ([bool; L], [bool; L]) = (of(false), of(true));
        if explicit != [false; L] {
            self.explicit.prepare_pieces(rhs, lanes, &explicit);
        }
        if stiff != [false; L] {
            self.implicit().prepare_pieces(rhs, lanes, &stiff);
        }
    }

    fn piece(&self, lanes: &Lanes<L>, lane: usize, piece: &mut Piece) {
        match &self.implicit {
            Some(implicit) if self.seats[lane].stiff => implicit.piece(lanes, lane, piece),
            _ => self.explicit.piece(lanes, lane, piece),
        }
    }

    fn pieces(&self, lanes: &Lanes<L>) -> Option<Pieces<'_, L>> {
        // Where a lane is stiff, the methods' polynomials have different forms, and each lane is asked for its own.
        if self.seats.iter().any(|seat| seat.stiff) { None } else { self.explicit.pieces(lanes) }
    }

    fn shifted(&mut self, lane: usize, variable: usize) {
        self.explicit.shifted(lane, variable);
    }

    fn evaluations_per_attempt(&self, lane: usize) -> u64 {
        match &self.implicit {
            Some(implicit) if self.seats[lane].stiff => implicit.evaluations_per_attempt(lane),
            _ => self.explicit.evaluations_per_attempt(lane),
        }
    }

    fn switched(&self, lane: usize) -> bool {
        self.seats[lane].switched
    }
}
