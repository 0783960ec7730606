"""A run on one page: self-contained HTML that opens from disk, without a network and without another library."""

from jitnet.report.page import page

__all__ = ["page"]
