"""A run on one page: self-contained HTML that opens from disk, without a network and without another library."""

from jitnet.report.page import page
from jitnet.report.sweep_page import sweep_page

__all__ = ["page", "sweep_page"]
