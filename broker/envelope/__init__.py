"""The envelope `SNG1 | u32 header length | header | Cobblestone-256 stream`, and DSSE statements. docs/formats/envelope.md."""

from broker.envelope.approvals import Approval, Voucher, read_approval, read_voucher
from broker.envelope.approved import Approved, read_approved, vouches
from broker.envelope.dsse import Dsse, read_dsse, sign_dsse, verify_dsse
from broker.envelope.passkey import Assertion, Passkey, is_assertion, read_assertion, read_passkey, registered, verify_assertion
from broker.envelope.seal import MAX_HEADER, Header, Opener, Sealer, open_envelope, read_header, seal
from broker.envelope.selftest import check_hpke, check_stream
from broker.envelope.submission import read_submission, submission_prefix

__all__ = [
    "MAX_HEADER",
    "Approval",
    "Approved",
    "Assertion",
    "Dsse",
    "Header",
    "Opener",
    "Passkey",
    "Sealer",
    "Voucher",
    "check_hpke",
    "check_stream",
    "is_assertion",
    "open_envelope",
    "read_approval",
    "read_approved",
    "read_assertion",
    "read_dsse",
    "read_header",
    "read_passkey",
    "read_submission",
    "read_voucher",
    "registered",
    "seal",
    "sign_dsse",
    "submission_prefix",
    "verify_assertion",
    "verify_dsse",
    "vouches",
]
