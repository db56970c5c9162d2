"""Your own system, three ways: as text, as a Python function, and as a file. All three are the same system."""

from pathlib import Path

import numpy as np

import bestiary as bst

# As text. Parameters by name; the initial state in the order of the equations.
text = bst.System.from_text(
    """
    theta' = omega
    omega' = -sin(theta) - damping*omega + drive*cos(frequency*t)
    """,
    name="Pendulum",
    parameters={"damping": 0.5, "drive": 1.2, "frequency": "2/3"},
    initial=[0.1, 0.0],
    periods={"theta": "2*pi"},  # an angle: it is wrapped during the run, and keeps its digits
    period=3 * np.pi,  # of the drive; the unit of sampling
)
print(text)


# As a function. It is called once with symbols in place of numbers, then never again.
def pendulum(x, t, damping, drive, frequency):
    theta, omega = x
    return omega, -np.sin(theta) - damping * omega + drive * np.cos(frequency * t)


traced = bst.System.from_function(
    pendulum,
    names=["theta", "omega"],
    name="Pendulum",
    parameters={"damping": 0.5, "drive": 1.2, "frequency": "2/3"},
    initial=[0.1, 0.0],
    periods={"theta": "2*pi"},
    period=3 * np.pi,
)

# As a file, in the format of the catalogue.
Path("pendulum.toml").write_text(text.to_toml(), encoding="utf-8")
read = bst.System.from_toml("pendulum.toml")
print(f"\nthe same after writing and reading: {read == text}")

runs = [system.trajectory(2000, transient=20 * text.period) for system in (text, traced, read)]
print(f"largest difference of the three runs: {max(np.abs(run.x - runs[0].x).max() for run in runs[1:]):.1e}\n")
print(runs[0])

# What follows from the equations, without being written anywhere.
state = np.array([0.1, 0.0])
print(f"\nJacobian at {state}:\n{text.jacobian(state)}")
print(f"\nfor your paper:\n{text.to_latex()}")
try:
    bst.System.from_text("x' = sigma*(y - x)\ny' = sin(x", parameters={"sigma": 10})
except bst.LanguageError as error:
    print(f"\nand when the text is wrong:\n{error}")
