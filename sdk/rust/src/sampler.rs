//! Samplers: traces in, verdicts out.

use crate::bindings::sampler::exports::tollgate::plugin::sampling;
use crate::state::State;
use tollgate_columns::{ConfigError, SamplerManifest, Traces, Verdicts};

/// A sampler. Export it with [`export_sampler!`](crate::export_sampler).
pub trait Sampler: Sized + 'static {
    /// Reads the configuration, JSON text (`{}` where the user gave none).
    ///
    /// # Errors
    /// Everything that is wrong with the configuration, each with its path.
    fn configure(config: &str) -> Result<Self, ConfigError>;

    /// What the sampler is, reads and decides by.
    fn manifest(&self) -> SamplerManifest;

    /// One verdict a trace, in the order of the traces, each with the threshold that it was made by.
    ///
    /// # Errors
    /// A sentence that says why the whole batch is refused; the host keeps these traces then.
    fn decide(&mut self, traces: &Traces) -> Result<Verdicts, String>;
}

#[doc(hidden)]
pub fn configure<S: Sampler>(state: &State<S>, config: &str) -> Result<sampling::Manifest, ConfigError> {
    let sampler = S::configure(config)?;
    let SamplerManifest { name, version, reads, rules } = sampler.manifest();
    state.put(sampler);
    Ok(sampling::Manifest { name, version, reads, rules })
}

#[doc(hidden)]
pub fn decide<S: Sampler>(state: &State<S>, given: sampling::Traces) -> Result<sampling::Verdicts, String> {
    let sampling::Traces { now, ids, offsets, randomness, thresholds, bytes, progress, spans } = given;
    let traces = Traces { now, ids, offsets, randomness, thresholds, bytes, progress, spans };
    let Verdicts { keep, thresholds, rules } = state.with(|sampler| sampler.decide(&traces))??;
    Ok(sampling::Verdicts { keep, thresholds, rules })
}

/// Makes a type that implements [`Sampler`] the component's sampler. Outside wasm it only checks the type.
#[macro_export]
macro_rules! export_sampler {
    ($sampler:ty) => {
        const _: fn(&str) -> Result<$sampler, $crate::ConfigError> = <$sampler as $crate::Sampler>::configure;

        #[cfg(target_family = "wasm")]
        const _: () = {
            use $crate::bindings::sampler::exports::tollgate::plugin::sampling::{Guest, Manifest, Traces, Verdicts};

            ::std::thread_local! {
                static STATE: $crate::State<$sampler> = const { $crate::State::new() };
            }

            struct Component;

            impl Guest for Component {
                fn configure(config: String) -> Result<Manifest, $crate::ConfigError> {
                    STATE.with(|state| $crate::sampler::configure(state, &config))
                }

                fn decide(given: Traces) -> Result<Verdicts, String> {
                    STATE.with(|state| $crate::sampler::decide(state, given))
                }
            }

    $crate::bindings::sampler::export_sampling!(Component with_types_in $crate::bindings::sampler);
        };
    };
}
