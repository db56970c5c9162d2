"""
`NeuralForecaster`: what all trained forecasters have in common; `BlockForecaster`, those whose network gives a block of
samples at once, and `StateForecaster`, those whose network is a dynamical system of its own.
"""

from __future__ import annotations

import hashlib
import inspect
import json
from abc import abstractmethod
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from ... import sampling
from ...definition import Array
from ...exceptions import MissingExtra, RequestError, UnknownName
from ..base import Forecaster
from ..delays import Scaler, fraction
from . import saving
from .windows import cut

if TYPE_CHECKING:
    from .training import Plan

__all__ = ["BlockForecaster", "NeuralForecaster", "StateForecaster", "load"]

Self = TypeVar("Self", bound="NeuralForecaster")

# Blocks, or samples one by one, in one compiled call of a forecast.
_BLOCKS, _SAMPLES = 64, 256


class NeuralForecaster(Forecaster):
    """
    Base of those that are trained: they write `_network`, `_span` and `_continue`, and may change the plan in `_plan`.

    Coordinates are standardised by the training series. The arguments below are common to all; a subclass takes them
    as `**training` and hands them on.

    Parameters
    ----------
    epochs : int
        Passes over the training windows.
    batch_size : int
        Windows in an update.
    learning_rate : float
        At the beginning; it falls to 0 as a half cosine.
    weight_decay : float
        Decoupled from the gradient.
    clip : float
        Largest norm of the gradient; None: as it is.
    validation : float
        Fraction at the end of each training series that is not learned from: the weights kept are those of the least
        loss on it. With 0, and for series that are too short to be divided, those of the last epoch.
    patience : int
        Epochs without a better validation after which training ends; None: never.
    precision : "float32" or "float64"
        Of the network and its training.
    seed : int
        Of the first weights, the order of the windows, and all else that is random.
    checkpoint : str or path
        Folder in which the state of training is kept, a file for each different training. A fit that was interrupted
        continues from there and gives the bits of an unbroken one; one that was finished is read.
    progress : bool or callable
        Show a bar with the loss on standard error, or call `progress(done, total)` after each epoch.

    Attributes
    ----------
    network_ : the trained network, an Equinox module on standardised samples
    history_ : "loss", "validation" and "rate" of each epoch
    outcome_ : "complete", "early" (no better validation for `patience` epochs) or "diverged" (the loss was not finite;
        the weights are the best ones before)
    """

    family = "neural"
    extra = "neural"

    def __init__(
        self,
        *,
        epochs: int = 100,
        batch_size: int = 32,
        learning_rate: float = 1e-3,
        weight_decay: float = 0.0,
        clip: float | None = 1.0,
        validation: float = 0.1,
        patience: int | None = None,
        precision: str = "float32",
        seed: int = 0,
        checkpoint: str | Path | None = None,
        progress: bool | Callable[[int, int], None] = False,
    ) -> None:
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.clip = clip
        self.validation = validation
        self.patience = patience
        self.precision = precision
        self.seed = seed
        self.checkpoint = checkpoint
        self.progress = progress

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        own = vars(cls).get("__init__")
        if own is None:
            return
        # What stands behind **training, so that it is seen by `get_params`, `help` and editors.
        mine = [p for p in inspect.signature(own).parameters.values() if p.kind is not p.VAR_KEYWORD]
        if len(mine) < len(inspect.signature(own).parameters):
            named = {p.name for p in mine}
            above = inspect.signature(super(cls, cls).__init__).parameters.values()
            mine += [p.replace(kind=p.KEYWORD_ONLY) for p in above if p.name not in named]
            own.__signature__ = inspect.Signature(mine)

    # What a forecaster writes

    @abstractmethod
    def _network(self, key: Any, dimension: int) -> Any:
        """A network with random first weights (a `networks.base.Network`)."""

    @abstractmethod
    def _span(self) -> tuple[int, int]:
        """Samples in a training window, and how many of them, at its end, are foretold."""

    @abstractmethod
    def _continue(self, past: Array, horizon: int) -> Array:
        """The standardised `past` (n, d) continued by at least `horizon` samples."""

    def _plan(self) -> Plan:
        """How to train, from the arguments."""
        from .training import Plan

        return Plan(
            epochs=sampling.whole("epochs", self.epochs, least=1),
            batch_size=sampling.whole("batch_size", self.batch_size, least=1),
            learning_rate=sampling.positive("learning_rate", self.learning_rate),
            weight_decay=fraction("weight_decay", self.weight_decay),
            clip=None if self.clip is None else sampling.positive("clip", self.clip),
            patience=None if self.patience is None else sampling.whole("patience", self.patience, least=1),
            seed=sampling.whole("seed", self.seed, least=0),
        )

    # Within

    def _shortest(self, dimension: int) -> int:
        _require()
        fraction("validation", self.validation, high=0.9)
        if self.precision not in ("float32", "float64"):
            raise UnknownName("precision", str(self.precision), ["float32", "float64"])
        self._plan()
        return self._span()[0]

    def _fit(self, series: list[Array]) -> None:
        from .training import train

        self.scaler_ = Scaler(series)
        length, foretold = self._span()
        scaled = [self.scaler_.to(x) for x in series]
        windows = cut(scaled, length, foretold=foretold, validation=self.validation, dtype=self.precision)
        report, close = self._reporter()
        try:
            trained = train(
                self._made(self.dimension_),
                windows,
                self._plan(),
                is_double=self.precision == "float64",
                checkpoint=self._checkpoint(series),
                report=report,
            )
        finally:
            close()
        self.network_, self.history_, self.outcome_ = trained.network, trained.history, trained.outcome
        self.arguments_ = self.get_params()

    def _predict(self, past: Array, horizon: int) -> Array:
        from .training import precision

        with precision(self.arguments_["precision"] == "float64"):
            scaled = self.scaler_.to(past).astype(self.arguments_["precision"])
            forecast = np.asarray(self._continue(scaled, horizon)[:horizon], dtype=np.float64)
        return self.scaler_.back(forecast)

    def _made(self, dimension: int) -> Any:
        import jax

        from .training import precision

        with precision(self.precision == "float64"):
            # Apart from the numbers that are drawn in training.
            word = np.random.SeedSequence([sampling.whole("seed", self.seed, least=0), 1]).generate_state(1)[0]
            return self._network(jax.random.key(int(word), impl="threefry2x32"), dimension)

    def _checkpoint(self, series: list[Array]) -> Path | None:
        if self.checkpoint is None:
            return None
        kept = {name: value for name, value in self.get_params().items() if name not in ("checkpoint", "progress")}
        digest = hashlib.sha256(json.dumps(saving.encoded(list(kept.items()))).encode())
        for x in series:
            digest.update(x.tobytes())
        return Path(self.checkpoint) / f"{type(self).__name__}-{digest.hexdigest()[:16]}.training"

    def _reporter(self) -> tuple[Callable[[int, int, str], None] | None, Callable[[], None]]:
        from ...dataset.progress import Progress

        if callable(self.progress):
            tell = self.progress
            return (lambda done, total, text: tell(done, total)), lambda: None
        if not self.progress:
            return None, lambda: None
        bar = Progress(self.epochs, type(self).__name__, show=True)
        bar.update(0)
        return (lambda done, total, text: bar.update(done, text)), bar.close

    # Files

    def save(self, path: str | Path) -> None:
        """
        Write the fitted forecaster to one file, which `bestiary.forecast.load` reads.

        The file holds the arguments as text, and arrays; no pickle. It can be read on another machine.

        Raises
        ------
        ValueError
            If nothing was learned yet, or an argument is of a kind that cannot be written.
        """
        import jax

        if "network_" not in vars(self):
            raise RequestError(f"this {type(self).__name__} has learned nothing yet: call fit first")
        arguments = {name: value for name, value in self.arguments_.items() if name not in ("checkpoint", "progress")}
        header = {
            "forecaster": type(self).__name__,
            "arguments": {name: saving.encoded(value) for name, value in arguments.items()},
            "dt": self.dt_,
            "dimension": self.dimension_,
            "is_flat": self._is_flat,
            "outcome": self.outcome_,
            "history": list(self.history_),
        }
        learned = jax.tree.leaves(self.network_)
        arrays = [self.scaler_.mean, self.scaler_.scale, self.context_, *self.history_.values(), *learned]
        saving.write(path, "forecaster", header, arrays)

    @classmethod
    def _loaded(cls: type[Self], header: dict[str, Any], arrays: list[Array], path: str | Path) -> Self:
        """What `save` wrote, as `saving.read` gives it."""
        import jax

        try:
            model = cls(**{name: saving.decoded(value) for name, value in header["arguments"].items()})
        except (TypeError, ValueError) as error:
            raise RequestError(f"{path} has arguments that {cls.__name__} does not take: {error}") from None
        model.arguments_ = model.get_params()
        model.dt_, model.dimension_, model._is_flat = header["dt"], header["dimension"], header["is_flat"]
        model.outcome_ = header["outcome"]
        mean, scale, model.context_, *rest = arrays
        model.scaler_ = Scaler([mean[None]])
        model.scaler_.mean, model.scaler_.scale = mean, scale
        model.history_ = dict(zip(header["history"], rest, strict=False))
        leaves, structure = jax.tree.flatten(model._made(model.dimension_))
        kept = rest[len(model.history_) :]
        if [leaf.shape for leaf in kept] != [leaf.shape for leaf in leaves]:
            raise RequestError(f"the arrays in {path} do not fit a {model!r} of {model.dimension_} coordinates")
        model.network_ = jax.tree.unflatten(structure, kept)
        return model


class BlockForecaster(NeuralForecaster):
    """
    Base of those whose network gives a block of samples at once; the arguments below are common to them.

    Parameters
    ----------
    lookback : int
        Samples that the network sees.
    block : int
        Samples that it gives.
    strategy : "direct" or "recursive"
        How blocks follow one another: each begins where the last one ends, or only the first sample of each is kept.
    increments : bool
        Whether the network learns the changes from the last sample it sees, in units of their standard deviation,
        instead of the samples.
    noise : float
        Standard deviation of the noise put on what the network sees in training, in standard deviations of the series.
    training : as of `NeuralForecaster`
    """

    def __init__(
        self,
        *,
        lookback: int = 8,
        block: int = 1,
        strategy: str = "direct",
        increments: bool = True,
        noise: float = 0.0,
        **training: Any,
    ) -> None:
        super().__init__(**training)
        self.lookback = lookback
        self.block = block
        self.strategy = strategy
        self.increments = increments
        self.noise = noise

    def _span(self) -> tuple[int, int]:
        if self.strategy not in ("direct", "recursive"):
            raise UnknownName("strategy", str(self.strategy), ["direct", "recursive"])
        fraction("noise", self.noise)
        block = sampling.whole("block", self.block, least=1)
        return sampling.whole("lookback", self.lookback, least=1) + block, block

    def _frame(self, dimension: int) -> tuple[int, int, bool, float, int]:
        """The arguments that a `BlockNetwork` begins with."""
        return self.lookback, self.block, bool(self.increments), float(self.noise), dimension

    def _memory(self) -> tuple[int, int | None]:
        return self.network_.lookback, self.network_.lookback

    def _continue(self, past: Array, horizon: int) -> Array:
        from .networks.base import continued

        used = self.network_.block if self.strategy == "direct" else 1
        parts, done = [], 0
        while done < horizon:
            part = np.asarray(continued(self.network_, past, _BLOCKS, used))
            past = np.concatenate([past, part])[-self.network_.lookback :]
            parts.append(part)
            done += len(part)
            if not np.isfinite(part[-1]).all():
                parts.append(np.full((max(horizon - done, 0), part.shape[1]), np.nan))
                break
        return np.concatenate(parts)


class StateForecaster(NeuralForecaster):
    """Base of those whose network is a dynamical system of its own (a `networks.base.StateNetwork`)."""

    def _continue(self, past: Array, horizon: int) -> Array:
        from .networks.base import ran, started

        state = started(self.network_, past)
        parts, done = [], 0
        while done < horizon:
            state, part = ran(self.network_, state, _SAMPLES)
            parts.append(np.asarray(part))
            done += _SAMPLES
            if not np.isfinite(parts[-1][-1]).all():
                parts.append(np.full((max(horizon - done, 0), past.shape[1]), np.nan))
                break
        return np.concatenate(parts)


def _require() -> None:
    for package in ("jax", "equinox", "optax"):
        try:
            import_module(package)
        except ImportError:
            raise MissingExtra(package, "neural") from None


def load(path: str | Path) -> NeuralForecaster:
    """
    A fitted forecaster from the file that its `save` wrote.

    A class of your own is found by its name among the subclasses of `NeuralForecaster` that were imported.

    Raises
    ------
    ValueError
        If the file is of something else, is damaged, is of a newer version, or has a forecaster that is not known.
    """
    from ..table import FAMILIES

    for family in FAMILIES:
        import_module(f"bestiary.forecast.{family}")
    header, arrays = saving.read(path, "forecaster")
    known = _subclasses(NeuralForecaster)  # type: ignore[type-abstract]
    if header["forecaster"] not in known:
        raise UnknownName("forecaster", header["forecaster"], known, where=f" in {path}")
    _require()
    return known[header["forecaster"]]._loaded(header, arrays, path)


def _subclasses(cls: type[NeuralForecaster]) -> dict[str, type[NeuralForecaster]]:
    found: dict[str, type[NeuralForecaster]] = {}
    for one in cls.__subclasses__():
        found |= _subclasses(one) | {one.__name__: one}
    return found
