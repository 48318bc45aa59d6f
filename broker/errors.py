"""One error tree; a refusal names its clause, and never a value.

SinergiError
├── Refusal               steps 1–7 said no; recorded, then told to the caller as an RFC 9457 problem
│   └── Held              not now: what was accepted stays accepted and goes on by itself
├── ConfigError           a file of ours is wrong; names file and line
├── KeyRingError          a key is missing, of another purpose, or its file is open to others
├── NotOpened             an envelope does not open (one answer for every cause)
├── NotVerified           a proof, signature or digest does not hold
├── ClientError           the party's side cannot go on; says what to do
└── LedgerError           nothing may be released: the ledger could not make it durable

`REASONS` is the one table of refusals: code → HTTP status, clause where the caller gives none, Indonesian, English.
Texts take only the facts named in them, and facts are integers, ids of ours or words of the dictionary: never a caller's text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


class SinergiError(Exception):
    """Any error of ours."""


class ConfigError(SinergiError):
    """line, column: from 1, the column in characters; 0 where the fault is of no line, or of the whole line."""

    def __init__(self, file: str, line: int, message: str, column: int = 0) -> None:
        place = f"{file}:{line}:" if line else file
        super().__init__(f"{place}{column}: {message}" if line and column else f"{place} {message}")
        self.file, self.line, self.message, self.column = file, line, message, column


class KeyRingError(SinergiError): ...


class NotOpened(SinergiError): ...


class NotVerified(SinergiError): ...


class ClientError(SinergiError): ...


class LedgerError(SinergiError): ...


@dataclass(frozen=True, slots=True)
class Reason:
    status: int
    pasal: str
    id: str
    en: str


def _r(status: int, pasal: str, indonesian: str, english: str) -> Reason:
    return Reason(status, pasal, indonesian, english)


_SAFE = "Pasal 6"  # security of the exchange; each agreement's TOML says which paragraph
REASONS: Final[dict[str, Reason]] = {
    # 1 authenticate
    "tanda_tangan": _r(401, _SAFE, "Permintaan tidak ditandatangani oleh kunci yang dikenal.", "The request is not signed by a known key."),
    "waktu": _r(401, _SAFE, "Jam permintaan di luar jendela {detik} detik; periksa jam komputer Anda.", "The request's time is outside the {detik} s window; check your clock."),
    "ulang": _r(409, _SAFE, "Permintaan ini sudah pernah diterima (nonce terpakai).", "This request was received before (its nonce is used)."),
    "isi_berubah": _r(400, _SAFE, "Isi yang diterima tidak sama dengan isi yang ditandatangani.", "The body received is not the body that was signed."),
    "terlalu_besar": _r(413, "Pasal 5 ayat (1)", "Kiriman melebihi batas {batas} byte.", "The submission exceeds the limit of {batas} bytes."),
    "terputus": _r(400, _SAFE, "Kiriman terputus sebelum selesai; tidak ada yang disimpan.", "The submission broke off; nothing was kept."),
    "bentuk_kiriman": _r(400, "Lampiran 1a", "Kiriman bukan bentuk SNG1 yang sah.", "The submission is not a valid SNG1 body."),
    "kunci_ulang": _r(422, "Lampiran 1a", "Idempotency-Key ini sudah dipakai untuk kiriman lain.", "This Idempotency-Key was used for another submission."),
    "tanpa_kunci_ulang": _r(400, "Lampiran 1a", "Idempotency-Key wajib ada (16–64 huruf, angka, - atau _).", "An Idempotency-Key is required (16–64 letters, digits, - or _)."),
    "pernyataan": _r(403, _SAFE, "Pernyataan kiriman tidak ditandatangani oleh sistem pengirim, atau tidak cocok dengan isinya.", "The submission's statement is not signed by the sending system, or does not match it."),
    # 2 agree
    "kesepakatan": _r(403, "Pasal 8 ayat (1)", "Ditolak: Nota Kesepakatan tidak dikenal.", "Refused: unknown agreement."),
    "belum_berlaku": _r(403, "Pasal 15 ayat (2)", "Ditolak: {kesepakatan} belum berlaku; mulai {mulai}.", "Refused: {kesepakatan} is not yet in force; it starts {mulai}."),
    "berakhir": _r(403, "Pasal 8 ayat (1)", "Ditolak: {kesepakatan} berakhir {akhir}.", "Refused: {kesepakatan} ended {akhir}."),
    "pengirim_penerima": _r(403, "Pasal 9 ayat (2)", "Ditolak: pengirim dan penerima adalah pihak yang sama.", "Refused: sender and recipient are the same party."),
    "bukan_pihak": _r(403, "Pasal 9 ayat (2)", "Ditolak: {peran} bukan pihak {kesepakatan}; perlu persetujuan tertulis pihak lainnya.", "Refused: one side ({peran}) is no party to {kesepakatan}; the other party's written consent is needed."),
    "ruang_lingkup": _r(403, "Pasal 4 huruf a", "Ditolak: {dataset} belum disebut dalam Pasal 4 {kesepakatan}; perlu adendum (Pasal 14).", "Refused: Pasal 4 of {kesepakatan} does not name {dataset}; an addendum is needed (Pasal 14)."),
    "dataset": _r(403, "Pasal 4 huruf a", "Ditolak: himpunan data tidak dikenal.", "Refused: unknown dataset."),
    "arah": _r(403, "Lampiran 2a", "Ditolak: {dataset} tidak mengalir dari {pengirim} ke {penerima}.", "Refused: {dataset} does not flow from {pengirim} to {penerima}."),
    "tujuan_kosong": _r(403, "Pasal 6", "Ditolak: tujuan penggunaan wajib disebut.", "Refused: a purpose of use is required."),
    "tujuan": _r(403, "Pasal 6", "Ditolak: tujuan tidak terdaftar bagi {penerima} untuk {dataset}.", "Refused: the purpose is not listed for {penerima} and {dataset}."),
    "dasar": _r(403, "Pasal 6", "Ditolak: tujuan {tujuan} memerlukan dasar hukum.", "Refused: purpose {tujuan} needs a legal basis."),
    "templat": _r(422, "Lampiran 2a", "Ditolak: versi templat tidak berlaku; pakai {templat}.", "Refused: the template version is not current; use {templat}."),
    "penerima_tanpa_kunci": _r(403, _SAFE, "Ditolak: {penerima} belum mendaftarkan kuncinya.", "Refused: {penerima} has no enrolled key."),
    # 3 decide
    "kebijakan": _r(403, "Pasal 9 ayat (1)", "Ditolak: kebijakan {versi} tidak mengizinkan satu kolom pun.", "Refused: policy {versi} allows not a single column."),
    # 4 open
    "tidak_terbuka": _r(422, _SAFE, "Kiriman tidak dapat dibuka: tersegel untuk kunci lain, rusak atau terpotong.", "The submission does not open: sealed to another key, damaged or cut short."),
    "jenis_isi": _r(415, "Lampiran 1a", "Jenis berkas tidak didukung; pakai CSV, NDJSON, XLSX atau Parquet.", "Unsupported file type; use CSV, NDJSON, XLSX or Parquet."),
    "bukan_berkas": _r(422, "Lampiran 1a", "Isi bukan {jenis} yang sah.", "The content is not valid {jenis}."),
    "kosong": _r(422, "Pasal 6 ayat (1) huruf c", "Berkas tidak berisi baris.", "The file holds no rows."),
    "tanpa_judul": _r(422, "Lampiran 2a", "Baris pertama bukan baris judul kolom templat {templat}.", "The first line is not the header of template {templat}."),
    "pemisah": _r(422, "Lampiran 2a", "Pemisah kolom harus koma (,), bukan titik koma (;).", "Columns must be separated by commas, not semicolons."),
    "pengodean": _r(422, "Lampiran 2a", "Baris {baris}: teks bukan UTF-8.", "Row {baris}: the text is not UTF-8."),
    "kolom_asing": _r(422, "Lampiran 2a", "Kolom ke-{posisi} tidak ada dalam templat {templat}.", "Column {posisi} is not in template {templat}."),
    "kolom_ganda": _r(422, "Lampiran 2a", "Kolom {kolom} muncul dua kali.", "Column {kolom} appears twice."),
    "kolom_hilang": _r(422, "Lampiran 2a", "Kolom {kolom} tidak ada dalam berkas.", "Column {kolom} is missing."),
    "sel_kurang": _r(422, "Lampiran 2a", "Baris {baris} berisi {ada} sel, seharusnya {perlu}.", "Row {baris} has {ada} cells, {perlu} expected."),
    "kutip": _r(422, "Lampiran 2a", "Baris {baris}: tanda kutip tidak ditutup atau salah tempat, atau CR tanpa LF.", "Row {baris}: an unclosed or stray quote, or a CR without LF."),
    "sel_besar": _r(422, "Lampiran 2a", "Baris {baris}: satu baris melebihi {batas} byte; mungkin tanda kutipnya tidak ditutup.", "Row {baris}: a row exceeds {batas} bytes; perhaps its quote is not closed."),
    "baris_rusak": _r(422, "Lampiran 2a", "Baris {baris} bukan objek JSON berisi teks untuk setiap kolom.", "Row {baris} is not a JSON object of text for every column."),
    "bukan_teks": _r(422, "Lampiran 2a", "Baris {baris}, kolom {kolom}: nilai harus teks atau null.", "Row {baris}, column {kolom}: the value must be text or null."),
    "jenis_kolom": _r(422, "Lampiran 2a", "Kolom ke-{posisi} bukan teks, bilangan bulat, tanggal atau boolean.", "Column {posisi} is not of text, whole numbers, dates or booleans."),
    "bom": _r(422, _SAFE, "Isi berkas mengembang melewati batas {batas} byte.", "The file expands beyond the limit of {batas} bytes."),
    "terlalu_banyak_baris": _r(422, "Lampiran 1a", "Berkas melebihi {batas} baris.", "The file exceeds {batas} rows."),
    "pengurai": _r(422, _SAFE, "Berkas {jenis} tidak dapat dibaca dalam batas waktu dan memori.", "The {jenis} file could not be read within its time and memory limits."),
    # 5 validate
    "mutu": _r(422, "Pasal 6 ayat (1) huruf c", "Ditolak utuh: {lolos} dari {semua} baris lolos validasi, kurang dari {batas} per seribu.", "Refused whole: {lolos} of {semua} rows pass validation, fewer than {batas} per thousand."),
    # 6 detect, 7 treat
    "pengolahan": _r(500, _SAFE, "Pengolahan gagal; tidak ada yang dikirim.", "Processing failed; nothing left."),
    "penyimpanan": _r(507, _SAFE, "Penyimpanan broker penuh atau rusak; tidak ada yang dikirim.", "The broker's storage is full or failing; nothing left."),
    # policies
    "dihentikan": _r(403, "Pasal 9 ayat (1)", "Ditolak: pelepasan dihentikan petugas keamanan ({sasaran}).", "Refused: releases were halted by a security officer ({sasaran})."),
    "saksi": _r(503, _SAFE, "Pelepasan {kesepakatan} menunggu saksi sejak {sejak}; belum menandatangani: {saksi}. Coba lagi nanti.", "Releases of {kesepakatan} wait for witnesses since {sejak}; not yet cosigned by: {saksi}. Try again later."),
    "saksi_mundur": _r(503, _SAFE, "Pelepasan {kesepakatan} dihentikan: saksi {saksi} pernah melihat log yang lebih baru atau lain. Hubungi pengelola broker.", "Releases of {kesepakatan} are stopped: witness {saksi} has seen a newer or another log. Ask the broker's administrator."),
    "draf_tidak_ada": _r(404, _SAFE, "Tidak ada draf, versi, atau penghentian seperti itu.", "There is no such draft, version or stop."),
    "draf_keadaan": _r(409, _SAFE, "Draf tidak dapat diubah lagi atau belum diusulkan; keadaan: {keadaan}.", "The draft can no longer be changed, or is not proposed; state: {keadaan}."),
    "draf_bukan_milik": _r(403, _SAFE, "Ditolak: hanya penulis draf yang dapat mengubah, mengusulkan, atau menariknya.", "Refused: only a draft's author changes, proposes or withdraws it."),
    "draf_berubah": _r(409, _SAFE, "Draf berubah sejak Anda membacanya; baca lagi.", "The draft changed since you read it; read it again."),
    "draf_dasar": _r(409, _SAFE, "Draf dibuat dari versi {dasar}, sedangkan versi {versi} sudah berlaku; buat draf baru.", "The draft was made from version {dasar}, but {versi} is in force; make a new one."),
    "draf_sama": _r(409, _SAFE, "Draf sama dengan versi {versi} yang berlaku.", "The draft is the same as version {versi} in force."),
    "draf_salah": _r(422, _SAFE, "Draf salah di baris {baris}, kolom {kolom}: {salah}.", "The draft is wrong at line {baris}, column {kolom}: {fault}."),
    "draf_uji": _r(422, _SAFE, "Draf melanggar {jumlah} harapan atau larangan tetap; lihat hasil periksa.", "The draft breaks {jumlah} expectations or invariants; see its check."),
    "draf_kunci": _r(422, "Pasal 14", "Draf melonggarkan {jumlah} batas terkunci; sebutkan adendumnya.", "The draft loosens {jumlah} locked caps; name the addendum."),
    "draf_menutup": _r(422, _SAFE, "Draf menutup segalanya bagi semua pihak; gunakan penghentian.", "The draft shuts everyone out of everything; use a stop."),
    "draf_batas": _r(422, _SAFE, "Batas {aturan} menahan sel ini pada tingkat {tingkat}; ubah dahulu batas itu.", "The cap {aturan} holds this cell at level {tingkat}; change that cap first."),
    "draf_pihak": _r(403, "Pasal 9 ayat (2)", "Ditolak: {kesepakatan} bukan kesepakatan pihak Anda.", "Refused: {kesepakatan} is not your party's agreement."),
    "draf_banyak": _r(409, _SAFE, "Anda sudah punya {batas} draf terbuka; tarik yang tidak dipakai.", "You have {batas} open drafts already; withdraw those you do not use."),
    "draf_sendiri": _r(403, _SAFE, "Ditolak: penulis tidak menyetujui drafnya sendiri.", "Refused: the author never approves."),
    "draf_persetujuan": _r(409, _SAFE, "Belum disetujui: {kurang}.", "Not yet approved by: {kurang}."),
    "persetujuan": _r(422, _SAFE, "Persetujuan tidak ditandatangani dengan kunci Anda sendiri, atau bukan untuk yang disetujui ini.", "The approval is not signed with your own key, or not for what is approved here."),
    "berhenti_dua": _r(409, _SAFE, "Pencabutan penghentian memerlukan petugas kedua; salah satunya dari pihak yang menghentikan.", "Undoing a stop needs a second officer, one of the two of the party that made it."),
    "jam_mundur": _r(409, _SAFE, "Jam broker lebih awal daripada versi terakhir; tidak ada yang diterbitkan.", "The broker's clock is before the last version's; nothing was published."),
    # keys of the parties' systems
    "kunci_bentuk": _r(422, "Pasal 11", "Bukan berkas kunci publik sebuah sistem kesepakatan, atau salah satu kuncinya tidak sah.", "This is no public key file of a system of an agreement, or a key in it is not sound."),
    "kunci_sidik": _r(422, "Pasal 11", "Sidik jari tidak sama dengan sidik jari berkas: jangan dipakai, tanyakan kepada pengirimnya.", "The fingerprint is not that of the file: do not use it, ask its sender."),
    "kunci_dipakai": _r(409, _SAFE, "Kunci ini sudah didaftarkan, atau milik sistem atau petugas lain.", "These keys are enrolled already, or are another system's or an officer's."),
    "kunci_dicabut": _r(403, _SAFE, "Ditolak: salah satu kunci ini pernah dicabut; kunci yang dicabut tidak didaftarkan lagi. Buat kunci baru.", "Refused: one of these keys was revoked; what was revoked is never enrolled again. Make new keys."),
    "kunci_usulan": _r(409, _SAFE, "Sudah ada usulan kunci untuk {sistem}, menunggu pengesahan sampai {sampai}; sahkan, atau tarik dahulu.", "A proposal for {sistem} waits for its confirmation until {sampai}: confirm it, or withdraw it first."),
    "kunci_tidak_ada": _r(404, _SAFE, "Tidak ada usulan atau kunci seperti itu bagi sistem ini; usulan gugur setelah 7 hari.", "There is no such proposal or key of this system; a proposal lapses after 7 days."),
    "kunci_langkah": _r(409, _SAFE, "Kunci tidak diubah: {sebab}.", "The key was not changed: {sebab}."),
    "kunci_dimusnahkan": _r(410, "Pasal 9 ayat (3)", "Kunci rahasia kesepakatan ini sudah dimusnahkan: samaran dan rujukannya tidak dapat dibuat atau dibalik lagi.", "The secret keys of this agreement were destroyed: its pseudonyms and references can no longer be made or turned back."),
    "kunci_nonaktif": _r(503, _SAFE, "Kunci rahasia kesepakatan ini sedang dinonaktifkan; tanyakan kepada pengelola broker.", "The secret keys of this agreement are disabled for now; ask the broker's administrator."),
    "sertifikat_tidak_ada": _r(404, "Pasal 9 ayat (3)", "Kunci kesepakatan ini belum dimusnahkan: belum ada sertifikatnya.", "The keys of this agreement are not destroyed: there is no certificate yet."),
    "kunci_pihak": _r(403, "Pasal 9 ayat (2)", "Ditolak: hanya petugas pihak pemilik sistem yang mengesahkan atau mencabut kuncinya.", "Refused: only an officer of the system's own party confirms or revokes its keys."),
    "amplop_dicabut": _r(410, _SAFE, "Kiriman ini disegel untuk kunci yang sudah dicabut; tidak diserahkan lagi. Minta pengirimnya mengirim ulang.", "This was sealed to a key that was revoked since; it is not handed out. Ask its sender to send it again."),
    # what an officer sends from the console
    "pratinjau": _r(409, "Pasal 9 ayat (1)", "Kebijakan berubah sejak pratinjau Anda; lihat pratinjau yang baru sebelum mengirim.", "The policy changed since your preview; look at the new preview before sending."),
    # reading and receipts
    "tidak_ada": _r(404, "Pasal 9 ayat (1)", "Tidak ada pertukaran seperti itu bagi Anda.", "There is no such exchange for you."),
    "belum_siap": _r(409, "Lampiran 1a", "Pertukaran belum selesai; keadaan: {keadaan}.", "The exchange is not finished; state: {keadaan}."),
    "tanda_terima": _r(422, "Pasal 6", "Tanda terima tidak cocok dengan manifes pertukaran.", "The receipt does not match the exchange's manifest."),
    "retensi": _r(410, "Pasal 9 ayat (1)", "Daun pertukaran ini sudah dilepas menurut jadwal retensi; akarnya tetap dalam manifes.", "This exchange's leaves were dropped under the retention schedule; their root stays in the manifest."),
    "rahasia_dihapus": _r(410, "Pasal 9 ayat (1)", "Rahasia pertukaran ini sudah dihapus; komitmennya tidak dapat dibuka lagi.", "This exchange's secret was erased; its commitments open no more."),
    "penghapusan": _r(422, "Pasal 9 ayat (1)", "Penghapusan tidak dapat dilakukan: {bidang}.", "The erasure cannot be done: {bidang}."),
    "sibuk": _r(503, "Lampiran 1a", "Antrean penuh; coba lagi.", "The queue is full; try again."),
    "metode": _r(405, "Lampiran 1a", "Metode ini tidak ada pada alamat itu.", "There is no such method at that address."),
    "parameter": _r(400, "Lampiran 1a", "Permintaan tidak lengkap atau salah bentuk: {parameter}.", "The request is incomplete or malformed: {parameter}."),
    # people
    "masuk": _r(401, _SAFE, "Id, kata sandi, atau kode tidak berlaku, atau akun sedang dikunci.", "The id, password or code is not valid, or the account is locked for now."),
    "sesi": _r(401, _SAFE, "Anda belum masuk, atau sesi Anda berakhir.", "You are not signed in, or your session ended."),
    "asal": _r(403, _SAFE, "Permintaan berasal dari halaman lain.", "The request comes from another site's page."),
    "tautan": _r(403, _SAFE, "Tautan ini tidak berlaku, sudah dipakai, atau lewat waktunya.", "This link is not valid, was used, or its time is over."),
    "sandi": _r(422, _SAFE, "Kata sandi ditolak: paling sedikit {panjang} huruf, bukan kata sandi umum, dan tidak memuat id Anda.", "The password is refused: at least {panjang} characters, no common password, and without your id in it."),
    "akun": _r(422, _SAFE, "Akun tidak dapat dibuat atau diubah: {bidang}.", "The account cannot be made or changed: {bidang}."),
    "ekspor_pdf": _r(422, _SAFE, "Hasilnya lebih dari {batas} entri; untuk PDF persempit saringan, atau ambil CSV atau JSON Lines.", "More than {batas} entries were found; narrow the filter for a PDF, or take CSV or JSON Lines."),
    "bundel": _r(422, _SAFE, "Bundel melebihi {batas} byte; persempit masanya.", "The bundle exceeds {batas} bytes; narrow its period."),
    "ungkapan": _r(400, _SAFE, "Ungkapan pencarian salah di baris {baris}, kolom {kolom}: {salah}.", "The search expression is wrong at line {baris}, column {kolom}: {salah}."),
    "alamat": _r(400, _SAFE, "Alamat ini tidak menerima parameter: data orang dikirim dalam isi permintaan.", "This address takes no parameters: what is about people is sent in the body."),
    "alasan": _r(422, "UU 27/2022 Pasal 32", "Alasan tertulis wajib ada: 10 sampai 500 huruf dalam satu baris, tanpa NIK atau nomor orang.", "A written reason is required: 10 to 500 characters on one line, without anyone's NIK or number."),
    "subjek": _r(422, _SAFE, "Subjek ke-{nomor} bukan NIK 16 angka atau nomor paspor, atau disebut dua kali.", "Subject {nomor} is no 16-digit NIK or passport number, or is named twice."),
    "samaran": _r(422, _SAFE, "Samaran ke-{nomor} tidak berbentuk p1.…, dari epoch lain daripada yang pertama, atau disebut dua kali.", "Pseudonym {nomor} has not the form p1.…, is of another epoch than the first, or is named twice."),
    "dasar_identitas": _r(422, "UU 27/2022 Pasal 20", "Dasar hukum permintaan identitas tidak ada dalam daftar.", "The legal ground of the request is not in the list."),
    "kuota_identitas": _r(403, "UU 27/2022 Pasal 16 ayat (2)", "Kuota permintaan identitas habis: {batas} samaran setiap pihak dalam sebulan, sudah dipakai {dipakai}.", "The quota of identity requests is used up: {batas} pseudonyms a party and month, {dipakai} used."),
    "permintaan_tidak_ada": _r(404, _SAFE, "Tidak ada permintaan seperti itu bagi Anda.", "There is no such request for you."),
    "permintaan_keadaan": _r(409, _SAFE, "Permintaan tidak dapat diproses; keadaan: {keadaan}.", "The request cannot be acted on; state: {keadaan}."),
    "setuju_sendiri": _r(403, _SAFE, "Ditolak: penanya tidak menyetujui permintaannya sendiri.", "Refused: who asks never approves."),
    "belum_dijamin": _r(
        403, _SAFE, "Sistem pihak Anda belum menjamin kunci Anda: mintalah `broker keys vouch` di sana, lalu pengelola broker mendaftarkannya lagi.",
        "Your party's system does not vouch for your key: ask for `broker keys vouch` there, then the administrator enrols it again.",
    ),
    "wewenang": _r(403, _SAFE, "Peran Anda tidak mencakup tindakan ini: {tindakan}.", "Your role does not cover this act: {tindakan}."),
}

Fact = str | int
STATES: Final = {  # of drafts and exchanges, as an Indonesian sentence says them
    "draft": "masih ditulis", "proposed": "diusulkan", "published": "sudah berlaku", "withdrawn": "ditarik",
    "accepted": "diterima, belum diolah", "refused": "ditolak", "recorded": "tercatat", "delivered": "diambil penerima", "receipted": "sudah ditandaterimakan",
}  # fmt: skip


class Refusal(SinergiError):
    """A refusal with its reason code, clause and facts; `message()` gives both languages.

    reason: a key of REASONS. pasal: the clause of the agreement at hand; without it the table's. facts: words of ours and integers.
    """

    def __init__(self, reason: str, pasal: str | None = None, **facts: Fact) -> None:
        self.reason = reason
        self.entry = REASONS[reason]
        self.pasal = pasal or self.entry.pasal
        self.facts = facts
        self.report: str | None = None  # the quality report, where the rows were the reason
        super().__init__(f"{reason} ({self.pasal}): {self.indonesian}")

    @property
    def indonesian(self) -> str:
        return self.entry.id.format(**{name: STATES.get(str(fact), fact) if name == "keadaan" else fact for name, fact in self.facts.items()})

    @property
    def english(self) -> str:
        return self.entry.en.format(**self.facts)

    def said(self, language: str) -> str:
        """Its sentence, in English for `en`."""
        return self.english if language == "en" else self.indonesian


class Held(Refusal):
    """Releases must wait. Nothing is decided: an accepted exchange is taken up again, a new submission is told to come back (503)."""
