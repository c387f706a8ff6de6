// The mock of the providers that `@copilotkit/aimock` is, with the answers that calls.py and calls.mjs ask for.
//
// Usage: node aimock.mjs, with TOLLGATE_NODE_MODULES naming the folder that has `node_modules`.
//
// Prints its address, and serves until its standard input ends.

import { createRequire } from "node:module";

const { LLMock } = createRequire(`${process.env.TOLLGATE_NODE_MODULES}/`)("@copilotkit/aimock");

const usage = {
  prompt_tokens: 11,
  completion_tokens: 5,
  total_tokens: 16,
  input_tokens: 11,
  output_tokens: 5,
  promptTokenCount: 11,
  candidatesTokenCount: 5,
  totalTokenCount: 16,
};
const fault = (message, type, status) => ({ error: { message, type }, status });
const mock = new LLMock({ port: 0, chunkSize: 4 });
mock.onMessage("hello", { content: "Hello to you, and 你好.", usage });
mock.onMessage("tool", { toolCalls: [{ name: "send", arguments: '{"to":"Ann"}' }], usage });
mock.onMessage("limit", { ...fault("too many", "rate_limit_error", 429), retryAfter: 0.05 });
mock.onMessage("failed", fault("a defect", "server_error", 500));
await mock.start();
console.log(mock.url);
process.stdin.on("end", () => process.exit(0)).resume();
