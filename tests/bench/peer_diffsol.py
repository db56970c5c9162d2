"""diffsol: Rust, compiled from its own language by LLVM before the clock starts; BDF for stiff systems."""

import ast
from importlib.metadata import version

import numpy as np
import pydiffsol
from workloads import Array, Run, Unsupported, Workload

NAME = "diffsol"
VERSION = version("pydiffsol")
PREFIX = "state"


def prepare(work: Workload, threads: int) -> Run:
    if work.initial.shape[0] > 1:
        raise Unsupported("no ensembles")
    if work.variants > 1:
        raise Unsupported("compiles each; see the rows of one trajectory")
    rights = ", ".join(_translated(right) for right in work.equations.values())
    starts = ", ".join(
        f"{PREFIX}{name} = {value!r}" for name, value in zip(work.equations, work.initial[0].tolist(), strict=True)
    )
    code = f"u_i {{ {starts} }}\nF_i {{ {rights} }}\n"

    def build() -> pydiffsol.Ode:
        solver = getattr(pydiffsol, work.method or ("bdf" if work.stiff else "tsit45"))
        ode = pydiffsol.Ode(code, matrix_type=pydiffsol.nalgebra_dense, ode_solver=solver)
        ode.rtol = ode.atol = work.tolerance
        return ode

    ready = None if work.include_build else build()

    def run() -> Array:
        ode = ready or build()
        return ode.solve_dense(np.array([]), work.times).ys.T[None]

    return run


class _Translation(ast.NodeTransformer):
    """Its language writes a power as a function, and has names of its own, such as u and t."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.op, ast.Pow):
            return ast.Call(ast.Name("pow"), [node.left, node.right], [])
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if node.id == "pi":
            return ast.Constant(np.pi)
        return node if node.id in ("t", "sin", "cos", "exp", "pow") else ast.Name(PREFIX + node.id)


def _translated(right: str) -> str:
    return ast.unparse(_Translation().visit(ast.parse(right, mode="eval")))
