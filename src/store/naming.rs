//! Texts that name a resource: its ID, an ARN, a URL, or the last part of one.

use crate::model::event::{Event, StoredEvent};

/// A text that names a resource.
pub(super) struct ResourceName<'q> {
    text: &'q str,
    arn: Option<ArnParts<'q>>,
}

struct ArnParts<'q> {
    service: &'q str,
    region: &'q str,
    account: &'q str,
    resource: &'q str,
}

impl<'q> ResourceName<'q> {
    pub(super) fn new(text: &'q str) -> Self {
        // ARNs of log groups end with `:*` in some places and not in others. Events have names.
        let text = text.trim().strip_suffix(":*").unwrap_or(text.trim());
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let arn = match parts[..] {
            ["arn", _, service, region, account, resource] => Some(ArnParts { service, region, account, resource }),
            _ => None,
        };
        Self { text, arn }
    }

    /// The part after its last `/` or `:`, as the index has it for IDs.
    pub(super) fn last_part(&self) -> &'q str {
        self.text.rsplit(['/', ':']).next().unwrap_or(self.text)
    }

    /// Whether it can name the resource of a row.
    pub(super) fn names(&self, event: &StoredEvent) -> bool {
        self.fits(event.resource_id.as_str(), &event.event)
    }

    /// Whether it can name the resource that an event calls `id`.
    pub(super) fn fits(&self, id: &str, event: &Event) -> bool {
        if id == self.text {
            return true;
        }
        match &self.arn {
            Some(_) if is_arn(id) => false,
            Some(arn) => {
                let here = |wanted: &str, actual: &str| wanted.is_empty() || wanted == actual;
                here(arn.account, event.account_id.as_str())
                    && here(arn.region, event.region.as_str())
                    && (ends_with_part(arn.resource, id) || is_url(id))
            }
            None if is_url(self.text) => is_arn(id) || is_url(id) || ends_with_part(self.text, id),
            None => (is_arn(id) || is_url(id)) && ends_with_part(id, self.text),
        }
    }

    /// Whether the event source is the service in the ARN. Their names differ for a few services.
    pub(super) fn is_of_service(&self, event: &StoredEvent) -> bool {
        self.arn.as_ref().is_some_and(|arn| event.event.source.split('.').next() == Some(arn.service))
    }
}

fn is_arn(text: &str) -> bool {
    text.starts_with("arn:")
}

fn is_url(text: &str) -> bool {
    text.starts_with("https://") || text.starts_with("http://")
}

/// Whether `part` is all of `whole`, or its end after a `/` or `:`. A part that begins with `/` needs no separator before it.
fn ends_with_part(whole: &str, part: &str) -> bool {
    whole
        .strip_suffix(part)
        .is_some_and(|before| before.is_empty() || before.ends_with(['/', ':']) || part.starts_with('/'))
}
