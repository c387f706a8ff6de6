//! Lazy OTLP reader, column projector, edit splicer and span writer.
