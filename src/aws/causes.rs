//! The causes of an error as one line.

use std::error::Error;

use aws_config::meta::ProviderChainError;
use aws_credential_types::provider::error::CredentialsError;

use super::source_error::SourceError;

/// Whether the resolver said that the host does not exist, which asking again won't change; a resolver that can't be
/// asked (`EAI_AGAIN`) is a failure of the network.
pub(crate) fn unknown_host(error: &(dyn Error + 'static)) -> bool {
    const ANSWERS: [&str; 4] = [
        "Name or service not known",
        "No address associated with hostname",
        "nodename nor servname provided",
        "No such host is known",
    ];
    chain(error).any(|cause| {
        let text = cause.to_string();
        ANSWERS.iter().any(|answer| text.contains(answer))
    })
}

/// An error and its causes.
pub(crate) fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// Why there are no credentials, without the SDK's generic text before the source's error.
pub(super) fn causes_of_credentials(error: &CredentialsError) -> String {
    let source = chain(error).find(|cause| cause.is::<SourceError>());
    causes(source.unwrap_or(error))
}

/// The error and its causes as one line, without repeats.
pub(crate) fn causes(error: &(dyn Error + 'static)) -> String {
    let mut text = String::new();
    for cause in chain(error) {
        let part = cause.downcast_ref().map_or_else(|| cause.to_string(), attempts);
        if !text.contains(&part) {
            let separator = if text.is_empty() { "" } else { ": " };
            text = format!("{text}{separator}{part}");
        }
    }
    text
}

/// The sources of credentials that the SDK tried, each with its error. The SDK prints them on several lines as `name: error`,
/// and redaction takes the error after `WebIdentityToken:` for a token.
fn attempts(chain: &ProviderChainError<CredentialsError>) -> String {
    let attempts = chain.attempts().iter().map(|attempt| format!("{} ({})", attempt.name(), causes(attempt.error())));
    format!("no credentials found in {}", attempts.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use aws_config::meta::credentials::CredentialsProviderChain;
    use aws_credential_types::provider::ProvideCredentials;
    use aws_credential_types::provider::future::ProvideCredentials as Providing;

    use super::*;
    use crate::text::secrets::redacted;

    /// A source without credentials.
    #[derive(Debug)]
    struct Without(&'static str);

    impl ProvideCredentials for Without {
        fn provide_credentials<'a>(&'a self) -> Providing<'a>
        where
            Self: 'a,
        {
            Providing::ready(Err(CredentialsError::not_loaded(self.0)))
        }
    }

    #[tokio::test]
    async fn regression_the_sources_of_credentials_are_on_one_line_and_not_redacted() {
        let chain = CredentialsProviderChain::first_try("Environment", Without("AWS_ACCESS_KEY_ID not set"))
            .or_else("WebIdentityToken", Without("AWS_WEB_IDENTITY_TOKEN_FILE not set"))
            .or_else("Imds", Without("could not communicate with IMDS"));
        let text = causes_of_credentials(&chain.provide_credentials().await.unwrap_err());
        assert!(!text.contains(['\n', '\r']), "{text}");
        assert_eq!(redacted(&text), text);
        for part in ["Environment (", "WebIdentityToken (", "AWS_WEB_IDENTITY_TOKEN_FILE not set", "IMDS"] {
            assert!(text.contains(part), "{text}");
        }
    }

    #[test]
    fn an_unknown_host_and_a_failing_resolver_are_different_errors() {
        let lookup = |said: &str| std::io::Error::other(format!("failed to lookup address information: {said}"));
        let wrapped = std::io::Error::other(lookup("Name or service not known"));
        assert!(unknown_host(&wrapped), "{wrapped}");
        assert!(!unknown_host(&lookup("Temporary failure in name resolution")));
    }
}
