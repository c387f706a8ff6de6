//! What spans are sent by, and which trace they are in.
#![allow(clippy::indexing_slicing, reason = "a test that fails says where")]

use tollgate_envoy_model::{Answer, Model, ROOT, Request, run};
use tollgate_filter::filter::Filter;

const REQUEST: &str = r#"{"model":"gpt-4o","messages":[{"role":"user","content":"I am jane@example.com"}]}"#;
const ANSWER: &str = r#"{"id":"chatcmpl-1","object":"chat.completion","model":"gpt-4o-2024-08-06","choices":[{"index":0,"message":{"role":"assistant","content":"hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1000,"completion_tokens":200,"total_tokens":1200}}"#;

fn call(model: &Model, filter: &mut Filter) {
    run(model, filter, &Request::post("/v1/chat/completions", REQUEST), &Answer::json(ANSWER));
}

/// The node, the configuration; attributes that are there, and names that are not.
type Row<'a> = (&'a [(&'a str, &'a str)], &'a str, &'a [&'a str], &'a [&'a str]);

#[test]
fn the_resource_is_what_envoy_is() {
    let istio = [
        ("id", "sidecar~10.0.0.7~cart-7d9c.shop~shop.svc.cluster.local"),
        ("cluster", "cart.shop"),
        ("locality.zone", "zone-b"),
        ("metadata.NAME", "cart-7d9c"),
        ("metadata.NAMESPACE", "shop"),
        ("metadata.WORKLOAD_NAME", "cart-v2"),
        ("metadata.OWNER", "kubernetes://apis/apps/v1/namespaces/shop/deployments/cart-v2"),
        ("metadata.LABELS.app", "cart-app"),
        ("metadata.LABELS.service.istio.io/canonical-name", "cart"),
    ];
    let plain = [("id", "envoy-1"), ("cluster", "edge")];
    let odd = [("id", ""), ("cluster", "a\u{7}b"), ("metadata.OWNER", "kubernetes://"), ("locality.zone", "\u{1}")];
    // the node, the configuration; what is there, what is not
    let table: &[Row<'_>] = &[
        (
            &istio,
            "",
            &["service.name cart", "service.namespace shop", "k8s.namespace.name shop", "k8s.pod.name cart-7d9c"],
            &["cart-app", "cart.shop", "cloud.region", "k8s.node.name"],
        ),
        (&istio, "", &["k8s.deployment.name cart-v2", "cloud.availability_zone zone-b", "service.instance.id"], &[]),
        (&istio[..6], "", &["service.name cart-v2"], &["k8s.deployment.name"]),
        (&istio, r#", "resource": {"service.name": "mine"}"#, &["service.name mine", "k8s.pod.name cart-7d9c"], &[]),
        (&istio, r#", "resource_detection": false"#, &["service.name envoy"], &["k8s", "shop", "service.instance.id"]),
        (&plain, "", &["service.name edge", "service.instance.id envoy-1"], &["k8s", "cloud", "namespace"]),
        (&odd, "", &["service.name envoy"], &["service.instance.id", "k8s", "cloud"]),
        (&[], "", &["service.name envoy"], &["service.instance.id", "k8s", "cloud"]),
    ];
    for ((node, resource, there, absent), old) in table.iter().flat_map(|row| [(row, false), (row, true)]) {
        let (model, mut filter) = (Model::default(), Filter::default());
        let node = node.iter().map(|(path, value)| ((*path).to_owned(), value.as_bytes().to_vec()));
        *model.node.borrow_mut() = node.collect();
        model.old_node.set(old);
        assert!(model.configure(&mut filter, &format!(r#"{{"export": {{"cluster": "c"}}{resource}}}"#)));
        call(&model, &mut filter);
        filter.tick(&model, ROOT);
        // Key and value of an attribute stand behind each other, with tags and lengths between them.
        let bytes = model.take_sent().remove(0).body;
        let text: String = bytes.iter().map(|byte| char::from(*byte)).filter(|c| !c.is_control()).collect();
        for expected in *there {
            let (key, value) = expected.split_once(' ').unwrap_or((expected, ""));
            let at = text.find(key).unwrap_or_else(|| panic!("no {key} in {text}"));
            let behind = &text[at + key.len()..][..value.len() + 6];
            assert!(behind.contains(value), "{expected}: {behind}");
        }
        for name in *absent {
            assert!(!text.contains(name), "{name} in {text}");
        }
    }
}

#[test]
fn a_trace_state_goes_on_whole_or_not_at_all() {
    let long = (0..32).map(|n| format!("k{n}={}", "v".repeat(256))).collect::<Vec<_>>().join(",");
    let parent = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    for (lines, carried) in [
        (&["a=1"][..], Some("a=1")),
        (&["a=1 ,\tb=2", "c=3"], Some("a=1 ,\tb=2,c=3")),
        (&["", " a=1"], Some(", a=1")),
        (&[&long], Some(long.as_str())),
        (&[&long, &long], None),
        (&["a=\u{e9}"], None),
    ] {
        let (model, mut filter) = Model::started(r#"{"export": {"cluster": "c"}}"#);
        let mut request = Request::post("/v1/chat/completions", REQUEST).header("traceparent", parent);
        for line in lines {
            request = request.header("tracestate", line.as_bytes());
        }
        run(&model, &mut filter, &request, &Answer::json(ANSWER));
        filter.tick(&model, ROOT);
        let body = model.take_sent().remove(0).body;
        let has = |text: &str| body.windows(text.len()).any(|bytes| bytes == text.as_bytes());
        match carried {
            Some(carried) => assert!(has(carried), "{lines:?}"),
            None => assert!(!has("a=") && !has("k0="), "{lines:?}"),
        }
        assert_eq!(model.sum("tollgate.tracestate_discarded"), i64::from(carried.is_none()), "{lines:?}");
    }
    for lines in [&[][..], &[&b""[..]]] {
        let (model, mut filter) = Model::started(r#"{"export": {"cluster": "c"}}"#);
        let mut request = Request::post("/v1/chat/completions", REQUEST).header("traceparent", parent);
        for line in lines {
            request = request.header("tracestate", line);
        }
        run(&model, &mut filter, &request, &Answer::json(ANSWER));
        assert_eq!(model.sum("tollgate.tracestate_discarded"), 0);
    }
}
