//! Stochastic differential equations with a fixed step: `milstein` and `euler_maruyama`.
//!
//! The drift, in Itô's sense, advances by the classical Runge-Kutta step; so without noise the order is four. The noise adds
//! `b dW` and, in Milstein's method, `L_j b_k` times the double integrals of the processes, which are `(dW_j^2 - h)/2` and, where noise
//! commutes, `dW_j dW_k` for a pair: strong order 1, and 1/2 without them (Kloeden & Platen 1992, 10.2 and 10.3). Noise that does not
//! depend on the state is put in half before the drift and half after it, which is the mean of the drift's integral given the
//! increment: strong order 1 with half the error, and weak order 2 for linear drifts.
//!
//! Steps go from one whole multiple of the step to the next. Samples, and a start, that lie between are reached by a shorter
//! step from the multiple before: the solution does not depend on where it is sampled.

use super::march::{DIVERGED, Job, March, wrap};
use super::outcome::Outcome;
use crate::error::Result;
use crate::expr::eval::{Evaluator, Row};
use crate::expr::program::Program;
use crate::parallel::brownian::Brownian;
use crate::parallel::simd::{Level, kernel};
use crate::system::Noise;

/// Steps between looks at the monitor.
const PATIENCE: u64 = 256;

/// One step of a system with noise, on lanes.
pub struct Scheme<'p, const L: usize> {
    drift: Evaluator<'p, L>,
    amplitudes: Evaluator<'p, L>,
    noise: &'p Noise,
    level: Level,
    stages: Vec<Row<L>>,
    inner: Vec<Row<L>>,
    values: Vec<Row<L>>,
    change: Vec<Row<L>>,
}

impl<'p, const L: usize> Scheme<'p, L> {
    /// The step for a drift in Itô's sense and noise.
    pub fn new(drift: &'p Program, noise: &'p Noise, level: Level) -> Self {
        let rows = |count: usize| vec![[0.0; L]; count];
        let d = drift.n_states;
        Self {
            drift: Evaluator::new(drift, level),
            amplitudes: Evaluator::new(&noise.program, level),
            noise,
            level,
            stages: rows(4 * d),
            inner: rows(d),
            values: rows(noise.program.outputs.len()),
            change: rows(d),
        }
    }

    /// Puts the parameters of `lane` in place.
    pub fn set_parameters(&mut self, lane: usize, parameters: &[f64]) {
        self.drift.set_parameters(lane, parameters);
        self.amplitudes.set_parameters(lane, parameters);
    }

    /// Moves `x` from `t` to `t + h` under the increments `dw` of the processes.
    pub fn step(&mut self, t: f64, h: f64, dw: &[Row<L>], x: &mut [Row<L>]) {
        let Self { drift, amplitudes, noise, level, stages, inner, values, change } = self;
        let (level, d) = (*level, x.len());
        let at = if noise.additive { t + 0.5 * h } else { t };
        amplitudes.eval(&[at; L], x, &[], values);
        kick(level, noise, h, dw, values, change);
        if noise.additive {
            add(level, 0.5, change, x);
        }
        for (stage, c) in [0.0, 0.5, 0.5, 1.0].into_iter().enumerate() {
            let (before, now) = stages.split_at_mut(stage * d);
            let argument = if stage == 0 {
                &*x
            } else {
                ahead(level, c * h, x, &before[(stage - 1) * d..], inner);
                &*inner
            };
            drift.eval(&[t + c * h; L], argument, &[], &mut now[..d]);
        }
        advance(level, h, stages, x);
        add(level, if noise.additive { 0.5 } else { 1.0 }, change, x);
    }
}

kernel! {
    /// `out = x + c slope`.
    fn ahead<const L: usize>(c: f64, x: &[Row<L>], slope: &[Row<L>], out: &mut [Row<L>]) {
        for ((out, x), slope) in out.iter_mut().zip(x).zip(slope) {
            for lane in 0..L {
                out[lane] = c.mul_add(slope[lane], x[lane]);
            }
        }
    }

    /// `x += h (k1 + 2 k2 + 2 k3 + k4) / 6`.
    fn advance<const L: usize>(h: f64, stages: &[Row<L>], x: &mut [Row<L>]) {
        let d = x.len();
        for (i, x) in x.iter_mut().enumerate() {
            let [k1, k2, k3, k4] = [0, 1, 2, 3].map(|stage| &stages[stage * d + i]);
            for lane in 0..L {
                x[lane] += h / 6.0 * ((k1[lane] + k4[lane]) + 2.0 * (k2[lane] + k3[lane]));
            }
        }
    }

    /// `x += c change`.
    fn add<const L: usize>(c: f64, change: &[Row<L>], x: &mut [Row<L>]) {
        for (x, change) in x.iter_mut().zip(change) {
            for lane in 0..L {
                x[lane] = c.mul_add(change[lane], x[lane]);
            }
        }
    }

    /// What the noise adds.
    fn kick<const L: usize>(noise: &Noise, h: f64, dw: &[Row<L>], values: &[Row<L>], change: &mut [Row<L>]) {
        change.fill([0.0; L]);
        for (&(row, process), value) in noise.terms.iter().zip(values) {
            for lane in 0..L {
                change[row][lane] = value[lane].mul_add(dw[process][lane], change[row][lane]);
            }
        }
        for (&(row, j, k), value) in noise.products.iter().zip(&values[noise.terms.len()..]) {
            for lane in 0..L {
                let integral =
                    if j == k { 0.5 * dw[j][lane].mul_add(dw[j][lane], -h) } else { dw[j][lane] * dw[k][lane] };
                change[row][lane] = value[lane].mul_add(integral, change[row][lane]);
            }
        }
    }
}

/// The place of a time on the grid of whole steps: so many, and the part of the next one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GridTime {
    /// Whole steps.
    pub whole: i64,
    /// Part of the step after these, in [0, 1).
    pub part: f64,
}

impl GridTime {
    /// The place of `t`, which is on the grid if it is to rounding.
    pub fn of(t: f64, step: f64) -> GridTime {
        /// Errors of a time that was computed as a multiple of another.
        const ROUNDING: f64 = 4.0 * f64::EPSILON;
        let nearest = (t / step).round();
        if (t - nearest * step).abs() <= ROUNDING * t.abs() {
            return GridTime { whole: nearest as i64, part: 0.0 };
        }
        let whole = (t / step).floor();
        GridTime { whole: whole as i64, part: ((t - whole * step) / step).clamp(0.0, 1.0 - f64::EPSILON) }
    }
}

/// What a run with noise needs besides the march.
pub struct Stochastic<'a> {
    /// The drift in Itô's sense.
    pub drift: &'a Program,
    /// The noise.
    pub noise: &'a Noise,
    /// Length of the steps.
    pub step: f64,
    /// Seed of the paths.
    pub seed: u64,
}

impl March<'_> {
    /// Runs up to `L` trajectories side by side; they must start at the same time.
    ///
    /// # Errors
    /// [`Error::Interrupted`](crate::error::Error::Interrupted) if the monitor asks to stop.
    pub fn diffuse<const L: usize>(
        &self,
        problem: &Stochastic<'_>,
        jobs: &mut [Job<'_>],
        periods: impl Fn(&[f64]) -> Result<Vec<f64>>,
    ) -> Result<()> {
        let h = problem.step;
        let d = jobs[0].initial.len();
        let mut scheme = Scheme::<L>::new(problem.drift, problem.noise, self.level);
        let (mut x, mut periods_of) = (vec![[0.0; L]; d], Vec::new());
        let (mut paths, mut bounds) = ([0; L], [0.0; L]);
        for lane in 0..L {
            // Lanes without a job follow the last one; nothing of them is kept.
            let job = &jobs[lane.min(jobs.len() - 1)];
            scheme.set_parameters(lane, job.parameters);
            paths[lane] = job.path;
            let periods = periods(job.parameters)?;
            for i in 0..d {
                x[i][lane] = wrapped(job.initial[i], periods[i]);
                bounds[lane] = f64::max(bounds[lane], x[i][lane].abs());
            }
            bounds[lane] = DIVERGED * (1.0 + bounds[lane]);
            periods_of.push(periods);
        }
        let mut runs = Runs { march: self, jobs, periods: periods_of, bounds, running: [false; L], steps: 0 };
        (0..runs.jobs.len()).for_each(|lane| runs.running[lane] = true);
        let mut path = Brownian::<L>::new(problem.seed, &paths, &problem.noise.numbers, h, self.level);
        let start = runs.jobs[0].start;
        // Where the state is: at `place`, or at a start between two points of the grid.
        let mut place = GridTime::of(start, h);
        path.seek(place.whole);
        let m = problem.noise.numbers.len();
        let (mut dw, mut done, mut between) = (vec![[0.0; L]; m], vec![[0.0; L]; m], x.clone());
        for sample in 0..self.times.len() {
            let time = self.times.at(sample);
            let target = GridTime::of(time, h);
            while place.whole < target.whole {
                if runs.steps.is_multiple_of(PATIENCE) {
                    self.monitor.check()?;
                }
                let begin = (place.whole as f64 + place.part) * h;
                let end = (place.whole + 1) as f64 * h;
                if place.part > 0.0 {
                    path.part(place.part, end, &mut done);
                    difference(path.increments(), &done, &mut dw);
                    scheme.step(begin, (1.0 - place.part) * h, &dw, &mut x);
                } else {
                    scheme.step(begin, h, path.increments(), &mut x);
                }
                place = GridTime { whole: place.whole + 1, part: 0.0 };
                path.advance();
                if !runs.judge(&mut x, end, sample) {
                    return Ok(());
                }
            }
            between.copy_from_slice(&x);
            if target.part > place.part {
                path.part(target.part, time, &mut dw);
                if place.part > 0.0 {
                    path.part(place.part, time, &mut done);
                    let whole = dw.clone();
                    difference(&whole, &done, &mut dw);
                }
                scheme.step((place.whole as f64 + place.part) * h, (target.part - place.part) * h, &dw, &mut between);
                if !runs.judge(&mut between, time, sample) {
                    return Ok(());
                }
            }
            runs.write(sample, &between);
        }
        Ok(())
    }
}

/// `out = a - b`.
fn difference<const L: usize>(a: &[Row<L>], b: &[Row<L>], out: &mut [Row<L>]) {
    for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
        *out = std::array::from_fn(|lane| a[lane] - b[lane]);
    }
}

fn wrapped(x: f64, period: f64) -> f64 {
    if period.is_nan() { x } else { wrap(x, period) }
}

/// The trajectories on the lanes.
struct Runs<'r, 'a, const L: usize> {
    march: &'r March<'r>,
    jobs: &'r mut [Job<'a>],
    periods: Vec<Vec<f64>>,
    bounds: [f64; L],
    running: [bool; L],
    steps: u64,
}

impl<const L: usize> Runs<'_, '_, L> {
    /// Wraps angles after a step and ends what has diverged, left its domain or is out of steps; false if nothing runs any more.
    fn judge(&mut self, x: &mut [Row<L>], t: f64, sample: usize) -> bool {
        self.steps += 1;
        let mut size = [0.0f64; L];
        for row in &*x {
            for lane in 0..L {
                let magnitude = row[lane].abs();
                // NaN stays.
                size[lane] = if magnitude <= size[lane] { size[lane] } else { magnitude + 0.0 * size[lane] };
            }
        }
        for lane in 0..self.jobs.len() {
            if !self.running[lane] {
                continue;
            }
            for (x, &period) in x.iter_mut().zip(&self.periods[lane]) {
                x[lane] = wrapped(x[lane], period);
            }
            let end = &mut self.jobs[lane].end;
            end.work.steps += 1;
            end.work.evaluations += 4;
            end.outcome = if size[lane].is_nan() {
                Outcome::LeftDomain
            } else if size[lane] > self.bounds[lane] {
                Outcome::Diverged
            } else if end.work.steps >= self.march.max_steps {
                Outcome::OutOfSteps
            } else {
                continue;
            };
            end.time = t;
            let d = x.len();
            self.jobs[lane].samples[sample * d..].fill(f64::NAN);
            self.running[lane] = false;
            self.march.monitor.advance((self.march.times.len() - sample) as u64);
        }
        self.running != [false; L]
    }

    fn write(&mut self, sample: usize, x: &[Row<L>]) {
        let d = x.len();
        for (lane, job) in self.jobs.iter_mut().enumerate().filter(|(lane, _)| self.running[*lane]) {
            for (out, row) in job.samples[sample * d..][..d].iter_mut().zip(x) {
                *out = row[lane];
            }
            self.march.monitor.advance(1);
        }
    }
}
