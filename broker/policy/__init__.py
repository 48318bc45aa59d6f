"""Policies: loaded strictly, given meaning by Casbin, compiled to tables, looked up as a Plan. docs/formats/policy.md."""

from broker.policy.check import Checked, check_against_casbin, publication_check
from broker.policy.diff import Change, Diff, as_json, diff, opens, owed, part, sentences, summary, touched
from broker.policy.expect import Expectation, Failure, Unreached, check_expectations, expectation_files, loosened, unreached
from broker.policy.explain import Explained, explain
from broker.policy.force import InForce
from broker.policy.load import COLUMNS as RULE_COLUMNS
from broker.policy.load import LAWS, citations, covered, rule_faults
from broker.policy.plan import Cell, Policy, compile_policy, deciding, load_policy
from broker.policy.replay import Decisions, Replayed, load_manifests, may_be_of, replay, replay_sentences
from broker.policy.universe import ROW_CLASSES

__all__ = [
    "LAWS",
    "ROW_CLASSES",
    "RULE_COLUMNS",
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
    "citations",
    "compile_policy",
    "covered",
    "deciding",
    "diff",
    "expectation_files",
    "explain",
    "load_manifests",
    "load_policy",
    "loosened",
    "may_be_of",
    "opens",
    "owed",
    "part",
    "publication_check",
    "replay",
    "replay_sentences",
    "rule_faults",
    "sentences",
    "summary",
    "touched",
    "unreached",
]
