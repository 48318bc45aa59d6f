"""What a finding's reason is in Indonesian; detection itself speaks English, as its JSON and Presidio do. `#` stands for a number."""

from __future__ import annotations

import re
from typing import Final

_NUMBER: Final = re.compile(r"\d+")
_INDONESIAN: Final = {
    "# digits with the leading zeros of BPJS": "# angka dengan nol awal BPJS",
    "a date beside a word of birth or in a person's row": "tanggal di samping kata lahir atau dalam baris seseorang",
    "a date in words": "tanggal dengan huruf",
    "a number in words": "nomor dengan huruf",
    "a numbered road or dwelling": "jalan atau rumah bernomor",
    "abbreviated illness said of a person": "singkatan penyakit tentang seseorang",
    "address form": "bentuk alamat surel",
    "amount of a wage or a debt": "jumlah upah atau utang",
    "an address in words": "alamat surel dengan huruf",
    "an identity number and a place of business": "nomor induk dan tempat usaha",
    "a tax number and a place of business": "nomor pajak dan tempat usaha",
    "value behind a label": "isian di belakang label",
    "area code": "kode wilayah telepon",
    "birth date, appointment, sex and serial fit": "tanggal lahir, pengangkatan, kelamin, dan urut cocok",
    "called an address": "disebut alamat",
    "cell under an address's heading": "sel di bawah judul alamat",
    "check digit fits": "angka periksa cocok",
    "country code": "kode negara",
    "criminal record said of a person": "riwayat pidana tentang seseorang",
    "date of a birth beside a person": "tanggal lahir di samping seseorang",
    "date of a grown person's birth beside a person": "tanggal lahir orang dewasa di samping seseorang",
    "dealings with the police": "urusan dengan polisi",
    "digits that touch a number beside a person": "angka yang menempel pada nomor di samping seseorang",
    "disability said of a person": "disabilitas tentang seseorang",
    "drug that tells of an illness": "obat yang menunjukkan penyakit",
    "faith by name": "nama agama",
    "faith said of a person": "agama tentang seseorang",
    "form of a bank's account": "bentuk nomor rekening bank",
    "form of an AK-# number": "bentuk nomor AK-#",
    "form of an AK-# number in a text on the card": "bentuk nomor AK-# dalam teks tentang kartunya",
    "illness of a part of the body": "sakit pada bagian tubuh",
    "illness said of a person": "penyakit tentang seseorang",
    "labelled, # digits": "berlabel, # angka",
    "labelled, NIK structure": "berlabel, susunan NIK",
    "labelled, area code": "berlabel, kode wilayah",
    "labelled, structure fits": "berlabel, susunan cocok",
    "long number beside a person": "nomor panjang di samping seseorang",
    "means or debt said of a person": "keadaan uang atau utang seseorang",
    "member of a religious body": "anggota badan keagamaan",
    "member or officer of a union": "anggota atau pengurus serikat",
    "membership of a union": "keanggotaan serikat",
    "mobile prefix": "awalan telepon seluler",
    "money received by the period": "uang yang diterima berkala",
    "name after a label of the mother": "nama di belakang label ibu",
    "name model, a faint chance": "model nama, peluang tipis",
    "name model, less likely than not": "model nama, kurang mungkin",
    "name model, likely": "model nama, mungkin",
    "name model, sure": "model nama, yakin",
    "NPWP form, check digit differs": "bentuk NPWP, angka periksa berbeda",
    "offence laid to a person": "pelanggaran yang disangkakan",
    "operator prefix fits": "awalan operator cocok",
    "ordinary word for being ill, said of a person": "kata sehari-hari untuk sakit, tentang seseorang",
    "organ after a word of illness": "organ di belakang kata sakit",
    "part of a date behind a word of birth": "sebagian tanggal di belakang kata lahir",
    "parts of an address in a row": "bagian alamat berurutan",
    "perhaps a hamlet, with further parts": "mungkin dusun, dengan bagian lain",
    "place in an address": "tempat dalam alamat",
    "plate's form beside a person": "bentuk pelat di samping seseorang",
    "a plate in words": "pelat dengan kata-kata",
    "region letters beside a vehicle": "huruf wilayah di samping kendaraan",
    "region letters, number, series": "huruf wilayah, nomor, seri",
    "region, date and serial fit": "wilayah, tanggal, dan urut cocok",
    "religious rite or dress": "ibadah atau busana keagamaan",
    "state or treatment of a person": "keadaan atau perawatan seseorang",
    "street or hamlet with a name": "jalan atau dusun bernama",
    "street or hamlet with further parts": "jalan atau dusun dengan bagian lain",
    "union named beside a person": "serikat disebut di samping seseorang",
    "union named of one person": "serikat disebut tentang satu orang",
}


def indonesian(reason: str) -> str:
    """The reason in Indonesian; as it is where it has no translation."""
    numbers = iter(_NUMBER.findall(reason))
    known = _INDONESIAN.get(_NUMBER.sub("#", reason))
    return reason if known is None else re.sub("#", lambda _: next(numbers), known)
