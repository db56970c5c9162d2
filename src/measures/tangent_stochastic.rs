//! Growth of tangent vectors along the paths of stochastic systems, under the noise of the path.
//!
//! State and vectors make steps of one system, whose noise is that of the state and its derivatives: the vectors are multiplied by
//! the derivative of the numerical step of `solve::stochastic`.

use super::orthonormalise::Vectors;
use super::tangent::{Member, Run};
use crate::error::{Error, Result};
use crate::parallel::brownian::Brownian;
use crate::solve::march::wrap;
use crate::solve::stepper::Lanes;
use crate::solve::stochastic::Scheme;

impl Run<'_> {
    /// Runs one member through its segments, each of whole steps. The path is taken up at the point of the grid of steps that is
    /// nearest to the start.
    pub(super) fn diffuse(&self, number: usize, member: &mut Member) -> Result<()> {
        let settings = self.settings;
        let (d, n) = (settings.system.dimension(), self.augmented.dimension());
        let h = settings.step.ok_or_else(|| Error::value("a stochastic system needs a step"))?;
        // A segment that is whole steps long to rounding has no further one.
        let each = (settings.duration / h * (1.0 - 1e-9)).ceil().max(1.0) as u64;
        let noise = self.augmented.noise(settings.system.milstein_applies().is_ok());
        let mut scheme = Scheme::<1>::new(self.augmented.program(), &noise, self.level);
        scheme.set_parameters(0, self.parameters(number));
        let path = settings.first_path + number as u64;
        let mut brownian = Brownian::<1>::new(settings.seed, &[path], &noise.numbers, h, self.level);
        let start = member.t;
        brownian.seek((start / h).round() as i64);
        let mut progress = self.begin(number, std::slice::from_ref(member), 1)?;
        let mut lanes = Lanes::<1>::new(n);
        (0..n).for_each(|i| lanes.y[i] = [member.y[i]]);
        let mut vectors = Vectors::<1>::new(settings.vectors, settings.keep);
        for k in 0..settings.segments as u64 * each {
            if k.is_multiple_of(1024) {
                self.monitor.check()?;
            }
            let t = start + k as f64 * h;
            scheme.step(t, h, brownian.increments(), &mut lanes.y);
            brownian.advance();
            let own = &mut progress[0];
            for (x, &period) in lanes.y[..d].iter_mut().zip(&own.periods) {
                if !(x[0].abs() <= own.bound) {
                    return Err(self.ended(number, t, if x[0].is_nan() { "left domain" } else { "diverged" }));
                }
                if !period.is_nan() {
                    x[0] = wrap(x[0], period);
                }
            }
            lanes.t[0] = start + (k + 1) as f64 * h;
            member.steps += 1;
            own.unturned += 1;
            let over = (k + 1).is_multiple_of(each);
            own.elapsed = if over { each as f64 * h } else { own.elapsed + h };
            if over || own.unturned >= own.every {
                lanes.running = [true];
                self.turn(number, std::slice::from_mut(member), &mut lanes, &[true], &mut vectors, &mut progress)?;
            }
        }
        Ok(())
    }
}
