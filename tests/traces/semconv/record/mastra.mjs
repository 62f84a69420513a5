// Mastra: an agent with one tool, its OpenTelemetry exporter.
import { createOpenAI } from "@ai-sdk/openai";
import { Agent } from "@mastra/core/agent";
import { Mastra } from "@mastra/core/mastra";
import { createTool } from "@mastra/core/tools";
import { Observability } from "@mastra/observability";
import { OtelExporter } from "@mastra/otel-exporter";
import { z } from "zod";

const openai = createOpenAI({ baseURL: process.env.OPENAI_BASE_URL });
const weather = createTool({
  id: "get_weather",
  description: "The weather in a city.",
  inputSchema: z.object({ city: z.string() }),
  execute: async (input) => `21 degrees and sunny in ${input.city ?? input.context?.city}`,
});
const assistant = new Agent({
  id: "assistant",
  name: "assistant",
  instructions: "Be brief.",
  model: openai.chat("gpt-4o-mini"),
  tools: { get_weather: weather },
});
const exporter = new OtelExporter({
  provider: {
    custom: { endpoint: `${process.env.OTLP_URL}/v1/traces`, protocol: "http/json" },
  },
});
const mastra = new Mastra({
  agents: { assistant },
  observability: new Observability({
    configs: { otel: { serviceName: "recorded", exporters: [exporter] } },
  }),
});
await mastra.getAgent("assistant").generate("What is the weather in Paris?", {
  memory: undefined,
  tracingOptions: { metadata: { sessionId: "session-1", userId: "ada" } },
  modelSettings: { temperature: 0.2 },
});
await exporter.flush?.();
await exporter.shutdown();
