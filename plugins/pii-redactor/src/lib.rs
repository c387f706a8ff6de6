//! Text in, text with findings out.
