"""MLflow's decorator and its OpenAI autologging, exported over OTLP."""

from __future__ import annotations

import os

os.environ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] = os.environ["OTLP_URL"] + "/v1/traces"
os.environ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"] = "http/protobuf"
os.environ["OTEL_SERVICE_NAME"] = "recorded"
os.environ["MLFLOW_TRACKING_URI"] = "sqlite:///recorded.db"

import mlflow
from exporting import OTHER_QUESTION, get_weather
from mlflow.entities import SpanType
from openai import OpenAI

mlflow.openai.autolog()
model = OpenAI()


@mlflow.trace(span_type=SpanType.TOOL, name="get_weather")
def weather(city: str) -> str:
    return get_weather(city)


@mlflow.trace(span_type=SpanType.AGENT, name="assistant")
def answer(question: str) -> str:
    weather("Paris")
    completion = model.chat.completions.create(
        model="gpt-4o-mini", messages=[{"role": "user", "content": question}], temperature=0.2
    )
    return completion.choices[0].message.content


answer(OTHER_QUESTION)
mlflow.flush_trace_async_logging()
