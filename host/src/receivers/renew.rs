//! Certificates and tokens come from files again when those change, while the receiver runs.

use super::auth::{Access, Tokens};
use super::tls::Contents;
use crate::config::{Auth, Tls};
use crate::metrics::Metrics;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio_rustls::rustls::ServerConfig;

/// How often files are looked at.
const FILES_TICK: Duration = Duration::from_secs(2);

/// What new connections are encrypted with. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Encryption(Arc<RwLock<Arc<ServerConfig>>>);

impl Encryption {
    pub(super) fn new(server: Arc<ServerConfig>) -> Self {
        Self(Arc::new(RwLock::new(server)))
    }

    pub(super) fn now(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn exchange(&self, server: Arc<ServerConfig>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = server;
    }
}

/// What was read at the last look, and what was acted on. What is new is acted on when it stands still from one look to
/// the next, since a certificate and its key are not changed in one moment.
struct Looks<T> {
    last: Result<T, String>,
    acted_on: Result<T, String>,
}

impl<T: Clone + PartialEq> Looks<T> {
    fn new(read: T) -> Self {
        Self { last: Ok(read.clone()), acted_on: Ok(read) }
    }

    /// What to act on after a look.
    fn look(&mut self, seen: Result<T, String>) -> Option<Result<T, String>> {
        let stands = seen == self.last;
        self.last = seen.clone();
        if !stands || seen == self.acted_on {
            return None;
        }
        self.acted_on = seen.clone();
        Some(seen)
    }
}

/// The files of one receiver.
pub(super) struct Files {
    pub(super) receiver: &'static str,
    pub(super) metrics: Metrics,
    certificates: Option<Certificates>,
    tokens: Option<TokenFiles>,
}

struct Certificates {
    config: Tls,
    protocols: &'static [&'static [u8]],
    encryption: Encryption,
    looks: Looks<Contents>,
}

struct TokenFiles {
    config: Auth,
    access: Access,
    looks: Looks<Tokens>,
}

impl Files {
    pub(super) fn new(receiver: &'static str, metrics: &Metrics) -> Self {
        Self { receiver, metrics: metrics.clone(), certificates: None, tokens: None }
    }

    /// Reads certificates, and looks at them from now on.
    pub(super) fn encryption(
        &mut self,
        config: &Tls,
        protocols: &'static [&'static [u8]],
    ) -> Result<Encryption, String> {
        let contents = Contents::read(config).map_err(|problem| problem.to_string())?;
        let server = contents.server(config, protocols).map_err(|problem| problem.to_string())?;
        let encryption = Encryption::new(server);
        let (config, looks) = (config.clone(), Looks::new(contents));
        self.certificates = Some(Certificates { config, protocols, encryption: encryption.clone(), looks });
        Ok(encryption)
    }

    /// Reads tokens, and looks at them from now on.
    pub(super) fn access(&mut self, config: &Auth) -> Result<Access, String> {
        let tokens = Tokens::read(config)?;
        let access = Access::to(tokens.clone());
        self.tokens = Some(TokenFiles { config: config.clone(), access: access.clone(), looks: Looks::new(tokens) });
        Ok(access)
    }

    /// Looks at the files until it is aborted.
    pub(super) async fn watch(mut self) {
        loop {
            tokio::time::sleep(FILES_TICK).await;
            let looked = tokio::task::spawn_blocking(move || {
                self.look();
                self
            });
            match looked.await {
                Ok(back) => self = back,
                Err(_) => return,
            }
        }
    }

    fn look(&mut self) {
        if let Some(Certificates { config, protocols, encryption, looks }) = &mut self.certificates {
            let read = Contents::read(config).map_err(|problem| problem.to_string());
            let taken = looks.look(read).map(|seen| {
                let server = seen?.server(config, protocols).map_err(|problem| problem.to_string())?;
                encryption.exchange(server);
                Ok(())
            });
            report(self.receiver, &self.metrics, "certificates", taken);
        }
        if let Some(TokenFiles { config, access, looks }) = &mut self.tokens {
            let taken = looks.look(Tokens::read(config)).map(|seen| seen.map(|tokens| access.exchange(tokens)));
            report(self.receiver, &self.metrics, "tokens", taken);
        }
    }
}

fn report(receiver: &'static str, metrics: &Metrics, what: &'static str, taken: Option<Result<(), String>>) {
    let Some(taken) = taken else { return };
    let outcome = if taken.is_ok() { "taken" } else { "failed" };
    match taken {
        Ok(()) => tracing::info!(receiver, "new {what} are used"),
        Err(why) => tracing::error!(receiver, why, "new {what} cannot be used; the ones before stay"),
    }
    let labels = [("receiver", receiver), ("what", what), ("outcome", outcome)];
    metrics.credential_reloads.with(labels.map(|(name, value)| (name, value.to_owned()))).inc();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_new_is_acted_on_once_when_it_stands_still() {
        let mut looks = Looks::new(1);
        let gone = || Err("gone".to_owned());
        assert_eq!(looks.look(Ok(1)), None);
        assert_eq!(looks.look(Ok(2)), None, "it may be half written");
        assert_eq!(looks.look(Ok(3)), None);
        assert_eq!(looks.look(Ok(3)), Some(Ok(3)));
        assert_eq!(looks.look(Ok(3)), None);
        assert_eq!(looks.look(gone()), None);
        assert_eq!(looks.look(gone()), Some(gone()));
        assert_eq!(looks.look(gone()), None, "said once");
    }
}
