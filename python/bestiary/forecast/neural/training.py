"""
The one training loop: mini-batches of windows, by a first-order method, compiled.

What is minimised is said by the network (`networks.base.Network`), how by a `Plan`, from what by `windows.Windows`:

    network = MyNetwork(...)                        # an Equinox module: loss(windows, state, key) -> mean loss
    windows = cut(series, length=20, foretold=1, validation=0.1, dtype="float32")
    trained = train(network, windows, Plan(epochs=100), is_double=False)
    trained.network, trained.history["loss"], trained.outcome

A network may in addition carry a state beside its weights from one update to the next (`begin`, `advance`), be judged
on held-out windows in its own way (`validation`), keep arrays from being trained (`Fixed`), and take scales from the
data (`fitted`). Windows reach it standardised, as (batch, length, d).

Numbers are of the precision that `is_double` asks for within these calls only; the user's configuration of JAX is not
changed. An epoch is a number of compiled scans over `_CHUNK` updates each, between which Ctrl-C is heard; what only
fills up the last scan is skipped. What is drawn at random depends on the seed, the epoch and the update, on nothing
that came before, so that a training that continues from a checkpoint gives the bits of an unbroken one.
"""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import NDArray

from ...exceptions import RequestError
from . import saving
from .networks.base import Fixed, Network
from .windows import Windows

__all__ = ["Plan", "Trained", "precision", "train"]

# Updates in one compiled call, and windows in one compiled evaluation.
_CHUNK, _EVALUATED = 32, 256
# Windows from which a network takes its scales; seconds between two checkpoints.
_SCALED, _SECONDS = 8192, 30.0

Report = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Plan:
    """
    How to train.

    Parameters
    ----------
    epochs, batch_size : int
    batches : int
        Updates in an epoch, on windows drawn with replacement; by default each window is used once.
    learning_rate : float
    schedule : "cosine", "exponential" or "constant"
        From `learning_rate` to `final_rate` times it, after a linear rise over the fraction `warmup` of all updates.
    optimizer : "adam" or "radam"
    weight_decay : float
        Decoupled (Loshchilov & Hutter 2019, ICLR).
    clip : float
        Largest norm of the gradient; None: as it is.
    patience : int
        Epochs without a better validation after which training ends; None: never.
    curriculum : pairs (epoch, length)
        From this epoch on, updates see the first `length` samples of their windows only.
    seed : int
    """

    epochs: int = 100
    batch_size: int = 32
    batches: int | None = None
    learning_rate: float = 1e-3
    schedule: str = "cosine"
    final_rate: float = 0.0
    warmup: float = 0.0
    optimizer: str = "adam"
    weight_decay: float = 0.0
    clip: float | None = 1.0
    patience: int | None = None
    curriculum: tuple[tuple[int, int], ...] = ()
    seed: int = 0

    def rates(self, steps: NDArray[np.int64], total: int) -> NDArray[np.float64]:
        """The learning rates of the updates `steps` of `total`."""
        rise = self.warmup * total
        done = np.clip((steps - rise) / max(total - rise, 1), 0.0, 1.0)
        if self.schedule == "cosine":
            shape = self.final_rate + (1 - self.final_rate) * 0.5 * (1 + np.cos(np.pi * done))
        elif self.schedule == "exponential":
            shape = self.final_rate**done
        else:
            shape = np.ones(len(steps))
        return np.asarray(self.learning_rate * shape * np.minimum(1.0, (steps + 1) / max(rise, 1.0)))

    def length(self, epoch: int, longest: int) -> int:
        """How many samples of its windows an epoch uses."""
        return min([longest, *[length for begin, length in self.curriculum if begin <= epoch][-1:]])


@dataclass(frozen=True)
class _Rule:
    """The part of a plan that is compiled."""

    optimizer: str
    weight_decay: float
    clip: float | None

    def transformation(self) -> Any:
        steps = {"adam": optax.scale_by_adam, "radam": optax.scale_by_radam}
        return optax.chain(
            optax.identity() if self.clip is None else optax.clip_by_global_norm(self.clip),
            steps[self.optimizer](),
            optax.add_decayed_weights(self.weight_decay) if self.weight_decay else optax.identity(),
        )


@dataclass(frozen=True)
class Trained:
    """
    Attributes
    ----------
    network : with the weights of the best validation (of the last epoch, where nothing was held out)
    history : "loss", "validation" and "rate" of each epoch
    best : the epoch of the weights
    outcome : "complete", "early" (no better validation for `patience` epochs) or "diverged" (the loss was not finite)
    """

    network: Any
    history: dict[str, NDArray[np.float64]]
    best: int
    outcome: str


@dataclass(frozen=True)
class _Run:
    """Where a training stands after an epoch."""

    weights: Any
    moments: Any
    state: Any
    best_weights: Any
    best: int = -1
    best_loss: float = np.inf
    epoch: int = 0
    outcome: str = ""
    history: dict[str, list[float]] = field(default_factory=lambda: {"loss": [], "validation": [], "rate": []})

    @property
    def trees(self) -> tuple[Any, ...]:
        return self.weights, self.moments, self.state, self.best_weights


@contextlib.contextmanager
def precision(is_double: bool) -> Iterator[None]:
    """A context in which JAX computes in double precision or in full single, whatever the user's configuration says."""
    # Its place in older versions.
    wide = jax.enable_x64 if hasattr(jax, "enable_x64") else import_module("jax.experimental").enable_x64
    # Graphics processors would multiply matrices with the mantissa of half precision.
    with wide(is_double), jax.default_matmul_precision("highest"):
        yield


def train(
    network: Network,
    windows: Windows,
    plan: Plan,
    *,
    is_double: bool,
    checkpoint: Path | None = None,
    report: Report | None = None,
) -> Trained:
    """
    Train the network.

    Parameters
    ----------
    network : Network
        Made in the same precision.
    windows : Windows
    plan : Plan
    is_double : bool
    checkpoint : path
        Where training stands is written here, twice a minute and when it ends or is interrupted. If the file is there,
        training continues from it; it must be of the same network, windows and plan.
    report : callable
        Called as `report(epochs done, epochs, text)` after each epoch.

    Raises
    ------
    ValueError
        If the loss is not finite before there are weights to keep, or the checkpoint is of another training.
    KeyboardInterrupt
        After the checkpoint is written.
    """
    with precision(is_double):
        network = network.fitted(windows.take(_evenly(windows.starts, _SCALED)))
        return _train(network, windows, plan, checkpoint, report or (lambda done, total, text: None))


def _train(network: Any, windows: Windows, plan: Plan, checkpoint: Path | None, report: Report) -> Trained:
    rule = _Rule(plan.optimizer, plan.weight_decay, plan.clip)
    weights, rest = _split(network)
    run = _Run(weights, rule.transformation().init(weights), network.begin(), weights)
    mark = _mark(run, rest, windows, plan) if checkpoint else ""
    if checkpoint and checkpoint.exists():
        run = _restored(checkpoint, run, mark)
    key = jax.random.key(int(np.random.SeedSequence(plan.seed).generate_state(1)[0]), impl="threefry2x32")
    written, when = run.epoch, time.monotonic()
    try:
        while not run.outcome and run.epoch < plan.epochs:
            run = _after_epoch(run, rest, windows, plan, rule, key)
            if checkpoint and time.monotonic() - when > _SECONDS:
                _write(checkpoint, run, mark)
                written, when = run.epoch, time.monotonic()
            shown = {name: values[-1] for name, values in run.history.items() if name != "rate"}
            text = ", ".join(f"{name} {value:.3g}" for name, value in shown.items() if not np.isnan(value))
            report(plan.epochs if run.outcome else run.epoch, plan.epochs, text)
    finally:
        if checkpoint and run.epoch > written:
            _write(checkpoint, run, mark)
    if run.best < 0:
        loss = run.history["loss"][-1]
        raise RequestError(f"the loss is {loss} after {run.epoch} epochs of training: a smaller learning_rate may help")
    history = {name: np.array(values) for name, values in run.history.items()}
    kept = jax.tree.map(
        lambda leaf: np.asarray(leaf) if eqx.is_array(leaf) else leaf, eqx.combine(run.best_weights, rest)
    )
    return Trained(kept, history, run.best, run.outcome or "complete")


def _after_epoch(run: _Run, rest: Any, windows: Windows, plan: Plan, rule: _Rule, key: Any) -> _Run:
    weights, moments, state, losses = run.weights, run.moments, run.state, 0.0
    batches = _batches(windows, plan, run.epoch)
    length, first, total = plan.length(run.epoch, windows.length), run.epoch * len(batches), plan.epochs * len(batches)
    for begin in range(0, len(batches), _CHUNK):
        samples = windows.take(batches[begin : begin + _CHUNK], length)
        given = np.zeros((_CHUNK, *samples.shape[1:]), samples.dtype)
        given[: len(samples)] = samples
        steps = first + begin + np.arange(_CHUNK)
        rates = plan.rates(steps, total).astype(samples.dtype)
        filled = np.arange(_CHUNK) < len(samples)
        weights, moments, state, loss = _updates(
            weights, rest, moments, state, (given, rates, steps.astype(np.int32), filled), key, rule
        )
        losses += float(loss)
    loss = losses / len(batches)
    validation = _validated(weights, rest, state, windows)
    judged = loss if np.isnan(validation) and not len(windows.held) else validation
    # Where nothing is held out, the last weights are the best.
    is_best = bool(np.isfinite(judged) and np.isfinite(loss) and (judged < run.best_loss or not len(windows.held)))
    best = run.epoch if is_best else run.best
    is_stuck = plan.patience is not None and run.epoch - best >= plan.patience
    values = {"loss": loss, "validation": validation, "rate": float(plan.rates(np.array([first]), total)[0])}
    return _Run(
        weights=weights,
        moments=moments,
        state=state,
        best_weights=weights if is_best else run.best_weights,
        best=best,
        best_loss=judged if is_best else run.best_loss,
        epoch=run.epoch + 1,
        outcome="diverged" if not np.isfinite(loss) else "early" if is_stuck else "",
        history={name: [*past, values[name]] for name, past in run.history.items()},
    )


def _batches(windows: Windows, plan: Plan, epoch: int) -> NDArray[np.int64]:
    """First samples (updates, batch) of the windows of an epoch."""
    generator = np.random.default_rng([plan.seed, epoch])
    n = len(windows.starts)
    size = min(plan.batch_size, n)
    if plan.batches is not None:
        return windows.starts[generator.integers(n, size=(plan.batches, size))]
    count = n // size
    return windows.starts[generator.permutation(n)[: count * size]].reshape(count, size)


@eqx.filter_jit
def _updates(weights: Any, rest: Any, moments: Any, state: Any, batches: Any, key: Any, rule: _Rule) -> Any:
    """Updates on one batch after the other, and the sum of their losses."""
    transformation = rule.transformation()

    def update(carry: Any, windows: Any, rate: Any, step: Any) -> Any:
        weights, moments, state, total = carry
        drawn = jax.random.fold_in(key, step)
        loss, gradient = jax.value_and_grad(lambda w: eqx.combine(w, rest).loss(windows, state, drawn))(weights)
        change, moments = transformation.update(gradient, moments, weights)
        weights = jax.tree.map(lambda w, c: w - rate * c, weights, change)
        return weights, moments, eqx.combine(weights, rest).advance(state, windows, step), total + loss

    def body(carry: Any, given: Any) -> tuple[Any, None]:
        windows, rate, step, is_filled = given
        return jax.lax.cond(is_filled, update, lambda carry, *rest: carry, carry, windows, rate, step), None

    start = weights, moments, state, jnp.zeros((), batches[0].dtype)
    return jax.lax.scan(body, start, batches)[0]


@eqx.filter_jit
def _losses(weights: Any, rest: Any, state: Any, windows: Any) -> Any:
    network = eqx.combine(weights, rest)
    return jax.vmap(lambda window: network.validation(window, state))(windows)


def _validated(weights: Any, rest: Any, state: Any, windows: Windows) -> float:
    """The mean loss over the windows to validate; NaN where there are none."""
    losses = []
    for begin in range(0, len(windows.held), _EVALUATED):
        samples = windows.take(windows.held[begin : begin + _EVALUATED])
        given = np.zeros((_EVALUATED, *samples.shape[1:]), samples.dtype)
        given[: len(samples)] = samples
        losses.append(np.asarray(_losses(weights, rest, state, given))[: len(samples)])
    return float(np.concatenate(losses).mean()) if losses else float("nan")


def _split(network: Network) -> tuple[Any, Any]:
    """What is trained, and the rest."""

    def is_fixed(node: Any) -> bool:
        return isinstance(node, Fixed)

    trained = jax.tree.map(lambda node: not is_fixed(node) and eqx.is_inexact_array(node), network, is_leaf=is_fixed)
    return eqx.partition(network, trained)


def _evenly(starts: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    return starts if len(starts) <= most else starts[np.linspace(0, len(starts) - 1, most).astype(np.int64)]


# Checkpoints


def _mark(run: _Run, rest: Any, windows: Windows, plan: Plan) -> str:
    """What tells one training from another."""
    digest = hashlib.sha256(repr((plan, windows.length, jax.tree.structure((run.trees, rest)))).encode())
    for leaf in [*jax.tree.leaves((run.trees, rest)), windows.series, windows.starts, windows.held]:
        if eqx.is_array_like(leaf):
            digest.update(np.ascontiguousarray(leaf).tobytes())
    return digest.hexdigest()


def _write(path: Path, run: _Run, mark: str) -> None:
    header = {
        "mark": mark,
        "best": run.best,
        "best_loss": repr(run.best_loss),
        "epoch": run.epoch,
        "outcome": run.outcome,
    }
    saving.write(path, "training", header, [*jax.tree.leaves(run.trees), *map(np.array, run.history.values())])


def _restored(path: Path, run: _Run, mark: str) -> _Run:
    header, arrays = saving.read(path, "training")
    if header["mark"] != mark:
        raise RequestError(
            f"{path} is of another training (other data, network or plan): remove it, or take another file"
        )
    leaves, structure = jax.tree.flatten(run.trees)
    trees = jax.tree.unflatten(structure, [jnp.asarray(array) for array in arrays[: len(leaves)]])
    history = {name: list(map(float, values)) for name, values in zip(run.history, arrays[len(leaves) :], strict=True)}
    weights, moments, state, best_weights = trees
    return _Run(
        weights,
        moments,
        state,
        best_weights,
        best=header["best"],
        best_loss=float(header["best_loss"]),
        epoch=header["epoch"],
        outcome=header["outcome"],
        history=history,
    )
