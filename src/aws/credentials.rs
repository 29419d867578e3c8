//! Credentials that are fetched once and kept until shortly before they expire.
//!
//! The SDK's provider of assumed roles calls its source each time, and a client's cache starts empty: without this a
//! hub role would be assumed once for each account behind it, and a role twice where it is tried before it is used.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, Result, SharedCredentialsProvider, future};
use tokio::sync::Mutex;

use super::access::Role;
use super::counts::Effect;
use super::{CallError, Counts, ErrorClass};

/// How long before their end credentials are renewed. More than the clients' own caches allow themselves (10 seconds), so that
/// what they are given when they ask again is new.
const RENEWED_BEFORE: Duration = Duration::from_secs(300);

/// A provider that caches credentials. Concurrent callers share one request.
#[derive(Debug)]
pub(super) struct CachedCredentials {
    source: SharedCredentialsProvider,
    /// Where asking the source is counted, if that is a request to STS.
    counts: Option<Counts>,
    kept: Mutex<Option<Credentials>>,
}

impl CachedCredentials {
    /// The credentials of a chain of AWS's own.
    pub(super) fn chain(source: SharedCredentialsProvider) -> SharedCredentialsProvider {
        SharedCredentialsProvider::new(Self { source, counts: None, kept: Mutex::new(None) })
    }

    /// The credentials of an assumed role.
    pub(super) fn role(source: SharedCredentialsProvider, counts: &Counts) -> SharedCredentialsProvider {
        SharedCredentialsProvider::new(Self { source, counts: Some(counts.clone()), kept: Mutex::new(None) })
    }

    async fn current(&self) -> Result {
        let mut kept = self.kept.lock().await;
        if let Some(credentials) = kept.as_ref().filter(|credentials| lasts(credentials, SystemTime::now())) {
            return Ok(credentials.clone());
        }
        if let Some(counts) = &self.counts {
            counts.add("sts", "AssumeRole", Effect::Read);
        }
        let credentials = self.source.provide_credentials().await?;
        Ok(kept.insert(credentials).clone())
    }
}

impl ProvideCredentials for CachedCredentials {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.current())
    }

    fn fallback_on_interrupt(&self) -> Option<Credentials> {
        self.source.fallback_on_interrupt()
    }
}

/// Where credentials come from, for errors: known at once for a profile that is asked for, else when a place first gave some.
#[derive(Debug, Clone, Default)]
pub(super) struct Origin {
    source: Arc<std::sync::Mutex<Option<String>>>,
    /// The roles that are assumed from there.
    roles: Vec<String>,
}

impl Origin {
    pub(super) fn set(&self, source: &str) {
        *self.source.lock().unwrap_or_else(PoisonError::into_inner) = Some(source.to_owned());
    }

    /// The same source, and further roles.
    pub(super) fn through<'a>(&self, roles: impl IntoIterator<Item = &'a Role>) -> Self {
        let mut origin = self.clone();
        origin.roles.extend(roles.into_iter().map(|role| role.arn.clone()));
        origin
    }

    fn text(&self) -> Option<String> {
        let source = self.source.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        Some(self.roles.iter().fold(source, |source, role| format!("{role}, assumed by {source}")))
    }

    /// The error, with the origin where it is about credentials.
    pub(super) fn named_in(&self, error: CallError) -> CallError {
        match error.class {
            // Avoids a repetition.
            ErrorClass::Credentials => CallError {
                credentials: self.text().filter(|origin| !error.message.contains(origin.as_str())),
                ..error
            },
            _ => error,
        }
    }
}

/// Whether they can still be handed out. Those without an end always can.
fn lasts(credentials: &Credentials, now: SystemTime) -> bool {
    credentials.expiry().is_none_or(|end| now + RENEWED_BEFORE < end)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    /// Returns credentials that last so long, and counts how often.
    #[derive(Debug)]
    struct Source {
        asked: Arc<AtomicU32>,
        lasting: Option<Duration>,
    }

    impl ProvideCredentials for Source {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            self.asked.fetch_add(1, Ordering::Relaxed);
            let end = self.lasting.map(|lasting| SystemTime::now() + lasting);
            future::ProvideCredentials::ready(Ok(Credentials::new("AKIA", "secret", None, end, "test")))
        }
    }

    async fn asked(lasting: Option<Duration>) -> u32 {
        let asked = Arc::new(AtomicU32::new(0));
        let kept =
            CachedCredentials::chain(SharedCredentialsProvider::new(Source { asked: Arc::clone(&asked), lasting }));
        for _ in 0..3 {
            kept.provide_credentials().await.unwrap();
        }
        asked.load(Ordering::Relaxed)
    }

    #[tokio::test]
    async fn credentials_are_asked_for_once_until_they_are_about_to_expire() {
        assert_eq!(asked(None).await, 1);
        assert_eq!(asked(Some(RENEWED_BEFORE * 2)).await, 1);
        assert_eq!(asked(Some(RENEWED_BEFORE / 2)).await, 3);
    }
}
