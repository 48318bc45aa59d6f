"""Policies: loaded strictly, given meaning by Casbin, compiled to tables, looked up as a Plan. docs/formats/policy.md."""

from broker.policy.plan import Cell, Policy, check_against_casbin, load_policy

__all__ = ["Cell", "Policy", "check_against_casbin", "load_policy"]
