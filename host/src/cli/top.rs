//! `tollgate top`: asks a running host, and shows what it answers. How that looks is `tollgate_top`.

use super::fail;
use crate::config::units;
use reqwest::{Client, Url};
use serde::de::DeserializeOwned;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;
use tollgate_top::{Calls, Live, Snapshot, View};

/// Longest that a host may take to answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Most bytes of an answer that are read.
const MOST_BYTES: usize = 8 << 20;

/// Calls that are asked for: as many as a tall terminal has lines.
const CALLS: usize = 100;

/// Columns and lines of a frame that goes to no terminal.
const FRAME: (u16, u16) = (120, 40);

pub(super) fn top(url: &str, interval: &str, once: bool) -> ExitCode {
    let wait = units::duration(interval).filter(|wait| *wait >= Duration::from_millis(100));
    let Some(wait) = wait else {
        return fail(format!(
            "--interval: {interval:?} is not a length of time of 100ms or more; write one such as 2s"
        ));
    };
    let mut host = match Host::new(url) {
        Ok(host) => host,
        Err(why) => return fail(why),
    };
    let mut view = View::new(url);
    if once {
        return match host.ask() {
            Ok(snapshot) => {
                view.show(snapshot);
                let written = std::io::stdout().write_all(view.plain(FRAME.0, FRAME.1).as_bytes());
                written
                    .map_or_else(|error| fail(format!("the frame cannot be written: {error}")), |()| ExitCode::SUCCESS)
            }
            Err(why) => fail(why),
        };
    }
    if !std::io::stdout().is_terminal() {
        return fail("standard output is no terminal; --once prints one frame as text");
    }
    match tollgate_top::run(&mut view, wait, move || host.ask()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(format!("the terminal cannot be used: {error}")),
    }
}

/// A host that is asked.
struct Host {
    live: Url,
    calls: Url,
    client: Client,
    runtime: tokio::runtime::Runtime,
}

impl Host {
    fn new(url: &str) -> Result<Self, String> {
        let base = Url::parse(url).ok().filter(|base| matches!(base.scheme(), "http" | "https") && base.has_host());
        let base =
            base.ok_or_else(|| format!("--url: {url:?} is no address; write one such as http://127.0.0.1:9464"))?;
        let route = |path: &str| {
            let mut route = base.clone();
            let under = base.path().trim_end_matches('/');
            let (path, query) = path.split_once('?').unwrap_or((path, ""));
            route.set_path(&format!("{under}{path}"));
            route.set_query(Some(query));
            route
        };
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().timeout(TIMEOUT).redirect(reqwest::redirect::Policy::none()).build();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        Ok(Self {
            live: route("/api/live?window=1m"),
            calls: route(&format!("/api/calls?limit={CALLS}")),
            client: client.map_err(|error| format!("there is no client: {error}"))?,
            runtime: runtime.map_err(|error| format!("the threads cannot be started: {error}"))?,
        })
    }

    fn ask(&mut self) -> Result<Snapshot, String> {
        self.runtime.block_on(async {
            let live: Live = get(&self.client, &self.live).await?;
            let calls: Calls = get(&self.client, &self.calls).await?;
            Ok(Snapshot { live, calls: calls.calls })
        })
    }
}

async fn get<T: DeserializeOwned>(client: &Client, url: &Url) -> Result<T, String> {
    let words = |error: reqwest::Error| {
        let error: &dyn std::error::Error = &error;
        let root = std::iter::successors(Some(error), |error| error.source()).last().unwrap_or(error);
        format!("the host does not answer: {root}")
    };
    let mut response = client.get(url.clone()).send().await.map_err(words)?;
    let (status, mut body) = (response.status(), Vec::new());
    while let Some(chunk) = response.chunk().await.map_err(words)? {
        if body.len() + chunk.len() > MOST_BYTES {
            return Err(format!("{} answers with more than {MOST_BYTES} bytes", url.path()));
        }
        body.extend_from_slice(&chunk);
    }
    if !status.is_success() {
        let said: Option<serde_json::Value> = serde_json::from_slice(&body).ok();
        let said = said.as_ref().and_then(|said| said.get("error")?.as_str()).unwrap_or("it says no more");
        return Err(format!("{} answers {}: {said}", url.path(), status.as_u16()));
    }
    serde_json::from_slice(&body).map_err(|error| format!("{} answers something else: {error}", url.path()))
}
