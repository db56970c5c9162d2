"""What the catalogue knows now of the systems that were forecast, in the forms in which the task has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import analysis
from ..benchmark import Task

if TYPE_CHECKING:
    import polars as pl

__all__ = ["facts", "with_exponents"]


def facts(task: Task, frame: pl.DataFrame) -> pl.DataFrame:
    """
    The columns of `analysis.invariants`, and `exponent_error`, by the names that the task has for the systems.

    The exponent is that of the rows where the catalogue has none of this form; of regular motion there is none, nor
    what follows from it.
    """
    import polars as pl

    names = frame["system"].unique().sort().to_list()
    forms = [task.measured_form(name) for name in names]
    errors = [form.entry.get("measured", {}).get("largest_exponent", {}).get("error") for form in forms]
    in_rows = frame.group_by("system").agg(pl.col("exponent").drop_nulls().first().alias("in_rows"))
    known = (
        analysis.invariants(forms)
        .with_columns(system=pl.Series(names), exponent_error=pl.Series(errors, dtype=pl.Float64))
        .join(in_rows, on="system", how="left")
        .with_columns(exponent=pl.col("exponent").fill_nan(None).fill_null(pl.col("in_rows")))
        .with_columns(exponent_period=pl.col("exponent") * pl.col("period"))
        .drop("in_rows")
    )
    regular = pl.col("exponent_period") <= analysis.RESOLVED
    of_chaos = ("exponent", "exponent_error", "exponent_period", "entropy", "kaplan_yorke_dimension")
    return known.with_columns(pl.when(regular).then(None).otherwise(pl.col(name)).alias(name) for name in of_chaos)


def with_exponents(frame: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """The rows with the exponents of `facts` in place of those that were known when they were made."""
    return frame.drop("exponent").join(known.select("system", "exponent"), on="system", how="left")
