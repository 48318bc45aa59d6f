"""Free text as officers write it, with the person's own name, NIK, phone and address inside: what a cleaner has to find."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from broker.sample.draw import one

if TYPE_CHECKING:
    from broker.sample.draw import Draw
    from broker.sample.people import Person, World

FILLED: Final = 0.8  # share of free-text cells that are not empty
TEMPLATES: Final = {
    "keterampilan": (
        "las SMAW; Excel",
        "mengemudi SIM B1; bongkar muat",
        "menjahit; membuat pola; hub. {hp}",
        "komputer dasar; bahasa Inggris pasif",
        "bisa masak, jaga toko, kontak WA {hp} a.n. {nama}",
    ),
    "catatan_pengantar_kerja": (
        "Ybs. sudah lapor dan bersedia ditempatkan di luar daerah.",
        "Sdr. {nama} tdk bisa hadir wawancara, minta dihubungi di {hp}.",
        "NIK {nik} sudah dicek, cocok dengan KTP. Kartu AK/I diperpanjang.",
        "Awak alah kanai PHK, kato {nama}; surat menyusul ke {email}.",
        "Alamat pindah ke {alamat}, belum diperbarui di sistem.",
        "Bahasa Inggris lancar, cocok untuk penerima tamu.",
    ),
    "kompetensi": (
        "Teliti, mampu memakai alat ukur.",
        "Memiliki SIM yang masih berlaku; tidak buta warna.",
        "Jujur dan mau belajar. Tanya ke {nama} ({hp}).",
        "Mampu bekerja dalam tim dan shift malam.",
    ),
    "deskripsi": (
        "Kirim lamaran ke kantor perusahaan.",
        "Lamaran dikirim lewat WA {hp} u.p. {nama}, paling lambat akhir bulan.",
        "Lamaran ke {email}. Tidak dipungut biaya.",
        "Penempatan di kebun; mess dan makan disediakan.",
    ),
    "catatan_instruktur": (
        "Peserta rajin, perlu latihan posisi 4G.",
        "{nama} dua kali tidak hadir, sudah ditelepon ke {hp}.",
        "Nilai praktik baik. NIK {nik} dipakai untuk sertifikat.",
        "Lae {nama} cepat paham, bisa jadi asisten.",
    ),
    "riwayat_kesehatan": ("Tidak ada.", "Asma ringan, membawa obat sendiri.", "{nama} pernah operasi usus buntu tahun lalu.", "Alergi debu."),
    "catatan_penempatan": (
        "Mulai kerja tgl 3, antar jemput disediakan.",
        "{nama} minta pindah sif; hub. {hp}.",
        "Tinggal di mess, alamat asal {alamat}.",
        "Berkas lengkap, NIK {nik} sesuai.",
    ),
    "pokok_perselisihan": (
        "Upah lembur tidak dibayar selama empat bulan.",
        "PHK sepihak terhadap {nama}, pesangon belum dibayar.",
        "Perbedaan tafsir perjanjian kerja bersama tentang tunjangan.",
    ),
    "kronologi": (
        "Pada awal bulan {nama} (NIK {nik}) menerima surat PHK tanpa perundingan. Pihak perusahaan tidak hadir pada panggilan pertama.",
        "Pekerja melapor ke Dinas dan dapat dihubungi di {hp}, beralamat di {alamat}.",
        "Perundingan bipartit dua kali, risalah ditandatangani kedua pihak.",
    ),
    "tuntutan": ("Pembayaran pesangon dan upah proses.", "{nama} minta dipekerjakan kembali.", "Upah lembur dan THR; transfer ke rekening a.n. {nama}."),
    "catatan_pengawas": (
        "Pemeriksaan berkala selesai, dua temuan ringan.",
        "Bertemu {nama} di lokasi, bukti P2K3 dikirim ke {email}.",
        "Nota pemeriksaan I diserahkan; kontak {hp}.",
    ),
    "catatan_verifikator": (
        "Berkas lengkap, surat PHK sesuai.",
        "NIK {nik} a.n. {nama} cocok dengan data kependudukan.",
        "Sudah dihubungi di {hp}, belum mengisi asesmen.",
        "Nama di rekening tidak sama dengan KTP, diminta perbaikan lewat {email}.",
    ),
}


def fill(world: World, draw: Draw, who: Person, *columns: str) -> dict[str, str]:
    """Text for the columns, about `who`; nothing unless the world asks for text."""
    if not world.text:
        return {}
    local = f"0{who.phone[3:]}"
    phone = one(draw, (who.phone, local, local, f"{local[:4]}-{local[4:8]}-{local[8:]}"))
    facts = {"nama": who.name, "nik": who.nik, "hp": phone, "email": who.email, "alamat": who.place.address}
    return {column: one(draw, TEMPLATES[column]).format_map(facts) for column in columns if draw() < FILLED}
