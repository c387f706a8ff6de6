//! Enrichers: attributes of spans in, attributes of spans out.

use crate::attributes::Attributes;
use crate::bindings::enricher::exports::tollgate::plugin::enrichment::Manifest;
use crate::spans::Spans;
use crate::state::State;
use tollgate_columns::{Batch, ConfigError, EnricherManifest};

/// An enricher over rows: what most authors write. Export it with [`export_enricher!`](crate::export_enricher).
pub trait Enricher: Sized + 'static {
    /// Name of the plugin, for logs and counters.
    const NAME: &'static str;
    /// Version of the plugin; `env!("CARGO_PKG_VERSION")` is a good one.
    const VERSION: &'static str;

    /// Reads the configuration, JSON text (`{}` where the user gave none), and declares the attributes.
    ///
    /// # Errors
    /// Everything that is wrong with the configuration, each with its path.
    fn configure(config: &str, attributes: &mut Attributes) -> Result<Self, ConfigError>;

    /// Sets attributes on spans.
    ///
    /// # Errors
    /// A sentence that says why the whole batch is refused; the host then does as `on_error` says.
    fn enrich(&mut self, spans: &Spans<'_>) -> Result<(), String>;
}

/// An enricher over columns: for a library that has its own enricher already. Export it with
/// [`export_column_enricher!`](crate::export_column_enricher).
pub trait ColumnEnricher: Sized + 'static {
    /// Reads the configuration, JSON text (`{}` where the user gave none).
    ///
    /// # Errors
    /// Everything that is wrong with the configuration, each with its path.
    fn configure(config: &str) -> Result<Self, ConfigError>;

    /// What the enricher is, reads and writes.
    fn manifest(&self) -> EnricherManifest;

    /// Edits for a batch, as columns.
    ///
    /// # Errors
    /// A sentence that says why the whole batch is refused.
    fn enrich(&mut self, spans: &Batch) -> Result<Batch, String>;
}

/// An enricher over rows, seen as one over columns.
#[derive(Debug)]
pub struct Rowwise<E> {
    enricher: E,
    manifest: EnricherManifest,
}

impl<E: Enricher> ColumnEnricher for Rowwise<E> {
    fn configure(config: &str) -> Result<Self, ConfigError> {
        let mut attributes = Attributes::default();
        let enricher = E::configure(config, &mut attributes)?;
        let problems = attributes.problems();
        if !problems.is_empty() {
            return Err(ConfigError { problems });
        }
        Ok(Self { enricher, manifest: attributes.manifest(E::NAME, E::VERSION) })
    }

    fn manifest(&self) -> EnricherManifest {
        self.manifest.clone()
    }

    fn enrich(&mut self, batch: &Batch) -> Result<Batch, String> {
        let spans = Spans::new(batch);
        self.enricher.enrich(&spans)?;
        Ok(spans.finish())
    }
}

#[doc(hidden)]
pub fn configure<E: ColumnEnricher>(state: &State<E>, config: &str) -> Result<Manifest, ConfigError> {
    let enricher = E::configure(config)?;
    let EnricherManifest { name, version, reads, writes } = enricher.manifest();
    state.put(enricher);
    Ok(Manifest { name, version, reads, writes })
}

#[doc(hidden)]
pub fn enrich<E: ColumnEnricher>(state: &State<E>, spans: &Batch) -> Result<Batch, String> {
    state.with(|enricher| enricher.enrich(spans))?
}

/// Makes a type that implements [`Enricher`] the component's enricher. Outside wasm it only checks the type.
#[macro_export]
macro_rules! export_enricher {
    ($enricher:ty) => {
        $crate::export_column_enricher!($crate::Rowwise<$enricher>);
    };
}

/// Makes a type that implements [`ColumnEnricher`] the component's enricher. Outside wasm it only checks the type.
#[macro_export]
macro_rules! export_column_enricher {
    ($enricher:ty) => {
        const _: fn(&str) -> Result<$enricher, $crate::ConfigError> = <$enricher as $crate::ColumnEnricher>::configure;

        #[cfg(target_family = "wasm")]
        const _: () = {
            use $crate::bindings::enricher::exports::tollgate::plugin::enrichment::{Guest, Manifest};

            ::std::thread_local! {
                static STATE: $crate::State<$enricher> = const { $crate::State::new() };
            }

            struct Component;

            impl Guest for Component {
                fn configure(config: String) -> Result<Manifest, $crate::ConfigError> {
                    STATE.with(|state| $crate::enricher::configure(state, &config))
                }

                fn enrich(spans: $crate::Batch) -> Result<$crate::Batch, String> {
                    STATE.with(|state| $crate::enricher::enrich(state, &spans))
                }
            }

    $crate::bindings::enricher::export_enrichment!(Component with_types_in $crate::bindings::enricher);
        };
    };
}
