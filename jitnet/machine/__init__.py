"""This computer: threads, memory, and its peak speed."""
