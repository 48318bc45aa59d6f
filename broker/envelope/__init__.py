"""The envelope `SNG1 | u32 header length | header | Cobblestone-256 stream`, and DSSE statements. docs/formats/envelope.md."""

from broker.envelope.approvals import Approval, Voucher, read_approval, read_voucher
from broker.envelope.dsse import Dsse, read_dsse, sign_dsse, verify_dsse
from broker.envelope.seal import MAX_HEADER, Header, Opener, Sealer, open_envelope, read_header, seal
from broker.envelope.selftest import check_hpke, check_stream
from broker.envelope.submission import read_submission, submission_prefix

__all__ = [
    "MAX_HEADER",
    "Approval",
    "Dsse",
    "Header",
    "Opener",
    "Sealer",
    "Voucher",
    "check_hpke",
    "check_stream",
    "open_envelope",
    "read_approval",
    "read_dsse",
    "read_header",
    "read_submission",
    "read_voucher",
    "seal",
    "sign_dsse",
    "submission_prefix",
    "verify_dsse",
]
