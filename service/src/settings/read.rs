//! From merged values to a binary's settings type. `config`'s own reading is too kind (5.7 is
//! a 6, 3 is true) and its errors are text; here types are strict, and an error is a key, a
//! value, where it came from and what is allowed.

use config::{Map, Value, ValueKind};
use serde::de::value::StringDeserializer;
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer as _, Visitor,
};
use serde::forward_to_deserialize_any;

use super::SettingsError;
use super::layers::{ENVIRONMENT, from_toml};
use super::misread::{Misread, Place};

pub(super) fn read<T: DeserializeOwned>(root: Value) -> Result<T, SettingsError> {
    T::deserialize(Node(root)).map_err(Misread::into_error)
}

struct Node(Value);

impl Node {
    fn environment_text(&self) -> Option<&str> {
        let ValueKind::String(text) = &self.0.kind else {
            return None;
        };
        (self.0.origin() == Some(ENVIRONMENT)).then_some(text)
    }

    fn integer<'de, V: Visitor<'de>>(
        self,
        visitor: V,
        name: &str,
        range: &str,
    ) -> Result<V::Value, Misread> {
        let whole = || Misread::allowed(format!("a whole number {range}"));
        let number = match (&self.0.kind, self.environment_text()) {
            (ValueKind::I64(number), _) => *number,
            (_, Some(text)) => text.parse().map_err(|_| whole())?,
            _ => return Err(whole()),
        };
        visitor.visit_i64(number).map_err(|error: Misread| {
            // serde says just "u16"; other visitors know better what they take.
            if error.allowed == name {
                whole()
            } else {
                error
            }
        })
    }

    fn items(self) -> Result<Vec<Value>, Misread> {
        let Some(text) = self.environment_text() else {
            return list(self.0);
        };
        if text.trim().is_empty() {
            return Ok(Vec::new());
        }
        let items = if text.trim_start().starts_with('[') {
            toml::from_str::<toml::Table>(&format!("list = {text}"))
                .ok()
                .and_then(|mut table| table.remove("list"))
                .ok_or_else(|| Misread::allowed("a list in TOML, such as [\"a\", \"b\"]"))?
        } else {
            text.split(',')
                .map(|item| toml::Value::String(item.trim().to_owned()))
                .collect::<Vec<_>>()
                .into()
        };
        list(from_toml(items, ENVIRONMENT))
    }
}

fn list(value: Value) -> Result<Vec<Value>, Misread> {
    if let ValueKind::Array(items) = value.kind {
        Ok(items)
    } else {
        Err(Misread::allowed("a list"))
    }
}

macro_rules! integers {
    ($($method:ident $name:literal $range:literal;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misread> {
            self.integer(visitor, $name, $range)
        }
    )*};
}

impl<'de> Deserializer<'de> for Node {
    type Error = Misread;

    integers! {
        deserialize_i8 "i8" "from -128 to 127";
        deserialize_i16 "i16" "from -32768 to 32767";
        deserialize_i32 "i32" "from -2147483648 to 2147483647";
        deserialize_i64 "i64" "of at most 64 bits";
        deserialize_u8 "u8" "from 0 to 255";
        deserialize_u16 "u16" "from 0 to 65535";
        deserialize_u32 "u32" "from 0 to 4294967295";
        deserialize_u64 "u64" "from 0 up";
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misread> {
        match self.0.kind {
            ValueKind::Nil => visitor.visit_unit(),
            ValueKind::Boolean(flag) => visitor.visit_bool(flag),
            ValueKind::I64(number) => visitor.visit_i64(number),
            ValueKind::I128(number) => visitor.visit_i128(number),
            ValueKind::U64(number) => visitor.visit_u64(number),
            ValueKind::U128(number) => visitor.visit_u128(number),
            ValueKind::Float(number) => visitor.visit_f64(number),
            ValueKind::String(text) => visitor.visit_string(text),
            ValueKind::Table(table) => visitor.visit_map(Entries::new(table)),
            ValueKind::Array(items) => visitor.visit_seq(Items::new(items)),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misread> {
        match (&self.0.kind, self.environment_text()) {
            (ValueKind::Boolean(flag), _) => visitor.visit_bool(*flag),
            (_, Some("true")) => visitor.visit_bool(true),
            (_, Some("false")) => visitor.visit_bool(false),
            _ => Err(Misread::allowed("true or false")),
        }
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misread> {
        match self.environment_text().map(str::parse) {
            Some(Ok(number)) => visitor.visit_f64(number),
            Some(Err(_)) => Err(Misread::allowed("a number")),
            None => self.deserialize_any(visitor),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misread> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misread> {
        if self.0.kind == ValueKind::Nil {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misread> {
        let read = visitor.visit_newtype_struct(self);
        if name == "Masked" {
            read.map_err(Misread::hide)
        } else {
            read
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misread> {
        let ValueKind::String(text) = self.0.kind else {
            return Err(Misread::allowed(variants.join(", ")));
        };
        let text: StringDeserializer<Misread> = text.into_deserializer();
        visitor.visit_enum(text)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misread> {
        let ValueKind::Table(table) = self.0.kind else {
            let keys = fields.join(", ");
            return Err(Misread::allowed(format!("a table with the keys {keys}")));
        };
        visitor.visit_map(Entries::new(table))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misread> {
        let ValueKind::Table(table) = self.0.kind else {
            return Err(Misread::allowed("a table"));
        };
        visitor.visit_map(Entries::new(table))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misread> {
        visitor.visit_seq(Items::new(self.items()?))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misread> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        char str string bytes byte_buf unit unit_struct tuple tuple_struct identifier
    }
}

/// A table's entries, in the keys' order: with several mistakes the same one is told each time.
struct Entries {
    rest: std::vec::IntoIter<(String, Value)>,
    value: Option<(String, Value)>,
}

impl Entries {
    fn new(table: Map<String, Value>) -> Self {
        let mut entries: Vec<_> = table.into_iter().collect();
        entries.sort_by(|(left, _), (right, _)| left.cmp(right));
        Self {
            rest: entries.into_iter(),
            value: None,
        }
    }
}

impl<'de> de::MapAccess<'de> for Entries {
    type Error = Misread;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Misread> {
        let Some((key, value)) = self.rest.next() else {
            return Ok(None);
        };
        let place = Place::of(&key, &value);
        let text: StringDeserializer<Misread> = key.clone().into_deserializer();
        self.value = Some((key, value));
        seed.deserialize(text)
            .map(Some)
            .map_err(|error| error.at(place))
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Misread> {
        let Some((key, value)) = self.value.take() else {
            return Err(Misread::allowed("a key before its value"));
        };
        let place = Place::of(&key, &value);
        seed.deserialize(Node(value))
            .map_err(|error| error.at(place).under(&key))
    }
}

struct Items {
    rest: std::iter::Enumerate<std::vec::IntoIter<Value>>,
}

impl Items {
    fn new(items: Vec<Value>) -> Self {
        Self {
            rest: items.into_iter().enumerate(),
        }
    }
}

impl<'de> de::SeqAccess<'de> for Items {
    type Error = Misread;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Misread> {
        let Some((index, value)) = self.rest.next() else {
            return Ok(None);
        };
        let place = Place::of("", &value);
        seed.deserialize(Node(value))
            .map(Some)
            .map_err(|error| error.at(place).under(&format!("[{index}]")))
    }
}
