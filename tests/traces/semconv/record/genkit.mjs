// Genkit: a flow that lets a model call a tool.
import { trace } from "@opentelemetry/api";
import { NodeTracerProvider, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-node";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";

const exporter = new OTLPTraceExporter({ url: `${process.env.OTLP_URL}/v1/traces` });
const processor = new SimpleSpanProcessor(exporter);

const { genkit, z } = await import("genkit");
const { enableTelemetry } = await import("genkit/tracing");
const { openAI } = await import("@genkit-ai/compat-oai/openai");

await enableTelemetry({ spanProcessors: [processor] });
const kit = genkit({
  plugins: [openAI({ apiKey: "scripted", baseURL: process.env.OPENAI_BASE_URL })],
});
const weather = kit.defineTool(
  {
    name: "get_weather",
    description: "The weather in a city.",
    inputSchema: z.object({ city: z.string() }),
    outputSchema: z.string(),
  },
  async ({ city }) => `21 degrees and sunny in ${city}`,
);
const answer = kit.defineFlow(
  { name: "assistant", inputSchema: z.string(), outputSchema: z.string() },
  async (question) => {
    const { text } = await kit.generate({
      model: openAI.model("gpt-4o-mini"),
      system: "Be brief.",
      prompt: question,
      tools: [weather],
      config: { temperature: 0.2 },
    });
    return text;
  },
);
await answer("What is the weather in Paris?");
await processor.forceFlush();
