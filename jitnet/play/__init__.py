"""A run as a page on which one draws, watches and trains: one HTML file, without a connection, Python or a server."""

from jitnet.play.page import page
from jitnet.play.subject import Snapshot, Subject

__all__ = ["Snapshot", "Subject", "page"]
