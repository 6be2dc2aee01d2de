//! A deserialiser for parameters, which are text in a query or form and typed in JSON, and mean the same.

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{self, Deserializer, IntoDeserializer, Visitor};
use serde_json::Value;

/// A parameter's value on its way to its type.
pub(super) struct Lenient(pub(super) Value);

/// Why a parameter was refused, in the words of GitLab's API.
#[derive(Debug)]
pub(super) enum Refused {
    /// A required parameter is absent; holds its name.
    Missing(&'static str),
    /// It is not of the type.
    Invalid,
    /// It is not one of the values.
    NoSuchValue,
    /// Its own complaint.
    Other(String),
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing(field) => write!(f, "{field} is missing"),
            Self::Invalid => f.write_str("is invalid"),
            Self::NoSuchValue => f.write_str("does not have a valid value"),
            Self::Other(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for Refused {}

impl de::Error for Refused {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self::Other(message.to_string())
    }
    fn invalid_type(_: de::Unexpected<'_>, _: &dyn de::Expected) -> Self {
        Self::Invalid
    }
    fn invalid_value(_: de::Unexpected<'_>, _: &dyn de::Expected) -> Self {
        Self::Invalid
    }
    fn invalid_length(_: usize, _: &dyn de::Expected) -> Self {
        Self::Invalid
    }
    fn unknown_variant(_: &str, _: &'static [&'static str]) -> Self {
        Self::NoSuchValue
    }
    fn missing_field(field: &'static str) -> Self {
        Self::Missing(field)
    }
}

impl IntoDeserializer<'_, Refused> for Lenient {
    type Deserializer = Self;
    fn into_deserializer(self) -> Self {
        self
    }
}

macro_rules! whole_number {
    ($($method:ident $visit:ident $t:ty),*) => { $(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
            let number = match &self.0 {
                Value::Number(n) => n.to_string().parse::<$t>().ok(),
                Value::String(s) => s.trim().parse::<$t>().ok(),
                _ => None,
            };
            visitor.$visit(number.ok_or(Refused::Invalid)?)
        }
    )* };
}

impl<'de> Deserializer<'de> for Lenient {
    type Error = Refused;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.0
            .into_deserializer()
            .deserialize_any(visitor)
            .map_err(|e: serde_json::Error| Refused::Other(e.to_string()))
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        let text = match &self.0 {
            Value::Bool(b) => return visitor.visit_bool(*b),
            Value::Number(n) => n.to_string(),
            Value::String(s) => s.to_ascii_lowercase(),
            _ => return Err(Refused::Invalid),
        };
        match text.as_str() {
            "true" | "t" | "1" | "yes" | "y" | "on" => visitor.visit_bool(true),
            "false" | "f" | "0" | "no" | "n" | "off" => visitor.visit_bool(false),
            _ => Err(Refused::Invalid),
        }
    }

    whole_number!(deserialize_i8 visit_i8 i8, deserialize_i16 visit_i16 i16, deserialize_i32 visit_i32 i32,
        deserialize_i64 visit_i64 i64, deserialize_u8 visit_u8 u8, deserialize_u16 visit_u16 u16,
        deserialize_u32 visit_u32 u32, deserialize_u64 visit_u64 u64, deserialize_f64 visit_f64 f64,
        deserialize_f32 visit_f32 f32);

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        match self.0 {
            Value::String(s) if s.contains('\0') => Err(Refused::Invalid),
            Value::String(s) => visitor.visit_string(s),
            Value::Number(n) => visitor.visit_string(n.to_string()),
            Value::Bool(b) => visitor.visit_string(b.to_string()),
            _ => Err(Refused::Invalid),
        }
    }
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.deserialize_string(visitor)
    }
    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.deserialize_string(visitor)
    }
    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.deserialize_string(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        let items: Vec<Value> = match self.0 {
            Value::Array(items) => items,
            Value::String(s) if s.is_empty() => vec![],
            Value::String(s) => s.split(',').map(|p| Value::String(p.trim().to_owned())).collect(),
            Value::Object(map) => map.into_iter().map(|(_, v)| v).collect(),
            one @ Value::Number(_) => vec![one],
            _ => return Err(Refused::Invalid),
        };
        visitor.visit_seq(SeqDeserializer::new(items.into_iter().map(Lenient)))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        match self.0 {
            Value::Object(map) => {
                visitor.visit_map(MapDeserializer::new(map.into_iter().map(|(k, v)| (k, Lenient(v)))))
            }
            _ => Err(Refused::Invalid),
        }
    }
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        self.deserialize_map(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Refused> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        match self.0 {
            Value::String(s) => visitor.visit_enum(IntoDeserializer::<Refused>::into_deserializer(s)),
            Value::Number(n) => visitor.visit_enum(IntoDeserializer::<Refused>::into_deserializer(n.to_string())),
            _ => Err(Refused::NoSuchValue),
        }
    }

    serde::forward_to_deserialize_any! { i128 u128 bytes byte_buf unit unit_struct tuple tuple_struct ignored_any }
}
