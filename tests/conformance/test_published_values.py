"""
Values from the literature: what an entry states with a source, ours comes out at, for the parameters it belongs to.

Held to the larger of the stated error (or last digit) and four of our standard errors. Where the literature is at odds,
the entry says in `dispute` who is right, and then ours has to differ, lest the sentence outlive its reason.
"""

from typing import Any

import numpy as np
import pytest

import bestiary as bst
from bestiary import measures
from bestiary.checks.facts import QUANTITIES

ERRORS = 4.0
# Steps times variables: what makes our errors small, and what keeps the quick lane quick.
WORK, QUICK_WORK = {"map": 5e7, "flow": 2e7, "delay": 2e7}, {"map": 2e6, "flow": 1e6}
POINTS, PER_PERIOD, PER_PERIOD_DELAY = 20_000, 4, 12
# Delay systems: dimension and lag, in samples, of the embedding in which points are counted.
EMBEDDING = (10, 3)
# Basins so narrow that members drawn about the attractor escape: these start along one orbit.
NARROW = {"SprottJerk", "SimplestCubicJerk"}
# More exponents than are needed for the dimension cost more than they tell.
COUNT = {"Lorenz96": 31, "MackeyGlass": 5, "KuznetsovHyperbolic": 3}
QUICK = ("Henon", "Lozi", "FoldedTowel", "ContinuedFraction", "DissipativeStandard", "Lorenz", "Rossler", "Rucklidge")


def stated(name: str) -> list[dict[str, Any]]:
    """The published values of an entry, those under a key of their own among them."""
    known = bst.system(name).entry["known"]
    single = [{"quantity": key, **known[key]} for key in QUANTITIES if "value" in known.get(key, {})]
    return single + known.get("published", [])


FACTS = [(name, fact) for name in bst.systems()["name"] for fact in stated(name)]
LABELS = [
    " ".join([name, fact["quantity"], fact["source"].split(",")[0], *map(str, fact.get("parameters", {}).values())])
    for name, fact in FACTS
]


def spectrum(system: bst.System, name: str, fact: dict[str, Any], work: float) -> measures.Estimate:
    """Exponents to the stated error, as far as the work suffices."""
    options: dict[str, Any] = {"max_work": work, "threads": 1}
    if fact["quantity"] in ("exponents", "largest_exponent"):
        options["error"] = float(np.min(fact["error"]))
    if name in NARROW:
        options["initial"] = system.trajectory(3200, per_period=2).x[::200]
    return measures.lyapunov_spectrum(system, COUNT.get(name), **options)


def ours(name: str, fact: dict[str, Any], work: float) -> tuple[np.ndarray, np.ndarray]:
    """Our value of what the fact states, and its standard error; the exact value where the entry has one."""
    system, quantity = bst.system(name), fact["quantity"]
    exact = system.entry["known"].get(quantity, {}).get("exact")
    if exact is not None and "parameters" not in fact:
        return np.atleast_1d(system.evaluate(exact, system.initial)), np.zeros(1)
    system = system.with_parameters(**fact.get("parameters", {}))
    if quantity == "correlation_dimension":
        found = measures.correlation_dimension(points(system), threads=1)
    else:
        found = spectrum(system, name, fact, work)
        if quantity == "kaplan_yorke_dimension":
            found = measures.kaplan_yorke(found)
        elif quantity == "entropy":
            found = measures.pesin_entropy(found)
    length = np.size(fact["value"])
    return np.atleast_1d(found.value)[:length], np.atleast_1d(found.error)[:length]


def points(system: bst.System) -> np.ndarray:
    """States along an orbit, some turns of it apart; of a scalar delay system its delay vectors."""
    if system.kind == "map":
        return system.trajectory(POINTS, transient=1000).x
    density = PER_PERIOD_DELAY if system.kind == "delay" else PER_PERIOD
    run = system.trajectory(POINTS, per_period=density, transient=100 * system.period, rtol=1e-9)
    return measures.embed(run.x[:, 0], *EMBEDDING) if system.kind == "delay" else run.x


def hold(name: str, fact: dict[str, Any], work: float) -> None:
    value, error = ours(name, fact, work)
    published, last = np.atleast_1d(fact["value"]), np.atleast_1d(fact["error"])
    agrees = bool((np.abs(value - published) <= np.maximum(last, ERRORS * error)).all())
    said = f"{fact['quantity']}: ours {value} ± {error}, published {published} ± {last} ({fact['source']})"
    if "dispute" in fact:
        assert not agrees, f"{said}: there is nothing to dispute"
    else:
        assert agrees, said


def test_there_are_many() -> None:
    assert len(FACTS) > 90
    quantities = {fact["quantity"] for _, fact in FACTS}
    assert {"exponents", "largest_exponent", "kaplan_yorke_dimension", "correlation_dimension"} <= quantities


@pytest.mark.parametrize("name", QUICK)
def test_some_published_values(name: str) -> None:
    for fact in stated(name):
        if fact["quantity"] != "correlation_dimension":
            hold(name, fact, QUICK_WORK[bst.system(name).kind])


@pytest.mark.slow
@pytest.mark.parametrize(("name", "fact"), FACTS, ids=LABELS)
def test_published_value(name: str, fact: dict[str, Any]) -> None:
    hold(name, fact, WORK[bst.system(name).kind])
