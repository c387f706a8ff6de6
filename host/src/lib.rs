//! The tollgate binary: OTLP receivers, component stages, outputs.
