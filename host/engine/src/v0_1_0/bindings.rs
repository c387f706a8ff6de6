//! What wasmtime's `bindgen!` makes of the WIT package, one module a world; the type-only interfaces are shared.

#![allow(missing_docs, unsafe_code, unreachable_pub, rust_2018_idioms, dead_code)]
#![allow(clippy::all, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

pub(crate) mod enricher {
    wasmtime::component::bindgen!({ path: "../../wit", world: "enricher" });
}

pub(crate) mod redactor {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "redactor",
        with: {
            "tollgate:plugin/types": super::enricher::tollgate::plugin::types,
            "tollgate:plugin/columns": super::enricher::tollgate::plugin::columns,
        },
    });
}

pub(crate) mod sampler {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "sampler",
        with: {
            "tollgate:plugin/types": super::enricher::tollgate::plugin::types,
            "tollgate:plugin/columns": super::enricher::tollgate::plugin::columns,
        },
    });
}

pub(crate) mod extractor {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "extractor",
        with: { "tollgate:plugin/types": super::enricher::tollgate::plugin::types },
    });
}
