//! A model of the proxy side of proxy-wasm, to run and fuzz the filter natively.
