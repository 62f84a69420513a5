"""The names a model goes by: with provider, date, region or without, as emitters write them.

Yields the entries of a price map to look for, the exact one first. Knows no prices.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

LONGEST = 200
"""Of a model's name; what is longer is none."""
_LONGEST_PROVIDER = 50
_DATE = re.compile(r"[-@](20\d{2}-?\d{2}-?\d{2}|\d{4})$")
_SUFFIX = re.compile(r"(-latest|:latest|-v\d+:\d+|-v\d+|:\d+|@default)$")
_BEDROCK_REGION = re.compile(r"^(us|eu|apac|ap|au|jp|ca|sa|us-gov|global)\.(?=[a-z0-9]+\.)")
_ARN = re.compile(r"^arn:aws[^/]*/(?P<model>.+)$")
_PREFIXES: Mapping[str, str] = {
    "openai": "",
    "anthropic": "",
    "azure": "azure/",
    "azure_openai": "azure/",
    "azure.ai.openai": "azure/",
    "az.ai.openai": "azure/",
    "azure.ai.inference": "azure_ai/",
    "az.ai.inference": "azure_ai/",
    "aws.bedrock": "",
    "aws_bedrock": "",
    "bedrock": "",
    "aws": "",
    "google": "gemini/",
    "gemini": "gemini/",
    "gcp.gemini": "gemini/",
    "gcp.gen_ai": "gemini/",
    "google_genai": "gemini/",
    "vertex_ai": "vertex_ai/",
    "gcp.vertex_ai": "vertex_ai/",
    "vertexai": "vertex_ai/",
    "mistral_ai": "mistral/",
    "mistralai": "mistral/",
    "x_ai": "xai/",
    "xai": "xai/",
    "together": "together_ai/",
    "fireworks": "fireworks_ai/",
    "ibm.watsonx.ai": "watsonx/",
}


def candidates(model: str, provider: str) -> Iterator[str]:
    """Entries that may be meant, best first; none for a name that cannot be a model's."""
    if not model or len(model) > LONGEST:
        return
    prefix = _prefix(provider.lower()[:_LONGEST_PROVIDER])
    for name in _spellings(model.lower()):
        yield prefix + name
        if prefix:
            yield name


def _prefix(provider: str) -> str:
    return _PREFIXES.get(provider, f"{provider}/" if provider else "")


def _spellings(model: str) -> Iterator[str]:
    """The name as sent, then without what says where or when: the exact entry wins."""
    arn = _ARN.match(model)
    name = arn["model"] if arn else model.removeprefix("models/")
    while True:
        yield from _without_suffixes(name)
        regional = _BEDROCK_REGION.sub("", name)
        if regional != name:
            name = regional
        elif "/" in name:
            name = name.split("/", 1)[1]
        else:
            return


def _without_suffixes(name: str) -> Iterator[str]:
    seen = name
    while seen:
        yield seen
        if ":" not in seen and "." in seen:
            yield seen.replace(".", "-")
        shorter = _SUFFIX.sub("", seen)
        if shorter == seen:
            shorter = _DATE.sub("", seen)
        if shorter == seen:
            return
        seen = shorter
