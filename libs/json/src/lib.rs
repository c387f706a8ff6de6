//! A push JSON reader: any chunking in, path-addressed values out, in constant memory.
