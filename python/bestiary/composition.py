"""
Systems wired into larger systems: open systems, composition, skew products, networks. Equations in, equations out.

The state of a member is renamed (`x` of the member "drive" is `drive.x`), inputs become definitions, and the result is
a plain `System`: it prints, it can be a member again, and its equations are all there is to it. Composing in two stages
or in one gives the same text. Nothing is run here, except for the mean speeds of a skew product.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from . import _core, definition
from .definition import Array, Entry
from .exceptions import RequestError, UnknownName
from .system import System

__all__ = ["compose", "network", "open_system", "skew_product"]

_MEMBER = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
# Observables travel in a document of their own definitions under this name.
_VIEW = "observable_of_the_composite."
_TABLES = ("definitions", "equations", "noise", "observables")


def open_system(system: System, *inputs: str) -> System:
    """
    The system with some of its state variables turned into inputs; see `System.open`.

    An input is a parameter that another system is meant to feed: until it is wired it keeps the variable's initial
    value.
    """
    entry = system.entry
    if not inputs:
        raise RequestError(f"name the state variables to open: {', '.join(entry['state'])}")
    for name in inputs:
        if name not in entry["state"]:
            raise UnknownName("state variable", name, entry["state"], where=f" of {system.name}")
    if len(set(inputs)) == len(entry["state"]):
        raise RequestError(f"{system.name} would have no state left")
    opened = {**entry, "name": f"{system.name}:open", "inputs": [*entry.get("inputs", []), *inputs]}
    opened["parameters"] = {**entry["parameters"], **{name: _values(system, name) for name in inputs}}
    for key in ("state", "periods"):
        opened[key] = {name: value for name, value in entry[key].items() if name not in inputs}
    for key in ("equations", "noise"):
        opened[key] = {left: body for left, body in entry[key].items() if definition.stem(left) not in inputs}
    return _made(opened)


def compose(
    members: Mapping[str, System], wires: Mapping[str, str | float] | None = None, *, name: str | None = None
) -> System:
    """
    One system of several, wired together.

    Parameters
    ----------
    members : mapping of names to systems
        All flows (a delay or stochastic system may be among them), or all maps. Variable `x` of the member `drive` is
        called `drive.x` in the composite, and so are parameters, definitions and sizes.
    wires : mapping
        What feeds an input or a parameter: `{"cell.I": "0.05*drive.x"}`. The expression is of the composite's names
        and `t`. Inputs of open systems must all be fed; a parameter that is fed is a parameter no longer.
    name : str
        By default the names of the members' systems.

    Returns
    -------
    System
        Its state is that of the members, one after the other; its period the shortest of theirs.

    Raises
    ------
    RequestError, UnknownName
        For members that do not go together, a wire to or from something unknown, an input without a wire.

    Examples
    --------
    >>> from bestiary import system
    >>> pair = compose({"drive": system("Lorenz"), "cell": system("Lorenz").open("x")}, {"cell.x": "drive.x"})
    >>> pair.names
    ('drive.x', 'drive.y', 'drive.z', 'cell.y', 'cell.z')
    """
    if not members:
        raise RequestError("a composite needs at least one member")
    for member, system in members.items():
        if not isinstance(member, str) or not _MEMBER.fullmatch(member):
            raise RequestError(f"the name of a member must be a word, or words joined by dots, not {member!r}")
        if not isinstance(system, System):
            raise RequestError(f"the member {member} must be a System, not {system!r}")
    title = name or " + ".join(system.name for system in members.values())
    tables = {member: _prefixed(system, member) for member, system in members.items()}
    entry = _joined(tables, title, _kind(members), members.values())
    periods = [system.period for system in members.values() if system.stated_period is not None]
    if periods:
        entry["period"] = min(periods)
    _wire(entry, {key: value if isinstance(value, str) else repr(float(value)) for key, value in (wires or {}).items()})
    return _made(entry)


def skew_product(
    driver: System, response: System, *, strength: float = 1.0, scale: str | None = "rms", seed: int = 0
) -> System:
    """
    A response that is pushed along the velocity of a driver: y' = k f(y) + s P g(x), x' = g(x).

    Parameters
    ----------
    driver, response : flows
        Called `drive` and `response` in the composite.
    strength : float
        The coupling; the parameter `strength` of the composite.
    scale : "rms" or None
        Whether f and g enter the response in units of their root mean square speeds on their own attractors. The
        response then runs at unit speed: its time is not that of the system alone.
    seed : int
        Of the random assignment P: each variable of the response is pushed along one variable of the driver.

    Returns
    -------
    System
        With the driver's spectrum of exponents, and the conditional ones of the response.

    References
    ----------
    Lai, J., Bao, A. & Gilpin, W. (2025). Panda: A pretrained forecast model for universal representation of chaotic
    dynamics. arXiv:2505.13755.
    """
    for system in (driver, response):
        if not isinstance(system, System) or system.kind != "flow":
            raise RequestError(f"a skew product is of two flows, not {getattr(system, 'name', system)!r}")
    if scale not in ("rms", None):
        raise UnknownName("scale", str(scale), ["rms"])
    tables = {"drive": _prefixed(driver, "drive"), "response": _prefixed(response, "response")}
    entry = _joined(tables, f"{driver.name} > {response.name}", "flow", (driver, response))
    speeds = [1.0, 1.0] if scale is None else [_speed(driver), _speed(response)]
    entry["parameters"] |= {"strength": float(strength), "drive.speed": speeds[0], "response.speed": speeds[1]}
    lefts = {which: [left for left in entry["equations"] if left.startswith(which + ".")] for which in _PAIR}
    if any("[" in left for left in lefts["drive"] + lefts["response"]):
        raise RequestError("a skew product is of systems whose states are numbers; one of these has a vector")
    rates = {f"drive.rate_of_{left.removeprefix('drive.')}": left for left in lefts["drive"]}
    entry["definitions"] |= {rate: entry["equations"][left] for rate, left in rates.items()}
    entry["equations"] |= {left: rate for rate, left in rates.items()}
    chosen = np.random.default_rng(seed).integers(len(rates), size=len(lefts["response"]))
    for left, pick in zip(lefts["response"], chosen, strict=True):
        rate = list(rates)[pick]
        own = f"({entry['equations'][left]})/response.speed"
        entry["equations"][left] = f"{own} + strength*{rate}/drive.speed"
    if all(system.stated_period is not None for system in (driver, response)):
        entry["period"] = min(driver.period, response.period * speeds[1])
    return _made(entry)


_PAIR = ("drive", "response")


def network(
    system: System,
    adjacency: ArrayLike,
    *,
    coupling: str = "diffusive",
    on: str | Sequence[str] | None = None,
    strength: float = 1.0,
    parameters: Mapping[str, ArrayLike] | None = None,
) -> System:
    """
    Copies of a system at the nodes of a graph, coupled along its edges.

    Parameters
    ----------
    system : flow or map, with numbers as state variables
    adjacency : array of shape (n, n), or a SciPy sparse matrix
        Weight of the edge from node j to node i in row i, column j; zero where there is none.
    coupling : str
        "diffusive" adds strength * sum_j A_ij (x_j - x_i), "additive" strength * sum_j A_ij x_j; anything else is an
        expression of `source` and `target`, such as "sin(source - target)".
    on : str or sequence of str
        The variables that are coupled, each with its like; by default the first.
    strength : float
        The parameter `strength` of the network.
    parameters : mapping of arrays of shape (n,)
        Parameters that differ from node to node; the others are shared.

    Returns
    -------
    System
        Nodes are called node1, node2, …; only edges that are there appear in the equations. Initial states are spread
        around the system's own by a few per cent, so that the nodes do not begin in step.

    Examples
    --------
    >>> from bestiary import system
    >>> ring = network(system("Rossler"), np.roll(np.eye(3), 1, axis=0), on="x", strength=0.1)
    >>> ring.dimension
    9
    """
    weights = _weights(adjacency)
    n = len(weights)
    entry = system.entry
    if system.kind not in ("flow", "map") or any(size is not None for size in system.shape.values()):
        raise RequestError(f"a network is of flows or maps whose states are numbers; {system.name} is not one")
    coupled = [next(iter(entry["state"]))] if on is None else [on] if isinstance(on, str) else list(on)
    for variable in coupled:
        if variable not in entry["state"]:
            raise UnknownName("state variable", variable, entry["state"], where=f" of {system.name}")
    own = {key: np.asarray(value, dtype=np.float64) for key, value in (parameters or {}).items()}
    for key, values in own.items():
        if key not in entry["parameters"]:
            raise UnknownName("parameter", key, entry["parameters"], where=f" of {system.name}")
        if values.shape != (n,):
            raise RequestError(
                f"the parameter {key} needs one value for each of the {n} nodes, not shape {values.shape}"
            )
    shared = {key for key in [*entry["parameters"], *entry["structure"]] if key not in own}
    if "strength" in shared:
        raise RequestError(f"{system.name} has a parameter called strength already, which the coupling needs")
    nodes = {f"node{i}": _prefixed(system, f"node{i}", shared) for i in range(1, n + 1)}
    made = _joined(nodes, f"network of {n} {system.name}", system.kind, [system])
    made["parameters"]["strength"] = float(strength)
    for key, values in own.items():
        made["parameters"].update({f"node{i}.{key}": float(value) for i, value in enumerate(values, 1)})
    term = {"diffusive": "source - target", "additive": "source"}.get(coupling, coupling)
    for variable in coupled:
        for i in range(n):
            edges = [(j, float(weights[i, j])) for j in np.flatnonzero(weights[i])]
            if edges:
                target = f"node{i + 1}.{variable}"
                pushes = [_push(term, f"node{j + 1}.{variable}", target, weight) for j, weight in edges]
                made["equations"][target] = f"{made['equations'][target]} + strength*({' + '.join(pushes)})"
    spread = np.random.default_rng(0).uniform(-1.0, 1.0, (n, system.dimension))
    states = system.initial * (1.0 + 0.05 * spread)
    made["state"] = dict(zip(made["state"], states.ravel().tolist(), strict=True))
    if entry.get("period"):
        made["period"] = entry["period"]
    return _made(made)


def _push(term: str, source: str, target: str, weight: float) -> str:
    """The coupling term of one edge."""
    renamed = _core.rename(f"push = {term}", {"source": source, "target": target}).removeprefix("push = ")
    return f"({renamed})" if weight == 1.0 else f"{weight!r}*({renamed})"


def _weights(adjacency: ArrayLike) -> Array:
    dense = adjacency.toarray() if hasattr(adjacency, "toarray") else adjacency
    weights = np.asarray(dense, dtype=np.float64)
    if weights.ndim != 2 or weights.shape[0] != weights.shape[1] or len(weights) == 0:
        raise RequestError(f"the adjacency matrix must be square, not of shape {weights.shape}")
    if not np.isfinite(weights).all():
        raise RequestError("the adjacency matrix must be finite")
    return weights


def _prefixed(system: System, member: str, shared: set[str] | frozenset[str] = frozenset()) -> Entry:
    """The tables of an entry with every name put under that of the member, except shared ones."""
    entry = system.entry
    names = [*entry["state"], *entry["parameters"], *entry["structure"]]
    names += [re.split(r"[\[(]", left)[0].strip() for left in entry["definitions"]]
    names += [process.split("[")[0] for process in system.processes if process not in system.names]
    new = {old: f"{member}.{old}" for old in names if old not in shared}
    # Observables may use local functions, so they are renamed in one document with the definitions.
    views = {f"{_VIEW}{key}": body for key, body in entry["observables"].items()}
    text = definition.compose({**entry, "definitions": {**entry["definitions"], **views}})
    tables = definition.decompose(_core.rename(text, new))
    observables = {
        f"{member}.{left.removeprefix(_VIEW)}": tables["definitions"].pop(left)
        for left in [left for left in tables["definitions"] if left.startswith(_VIEW)]
    }

    def renamed(expression: object) -> str:
        return _core.rename(f"value = {expression}", new).removeprefix("value = ")

    def place(table: Mapping[str, Any]) -> dict[str, Any]:
        return {new.get(key, key): value for key, value in table.items()}

    tolerance = entry.get("absolute_tolerance")
    if tolerance is not None and not isinstance(tolerance, Mapping):
        tolerance = dict.fromkeys(entry["state"], tolerance)
    return {
        **tables,
        "observables": observables,
        "periods": {new[key]: renamed(value) for key, value in entry["periods"].items()},
        "parameters": {new.get(key, key): _plain(value) for key, value in system.parameters.items()},
        "structure": place(entry["structure"]),
        "state": {new[key]: _values(system, key) for key in entry["state"]},
        "absolute_tolerance": place(tolerance or {}),
        "inputs": [new[key] for key in entry.get("inputs", [])],
    }


def _joined(members: Mapping[str, Entry], name: str, kind: str, systems: Iterable[System]) -> Entry:
    """One entry of the renamed tables of several."""
    entry: Entry = {"name": name, "kind": kind}
    senses = {system.interpretation for system in systems if system.kind == "stochastic"}
    if len(senses) > 1:
        raise RequestError("noise in Ito's and in Stratonovich's sense do not mix: take members with to_ito() before")
    if senses:
        entry["interpretation"] = senses.pop()
    citations = dict.fromkeys(system.entry.get("citation") for system in systems)
    if any(citations):
        entry["citation"] = "; ".join(citation for citation in citations if citation)
    for key in (*_TABLES, "periods", "parameters", "structure", "state", "absolute_tolerance"):
        entry[key] = {}
        for member in members.values():
            entry[key].update(member[key])
    entry["inputs"] = [name for member in members.values() for name in member["inputs"]]
    if entry["observables"]:
        # Members without a bounded view are shown by their states.
        views: dict[str, str] = {}
        for member in members.values():
            views |= member["observables"] or _plain_views(member["state"])
        entry["observables"] = views
    if not entry["absolute_tolerance"]:
        del entry["absolute_tolerance"]
    return entry


def _plain_views(state: Mapping[str, Any]) -> dict[str, str]:
    """The states themselves as observables, whose names must be other ones."""
    views: dict[str, str] = {}
    for name, value in state.items():
        if isinstance(value, list):
            views |= {f"{name}.view{i}": f"{name}[{i}]" for i in range(1, len(value) + 1)}
        else:
            views[f"{name}.view"] = name
    return views


def _wire(entry: Entry, wires: Mapping[str, str]) -> None:
    """Turns the inputs and parameters that are fed into definitions."""
    for target, expression in wires.items():
        if target in entry["state"]:
            own = target.split(".")[-1]
            raise RequestError(f'{target} is a state variable: open it before it is wired, as in system.open("{own}")')
        if target not in entry["parameters"]:
            raise UnknownName("input or parameter", target, entry["parameters"], where=" to wire")
        if np.ndim(entry["parameters"][target]):
            raise RequestError(f"{target} is a vector or matrix; a wire feeds a number")
        del entry["parameters"][target]
        entry["definitions"][target] = expression
    missing = [name for name in entry["inputs"] if name not in wires]
    if missing:
        raise RequestError(f"these inputs are not wired: {', '.join(missing)}")
    del entry["inputs"]


def _kind(members: Mapping[str, System]) -> str:
    """The kind of the composite."""
    kinds = {system.kind for system in members.values()}
    if "map" in kinds and len(kinds) > 1:
        raise RequestError("maps and flows do not compose: one counts iterations, the other time")
    if {"delay", "stochastic"} <= kinds:
        raise RequestError("a delay and a stochastic system do not compose: no method runs noisy delay equations")
    return next((kind for kind in ("map", "delay", "stochastic") if kind in kinds), "flow")


def _made(entry: Entry) -> System:
    """The system, its text in canonical form."""
    for key in ("period", "inputs"):
        if not entry.get(key):
            entry.pop(key, None)
    for key in ("aliases", "variants", "known", "measured", "bifurcation", "doi", "note"):
        entry.pop(key, None)
    return System(entry, text=definition.compose(entry))


@lru_cache(maxsize=4096)
def _speed(system: System) -> float:
    """The root mean square of the velocity along a run on the attractor."""
    run = system.trajectory(2000, per_period=20, transient=20 * system.period, rtol=1e-6)
    speed = float(np.sqrt(np.mean(np.sum(system.rhs(run.x, run.t) ** 2, axis=1))))
    if run.outcome != "ok" or not np.isfinite(speed) or speed == 0.0:
        raise RequestError(f"{system.name} has no mean speed: its run is {run.outcome}, at speed {speed:g}")
    return speed


def _values(system: System, name: str) -> Any:
    """The initial value of a state variable."""
    at = 0
    for key, size in system.shape.items():
        if key == name:
            return float(system.initial[at]) if size is None else system.initial[at : at + size].tolist()
        at += size or 1
    raise UnknownName("state variable", name, system.shape)


def _plain(value: object) -> Any:
    return definition.plain(value)
