// Vercel's AI SDK: text with a tool, an object, a stream, an embedding. Versions 4, 5 and 6.
import { createOpenAI } from "@ai-sdk/openai";
import { NodeTracerProvider, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-node";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import * as ai from "ai";
import { z } from "zod";

const exporter = new OTLPTraceExporter({ url: `${process.env.OTLP_URL}/v1/traces` });
const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
provider.register();

const openai = createOpenAI({ baseURL: process.env.OPENAI_BASE_URL });
const model = openai.chat ? openai.chat("gpt-4o-mini") : openai("gpt-4o-mini");
const telemetry = {
  experimental_telemetry: {
    isEnabled: true,
    functionId: "assistant",
    metadata: { sessionId: "session-1", userId: "ada", tags: ["weather"], tier: "gold" },
  },
};
const city = z.object({ city: z.string() });
const execute = async ({ city }) => `21 degrees and sunny in ${city}`;

await ai.generateText({
  model,
  system: "Be brief.",
  prompt: "What is the weather in Paris?",
  temperature: 0.2,
  maxRetries: 1,
  tools: {
    get_weather: {
      description: "The weather in a city.",
      parameters: city,
      inputSchema: city,
      execute,
    },
  },
  ...(ai.stepCountIs ? { stopWhen: ai.stepCountIs(3) } : { maxSteps: 3 }),
  ...telemetry,
});
await ai.generateText({ model, prompt: "What is the capital of France?", ...telemetry });
const stream = ai.streamText({ model, prompt: "What is the capital of France?", ...telemetry });
await stream.consumeStream();
const embedding = (openai.textEmbeddingModel ?? openai.embedding)("text-embedding-3-small");
await ai.embed({ model: embedding, value: "Paris", ...telemetry });
await provider.forceFlush();
await provider.shutdown();
