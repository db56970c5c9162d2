"""The contract of an entry notices what is wrong: each check is shown a system that breaks it, and says so."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bestiary as bst
from bestiary import checks, cli
from bestiary.checks import subject
from bestiary.checks.record import Record
from bestiary.checks.subject import Subject
from bestiary.registry import CATALOGUE
from bestiary.testing import check_entry, check_system


def broken(name: str, **changes: Any) -> bst.System:
    """The system of a name with keys of its entry replaced; tables are merged."""
    entry = bst.system(name).entry
    for key, value in changes.items():
        entry[key] = {**entry.get(key, {}), **value} if isinstance(value, dict) else value
    return bst.System(entry)


def found(system: bst.System, level: str = "entry", periods: float = 100.0) -> str:
    return "\n".join(map(str, checks.problems(system, level, periods)))


@pytest.mark.parametrize(
    ("name", "changes", "says"),
    [
        ("Lorenz", {"about": "Convection"}, "about: about should be a sentence"),
        ("Lorenz", {"about": "Rolls of convection. They reverse."}, "about should be one sentence"),
        ("Lorenz", {"citation": "."}, "source: the citation should give authors"),
        ("Lorenz", {"citation": "Lorenz, E. N., Deterministic nonperiodic flow."}, "its year in brackets"),
        ("Lorenz", {"doi": "https://doi.org/10.1175/1520"}, "doi should have the form"),
        ("Lorenz", {"domain": ""}, "the domain should be a word"),
        ("Lorenz", {"tags": []}, "tags should be different words"),
        ("Lorenz", {"tags": ["dissipative", "driven"]}, 'tags: the tag "driven" should not be there'),
        ("Duffing", {"tags": ["dissipative"]}, 'tags: the tag "driven" should be there'),
        ("Chua", {"tags": ["dissipative"]}, 'the tag "nonsmooth" should be there'),
        ("HenonHeiles", {"tags": ["hamiltonian", "reversible"]}, '"hamiltonian" implies "conservative"'),
        ("Lorenz", {"tags": ["conservative"]}, 'volume: the mean divergence is -13.67 ± 0, and the tag says "conse'),
        ("Rossler", {"tags": ["chemical"]}, 'and the tag "dissipative" is missing'),
        ("HenonHeiles", {"tags": ["dissipative", "reversible"]}, 'is 0 ± 0, and the tag says "dissipative"'),
        ("Henon", {"tags": ["conservative"]}, "volume: the mean log |determinant| is -1.204"),
        ("Lorenz", {"known": {"divergence": {"exact": "-(sigma + beta)"}}}, "divergence differs from the stated one"),
        ("Lorenz", {"known": {"sum_of_exponents": {"exact": "-1"}}}, "sum_of_exponents is -1, the divergence -13.66"),
        ("Henon", {"known": {"determinant": {"exact": "b"}}}, "determinant differs from the stated one by up to 0.6"),
        ("Lorenz", {"known": {"fixed_points": [{"x": "0", "y": "0", "z": "1"}]}}, "z = 1) is no fixed point"),
        ("Lorenz", {"known": {"symmetries": [{"x": "-x", "y": "y", "z": "z"}]}}, "is no symmetry"),
        ("Duffing", {"known": {"symmetries": [{"x": "-x", "y": "-y", "t": "t"}]}}, "is no symmetry"),
        ("HenonHeiles", {"known": {"symmetries": [{"px": "-px", "t": "-t"}]}}, "is no symmetry"),
        ("Chirikov", {"known": {"symmetries": [{"p": "-p", "t": "-t"}]}}, "is no symmetry"),
        ("WrightFisher", {"known": {"stationary_density": {"exact": "x*(1 - x)"}}}, "density is not stationary"),
        ("HenonHeiles", {"known": {"conserved": {"energy": "px^2 + py^2"}}}, "energy is not conserved"),
        ("HenonHeiles", {"known": {"conserved": {"energy": "1"}}}, "energy is the same for all states"),
        ("Lorenz", {"known": {"largest_exponant": {"exact": "1"}}}, 'did you mean "largest_exponent"?'),
        ("Lorenz", {"known": {"largest_exponent": {"value": 0.9}}}, "should be { exact = … } or { value"),
        ("Lorenz", {"state": {"x": 30.0, "y": -30.0, "z": 5.0}}, "state: the state is"),
        ("Ueda", {"state": {"x": 0.0, "y": 6.0}}, "standard deviations away from a long run"),
        ("MackeyGlass", {"state": {"x": 9.0}}, "state: x = 9 is outside the range"),
        ("Lorenz", {"bifurcation": {"range": [100.0, 200.0]}}, "does not hold its value 28"),
        ("Lorenz", {"bifurcation": {"parameter": "beta", "range": [-50.0, 5.0]}}, "in the range of bifurcation"),
        ("Lorenz", {"measured": {"period": {"value": 0.5}}}, "period: the period is 1.5008, the measured one 0.5"),
        ("DoublePendulum", {"periods": {"th1": "3*pi"}}, "angles: the equations change when the angle th1 grows"),
        ("DoublePendulum", {"observables": {"sin_th1": "sin(th1/2)"}}, "the observable sin_th1 changes when the angle"),
        ("Lorenz", {"variants": {"old": {"equations": {"x": "1/0*y"}}}}, "variant old"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(name: str, changes: dict[str, Any], says: str) -> None:
    assert says in found(broken(name, **changes))


def test_what_wanders_off_is_seen_in_a_long_run() -> None:
    system = broken("GeometricBrownianMotion", tags=["stochastic"])
    assert "bounded: the range of x grows" in found(system, periods=5000.0)
    assert found(bst.system("GeometricBrownianMotion"), periods=5000.0) == ""


def test_a_good_entry_has_no_problems() -> None:
    assert found(bst.system("Rossler")) == ""


def test_a_run_that_ends_badly() -> None:
    with pytest.raises(AssertionError, match="diverged"):
        check_system(bst.System.from_text("x' = x^2", initial=[1.0], period=1.0))


@pytest.mark.parametrize(("name", "entry"), [("Lorenz", "d(z)/d(y)"), ("MackeyGlass", "d(x)/d(x)")])
def test_a_wrong_jacobian(name: str, entry: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake in the sixth digit of one element is seen, of a delay system as well."""
    system = bst.system(name)
    honest = type(system).jacobian
    factor = np.ones((system.dimension, system.dimension))
    factor[-1, -2 if system.dimension > 1 else 0] += 1e-5

    def wrong(self: bst.System, *arguments: Any, **options: Any) -> Any:
        return honest(self, *arguments, **options) * factor

    monkeypatch.setattr(type(system), "jacobian", wrong)
    assert f"{entry} differs from its central difference" in found(system, "system")


def test_the_delayed_terms_of_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are the values of the run one delay earlier."""
    system = bst.System.from_text("x' = y; y' = -x(t - 2) - y(t - 1)", initial=[1, 0], period=1.0)
    assert system.core.delayed_terms == [(0, 0), (1, 1)]
    subject = Subject(system, 1.0)
    x, t, delayed = subject.points
    index = np.searchsorted(subject.run.t, t)
    delays = system.core.delays(system.core.parameter_values)
    for column, (variable, delay) in enumerate(system.core.delayed_terms):
        earlier = index - np.rint(delays[delay] / 0.01).astype(int)
        assert np.array_equal(delayed[:, column], subject.run.x[earlier, variable])
    assert np.array_equal(x, subject.run.x[index])


def test_paths_and_variants(tmp_path: Path) -> None:
    text = (CATALOGUE / "flows" / "Rossler.toml").read_text()
    path = tmp_path / "MyRossler.toml"
    path.write_text(text.replace('name = "Rossler"', 'name = "MyRossler"'))
    check_entry(path, periods=100)
    check_entry(str(path), periods=100)
    check_entry("Lorenz", variant="dysts", periods=100)
    path.write_text(text.replace('tags = ["dissipative"', 'tags = ["driven", "dissipative"'))
    with pytest.raises(AssertionError, match='"driven" should not be there'):
        check_entry(path, periods=100)


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", "Rossler", "Henon", "--periods", "100"]) == 0
    assert "2 of 2 systems hold to the contract" in capsys.readouterr().out
    assert cli.main(["check", "Lorenz", "--variant", "dysts", "--periods", "100"]) == 0
    bad = tmp_path / "Bad.toml"
    bad.write_text('name = "Bad"\nkind = "flow"\nstate = { x = 1.0 }\n[equations]\nx = "-x +"\n')
    worse = tmp_path / "Worse.toml"
    worse.write_text((CATALOGUE / "flows" / "Rossler.toml").read_text().replace("about = ", "about = '' #"))
    capsys.readouterr()
    assert cli.main(["check", str(bad), str(worse), "--periods", "100"]) == 1
    out = capsys.readouterr().out
    assert f"{bad}" in out
    assert "form:" in out
    assert "about: about should be a sentence" in out
    assert "0 of 2 systems hold" in out
    assert cli.main(["check", "Lorent"]) == 2
    assert cli.main(["check", str(tmp_path / "none.toml")]) == 2
    assert cli.main(["check", "--variant", "dyst"]) == 2
    errors = capsys.readouterr().err
    for words in ('did you mean "Lorenz"?', "there is no file", 'did you mean "dysts"'):
        assert words in errors


def test_results_are_recorded_and_not_found_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A recorded result stands for the same definition checked in the same way; whatever differs is checked again."""
    path, how = tmp_path / "record.json", {"variant": None, "periods": 100.0, "whole": False, "rtol": 1e-9}
    good, bad = str(CATALOGUE / "flows" / "Rossler.toml"), tmp_path / "Worse.toml"
    text = Path(good).read_text()
    bad.write_text(text.replace('name = "Rossler"', 'name = "Worse"').replace("about = ", "about = '' #"))
    first = [Record(path, **how).of(name) for name in (good, str(bad))]
    assert first[0] == []
    assert [problem.check for problem in first[1]] == ["about"]

    asked: list[str] = []
    monkeypatch.setattr("bestiary.checks.record.check_named", lambda name, **_: asked.append(name) or [])
    assert [Record(path, **how).of(name) for name in (good, str(bad))] == first
    assert asked == []
    Record(path, **{**how, "rtol": 1e-8}).of(good)
    bad.write_text(bad.read_text().replace("c = 5.7", "c = 5.6"))
    Record(path, **how).of(str(bad))
    assert asked == [good, str(bad)]
    path.write_text("{")
    with pytest.raises(bst.RequestError, match="no record of checks"):
        Record(path, **how)


def test_a_whole_run_is_as_long_as_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """And its samples fall into all phases of a drive, however long it is."""
    monkeypatch.setattr(subject, "BUDGET", 1e5)
    system = bst.system("DuffingVanDerPol")
    assert Subject(system, 2000.0).long_periods < 1000
    long = Subject(system, 25_000.0, whole=True, rtol=1e-6).long
    assert long.t[-1] * subject.MEMBERS >= 25_000 * system.period * (1 - 1 / subject.MEMBER_SAMPLES)
    phases = np.exp(1j * system.parameters["Omega"] * long.t)
    assert abs(phases.mean()) < 0.05
