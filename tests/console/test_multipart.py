"""The parser of forms with a file, with what an attacker or a broken browser could send."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.errors import Refusal
from broker.web.console.multipart import MAX_FIELD, MAX_FIELDS, MAX_HEADERS, Multipart

TYPE = "multipart/form-data; boundary=batas"


def field(name: str, value: bytes) -> bytes:
    return b'--batas\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n' % (name.encode(), value)


def file(data: bytes, disposition: bytes = b'form-data; name="berkas"; filename="a.csv"') -> bytes:
    return b"--batas\r\nContent-Disposition: %b\r\nContent-Type: text/csv\r\n\r\n%b\r\n" % (disposition, data)


END = b"--batas--\r\n"


def read(body: bytes, sizes: list[int] | None = None) -> tuple[dict[str, str], bytes]:
    parser, out, at = Multipart(TYPE), b"", 0
    for size in [*(sizes or []), len(body)]:
        out += parser.feed(body[at : at + size])
        at += size
    parser.finish()
    return parser.fields, out


@pytest.mark.parametrize(
    "body",
    [
        b"x" + field("a", b"1") + file(b"x") + END,  # something before the first delimiter
        field("a", b"1") + field("a", b"2") + file(b"x") + END,  # a name twice
        file(b"x") + field("a", b"1") + END,  # a field behind the file
        file(b"x") + file(b"y") + END,
        field("a", b"1") + END,  # no file
        field("a", b"\xff") + file(b"x") + END,
        field("a", b"1" * (MAX_FIELD + 1)) + file(b"x") + END,
        b"".join(field(f"a{n}", b"1") for n in range(MAX_FIELDS + 1)) + file(b"x") + END,
        b'--batas\r\nContent-Disposition: form-data; name="a"\r\nX: ' + b"x" * MAX_HEADERS,
        b'--batas\r\nContent-Disposition: form-data; name="a"\r\nContent-Transfer-Encoding: base64\r\n\r\nMQ==\r\n' + file(b"x") + END,
        b"--batas\r\nContent-Type: text/plain\r\n\r\n1\r\n" + file(b"x") + END,
        b'--batas\r\nContent-Disposition: form-data; name="a"\r\nContent-Disposition: form-data; name="b"\r\n\r\n1\r\n' + file(b"x") + END,
        file(b"x", b"form-data; name=\"berkas\"; filename*=utf-8''a") + END,
        file(b"x", b'attachment; name="berkas"; filename="a"') + END,
        b"--batas \r\n" + field("a", b"1")[9:] + file(b"x") + END,
        file(b"x") + END + b"after",
    ],
)
def test_a_body_that_no_browser_sends_is_refused(body: bytes) -> None:
    for sizes in ([], [1] * len(body)):
        with pytest.raises(Refusal, match="parameter"):
            read(body, sizes)


@pytest.mark.parametrize("type_", ["", "text/plain", "multipart/form-data", "multipart/form-data; boundary=", "multipart/mixed; boundary=batas", 'multipart/form-data; boundary="a b "', f"multipart/form-data; boundary={'a' * 71}"])
def test_a_type_without_a_boundary_is_refused(type_: str) -> None:
    with pytest.raises(Refusal, match="parameter"):
        Multipart(type_)


@pytest.mark.parametrize("cut", [0, 5, 60, -1, -len(END)])
def test_a_body_that_breaks_off_is_refused(cut: int) -> None:
    body = (field("a", b"1") + file(b"x" * 100) + END)[:-2]
    with pytest.raises(Refusal, match="terputus"):
        read(body[:cut])


@pytest.mark.parametrize("data", [b"", b"\r\n", b"\r\n--bata", b"--batas", b"\r\n--Batas\r\n", bytes(range(256)) * 10])
def test_the_file_comes_out_as_it_is(data: bytes) -> None:
    body = field("a", b"1") + field("b", b"") + file(data) + END
    assert read(body) == ({"a": "1", "b": ""}, data)
    assert read(body, [1] * len(body)) == ({"a": "1", "b": ""}, data)


@given(st.text(alphabet="\r\n-batsx", max_size=60).filter(lambda text: "\r\n--batas" not in f"\r\n{text}"), st.lists(st.integers(1, 40), max_size=40))
def test_how_the_body_is_cut_changes_nothing(text: str, sizes: list[int]) -> None:
    assert read(field("a", b"1") + file(text.encode()) + END, sizes) == ({"a": "1"}, text.encode())


def test_fields_are_known_before_the_file_begins() -> None:
    parser = Multipart(TYPE)
    assert parser.feed(field("csrf", b"tanda") + file(b"rahasia")[:-5]) == b""
    assert (parser.fields, parser.began, parser.ended) == ({"csrf": "tanda"}, True, False)
