"""The run folder: everything about one training, in files that people, spreadsheets and resumes can read."""

from jitnet.run.folder import RunFolder

__all__ = ["RunFolder"]
