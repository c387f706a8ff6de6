//! Head and tail sampling decisions, each with the probability it used.
