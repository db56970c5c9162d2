"""
Forecasters of doubly residual stacks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ... import sampling
from ...exceptions import RequestError, UnknownName
from ..delays import fraction
from .base import BlockForecaster

__all__ = ["NBEATS", "NHiTS"]


class NBEATS(BlockForecaster):
    """
    Neural basis expansion: each block explains a part of the past, takes it off, and adds its part of the future.

    Parameters
    ----------
    lookback, block : int
        Samples that are seen, and samples that are given at once.
    stacks : sequence of "generic", "trend" and "seasonality"
        The interpretable stacks give polynomials and waves, and their blocks share their weights.
    blocks : int
        Blocks of a stack.
    layers, width : int
        Dense layers of a block, and their units.
    degree : int
        Of the polynomials of a trend.
    harmonics : int
        Of the waves of a seasonality.
    training : as of `BlockForecaster` and `NeuralForecaster`

    References
    ----------
    Oreshkin, B. N., Carpov, D., Chapados, N. & Bengio, Y. (2020), ICLR. Its generic form has 30 stacks of width 512;
    its interpretable form is `stacks=("trend", "seasonality"), blocks=3`.
    """

    source = "Oreshkin, Carpov, Chapados & Bengio (2020), ICLR"

    def __init__(
        self,
        lookback: int = 8,
        block: int = 1,
        stacks: Sequence[str] = ("generic",) * 4,
        blocks: int = 1,
        layers: int = 4,
        width: int = 128,
        degree: int = 2,
        harmonics: int = 1,
        **training: Any,
    ) -> None:
        super().__init__(lookback=lookback, block=block, **training)
        self.stacks = stacks
        self.blocks = blocks
        self.layers = layers
        self.width = width
        self.degree = degree
        self.harmonics = harmonics

    def _span(self) -> tuple[int, int]:
        kinds = ["generic", "trend", "seasonality"]
        if isinstance(self.stacks, (str, int)) or not len(self.stacks):
            raise RequestError(f"stacks must be a sequence of {', '.join(kinds)}, not {self.stacks!r}")
        for kind in self.stacks:
            if kind not in kinds:
                raise UnknownName("stack", str(kind), kinds)
        for name in ("blocks", "layers", "width", "harmonics"):
            sampling.whole(name, getattr(self, name), least=1)
        sampling.whole("degree", self.degree, least=0)
        return super()._span()

    def _network(self, key: Any, dimension: int) -> Any:
        from .networks.basis import DoublyResidual

        return DoublyResidual(
            *self._frame(dimension),
            stacks=self.stacks,
            blocks=self.blocks,
            layers=self.layers,
            width=self.width,
            degree=self.degree,
            harmonics=self.harmonics,
            key=key,
        )


class NHiTS(BlockForecaster):
    """
    Neural hierarchical interpolation: the stacks see the past at several resolutions, and give the future at several.

    Parameters
    ----------
    lookback, block : int
        Samples that are seen, and samples that are given at once.
    pooling : sequence of int
        For each stack, how many samples of the past become one by their maximum.
    downsampling : sequence of int
        For each stack, how many samples of the future there are for one knot of its interpolation.
    blocks : int
        Blocks of a stack.
    layers, width : int
        Dense layers of a block, and their units.
    dropout : float
    training : as of `BlockForecaster` and `NeuralForecaster`

    References
    ----------
    Challu, C., Olivares, K. G., Oreshkin, B. N., Garza, F., Mergenthaler-Canseco, M. & Dubrawski, A. (2023), AAAI 37,
    6989-6997. Its stacks have 2 layers of 512.
    """

    source = "Challu, Olivares, Oreshkin, Garza, Mergenthaler-Canseco & Dubrawski (2023), AAAI 37, 6989-6997"

    def __init__(
        self,
        lookback: int = 8,
        block: int = 4,
        pooling: Sequence[int] = (4, 2, 1),
        downsampling: Sequence[int] = (4, 2, 1),
        blocks: int = 1,
        layers: int = 2,
        width: int = 256,
        dropout: float = 0.0,
        **training: Any,
    ) -> None:
        super().__init__(lookback=lookback, block=block, **training)
        self.pooling = pooling
        self.downsampling = downsampling
        self.blocks = blocks
        self.layers = layers
        self.width = width
        self.dropout = dropout

    def _span(self) -> tuple[int, int]:
        for name in ("pooling", "downsampling"):
            values = getattr(self, name)
            if isinstance(values, (str, int)) or not len(values):
                raise RequestError(f"{name} must be a sequence of whole numbers, one for each stack, not {values!r}")
            for value in values:
                sampling.whole(name, value, least=1)
        if len(self.pooling) != len(self.downsampling):
            raise RequestError(
                "pooling and downsampling must have a number for each stack, but differ in their lengths"
            )
        for name in ("blocks", "layers", "width"):
            sampling.whole(name, getattr(self, name), least=1)
        fraction("dropout", self.dropout, high=0.99)
        return super()._span()

    def _network(self, key: Any, dimension: int) -> Any:
        from .networks.basis import Hierarchical

        return Hierarchical(
            *self._frame(dimension),
            pooling=self.pooling,
            downsampling=self.downsampling,
            blocks=self.blocks,
            layers=self.layers,
            width=self.width,
            rate=float(self.dropout),
            key=key,
        )
