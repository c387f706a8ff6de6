//! The runtime, its limits, and the thread that keeps time.

use crate::limits::{CORE_INSTANCES, Limits, MEMORIES, TABLE_ELEMENTS, TABLES};
use crate::{Digest, EngineConfig, EngineError, LoadError, Plugin, v0_1_0, verify};
use std::sync::Arc;
use std::thread;
use wasmtime::component::{Component, Linker};
use wasmtime::{Config, InstanceAllocationStrategy, PoolingAllocationConfig, Strategy};

/// Loads plugins. Cloning is cheap and gives the same engine; the thread that keeps deadlines ends with the last
/// clone and the last plugin.
#[derive(Clone)]
pub struct Engine {
    runtime: wasmtime::Engine,
    config: Arc<EngineConfig>,
}

impl Engine {
    /// An engine with the given limits.
    ///
    /// # Errors
    /// The runtime cannot be set up with these limits, or its thread cannot be started.
    pub fn new(config: EngineConfig) -> Result<Self, EngineError> {
        let runtime = wasmtime::Engine::new(&runtime_config(&config))
            .map_err(|error| EngineError::Runtime(format!("{error:#}")))?;
        let ticking = runtime.weak();
        let tick = config.tick;
        thread::Builder::new().name("plugin-deadlines".to_owned()).spawn(move || {
            // A tick while nothing runs costs one atomic addition.
            while let Some(runtime) = ticking.upgrade() {
                runtime.increment_epoch();
                drop(runtime);
                thread::sleep(tick);
            }
        })?;
        Ok(Self { runtime, config: Arc::new(config) })
    }

    /// The limits.
    #[must_use]
    pub fn config(&self) -> &EngineConfig {
        &self.config
    }

    pub(crate) fn runtime(&self) -> &wasmtime::Engine {
        &self.runtime
    }

    /// Loads a component.
    ///
    /// # Errors
    /// The bytes are not a component, not a plugin that this host speaks with, or want something plugins do not get.
    pub fn load(&self, bytes: &[u8]) -> Result<Plugin, LoadError> {
        self.load_checked(bytes, Digest::of(bytes))
    }

    /// Loads a component whose digest is pinned. Nothing of the file is read, let alone compiled, before the digest
    /// agrees.
    ///
    /// # Errors
    /// As for [`load`](Self::load); and the digest is another one.
    pub fn load_pinned(&self, bytes: &[u8], pinned: Digest) -> Result<Plugin, LoadError> {
        let found = Digest::of(bytes);
        if found != pinned {
            return Err(LoadError::Digest { pinned, found });
        }
        self.load_checked(bytes, found)
    }

    fn load_checked(&self, bytes: &[u8], digest: Digest) -> Result<Plugin, LoadError> {
        let most = self.config.component_bytes;
        if bytes.len() > most {
            return Err(LoadError::TooLarge { bytes: bytes.len(), most });
        }
        let outside = verify::outside(bytes)?;
        let component = self.compile(bytes)?;
        // The linker stays empty: there is nothing a plugin could be given.
        let pre = Linker::<Limits>::new(&self.runtime)
            .instantiate_pre(&component)
            .map_err(|error| LoadError::Shape(crate::text::shown(&format!("{error:#}"))))?;
        let worlds = v0_1_0::Worlds::of(&pre, &outside.worlds)
            .map_err(|error| LoadError::Shape(crate::text::shown(&format!("{error:#}"))))?;
        Ok(Plugin::new(self.clone(), worlds, outside, digest, bytes.len()))
    }

    /// Compiles a component. A compiler keeps what it needed for as long as its engine lives, tens of MiB; so it has an engine
    /// of its own, which is gone when it is done.
    #[expect(unsafe_code, reason = "the one way to move code from an engine to another")]
    fn compile(&self, bytes: &[u8]) -> Result<Component, LoadError> {
        let invalid = |error: wasmtime::Error| LoadError::Invalid(crate::text::shown(&format!("{error:#}")));
        let compiler = wasmtime::Engine::new(&runtime_config(&self.config)).map_err(invalid)?;
        let code = compiler.precompile_component(bytes).map_err(invalid)?;
        drop(compiler);
        // SAFETY: these bytes are what the compiler gave a line above, for an engine of the same configuration; nobody else
        // has had them.
        unsafe { Component::deserialize(&self.runtime, code) }.map_err(invalid)
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("config", &self.config).finish_non_exhaustive()
    }
}

fn runtime_config(limits: &EngineConfig) -> Config {
    let count = limits.instances.max(1);
    let mut pool = PoolingAllocationConfig::default();
    pool.total_component_instances(count)
        .total_core_instances(count.saturating_mul(CORE_INSTANCES))
        .total_memories(count.saturating_mul(MEMORIES))
        .total_tables(count.saturating_mul(TABLES))
        .max_core_instances_per_component(CORE_INSTANCES)
        .max_memories_per_component(MEMORIES)
        .max_tables_per_component(TABLES)
        .max_tables_per_module(TABLES)
        .max_memories_per_module(MEMORIES)
        .table_elements(TABLE_ELEMENTS)
        .max_memory_size(limits.memory_bytes);
    let mut config = Config::new();
    config
        .strategy(Strategy::Cranelift)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool))
        .epoch_interruption(true)
        // The compiler keeps what it needed for its largest function, once for every thread that it ran on, for as long as
        // the engine lives.
        .parallel_compilation(false)
        // Nobody reads where in a plugin's code a trap was.
        .generate_address_map(false)
        // What a plugin compiled for plain wasm32 needs, and no more: less to be wrong in the compiler.
        .wasm_component_model(true)
        .wasm_multi_memory(false)
        .wasm_memory64(false)
        .wasm_tail_call(false)
        .wasm_relaxed_simd(false);
    config
}
