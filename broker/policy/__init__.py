"""Policies: loaded strictly, given meaning by Casbin, compiled to tables, looked up as a Plan. docs/formats/policy.md."""

from broker.policy.check import Checked, check_against_casbin, publication_check
from broker.policy.diff import Change, Diff, as_json, diff, opens, owed, part, sentences, summary, touched
from broker.policy.expect import Expectation, Failure, Unreached, check_expectations, expectation_files, loosened, unreached
from broker.policy.explain import Explained, explain
from broker.policy.force import InForce
from broker.policy.load import covered
from broker.policy.plan import Cell, Policy, compile_policy, load_policy
from broker.policy.replay import Decisions, Replayed, load_manifests, replay, replay_sentences

__all__ = [
    "Cell",
    "Change",
    "Checked",
    "Decisions",
    "Diff",
    "Expectation",
    "Explained",
    "Failure",
    "InForce",
    "Policy",
    "Replayed",
    "Unreached",
    "as_json",
    "check_against_casbin",
    "check_expectations",
    "compile_policy",
    "covered",
    "diff",
    "expectation_files",
    "explain",
    "load_manifests",
    "load_policy",
    "loosened",
    "opens",
    "owed",
    "part",
    "publication_check",
    "replay",
    "replay_sentences",
    "sentences",
    "summary",
    "touched",
    "unreached",
]
