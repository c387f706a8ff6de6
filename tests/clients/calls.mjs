// Calls of the official OpenAI client for Node, each kind of them once, and what it made of the answers.
//
// Usage: node calls.mjs BASE_URL [embeddings], with TOLLGATE_NODE_MODULES naming the folder that has `node_modules`.
//
// Prints a JSON object as calls.py does.

import { createRequire } from "node:module";

const { OpenAI } = createRequire(`${process.env.TOLLGATE_NODE_MODULES}/`)("openai");

const SAID = { document: "hello", stream: "hello", tool: "tool", "tool stream": "tool", limit: "limit", failed: "failed" };
const ASKED = {
  tool: { "x-sim-tool-call": "1" },
  "tool stream": { "x-sim-tool-call": "1" },
  limit: { "x-sim-error": "429" },
  failed: { "x-sim-error": "500" },
};
const VOLATILE = new Set(["id", "created", "created_at", "completed_at", "item_id", "call_id", "response_id", "_request_id"]);
const SCHEMA = { type: "object", properties: { to: { type: "string" } }, required: ["to"] };
const FUNCTION = { name: "send", description: "Sends", parameters: SCHEMA };

const results = {};
const client = new OpenAI({ apiKey: "sk-none", baseURL: `${process.argv[2]}/v1`, maxRetries: 1 });

async function attempt(name, kind, call) {
  const headers = {
    "x-request-id": name,
    "x-sim-input-tokens": "11",
    "x-sim-output-tokens": "5",
    ...ASKED[kind],
  };
  try {
    const answer = await call({ headers });
    if (!kind.endsWith("stream")) {
      results[name] = answer;
      return;
    }
    results[name] = [];
    for await (const event of answer) results[name].push(event);
  } catch (error) {
    results[name] = { error: error.constructor.name, status: error.status, body: error.error };
  }
}

for (const [kind, said] of Object.entries(SAID)) {
  const stream = kind.endsWith("stream");
  const chat = {
    model: "gpt-4o",
    messages: [{ role: "user", content: said }],
    tools: [{ type: "function", function: FUNCTION }],
    ...(stream && { stream, stream_options: { include_usage: true } }),
  };
  await attempt(`node chat ${kind}`, kind, (options) => client.chat.completions.create(chat, options));
  const responses = { model: "gpt-4o", input: said, tools: [{ type: "function", ...FUNCTION }], stream };
  await attempt(`node responses ${kind}`, kind, (options) => client.responses.create(responses, options));
}
if (process.argv.includes("embeddings")) {
  const embedded = { model: "text-embedding-3-small", input: "hello" };
  await attempt("node embeddings document", "", (options) => client.embeddings.create(embedded, options));
}
console.log(JSON.stringify(results, (name, value) => (VOLATILE.has(name) ? undefined : value)));
