//! End-to-end tests: real Envoy, official clients, recorded traffic in every seat.
