"""The self-check passes here, and would not pass with wrong numbers."""

import pytest

import bestiary as bst
from bestiary import doctor


def test_all_is_well(capsys):
    assert doctor.doctor()
    out = capsys.readouterr().out
    assert out.startswith(f"bestiary {bst.__version__}")
    assert out.count("\nok ") == len(doctor.CHECKS)
    assert "all is well" in out


@pytest.mark.parametrize("fault", ["wrong", "nan", "error"])
def test_a_fault_is_found(fault, monkeypatch, capsys):
    def deviation():
        if fault == "error":
            raise ValueError("broken")
        return float("nan") if fault == "nan" else 1e-3

    monkeypatch.setattr(doctor, "CHECKS", [("a check", deviation, 1e-9)])
    assert not doctor.doctor()
    captured = capsys.readouterr()
    assert "FAILED  a check" in captured.out + captured.err
