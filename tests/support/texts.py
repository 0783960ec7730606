"""Any text, as hypothesis draws it."""

from hypothesis import strategies as st

# The alphabet of st.text() itself. That one asks UTF-8 for each character of Unicode: 10 s of CPU in a new clone.
ALPHABET = st.characters(exclude_categories=["Cs"])


def texts(most: int | None = None) -> st.SearchStrategy[str]:
    """Return texts of up to that many characters."""
    return st.text(ALPHABET, max_size=most)
