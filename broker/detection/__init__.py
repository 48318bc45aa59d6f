"""Personal data in text: identifiers, names and specific personal data, over one text or a whole column; Presidio's interface around the same."""

from broker.detection.detect import KINDS, detect, readable
from broker.detection.identifiers import find
from broker.detection.misplaced import Misplaced, searched_columns

__all__ = ["KINDS", "Misplaced", "detect", "find", "readable", "searched_columns"]
