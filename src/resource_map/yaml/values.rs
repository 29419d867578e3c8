//! Values of a service's file that can be written in more than one way: a text or a mapping, one or a list.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_saphyr::Spanned;

use super::FullWriteStanza;
use crate::text::source::Text;

/// `write`.
#[derive(Debug)]
pub(in crate::resource_map) enum WriteStanza {
    /// The method alone.
    Short(String),
    /// The method and what it needs.
    Full(Box<FullWriteStanza>),
}

impl<'de> Deserialize<'de> for WriteStanza {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WriteVisitor;

        impl<'de> Visitor<'de> for WriteVisitor {
            type Value = WriteStanza;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("how a tag is written: {method: …}, or a method alone")
            }

            fn visit_str<E>(self, method: &str) -> Result<WriteStanza, E> {
                Ok(WriteStanza::Short(method.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<WriteStanza, A::Error> {
                FullWriteStanza::deserialize(MapAccessDeserializer::new(map))
                    .map(|stanza| WriteStanza::Full(Box::new(stanza)))
            }
        }

        deserializer.deserialize_any(WriteVisitor)
    }
}

/// JMESPath on an item, or a mapping that holds a template.
#[derive(Debug)]
pub(in crate::resource_map) enum ItemTextStanza {
    /// JMESPath; for `arn` also a template that starts so.
    Expression(String),
    /// `{template: …}`.
    Template(TemplateStanza),
}

/// `{template: …}`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::resource_map) struct TemplateStanza {
    pub(in crate::resource_map) template: Text,
}

impl<'de> Deserialize<'de> for ItemTextStanza {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ItemTextVisitor;

        impl<'de> Visitor<'de> for ItemTextVisitor {
            type Value = ItemTextStanza;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("JMESPath, or {template: …}")
            }

            fn visit_str<E>(self, text: &str) -> Result<ItemTextStanza, E> {
                Ok(ItemTextStanza::Expression(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ItemTextStanza, A::Error> {
                TemplateStanza::deserialize(MapAccessDeserializer::new(map)).map(ItemTextStanza::Template)
            }
        }

        deserializer.deserialize_any(ItemTextVisitor)
    }
}

/// What of a parent is sent: JMESPath on its item, or several of them, each with a name.
#[derive(Debug)]
pub(in crate::resource_map) enum ParentValueStanza {
    /// `{parent}`.
    One(String),
    /// `{parent.name}`.
    Several(Vec<(Text, Text)>),
}

impl<'de> Deserialize<'de> for ParentValueStanza {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ParentValueVisitor;

        impl<'de> Visitor<'de> for ParentValueVisitor {
            type Value = ParentValueStanza;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("JMESPath on the parent's item, or a mapping from names to JMESPath")
            }

            fn visit_str<E>(self, text: &str) -> Result<ParentValueStanza, E> {
                Ok(ParentValueStanza::One(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ParentValueStanza, A::Error> {
                let mut values = Vec::new();
                while let Some(value) = map.next_entry()? {
                    values.push(value);
                }
                Ok(ParentValueStanza::Several(values))
            }
        }

        deserializer.deserialize_any(ParentValueVisitor)
    }
}

/// The IAM actions that a call needs: one, or a list.
#[derive(Debug)]
pub(in crate::resource_map) struct ActionStanza(pub(in crate::resource_map) Vec<String>);

impl<'de> Deserialize<'de> for ActionStanza {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ActionVisitor;

        impl<'de> Visitor<'de> for ActionVisitor {
            type Value = ActionStanza;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an IAM action, or a list of them")
            }

            fn visit_str<E>(self, text: &str) -> Result<ActionStanza, E> {
                Ok(ActionStanza(vec![text.to_owned()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<ActionStanza, A::Error> {
                let mut actions = Vec::new();
                while let Some(action) = list.next_element()? {
                    actions.push(action);
                }
                Ok(ActionStanza(actions))
            }
        }

        deserializer.deserialize_any(ActionVisitor)
    }
}

/// A call's input, each text with its place.
#[derive(Debug)]
pub(in crate::resource_map) enum Param {
    /// A number, a boolean or nothing.
    Constant(Value),
    /// A template.
    Text(String),
    /// A list.
    List(Vec<Spanned<Param>>),
    /// An object; its keys are templates.
    Object(Vec<(Text, Spanned<Param>)>),
}

impl Param {
    /// As JSON.
    pub(in crate::resource_map) fn to_value(&self) -> Value {
        match self {
            Self::Constant(value) => value.clone(),
            Self::Text(text) => Value::String(text.clone()),
            Self::List(items) => items.iter().map(|item| item.value.to_value()).collect(),
            Self::Object(fields) => {
                fields.iter().map(|(key, param)| (key.value.clone(), param.value.to_value())).collect()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Param {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ParamVisitor;

        impl<'de> Visitor<'de> for ParamVisitor {
            type Value = Param;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a call's input")
            }

            fn visit_bool<E>(self, flag: bool) -> Result<Param, E> {
                Ok(Param::Constant(flag.into()))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Param, E> {
                Ok(Param::Constant(number.into()))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Param, E> {
                Ok(Param::Constant(number.into()))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Param, E> {
                Ok(Param::Constant(number.into()))
            }

            fn visit_unit<E>(self) -> Result<Param, E> {
                Ok(Param::Constant(Value::Null))
            }

            fn visit_str<E>(self, text: &str) -> Result<Param, E> {
                Ok(Param::Text(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Param, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = list.next_element()? {
                    items.push(item);
                }
                Ok(Param::List(items))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Param, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Param::Object(fields))
            }
        }

        deserializer.deserialize_any(ParamVisitor)
    }
}
