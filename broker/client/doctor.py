"""What stands between this party and a first exchange, one question after another; the first that fails usually explains the rest."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import httpx2

from broker.client.account import Account
from broker.client.client import Client
from broker.client.known import belief
from broker.errors import ClientError, SinergiError
from broker.identity import WINDOW_SECONDS
from broker.ledger.cosign import cosigners, read_policy
from broker.selftest import CLIENT, failed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WIB: Final = timedelta(hours=7)
_OFFICER: Final = re.compile(r"[a-z]+-[0-9]+@[a-z0-9_-]+")  # as the broker names accounts (docs/formats/people.md); a system has no number


@dataclass(frozen=True, slots=True)
class Finding:
    ok: bool
    what: str
    remedy: str = ""


def examine(home: Path, now: datetime, http: httpx2.Client | None = None) -> list[Finding]:
    """Findings in order; stops where going on would only repeat the same fault."""
    return list(_examine(home, now, http))


def _examine(home: Path, now: datetime, http: httpx2.Client | None) -> Iterator[Finding]:
    if names := failed(CLIENT):
        yield Finding(False, f"Uji diri gagal: {', '.join(names)}.", "Pasang ulang sinergi dari paket yang terkunci (requirements.lock); jangan menyegel apa pun sebelum lulus.")
        return
    try:
        client = Client.at(home, lambda: now, http)
    except SinergiError as error:
        yield Finding(False, f"Rumah klien atau kuncinya belum ada: {error}", "Jalankan `broker keys new --system SISTEM@PIHAK --url ALAMAT`.")
        return
    with client:
        officer = _OFFICER.fullmatch(client.system)
        yield Finding(True, f"Kunci {'petugas' if officer else 'sistem'} {client.system} ada dan hanya milik Anda.")
        try:
            pinned = client.broker.fingerprint
        except ClientError:
            yield Finding(False, "Kunci broker belum dipasang.", "Minta public.json dan sidik jarinya, lalu `broker keys trust public.json --fingerprint …`.")
            return
        yield Finding(True, f"Kunci broker terpasang ({pinned[:19]} …).")
        try:
            health = client.health()
        except (httpx2.TransportError, ClientError):
            yield Finding(False, f"Broker tidak menjawab di {client.url}.", "Periksa alamat di client.toml, jaringan, dan apakah broker berjalan (`broker serve`).")
            return
        yield Finding(True, f"Broker menjawab di {client.url} (versi {health['version']}).")
        drift = abs((datetime.fromisoformat(health["time"]).astimezone(UTC) - now).total_seconds())
        yield Finding(drift <= WINDOW_SECONDS, f"Selisih jam dengan broker {drift:.0f} detik.", f"Setel jam komputer (NTP): lebih dari {WINDOW_SECONDS} detik ditolak.")
        if drift > WINDOW_SECONDS:
            return
        if officer:
            yield _officer(home, now, http)
            return
        yield from _keys(client, now)
        try:
            answer = client.agreements()
        except ClientError:
            yield Finding(False, "Broker tidak mengenal kunci Anda.", f"Minta pengelola broker mendaftarkan {client.system}.json: `broker keys enrol …`, lalu petugas pihak Anda mengesahkannya: `broker keys confirm …`.")
            return
        yield Finding(True, "Broker mengenal kunci Anda.")
        yield from _agreements(client, answer["agreements"], (now + WIB).date())
        waiting = len(list((home / "outgoing").iterdir()))
        yield Finding(waiting == 0, f"Kiriman yang belum terjawab: {waiting}.", "Jalankan `broker send --resend`.")


def _officer(home: Path, now: datetime, http: httpx2.Client | None) -> Finding:
    """Whether the broker knows the person's key and their party vouches for it. An officer sends and receives nothing: no agreement stands in their way."""
    with Account.at(home, lambda: now, http) as account:
        reason, person = account.unknown(), account.person
    enrol = f"`broker people enrol-key {person}.json --fingerprint … --voucher {person}.jaminan`"
    match reason:
        case "":
            return Finding(True, "Broker mengenal kunci Anda, dan Anda boleh membaca kebijakan dan log.")
        case "wewenang":
            return Finding(True, "Broker mengenal kunci Anda; peran Anda tidak mencakup membaca kebijakan atau log.")
        case "belum_dijamin":
            return Finding(False, "Broker mengenal kunci Anda, tetapi sistem pihak Anda belum menjaminnya.", f"Minta `broker keys vouch` di pihak Anda, lalu pengelola broker: {enrol}.")
        case "tanda_tangan":
            return Finding(False, "Broker tidak mengenal kunci Anda, atau penugasan Anda belum mulai atau sudah berakhir.", f"Minta pengelola broker memeriksa `broker people list`, lalu {enrol}.")
        case _:
            return Finding(False, f"Broker menolak: {reason}.", "Coba lagi; bila tetap begitu, tanyakan kepada pengelola broker.")


def _keys(client: Client, now: datetime) -> Iterator[Finding]:
    """Whether the broker's keys are those pinned, and ours those that it believes in."""
    try:
        known = client.known_keys()
        same = known["fingerprint"] == client.broker.fingerprint.replace(" ", "")
        found = belief(known, client.own, now)
    except (httpx2.TransportError, ClientError, KeyError, TypeError):
        yield Finding(False, "Broker tidak mengatakan kunci mana yang dipercayainya.", "Perbarui broker, atau periksa alamatnya di client.toml.")
        return
    if not same:
        yield Finding(False, "Kunci publik yang diumumkan broker BUKAN yang Anda pasang.", "Jangan mengirim; minta pemberitahuan tertulis (Pasal 11) kepada pengelola broker.")
    yield Finding(found.ok, found.what, "Tanyakan kepada pengelola broker dan petugas pihak Anda; bila bukan dari pihak Anda: `broker keys revoke`.")


def _agreements(client: Client, agreements: list[dict[str, Any]], today: date) -> Iterator[Finding]:
    if not agreements:
        yield Finding(False, "Pihak Anda tidak ada dalam Nota Kesepakatan mana pun.", "Periksa nama sistem dan pihak di client.toml.")
    ready = any(set(a["systems"].values()) <= set(a["enrolled"]) for a in agreements)
    for a in agreements:
        starts, ends = date.fromisoformat(str(a["starts"])), date.fromisoformat(str(a["ends"]))
        name, systems, enrolled = a["agreement"], a["systems"], a["enrolled"]
        assert isinstance(systems, dict)
        assert isinstance(enrolled, list)
        yield Finding(starts <= today <= ends, f"{name} berlaku {starts} s.d. {ends}.", "Di luar masa berlaku: tidak ada pertukaran baru (Pasal 8).")
        yield Finding(client.system in systems.values(), f"{client.system} terdaftar dalam {name}.", f"Sistem terdaftar: {', '.join(sorted(map(str, systems.values())))}.")
        others = [s for s in systems.values() if s != client.system]
        missing = [s for s in others if s not in enrolled]
        if missing and ready:
            yield Finding(True, f"Pihak lain dalam {name} belum mendaftarkan kunci: {', '.join(missing)}. Yang lain tidak terhalang.")
        else:
            yield Finding(not missing, f"Pihak lain dalam {name}: {', '.join(others)}.", f"Belum mendaftarkan kunci: {', '.join(missing)}.")
        yield from _witnesses(client, name)


def _witnesses(client: Client, agreement: str) -> Iterator[Finding]:
    """Whether the log's latest checkpoint carries the cosignatures that this party's own copy of the witness policy asks for."""
    path = client.home / "witnesses" / f"{agreement}.policy"
    if not path.exists():
        return
    try:
        policy = read_policy(path.read_bytes(), str(path))
        found = cosigners(policy, client.note(agreement))
    except SinergiError as error:
        yield Finding(False, f"Saksi log {agreement} tidak dapat diperiksa: {error}", "Simpan pesan ini dan beri tahu auditor pihak Anda.")
        return
    remedy = "Coba lagi sebentar lagi; bila tetap begitu, periksa saksi pihak Anda dan tanyakan kepada pengelola broker."
    yield Finding(policy.allows(found), f"Saksi yang menandatangani log {agreement}: {', '.join(found) or 'belum ada'}.", remedy)
