"""
Linear forecasters along time, as baselines to the deep ones.
"""

from __future__ import annotations

from typing import Any

from ... import sampling
from .base import BlockForecaster

__all__ = ["DLinear", "NLinear"]


class NLinear(BlockForecaster):
    """
    A linear map from the last samples to the next, relative to the last sample.

    Parameters
    ----------
    lookback, block : int
        Samples that are seen, and samples that are given at once.
    individual : bool
        Whether each coordinate has weights of its own; else they share them.
    training : as of `BlockForecaster` and `NeuralForecaster`

    References
    ----------
    Zeng, A., Chen, M., Zhang, L. & Xu, Q. (2023), AAAI 37, 11121-11128.
    """

    source = "Zeng, Chen, Zhang & Xu (2023), AAAI 37, 11121-11128"
    joint = False

    def __init__(self, lookback: int = 96, block: int = 24, individual: bool = False, **training: Any) -> None:
        super().__init__(lookback=lookback, block=block, **training)
        self.individual = individual

    def _network(self, key: Any, dimension: int) -> Any:
        from .networks.linear import NormalisedLinear

        return NormalisedLinear(*self._frame(dimension), individual=bool(self.individual), key=key)


class DLinear(BlockForecaster):
    """
    A moving average and the remainder, each continued by a linear map from the last samples to the next.

    Parameters
    ----------
    lookback, block : int
        Samples that are seen, and samples that are given at once.
    individual : bool
        Whether each coordinate has weights of its own; else they share them.
    kernel_size : int
        Samples in the moving average.
    training : as of `BlockForecaster` and `NeuralForecaster`

    References
    ----------
    Zeng, A., Chen, M., Zhang, L. & Xu, Q. (2023), AAAI 37, 11121-11128.
    """

    source = "Zeng, Chen, Zhang & Xu (2023), AAAI 37, 11121-11128"
    joint = False

    def __init__(
        self, lookback: int = 96, block: int = 24, individual: bool = False, kernel_size: int = 25, **training: Any
    ) -> None:
        super().__init__(lookback=lookback, block=block, **training)
        self.individual = individual
        self.kernel_size = kernel_size

    def _span(self) -> tuple[int, int]:
        sampling.whole("kernel_size", self.kernel_size, least=1)
        return super()._span()

    def _network(self, key: Any, dimension: int) -> Any:
        from .networks.linear import DecomposedLinear

        individual, size = bool(self.individual), self.kernel_size
        return DecomposedLinear(*self._frame(dimension), individual=individual, kernel_size=size, key=key)
