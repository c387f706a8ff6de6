//! Every callback of the proxy, by context id: the whole filter, for a proxy that is real or a model.
//!
//! Ids are the proxy's. A callback about an id that is not known, or that comes in an order nobody expects, does
//! nothing.

use crate::config::Config;
use crate::exchange::{Rewriting, Stream, number};
use crate::proxy::{Body, Flow, Headers, Level, Proxy};
use crate::root::Root;
use std::collections::BTreeMap;

/// All plugin instances (root contexts) and streams of one module.
#[derive(Default)]
pub struct Filter {
    roots: BTreeMap<u32, Root>,
    streams: BTreeMap<u32, Open>,
    /// Bytes of the module's memory that the gauge has been told of. One number for all roots: they share the memory.
    memory: u64,
}

/// A stream: whose it is, and what is known of it.
struct Open {
    root: u32,
    /// Apart, because the map moves its entries about.
    stream: Option<Box<Stream>>,
}

impl Filter {
    /// A context appears: a stream of the root `root`, or a root itself where that is 0.
    pub fn create(&mut self, id: u32, root: u32) {
        if root != 0 {
            self.streams.insert(id, Open { root, stream: None });
        }
    }

    /// Configures a root with the `size` bytes of its configuration. `false` makes Envoy refuse the plugin.
    pub fn configure(&mut self, proxy: &impl Proxy, root: u32, size: usize) -> bool {
        let text = if size == 0 { Vec::new() } else { proxy.body(Body::Configuration, size).unwrap_or_default() };
        match Config::parse(&text).and_then(|config| Root::new(proxy, root, config)) {
            Ok(mut configured) => {
                if let Some(before) = self.roots.remove(&root) {
                    configured.succeed(proxy, before);
                }
                self.roots.insert(root, configured);
                true
            }
            Err(refusal) => {
                for problem in &refusal.problems {
                    proxy.log(Level::Error, &format!("tollgate: configuration: {problem}"));
                }
                false
            }
        }
    }

    /// The timer of a root.
    pub fn tick(&mut self, proxy: &impl Proxy, root: u32) {
        let id = root;
        let Some(root) = self.roots.get_mut(&id) else { return };
        root.tick(proxy, &mut self.memory);
        let (requests, answers) = (root.tests_holding(), root.holds_answers());
        if !requests && !answers {
            return;
        }
        let now = proxy.now();
        let streams = self.streams.iter_mut().filter(|(_, open)| open.root == id);
        for (id_of_stream, stream) in streams.filter_map(|(stream, open)| Some((*stream, open.stream.as_mut()?))) {
            if requests && stream.give_up_holding(now) {
                proxy.resume_request(id, id_of_stream);
                root.cannot_hold(proxy);
            }
            if answers && stream.give_up_answer(now) {
                proxy.resume_response(id, id_of_stream);
                if !stream.answer_proven() {
                    root.cannot_hold_answers(proxy);
                }
            }
        }
    }

    /// An answer to a call that a root made; `false` for `answered` where there is none.
    pub fn call_answered(&mut self, proxy: &impl Proxy, root: u32, token: u32, answered: bool) {
        if let Some(root) = self.roots.get_mut(&root) {
            let status = answered.then(|| proxy.header(Headers::Callout, ":status")).flatten();
            root.call_answered(proxy, token, status.and_then(|text| number(&text)));
        }
    }

    /// The headers of a request.
    pub fn request_headers(&mut self, proxy: &impl Proxy, id: u32, end_of_stream: bool) -> Flow {
        let Some(open) = self.streams.get_mut(&id) else { return Flow::Continue };
        let Some(root) = self.roots.get(&open.root) else { return Flow::Continue };
        let rewriting = Rewriting { include_usage: root.include_usage(), redact_traffic: root.redact_traffic() };
        let (mut stream, flow) = Stream::begin(proxy, root.extractor(), rewriting, end_of_stream);
        if let Some(root) = self.roots.get_mut(&open.root)
            && root.request_began(proxy, &mut stream)
        {
            return Flow::Hold;
        }
        open.stream = Some(Box::new(stream));
        flow
    }

    /// A chunk of a request; where earlier ones are held, all of them.
    pub fn request_body(&mut self, proxy: &impl Proxy, id: u32, size: usize, end_of_stream: bool) -> Flow {
        let Some(open) = self.streams.get_mut(&id) else { return Flow::Continue };
        let Some(stream) = open.stream.as_deref_mut() else { return Flow::Continue };
        if stream.holds_headers() == Flow::Hold
            && let Some(root) = self.roots.get_mut(&open.root)
        {
            root.can_hold();
        }
        stream.request_body(proxy, size, end_of_stream)
    }

    /// The trailers of a request: with them a body that is held is whole.
    pub fn request_trailers(&mut self, proxy: &impl Proxy, id: u32) -> Flow {
        self.stream(id).map_or(Flow::Continue, |stream| stream.request_trailers(proxy))
    }

    /// The headers of an answer.
    pub fn response_headers(&mut self, proxy: &impl Proxy, id: u32, end_of_stream: bool) -> Flow {
        let Some(open) = self.streams.get_mut(&id) else { return Flow::Continue };
        let Some(stream) = open.stream.as_deref_mut() else { return Flow::Continue };
        match (stream.response_headers(proxy, end_of_stream), self.roots.get_mut(&open.root)) {
            (Flow::Continue, Some(root)) => root.answer_began(proxy, stream, end_of_stream),
            (flow, _) => flow,
        }
    }

    /// A chunk of an answer.
    pub fn response_body(&mut self, proxy: &impl Proxy, id: u32, size: usize, end_of_stream: bool) -> Flow {
        let Some(open) = self.streams.get_mut(&id) else { return Flow::Continue };
        let Some(stream) = open.stream.as_deref_mut() else { return Flow::Continue };
        let flow = stream.response_body(proxy, size, end_of_stream);
        if stream.has_extra()
            && let Some(root) = self.roots.get(&open.root)
        {
            root.answer_ended(proxy, stream);
        }
        flow
    }

    /// The trailers of an answer.
    pub fn response_trailers(&mut self, proxy: &impl Proxy, id: u32) -> Flow {
        let Some(open) = self.streams.get_mut(&id) else { return Flow::Continue };
        let Some(stream) = open.stream.as_deref_mut() else { return Flow::Continue };
        let flow = stream.response_trailers(proxy);
        if stream.has_extra()
            && let Some(root) = self.roots.get(&open.root)
        {
            root.answer_ended(proxy, stream);
        }
        flow
    }

    /// The end of a stream, however it came.
    pub fn log(&mut self, proxy: &impl Proxy, id: u32) {
        if let Some(open) = self.streams.get_mut(&id)
            && let Some(root) = self.roots.get_mut(&open.root)
            && let Some(stream) = open.stream.take()
        {
            root.ended(proxy, stream.over(proxy, root.identifies()));
        }
    }

    /// A context goes away. What a root has not delivered is lost, and counted.
    pub fn delete(&mut self, proxy: &impl Proxy, id: u32) {
        if self.streams.remove(&id).is_some() {
            return;
        }
        if let Some(mut root) = self.roots.remove(&id) {
            root.close(proxy);
            if self.roots.is_empty() {
                root.tell_memory(proxy, &mut self.memory, 0);
            }
        }
    }

    /// Tells the proxy what the counters have gathered, without waiting for the timer.
    pub fn tell_metrics(&mut self, proxy: &impl Proxy) {
        self.roots.values_mut().for_each(|root| root.tell_metrics(proxy));
    }

    /// Streams that are open now.
    #[must_use]
    pub fn open_streams(&self) -> usize {
        self.streams.len()
    }

    /// Bytes of spans that wait in all roots.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.roots.values().map(Root::held_bytes).sum()
    }

    fn stream(&mut self, id: u32) -> Option<&mut Stream> {
        self.streams.get_mut(&id)?.stream.as_deref_mut()
    }
}
