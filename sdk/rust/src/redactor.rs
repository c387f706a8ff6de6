//! Redactors: texts in, findings and changed texts out.

use crate::bindings::redactor::exports::tollgate::plugin::redaction as wire;
use crate::bindings::redactor::exports::tollgate::plugin::redaction::{Findings, Manifest, Redacted};
use crate::state::State;
use tollgate_columns::{ConfigError, Given, Redaction, RedactorManifest};

/// A redactor. Export it with [`export_redactor!`](crate::export_redactor).
pub trait Redactor: Sized + 'static {
    /// Reads the configuration, JSON text (`{}` where the user gave none).
    ///
    /// # Errors
    /// Everything that is wrong with the configuration, each with its path.
    fn configure(config: &str) -> Result<Self, ConfigError>;

    /// What the redactor is and can find.
    fn manifest(&self) -> RedactorManifest;

    /// Findings in the texts, and the texts that changed.
    ///
    /// # Errors
    /// A sentence that says why the whole batch is refused; by default none of these texts passes then.
    fn redact(&mut self, given: &Given) -> Result<Redaction, String>;
}

#[doc(hidden)]
pub fn configure<R: Redactor>(state: &State<R>, config: &str) -> Result<Manifest, ConfigError> {
    let redactor = R::configure(config)?;
    let RedactorManifest { name, version, types } = redactor.manifest();
    state.put(redactor);
    Ok(Manifest { name, version, types })
}

#[doc(hidden)]
pub fn redact<R: Redactor>(state: &State<R>, given: wire::Given) -> Result<Redacted, String> {
    let wire::Given { texts, places, names, groups } = given;
    let given = Given { texts, places, names, groups };
    let Redaction { findings, changed, skipped } = state.with(|redactor| redactor.redact(&given))??;
    let tollgate_columns::Findings { rows, types, starts, ends } = findings;
    Ok(Redacted { findings: Findings { rows, types, starts, ends }, changed, skipped })
}

/// Makes a type that implements [`Redactor`] the component's redactor. Outside wasm it only checks the type.
#[macro_export]
macro_rules! export_redactor {
    ($redactor:ty) => {
        const _: fn(&str) -> Result<$redactor, $crate::ConfigError> = <$redactor as $crate::Redactor>::configure;

        #[cfg(target_family = "wasm")]
        const _: () = {
            use $crate::bindings::redactor::exports::tollgate::plugin::redaction::{Given, Guest, Manifest, Redacted};

            ::std::thread_local! {
                static STATE: $crate::State<$redactor> = const { $crate::State::new() };
            }

            struct Component;

            impl Guest for Component {
                fn configure(config: String) -> Result<Manifest, $crate::ConfigError> {
                    STATE.with(|state| $crate::redactor::configure(state, &config))
                }

                fn redact(given: Given) -> Result<Redacted, String> {
                    STATE.with(|state| $crate::redactor::redact(state, given))
                }
            }

    $crate::bindings::redactor::export_redaction!(Component with_types_in $crate::bindings::redactor);
        };
    };
}
