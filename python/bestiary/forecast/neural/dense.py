"""
Forecasters of dense layers on the flattened past.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ... import sampling
from ...exceptions import RequestError, UnknownName
from ..delays import fraction
from .base import BlockForecaster

__all__ = ["MLP", "TiDE"]

ACTIVATIONS = ("gelu", "relu", "silu", "tanh")


class MLP(BlockForecaster):
    """
    A multilayer perceptron on delay vectors.

    Parameters
    ----------
    lookback, block : int
        Samples that are seen, and samples that are given at once.
    widths : sequence of int
        Units of the hidden layers.
    activation : "silu", "gelu", "relu" or "tanh"
    training : as of `BlockForecaster` and `NeuralForecaster`

    References
    ----------
    Lapedes, A. & Farber, R. (1987), Nonlinear signal processing using neural networks, LA-UR-87-2662.
    """

    source = "Lapedes & Farber (1987), Nonlinear signal processing using neural networks, LA-UR-87-2662"

    def __init__(
        self,
        lookback: int = 8,
        block: int = 1,
        widths: Sequence[int] = (128, 128),
        activation: str = "silu",
        **training: Any,
    ) -> None:
        super().__init__(lookback=lookback, block=block, **training)
        self.widths = widths
        self.activation = activation

    def _span(self) -> tuple[int, int]:
        if isinstance(self.widths, (int, str)):
            raise RequestError(f"widths must be a sequence of whole numbers, one for each layer, not {self.widths!r}")
        for width in self.widths:
            sampling.whole("widths", width, least=1)
        if self.activation not in ACTIVATIONS:
            raise UnknownName("activation", str(self.activation), ACTIVATIONS)
        return super()._span()

    def _network(self, key: Any, dimension: int) -> Any:
        from .networks.dense import Perceptron

        return Perceptron(*self._frame(dimension), widths=self.widths, activation=self.activation, key=key)


class TiDE(BlockForecaster):
    """
    Time-series dense encoder: residual blocks encode the past and decode the future, beside a linear map.

    Parameters
    ----------
    lookback, block : int
        Samples that are seen, and samples that are given at once.
    hidden_size : int
        Units of the blocks of encoder and decoder.
    num_encoder_layers, num_decoder_layers : int
    decoder_output_dim : int
        Length of the vector from which the last block makes a sample.
    temporal_decoder_hidden : int
        Units of that block.
    dropout : float
    layer_norm : bool
    training : as of `BlockForecaster` and `NeuralForecaster`

    References
    ----------
    Das, A., Kong, W., Leach, A., Mathur, S., Sen, R. & Yu, R. (2023), Transactions on Machine Learning Research;
    here without covariates, and with all coordinates in one vector.
    """

    source = "Das, Kong, Leach, Mathur, Sen & Yu (2023), Transactions on Machine Learning Research"

    def __init__(
        self,
        lookback: int = 8,
        block: int = 1,
        hidden_size: int = 256,
        num_encoder_layers: int = 1,
        num_decoder_layers: int = 1,
        decoder_output_dim: int = 16,
        temporal_decoder_hidden: int = 32,
        dropout: float = 0.0,
        layer_norm: bool = False,
        **training: Any,
    ) -> None:
        super().__init__(lookback=lookback, block=block, **training)
        self.hidden_size = hidden_size
        self.num_encoder_layers = num_encoder_layers
        self.num_decoder_layers = num_decoder_layers
        self.decoder_output_dim = decoder_output_dim
        self.temporal_decoder_hidden = temporal_decoder_hidden
        self.dropout = dropout
        self.layer_norm = layer_norm

    def _span(self) -> tuple[int, int]:
        for name in (
            "hidden_size",
            "num_encoder_layers",
            "num_decoder_layers",
            "decoder_output_dim",
            "temporal_decoder_hidden",
        ):
            sampling.whole(name, getattr(self, name), least=1)
        fraction("dropout", self.dropout, high=0.99)
        return super()._span()

    def _network(self, key: Any, dimension: int) -> Any:
        from .networks.dense import DenseEncoder

        return DenseEncoder(
            *self._frame(dimension),
            width=self.hidden_size,
            encoders=self.num_encoder_layers,
            decoders=self.num_decoder_layers,
            size=self.decoder_output_dim,
            temporal=self.temporal_decoder_hidden,
            rate=float(self.dropout),
            layer_norm=bool(self.layer_norm),
            key=key,
        )
