//! Provider wire formats in, one call record out.
