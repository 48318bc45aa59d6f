"""A policy's life: draft → proposed → approved → published; and stops. Every act is a person's, and an entry in each log it touches.

1. An officer drafts, by whole rules.csv; nothing is live. 2. `judge` reads the draft strictly, compiles it, holds it against the
expectations, the invariants and the version in force, and says exactly which cells change. 3. Proposing fixes what approvals are
for. 4. An approval is another officer's own signature over the draft's digest; whoever's data would be seen more of by another
party must be among them. 5. Publishing judges again, holds the tables against Casbin, and in one transaction writes the version,
its signed record, its entries and the pointer; then one reference is swapped.

The broker signs versions and cannot approve one. What is not exactly so leaves the version in force where it is.
`officers`: who may. `versions`: what is in force. `judging`: what a draft would change. `drafts`: from draft to live. `stops`.
"""

from broker.lifecycle.cells import CellRule as CellRule
from broker.lifecycle.cells import with_cell as with_cell
from broker.lifecycle.drafts import MAX_RULES as MAX_RULES
from broker.lifecycle.drafts import approvals_given as approvals_given
from broker.lifecycle.drafts import approve as approve
from broker.lifecycle.drafts import draft_with_base as draft_with_base
from broker.lifecycle.drafts import edit as edit
from broker.lifecycle.drafts import new_draft as new_draft
from broker.lifecycle.drafts import open_drafts as open_drafts
from broker.lifecycle.drafts import propose as propose
from broker.lifecycle.drafts import publish as publish
from broker.lifecycle.drafts import read_draft as read_draft
from broker.lifecycle.drafts import statement as statement
from broker.lifecycle.drafts import withdraw as withdraw
from broker.lifecycle.faults import Wrong as Wrong
from broker.lifecycle.faults import wrongs as wrongs
from broker.lifecycle.judging import Judged as Judged
from broker.lifecycle.judging import change_of as change_of
from broker.lifecycle.judging import judge as judge
from broker.lifecycle.judging import judge_ahead as judge_ahead
from broker.lifecycle.judging import released as released
from broker.lifecycle.judging import replayed as replayed
from broker.lifecycle.officers import APPROVE as APPROVE
from broker.lifecycle.officers import STOP as STOP
from broker.lifecycle.officers import WRITE as WRITE
from broker.lifecycle.officers import readable as readable
from broker.lifecycle.officers import reader as reader
from broker.lifecycle.stops import resume as resume
from broker.lifecycle.stops import stop as stop
from broker.lifecycle.stops import stops as stops
from broker.lifecycle.stops import stops_of as stops_of
from broker.lifecycle.versions import approvals_of as approvals_of
from broker.lifecycle.versions import approvers as approvers
from broker.lifecycle.versions import history as history
from broker.lifecycle.versions import sha256 as sha256
from broker.lifecycle.versions import start as start
from broker.lifecycle.versions import take_up_policy as take_up_policy
from broker.lifecycle.versions import verified as verified
from broker.lifecycle.versions import version as version
