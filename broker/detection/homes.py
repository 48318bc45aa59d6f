"""Whose an address is: a person's home, or an office's, a shop's, a road's; and the places that belong to one. Pure, linear."""

from __future__ import annotations

import re
from typing import Final

from broker.model import Finding

_GAP: Final = re.compile(r"[ ,.\n]*")
_STREET: Final = re.compile(r"(?i)(?:jl|jln|jalan|gg|gang|dusun|jorong|lorong|komp(?:lek(?:s)?)?|perum(?:ahan)?)\b")
# What makes an address somebody's in a text that names nobody, and what makes it an office's, a shop's or a road's; both before it, in its sentence.
_BEFORE: Final = 70
_SENTENCE: Final = re.compile(r"(?<=\w{5})[.?!]\s+(?=[A-Z]|$)|(?<![:=])\n")
_WHOSE: Final = re.compile(
    r"(?i)(?<![a-z])(?:(?P<somebody>(?:alamat|almt|beralamat|(?:ber)?domisili|tinggal|tingga|tggl|kediaman|menetap|bermukim|kost?|ngekost?|kontrakan|ngontrak|mengontrak|menumpang|numpang|rumah(?! (?:sakit|makan|produksi|potong|subsidi|ibadah|susun)))"
    r"|d/a|ybs|beliau|sdri?|alm(?:arhumah|arhum)?|pemohon|pelapor|pengadu|pemilik|klien|konseli|korban|pelamar|pencaker|ortu|orang ?tua|istri|suami|anak|ibu|bapak|janda|duda|keluarga|warga|saksi|tetangga|kakak|adik|ayah|nenek|kakek|paman|bibi|mertua|(?:pak|buk?|bang|mas|mbak|kak|uni|uda)(?= [a-z]{3}))"
    r"|(?:(?P<house>pt|cv|ud|tbk|kantor|dinas|disnaker[a-z]*|toko|ruko|gudang|pabrik|cabang|outlet|hotel|gedung|aula|bengkel|klinik|apotek|puskesmas|sekolah|kampus|perusahaan|koperasi|bank|advertising|sekretariat"
    r"|uptd?|blk|smkn?|sman?|sdn?|universitas|politeknik|rsud?|rs|polres|kpp|dp[cd]|balai)|loket|pos|proyek|kegiatan|lokasi|lowongan|lamaran"
    r"|rapat|acara|jembatan|jalur|arus|truk|terguling|kecelakaan|parkir|macet|antrean|antrian|panitia|undangan|interview|wawancara|bursa|usaha|surel|e-?mail))(?:nya)?(?![a-z])"
)
_NUMBERED: Final = re.compile(r"(?i)\b(?:no(?:mor)?[. ]{0,2}\d|rt(?![a-z])|(?:jl|jln|jalan|gg|gang|jorong|dusun)\b.{3,60}\b(?:kel|kec|desa|nagari)\b)")
_SPEAKER: Final = re.compile(r"(?i)(?<![a-z])(?:alamat|almt|rumah|tinggal|tingga)(?:nya|nyo|ku)?,? (?:[a-z]+ )?(?:saya|sy|aku|ambo|awak|kami|ybs|beliau)\b.{0,8}$")
_HOME: Final = re.compile(r"(?i)\br[tw](?![a-z])|\b(?:gg|gang)\b.{1,40}\d")
_WARD: Final = re.compile(r"(?i)\brt[ .:/\d].{1,20}\b(?:kel|kelurahan|desa|ds|jorong|jor|nagari|dusun|dsn|kec)\b")
_A_TOWN: Final = re.compile(r"[A-Za-z]+(?:[ .]{1,2}[A-Za-z]+){0,2}")  # asked of applicants, too
_STAYS: Final = re.compile(r"(?i)(?<![a-z])(?:tinggal(?:nya)?|menetap|bermukim|rumah(?:nya|ku)?|kost?|ngekost?|mengontrak|ngontrak|kontrakan|saya|sy|ybs|beliau|kami|alamat(?:nya|ku)?)(?![a-z])")
_HOUSE: Final = re.compile(r"(?i)\b(?:no(?:mor)?\b[. :]{0,3}\d|blok\b).{1,80}\b(?:kel|kelurahan|desa|ds|jorong|jor|jr|nagari|nag|dusun|dsn|kec)\b")
_MANY: Final = re.compile(r"(?i)(?<![a-z])(?:pekerja|karyawan|peserta|buruh|siswa|penghuni|tka|tkw|pengungsi)(?![a-z])")
_ALONE: Final = 12  # characters beside an address that is nearly all of a text
_KILOMETRE: Final = re.compile(r"(?i)[ ,]{1,2}km\.? ?\d{1,3}\b")


def addressed(text: str, findings: list[Finding], about_a_person: bool) -> list[Finding]:
    """A place that touches an address, or that is a street in a text about a person, is part of an address; a kilometre behind one too.

    In a text that names nobody an address stays where its sentence speaks of somebody or of living there; where nothing is said of whose it
    is, with its RT or its lane's number, or if it is nearly all of the text.
    """
    if not about_a_person:
        findings = [f for f in findings if f.kind != "address" or _somebodys(text, f)]
    starts, ends = {f.start for f in findings if f.kind == "address"}, {f.end for f in findings if f.kind == "address"}
    changed = []
    for f in findings:
        gaps = ((f.end, f.end + k) if f.end + k in starts else (f.start - k, f.start) for k in range(4) if f.end + k in starts or f.start - k in ends)
        if f.kind == "place" and (any(_GAP.fullmatch(text, *gap) for gap in gaps) or (about_a_person and _STREET.match(text, f.start))):
            f = Finding(f.start, f.end, "address", "plausible", "place in an address")  # noqa: PLW2901
        if f.kind == "address" and (more := _KILOMETRE.match(text, f.end)):
            f = Finding(f.start, more.end(), "address", f.verdict, f.reason)  # noqa: PLW2901
        changed.append(f)
    return changed


def _somebodys(text: str, address: Finding) -> bool:
    if address.verdict == "plausible" and _A_TOWN.fullmatch(text, address.start, address.end) and not _STAYS.search(text, max(0, address.start - _BEFORE), address.start):
        return False
    before = _SENTENCE.split(text[max(0, address.start - _BEFORE) : address.start])[-1]
    if address.verdict == "shaped" and not _NUMBERED.search(text, address.start, address.end) and not _SPEAKER.search(before):
        return False
    said = list(_WHOSE.finditer(before))
    if here := _WHOSE.match(text, address.start):  # "Toko Holland, Jl. Ringroad 5"
        said.append(here)
    if said and said[-1]["somebody"]:
        return not (address.verdict == "plausible" and _MANY.search(before) and not _NUMBERED.search(text, address.start, address.end))
    if said and (said[-1]["house"] or not _HOME.search(text, address.start, address.end)):
        return False
    told = _HOME.search(text, address.start, address.end) or _HOUSE.search(text, address.start, address.end)
    if address.verdict == "plausible":
        return _WARD.search(text, address.start, address.end) is not None
    return address.verdict == "valid" and (told is not None or len(text) - (address.end - address.start) < _ALONE)
