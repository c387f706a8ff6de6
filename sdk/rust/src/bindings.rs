//! What wit-bindgen makes of the WIT package, one module a world. The records of the type-only interfaces are the
//! ones of `tollgate_columns`, so columns cross without being converted.

#![allow(missing_docs, unsafe_code, unreachable_pub, rust_2018_idioms)]
#![allow(clippy::all, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

pub mod enricher {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "enricher",
        with: {
            "tollgate:plugin/types@0.1.0": tollgate_columns,
            "tollgate:plugin/columns@0.1.0": tollgate_columns,
        },
        pub_export_macro: true,
        export_macro_name: "export_enrichment",
        default_bindings_module: "tollgate_sdk::bindings::enricher",
    });
}

pub mod redactor {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "redactor",
        with: {
            "tollgate:plugin/types@0.1.0": tollgate_columns,
            "tollgate:plugin/columns@0.1.0": tollgate_columns,
        },
        pub_export_macro: true,
        export_macro_name: "export_redaction",
        default_bindings_module: "tollgate_sdk::bindings::redactor",
    });
}

pub mod sampler {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "sampler",
        with: {
            "tollgate:plugin/types@0.1.0": tollgate_columns,
            "tollgate:plugin/columns@0.1.0": tollgate_columns,
        },
        pub_export_macro: true,
        export_macro_name: "export_sampling",
        default_bindings_module: "tollgate_sdk::bindings::sampler",
    });
}

pub mod extractor {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "extractor",
        with: {
            "tollgate:plugin/types@0.1.0": tollgate_columns,
        },
        pub_export_macro: true,
        export_macro_name: "export_extraction",
        default_bindings_module: "tollgate_sdk::bindings::extractor",
    });
}
