//! Usage and a price set in, exact money out.
