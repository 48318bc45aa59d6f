"""What leaves of a row: mask, generalise, keyed pseudonym, clean, clear; hidden is the default."""

from broker.treatment.clean import People, clean, placeholder, words
from broker.treatment.levels import Profiles, effective_level, profiles
from broker.treatment.pseudonym import DomainKey, pseudonym_tokens
from broker.treatment.treat import Treatment, cleaned

__all__ = ["DomainKey", "People", "Profiles", "Treatment", "clean", "cleaned", "effective_level", "placeholder", "profiles", "pseudonym_tokens", "words"]
