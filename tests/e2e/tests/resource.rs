//! What sends the spans: Envoy's node, as its bootstrap and Istio's name it, and the configuration.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that fails says where")]

mod otlp;

use otlp::{PATH, REQUEST, provider, resource};
use tollgate_e2e::{Envoy, Settings, Sink, client};

/// A node as Istio's agent writes it for a sidecar, less what nobody reads.
const ISTIO: &str = r#"
node:
  id: sidecar~10.0.0.7~cart-7d9c.shop~shop.svc.cluster.local
  cluster: cart.shop
  locality: { region: region-1, zone: zone-b }
  metadata:
    NAME: cart-7d9c
    NAMESPACE: shop
    WORKLOAD_NAME: cart-v2
    OWNER: kubernetes://apis/apps/v1/namespaces/shop/deployments/cart-v2
    CLUSTER_ID: Kubernetes
    NODE_NAME: node-3
    ENVOY_STATUS_PORT: 15021
    LABELS: { app: cart-app, version: v2, service.istio.io/canonical-name: cart, service.istio.io/canonical-revision: v2 }
"#;

/// As a bare Envoy has it.
const PLAIN: &str = "\nnode: { id: envoy-1, cluster: edge }\n";

/// A node whose values are no texts, or none at all.
const ODD: &str = r#"
node:
  id: ""
  metadata: { NAME: 3, NAMESPACE: [a], WORKLOAD_NAME: { a: b }, OWNER: "kubernetes://", CLUSTER_ID: null, LABELS: x }
"#;

#[test]
fn attributes_are_those_that_envoy_knows() {
    let upstream = provider();
    let all = [
        ("service.name", "cart"),
        ("service.namespace", "shop"),
        ("service.version", "v2"),
        ("service.instance.id", "sidecar~10.0.0.7~cart-7d9c.shop~shop.svc.cluster.local"),
        ("k8s.cluster.name", "Kubernetes"),
        ("k8s.namespace.name", "shop"),
        ("k8s.node.name", "node-3"),
        ("k8s.pod.name", "cart-7d9c"),
        ("cloud.region", "region-1"),
        ("cloud.availability_zone", "zone-b"),
        ("k8s.deployment.name", "cart-v2"),
    ];
    let mine: Vec<_> = [("service.name", "mine"), ("team", "a")].into_iter().chain(all[1..].iter().copied()).collect();
    for (node, more, expected) in [
        (ISTIO, "", &all[..]),
        (ISTIO, r#", "resource": {"service.name": "mine", "team": "a"}"#, &mine),
        (ISTIO, r#", "resource_detection": false"#, &[("service.name", "envoy")]),
        (PLAIN, "", &[("service.name", "edge"), ("service.instance.id", "envoy-1")]),
        (ODD, "", &[("service.name", "envoy")]),
        ("", "", &[("service.name", "envoy")]),
    ] {
        let sink = Sink::start();
        let config = format!(r#"{{"export": {{"cluster": "collector", "flush_ms": 20}}{more}}}"#);
        let mut settings = Settings::new(upstream.port()).collector(sink.port()).filter(&config);
        settings.replace.push(("\nadmin:\n".to_owned(), format!("{node}\nadmin:\n")));
        let Some(envoy) = Envoy::start(&settings) else { return };
        assert_eq!(client::post(envoy.port(), PATH, REQUEST).status, 200);
        let found = resource(&sink.wait(|requests| !requests.is_empty()));
        let found: Vec<_> = found.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(found, expected, "{node} {more}");
    }
}
