"""
The Mackey-Glass equation against JiTCDDE (Ansmann 2018, Chaos 28, 043116), before chaos amplifies.

JiTCDDE is asked in an environment of its own: the Python named by BESTIARY_JITCDDE, or this one, if it has the package.
"""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

import bestiary as bst

ASK = """
import json, sys
from jitcdde import jitcdde, t, y
asked = json.loads(sys.stdin.read())
feedback = asked["beta"]*y(0, t - asked["tau"])/(1 + y(0, t - asked["tau"])**asked["n"])
equation = jitcdde([feedback - asked["gamma"]*y(0)], verbose=False)
equation.constant_past([asked["x"]])
equation.generate_lambdas()
equation.set_integration_parameters(rtol=asked["rtol"], atol=asked["rtol"], first_step=0.01, min_step=1e-12)
equation.step_on_discontinuities()
x = []
for time in asked["times"]:
    assert equation.t <= time
    x.append(float(equation.integrate(time)[0]))
print(json.dumps(x))
"""
TIMES = [50.0, 100.0, 150.0, 200.0, 250.0, 300.0]


def jitcdde(**asked: object) -> np.ndarray:
    python = os.environ.get("BESTIARY_JITCDDE", sys.executable)
    if subprocess.run([python, "-c", "import jitcdde, sympy"], capture_output=True, check=False).returncode:
        pytest.skip(f"{python} has no jitcdde: name a Python that has in BESTIARY_JITCDDE")
    answer = subprocess.run(
        [python, "-c", ASK], input=json.dumps(asked), capture_output=True, text=True, check=True, timeout=600
    )
    return np.array(json.loads(answer.stdout.splitlines()[-1]))


def test_mackey_glass() -> None:
    """
    Its pair of order 3 nears our trajectory as its tolerance falls, and meets it in eight digits at 1e-10.

    The largest exponent is about 0.007 per unit of time, so an error grows 8-fold over 300.
    """
    system = bst.system("MackeyGlass")
    ours = system.trajectory(times=TIMES)["x"]
    apart = []
    for rtol in (1e-6, 1e-8, 1e-10):
        theirs = jitcdde(**system.parameters, x=system.initial[0], rtol=rtol, times=TIMES)
        apart.append(float(np.abs(theirs - ours).max()))
        assert apart[-1] < 1000 * rtol
    assert apart[0] > 30 * apart[1] > 900 * apart[2]
