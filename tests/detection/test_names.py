"""Names of persons and places: the decoder against a naive one and against CRFsuite, the tokens, the spans, and what must never happen."""

from __future__ import annotations

import io
import math
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.detection import chain, forms, names
from broker.detection.chain import LABELS
from broker.detection.detect import detect
from broker.detection.forms import EDGE, MODES, OFFSETS, REACH
from broker.detection.names import NameFinder, find_names

if TYPE_CHECKING:
    from types import ModuleType

    from numpy.typing import NDArray

TEXTS = (
    "Sdr. Rahmat Hidayat, warga Muaro Sijunjung, tdk hadir wawancara.",
    "NAMA : BINSAR SIREGAR\nNIK : 1303 0512 0190 9001\nHP : 0812-0000-1111",
    "awak alah kanai phk, kato uda rahmat; surat menyusul",
    "Rapat dinas pada hari Senin.",
    "Bu",
    "",
)


def trainer() -> ModuleType:
    loader = SourceFileLoader("train_names", str(Path(__file__).resolve().parents[2] / "scripts" / "train_names"))
    spec = spec_from_loader("train_names", loader)
    assert spec
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


def decoded(model: names.Model, texts: list[str]) -> list[NDArray[np.float32]]:
    """Per text the chances (tokens, labels) by the product's own steps."""
    line = forms.Forms().line(texts)
    read = NameFinder(model)._emissions.read(line)
    likely = chain.chances(read.scores, line.begins, line.ends, model.transitions)
    return [likely[b:e] for b, e in zip(line.begins, line.ends, strict=True)]


def feature_strings(text: str, lists: Any) -> list[list[str]]:
    """Per token its features as `offset:kind=value`, made one by one."""
    shown = [forms.form(t) for t in forms.tokens(text)]
    classes = [forms.case_class(s) for s in shown]
    mode = MODES[forms.case_mode(classes.count(1), classes.count(2), classes.count(3))]
    padded = [EDGE] * REACH + shown + [EDGE] * REACH
    rows = []
    for i in range(len(shown)):
        row = []
        for k, offset in enumerate(OFFSETS):
            seen = padded[i + k]
            single = forms.features(seen, lists)
            row += [f"{k}:{f}" for f in (*single, *forms.case_features(single, seen, mode)) if forms.reach(f) >= abs(offset)]
        rows.append(row)
    return rows


def naive(model: names.Model, text: str) -> list[list[float]]:
    """Marginals by log-space forward-backward over feature strings, no table, no batch."""
    scores = []
    for row in feature_strings(text, model.lists):
        cells = [(model.index[f], int(k)) for k, f in (r.split(":", 1) for r in row) if f in model.index]
        scores.append([math.fsum(float(model.weights[i, k, y]) for i, k in cells) for y in range(len(LABELS))])
    size, moves = range(len(LABELS)), model.transitions.astype(float)
    forward = [scores[0]] if scores else []
    for here in scores[1:]:
        forward.append([here[y] + logsum([forward[-1][x] + moves[x, y] for x in size]) for y in size])
    backward = [[0.0] * len(LABELS)]
    for here in reversed(scores[1:]):
        backward.append([logsum([moves[x, y] + here[y] + backward[-1][y] for y in size]) for x in size])
    backward.reverse()
    return [[math.exp(f[y] + b[y] - logsum(forward[-1])) for y in size] for f, b in zip(forward, backward, strict=False)]


def logsum(values: list[float]) -> float:
    top = max(values)
    return top + math.log(math.fsum(math.exp(v - top) for v in values))


def test_the_batched_decoder_agrees_with_a_naive_one() -> None:
    model = names.shipped()
    for text, chances in zip(TEXTS, decoded(model, list(TEXTS)), strict=True):
        assert chances.shape == (len(forms.tokens(text)), len(LABELS))
        if text:
            assert np.abs(chances - np.array(naive(model, text))).max() < 1e-4


def test_the_decoder_agrees_with_crfsuite(tmp_path: Path) -> None:
    pycrfsuite = pytest.importorskip("pycrfsuite")
    script = trainer()
    texts = [
        script.Marked("Sdr. Rahmat Hidayat hadir di Muaro .", ((5, 19, "PER"), (29, 34, "LOC"))),
        script.Marked("Ibu Siti Aminah pulang ke Binjai .", ((4, 15, "PER"), (26, 32, "LOC"))),
        script.Marked("RAPAT DIBUKA OLEH BINSAR .", ((18, 24, "PER"),)),
        script.Marked("surat dikirim hari senin .", ()),
    ] * 3
    lists = {"siti": ("g=depan",), "rapat": ("c=umum",)}
    rows = [feature_strings(t.text, lists) for t in texts]
    labels = [[label for _, label in script.labelled(t)] for t in texts]
    trained = pycrfsuite.Trainer(algorithm="lbfgs", verbose=False)
    trained.set_params({"c1": 0.0, "c2": 0.1, "max_iterations": 40, "feature.possible_transitions": True})
    for row, label in zip(rows, labels, strict=True):
        trained.append(row, label)
    file = tmp_path / "tiny.crfsuite"
    trained.train(str(file))
    tagger = pycrfsuite.Tagger()
    tagger.open(str(file))
    info = tagger.info()
    model = names.read_model(io.BytesIO(script.packed(info.state_features, info.transitions, lists, 0.1)))
    unseen = script.Marked("Ibu Hidayat hadir di Binjai hari senin .", ())
    for text in (*texts[:4], unseen):
        (chances,) = decoded(model, [text.text])
        tagger.set(feature_strings(text.text, lists))
        for i, row in enumerate(chances):
            for y, tag in enumerate(LABELS):
                if tag in tagger.labels():
                    assert row[y] == pytest.approx(tagger.marginal(tag, i), abs=0.01)  # small weights are cut, the others are halves


@given(st.lists(st.text(max_size=60), max_size=6))
@settings(max_examples=150, deadline=None)
def test_any_text_is_read_whole_and_spans_stay_inside(texts: list[str]) -> None:
    for text, findings in zip(texts, find_names(texts), strict=True):
        assert "".join("".join(forms.tokens(text)).split()) == "".join(text.split())
        at = 0
        for f in findings:
            assert at <= f.start < f.end <= len(text)
            assert f.kind in ("name", "place") and f.verdict in ("valid", "plausible", "shaped")
            assert not text[f.start].isspace() and not text[f.end - 1].isspace()
            at = f.end


def found(text: str, kind: str = "name") -> list[str]:
    return [text[f.start : f.end] for f in find_names([text])[0] if f.kind == kind]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Sdr. Rahmat Hidayat tdk bisa hadir wawancara, minta dihubungi besok.", "Rahmat Hidayat"),
        ("SDR. RAHMAT HIDAYAT TDK BISA HADIR WAWANCARA, MINTA DIHUBUNGI BESOK.", "RAHMAT HIDAYAT"),
        ("sdr. rahmat hidayat tdk bisa hadir wawancara, minta dihubungi besok.", "rahmat hidayat"),
        ("Berkas a.n. Sondang br Siregar sudah lengkap.", "Sondang br Siregar"),
        ("Surat diterima oleh Bapak H. Zulkarnain, S.T. pada hari Senin.", "Zulkarnain"),
        ("Nama : Siti N.\nUmur : 31", "Siti N."),
        ("Sudah ditelepon, yang menjawab M. Rizki.", "M. Rizki"),
        ("😀👍🏽 Ibu Desi Ratnasari belum mengisi asesmen.", "Desi Ratnasari"),
        ("Kontak darurat\u00a0:\u00a0Ujang Koswara (ayah)", "Ujang Koswara"),
        ("Pelapor Ngena Karo-karo datang sendiri.", "Ngena Karo-karo"),
        ("Saya Kamrizal H. verifikator, berkas saya tahan.", "Kamrizal H."),
        ("Menurut Ibu Gabriella Putri berkasnya hilang.", "Gabriella Putri"),
    ],
)
def test_a_name_is_found_whole_without_its_title(text: str, name: str) -> None:
    assert name in found(text)


@pytest.mark.parametrize(
    "text",
    [
        "Rapat evaluasi penempatan dilaksanakan pada hari Senin di kantor dinas.",
        "Peserta wajib membawa fotokopi ijazah dan pasfoto 3x4.",
        "UPAH LEMBUR TIDAK DIBAYAR SELAMA EMPAT BULAN.",
        "berkas lengkap, surat phk sesuai.",
    ],
)
def test_a_note_without_a_person_has_no_name(text: str) -> None:
    assert found(text) == []


def test_a_place_is_told_from_a_person() -> None:
    assert "Surabaya" in found("Ia pindah dari Surabaya ke Jakarta pada tahun 2019.", "place")


def test_the_other_texts_of_a_batch_change_nothing() -> None:
    texts = [*TEXTS, "x " * 700, *TEXTS]
    assert find_names(texts) == [find_names([text])[0] for text in texts]


def test_a_text_cut_in_windows_reads_as_one_chain() -> None:
    model = names.shipped()
    text = " ".join(TEXTS[:4]) + " "
    line = forms.Forms().line([text * 12, TEXTS[0], text * 15])
    read = NameFinder(model)._emissions.read(line)
    cut, whole = (f(read.scores, line.begins, line.ends, model.transitions) for f in (chain.chances, chain.marginals))
    assert line.ends[0] - line.begins[0] > chain.WINDOW
    assert np.abs(cut - whole).max() < 1e-3


def test_contradicting_evidence_does_not_run_out_of_digits() -> None:
    size = len(LABELS)
    scores = np.full((400, size), -35.0, dtype=np.float32)
    scores[np.arange(400), np.arange(400) % size] = 35.0
    moves = np.full((size, size), -20.0, dtype=np.float32)
    moves[0, 0] = 9.0
    chances = chain.marginals(scores, np.array([0], dtype=np.int32), np.array([400], dtype=np.int32), moves)
    assert np.abs(chances.sum(axis=1) - 1).max() < 1e-5


def test_a_full_table_is_emptied_and_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    before, known = detect(TEXTS), forms.table().line([""]).known
    monkeypatch.setattr(forms, "_CHARACTERS", 5)
    assert detect(TEXTS) == before == detect(TEXTS)
    assert known is not forms.table().line([""]).known
    assert len(forms.table()) < 200


def test_a_piece_met_before_with_other_digits_has_its_tokens() -> None:
    table = forms.Forms()
    texts = ["NIK:1303051204889001, RT 3/4", "NIK:3201010101019002, RT 5/6", "a  b\t12\nc ", ""]
    lines = [table.line([text]) for text in texts]
    assert [lines[0].forms.tolist(), lines[0].stops.tolist()] == [lines[1].forms.tolist(), lines[1].stops.tolist()]
    for text, line in zip(texts, lines, strict=True):
        inside = slice(int(line.begins[0]), int(line.ends[0]))
        assert [text[a:b] for a, b in zip(line.starts[inside], line.stops[inside], strict=True)] == forms.tokens(text)
        assert [line.known[n] for n in line.forms[inside]] == [forms.form(token) for token in forms.tokens(text)]
    assert not any("1303051204889001" in piece for piece in table)


def test_a_reason_never_contains_the_name() -> None:
    for text, findings in zip(TEXTS, find_names(TEXTS), strict=True):
        for f in findings:
            assert text[f.start : f.end] not in f.reason


def test_the_model_is_small() -> None:
    file = Path(names.__file__).with_name("names.npz")
    assert file.stat().st_size < 4_000_000


def test_a_word_that_only_names_hold_needs_less() -> None:
    said = "Perusahaan bawa {} SH dari Medan."
    assert "Yulizar" in " ".join(found(said.format("Yulizar")))
    assert "Bukti" not in "".join(found(said.format("Bukti")))


def test_a_part_of_names_that_is_a_word_too_belongs_to_the_name_it_touches() -> None:
    assert found("telp ibu Cinthia Putri Lestari - mau batalin") == ["Cinthia Putri Lestari"]
    assert "Putri" not in " ".join(found("kelas putri dipisah, asrama Putri penuh"))


def test_a_name_spelt_by_hyphens_is_one_finding() -> None:
    for text in ("NIK tidak ada, nama R-U-S-D-I-A-N-A, lahir di Muaro", "NAMA R-U-S-D-I-A-N-A, LAHIR DI MUARO"):
        findings = find_names([text])[0]
        assert all(before.end <= after.start for before, after in pairwise(findings))
