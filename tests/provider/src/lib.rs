//! A simulated LLM provider for tests and the demo: OpenAI and Anthropic, JSON and SSE.
