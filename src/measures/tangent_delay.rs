//! Growth of tangent vectors of delay systems. Their space is that of functions on the longest delay: a deviation is its
//! whole past, sampled on equal steps with its slopes (Farmer 1982, Physica D 4, 366-393).
//!
//! State and vectors advance by the classical Runge-Kutta method on these steps, and are read between them by cubic Hermite
//! interpolation, of order 4 like the method. The vectors are orthonormalised after every longest delay, in the scalar
//! product of all samples and slopes; exponents do not depend on which one.

use super::orthonormalise::{Growth, orthonormalise};
use super::tangent::{Member, Run};
use crate::error::{Error, Result};
use crate::expr::eval::{Evaluator, Row};

/// Nodes of the past on the longest delay, for steps no longer than `step`.
pub fn nodes(longest: f64, step: f64) -> usize {
    (longest / step).ceil().max(1.0) as usize + 1
}

impl Run<'_> {
    /// Runs one member through its segments. Its `y` is the past: for every node the values, then the slopes, of state and
    /// vectors, from the oldest to the present.
    pub(super) fn remember(&self, number: usize, member: &mut Member) -> Result<()> {
        let settings = self.settings;
        let (d, n) = (settings.system.dimension(), self.augmented.dimension());
        let (k, r) = (settings.vectors, settings.response.len());
        let delays = settings.system.evaluate_delays(self.parameters(number))?;
        let longest = delays.iter().copied().fold(0.0, f64::max);
        let count = member.y.len() / (2 * n);
        let steps = count - 1;
        let h = longest / steps as f64;
        if delays.iter().any(|&delay| delay < h) {
            return Err(Error::value("the step is longer than the shortest delay"));
        }
        let mut equations = Evaluator::<1>::new(self.augmented.program(), self.level);
        equations.set_parameters(0, self.parameters(number));
        let terms: Vec<(usize, f64)> =
            self.augmented.delayed_terms().iter().map(|&(i, delay)| (i, delays[delay] / h)).collect();
        let progress = self.begin(number, std::slice::from_ref(member), 1)?;
        let mut growth = Growth::<1>::new(k, settings.keep);
        // The past, then one longest delay into the future.
        let mut past = member.y.clone();
        past.resize((count + steps) * 2 * n, 0.0);
        let mut delayed: Vec<Row<1>> = vec![[0.0]; terms.len()];
        let mut stages = vec![vec![[0.0]; n]; 4];
        let mut inner = vec![[0.0]; n];
        let mut rows: Vec<Row<1>> = vec![[0.0]; k * r * 2 * count];
        let mut factors = vec![[0.0]; k * k];
        let turns = (settings.duration / longest).ceil().max(1.0) as u64;
        for turn in 0..settings.segments as u64 * turns {
            for step in 0..steps {
                if step.is_multiple_of(256) {
                    self.monitor.check()?;
                }
                let at = steps + step;
                let t = member.t + step as f64 * h;
                for (stage, c) in [0.0, 0.5, 0.5, 1.0].into_iter().enumerate() {
                    for i in 0..n {
                        let slope = if stage == 0 { 0.0 } else { stages[stage - 1][i][0] };
                        inner[i][0] = (c * h).mul_add(slope, past[at * 2 * n + i]);
                    }
                    for (z, &(i, delay)) in delayed.iter_mut().zip(&terms) {
                        z[0] = between(&past, n, i, at as f64 + c - delay, h, at);
                    }
                    equations.eval(&[t + c * h], &inner, &delayed, &mut stages[stage]);
                    if stage == 0 {
                        (0..n).for_each(|i| past[at * 2 * n + n + i] = stages[0][i][0]);
                    }
                }
                for i in 0..n {
                    let [k1, k2, k3, k4] = [0, 1, 2, 3].map(|stage| stages[stage][i][0]);
                    let next = past[at * 2 * n + i] + h / 6.0 * ((k1 + k4) + 2.0 * (k2 + k3));
                    past[(at + 1) * 2 * n + i] = next;
                    past[(at + 1) * 2 * n + n + i] = k4;
                    if i < d && !(next.abs() <= progress[0].bound) {
                        return Err(self.ended(number, t, if next.is_nan() { "left domain" } else { "diverged" }));
                    }
                }
                member.steps += 1;
            }
            past.copy_within(steps * 2 * n.., 0);
            member.t += longest;
            let place = |c: usize, i: usize, node: usize, part: usize| node * 2 * n + part * n + d + c * r + i;
            let each = r * 2 * count;
            for (e, row) in rows.iter_mut().enumerate() {
                let (c, rest) = (e / each, e % each);
                row[0] = past[place(c, rest % r, rest / (2 * r), rest / r % 2)];
            }
            if !orthonormalise(self.level, &mut rows, each, &[true], &mut factors)[0] {
                return Err(Error::value("tangent vectors vanish: ask for fewer exponents"));
            }
            for (e, row) in rows.iter().enumerate() {
                let (c, rest) = (e / each, e % each);
                past[place(c, rest % r, rest / (2 * r), rest / r % 2)] = row[0];
            }
            growth.add(&factors, &[true]);
            if (turn + 1).is_multiple_of(turns) {
                let (logs, triangle) = growth.close(0);
                member.logs.extend(logs);
                member.elapsed.push(turns as f64 * longest);
                if let Some(triangle) = triangle {
                    member.triangles.extend(triangle);
                    member.states.extend(&past[steps * 2 * n..count * 2 * n - n]);
                }
            }
        }
        past.truncate(count * 2 * n);
        member.y = past;
        Ok(())
    }
}

/// Variable `i` at `place`, in steps since the oldest node, not after node `newest`.
fn between(past: &[f64], n: usize, i: usize, place: f64, h: f64, newest: usize) -> f64 {
    let node = (place.floor().max(0.0) as usize).min(newest - 1);
    let s = place - node as f64;
    let [a, b] = [node, node + 1].map(|node| past[node * 2 * n + i]);
    let [p, q] = [node, node + 1].map(|node| h * past[node * 2 * n + n + i]);
    let rise = b - a;
    let cubic = (p + q) - 2.0 * rise;
    a + s * (p + s * (((rise - p) - cubic) + s * cubic))
}
