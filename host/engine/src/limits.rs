//! What an instance may allocate.

use wasmtime::{ResourceLimiter, Result};

/// Most entries of an instance's tables together.
pub(crate) const TABLE_ELEMENTS: usize = 20_000;
/// A component made of a few modules: the plugin's own, and the shims that tooling adds.
pub(crate) const CORE_INSTANCES: u32 = 8;
/// Memories and tables of a component.
pub(crate) const MEMORIES: u32 = 2;
pub(crate) const TABLES: u32 = 8;

/// The state of a store: how much it has, and whether it wanted more than it may have.
#[derive(Debug)]
pub(crate) struct Limits {
    most_bytes: usize,
    bytes: usize,
    elements: usize,
    /// Whether memory was denied since this was last set to `false`.
    pub(crate) denied: bool,
}

impl Limits {
    pub(crate) fn new(most_bytes: usize) -> Self {
        Self { most_bytes, bytes: 0, elements: 0, denied: false }
    }

    /// Bytes of its linear memories.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

impl ResourceLimiter for Limits {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> Result<bool> {
        let bytes = self.bytes.saturating_add(desired.saturating_sub(current));
        if bytes > self.most_bytes || maximum.is_some_and(|maximum| desired > maximum) {
            self.denied = true;
            return Ok(false);
        }
        self.bytes = bytes;
        Ok(true)
    }

    fn memory_grow_failed(&mut self, _error: wasmtime::Error) -> Result<()> {
        self.denied = true;
        Ok(())
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> Result<bool> {
        let elements = self.elements.saturating_add(desired.saturating_sub(current));
        if elements > TABLE_ELEMENTS || maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        self.elements = elements;
        Ok(true)
    }

    fn instances(&self) -> usize {
        usize::try_from(CORE_INSTANCES).unwrap_or(usize::MAX)
    }

    fn tables(&self) -> usize {
        usize::try_from(TABLES).unwrap_or(usize::MAX)
    }

    fn memories(&self) -> usize {
        usize::try_from(MEMORIES).unwrap_or(usize::MAX)
    }
}
