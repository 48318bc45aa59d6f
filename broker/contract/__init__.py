"""Dataset contracts: what a file of each dataset must hold, and the code lists that its columns name."""

from broker.contract.codelists import CodeList, CodeLists, load_codelists
from broker.contract.load import load_contracts

__all__ = ["CodeList", "CodeLists", "load_codelists", "load_contracts"]
