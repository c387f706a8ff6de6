//! Test data that is not in the repository: recorded traffic and labelled texts.

use std::fmt;
use std::path::{Path, PathBuf};

/// Variable for the recorded exchanges.
const TRAFFIC: &str = "TOLLGATE_TRAFFIC";
/// Variable for the folder of labelled texts.
const PII: &str = "TOLLGATE_PII";
/// Variable that makes absent data a failure.
const REQUIRE: &str = "TOLLGATE_REQUIRE_DATA";

/// Where the data is.
#[derive(Debug, Default)]
pub(super) struct Data {
    traffic: Option<PathBuf>,
    pii: Option<PathBuf>,
}

impl Data {
    /// The data that the variables name, else that in the folder `shared` beside the checkout.
    pub(super) fn find(root: &Path) -> Result<Self, String> {
        let beside = root.parent().unwrap_or(root).join("shared");
        let find = |variable: &str, place: &str| {
            let path = std::env::var_os(variable).map_or_else(|| beside.join(place), PathBuf::from);
            path.exists().then_some(path)
        };
        let data = Self { traffic: find(TRAFFIC, "traffic/exchanges.jsonl.gz"), pii: find(PII, "pii") };
        if Self::required() && (data.traffic.is_none() || data.pii.is_none()) {
            return Err(format!("{REQUIRE}=1, and the test data is absent ({data}); set {TRAFFIC} and {PII}"));
        }
        Ok(data)
    }

    /// Whether what is absent is a failure.
    pub(super) fn required() -> bool {
        std::env::var_os(REQUIRE).is_some_and(|value| value == "1")
    }

    /// The variables for the tests.
    pub(super) fn variables(&self) -> impl Iterator<Item = (&'static str, &Path)> {
        [(TRAFFIC, self.traffic.as_deref()), (PII, self.pii.as_deref())]
            .into_iter()
            .filter_map(|(name, path)| Some((name, path?)))
    }
}

impl fmt::Display for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show =
            |path: &Option<PathBuf>| path.as_ref().map_or("absent".to_owned(), |path| path.display().to_string());
        write!(f, "traffic {}, texts {}", show(&self.traffic), show(&self.pii))
    }
}
