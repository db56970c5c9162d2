//! Growth of tangent vectors along the paths of stochastic systems, under the noise of the path.
//!
//! The vectors are multiplied by the derivative of the numerical step, Runge-Kutta drift with Milstein's noise, as in
//! `solve::stochastic`.

use super::tangent::{Member, Run};
use crate::error::{Error, Result};
use crate::expr::eval::Evaluator;
use crate::parallel::random::normal_pair;
use crate::solve::march::wrap;
use crate::solve::stepper::Lanes;

impl Run<'_> {
    /// Runs one member through its segments, each of equal steps.
    pub(super) fn diffuse(&self, number: usize, member: &mut Member) -> Result<()> {
        let settings = self.settings;
        let (d, n, r) = (settings.system.dimension(), self.augmented.dimension(), settings.response.len());
        let longest = settings.step.ok_or_else(|| Error::value("a stochastic system needs a step"))?;
        let each = (settings.duration / longest).ceil().max(1.0) as u64;
        let h = settings.duration / each as f64;
        let program = settings.system.stochastic_tangents(settings.vectors, settings.response);
        let mut drift = Evaluator::<1>::new(self.augmented.program(), self.level);
        let mut diffusion = Evaluator::<1>::new(&program, self.level);
        drift.set_parameters(0, self.parameters(number));
        diffusion.set_parameters(0, self.parameters(number));
        // The variable whose noise each row shares.
        let source: Vec<usize> = (0..n).map(|i| if i < d { i } else { settings.response[(i - d) % r] }).collect();
        let mut progress = self.begin(number, std::slice::from_ref(member), 1)?;
        let mut lanes = Lanes::<1>::new(n);
        (0..n).for_each(|i| lanes.y[i] = [member.y[i]]);
        let mut factors = vec![[0.0]; settings.vectors * settings.vectors];
        let (mut inner, mut noise) = (lanes.y.clone(), vec![[0.0]; 2 * n]);
        let mut stages = vec![vec![[0.0]; n]; 4];
        let (pairs, root, start) = (d.div_ceil(2) as u64, h.sqrt(), member.t);
        for k in 0..settings.segments as u64 * each {
            if k.is_multiple_of(1024) {
                self.monitor.check()?;
            }
            let t = start + k as f64 * h;
            diffusion.eval(&[t], &lanes.y, &[], &mut noise);
            for (stage, c) in [0.0, 0.5, 0.5, 1.0].into_iter().enumerate() {
                for i in 0..n {
                    let slope = if stage == 0 { 0.0 } else { stages[stage - 1][i][0] };
                    inner[i][0] = (c * h).mul_add(slope, lanes.y[i][0]);
                }
                drift.eval(&[t + c * h], &inner, &[], &mut stages[stage]);
            }
            let place = (settings.first_step + k) * pairs;
            let path = settings.first_path + number as u64;
            let increments: Vec<f64> =
                (0..d).map(|i| root * normal_pair(settings.seed, path, place + i as u64 / 2)[i % 2]).collect();
            let own = &mut progress[0];
            for i in 0..n {
                let [k1, k2, k3, k4] = [0, 1, 2, 3].map(|stage| stages[stage][i][0]);
                let dw = increments[source[i]];
                let change = h / 6.0 * ((k1 + k4) + 2.0 * (k2 + k3));
                let x = &mut lanes.y[i][0];
                *x += change + noise[i][0].mul_add(dw, 0.5 * noise[n + i][0] * dw.mul_add(dw, -h));
                if i < d {
                    if !(x.abs() <= own.bound) {
                        return Err(self.ended(number, t, if x.is_nan() { "left domain" } else { "diverged" }));
                    }
                    if !own.periods[i].is_nan() {
                        *x = wrap(*x, own.periods[i]);
                    }
                }
            }
            lanes.t[0] = start + (k + 1) as f64 * h;
            member.steps += 1;
            own.unturned += 1;
            let over = (k + 1).is_multiple_of(each);
            own.elapsed = if over { settings.duration } else { own.elapsed + h };
            if over || own.unturned >= own.every {
                lanes.running = [true];
                self.turn(number, std::slice::from_mut(member), &mut lanes, &[true], &mut factors, &mut progress)?;
            }
        }
        Ok(())
    }
}
