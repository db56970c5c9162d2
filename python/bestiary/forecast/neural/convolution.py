"""
A forecaster of causal convolutions.
"""

from __future__ import annotations

from typing import Any

from ... import sampling
from ..delays import fraction
from .base import BlockForecaster

__all__ = ["TCN"]


class TCN(BlockForecaster):
    """
    Temporal convolutional network: residual blocks of causal convolutions of growing dilation.

    Parameters
    ----------
    lookback, block : int
        Samples that are seen, and samples that are given at once.
    num_filters : int
        Channels of a layer.
    kernel_size : int
    dilation_base : int
        Dilation of a block, relative to the one before.
    num_layers : int
        Residual blocks; by default as many as it takes for the last one to see all of the past.
    dropout : float
    training : as of `BlockForecaster` and `NeuralForecaster`

    References
    ----------
    Bai, S., Kolter, J. Z. & Koltun, V. (2018), arXiv:1803.01271; here without weight normalisation.
    """

    source = "Bai, Kolter & Koltun (2018), arXiv:1803.01271"

    def __init__(
        self,
        lookback: int = 16,
        block: int = 1,
        num_filters: int = 32,
        kernel_size: int = 3,
        dilation_base: int = 2,
        num_layers: int | None = None,
        dropout: float = 0.0,
        **training: Any,
    ) -> None:
        super().__init__(lookback=lookback, block=block, **training)
        self.num_filters = num_filters
        self.kernel_size = kernel_size
        self.dilation_base = dilation_base
        self.num_layers = num_layers
        self.dropout = dropout

    def _span(self) -> tuple[int, int]:
        sampling.whole("num_filters", self.num_filters, least=1)
        sampling.whole("kernel_size", self.kernel_size, least=2)
        sampling.whole("dilation_base", self.dilation_base, least=1)
        if self.num_layers is not None:
            sampling.whole("num_layers", self.num_layers, least=1)
        fraction("dropout", self.dropout, high=0.99)
        return super()._span()

    def _levels(self) -> int:
        if self.num_layers is not None:
            return self.num_layers
        levels, seen = 0, 1
        while seen < self.lookback or levels == 0:
            seen += 2 * (self.kernel_size - 1) * self.dilation_base**levels
            levels += 1
        return levels

    def _network(self, key: Any, dimension: int) -> Any:
        from .networks.convolution import TemporalConvolution

        return TemporalConvolution(
            *self._frame(dimension),
            filters=self.num_filters,
            kernel_size=self.kernel_size,
            levels=self._levels(),
            base=self.dilation_base,
            rate=float(self.dropout),
            key=key,
        )
