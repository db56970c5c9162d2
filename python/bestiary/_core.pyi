"""The compiled part: language, integration, measures. Friendliness lives in the Python modules around it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__version__: str

Array = NDArray[np.float64]

class LanguageError(ValueError):
    """The text of an equation could not be understood; the message points at the character."""

class System:
    """Equations made ready to run. Immutable. Vectors are flattened, row-major, in the order of declaration."""

    @staticmethod
    def build(
        kind: str,
        text: str,
        parameters: Mapping[str, float | Array],
        structure: Mapping[str, int],
        state: Sequence[tuple[str, int | None]],
        observables: Mapping[str, str] = ...,
        periods: Mapping[str, str] = ...,
        interpretation: str = "ito",
    ) -> System:
        """
        kind: "flow", "map", "delay" or "stochastic". parameters: scalars, vectors, matrices (values are defaults).
        structure: whole numbers that fix sizes. state: (name, None) for a scalar, (name, size) for a vector, in order.
        observables: name -> expression of the state. periods: state name -> expression, the state being an angle.
        interpretation: "ito" or "stratonovich", of the noise of a stochastic system.
        """
    @property
    def kind(self) -> str: ...
    @property
    def text(self) -> str:
        """The equations, printed canonically; building from it gives the same system."""
    @property
    def processes(self) -> list[str]:
        """Names of the Wiener processes: those of the variables that have one of their own, then the named ones."""
    def ito_correction(self) -> list[str]:
        """(1/2) sum_j (b_j . grad) b_j of each state variable, in the language."""
    @property
    def names(self) -> list[str]:
        """Flattened state names: x1, x2, ... for a vector x."""
    @property
    def parameter_names(self) -> list[str]:
        """Flattened parameter names: K1_2 for row 1, column 2 of K."""
    @property
    def parameter_values(self) -> Array:
        """Flattened default values, shape (k,)."""
    @property
    def observable_names(self) -> list[str]: ...
    @property
    def is_autonomous(self) -> bool:
        """Time does not appear."""
    @property
    def is_smooth(self) -> bool:
        """No kink or jump (abs, sign, floor, where, ...): Taylor series apply."""
    @property
    def n_delays(self) -> int: ...
    @property
    def delayed_terms(self) -> list[tuple[int, int]]:
        """(State variable, delay), counted from 0, of each column of `delayed` in `rhs` and `jacobian`."""
    def delays(self, parameters: Array | None = None) -> Array: ...
    @property
    def program_length(self) -> int:
        """Instructions in the compiled right-hand side."""
    def latex(self) -> list[str]:
        """One line of LaTeX an equation, indices, sums and definitions kept as written."""
    def numpy_source(self) -> str:
        """Source of a Python function rhs(x, t, p) on NumPy arrays, x of shape (d, ...), p flattened parameters."""
    def derivative_text(self, variable: str) -> list[str]:
        """d(equation)/d(variable) for each state equation, in the language."""
    def rhs(self, x: Array, t: Array, parameters: Array, delayed: Array | None = None) -> Array:
        """
        x (m, d), t (m,), parameters (k,) or (m, k), delayed (m, n_delayed_terms) -> (m, d); for a map, the image.

        Without `delayed` the state is taken to have always been x.
        """
    def jacobian(self, x: Array, t: Array, parameters: Array, delayed: Array | None = None) -> Array:
        """-> (m, d, d), row = equation, column = variable."""
    def divergence(self, x: Array, t: Array, parameters: Array) -> Array:
        """Trace of the Jacobian -> (m,)."""
    def observe(self, x: Array, t: Array, parameters: Array) -> Array:
        """-> (m, n_observables)."""
    def diffusion(self, x: Array, t: Array, parameters: Array) -> Array:
        """Amplitudes of the noise -> (m, d, n_processes)."""
    def periods(self, parameters: Array | None = None) -> Array:
        """Period of each state variable, NaN where it is no angle -> (d,)."""

class Result:
    """What `solve` returns: m trajectories of n samples of d variables."""

    @property
    def x(self) -> Array:
        """(m, n, d); NaN after a stop."""
    @property
    def low(self) -> Array | None:
        """(m, n, d): what `x` lacks of the states, in extended precision; None otherwise."""
    @property
    def outcomes(self) -> list[str]:
        """(m,): "ok", "diverged", "stalled", "left domain", "out of steps" or "stopped"."""
    @property
    def stop_times(self) -> Array:
        """(m,): time of the stop, NaN where the outcome is "ok"."""
    @property
    def steps(self) -> NDArray[np.int64]: ...
    @property
    def rejected(self) -> NDArray[np.int64]: ...
    @property
    def evaluations(self) -> NDArray[np.int64]: ...
    @property
    def events(self) -> list[tuple[Array, Array, NDArray[np.int64]]]:
        """(m,): times (k,), states (k, d) and directions (k,) of the events of each trajectory."""
    @property
    def past(self) -> tuple[Array, Array, Array, Array] | None:
        """
        What a single trajectory with delays remembers at its end, as k polynomials; None otherwise.

        Centres (k, 2), offsets covered and trusted (k, 4), coefficients (k, d, degree + 1), kinks (j, 2).
        """
    @property
    def methods(self) -> list[str]:
        """(m,): the method used, never "auto"; "taylor, then rodas5p" where a stiff stretch was handed over."""

def rename(text: str, names: Mapping[str, str]) -> str:
    """Statements in canonical form with other names for states, parameters, definitions and structural integers."""

def solve(
    system: System,
    initial: Array,
    parameters: Array,
    *,
    start: Array,
    dt: float | None = None,
    n: int | None = None,
    times: Array | None = None,
    method: str = "auto",
    rtol: float = 1e-12,
    atol: Array | None = None,
    step: float | None = None,
    max_steps: int = ...,
    seed: int = 0,
    first_path: int = 0,
    forcing: Array | None = None,
    extended: bool = False,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    events: list[tuple[int, int | None]] | None = None,
    history: list[System | tuple[Array, Array, Array, Array]] | None = None,
) -> Result:
    """
    Integrate m trajectories: initial (m, d), parameters (1, k) or (m, k), start (m,): the time at which each begins.

    Sampled at 0, dt, 2 dt, ..., (n - 1) dt, or at `times` (n,), increasing, none before any start. A map counts time in
    iterations (dt a whole number). method: "auto", "taylor", "tsit5", "dop853", "rk4", "rodas5p", "symplectic4",
    "symplectic8" for flows; "map"; "taylor", "dop853", "tsit5" for delay; "milstein" and "euler_maruyama" for
    stochastic. step: fixed step of rk4 and the symplectic methods (default: sampling interval) and of the methods for
    noise (a tenth of it). forcing (d,): standard deviation of additive white noise (per square root of time) put on a
    flow: it is then integrated as a stochastic system. Path i of the noise is a function of (seed, first_path + i,
    process, time), the same for step, step/2, …, for a start in the middle of it and for any samples. extended: by
    "taylor" or "map" in numbers of two doubles. events: for each observable of the system, which of its zero crossings
    count (1 from below, -1 from above, 0 both), from time 0 on, and with which of them the trajectory stops.
    progress(done, total) is called from the calling thread, at most ten times a second. history: before the start of a
    delay system, one for all trajectories or one for each: a flow whose right-hand sides are functions of time, or
    arrays as in `Result.past`.

    Raises ValueError for a wrong request, KeyboardInterrupt on Ctrl-C.
    """

def largest_exponent(
    system: System,
    initial: Array,
    parameters: Array,
    *,
    start: float,
    transient: float,
    duration: float,
    segments: int,
    interval: float | None = None,
    method: str = "auto",
    rtol: float = 1e-9,
    atol: Array | None = None,
    step: float | None = None,
    threads: int | None = None,
) -> Array:
    """
    Finite-time largest Lyapunov exponents of m trajectories over equal segments of `duration`: (m, segments).

    Natural logarithm, per unit of time.

    From the tangent flow, renormalised every `interval` (chosen from the Jacobian by default; Benettin et
    al. 1980). Not for delay or stochastic systems.
    """

def tangent_growth(
    system: System,
    augmented: Array,
    parameters: Array,
    *,
    start: Array,
    response: Sequence[int],
    vectors: int,
    duration: float,
    segments: int,
    keep: bool = False,
    rtol: float = 1e-9,
    atol: Array | None = None,
    max_steps: int = ...,
    step: float | None = None,
    seed: int = 0,
    first_path: int = 0,
    threads: int | None = None,
) -> dict[str, Any]:
    """
    Growth of k tangent vectors in the directions of the variables `response`, along m trajectories over segments.

    augmented: (m, d + k r), state then vectors; of a delay system (m, nodes * 2 * (d + k r)): for every node of the
    past the values, then the slopes, of state and vectors, oldest first. start: (m,).

    -> logs (m, segments, k), natural logarithms of growth; elapsed (m, segments), the length of each segment, which is
    over with the first orthonormalisation after `duration`; augmented and t, from which a run continues; steps, a list.
    keep: also states (m, segments, d + k r) at the ends of segments and triangles (m, segments, k, k), the product of
    the triangular factors in each.

    step: of a stochastic system, in whole numbers of which its segments last; the noise of a member is that of path
    first_path + member in `solve`.
    """

def uniforms(seed: int, path: int, n: int, *, stride: int = 1, count: int = 1) -> Array:
    """
    n uniform numbers in [0, 1), functions of (seed, path, position), as used for noise and initial states.

    With `count`, those of the paths path, path + stride, …, one path after the other.
    """

def normals(seed: int, path: int, n: int, *, stride: int = 1, count: int = 1) -> Array:
    """n standard normal numbers, likewise."""

# Measures of data. Points have shape (n, d); norm is "maximum" or "euclidean"; pairs at most `window` steps apart are
# left out; blocks are equal stretches of time. Results do not depend on `threads`.

def logarithms(x: Array) -> Array:
    """Natural logarithms of all values, (size,), the same on every machine."""

def powers(x: Array, exponent: float) -> Array:
    """x^exponent of all values, (size,), likewise."""

def nearest_neighbours(
    x: Array, *, norm: str, k: int, window: int, candidates: int, threads: int | None = None
) -> tuple[Array, NDArray[np.int64]]:
    """Distances and numbers (candidates, k) of the nearest of the first `candidates` points; NaN if there is none."""

def neighbour_sums(
    x: Array, radii: Array, *, norm: str, window: int, blocks: int, threads: int | None = None
) -> NDArray[np.int64]:
    """Neighbours within each radius, summed over the points of each block: (blocks, radii)."""

def neighbour_counts(
    x: Array, radii: Array, *, norm: str, window: int, threads: int | None = None
) -> NDArray[np.uint32]:
    """Neighbours of each point within each radius: (n, radii)."""

def distance_logarithms(
    x: Array, radius: float, *, norm: str, window: int, blocks: int, threads: int | None = None
) -> Array:
    """Ordered pairs nearer than the radius, sum of their ln(distance / radius), pairs at no distance: (blocks, 3)."""

def divergence_sums(
    x: Array,
    *,
    norm: str,
    steps: int,
    window: int,
    blocks: int,
    radius: float | None = None,
    least: int = 1,
    threads: int | None = None,
) -> tuple[Array, Array]:
    """Sums of logarithms of distances of neighbours as they part, and how many went in: (blocks, steps + 1) each."""

def fitted_exponents(
    x: Array, *, quadratic: bool, neighbours: int, window: int, step: int, blocks: int, threads: int | None = None
) -> Array:
    """Exponents per `step` of the product of fitted tangent maps: (blocks, d)."""

def box_moments(x: Array, q: float, levels: int, blocks: int) -> Array:
    """Sums of share^q over boxes of sides 1, 1/2, …: of all points, and without each block, (levels, 1 + blocks)."""

def order_counts(x: Array, order: int, delay: int, blocks: int) -> NDArray[np.int64]:
    """How often each order of values occurs: (blocks, order!)."""

def lempel_ziv_words(symbols: Sequence[int]) -> int:
    """Words in the exhaustive history of a sequence of symbols 0, 1, …."""

def detrended_fluctuations(x: Array, sizes: Sequence[int], degree: int, blocks: int) -> Array:
    """Mean squared residuals from polynomials: sum and number of windows of each block, (sizes, 2 blocks)."""

def rescaled_ranges(x: Array, sizes: Sequence[int], blocks: int) -> Array:
    """Rescaled ranges R/S, likewise."""

def graph_lengths(x: Array, steps: Sequence[int]) -> Array:
    """Lengths of the graph of a series measured with each step: (steps,)."""

def zero_one_correlations(x: Array, angles: Array, *, threads: int | None = None) -> Array:
    """K of the 0-1 test for each angle."""

def recurrence_lines(
    x: Array, thresholds: Array, *, norm: str, window: int, threads: int | None = None
) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Numbers of diagonal lines (above the main one) and of vertical lines of each length: (thresholds, n + 1) each."""

def local_dimensions(
    x: Array, references: Sequence[int], *, quantile: float, window: int, threads: int | None = None
) -> Array:
    """Local dimension, and the number of excesses it is from, at each reference: (references, 2)."""

def machine() -> dict[str, str | int]:
    """version, vector unit in use ("baseline", "avx2", "avx512", "neon"), available threads, hash of the sources."""

def point_errors(
    truth: Array,
    forecast: Array,
    train: Array | None,
    names: Sequence[str],
    *,
    season: int = 1,
    pool_ranks: bool = False,
    threads: int | None = None,
) -> Array:
    """
    Arrays (m, n, d) -> (m, len(names), d + 1): the errors of each variable and, last, of all variables pooled.

    Pooled Spearman and Kendall are NaN unless `pool_ranks`. train (m, any, d) scales "mase", by default the truth does.
    """

def persistence_error(series: Array, season: int) -> Array:
    """Mean magnitude of the change over `season` samples: (m, n, d) -> (m, d)."""

def mutual_informations(truth: Array, forecast: Array, *, neighbours: int = 3, threads: int | None = None) -> Array:
    """(m, n, d) twice -> (m, d), nats."""

def warping_distance(
    truth: Array, forecast: Array, *, cost: str = "euclidean", band: int | None = None, threads: int | None = None
) -> Array:
    """(m, n, d) and (m, k, d) -> (m,). cost: "euclidean" or "squared"."""

def interval_scores(truth: Array, lower: Array, upper: Array, alpha: float) -> Array:
    """(m, n, d) three times -> (m, d)."""

def ranked_probability_scores(truth: Array, samples: Array, *, fair: bool = False, threads: int | None = None) -> Array:
    """truth (m, n, d), samples (m, s, n * d) -> (m, n, d)."""

def error_curves(
    truth: Array, forecast: Array, scale: Array, *, size: str = "deviations", running: bool = False
) -> Array:
    """(m, n, d) twice, scale (m, 1, d) -> (m, n). size: "deviations", "norm" or "smape"."""

def samples_within(errors: Array, threshold: float) -> NDArray[np.int64]:
    """errors (m, n, 1) -> (m,): how many stand before the first that is not at or below the threshold."""

def binned_divergence(
    truth: Array,
    forecast: Array,
    *,
    bins: int = 30,
    smoothing: float = 1e-5,
    convention: str = "hess2023",
    threads: int | None = None,
) -> Array:
    """(m, n, d) and (m, k, d) -> (m,), nats. convention: "hess2023", "brenner2022" or "dynamix2025"."""

def mixture_divergences(
    truth: Array,
    forecast: Array,
    *,
    variance: float = 1.0,
    samples: int = 1000,
    symmetric: bool = False,
    seed: int = 0,
    threads: int | None = None,
) -> Array:
    """(m, n, d) and (m, k, d) -> (m,), nats."""

def spectral_distance(
    truth: Array,
    forecast: Array,
    *,
    smoothing: float = 20.0,
    boundary: str = "reflect",
    comparison: str = "hellinger",
    threads: int | None = None,
) -> Array:
    """(m, n, d) twice -> (m, d). boundary: "reflect" or "mirror"; comparison: "hellinger" or "decibel"."""

def power_spectra(series: Array, *, smoothing: float = 20.0, boundary: str = "reflect") -> Array:
    """(m, n, d) -> (m, n // 2 + 1, d)."""

def autocorrelation_distances(truth: Array, forecast: Array, *, lags: int, threads: int | None = None) -> Array:
    """(m, n, d) and (m, k, d) -> (m, d)."""

def marginal_transport(truth: Array, forecast: Array, *, order: float = 1.0, threads: int | None = None) -> Array:
    """(m, n, d) and (m, k, d) -> (m, d)."""

def sliced_transport(
    truth: Array,
    forecast: Array,
    *,
    order: float = 2.0,
    directions: int = 100,
    seed: int = 0,
    threads: int | None = None,
) -> Array:
    """(m, n, d) and (m, k, d) -> (m,)."""

def mean_discrepancy(
    truth: Array,
    forecast: Array,
    *,
    bandwidth: float | None = None,
    points: int = 2000,
    threads: int | None = None,
) -> Array:
    """(m, n, d) and (m, k, d) -> (m,), squared, of at most `points` samples of each."""

def nearest_divergence(truth: Array, forecast: Array, *, neighbours: int = 5, threads: int | None = None) -> Array:
    """(m, n, d) and (m, k, d) -> (m,), nats."""

def takens_dimension(series: Array, *, quantile: float, window: int, points: int, threads: int | None = None) -> Array:
    """(m, n, d) -> (m,)."""

class Library:
    """Keys (n, D) and the values (n, d) that followed them, with a k-d tree of the keys. Can be pickled."""

    def __init__(self, keys: Array, values: Array) -> None: ...
    def nearest(self, queries: Array, k: int) -> tuple[Array, NDArray[np.int64]]:
        """Distances and numbers (m, k) of the k keys nearest to each query (m, D), the nearest first."""
    def iterate(
        self,
        window: Array,
        *,
        spacing: int,
        horizon: int,
        weights: str,
        parameter: float,
        ridge: float | None = None,
    ) -> Array:
        """
        Continue the latest states `window` ((D/d - 1) spacing + 1, d) by (horizon, d): each is the last plus a change.

        weights: "nearest" or "simplex" (parameter: how many), "softmax" (beta), "smap" (theta). With a ridge the
        values are combined by a weighted linear fit, else by their weighted mean. NaN after an escape to infinity.
        """

class Reservoir:
    """r' = (1 - leak) r + leak tanh(W r + V u + b); W in compressed rows, V = inputs (units, k). Can be pickled."""

    def __init__(
        self,
        offsets: NDArray[np.int64],
        columns: NDArray[np.int64],
        weights: Array,
        inputs: Array,
        bias: Array,
        leak: float,
    ) -> None: ...
    def drive(self, state: Array, inputs: Array) -> Array:
        """The states (n, units) after each of the inputs (n, k), from `state`."""
    def run(self, state: Array, input: Array, readout: Array, horizon: int) -> Array:
        """
        Run free from the state after `input`: (horizon, k).

        The next input is the last plus readout (k, 1 + k + units) @ (1, input, state).
        """
