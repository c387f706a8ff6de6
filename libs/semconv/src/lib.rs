//! Every attribute and metric name Tollgate reads or writes, in one table.
#![forbid(unsafe_code)]
