"""OpenLIT's instrumentation of the OpenAI client."""

from __future__ import annotations

import os

import openlit
from exporting import OTHER_QUESTION, QUESTION, TOOL

openlit.init(
    otlp_endpoint=os.environ["OTLP_URL"],
    environment="staging",
    application_name="recorded",
    disable_batch=True,
    disable_metrics=True,
)

from openai import OpenAI  # noqa: E402

model = OpenAI()
model.chat.completions.create(
    model="gpt-4o-mini",
    messages=[{"role": "system", "content": "Be brief."}, {"role": "user", "content": QUESTION}],
    tools=[TOOL],
    temperature=0.2,
)
model.chat.completions.create(
    model="gpt-4o-mini", messages=[{"role": "user", "content": OTHER_QUESTION}]
)
model.embeddings.create(model="text-embedding-3-small", input="Paris")
