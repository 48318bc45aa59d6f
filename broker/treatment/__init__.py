"""What leaves of a row: mask, generalise, keyed pseudonym, clean, clear; hidden is the default."""

from broker.treatment.clean import People, clean, placeholder, words
from broker.treatment.levels import Profiles, effective_level, profiles
from broker.treatment.pseudonym import DomainKey, pseudonym_tokens
from broker.treatment.reverse import NIK, PERSONS, TOKEN, epoch_of, turned_back
from broker.treatment.treat import Treatment, cleaned

__all__ = ["NIK", "PERSONS", "TOKEN", "DomainKey", "People", "Profiles", "Treatment", "clean", "cleaned", "effective_level", "epoch_of", "placeholder", "profiles", "pseudonym_tokens", "turned_back", "words"]
