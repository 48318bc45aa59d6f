"""Presidio's interface over our detection: an offline AnalyzerEngine anyone can build. The flow itself uses the functions underneath.

No model download, no name look-up: the NLP engine is a no-op and none of Presidio's predefined recognisers is registered.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Final

from presidio_analyzer import AnalyzerEngine, ContextAwareEnhancer, EntityRecognizer, RecognizerRegistry, RecognizerResult
from presidio_analyzer.nlp_engine import NoOpNlpEngine

from broker.detection.detect import KINDS, detect

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from presidio_analyzer.nlp_engine import NlpArtifacts

_COMMON: Final = {"phone": "PHONE_NUMBER", "email": "EMAIL_ADDRESS", "name": "PERSON", "place": "LOCATION", "birth_date": "DATE_OF_BIRTH", "mother": "MOTHERS_NAME"}
ENTITIES: Final = {kind: _COMMON.get(kind, f"ID_{kind.upper()}") for kind in KINDS}
SCORES: Final = {"valid": 1.0, "plausible": 0.7, "shaped": 0.5}
_WORD: Final = re.compile(r"\w+")
_CLITIC: Final = re.compile(r"(?<=\w{2})(?:nya|ku|mu|lah|kah|pun)$")


class SinergiRecognizer(EntityRecognizer):
    """Everything `detect` finds, as one Presidio recogniser."""

    def __init__(self) -> None:
        super().__init__(supported_entities=sorted(ENTITIES.values()), name="sinergi", supported_language="id")

    def load(self) -> None:
        """Nothing to load."""

    def analyze(self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts | None) -> list[RecognizerResult]:  # noqa: ARG002
        (findings,) = detect([text])
        return [RecognizerResult(ENTITIES[f.kind], f.start, f.end, SCORES[f.verdict]) for f in findings if not entities or ENTITIES[f.kind] in entities]


class IndonesianContext(ContextAwareEnhancer):
    """Raises the score of a finding beside a context word of its recogniser.

    Whole words, so that `simpanan` is no `sim`, after stripping -nya, -ku, -mu, -lah, -kah, -pun, so that `bpjsnya` is `bpjs`; before and after
    the finding, because Indonesian puts the label on either side. Linear in the text: Presidio's own walks all tokens for every finding.
    """

    def __init__(self, similarity: float = 0.35, least: float = 0.4, words: int = 5) -> None:
        super().__init__(context_similarity_factor=similarity, min_score_with_context_similarity=least, context_prefix_count=words, context_suffix_count=words)

    def enhance_using_context(
        self,
        text: str,
        raw_results: list[RecognizerResult],
        nlp_artifacts: NlpArtifacts,  # noqa: ARG002 - the text itself has the words
        recognizers: list[EntityRecognizer],
        context: list[str] | None = None,
    ) -> list[RecognizerResult]:
        """The results, those with a context word near scored higher; the list given is left as it was."""
        wanted = {r.id: {stem(word) for word in r.context or ()} for r in recognizers}
        around = {stem(word) for word in context or ()}
        found = list(_WORD.finditer(text))
        starts, stems = [m.start() for m in found], [stem(m.group()) for m in found]
        return [self._raised(r, wanted.get(_recognizer(r), set()), around, starts, stems) for r in raw_results]

    def _raised(self, result: RecognizerResult, wanted: set[str], around: set[str], starts: Sequence[int], stems: Sequence[str]) -> RecognizerResult:
        first, last = bisect_left(starts, result.start), bisect_right(starts, result.end - 1)
        near: Iterable[str] = (*stems[max(0, first - self.context_prefix_count) : first], *stems[last : last + self.context_suffix_count])
        if not wanted or (wanted.isdisjoint(near) and wanted.isdisjoint(around)):
            return result
        score = min(1.0, max(result.score + self.context_similarity_factor, self.min_score_with_context_similarity))
        return RecognizerResult(result.entity_type, result.start, result.end, score, result.analysis_explanation, result.recognition_metadata)


def stem(word: str) -> str:
    """A word in lower case without its clitic."""
    return _CLITIC.sub("", word.lower())


def _recognizer(result: RecognizerResult) -> str:
    return str((result.recognition_metadata or {}).get(RecognizerResult.RECOGNIZER_IDENTIFIER_KEY, ""))


def analyzer(*more: EntityRecognizer) -> AnalyzerEngine:
    """An AnalyzerEngine for language `id` that finds what `detect` finds, and what `more` recognisers find."""
    registry = RecognizerRegistry(recognizers=[SinergiRecognizer(), *more], supported_languages=["id"])
    engine = NoOpNlpEngine(models=[{"lang_code": "id", "model_name": "noop"}])
    return AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=["id"], context_aware_enhancer=IndonesianContext())
