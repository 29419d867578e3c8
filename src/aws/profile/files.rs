//! The two files of AWS's shared configuration, and which of them a key comes from.
//!
//! Source: <https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html>

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use aws_config::profile::{ProfileFileLoadError, ProfileSet};
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_runtime::fs_util::{Os, home_dir};
use aws_types::os_shim_internal::Fs;

use super::names::{decoded, encoded, with_encoded_names};
use crate::aws::environment::Environment;

/// One of the two files.
#[derive(Debug)]
struct File {
    path: PathBuf,
    text: String,
    sections: ProfileSet,
    /// Why the file could not be read, where it is there.
    unreadable: Option<std::io::Error>,
}

/// Both files. Where both have a key, the credentials file's counts, as in all of AWS's tools.
#[derive(Debug)]
pub(in crate::aws) struct Profiles {
    config: File,
    credentials: File,
}

/// A file that can't be parsed.
#[derive(Debug, thiserror::Error)]
#[error("{}", path.display())]
pub(in crate::aws) struct Unparsable {
    path: PathBuf,
    source: ProfileFileLoadError,
}

/// A key's value and where it is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry<'a> {
    pub(super) value: &'a str,
    pub(super) is_credentials_file: bool,
}

/// A file that the settings name.
///
/// # Errors
/// It can't be read, or is larger than such a file can be: a device has no end.
pub(super) fn read(path: &Path) -> io::Result<Vec<u8>> {
    const MAX_BYTES: u64 = 16 * 1024 * 1024;
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(io::Error::other(format!("it is larger than {} MiB", MAX_BYTES >> 20)));
    }
    Ok(bytes)
}

impl Profiles {
    /// Reads both files, from the paths in the environment. A missing file is empty.
    pub(in crate::aws) async fn load(environment: &Environment) -> Result<Self, Unparsable> {
        let read = |variable: &str, usual: &str| {
            let path = path_of(environment.get(variable).unwrap_or(usual), environment);
            let text = read(&path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
            (path, text)
        };
        let (config, credentials) =
            (read("AWS_CONFIG_FILE", "~/.aws/config"), read("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"));
        Ok(Self {
            config: File::parse(config.0, config.1, EnvConfigFileKind::Config).await?,
            credentials: File::parse(credentials.0, credentials.1, EnvConfigFileKind::Credentials).await?,
        })
    }

    #[cfg(test)]
    pub(super) async fn of_texts(config: &str, credentials: &str) -> Self {
        let file = |name: &str, text: &str, kind| File::parse(name.into(), Ok(text.to_owned()), kind);
        Self {
            config: file("config", config, EnvConfigFileKind::Config).await.unwrap(),
            credentials: file("credentials", credentials, EnvConfigFileKind::Credentials).await.unwrap(),
        }
    }

    /// The files for the SDK, with the profile names of [`Profiles::sdk_name`].
    pub(in crate::aws) fn for_sdk(&self) -> EnvConfigFiles {
        EnvConfigFiles::builder()
            .with_contents(EnvConfigFileKind::Config, &self.config.text)
            .with_contents(EnvConfigFileKind::Credentials, &self.credentials.text)
            .build()
    }

    /// The SDK's name for a profile.
    pub(in crate::aws) fn sdk_name(profile: &str) -> String {
        encoded(profile)
    }

    /// The names of all profiles, in order.
    pub(in crate::aws) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = [&self.config, &self.credentials]
            .into_iter()
            .flat_map(|file| file.sections.profiles().map(decoded).collect::<Vec<_>>())
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Whether a file has the profile.
    pub(in crate::aws) fn has(&self, profile: &str) -> bool {
        self.config.has(profile) || self.credentials.has(profile)
    }

    /// A key of a profile, never empty.
    pub(in crate::aws) fn get(&self, profile: &str, key: &str) -> Option<&str> {
        self.entry(profile, key).map(|entry| entry.value)
    }

    /// A key of a profile, with its file.
    pub(super) fn entry(&self, profile: &str, key: &str) -> Option<Entry<'_>> {
        let of = |file: &'_ File| file.get(profile, key).is_some();
        let is_credentials_file = of(&self.credentials);
        let file = if is_credentials_file { &self.credentials } else { &self.config };
        file.get(profile, key).map(|value| Entry { value, is_credentials_file })
    }

    /// A key of an `sso-session` section, never empty; the outer `None`: there is no such section.
    pub(super) fn sso_session(&self, name: &str, key: &str) -> Option<Option<&str>> {
        let session = self.config.sections.sso_session(&encoded(name))?;
        Some(session.get(key).filter(|value| !value.is_empty()))
    }

    /// The files that have a profile, for messages; both where none has it.
    pub(in crate::aws) fn files_of(&self, profile: &str) -> String {
        let files = [&self.config, &self.credentials];
        let with: Vec<&File> = files.into_iter().filter(|file| file.has(profile)).collect();
        let shown = if with.is_empty() { files.to_vec() } else { with };
        let path = |file: &File| match &file.unreadable {
            Some(error) => format!("{} (not readable: {error})", file.path.display()),
            None => file.path.display().to_string(),
        };
        shown.into_iter().map(path).collect::<Vec<_>>().join(" and ")
    }

    /// Whether the configuration file has a section of that name which lacks the word `profile`.
    pub(in crate::aws) fn lacks_the_word(&self, profile: &str) -> bool {
        let bare = format!("[{profile}]");
        self.config.text.lines().any(|line| line.trim() == bare)
    }
}

impl File {
    async fn parse(path: PathBuf, text: std::io::Result<String>, kind: EnvConfigFileKind) -> Result<Self, Unparsable> {
        let (text, unreadable) = match text {
            Ok(text) => (with_encoded_names(&text, kind), None),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => (String::new(), None),
            Err(error) => (String::new(), Some(error)),
        };
        let files = EnvConfigFiles::builder().with_contents(kind, &text).build();
        let (disk, nothing) = (Fs::real(), Environment::default().for_sdk());
        match aws_config::profile::load(&disk, &nothing, &files, Some("default".into())).await {
            Ok(sections) => Ok(Self { path, text, sections, unreadable }),
            Err(source) => Err(Unparsable { path, source }),
        }
    }

    fn has(&self, profile: &str) -> bool {
        self.sections.get_profile(&encoded(profile)).is_some()
    }

    fn get(&self, profile: &str, key: &str) -> Option<&str> {
        self.sections.get_profile(&encoded(profile))?.get(key).filter(|value| !value.trim().is_empty())
    }
}

/// A path with the home directory in place of `~`.
pub(in crate::aws) fn path_of(path: &str, environment: &Environment) -> PathBuf {
    let home = || home_dir(&environment.for_sdk(), Os::real());
    match path.strip_prefix('~').filter(|rest| rest.is_empty() || rest.starts_with(['/', '\\'])) {
        Some(rest) => match home() {
            Some(home) => Path::new(&home).join(rest.trim_start_matches(['/', '\\'])),
            None => PathBuf::from(path),
        },
        None => PathBuf::from(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_key_comes_from_the_credentials_file_where_both_have_it_and_is_unset_where_it_is_empty() {
        let config = "[profile a]\nregion = x\nrole_arn =\n[profile 'b c']\nregion = y # here\n[lost]\nregion = z";
        let profiles = Profiles::of_texts(config, "[a]\nregion = w\n[d e]\nregion = v").await;
        let region = |profile| profiles.entry(profile, "region").map(|entry| (entry.value, entry.is_credentials_file));
        assert_eq!(region("a"), Some(("w", true)));
        assert_eq!((region("b c"), region("d e")), (Some(("y", false)), Some(("v", true))));
        assert_eq!((profiles.get("a", "role_arn"), profiles.get("missing", "region")), (None, None));
        assert_eq!(profiles.names(), ["a", "b c", "d e"]);
        assert_eq!(
            (profiles.files_of("a"), profiles.files_of("b c")),
            ("config and credentials".to_owned(), "config".to_owned())
        );
        assert!(profiles.lacks_the_word("lost") && !profiles.has("lost"));
    }

    #[tokio::test]
    async fn a_file_that_can_not_be_parsed_is_named_with_the_line() {
        let text = Ok("[profile a]\nnonsense".to_owned());
        let error = File::parse("some/config".into(), text, EnvConfigFileKind::Config).await.unwrap_err();
        let shown = crate::aws::error::causes(&error);
        assert!(shown.starts_with("some/config: ") && shown.contains('2'), "{shown}");
    }

    #[test]
    fn a_path_may_begin_with_the_home_directory() {
        let environment = Environment::of([("HOME".to_owned(), "/home/a".to_owned())]);
        assert_eq!(path_of("~/.aws/config", &environment), Path::new("/home/a/.aws/config"));
        assert_eq!(path_of("~a/config", &environment), Path::new("~a/config"));
        assert_eq!(path_of("/etc/aws", &environment), Path::new("/etc/aws"));
    }
}
