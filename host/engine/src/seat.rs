//! A configured plugin and its instance: made, used, stopped, replaced.

use crate::counters::Counters;
use crate::limits::Limits;
use crate::plugin::Plugin;
use crate::{CallError, ConfigureError, World, text};
use std::sync::Arc;
use std::time::Duration;
use tollgate_columns::{ConfigError, Problem};
use wasmtime::{Store, Trap};

/// One kind of plugin, as an instance of it is used.
pub(crate) trait Kind: Sized + Send {
    /// What the plugin says about itself.
    type Manifest: Clone + PartialEq + Send;
    const WORLD: World;

    /// Makes an instance; `None` where the plugin is of another kind.
    fn instantiate(plugin: &Plugin, store: &mut Store<Limits>) -> Option<wasmtime::Result<Self>>;

    /// Configures the instance.
    fn configure(
        &self,
        store: &mut Store<Limits>,
        config: &str,
    ) -> wasmtime::Result<Result<Self::Manifest, ConfigError>>;

    /// Checks what the plugin says about itself.
    fn check(manifest: &Self::Manifest) -> Result<(), String>;
}

/// How much a call is about, which decides its deadline.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Weight {
    pub(crate) items: u32,
    pub(crate) bytes: usize,
}

/// A configured plugin with the one instance that serves it.
pub(crate) struct Seat<K: Kind> {
    plugin: Plugin,
    config: Box<str>,
    manifest: K::Manifest,
    running: Option<Running<K>>,
    counters: Arc<Counters>,
}

struct Running<K> {
    kind: K,
    store: Store<Limits>,
    calls: u32,
    /// Bytes of linear memory that it had when it was configured.
    configured: usize,
}

/// Why an instance could not be made and configured.
enum Unmade {
    Kind,
    Refused(ConfigError),
    Manifest(String),
    Stopped(CallError),
}

impl<K: Kind> Seat<K> {
    pub(crate) fn open(plugin: &Plugin, config: &str) -> Result<Self, ConfigureError> {
        let counters = Arc::<Counters>::default();
        let (running, manifest) = make::<K>(plugin, config, &counters).map_err(|unmade| match unmade {
            Unmade::Kind => {
                let is = plugin.describe().worlds.iter().map(|world| world.noun()).collect::<Vec<_>>();
                ConfigureError::Kind { wanted: K::WORLD.noun(), is: is.join(" and ") }
            }
            Unmade::Refused(error) => ConfigureError::Refused(error),
            Unmade::Manifest(why) => ConfigureError::Manifest(why),
            Unmade::Stopped(error) => ConfigureError::Stopped(error),
        })?;
        Ok(Self { plugin: plugin.clone(), config: config.into(), manifest, running: Some(running), counters })
    }

    pub(crate) fn manifest(&self) -> &K::Manifest {
        &self.manifest
    }

    pub(crate) fn counters(&self) -> &Arc<Counters> {
        &self.counters
    }

    /// Calls the plugin and checks its answer. An instance that was stopped, or answered against the rules, is
    /// dropped, and the next call gets a fresh one, as it does after so many calls, and after one that took much memory; a
    /// refusal in words leaves the instance as it is.
    pub(crate) fn call<R>(
        &mut self,
        weight: Weight,
        call: impl FnOnce(&K, &mut Store<Limits>) -> wasmtime::Result<Result<R, String>>,
        check: impl FnOnce(&R, &K::Manifest) -> Result<(), tollgate_columns::Malformed>,
    ) -> Result<R, CallError> {
        let most = self.plugin.loaded().engine.config().calls_per_instance.max(1);
        self.running.take_if(|running| running.calls >= most);
        let result = self.proceed(weight, call, check);
        let spare = self.plugin.loaded().engine.config().spare_bytes;
        self.running.take_if(|running| running.store.data().bytes() > running.configured.saturating_add(spare));
        result
    }

    /// As [`call`](Self::call), but on the instance that is there, however old: it holds something of use.
    pub(crate) fn proceed<R>(
        &mut self,
        weight: Weight,
        call: impl FnOnce(&K, &mut Store<Limits>) -> wasmtime::Result<Result<R, String>>,
        check: impl FnOnce(&R, &K::Manifest) -> Result<(), tollgate_columns::Malformed>,
    ) -> Result<R, CallError> {
        self.counters.call();
        let result = self.answer(weight, call).and_then(|answer| {
            check(&answer, &self.manifest)?;
            Ok(answer)
        });
        if let Err(error) = &result {
            self.counters.failure(error);
            if !matches!(error, CallError::Refused(_)) {
                self.running = None;
            }
        }
        result
    }

    fn answer<R>(
        &mut self,
        weight: Weight,
        call: impl FnOnce(&K, &mut Store<Limits>) -> wasmtime::Result<Result<R, String>>,
    ) -> Result<R, CallError> {
        let limits = self.plugin.loaded().engine.config();
        let mut running = match self.running.take() {
            Some(running) => running,
            None => self.fresh()?,
        };
        running.calls = running.calls.saturating_add(1);
        let deadline = limits.deadline_of(weight.items, weight.bytes);
        let Running { kind, store, .. } = &mut running;
        let answer = timed(&self.plugin, store, deadline, |store| call(kind, store))?;
        self.running = Some(running);
        answer.map_err(|words| CallError::Refused(text::shown(&words)))
    }

    /// An instance in the place of one that is gone. What it says about itself has to be what the first one said.
    fn fresh(&self) -> Result<Running<K>, CallError> {
        let unavailable = |why: String| CallError::Unavailable { why };
        let (running, manifest) =
            make::<K>(&self.plugin, &self.config, &self.counters).map_err(|unmade| match unmade {
                Unmade::Kind => unavailable("the plugin is of another kind".to_owned()),
                Unmade::Refused(error) => unavailable(format!("it refuses the configuration it took before: {error}")),
                Unmade::Manifest(why) => unavailable(format!("its manifest breaks the rules: {why}")),
                Unmade::Stopped(error) => error,
            })?;
        if manifest != self.manifest {
            return Err(unavailable("its manifest is not what it was before".to_owned()));
        }
        Ok(running)
    }

    /// Whether an instance is there, so that what it holds is still there too.
    pub(crate) fn is_running(&self) -> bool {
        self.running.is_some()
    }
}

/// Makes an instance and configures it.
fn make<K: Kind>(plugin: &Plugin, config: &str, counters: &Counters) -> Result<(Running<K>, K::Manifest), Unmade> {
    let engine = &plugin.loaded().engine;
    let limits = engine.config();
    let mut store = Store::new(engine.runtime(), Limits::new(limits.memory_bytes));
    store.limiter(|limits| limits);
    store.set_hostcall_fuel(limits.result_bytes);
    counters.instance();
    let made = timed(plugin, &mut store, limits.configure_deadline, |store| {
        let kind = match K::instantiate(plugin, store) {
            Some(kind) => kind?,
            None => return Ok(None),
        };
        let configured = kind.configure(store, config)?;
        Ok(Some((kind, configured)))
    });
    let (kind, configured) = made.map_err(Unmade::Stopped)?.ok_or(Unmade::Kind)?;
    let manifest = configured.map_err(|error| Unmade::Refused(safe(error)))?;
    K::check(&manifest).map_err(Unmade::Manifest)?;
    let configured = store.data().bytes();
    Ok((Running { kind, store, calls: 0, configured }, manifest))
}

/// Runs guest code up to a deadline and says how it was stopped, where it was.
fn timed<R>(
    plugin: &Plugin,
    store: &mut Store<Limits>,
    deadline: Duration,
    run: impl FnOnce(&mut Store<Limits>) -> wasmtime::Result<R>,
) -> Result<R, CallError> {
    let limits = plugin.loaded().engine.config();
    store.data_mut().denied = false;
    store.set_epoch_deadline(limits.ticks(deadline));
    run(store).map_err(|error| match error.downcast_ref::<Trap>() {
        Some(Trap::Interrupt) => CallError::Deadline { after: deadline },
        // A guest that cannot allocate aborts, so the denial is the reason for the trap.
        Some(_) if store.data().denied => CallError::Memory { limit: limits.memory_bytes },
        Some(trap) => CallError::Trapped { why: trap.to_string() },
        None if error.is::<wasmtime::PoolConcurrencyLimitError>() => CallError::Unavailable {
            why: format!("all {} instances that the engine may have are in use", limits.instances),
        },
        None => CallError::Unreadable { why: text::shown(&format!("{error:#}")) },
    })
}

/// The plugin's problems, as words that can be shown.
fn safe(error: ConfigError) -> ConfigError {
    let mut problems: Vec<_> = error
        .problems
        .iter()
        .take(100)
        .map(|problem| Problem { path: text::shown(&problem.path), message: text::shown(&problem.message) })
        .collect();
    if problems.is_empty() {
        problems.push(Problem { path: String::new(), message: "it does not say why".to_owned() });
    }
    ConfigError { problems }
}
