//! The strict types of single fields: what each accepts, said once, for the
//! parser and for the JSON Schema.

use std::{borrow::Cow, fmt, marker::PhantomData};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, Unexpected, Visitor},
};

/// A value that a JSON string or number stands for.
pub(crate) trait Field: Sized {
    /// What is allowed, as error messages say it.
    const ALLOWED: &'static str;

    /// From a string that is not empty.
    fn from_text(_text: &str) -> Option<Self> {
        None
    }

    /// From a whole number.
    fn from_number(_number: u64) -> Option<Self> {
        None
    }

    /// Whether strings are of the right type at all.
    const TAKES_TEXT: bool;
}

/// Reads a [`Field`]. `null` and `""` give `None` where that is allowed.
struct FieldVisitor<T> {
    nullable: bool,
    field: PhantomData<T>,
}

impl<T: Field> FieldVisitor<T> {
    fn check<E: de::Error>(
        &self,
        value: Option<T>,
        right_type: bool,
        found: Unexpected<'_>,
    ) -> Result<Option<T>, E> {
        match value {
            Some(value) => Ok(Some(value)),
            None if right_type => Err(E::invalid_value(found, self)),
            None => Err(E::invalid_type(found, self)),
        }
    }
}

impl<T: Field> Visitor<'_> for FieldVisitor<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::ALLOWED)?;
        if self.nullable {
            f.write_str(" or null")?;
        }
        Ok(())
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Option<T>, E> {
        if text.is_empty() && self.nullable {
            return Ok(None);
        }
        let value = if text.is_empty() {
            None
        } else {
            T::from_text(text)
        };
        self.check(value, T::TAKES_TEXT, Unexpected::Str(text))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Option<T>, E> {
        let found = Unexpected::Unsigned(number);
        self.check(T::from_number(number), !T::TAKES_TEXT, found)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Option<T>, E> {
        self.check(None, !T::TAKES_TEXT, Unexpected::Signed(number))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Option<T>, E> {
        self.check(None, !T::TAKES_TEXT, Unexpected::Float(number))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Option<T>, E> {
        if self.nullable {
            Ok(None)
        } else {
            Err(E::invalid_type(Unexpected::Other("null"), &self))
        }
    }
}

/// For `#[serde(default, deserialize_with)]` on a nullable field: missing,
/// `null` and `""` are all unknown.
pub(crate) fn nullable<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: Field,
    D: Deserializer<'de>,
{
    read(deserializer, true)
}

/// Reads a string that stands for a value, such as an id or a moment. Every
/// other type, and every other string, is told what is `allowed`.
pub(crate) fn from_string<'de, T, D>(
    deserializer: D,
    allowed: &'static str,
    parse: fn(&str) -> Option<T>,
) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
{
    struct TextVisitor<T> {
        allowed: &'static str,
        parse: fn(&str) -> Option<T>,
    }

    impl<T> Visitor<'_> for TextVisitor<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.allowed)
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
            (self.parse)(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
        }
    }

    deserializer.deserialize_str(TextVisitor { allowed, parse })
}

fn read<'de, T, D>(deserializer: D, nullable: bool) -> Result<Option<T>, D::Error>
where
    T: Field,
    D: Deserializer<'de>,
{
    deserializer.deserialize_any(FieldVisitor {
        nullable,
        field: PhantomData,
    })
}

macro_rules! field {
    ($(#[$doc:meta])* $name:ident($inner:ty), schema $schema:tt) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
        #[serde(transparent)]
        pub struct $name($inner);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                read(deserializer, false)?.ok_or_else(|| {
                    de::Error::invalid_type(Unexpected::Other("null"), &Self::ALLOWED)
                })
            }
        }

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    };
}

macro_rules! text_field {
    ($name:ident, $allowed:literal, $accepts:expr) => {
        impl Field for $name {
            const ALLOWED: &'static str = $allowed;
            const TAKES_TEXT: bool = true;

            fn from_text(text: &str) -> Option<Self> {
                let accepts: fn(&str) -> bool = $accepts;
                accepts(text).then(|| Self(text.to_owned()))
            }
        }

        impl $name {
            /// The value.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// A value from its text; `None` where it is not allowed.
            #[must_use]
            pub fn new(text: &str) -> Option<Self> {
                if text.is_empty() {
                    return None;
                }
                Self::from_text(text)
            }
        }
    };
}

field!(
    /// Any text but the empty one.
    Text(String),
    schema {"type": "string", "minLength": 1}
);
text_field!(Text, "a text that is not empty", |_| true);

field!(
    /// An e-mail address (RFC 5321, RFC 6531) without display name.
    Email(String),
    // Not `format: email`: validators read it as RFC 5321, and addresses with
    // umlauts are delivered too. Many know no `idn-email`.
    schema {"type": "string", "pattern": "^.+@.+$", "examples": ["anna.mueller@webshop.de"]}
);
text_field!(Email, "an e-mail address", |text| {
    email_address::EmailAddress::parse_with_options(
        text,
        email_address::Options::default()
            .without_display_text()
            .without_domain_literal(),
    )
    .is_ok()
});

field!(
    /// A language tag of BCP 47.
    Locale(String),
    schema {"type": "string", "minLength": 2, "examples": ["de-DE"]}
);
text_field!(Locale, "a BCP 47 language tag such as de-DE", |text| {
    oxilangtag::LanguageTag::parse(text).is_ok()
});

field!(
    /// A count of seconds.
    Seconds(u32),
    schema {"type": "integer", "minimum": 0, "maximum": 4_294_967_295_u32}
);

impl Field for Seconds {
    const ALLOWED: &'static str = "a whole number of seconds from 0 to 4294967295";
    const TAKES_TEXT: bool = false;

    fn from_number(number: u64) -> Option<Self> {
        u32::try_from(number).ok().map(Self)
    }
}

impl Seconds {
    /// A duration of whole seconds.
    #[must_use]
    pub const fn new(seconds: u32) -> Self {
        Self(seconds)
    }
}

field!(
    /// A rating of one to five stars.
    Score(u8),
    schema {"type": "integer", "minimum": 1, "maximum": 5}
);

impl Field for Score {
    const ALLOWED: &'static str = "a whole number from 1 to 5";
    const TAKES_TEXT: bool = false;

    fn from_number(number: u64) -> Option<Self> {
        u8::try_from(number).ok().and_then(Self::new)
    }
}

impl Score {
    /// A score; `None` outside 1 to 5.
    #[must_use]
    pub fn new(stars: u8) -> Option<Self> {
        (1..=5).contains(&stars).then_some(Self(stars))
    }
}
