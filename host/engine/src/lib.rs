//! wasmtime and nothing else: load, verify, pool, deadline, swap.
