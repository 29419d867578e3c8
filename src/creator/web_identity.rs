//! The issuer and the subject of a web identity: the OpenID Connect provider, and the user that it authenticated.
//!
//! CloudTrail writes both to the `principalId` of a `WebIdentityUser` (the caller of AssumeRoleWithWebIdentity), as
//! `issuer:audience:subject`. Each of the three can contain colons. Events of the resulting sessions have only the provider.
//!
//! Source: <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html>,
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html>

use crate::model::Arn;

/// The part of an IAM identity provider's ARN before the host.
const PROVIDER: &str = ":oidc-provider/";

/// Fields of an ARN before its last one. Colons between them don't separate issuer and audience.
const ARN_FIELDS: usize = 5;

/// Hosts of providers (including subdomains and paths), with their common names.
const KNOWN: &[(&str, &str)] = &[
    ("token.actions.githubusercontent.com", "GitHub Actions"),
    ("gitlab.com", "GitLab"),
    ("oidc.circleci.com", "CircleCI"),
    ("agent.buildkite.com", "Buildkite"),
    ("api.bitbucket.org", "Bitbucket Pipelines"),
    ("app.terraform.io", "HCP Terraform"),
    ("vstoken.dev.azure.com", "Azure DevOps"),
    ("sts.windows.net", "Microsoft Entra ID"),
    ("login.microsoftonline.com", "Microsoft Entra ID"),
    ("accounts.google.com", "Google"),
    ("graph.facebook.com", "Facebook"),
    ("www.amazon.com", "Login with Amazon"),
    ("cognito-identity.amazonaws.com", "Cognito"),
];

/// The issuer and the subject of a token.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct WebIdentity<'a> {
    /// The provider's host, or the ARN of the IAM identity provider.
    pub(super) issuer: Option<&'a str>,
    /// The authenticated user: `repo:org/app:ref:refs/heads/main`, `system:serviceaccount:NAMESPACE:NAME`, a user ID.
    pub(super) subject: Option<&'a str>,
}

impl<'a> WebIdentity<'a> {
    /// Parses a `principalId`.
    pub(super) fn of(principal_id: &'a str) -> Self {
        let Some((issuer, rest)) = split_issuer(principal_id) else { return Self { issuer: None, subject: None } };
        Self { issuer: Some(issuer), subject: after_audience(rest) }
    }
}

/// The issuer, and the text after its colon.
fn split_issuer(principal_id: &str) -> Option<(&str, &str)> {
    let colons = if Arn::is_arn(principal_id) { ARN_FIELDS } else { 0 };
    let (at, _) = principal_id.match_indices(':').nth(colons)?;
    let issuer = &principal_id[..at];
    (!issuer.is_empty()).then_some((issuer, &principal_id[at + 1..]))
}

/// The text after the audience, which can be a URL or a URN.
fn after_audience(rest: &str) -> Option<&str> {
    let colons = if rest.starts_with("https://") || rest.starts_with("http://") {
        1
    } else if rest.starts_with("urn:") {
        2
    } else {
        0
    };
    let (at, _) = rest.match_indices(':').nth(colons)?;
    Some(&rest[at + 1..]).filter(|subject| !subject.is_empty())
}

/// "GitHub Actions (token.actions.githubusercontent.com)"; only the host if the provider is not in the list.
pub(super) fn provider_phrase(provider: &str) -> String {
    let host = provider.split_once(PROVIDER).map_or(provider, |(_, host)| host);
    let is_below = |known: &str| host.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let is_cluster = host.starts_with("oidc.eks.") || host.starts_with("oidc-eks.");
    let name = KNOWN.iter().find(|(known, _)| is_below(known)).map(|(_, name)| *name);
    match name.or(is_cluster.then_some("an EKS cluster")) {
        Some(name) => format!("{name} ({host})"),
        None => host.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn issuer_and_subject_of_a_principal_id_may_contain_colons() {
        let github = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com";
        let eks =
            "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71";
        for (audience, issuer, subject) in [
            ("sts.amazonaws.com", github, "repo:octo-org/octo-repo:ref:refs/heads/main"),
            ("sts.amazonaws.com", eks, "system:serviceaccount:prod:payments"),
            (
                "https://gitlab.example.com",
                "arn:aws:iam::1:oidc-provider/gitlab.example.com",
                "project_path:a/b:ref:main",
            ),
            ("urn:amazon:webservices", "sts.windows.net", "anna"),
            ("app.apps.googleusercontent.com", "accounts.google.com", "114"),
        ] {
            let principal_id = format!("{issuer}:{audience}:{subject}");
            let expected = WebIdentity { issuer: Some(issuer), subject: Some(subject) };
            assert_eq!(WebIdentity::of(&principal_id), expected, "{principal_id}");
        }
    }

    #[test]
    fn what_is_cut_short_gives_what_it_has() {
        assert_eq!(WebIdentity::of(""), WebIdentity { issuer: None, subject: None });
        assert_eq!(WebIdentity::of("anna"), WebIdentity { issuer: None, subject: None });
        let issuer = WebIdentity { issuer: Some("accounts.google.com"), subject: None };
        assert_eq!(WebIdentity::of("accounts.google.com:app"), issuer);
        assert_eq!(WebIdentity::of("accounts.google.com:app:"), issuer);
    }

    #[test]
    fn providers_are_called_what_people_call_them() {
        let phrase = "GitHub Actions (token.actions.githubusercontent.com)";
        assert_eq!(provider_phrase("token.actions.githubusercontent.com"), phrase);
        assert_eq!(
            provider_phrase("arn:aws:iam::1:oidc-provider/token.actions.githubusercontent.com/octo-enterprise"),
            "GitHub Actions (token.actions.githubusercontent.com/octo-enterprise)"
        );
        let cluster = "oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE";
        assert_eq!(provider_phrase(cluster), format!("an EKS cluster ({cluster})"));
        assert_eq!(provider_phrase("gitlab.com.evil.example"), "gitlab.com.evil.example");
    }
}
