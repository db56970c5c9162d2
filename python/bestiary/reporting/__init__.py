"""
`bestiary.report`: the results of a benchmark as one HTML file that needs no network.

    svg     small pictures
    page    the parts of the page
    gallery forecasts against truth
    report  puts the above together
"""

from .report import report

__all__ = ["report"]
