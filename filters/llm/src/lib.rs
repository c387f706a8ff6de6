//! The proxy-wasm module: observes LLM traffic inside Envoy.
