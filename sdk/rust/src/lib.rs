//! What a plugin author uses: rows over columns, edits, the export macros.
