"""Personal data in text: identifiers found by pure functions, over one text or a whole column; Presidio's interface around the same."""

from broker.detection.identifiers import find
from broker.detection.misplaced import Misplaced, searched_columns

__all__ = ["Misplaced", "find", "searched_columns"]
