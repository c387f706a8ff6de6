//! The page of documentation is what the tables say.

use std::path::Path;

#[test]
fn the_page_is_that_of_the_tables() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/DIALECTS.md");
    let page = tollgate_dialect::document();
    if std::env::var_os("TOLLGATE_WRITE_DOCS").is_some_and(|value| value == "1") {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page,
        "docs/DIALECTS.md is not what the tables say; run\n    \
         TOLLGATE_WRITE_DOCS=1 cargo test -p tollgate-dialect --test document"
    );
}
