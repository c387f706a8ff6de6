// The Vercel AI SDK: generateText with a tool loop, streamText, generateObject's kin left out; OpenAI and Anthropic.
// Runs in a folder that has one major version of `ai`; version 7 has its telemetry in a package of its own.
//
// Usage: node emit_ai_sdk.mjs PROVIDER

import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import path from 'node:path';

const require = createRequire(path.join(process.cwd(), 'package.json'));
const load = (name) => import(pathToFileURL(require.resolve(name)).href);

const { NodeTracerProvider, BatchSpanProcessor } = await load('@opentelemetry/sdk-trace-node');
const { OTLPTraceExporter } = await load('@opentelemetry/exporter-trace-otlp-http');
const { resourceFromAttributes } = await load('@opentelemetry/resources');
const ai = await load('ai');
const { createOpenAI } = await load('@ai-sdk/openai');
const { createAnthropic } = await load('@ai-sdk/anthropic');

const provider = new NodeTracerProvider({
  resource: resourceFromAttributes({ 'service.name': 'app' }),
  spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter(), { scheduledDelayMillis: 60_000 })],
});
provider.register();
try {
  const { OpenTelemetry } = await load('@ai-sdk/otel');
  ai.registerTelemetry(new OpenTelemetry());
} catch (error) {
  if (error.code !== 'MODULE_NOT_FOUND') throw error;
}

const base = process.argv[2];
const openai = createOpenAI({ baseURL: `${base}/v1`, apiKey: 'none' });
const anthropic = createAnthropic({ baseURL: `${base}/v1`, apiKey: 'none' });
const telemetry = { isEnabled: true, functionId: 'ask', metadata: { userId: 'user-1', sessionId: 'session-1' } };
const wishes = (counts, reply = 'Because of how light scatters.') => ({
  'x-sim-reply': reply,
  ...Object.fromEntries(Object.entries(counts).map(([name, count]) => [`x-sim-${name}-tokens`, String(count)])),
});
const common = { experimental_telemetry: telemetry, telemetry, maxRetries: 0, temperature: 0.25, maxOutputTokens: 400 };
const system = 'Answer in one sentence.';

await ai.generateText({
  ...common,
  model: openai.chat('gpt-4o'),
  system,
  prompt: 'Why is the sky blue?',
  headers: wishes({ input: 1200, cached: 1000, output: 60, reasoning: 20 }),
});
const stream = ai.streamText({
  ...common,
  model: openai.chat('gpt-4o'),
  prompt: 'Why is the sky blue?',
  headers: wishes({ input: 310, output: 41 }),
});
for await (const _ of stream.textStream);
await ai.generateText({
  ...common,
  model: openai.chat('gpt-4o'),
  prompt: 'Look the word up.',
  tools: {
    look_up: ai.tool({
      description: 'Looks a word up.',
      inputSchema: ai.jsonSchema({ type: 'object', properties: { text: { type: 'string' } } }),
      execute: async () => 'a colour',
    }),
  },
  stopWhen: ai.stepCountIs ? ai.stepCountIs(2) : ai.isStepCount(2),
  headers: { ...wishes({ input: 150, output: 12 }, 'blue'), 'x-sim-tool-call': '1' },
});
await ai.generateText({
  ...common,
  model: anthropic('claude-sonnet-4-5'),
  system,
  prompt: 'Why is grass green?',
  headers: wishes({ input: 2500, cached: 2000, 'cache-write': 300, output: 70 }),
});
try {
  await ai.generateText({
    ...common,
    model: openai.chat('gpt-4o'),
    prompt: 'Why is the sky blue?',
    headers: { 'x-sim-error': '429' },
  });
} catch (error) {
  console.log('refused:', error.name);
}
await provider.shutdown();
