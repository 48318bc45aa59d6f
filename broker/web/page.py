"""The API as one plain page, made from its own OpenAPI document: no script, no style or font of another host."""

from __future__ import annotations

from html import escape
from typing import Any

from broker.errors import REASONS


def api_page(document: dict[str, Any]) -> str:
    rows = [_operation(path, method, op) for path, methods in document["paths"].items() for method, op in methods.items()]
    reasons = "".join(
        f"<tr><td><code>{escape(code)}</code><td>{r.status}<td>{escape(r.pasal)}<td lang=id>{escape(r.id)}<td lang=en>{escape(r.en)}" for code, r in REASONS.items()
    )
    title, info = escape(document["info"]["title"]), document["info"]
    return f"""<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content="width=device-width"><title>{title} API</title>
<main><h1>{title} API {escape(info["version"])}</h1><p lang=id>{escape(info.get("summary", ""))}<p>{escape(info["description"])}
<p>Machine-readable: <a href="/v1/openapi.json">/v1/openapi.json</a>
<h2>Operations</h2>{"".join(rows)}
<h2>Reasons of refusal</h2><table><caption>Every problem document carries one of these</caption>
<thead><tr><th scope=col>reason<th scope=col>status<th scope=col>pasal<th scope=col>Indonesia<th scope=col>English<tbody>{reasons}</table></main></html>"""


def _operation(path: str, method: str, op: dict[str, Any]) -> str:
    parameters = "".join(
        f"<li><code>{escape(p['name'])}</code> ({escape(p['in'])}{', required' if p.get('required') else ''}): {escape(p.get('description', ''))}"
        for p in op.get("parameters", [])
    )
    answers = "".join(f"<li>{escape(code)}: {escape(r['description'])}" for code, r in op["responses"].items())
    body = "".join(f"<p>Body: <code>{escape(kind)}</code>" for kind in op.get("requestBody", {}).get("content", {}))
    return (
        f"<section><h3><code>{escape(method.upper())} {escape(path)}</code> · {escape(op.get('summary', ''))}</h3><p>{escape(op.get('description', ''))}"
        f"{body}{f'<ul>{parameters}</ul>' if parameters else ''}<ul>{answers}</ul></section>"
    )
