"""A log's files over HTTP: for its own parties' systems and for officers who read it; a copy on disk that believes nothing."""

from __future__ import annotations

import hashlib
from base64 import b64decode
from typing import TYPE_CHECKING, Any

import pytest

from broker.client.connection import Connection
from broker.client.mirror import Mirrored, mirror
from broker.errors import ClientError, NotVerified
from broker.identity import sign_request
from broker.keys import LogKey, LogPublic, RequestKey, open_ring, public_set
from broker.ledger import leaf_hash, read_checkpoint
from broker.ledger.tiles import ENTRIES, Tile, read_bundle, tiles_between
from broker.ledger.tlogproof import verify_tlog_proof
from broker.record import BROKER_LOG, event
from tests.conftest import NOW
from tests.ledger.naive import mth
from tests.simulator import SIAPKERJA, SIBUSER, SIJOKER, URL, Province, Town

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import httpx2
    from starlette.testclient import TestClient

    from tests.lifecycle.conftest import Desk

LOG = "nk-sijunjung-2025"
ORIGIN = f"sinergi/{LOG}"


def grow(town: Town, n: int, log: str = LOG) -> None:
    with town.office.ledger.writing() as book:
        for i in range(n):
            book.append(log, event("refusal", town.now, number=i))


def key_of(town: Town, log: str = LOG) -> LogPublic:
    return town.office.rings[log].get(LogKey, "log").public


def connection(town: Town, system: str, http: TestClient) -> Connection:
    return Connection(URL, town.province.ring(system).get(RequestKey, "request"), lambda: town.now, http)


def asked(to: Connection, path: str) -> tuple[int, Any]:
    response = to.request("GET", path)
    return response.status_code, response.json().get("reason") if response.status_code >= 400 else response.content


# --- HTTP
@pytest.mark.parametrize("size", [3, 256, 600])
def test_a_party_gets_the_checkpoint_and_all_that_it_covers(desk: Desk, size: int) -> None:
    town = desk.town
    grow(town, size - 1)  # behind the first policy version's entry
    to = connection(town, SIJOKER, desk.http)
    response = to.request("GET", f"/tlog/{LOG}/checkpoint")
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert response.headers["cache-control"] == "no-store"
    checkpoint = read_checkpoint(response.text, ORIGIN, key_of(town))
    assert checkpoint.size == size
    leaves = b""
    for tile in (tile for tile in tiles_between(0, size) if tile.level == 0):
        response = to.request("GET", f"/tlog/{LOG}/{tile.path}")
        assert response.headers["content-type"] == "application/octet-stream"
        assert response.headers["cache-control"] == ("private, max-age=31536000, immutable" if tile.width == 256 else "no-store")
        leaves += response.content
        entries = read_bundle(asked(to, f"/tlog/{LOG}/{Tile(ENTRIES, tile.index, tile.width).path}")[1], tile.width)
        assert response.content == b"".join(map(leaf_hash, entries))
    hashes = [leaves[i : i + 32] for i in range(0, len(leaves), 32)]
    assert mth(hashes) == checkpoint.root
    if size >= 256:
        assert asked(to, f"/tlog/{LOG}/{Tile(1, 0, size // 256).path}") == (200, b"".join(mth(hashes[i : i + 256]) for i in range(0, size // 256 * 256, 256)))


def test_what_the_log_has_not_reached_is_not_there(desk: Desk) -> None:
    grow(desk.town, 299)
    to = connection(desk.town, SIJOKER, desk.http)
    assert asked(to, f"/tlog/{LOG}/tile/0/001.p/44")[0] == 200
    assert asked(to, f"/tlog/{LOG}/tile/0/001.p/43")[0] == 200  # of the checkpoint before
    for path in ("0/001.p/45", "0/001", "0/002", "1/000", "1/000.p/2", "2/000.p/1", "63/000", "entries/001.p/45", "entries/001", "entries/x001/000", "0/000.p/256", "0/0", "x", "0", "checkpoint", "0/000/"):
        assert asked(to, f"/tlog/{LOG}/tile/{path}") == (404, "tidak_ada"), path


def test_an_entry_that_is_not_durable_yet_is_not_there(town: Town) -> None:
    ledger = town.office.ledger
    size = ledger.size(LOG)
    next_one = (Tile(0, 0, size + 1), Tile(ENTRIES, 0, size + 1))
    with ledger.writing() as book:
        book.append(LOG, event("refusal", town.now))
        assert ledger.tile(LOG, Tile(0, 0, size)) is not None
        assert [ledger.tile(LOG, tile) for tile in next_one] == [None, None]
    assert None not in [ledger.tile(LOG, tile) for tile in next_one]


def test_nobody_else_learns_that_the_log_exists(desk: Desk) -> None:
    """The other regency's system and officers, a role that does not read logs, and a log that nobody has: one answer."""
    town = desk.town
    strangers = [connection(town, SIBUSER, desk.http)]
    for party, role, agreements in (("binjai", "auditor", frozenset[str]()), ("kemnaker", "auditor", frozenset({"nk-binjai-2025"})), ("sijunjung", "operator", frozenset[str]())):
        home = town.folder / desk.officer(party, role, agreements=agreements).person
        strangers.append(Connection(URL, open_ring(home / "secrets").get(RequestKey, "request"), lambda: town.now, desk.http))
    strangers.append(strangers[0])
    for to, log in zip(strangers, [LOG, LOG, LOG, LOG, "nk-lain-2025"], strict=True):
        for path in ("checkpoint", "tile/0/000.p/1", "tile/entries/000.p/1"):
            assert asked(to, f"/tlog/{log}/{path}") == (404, "tidak_ada")


def test_unsigned_and_replayed_requests_get_nothing(desk: Desk) -> None:
    for path in (f"/tlog/{LOG}/checkpoint", f"/tlog/{LOG}/tile/0/000.p/1", f"/v1/exchanges/{'0' * 32}/tlog-proof"):
        assert desk.http.get(path).json()["reason"] == "tanda_tangan"
        headers = sign_request("GET", URL + path, {}, desk.town.province.ring(SIJOKER).get(RequestKey, "request"), desk.town.now)
        desk.http.get(path, headers=headers)
        assert desk.http.get(path, headers=headers).json()["reason"] == "ulang"
        # Another key's id on a system's signature, and a system's id on another key's.
        other = sign_request("GET", URL + path, {}, RequestKey(bytes(32)), desk.town.now)
        assert desk.http.get(path, headers=other).json()["reason"] == "tanda_tangan"
        kids = [desk.town.province.ring(s).get(RequestKey, "request").public.kid for s in (SIJOKER, SIAPKERJA)]
        forged = headers | {"Signature-Input": headers["Signature-Input"].replace(kids[0], kids[1])}
        assert desk.http.get(path, headers=forged).json()["reason"] == "tanda_tangan"


@pytest.mark.parametrize("role", ["auditor", "ppdp", "petugas_keamanan", "admin_pihak"])
def test_an_officer_who_reads_the_log_gets_its_files(desk: Desk, role: str) -> None:
    home = desk.town.folder / desk.officer("sijunjung", role).person
    to = Connection(URL, open_ring(home / "secrets").get(RequestKey, "request"), lambda: desk.town.now, desk.http)
    assert asked(to, f"/tlog/{LOG}/tile/entries/000.p/1")[0] == 200
    assert asked(to, f"/tlog/{BROKER_LOG}/checkpoint") == (404, "tidak_ada")


def test_of_the_brokers_own_log_there_is_the_checkpoint_alone(desk: Desk) -> None:
    """Its entries name systems of every party, and their hashes could be guessed."""
    grow(desk.town, 300, BROKER_LOG)
    to = connection(desk.town, SIBUSER, desk.http)
    assert asked(to, f"/tlog/{BROKER_LOG}/checkpoint")[0] == 200
    for path in ("tile/0/000", "tile/1/000.p/1", "tile/entries/000", "tile/entries/000.p/1"):
        assert asked(to, f"/tlog/{BROKER_LOG}/{path}") == (404, "tidak_ada")


def test_an_exchanges_tlog_proof_proves_its_manifest_to_both_sides_and_nobody_else(desk: Desk) -> None:
    town = desk.town
    name, _ = town.exchange(town.csv(town.rows()))
    grow(town, 20)
    for system in (SIJOKER, SIAPKERJA):
        to = connection(town, system, desk.http)
        manifest = b64decode(to.get(f"/v1/exchanges/{name}/proof")["manifest"])
        response = to.request("GET", f"/v1/exchanges/{name}/tlog-proof")
        assert response.headers["content-type"] == "text/plain; charset=utf-8"
        checkpoint = verify_tlog_proof(response.text, manifest, ORIGIN, key_of(town))
        assert checkpoint.size == town.office.ledger.size(LOG)
        with pytest.raises(NotVerified):
            verify_tlog_proof(response.text, manifest + b" ", ORIGIN, key_of(town))
    assert asked(connection(town, SIBUSER, desk.http), f"/v1/exchanges/{name}/tlog-proof") == (404, "tidak_ada")
    waiting = town.accept(town.submission(town.csv(town.rows())))
    assert asked(connection(town, SIJOKER, desk.http), f"/v1/exchanges/{waiting}/tlog-proof") == (409, "belum_siap")


# --- a copy
def files(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_a_copy_grows_with_the_log_and_is_the_same_as_one_made_at_once(desk: Desk, tmp_path: Path) -> None:
    town, copy = desk.town, tmp_path / "salinan"
    to = connection(town, SIAPKERJA, desk.http)
    before = town.office.ledger.size(LOG)
    assert mirror(to, LOG, public_set("broker", town.office.rings), copy) == Mirrored(0, before)
    for n in (0, 3, 250, 20, 256):
        grow(town, n)
        assert mirror(to, LOG, public_set("broker", town.office.rings), copy) == Mirrored(before, before + n)
        before += n
    mirror(to, LOG, public_set("broker", town.office.rings), tmp_path / "sekali")
    grown = files(copy)
    assert {name: grown[name] for name in files(tmp_path / "sekali")} == files(tmp_path / "sekali")
    assert not [name for name in grown if "000.p" in name and not name.startswith("tile/1/")]  # partial tiles went with the full one
    served = {tile.path: (copy / tile.path).read_bytes() for tile in tiles_between(0, before)}
    for path, data in served.items():
        assert asked(to, f"/tlog/{LOG}/{path}") == (200, data)
    entries = read_bundle((copy / "tile/entries/000").read_bytes(), 256)
    with town.office.ledger.database.read() as tx:
        assert entries == list(tx.entries(LOG))[:256]


def test_a_rewritten_log_never_reaches_a_copy(province: Province, tmp_path: Path) -> None:
    """Another history under the same key, longer, of the same size, or shorter than the one copied."""
    first, copy = Town(province, tmp_path / "satu", NOW), tmp_path / "salinan"
    with first.http() as http:
        grow(first, 20)
        mirror(connection(first, SIJOKER, http), LOG, public_set("broker", first.office.rings), copy)
    first.close()
    kept = files(copy)
    for number, (n, said) in enumerate(((19, "has shrunk"), (20, "is not the one mirrored before"), (300, "was rewritten"))):
        other = Town(province, tmp_path / f"lain-{number}", NOW.replace(minute=1))
        with other.http() as http:
            grow(other, n)
            with pytest.raises(NotVerified, match=said):
                mirror(connection(other, SIJOKER, http), LOG, public_set("broker", other.office.rings), copy)
        other.close()
        assert files(copy) == kept


class Lying(Connection):
    """A broker, or someone on the way, that changes answers."""

    change: Callable[[str, bytes], bytes]

    def request(self, method: str, path: str, *more: Any, **named: Any) -> httpx2.Response:
        response = super().request(method, path, *more, **named)
        response._content = type(self).change(path, response.content)
        return response


@pytest.mark.parametrize(
    "change",
    [
        lambda path, data: data.replace(b'"number":7', b'"number":8') if "entries" in path else data,
        lambda path, data: data[:-1] if "entries" in path else data,
        lambda path, data: data + data if "entries" in path else data,
        lambda path, data: b"" if "entries" in path else data,
        lambda path, data: data.replace(b"\n21\n", b"\n20\n") if "checkpoint" in path else data,
        lambda path, data: data.replace(b"sinergi/nk-sijunjung", b"sinergi/nk-binjai") if "checkpoint" in path else data,
        lambda path, data: data[:-4] + b"AAA\n" if "checkpoint" in path else data,
        lambda path, data: b"\xff\xfe" if "checkpoint" in path else data,
    ],
)
def test_a_change_on_the_way_leaves_no_file(desk: Desk, tmp_path: Path, change: Callable[[str, bytes], bytes]) -> None:
    grow(desk.town, 20)
    liar = type("Liar", (Lying,), {"change": staticmethod(change)})
    to = liar(URL, desk.town.province.ring(SIJOKER).get(RequestKey, "request"), lambda: desk.town.now, desk.http)
    with pytest.raises(NotVerified):
        mirror(to, LOG, public_set("broker", desk.town.office.rings), tmp_path / "salinan")
    assert files(tmp_path) == {name: digest for name, digest in files(tmp_path).items() if not name.startswith("salinan/")}


def test_a_copy_that_was_changed_is_not_added_to(desk: Desk, tmp_path: Path) -> None:
    copy = tmp_path / "salinan"
    to = connection(desk.town, SIJOKER, desk.http)
    grow(desk.town, 20)
    mirror(to, LOG, public_set("broker", desk.town.office.rings), copy)
    (tile,) = (copy / "tile/0").rglob("*/*")
    good = tile.read_bytes()
    for bad in (good[:-1] + bytes([good[-1] ^ 1]), good[:-32], good + bytes(32)):
        tile.write_bytes(bad)
        with pytest.raises(NotVerified, match="was changed here"):
            mirror(to, LOG, public_set("broker", desk.town.office.rings), copy)
    tile.write_bytes(good)
    grow(desk.town, 1)
    assert mirror(to, LOG, public_set("broker", desk.town.office.rings), copy).after == desk.town.office.ledger.size(LOG)


def test_a_refused_copy_is_not_begun(desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(ClientError):
        mirror(connection(desk.town, SIBUSER, desk.http), LOG, public_set("broker", desk.town.office.rings), tmp_path / "salinan")
    assert not (tmp_path / "salinan").exists()
