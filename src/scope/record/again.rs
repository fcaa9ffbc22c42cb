//! Breadcrumbs that are built where others stood before, and whether one still says what it was built from.
//!
//! Building one takes an allocation for each of its texts. Whoever looks at an event seldom changes its breadcrumbs, so
//! that the same memory can hold the next event's.

use serde_json::Value;

use super::{Compact, Crumb, Packed, Stored};
use crate::protocol::Breadcrumb;

impl Crumb<'_> {
    /// Makes a breadcrumb the one that this stands for; of the same shape, it allocates nothing.
    pub(crate) fn overwrite(&self, old: &mut Breadcrumb) {
        match self {
            Self::Owned(breadcrumb) => overwrite(old, breadcrumb),
            Self::Compact(compact) => compact.overwrite(old),
            Self::Packed(packed) => packed.overwrite(old),
        }
    }

    /// True if a breadcrumb is the one that this stands for, to the last bit. Adds what it takes on the heap to `bytes`.
    pub(crate) fn is_built_as(&self, built: &Breadcrumb, bytes: &mut usize) -> bool {
        *bytes += [Some(&built.ty), built.category.as_ref(), built.message.as_ref()]
            .into_iter()
            .flatten()
            .map(String::capacity)
            .sum::<usize>();
        match self {
            Self::Owned(breadcrumb) => {
                built.timestamp == breadcrumb.timestamp
                    && built.ty == breadcrumb.ty
                    && built.category == breadcrumb.category
                    && built.level == breadcrumb.level
                    && built.message == breadcrumb.message
                    && built.data.len() == breadcrumb.data.len()
                    && built.data.iter().zip(&breadcrumb.data).all(|((key, value), (own_key, own))| {
                        *bytes += weight(key, value);
                        key == own_key && is_same(value, own)
                    })
            }
            Self::Compact(compact) => compact.is_built_as(built, bytes),
            Self::Packed(packed) => packed.is_built_as(built, bytes),
        }
    }
}

impl Compact<'_> {
    fn overwrite(&self, old: &mut Breadcrumb) {
        let site = self.header.site;
        let (data, message) = self.parts();
        old.timestamp = self.timestamp();
        site.ty.clone_into(&mut old.ty);
        overwrite_text(&mut old.category, site.category);
        old.level = self.header.level;
        overwrite_text(&mut old.message, message.as_deref());
        // As many places as values, and a place for each of them: so each place gets one, unless a key comes twice.
        let mut places = old.data.len();
        let all_found = data.iter().all(|(key, stored)| match old.data.get_mut(key) {
            Some(value) => {
                places = places.wrapping_sub(1);
                stored.overwrite(value);
                true
            }
            None => false,
        });
        let has_twins =
            || site.keys.iter().enumerate().any(|(at, key)| site.keys.iter().skip(at + 1).any(|k| k == key));
        if !all_found || places != 0 || has_twins() {
            old.data = data.iter().map(|(key, value)| (key.to_owned(), value.into())).collect();
        }
    }

    fn is_built_as(&self, built: &Breadcrumb, bytes: &mut usize) -> bool {
        let site = self.header.site;
        let (data, message) = self.parts();
        let mut entries = 0;
        built.timestamp == self.timestamp()
            && built.ty == site.ty
            && built.category.as_deref() == site.category
            && built.level == self.header.level
            && built.message.as_deref() == message.as_deref()
            && data.iter().all(|(key, stored)| {
                entries += 1;
                built.data.get_key_value(key).is_some_and(|(key, value)| {
                    *bytes += weight(key, value);
                    stored.is_built_as(value)
                })
            })
            // With a key that comes twice, there are fewer: such a breadcrumb counts as changed.
            && built.data.len() == entries
    }
}

impl Packed<'_> {
    fn overwrite(&self, old: &mut Breadcrumb) {
        old.timestamp = self.timestamp;
        self.ty.clone_into(&mut old.ty);
        overwrite_text(&mut old.category, self.category);
        old.level = self.level;
        overwrite_text(&mut old.message, self.message);
        let mut entries = self.entries();
        let has_same_keys = old.data.iter_mut().all(|(old_key, old)| {
            entries.next().filter(|(key, _)| key == old_key).map(|(_, stored)| stored.overwrite(old)).is_some()
        });
        if !has_same_keys || entries.next().is_some() {
            old.data = self.data();
        }
    }

    fn is_built_as(&self, built: &Breadcrumb, bytes: &mut usize) -> bool {
        let mut entries = self.entries();
        built.timestamp == self.timestamp
            && built.ty == self.ty
            && built.category.as_deref() == self.category
            && built.level == self.level
            && built.message.as_deref() == self.message
            && built.data.iter().all(|(key, value)| {
                *bytes += weight(key, value);
                entries.next().is_some_and(|(own_key, stored)| key == own_key && stored.is_built_as(value))
            })
            && entries.next().is_none()
    }
}

impl Stored<'_> {
    #[inline]
    fn overwrite(self, old: &mut Value) {
        match (self, old) {
            (Self::Text(text), Value::String(old)) => text.as_ref().clone_into(old),
            (stored, old) => *old = stored.into(),
        }
    }

    #[inline]
    fn is_built_as(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::Null, Value::Null) => true,
            (Self::Bool(flag), Value::Bool(value)) => flag == value,
            (Self::Signed(number), Value::Number(value)) => value.as_i64() == Some(*number),
            (Self::Unsigned(number), Value::Number(value)) => value.as_u64() == Some(*number),
            (Self::Float(float), Value::Number(value)) if value.is_f64() => {
                value.as_f64().map(f64::to_bits) == Some(float.to_bits())
            }
            (Self::Float(float), Value::String(value)) => !float.is_finite() && *value == float.to_string(),
            (Self::Text(text), Value::String(value)) => text == value,
            _ => false,
        }
    }
}

#[inline]
fn overwrite_text(old: &mut Option<String>, new: Option<&str>) {
    match (old, new) {
        (Some(old), Some(new)) => new.clone_into(old),
        (old, new) => *old = new.map(str::to_owned),
    }
}

fn overwrite(old: &mut Breadcrumb, new: &Breadcrumb) {
    old.timestamp = new.timestamp;
    old.ty.clone_from(&new.ty);
    old.category.clone_from(&new.category);
    old.level = new.level;
    old.message.clone_from(&new.message);
    let has_same_keys = old.data.len() == new.data.len()
        && old.data.iter_mut().zip(&new.data).all(|((old_key, old), (key, value))| {
            match (&mut *old, value) {
                (Value::String(old), Value::String(text)) => old.clone_from(text),
                (old, value) => *old = value.clone(),
            }
            old_key == key
        });
    if !has_same_keys {
        old.data.clone_from(&new.data);
    }
}

/// True if two values are written alike. Equality alone takes zero for minus zero, and order for nothing.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            let bits = |number: &serde_json::Number| number.as_f64().map(f64::to_bits);
            one == other && (!one.is_f64() || bits(one) == bits(other))
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let mut pairs = one.iter().zip(other);
            one.len() == other.len() && pairs.all(|((key, one), (twin, other))| key == twin && is_same(one, other))
        }
        (one, other) => one == other,
    }
}

/// Roughly what an entry of the data takes.
fn weight(key: &String, value: &Value) -> usize {
    size_of::<(String, Value)>() + key.capacity() + weight_beside(value)
}

/// Roughly what a value keeps alive, beside itself.
fn weight_beside(value: &Value) -> usize {
    match value {
        Value::String(text) => text.capacity(),
        Value::Array(list) => list.iter().map(|value| size_of::<Value>() + weight_beside(value)).sum(),
        Value::Object(map) => map.iter().map(|(key, value)| weight(key, value)).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}
