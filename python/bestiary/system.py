"""
A dynamical system: its equations, parameters and initial state, and everything that follows from them.

Systems are immutable: `with_parameters` and `with_initial` give new ones. Running one is in `trajectories`, the plain
data behind one in `definition`, finding one by name in `registry`.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from . import _core, definition, sampling
from .definition import Array, Entry
from .exceptions import RequestError, UnknownParameter
from .history import History
from .noise import interpreted
from .running import Progress, Stop, run_ensemble, run_trajectory
from .trajectories import Ensemble, Trajectory

if TYPE_CHECKING:
    from .events import Events

__all__ = ["System"]

_ELEMENT = re.compile(r"(?<![\w.])([^\W\d][\w.]*?)([1-9]\d*)(?![\w\[(.])")


class System:
    """
    A flow, map, delay or stochastic system.

    Made by `bestiary.system(name)`, `System.from_text`, `System.from_toml`, `System.from_function` or
    `System.from_sympy`. Two systems are equal if their equations, parameters, initial states, observables and
    periods of angles are; names and notes do not count.

    Examples
    --------
    >>> lorenz = System.from_text(
    ...     "x' = sigma*(y - x); y' = x*(rho - z) - y; z' = x*y - beta*z",
    ...     parameters={"sigma": 10, "rho": 28, "beta": 8 / 3}, initial=[1, 1, 1], period=0.75)
    >>> lorenz.rhs([1.0, 1.0, 1.0]).tolist()
    [0.0, 26.0, -1.6666666666666665]
    >>> lorenz.with_parameters(rho=14).trajectory(100).x.shape
    (100, 3)
    """

    def __init__(self, entry: Mapping[str, Any], *, where: str = "", text: str | None = None) -> None:
        self._measured: tuple[str, str] | None = None
        self._entry = definition.checked(entry, where or str(entry.get("name", "system")))
        self._structure: dict[str, int] = self._entry["structure"]
        self._parameters: dict[str, float | Array] = {}
        for name, value in self._entry["parameters"].items():
            what = f"parameter {name} of {self.name}"
            self._parameters[name] = definition.array(value, self._structure, {}, what)
        self._shape: dict[str, int | None] = {}
        values: list[Array] = []
        for name, value in self._entry["state"].items():
            what = f"the initial {name} of {self.name}"
            initial = definition.array(value, self._structure, self._parameters, what)
            if np.ndim(initial) > 1:
                raise RequestError(f"{what} must be a number or a vector")
            self._shape[name] = len(initial) if isinstance(initial, np.ndarray) else None
            values.append(np.atleast_1d(initial))
        self._initial = np.concatenate([np.zeros(0), *values])
        self._initial.flags.writeable = False
        self._core = self._build(definition.compose(self._entry) if text is None else text, where)
        if text is not None:
            self._entry.update(definition.decompose(self._core.text))

    def _build(self, text: str, where: str, observables: Mapping[str, str] | None = None) -> _core.System:
        try:
            return _core.System.build(
                self.kind,
                text,
                self._parameters,
                self._structure,
                list(self._shape.items()),
                self._entry["observables"] if observables is None else observables,
                self._entry["periods"],
                self._entry.get("interpretation", "ito"),
            )
        except _core.LanguageError as error:
            raise _core.LanguageError(f"{where}: {error}" if where else str(error)) from None

    # Ways in

    @classmethod
    def from_text(
        cls,
        text: str,
        *,
        parameters: Mapping[str, object] | None = None,
        initial: object = None,
        name: str = "system",
        kind: str | None = None,
        interpretation: str = "ito",
        structure: Mapping[str, int] | None = None,
        observables: Mapping[str, str] | None = None,
        periods: Mapping[str, str | float] | None = None,
        period: float | str | None = None,
        **facts: object,
    ) -> System:
        """
        A system from its equations in the language.

        Parameters
        ----------
        text : str
            Statements on lines of their own or separated by `;`: `x' = …` (flow), `next(x) = …` (map),
            `x[i]' = …` (vector), and local definitions `name = …`, `f(u) = …`. White noise (stochastic) is written by
            its amplitude: `noise(x) = …` for a Wiener process of the variable's own, `noise(x, W) = …` for a process
            W, which may move several variables; amplitudes of several processes on one variable are written on
            their own lines.
        parameters : mapping of numbers, vectors, matrices or constant expressions
        initial : sequence or mapping
            Initial state, in the order of the equations or by name; zero where it is left out altogether. For vector
            states a mapping with a list each, or one flat list if there is only one vector.
        kind : "flow", "map", "delay" or "stochastic"
            By default what the form of the equations tells.
        interpretation : "ito" or "stratonovich"
            In whose sense the noise of a stochastic system is meant.
        structure : mapping of whole numbers that fix sizes
        observables : mapping of expressions
            A bounded view of the state.
        periods : mapping
            Periods of the state variables that are angles; a run wraps them to [-P/2, P/2).
        period : float or constant expression
            Dominant period, the unit of sampling. Estimated from a run where it is left out and needed.
        **facts
            Further keys of a catalogue entry: about, citation, domain, tags, note, …

        Raises
        ------
        LanguageError
            Where the text cannot be understood; the message points at the character.
        ValueError
            Where parameters or the initial state do not fit.
        """
        names = definition.state_names(text)
        if not names:
            raise _core.LanguageError("the text has no equation: write x' = … for a flow or next(x) = … for a map")
        entry: Entry = {
            "name": name,
            "kind": definition.inferred_kind(text) if kind is None else kind,
            "interpretation": interpretation,
            **facts,
            "parameters": dict(parameters or {}),
            "structure": dict(structure or {}),
            "state": _initial_table(names, initial, name),
            "equations": {},
            "observables": dict(observables or {}),
            "periods": dict(periods or {}),
        }
        if period is not None:
            entry["period"] = period
        if entry["kind"] not in definition.KINDS:
            raise RequestError(f"kind must be one of {', '.join(definition.KINDS)}, not {kind!r}")
        return cls(entry, text=text)

    @classmethod
    def from_toml(cls, source: str | Path, *, variant: str | None = None) -> System:
        """
        A system from a TOML entry: the path of a file, or the document itself.

        The format is that of the catalogue's own files; `to_toml` writes it.
        """
        if isinstance(source, Path) or ("\n" not in source and source.endswith(".toml")):
            text, where = Path(source).read_text(encoding="utf-8"), str(source)
        else:
            text, where = source, "TOML"
        entry = definition.parse(text, where)
        if variant:
            entry = definition.with_variant(definition.checked(entry, where), variant)
        return cls(entry, where=where)

    @classmethod
    def _from_catalogue(cls, path: Path, variant: str | None) -> System:
        """As `from_toml`, but what is measured, most of most files and seldom asked for, is read when it is."""
        head, title, measured = path.read_text(encoding="utf-8").partition("\n[measured]\n")
        if variant or not title or "\n[" in measured:
            return cls.from_toml(path, variant=variant)
        system = cls(definition.parse(head, str(path)), where=str(path))
        system._measured = (measured, str(path))
        return system

    def _whole(self) -> Entry:
        """The entry with what is measured."""
        if self._measured is not None:
            table, where = self._measured
            self._entry["measured"] = definition.plain(definition.parse(table, where))
            self._measured = None
        return self._entry

    @classmethod
    def from_function(
        cls,
        function: Callable[..., object],
        *,
        initial: object,
        names: Sequence[str] | None = None,
        parameters: Mapping[str, object] | None = None,
        kind: str = "flow",
        **options: Any,
    ) -> System:
        """
        A system from a plain Python function, traced once with symbols in place of numbers.

        Parameters
        ----------
        function : callable
            f(x), f(x, t) or f(t, x) (the argument called `t` is time), with parameters as further arguments by name.
            Returns one value a state variable. May use arithmetic, comparisons with `numpy.where`, NumPy's
            mathematical functions, indexing and loops, but no `if` on the state.
        initial : sequence of float, or mapping
        names : sequence of str
            Names of the state variables; x1, x2, … by default.
        kind : "flow" or "map"
        **options
            As in `from_text`.

        Examples
        --------
        >>> def pendulum(x, t, gamma):
        ...     return x[1], -np.sin(x[0]) - gamma * x[1]
        >>> print(System.from_function(pendulum, names=["theta", "omega"], parameters={"gamma": 0.1},
        ...                            initial=[1, 0]).to_text())
        theta' = omega
        omega' = -sin(theta) - gamma*omega
        """
        from .trace import trace

        if names is None:
            names = list(initial) if isinstance(initial, Mapping) else [f"x{i + 1}" for i in range(np.size(initial))]  # type: ignore[arg-type]
        values = {
            name: definition.array(value, {}, {}, f"parameter {name}") for name, value in (parameters or {}).items()
        }
        text = trace(function, list(names), values, is_map=kind == "map")
        options.setdefault("name", getattr(function, "__name__", "system").replace("<lambda>", "system"))
        return cls.from_text(text, parameters=parameters, initial=initial, kind=kind, **options)

    @classmethod
    def from_sympy(cls, equations: Mapping[Any, Any], **options: Any) -> System:
        """
        A system from SymPy expressions: a mapping of each state variable (symbol or name) to its right-hand side.

        The symbol `t` is time. Options are those of `from_text`; needs the extra `sympy`.
        """
        from .interchange import text_from_sympy

        return cls.from_text(text_from_sympy(equations, is_map=options.get("kind") == "map"), **options)

    def open(self, *inputs: str) -> System:
        """
        The system with some state variables turned into inputs, for `bestiary.compose` to feed.

        Until then an input is a parameter with the variable's initial value.

        Examples
        --------
        >>> from bestiary import system
        >>> print(system("Lorenz").open("y").to_text())
        x' = sigma*(y - x)
        z' = x*y - beta*z
        """
        from .composition import open_system

        return open_system(self, *inputs)

    # What it is

    @property
    def inputs(self) -> tuple[str, ...]:
        """The parameters that are inputs of an open system."""
        return tuple(self._entry.get("inputs", ()))

    @property
    def core(self) -> _core.System:
        """The compiled equations."""
        return self._core

    @property
    def entry(self) -> Entry:
        """The definition as plain data (a copy), in the form of a catalogue file."""
        return copy.deepcopy(self._whole())

    @property
    def name(self) -> str:
        return str(self._entry["name"])

    @property
    def kind(self) -> str:
        """ "flow", "map", "delay" or "stochastic"."""
        return str(self._entry["kind"])

    @property
    def about(self) -> str:
        return str(self._entry.get("about", ""))

    @property
    def citation(self) -> str:
        """The source, with its DOI where there is one."""
        doi = self._entry.get("doi")
        return str(self._entry.get("citation", "")) + (f" https://doi.org/{doi}" if doi else "")

    @property
    def note(self) -> str:
        return str(self._entry.get("note", ""))

    @property
    def domain(self) -> str:
        return str(self._entry.get("domain", ""))

    @property
    def tags(self) -> tuple[str, ...]:
        return tuple(self._entry.get("tags", ()))

    @property
    def names(self) -> tuple[str, ...]:
        """State variables, flattened: x1, x2, … for a vector x."""
        return tuple(self._core.names)

    @property
    def shape(self) -> Mapping[str, int | None]:
        """State variables as declared: the size of a vector, None for a scalar."""
        return MappingProxyType(self._shape)

    @property
    def dimension(self) -> int:
        """Number of state variables (of a delay system: of the present state)."""
        return len(self._initial)

    @property
    def parameters(self) -> Mapping[str, float | Array]:
        """Parameters by name: numbers, and read-only arrays for vectors and matrices."""
        return MappingProxyType(self._parameters)

    @property
    def structure(self) -> Mapping[str, int]:
        """Whole numbers that fix sizes."""
        return MappingProxyType(self._structure)

    @property
    def initial(self) -> Array:
        """Initial state, shape (d,)."""
        return self._initial

    @property
    def observable_names(self) -> tuple[str, ...]:
        return tuple(self._core.observable_names)

    @property
    def interpretation(self) -> str:
        """In whose sense the noise of a stochastic system is meant: "ito" or "stratonovich"."""
        return str(self._entry.get("interpretation", "ito"))

    @property
    def processes(self) -> tuple[str, ...]:
        """
        The independent Wiener processes of a stochastic system, the columns of `diffusion`.

        A variable's own process has the name of the variable; named ones follow in order of appearance.
        """
        return tuple(self._core.processes)

    @property
    def is_autonomous(self) -> bool:
        """Whether time does not appear in the equations."""
        return self._core.is_autonomous

    @property
    def is_smooth(self) -> bool:
        """Whether the equations have no kinks or jumps."""
        return self._core.is_smooth

    @property
    def absolute_tolerance(self) -> float | Mapping[str, float]:
        """Absolute tolerance of an integration, by variable where scales differ by orders of magnitude."""
        stated: float | Mapping[str, float] = self._entry.get("absolute_tolerance", sampling.ABSOLUTE_TOLERANCE)
        return stated

    @property
    def period(self) -> float:
        """
        Dominant period in the system's own unit of time: of the entry, 1 for a map, or else estimated from a run.

        It is the unit of sampling and stays as it is when parameters change.
        """
        stated = self.stated_period
        if stated is not None:
            return definition.number(stated, {}, {}, f"the period of {self.name}")
        return 1.0 if self.kind == "map" else sampling.mean_period(self)

    @property
    def stated_period(self) -> object:
        """The period as the entry states it, None where it does not."""
        return self._entry.get("period")

    @property
    def largest_exponent(self) -> float:
        """Largest Lyapunov exponent: measured or published for these parameters, or else a quick estimate."""
        for source in ("measured", "known"):
            fact = self._whole()[source].get("largest_exponent")
            if isinstance(fact, Mapping):
                value = fact["value"] if "value" in fact else fact["exact"]
                return definition.number(value, self._structure, self._parameters, "largest_exponent")
        return sampling.estimated_exponent(self)

    @property
    def lyapunov_time(self) -> float:
        """The time in which a small error grows e-fold, 1/`largest_exponent`."""
        exponent = self.largest_exponent
        if not exponent > 0:
            raise RequestError(f"{self.name} has no Lyapunov time: its largest exponent is {exponent:.3g}")
        return 1.0 / exponent

    # Others like it

    def with_parameters(self, **values: object) -> System:
        """
        The same system with other parameters or another structure (such as the number of sites of a ring).

        Measurements and published values, which hold for the old parameters, are left out of the new entry.
        """
        entry = self.entry
        known = (*self._parameters, *self._structure)
        for name, value in values.items():
            if name in self._structure:
                entry["structure"][name] = sampling.whole(name, value, least=1)
            elif name in self._parameters:
                entry["parameters"][name] = definition.plain(value)
                given = definition.array(value, self._structure, {}, f"parameter {name}")
                own = np.shape(self._parameters[name])
                if np.shape(given) != own and not set(values) & set(self._structure):
                    kind = "a number" if own == () else f"an array of shape {own}"
                    raise RequestError(f"parameter {name} of {self.name} is {kind}, not of shape {np.shape(given)}")
            else:
                raise UnknownParameter("parameter", name, known, where=f" of {self.name}")
        entry["measured"] = {}
        entry["known"] = {k: v for k, v in entry["known"].items() if not (isinstance(v, Mapping) and "value" in v)}
        return System(entry)

    def with_initial(self, initial: object) -> System:
        """
        The same system with another initial state: a flat sequence, or a mapping of every variable.

        Of a delay system it is the constant history as well, in place of one that the entry states.
        """
        flat = sampling.state(self, initial)
        entry, position = self.entry, 0
        entry["history"] = {}
        for name, size in self._shape.items():
            end = position + (size or 1)
            entry["state"][name] = float(flat[position]) if size is None else flat[position:end].tolist()
            position = end
        return System(entry)

    def to_ito(self) -> System:
        """
        The same stochastic process with its noise in Ito's sense.

        The drift is f + (1/2) sum_j (b_j . grad) b_j in place of f, for columns b_j of the diffusion matrix.

        A system in Ito's sense already is returned as it is. Runs of both see the same path and agree to rounding.

        Examples
        --------
        >>> kubo = System.from_text("x' = -y; y' = x; noise(x, W) = -s*y; noise(y, W) = s*x",
        ...                         parameters={"s": 0.5}, initial=[1, 0], interpretation="stratonovich")
        >>> print(kubo.to_ito().to_text())
        x' = -y + -0.5*(s*(x*s))
        y' = x + -0.5*(s*(y*s))
        noise(x, W) = -s*y
        noise(y, W) = s*x
        """
        return interpreted(self, "ito")

    def to_stratonovich(self) -> System:
        """The same stochastic process with its noise in Stratonovich's sense; see `to_ito`."""
        return interpreted(self, "stratonovich")

    # Its equations as functions

    def rhs(self, x: ArrayLike, t: ArrayLike = 0.0, *, delayed: ArrayLike | None = None) -> Array:
        """
        The right-hand side; of a map, the image.

        Parameters
        ----------
        x : array of shape (…, d)
        t : float or array of shape (…)
        delayed : array of shape (…, number of delayed terms)
            Values of the delayed terms of a delay system; by default as if the state had always been x.

        Returns
        -------
        array of shape (…, d)
        """
        states, times, _ = self._flat(x, t)
        return self._core.rhs(states, times, self._core.parameter_values, _delayed(delayed)).reshape(np.shape(x))

    def jacobian(self, x: ArrayLike, t: ArrayLike = 0.0, *, delayed: ArrayLike | None = None) -> Array:
        """The Jacobian, shape (…, d, d): row = equation, column = variable. Arguments as in `rhs`."""
        states, times, shape = self._flat(x, t)
        d = self.dimension
        values = self._core.jacobian(states, times, self._core.parameter_values, _delayed(delayed))
        return values.reshape(*shape, d, d)

    def divergence(self, x: ArrayLike, t: ArrayLike = 0.0) -> Array:
        """The trace of the Jacobian, shape (…). Arguments as in `rhs`."""
        states, times, shape = self._flat(x, t)
        return np.asarray(self._core.divergence(states, times, self._core.parameter_values)).reshape(shape)

    def diffusion(self, x: ArrayLike, t: ArrayLike = 0.0) -> Array:
        """
        The amplitudes of the noise, shape (…, d, m): row = variable, column = process, in the order of `processes`.

        Arguments as in `rhs`.
        """
        states, times, shape = self._flat(x, t)
        values = self._core.diffusion(states, times, self._core.parameter_values)
        return values.reshape(*shape, self.dimension, len(self.processes))

    def observe(self, x: ArrayLike, t: ArrayLike = 0.0) -> Array:
        """The bounded view, shape (…, number of observables); the state itself where none is defined."""
        states, times, shape = self._flat(x, t)
        if not self.observable_names:
            return states.reshape(np.shape(x))
        values = self._core.observe(states, times, self._core.parameter_values)
        return values.reshape(*shape, len(self.observable_names))

    def evaluate(self, expression: str, x: ArrayLike, t: ArrayLike = 0.0) -> Array:
        """
        An expression of the state, parameters, definitions and t, such as "x^2 + y^2", shape (…).

        An element of a vector may be written as in the language, `x[1]`, or as in `names`, `x1`.
        """
        states, times, shape = self._flat(x, t)
        core = self.with_expression(expression)
        return core.observe(states, times, core.parameter_values).reshape(shape)

    def with_expression(self, expression: str) -> _core.System:
        """The compiled equations with an expression of the state as their one observable."""
        return _with_observable(self, _ELEMENT.sub(self._element, expression))

    def _element(self, match: re.Match[str]) -> str:
        """`x[1]` for the `x1` of a vector x, unless x1 is a name of its own."""
        whole, stem, index = match.group(0), match.group(1), match.group(2)
        own = {*self._shape, *self._parameters, *self._structure, *self._entry["definitions"]}
        size = self._shape.get(stem)
        return whole if whole in own or size is None or not 1 <= int(index) <= size else f"{stem}[{index}]"

    def _flat(self, x: ArrayLike, t: ArrayLike) -> tuple[Array, Array, tuple[int, ...]]:
        array = np.asarray(x, dtype=np.float64)
        if array.ndim == 0 or array.shape[-1] != self.dimension:
            sampling.states(self, x, "x")
        shape = array.shape[:-1]
        times = np.ascontiguousarray(np.broadcast_to(np.asarray(t, dtype=np.float64), shape)).reshape(-1)
        return np.ascontiguousarray(array).reshape(-1, self.dimension), times, shape

    # Ways out

    def to_text(self) -> str:
        """The equations and definitions in the language."""
        return self._core.text

    def to_toml(self) -> str:
        """The whole definition as a TOML document, which `from_toml` reads."""
        return definition.to_toml(self._whole())

    def to_latex(self) -> str:
        """The equations as a LaTeX `aligned` environment."""
        lines = [line.replace("=", "&=", 1) if "&=" not in line else line for line in self._core.latex()]
        return "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}"

    def to_numpy(self) -> Callable[..., Array]:
        """
        The right-hand side as a NumPy function f(x, t=0.0, p=…) of x (d, …); p are the flattened parameters.

        Its source is in the attribute `source`.
        """
        source = self._core.numpy_source()
        space: dict[str, Any] = {"np": np, "numpy": np}
        exec(source, space)
        rhs, defaults = space["rhs"], self._core.parameter_values

        def function(x: ArrayLike, t: ArrayLike = 0.0, p: ArrayLike = defaults) -> Array:
            return np.asarray(rhs(np.asarray(x, dtype=np.float64), t, np.asarray(p)), dtype=np.float64)

        function.source = source  # type: ignore[attr-defined]
        return function

    def to_sympy(self) -> dict[Any, Any]:
        """State symbols and their right-hand sides as SymPy expressions; needs the extra `sympy`."""
        from .interchange import sympy_from_system

        return sympy_from_system(self)

    # Runs

    def trajectory(
        self,
        n: int | None = None,
        *,
        per_period: float | None = None,
        per_lyapunov: float | None = None,
        dt: float | None = None,
        times: ArrayLike | None = None,
        transient: float = 0.0,
        initial: object = None,
        history: History | None = None,
        method: str = "auto",
        rtol: float | None = None,
        atol: sampling.Tolerance | None = None,
        precision: str = "double",
        step: float | None = None,
        max_steps: int | None = None,
        forcing: float | ArrayLike | None = None,
        seed: int = 0,
        threads: int | None = None,
        progress: bool | Progress = False,
        stop: Stop | None = None,
    ) -> Trajectory:
        """
        One trajectory.

        Parameters
        ----------
        n : int
            Number of samples; the first is at time 0. Left out where `times` are listed.
        per_period, per_lyapunov, dt, times
            Where to sample, at most one of them: samples in a period (default 100), in a Lyapunov time, the time
            between samples, or the times themselves. A map is sampled at every iteration, or at whole `dt` or `times`.
        transient : float
            Time (iterations of a map) that passes before time 0: the run starts from the initial state at -transient.
        initial : sequence of float or mapping
            State to start from; by default the entry's. Of a delay system, also the constant history, if none is given.
        history : expressions, callable, Trajectory or Past
            The state of a delay system before the start, as far back as its longest delay: text in the language, a
            function of t ("cos(t)", or a mapping with an expression for each variable); a Python function of t that
            returns the state, which is sampled before the run; or an earlier trajectory, to continue: the run then
            begins where that ended, and counts its samples from there. By default the history of the entry, if it
            states one. The run starts from the state at the end of the history, unless `initial` says otherwise.
        method : str
            "auto", "taylor", "tsit5", "dop853", "rk4" or "rodas5p" for a flow; the first four of these for a delay
            system; "symplectic4" or "symplectic8" for a flow with the equations q' = dT/dp, p' = -dV/dq. "auto" is
            taylor, or dop853 where there are kinks, and hands stiff stretches of a flow to rodas5p; the result says so.
            Noise is integrated by "milstein", or by "euler_maruyama" where it does not commute or has kinks.
        rtol, atol : float
            Tolerances on the error of a step; `atol` may be given by variable, as a sequence or mapping. By default
            1e-12, or the absolute tolerance that the entry states; 1e-30 in extended precision.
        precision : str
            "double", or "extended": about 30 digits by Taylor series in numbers of two doubles, for smooth flows and
            maps. Some hundred times slower: a truth to compare with. The trajectory's `low` holds the digits that
            the doubles of `x` lack.
        step : float
            Step of the methods with a fixed step (rk4, milstein, euler_maruyama, symplectic4, symplectic8); by default
            at most a thousandth of a period, a two-hundredth for symplectic8. Noise is the same path for a step, its
            half, its quarter, …, whatever is sampled.
        max_steps : int
            Limit on the steps of the run.
        forcing : float or sequence
            Standard deviation, per square root of time, of white noise put on a flow.
        seed : int
            Of the noise of a stochastic or forced system; of no consequence elsewhere.
        threads : int
            Upper limit; the result does not depend on it.
        progress : bool or callable
            Show a bar on standard error, or call `progress(done, total)`.
        stop : str or (str, direction)
            Stop where an expression passes through zero after time 0, as in "x - 10", "x = 10" or ("x = 10", 1);
            directions as in `events`. The outcome is then "stopped", and `stop_time` the time to round-off.

        Returns
        -------
        Trajectory
            If the run stops early, samples are NaN from there on and `outcome` says why.

        Raises
        ------
        ValueError
            For a wrong request, before any work.
        """
        return run_trajectory(
            self,
            sampling.grid(self, n, per_period=per_period, per_lyapunov=per_lyapunov, dt=dt, times=times),
            transient=transient,
            initial=initial,
            history=history,
            method=method,
            rtol=rtol,
            atol=atol,
            precision=precision,
            step=step,
            max_steps=max_steps,
            forcing=forcing,
            seed=seed,
            threads=threads,
            progress=progress,
            stop=stop,
        )

    def events(
        self,
        event: str,
        *,
        direction: int = 0,
        n: int | None = None,
        duration: float | None = None,
        transient: float = 0.0,
        initial: object = None,
        history: History | None = None,
        method: str = "auto",
        rtol: float | None = None,
        atol: sampling.Tolerance | None = None,
        step: float | None = None,
        max_steps: int | None = None,
    ) -> Events:
        """
        Where an expression of state and time passes through zero along a trajectory of a flow or a delay system.

        Located to round-off on the dense output of the method. Crossings count from time 0 on; a start on the zero
        itself is no crossing, and a touch counts as a crossing there and one back.

        Parameters
        ----------
        event : str
            An expression such as "z - 27", or an equation such as "z = rho - 1", in the language of the system.
        direction : 1, -1 or 0
            Crossings from below, from above, or both.
        n : int
            How many crossings.
        duration : float
            Up to which time; as long as it takes to find `n` by default.
        transient, initial, history, method, rtol, atol, step
            As in `trajectory`.
        max_steps : int
            Limit on the steps; by default 10 000 for each crossing asked for.

        Returns
        -------
        Events
            The crossings found. Fewer than `n` of them have an outcome that says why.

        Raises
        ------
        ValueError
            For a wrong request, before any work.

        Examples
        --------
        >>> oscillator = System.from_text("x' = v; v' = -x", initial=[0, 1], period=6.28)
        >>> (oscillator.events("x", direction=-1, n=3).t / np.pi).round(12).tolist()
        [1.0, 3.0, 5.0]
        """
        from .events import run_events

        return run_events(
            self,
            (event, direction),
            n=n,
            duration=duration,
            transient=transient,
            initial=initial,
            history=history,
            method=method,
            rtol=rtol,
            atol=atol,
            step=step,
            max_steps=max_steps,
        )

    def ensemble(
        self,
        m: int | None = None,
        n: int | None = None,
        *,
        seed: int = 0,
        first: int = 0,
        initial: ArrayLike | None = None,
        history: History | None = None,
        parameters: Mapping[str, ArrayLike] | None = None,
        per_period: float | None = None,
        per_lyapunov: float | None = None,
        dt: float | None = None,
        times: ArrayLike | None = None,
        transient: float | None = None,
        method: str = "auto",
        rtol: float | None = None,
        atol: sampling.Tolerance | None = None,
        precision: str = "double",
        step: float | None = None,
        max_steps: int | None = None,
        forcing: float | ArrayLike | None = None,
        threads: int | None = None,
        progress: bool | Progress = False,
        stop: Stop | None = None,
    ) -> Ensemble:
        """
        Many trajectories, from initial states drawn on the attractor or given, with the same or different parameters.

        Parameters
        ----------
        m : int
            Number of members; left out where `initial` or `parameters` tell it.
        n : int
            Number of samples of each.
        seed, first : int
            Member i (counted from `first`) is a function of (seed, i): more members do not change the earlier ones.
        initial : array of shape (m, d) or (d,)
            States to start from in place of drawn ones.
        history
            As in `trajectory`, the same for all members (where parameters enter the text, with their own), or a list
            with a function, trajectory or past for each. Members then start from its end, by default without a
            transient.
        parameters : mapping
            Parameters that differ: a value a member, shape (m,), (m, k) or (m, k, l).
        transient : float
            As in `trajectory`. By default 0 where `initial` is given, and otherwise long enough for a drawn state to
            settle on the attractor: 20 periods, 20 delays if longer, 100 iterations of a map.
        per_period, per_lyapunov, dt, times, method, rtol, atol, precision, step, max_steps, forcing, threads,
        progress, stop
            As in `trajectory`.

        Returns
        -------
        Ensemble
            Shape (m, n, d). A member is the same to the bit as when it is run alone.
        """
        return run_ensemble(
            self,
            sampling.grid(self, n, per_period=per_period, per_lyapunov=per_lyapunov, dt=dt, times=times),
            m=m,
            first=first,
            initial=initial,
            history=history,
            parameters=parameters or {},
            transient=transient,
            method=method,
            rtol=rtol,
            atol=atol,
            precision=precision,
            step=step,
            max_steps=max_steps,
            forcing=forcing,
            seed=seed,
            threads=threads,
            progress=progress,
            stop=stop,
        )

    def sample_initial(self, n: int, seed: int = 0) -> Array:
        """n states on the attractor, shape (n, d): those at time 0 of `ensemble(n, seed=seed)`."""
        ensemble = self.ensemble(n, 1, seed=seed, dt=1.0)
        stopped = [i for i, outcome in enumerate(ensemble.outcomes) if outcome != "ok"]
        if stopped:
            raise RequestError(
                f"{len(stopped)} of {n} runs towards the attractor of {self.name} stopped, the first "
                f"({ensemble.outcomes[stopped[0]]}) at t = {ensemble.stop_times[stopped[0]]:g}"
            )
        return ensemble.x[:, 0]

    # Identity and appearance

    @cached_property
    def _identity(self) -> str:
        values = {name: np.asarray(value).tolist() for name, value in self._parameters.items()}
        parts = (self.kind, self.to_text(), values, self._structure, self._shape, self._initial.tolist())
        entry = self._entry
        return json.dumps([*parts, self.interpretation, entry["observables"], entry["periods"], entry["history"]])

    def __eq__(self, other: object) -> bool:
        return self._identity == other._identity if isinstance(other, System) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._identity)

    def __reduce__(self) -> tuple[object, ...]:
        return System, (self._whole(),)

    def __repr__(self) -> str:
        sense = " (Stratonovich)" if self.interpretation == "stratonovich" else ""
        head = f"{self.name}: {self.kind}{sense}, {self.dimension} state variable{'s' if self.dimension != 1 else ''}"
        lines = [head, *(f"  {line}" for line in self.to_text().splitlines())]
        if self._parameters or self._structure:
            values = {**self._structure, **self._parameters}
            lines.append("  with " + ", ".join(f"{name} = {_short(value)}" for name, value in values.items()))
        if self.about:
            lines.append(f"  {self.about}")
        return "\n".join(lines)

    def _repr_latex_(self) -> str:
        return f"$$\n{self.to_latex()}\n$$"

    def _repr_html_(self) -> str:
        import html

        values = {**self._structure, **self._parameters}
        shown = ", ".join(f"{html.escape(name)} = {html.escape(_short(value))}" for name, value in values.items())
        sense = ", Stratonovich" if self.interpretation == "stratonovich" else ""
        parts = [f"<strong>{html.escape(self.name)}</strong> ({self.kind}{sense}, {self.dimension}-dimensional)"]
        parts += [html.escape(self.about)] if self.about else []
        parts += [f"$$\n{html.escape(self.to_latex(), quote=False)}\n$$"]
        parts += [f"<small>{shown}</small>"] if shown else []
        parts += [f"<small><em>{html.escape(self.citation)}</em></small>"] if self.citation else []
        return "<div>" + "".join(f"<div>{part}</div>" for part in parts) + "</div>"


@lru_cache(maxsize=256)
def _with_observable(system: System, expression: str) -> _core.System:
    return system._build(definition.compose(system._entry), "", {"value": expression})


def _delayed(values: ArrayLike | None) -> Array | None:
    if values is None:
        return None
    array = np.asarray(values, dtype=np.float64)
    return np.ascontiguousarray(array).reshape(-1, array.shape[-1])


def _short(value: float | Array) -> str:
    """A number in few digits; an array by its shape where it is long."""
    if isinstance(value, np.ndarray):
        if value.size > 6:
            return f"({' × '.join(map(str, value.shape))})"
        return "[" + ", ".join(_short(item) for item in value) + "]"
    return f"{value:.6g}"


def _initial_table(names: Mapping[str, bool], initial: object, owner: str) -> dict[str, object]:
    """Initial values by state variable, from what a user gave for the variables that the text defines."""
    if isinstance(initial, Mapping):
        for name in initial:
            if name not in names:
                raise RequestError(f"the initial state has {name}, but {owner} has the variables {', '.join(names)}")
        missing = [name for name in names if name not in initial]
        if missing:
            raise RequestError(f"the initial state of {owner} lacks {', '.join(missing)}")
        return dict(initial)
    vectors = [name for name, is_vector in names.items() if is_vector]
    if initial is None:
        if vectors:
            raise RequestError(f"{vectors[0]} is a vector: its initial state must be given, to tell its size")
        return dict.fromkeys(names, 0.0)
    flat = list(np.ravel(np.asarray(initial, dtype=object)))
    if len(vectors) > 1:
        raise RequestError(f"{' and '.join(vectors)} are vectors: give the initial state as a mapping of each variable")
    size = len(flat) - len(names) + 1
    if (not vectors and len(flat) != len(names)) or size < 1:
        raise RequestError(
            f"the initial state has {len(flat)} column{'s' if len(flat) != 1 else ''} but {owner} has "
            f"{len(names)} state variable{'s' if len(names) != 1 else ''}: {', '.join(names)}"
        )
    table: dict[str, object] = {}
    for name, is_vector in names.items():
        table[name] = [flat.pop(0) for _ in range(size)] if is_vector else flat.pop(0)
    return table
