//! What sends the spans: attributes of the resource, from the configuration and from what Envoy is told of itself.
//!
//! Envoy has the attributes `xds.node.id`, `.cluster`, `.locality` and `.metadata`, which older ones have as `node.id` and
//! so on (Envoy's documentation, "Attributes"). What is in the metadata is for its control plane to say; read here are
//! the names that Istio gives (`BootstrapNodeMetadata` in its `pkg/model`), which every sidecar and gateway has. The names
//! on the other side are OpenTelemetry's resource conventions for services, Kubernetes and clouds. What Envoy does not
//! know is left out.

use crate::config::Resource;
use crate::proxy::Proxy;
use tollgate_semconv::attribute as name;

/// Name of the service where nobody gives one.
const UNNAMED: &str = "envoy";

/// Longest value that is taken, in bytes.
const MOST_VALUE: usize = 256;

/// Where each attribute is looked for; the first that is there counts. Labels of the service are in the order in which
/// Istio names its canonical services.
const SOURCES: &[(&str, &[&[&str]])] = &[
    (
        name::SERVICE_NAME,
        &[
            &["metadata", "LABELS", "service.istio.io/canonical-name"],
            &["metadata", "LABELS", "app.kubernetes.io/name"],
            &["metadata", "LABELS", "app"],
            &["metadata", "WORKLOAD_NAME"],
            &["cluster"],
        ],
    ),
    (name::SERVICE_NAMESPACE, &[&["metadata", "NAMESPACE"]]),
    (
        name::SERVICE_VERSION,
        &[&["metadata", "LABELS", "app.kubernetes.io/version"], &["metadata", "LABELS", "version"]],
    ),
    (name::SERVICE_INSTANCE_ID, &[&["id"]]),
    (name::K8S_CLUSTER_NAME, &[&["metadata", "CLUSTER_ID"]]),
    (name::K8S_NAMESPACE_NAME, &[&["metadata", "NAMESPACE"]]),
    (name::K8S_NODE_NAME, &[&["metadata", "NODE_NAME"]]),
    (name::K8S_POD_NAME, &[&["metadata", "NAME"]]),
    (name::CLOUD_REGION, &[&["locality", "region"]]),
    (name::CLOUD_AVAILABILITY_ZONE, &[&["locality", "zone"]]),
];

/// What a workload can be, as Kubernetes names it in paths.
const OWNERS: &[(&str, &str)] = &[
    ("deployments", name::K8S_DEPLOYMENT_NAME),
    ("replicasets", name::K8S_REPLICASET_NAME),
    ("statefulsets", name::K8S_STATEFULSET_NAME),
    ("daemonsets", name::K8S_DAEMONSET_NAME),
    ("jobs", name::K8S_JOB_NAME),
    ("cronjobs", name::K8S_CRONJOB_NAME),
];

/// The attributes of the resource. Those that are configured come first and win.
pub(crate) fn attributes(proxy: &impl Proxy, resource: Resource) -> Vec<(String, String)> {
    let Resource { mut attributes, detect } = resource;
    if detect {
        let node = Node::of(proxy);
        for (name, paths) in SOURCES {
            if let Some(value) = paths.iter().find_map(|path| node.text(path)) {
                add(&mut attributes, name, value);
            }
        }
        if let Some((name, value)) = node.owner() {
            add(&mut attributes, name, value);
        }
    }
    add(&mut attributes, name::SERVICE_NAME, UNNAMED.to_owned());
    attributes
}

fn add(attributes: &mut Vec<(String, String)>, name: &str, value: String) {
    if attributes.iter().all(|(other, _)| other != name) {
        attributes.push((name.to_owned(), value));
    }
}

/// Envoy's node.
struct Node<'p, P> {
    proxy: &'p P,
    /// Where it is among the attributes.
    at: &'static [&'static str],
}

impl<'p, P: Proxy> Node<'p, P> {
    fn of(proxy: &'p P) -> Self {
        // A node always has an id, be it an empty one.
        let at: &[_] = if proxy.property(&["xds", "node", "id"]).is_some() { &["xds", "node"] } else { &["node"] };
        Self { proxy, at }
    }

    /// An attribute that is a text, and one that says something.
    fn text(&self, path: &[&str]) -> Option<String> {
        let value = String::from_utf8(self.proxy.property(&[self.at, path].concat())?).ok()?;
        let says = !value.is_empty() && value.len() <= MOST_VALUE && !value.chars().any(char::is_control);
        says.then_some(value)
    }

    /// The workload by its kind, from `OWNER`: `kubernetes://apis/apps/v1/namespaces/shop/deployments/cart`.
    fn owner(&self) -> Option<(&'static str, String)> {
        let owner = self.text(&["metadata", "OWNER"])?;
        let (rest, workload) = owner.strip_prefix("kubernetes://")?.rsplit_once('/')?;
        let (_, kind) = rest.rsplit_once('/')?;
        let (_, name) = OWNERS.iter().find(|(word, _)| *word == kind)?;
        (!workload.is_empty()).then(|| (*name, workload.to_owned()))
    }
}
