//! What the filter sees of Envoy, and what it told Envoy.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use tollgate_filter::filter::Filter;
use tollgate_filter::proxy::{Body, Callout, Headers, Level, MetricKind, Proxy, Refused};

/// Id of the root context that [`Model::configure`] makes.
pub const ROOT: u32 = 1;

/// What the proxy refuses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Refusals {
    /// No header can be read.
    pub headers: bool,
    /// No body can be read.
    pub bodies: bool,
    /// No header and no body can be changed.
    pub changes: bool,
    /// No attribute can be read.
    pub properties: bool,
    /// No filter state can be set.
    pub states: bool,
    /// No metric can be declared.
    pub metrics: bool,
    /// No call can be made.
    pub calls: bool,
    /// Shared data cannot be set.
    pub shared: bool,
    /// The clock says nothing.
    pub clock: bool,
}

/// A call that the filter made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Number that the answer will come with.
    pub token: u32,
    /// Cluster.
    pub cluster: String,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Vec<u8>,
}

/// Headers, names in lower case.
pub type HeaderMap = Vec<(String, Vec<u8>)>;

/// Shared data: values with their versions.
pub type Shared = BTreeMap<String, (Vec<u8>, u32)>;

/// Envoy, as far as the filter sees it.
#[derive(Debug, Default)]
pub struct Model {
    /// What is refused.
    pub refusals: Cell<Refusals>,
    /// The clock, nanoseconds since 1970. It may be set back.
    pub now: Cell<u64>,
    /// Headers of request, answer and callout answer, and trailers of the answer.
    pub headers: RefCell<[HeaderMap; 4]>,
    /// The body that the callback at hand is about. The filter may change it.
    pub chunk: RefCell<Vec<u8>>,
    /// The body of the answer to a call of the filter's own.
    pub callout: RefCell<Vec<u8>>,
    /// Attributes of Envoy's node, by their paths within it: `metadata.NAME`.
    pub node: RefCell<BTreeMap<String, Vec<u8>>>,
    /// Whether the node is the attribute `node`, as in older Envoys, and not `xds.node`.
    pub old_node: Cell<bool>,
    /// `response.code_details`.
    pub details: RefCell<Option<Vec<u8>>>,
    /// Whether headers that are held hold the body too, as in Envoy without `allow_on_headers_stop_iteration`.
    pub holds_all: Cell<bool>,
    /// Bytes of the parts that bodies are lent in; 0 lends them whole.
    pub lends: Cell<usize>,
    /// Whether the timer comes after each chunk of an answer.
    pub ticks: Cell<bool>,
    /// Values of the shared data, with their versions. Clones of it are what other workers see.
    pub shared: Rc<RefCell<Shared>>,
    answered: RefCell<Option<(u32, Vec<u8>)>>,
    resumed: RefCell<Vec<u32>>,
    changes: Cell<u32>,
    configuration: RefCell<Vec<u8>>,
    states: RefCell<BTreeMap<String, Vec<u8>>>,
    names: RefCell<Vec<(MetricKind, String)>>,
    values: RefCell<BTreeMap<String, i64>>,
    sent: RefCell<Vec<Sent>>,
    log: RefCell<Vec<String>>,
    tick_ms: Cell<u32>,
}

impl Model {
    /// A proxy in September 2026, and a filter that has this configuration.
    ///
    /// # Panics
    /// The filter refuses the configuration.
    #[must_use]
    pub fn started(json: &str) -> (Self, Filter) {
        let (model, mut filter) = (Self::default(), Filter::default());
        model.now.set(1_790_000_000_000_000_000);
        assert!(model.configure(&mut filter, json), "{:?}", model.log_lines());
        (model, filter)
    }

    /// Gives a filter its root and this configuration; what the filter says to it.
    pub fn configure(&self, filter: &mut Filter, json: &str) -> bool {
        self.configure_root(filter, ROOT, json)
    }

    /// The same for a root of any id.
    pub fn configure_root(&self, filter: &mut Filter, root: u32, json: &str) -> bool {
        *self.configuration.borrow_mut() = json.as_bytes().to_vec();
        filter.create(root, 0);
        filter.configure(self, root, json.len())
    }

    /// Sum of the metrics whose name starts so.
    #[must_use]
    pub fn sum(&self, start: &str) -> i64 {
        self.values.borrow().iter().filter(|(name, _)| name.starts_with(start)).map(|(_, value)| value).sum()
    }

    /// What was told of all metrics, by name, taken out.
    #[must_use]
    pub fn take_metrics(&self) -> BTreeMap<String, i64> {
        self.values.take()
    }

    /// Names of all metrics that were declared.
    #[must_use]
    pub fn metric_names(&self) -> Vec<String> {
        self.names.borrow().iter().map(|(_, name)| name.clone()).collect()
    }

    /// A field of the access log.
    #[must_use]
    pub fn state(&self, name: &str) -> Option<String> {
        self.states.borrow().get(name).map(|value| String::from_utf8_lossy(value).into_owned())
    }

    /// All fields of the access log, by name, taken out.
    #[must_use]
    pub fn take_states(&self) -> BTreeMap<String, Vec<u8>> {
        self.states.take()
    }

    /// Calls that the filter made, taken out.
    #[must_use]
    pub fn take_sent(&self) -> Vec<Sent> {
        self.sent.take()
    }

    /// How many headers and bodies the filter changed.
    #[must_use]
    pub fn changes(&self) -> u32 {
        self.changes.get()
    }

    /// Whether the filter gave an answer in the provider's place.
    #[must_use]
    pub fn is_answered(&self) -> bool {
        self.answered.borrow().is_some()
    }

    /// The answer that the filter gave in the provider's place, taken out.
    #[must_use]
    pub fn take_answered(&self) -> Option<(u32, Vec<u8>)> {
        self.answered.take()
    }

    /// Streams that the filter let go on, taken out.
    #[must_use]
    pub fn take_resumed(&self) -> Vec<u32> {
        self.resumed.take()
    }

    /// Lines that the filter logged.
    #[must_use]
    pub fn log_lines(&self) -> Vec<String> {
        self.log.borrow().clone()
    }

    /// An attribute of the node: its own fields are there and empty where they are not set.
    fn of_node(&self, path: &[&str]) -> Option<Vec<u8>> {
        let set = self.node.borrow().get(&path.join(".")).cloned();
        set.or_else(|| matches!(path, ["id" | "cluster"]).then(Vec::new))
    }

    /// All values of a header of the request, as Envoy joins them for its attributes.
    fn joined(&self, name: &str) -> Option<Vec<u8>> {
        let [request, ..] = &*self.headers.borrow();
        let values: Vec<_> = request.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_slice()).collect();
        (!self.refusals.get().headers && !values.is_empty()).then(|| values.join(&b","[..]))
    }

    /// Milliseconds between ticks, as last asked for.
    #[must_use]
    pub fn tick_ms(&self) -> u32 {
        self.tick_ms.get()
    }
}

impl Proxy for Model {
    fn now(&self) -> u64 {
        if self.refusals.get().clock { 0 } else { self.now.get() }
    }

    fn header(&self, headers: Headers, name: &str) -> Option<Vec<u8>> {
        if self.refusals.get().headers {
            return None;
        }
        let maps = self.headers.borrow();
        let map = maps.get(headers as usize)?;
        map.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
    }

    fn body(&self, body: Body, size: usize) -> Option<Vec<u8>> {
        if self.refusals.get().bodies {
            return None;
        }
        let bytes = match body {
            Body::Request | Body::Response => &self.chunk,
            Body::Callout => &self.callout,
            Body::Configuration => &self.configuration,
        };
        Some(bytes.borrow().iter().take(size).copied().collect())
    }

    fn lend_body(&self, body: Body, size: usize, read: impl FnMut(&[u8])) {
        let Some(bytes) = self.body(body, size) else { return };
        let most = if self.lends.get() == 0 { bytes.len() } else { self.lends.get() };
        bytes.chunks(most.max(1)).for_each(read);
    }

    fn set_header(&self, headers: Headers, name: &str, value: &str) -> Result<(), Refused> {
        self.remove_header(headers, name)?;
        if let Some(map) = self.headers.borrow_mut().get_mut(headers as usize) {
            map.push((name.to_owned(), value.as_bytes().to_vec()));
        }
        Ok(())
    }

    fn remove_header(&self, headers: Headers, name: &str) -> Result<(), Refused> {
        if self.refusals.get().changes {
            return Err(Refused::BadArgument);
        }
        self.changes.set(self.changes.get().saturating_add(1));
        if let Some(map) = self.headers.borrow_mut().get_mut(headers as usize) {
            map.retain(|(key, _)| key != name);
        }
        Ok(())
    }

    fn set_body(&self, _body: Body, size: usize, bytes: &[u8]) -> Result<(), Refused> {
        if self.refusals.get().changes {
            return Err(Refused::BadArgument);
        }
        self.changes.set(self.changes.get().saturating_add(1));
        let mut chunk = self.chunk.borrow_mut();
        let size = size.min(chunk.len());
        chunk.splice(..size, bytes.iter().copied());
        Ok(())
    }

    fn answer(&self, status: u32, _details: &str, _headers: &[(&str, &str)], body: &[u8]) -> Result<(), Refused> {
        if self.refusals.get().changes {
            return Err(Refused::BadArgument);
        }
        *self.answered.borrow_mut() = Some((status, body.to_vec()));
        Ok(())
    }

    fn resume_request(&self, _root: u32, stream: u32) {
        self.resumed.borrow_mut().push(stream);
    }

    fn resume_response(&self, _root: u32, stream: u32) {
        self.resumed.borrow_mut().push(stream);
    }

    fn shared(&self, name: &str) -> Option<(Vec<u8>, u32)> {
        self.shared.borrow().get(name).cloned()
    }

    fn set_shared(&self, name: &str, value: &[u8], version: u32) -> Result<bool, Refused> {
        if self.refusals.get().shared {
            return Err(Refused::Failed);
        }
        let mut shared = self.shared.borrow_mut();
        let (held, held_version) = shared.entry(name.to_owned()).or_default();
        if version != 0 && version != *held_version {
            return Ok(false);
        }
        *held = value.to_vec();
        *held_version = held_version.wrapping_add(1).max(1);
        Ok(true)
    }

    fn property(&self, path: &[&str]) -> Option<Vec<u8>> {
        match path {
            _ if self.refusals.get().properties => None,
            ["response", "code_details"] => self.details.borrow().clone(),
            ["request", "headers", name] => self.joined(name),
            ["node", path @ ..] if self.old_node.get() => self.of_node(path),
            ["xds", "node", path @ ..] if !self.old_node.get() => self.of_node(path),
            _ => None,
        }
    }

    fn set_state(&self, name: &str, value: &[u8]) -> Result<(), Refused> {
        if self.refusals.get().states {
            return Err(Refused::Other(5));
        }
        self.states.borrow_mut().insert(name.to_owned(), value.to_vec());
        Ok(())
    }

    fn define_metric(&self, kind: MetricKind, name: &str) -> Result<u32, Refused> {
        if self.refusals.get().metrics {
            return Err(Refused::Failed);
        }
        let mut names = self.names.borrow_mut();
        names.push((kind, name.to_owned()));
        u32::try_from(names.len()).map_err(|_| Refused::Failed)
    }

    fn add(&self, metric: u32, value: i64) {
        let names = self.names.borrow();
        if let Some((_, name)) = names.get((metric as usize).wrapping_sub(1)) {
            let mut values = self.values.borrow_mut();
            let sum = values.entry(name.clone()).or_default();
            *sum = sum.saturating_add(value);
        }
    }

    fn record(&self, metric: u32, _value: u64) {
        self.add(metric, 1);
    }

    fn tick_every(&self, milliseconds: u32) {
        self.tick_ms.set(milliseconds);
    }

    fn call(&self, callout: Callout<'_>) -> Result<u32, Refused> {
        if self.refusals.get().calls {
            return Err(Refused::BadArgument);
        }
        let mut sent = self.sent.borrow_mut();
        // Numbers repeat after a while, as a proxy's might.
        let token = u32::try_from(sent.len() % 1000).unwrap_or(0);
        let headers = callout.headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        sent.push(Sent { token, cluster: callout.cluster.to_owned(), headers, body: callout.body.to_vec() });
        Ok(token)
    }

    fn log(&self, _level: Level, line: &str) {
        self.log.borrow_mut().push(line.to_owned());
    }

    fn memory_bytes(&self) -> u64 {
        1 << 20
    }
}
