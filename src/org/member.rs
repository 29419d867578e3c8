//! A member account of an organization, and the stanza of an accounts file that it becomes.
//!
//! Labels, names of variables and templates are those of c7n-org's `orgaccounts`, so that files of both choose the same
//! accounts: `path:/Core` and `path:/Core/Security` for an account in the unit `/Core/Security`, `key:value` for a tag.
//! Pure.

use std::collections::{BTreeMap, HashSet};

use serde_json::{Value, json};

use super::accounts_file::{Account, RegionChoice};
use crate::model::{AccountId, Arn};
use crate::resource_map::template::InvalidTemplate;
use crate::resource_map::{MissingValue, Template};

/// The state of an account that works.
const ACTIVE: &str = "ACTIVE";

/// An account in AWS Organizations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its id.
    pub id: AccountId,
    /// Its ARN, `arn:aws:organizations::MANAGEMENT:account/o-…/ID`.
    pub arn: Arn,
    /// Its name; several accounts may share one.
    pub name: String,
    /// Its root user's address.
    pub email: String,
    /// `State` (`ACTIVE`, `SUSPENDED`, `PENDING_CLOSURE`…), or `Status`, which it replaces, where that is all there is.
    pub state: String,
    /// Its organizational unit, `/Core/Security`; `/` in the root; `None` if it was not requested.
    pub path: Option<String>,
    /// Its tags, as far as they were read.
    pub tags: BTreeMap<String, String>,
}

/// How a member becomes a stanza.
#[derive(Debug)]
pub struct Stanzas {
    name: Template,
    role: Template,
    regions: Vec<RegionChoice>,
}

impl Member {
    /// Whether it works: others can't be entered.
    pub fn is_active(&self) -> bool {
        self.state == ACTIVE
    }

    /// What accounts are chosen by: its unit and those above it, then its tags.
    pub fn labels(&self) -> Vec<String> {
        let path = self.path.as_deref().map(|path| path.trim_matches('/'));
        let ends = path.into_iter().flat_map(|path| path.match_indices('/').map(|(at, _)| at).chain([path.len()]));
        let paths = ends.map(|end| format!("path:/{}", &path.unwrap_or_default()[..end]));
        paths.chain(self.tags.iter().map(|(key, value)| format!("{key}:{value}"))).collect()
    }

    fn organization(&self) -> &str {
        self.arn.as_str().split('/').nth(1).unwrap_or_default()
    }

    fn partition(&self) -> &str {
        self.arn.parts().map(|arn| arn.partition).unwrap_or_default()
    }

    /// What templates may name: AWS's fields as in c7n-org's `--role`, the stanza's as in its `--name`.
    fn variables(&self) -> Value {
        let Self { id, arn, name, email, state, path, tags } = self;
        let (organization, partition) = (self.organization(), self.partition());
        json!({
            "Id": id, "Arn": arn, "Name": name, "Email": email, "State": state, "Status": state, "Path": path,
            "Tags": tags, "OrgId": organization, "Partition": partition,
            "account_id": id, "arn": arn, "name": name, "display_name": name, "email": email, "status": state,
            "path": path, "tags": tags, "org_id": organization, "partition": partition,
        })
    }
}

impl Stanzas {
    /// `name` and `role` are templates: `{Name}`, `{Id}`, `{Tags.stage}`… A role that is not an ARN is the name of each
    /// account's own.
    ///
    /// # Errors
    /// A template with unbalanced braces.
    pub fn new(name: &str, role: &str, regions: Vec<RegionChoice>) -> Result<Self, InvalidTemplate> {
        let role = if Arn::is_arn(role) {
            role.to_owned()
        } else {
            format!("arn:{{Partition}}:iam::{{Id}}:role/{}", role.trim_start_matches('/'))
        };
        Ok(Self { name: Template::compile(name)?, role: Template::compile(&role)?, regions })
    }

    /// The members' stanzas, in their order. Their names differ: those of several accounts get the account's id behind
    /// them.
    ///
    /// # Errors
    /// A template names what a member doesn't have, and which member.
    pub fn of(&self, members: &[Member]) -> Result<Vec<Account>, (AccountId, MissingValue)> {
        let stanza = |member: &Member| self.stanza(member).map_err(|missing| (member.id.clone(), missing));
        let mut accounts = members.iter().map(stanza).collect::<Result<Vec<Account>, _>>()?;
        make_unique(&mut accounts);
        Ok(accounts)
    }

    fn stanza(&self, member: &Member) -> Result<Account, MissingValue> {
        let variables = member.variables();
        let render = |template: &Template| template.render(&variables, |_| None);
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let name = some(&render(&self.name)?);
        let vars = member.tags.iter().map(|(key, value)| (key.clone(), json!(value)));
        Ok(Account {
            name: name.unwrap_or_else(|| member.id.to_string()),
            display_name: some(&member.name),
            org_id: some(member.organization()),
            email: some(&member.email),
            arn: some(member.arn.as_str()),
            status: some(&member.state),
            roles: vec![render(&self.role)?],
            regions: self.regions.clone(),
            tags: member.labels(),
            vars: vars.collect(),
            ..Account::new(member.id.clone())
        })
    }
}

/// Gives each account a unique name, because filters and folders use it. The ID is appended where names are equal.
fn make_unique(accounts: &mut [Account]) {
    loop {
        let mut seen = HashSet::new();
        let twins: HashSet<String> =
            accounts.iter().map(|account| &account.name).filter(|name| !seen.insert(*name)).cloned().collect();
        if twins.is_empty() {
            return;
        }
        for account in accounts.iter_mut().filter(|account| twins.contains(&account.name)) {
            account.name = format!("{}-{}", account.name, account.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(id: &str, name: &str, path: &str) -> Member {
        Member {
            id: id.into(),
            arn: format!("arn:aws-cn:organizations::1:account/o-abc/{id}").into(),
            name: name.to_owned(),
            email: format!("{name}@example.com"),
            state: "ACTIVE".to_owned(),
            path: Some(path.to_owned()),
            tags: BTreeMap::from([("stage".to_owned(), "prod".to_owned())]),
        }
    }

    fn names(template: &str, members: &[Member]) -> Vec<String> {
        let stanzas = Stanzas::new(template, "Reader", Vec::new()).unwrap().of(members).unwrap();
        stanzas.into_iter().map(|account| account.name).collect()
    }

    #[test]
    fn labels_are_the_units_from_the_top_and_the_tags() {
        let labels = |path: &str| member("1", "a", path).labels();
        assert_eq!(labels("/Core/Security"), ["path:/Core", "path:/Core/Security", "stage:prod"]);
        assert_eq!(labels("/"), ["path:/", "stage:prod"]);
        assert_eq!(Member { path: None, ..member("1", "a", "/") }.labels(), ["stage:prod"]);
    }

    #[test]
    fn templates_name_what_c7n_org_names_and_more() {
        let one = member("111111111111", "audit", "/Core");
        for template in ["{name}", "{Name}", "{display_name}"] {
            assert_eq!(names(template, std::slice::from_ref(&one)), ["audit"]);
        }
        assert_eq!(
            names("{Tags.stage}/{Id}/{org_id}{path}", std::slice::from_ref(&one)),
            ["prod/111111111111/o-abc/Core"]
        );
        let role = |template: &str| {
            let stanzas = Stanzas::new("{name}", template, Vec::new()).unwrap();
            stanzas.of(std::slice::from_ref(&one)).map(|accounts| accounts[0].roles.clone())
        };
        assert_eq!(role("Reader").unwrap(), ["arn:aws-cn:iam::111111111111:role/Reader"]);
        assert_eq!(role("arn:aws:iam::{Id}:role/{name}").unwrap(), ["arn:aws:iam::111111111111:role/audit"]);
        assert_eq!(role("{Nmae}").unwrap_err(), ("111111111111".into(), MissingValue("Nmae".to_owned())));
        assert!(Stanzas::new("{name", "r", Vec::new()).is_err());
    }

    #[test]
    fn names_become_unique_and_stay_so_whatever_others_are_called() {
        let members = [member("1", "a", "/"), member("2", "a", "/"), member("3", "a-1", "/"), member("4", "b", "/")];
        assert_eq!(names("{name}", &members), ["a-1-1", "a-2", "a-1-3", "b"]);
        assert_eq!(names("same", &members).len(), 4);
        assert_eq!(names("", &members[..1]), ["1"], "a name is needed");
    }
}
