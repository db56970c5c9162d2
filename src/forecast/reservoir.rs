//! A leaky reservoir of tanh units with sparse connections (Jaeger 2001, GMD Report 148), driven or running free.

use crate::error::{Error, Result};
use crate::parallel::pool::Monitor;

/// `r' = (1 - leak) r + leak tanh(W r + V u + b)`.
#[derive(Debug)]
pub struct Reservoir {
    /// W in compressed rows: the entries of row i are those from `offsets[i]` to `offsets[i + 1]`.
    offsets: Vec<usize>,
    columns: Vec<usize>,
    weights: Vec<f64>,
    /// V, a row a unit.
    inputs: Vec<f64>,
    bias: Vec<f64>,
    leak: f64,
}

impl Reservoir {
    /// # Errors
    /// [`Error::Value`] if the sizes do not fit, or an index is out of range.
    pub fn new(
        offsets: Vec<usize>,
        columns: Vec<usize>,
        weights: Vec<f64>,
        inputs: Vec<f64>,
        bias: Vec<f64>,
        leak: f64,
    ) -> Result<Self> {
        let n = bias.len();
        let is_well_formed = n > 0
            && offsets.len() == n + 1
            && offsets[0] == 0
            && offsets.windows(2).all(|pair| pair[0] <= pair[1])
            && offsets[n] == columns.len()
            && columns.len() == weights.len()
            && columns.iter().all(|&column| column < n)
            && !inputs.is_empty()
            && inputs.len().is_multiple_of(n);
        if !is_well_formed {
            return Err(Error::value("the arrays of the reservoir do not fit each other"));
        }
        Ok(Self { offsets, columns, weights, inputs, bias, leak })
    }

    /// Number of units.
    pub fn units(&self) -> usize {
        self.bias.len()
    }

    /// Number of inputs.
    pub fn width(&self) -> usize {
        self.inputs.len() / self.units()
    }

    /// The parts it was made of: offsets, columns, weights, inputs, bias, leak.
    pub fn parts(&self) -> (&[usize], &[usize], &[f64], &[f64], &[f64], f64) {
        (&self.offsets, &self.columns, &self.weights, &self.inputs, &self.bias, self.leak)
    }

    fn step(&self, state: &[f64], input: &[f64], next: &mut [f64]) {
        let width = self.width();
        for i in 0..self.units() {
            let (begin, end) = (self.offsets[i], self.offsets[i + 1]);
            let mut sum = self.bias[i];
            for (weight, &column) in self.weights[begin..end].iter().zip(&self.columns[begin..end]) {
                sum += weight * state[column];
            }
            for (weight, value) in self.inputs[i * width..][..width].iter().zip(input) {
                sum += weight * value;
            }
            next[i] = (1.0 - self.leak) * state[i] + self.leak * libm::tanh(sum);
        }
    }

    fn check(&self, state: &[f64]) -> Result<()> {
        if state.len() == self.units() {
            return Ok(());
        }
        Err(Error::value(format!("the state must have {} units, not {}", self.units(), state.len())))
    }

    /// The states after each row of `inputs`, row by row, from `state`.
    ///
    /// # Errors
    /// [`Error::Value`] if sizes differ; [`Error::Interrupted`].
    pub fn drive(&self, state: &[f64], inputs: &[f64], monitor: &Monitor) -> Result<Vec<f64>> {
        self.check(state)?;
        let (n, width) = (self.units(), self.width());
        if !inputs.len().is_multiple_of(width) {
            return Err(Error::value(format!("an input must have {width} numbers")));
        }
        let mut states = vec![0.0; inputs.len() / width * n];
        for (step, input) in inputs.chunks_exact(width).enumerate() {
            monitor.check()?;
            let (before, after) = states.split_at_mut(step * n);
            let last = if step == 0 { state } else { &before[(step - 1) * n..] };
            self.step(last, input, &mut after[..n]);
        }
        Ok(states)
    }

    /// Runs free for `horizon` steps: the next input is the last one plus what the readout says of (1, input, state).
    ///
    /// `state` is that after `input`; `readout` has a row for each input. Gives the inputs, row by row.
    ///
    /// # Errors
    /// [`Error::Value`] if sizes differ; [`Error::Interrupted`].
    pub fn run(
        &self,
        state: &[f64],
        input: &[f64],
        readout: &[f64],
        horizon: usize,
        monitor: &Monitor,
    ) -> Result<Vec<f64>> {
        self.check(state)?;
        let (n, width) = (self.units(), self.width());
        let features = 1 + width + n;
        if input.len() != width || readout.len() != width * features {
            return Err(Error::value("the readout does not fit the reservoir"));
        }
        let (mut state, mut next, mut input) = (state.to_vec(), vec![0.0; n], input.to_vec());
        let mut path = Vec::with_capacity(horizon * width);
        for _ in 0..horizon {
            monitor.check()?;
            let begin = path.len();
            for (row, last) in readout.chunks_exact(features).zip(&input) {
                let linear: f64 = row[1..=width].iter().zip(&input).map(|(weight, value)| weight * value).sum();
                let hidden: f64 = row[width + 1..].iter().zip(&state).map(|(weight, value)| weight * value).sum();
                path.push(last + row[0] + linear + hidden);
            }
            input.copy_from_slice(&path[begin..]);
            self.step(&state, &input, &mut next);
            std::mem::swap(&mut state, &mut next);
        }
        Ok(path)
    }
}
