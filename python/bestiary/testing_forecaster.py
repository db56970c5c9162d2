"""
Tells whether a forecaster keeps the contract: no look into the future, nothing remembered, nothing off by one. Reached
as `bestiary.testing.check_forecaster`; for the forecasters of this package and those of others.

Each rule has a name, and a failure says which was broken. The tasks are in `bestiary.forecast.rules`.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from .forecast.rules import CHECKS, Case, ContractViolation

__all__ = ["RULES", "ContractViolation", "check_forecaster"]

RULES = (
    "interface",
    "parameters",
    "shape",
    "look-ahead",
    "repeatable",
    "leakage",
    "refit",
    "input",
    "state",
    "horizon",
    "context",
    "last sample",
    "not finite",
    "short",
    "constant",
    "unit of time",
    "shift",
    "scale",
    "permutation",
    "exact",
    "off by one",
    "trajectories",
    "skill",
    "pickle",
    "sample",
)
"""Names of what can be broken."""


def check_forecaster(
    forecaster: Any,
    *,
    exact: Collection[str] | None = None,
    equivariant: Collection[str] | None = None,
    skilled: bool | None = None,
    univariate: bool | None = None,
) -> None:
    """
    Check that a forecaster keeps the contract.

    Parameters
    ----------
    forecaster : Forecaster, or any object with `fit(train, dt=…)` and `predict(horizon, context=…)`
        It is cloned (or copied, if it has no `clone`), never fitted itself.
    exact : names among "trend", "periodic", "linear", "quadratic"
        What it should continue exactly; by default what its attribute `exact` says, or nothing.
    equivariant : names among "shift", "scale", "permutation", "time"
        What may be done to the series with no other effect than on the forecast; by default its attribute, or nothing.
    skilled : bool
        Whether to demand that it foresees the next sample of a smooth series better than the last one does; by default
        its attribute, or true.
    univariate : bool
        Whether it takes a single coordinate; by default its attribute, or true.

    Raises
    ------
    ContractViolation
        An AssertionError; its attribute `rule` names what was broken (one of `RULES`).

    Examples
    --------
    >>> from bestiary.forecast import NVAR
    >>> check_forecaster(NVAR())
    """

    def said(value: Any, name: str, default: Any) -> Any:
        return getattr(forecaster, name, default) if value is None else value

    case = Case(
        forecaster,
        frozenset(said(exact, "exact", ())),
        frozenset(said(equivariant, "equivariant", ())),
        bool(said(skilled, "skilled", True)),
        bool(said(univariate, "univariate", True)),
        bool(getattr(forecaster, "uncertainty", None)),
    )
    for check in CHECKS:
        check(case)
