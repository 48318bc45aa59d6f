"""What leaves of a row: mask, generalise, keyed pseudonym, clear; hidden is the default."""

from broker.treatment.levels import Profiles, effective_level, profiles
from broker.treatment.pseudonym import DomainKey, pseudonym_tokens
from broker.treatment.treat import Treatment

__all__ = ["DomainKey", "Profiles", "Treatment", "effective_level", "profiles", "pseudonym_tokens"]
