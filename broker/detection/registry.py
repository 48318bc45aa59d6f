"""Presidio's interface over our recognisers: an offline AnalyzerEngine anyone can build. The flow itself uses the functions underneath.

No model, no download, no name look-up: the NLP engine is a no-op and none of Presidio's predefined recognisers is registered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from presidio_analyzer import AnalyzerEngine, EntityRecognizer, RecognizerRegistry, RecognizerResult
from presidio_analyzer.nlp_engine import NoOpNlpEngine

from broker.detection.identifiers import find

if TYPE_CHECKING:
    from presidio_analyzer.nlp_engine import NlpArtifacts

ENTITIES: Final = {"nik": "ID_NIK", "kk": "ID_KK", "npwp": "ID_NPWP", "phone": "PHONE_NUMBER", "email": "EMAIL_ADDRESS"}
_SCORES: Final = {"valid": 1.0, "plausible": 0.7, "shaped": 0.5}


class IdentifierRecognizer(EntityRecognizer):
    """Our identifier scanner as one Presidio recogniser."""

    def __init__(self) -> None:
        super().__init__(supported_entities=sorted(ENTITIES.values()), name="sinergi", supported_language="id")

    def load(self) -> None:
        """Nothing to load."""

    def analyze(self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts | None) -> list[RecognizerResult]:  # noqa: ARG002
        return [
            RecognizerResult(ENTITIES[f.kind], f.start, f.end, _SCORES[f.verdict]) for f in find(text) if not entities or ENTITIES[f.kind] in entities
        ]


def analyzer() -> AnalyzerEngine:
    """An AnalyzerEngine for language `id` that finds what `find` finds."""
    registry = RecognizerRegistry(recognizers=[IdentifierRecognizer()], supported_languages=["id"])
    return AnalyzerEngine(
        registry=registry, nlp_engine=NoOpNlpEngine(models=[{"lang_code": "id", "model_name": "noop"}]), supported_languages=["id"]
    )
