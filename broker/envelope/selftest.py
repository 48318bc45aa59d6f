"""Known answers for the start: what seals and opens envelopes must give them, or nothing is served."""

from __future__ import annotations

import hashlib
from base64 import b64decode
from typing import Final

from cryptography.cobblestone import Cobblestone256Decryptor
from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm

from broker.envelope.seal import HPKE, SUITE
from broker.errors import NotVerified
from broker.keys.derive import LABELS
from broker.keys.material import KemKey

_TEXT: Final = b"sinergi: uji diri"
# The first key of MLKEM768-X25519 in draft-ietf-hpke-pq's test vectors: its private key, and the digest of its public one.
_SEED: Final = bytes.fromhex("3ec47fa82dd5689d27c6190e724c74ec8f608df3331ce331929e37b829676630")
_PUBLIC_SHA256: Final = "ad8aaf3f00d8a39bfeec2947a7d5dde68be08bba19bd301a348a45dc5fcc8341"
# _TEXT sealed to that key, info being the label and a zero byte; made once by npm's hpke 1.1.7 with @panva/hpke-noble 1.0.3.
_SEALED: Final = b64decode(
    "p9uUcqqrdH2eRpdz8/91sodz2CjbCb4t3lb2q2Gmaz3N0ZzmXg/YBCka3waRuq19n45cZhOmB60rYjBmcjt2dFbCENTe2AaTKNxIRyYahlByKJXlhkTNiYxtUbTAtrB61QidwoteUzyq9gn6+8C8r4"
    "tvQQqVBBOFJyMA2KU5zkuFGR5VjuVcWFuZJcPRvClFv71cADLQAfvRbWWZoGwXrrQlK1M/rhyc/vWFzlY0z500l5N5JnViejXwHCCfPoVTRAuCMfkaruyGx2w53vxcYk/yaykalyCClssHRq47EOOf"
    "0pt9iGH5EWfTAmOUxdk7G1ZC9cU36+O3ziqXBCcXa5Qk24fTfcxPt4rCH1eR98/ytjd+bBlSYot25jwVkI7j0rYwk9ECXO+4jQP2TIvlze1qoSfLz78bh99rIPF5XwZRSD9vSzsIHz4BIyedfL+X1H"
    "wJGDA2a0z45Day3Vp0MyVLHXTTKc8jtG2hOqV+cR38QtmjWRI0HbCsEFKY2mnknWIjvovcG5zlfCp0YReunSdzBBkzRd5G4T103euBSUiVrEvJWIAGJY6oODMss8gZv0+b088X41CZo1qYTsxV04/o"
    "hFVY4ZwlG5RRFXLA8eq8wRkNfuxQLjj1B0y1ZPOZHD/h1b9wxeadG4OOVOKHYk0oD6yMc7bFKb9eDwiC0nreo2QAsDzP/YBeM/U457C4PR+NwNxvnMdYsAbeo5ptYfHT18TQTAkTx7jjP+AXH+GV2u"
    "JsJYrZKzz89SOcEWq9Ho9gTZDFaXo90fEU+zU2ndacbogNyh5pG2NdWbMdUT+JiYlS+zELsvGcq5yMMV/wSsVJhTGRZWRCdzEnHftqa2UeMDhbjwjTNccJMNgSDE6OQT2aX7pvNmhh0+oBoexgeTWo"
    "AhUaDSkmD7Bgr2qQGUwiayU63JvG4k5QbY/0BJJuX/HJcFoWdi5pEw9QyrLZil2b2XyyKtivaLuGOZHm0PkLSnxj29RUTs5mTkJCgl7wv3cW9mASuTS2o/c3SrIWlHm47FOVn+He7dJbi2D2MHZZbe"
    "WCqrEx0kk8ke+miqAO3h9rl+OhqYQFXRVY6TQHl38TwX8ZOdNq+zFbRDTmik7biFDyx99uV26cFZPh2Y+EVtx8YwOKJEHmX2Fnevx1SnIR4t2uHGc6e2tO8R/KiIrM/RFCYjY5yP8fI6ySu/ah1acK"
    "QB3jeVV59k5jnPeLqvJYb+cn6lgK/Kl/y8nh6U9MzraZiPXfGQ1r1kf+TQp9eK2rSaXud8Qh1FStQwF5bSmeylpFk6YCq3RgacB8VFHVZ4vIja2n+36aYvBFNZhMtCDRlXfxGWoMV5G1ExOTQ8YvOn"
    "2httHUWrsipZNrRloXnMLLuZ8rKZkNWr40njj/IXEl6uB+REkGezXRAxrpQZ8QUV7RK1Pr30LyQ2Z+UCxewecrWhGGavsaGoSF+XMHjywL8HLwnVvWroYT8YGTavLJfoguqo+H/e3y4SZ/cJLm2OxY"
    "e3dlLB3+sM3YjhtKn3Zil430vAdmzwSvZExOHg=="
)
# _TEXT under the key 00…1f and the context "sinergi", with the salt 64…7b; made once from C2SP chunked-encryption with HKDF-SHA-512, by hand.
_STREAM: Final = bytes.fromhex(
    "6465666768696a6b6c6d6e6f707172737475767778797a7b81646109aef370a8a88075654e76318cb5b30e8fa264d889683beae075a70c2239095825cc7e529bd6f4521b0c6a1225f90c0c"
    "97881af140bd326b5a98103484f4"
)


def check_hpke() -> None:
    """NotVerified unless a seed makes its published key and opens what another implementation sealed to it. Also where there is no ML-KEM."""
    try:
        key = KemKey(_SEED)
        good = hashlib.sha256(key.public.raw).hexdigest() == _PUBLIC_SHA256 and HPKE[SUITE].decrypt(_SEALED, key.private, info=LABELS["cek"] + b"\0") == _TEXT
    except (InvalidTag, UnsupportedAlgorithm, ValueError):
        good = False
    if not good:
        raise NotVerified("the self-test of HPKE MLKEM768-X25519 failed")


def check_stream() -> None:
    """NotVerified unless a stream that was made from the specification opens."""
    try:
        stream = Cobblestone256Decryptor(bytes(range(32)), b"sinergi")
        good = stream.update(_STREAM) + stream.finalize() == _TEXT
    except InvalidTag:
        good = False
    if not good:
        raise NotVerified("the self-test of Cobblestone-256 failed")
