//! A value that is read from the binary's index when it is first used.

use std::fmt;
use std::ops::Deref;
use std::sync::OnceLock;

/// A value, or the bytes that it is read from on first use.
pub struct Later<T> {
    value: OnceLock<Box<T>>,
    packed: &'static [u8],
    read: fn(&'static [u8]) -> T,
}

impl<T> Later<T> {
    /// A value that `read` makes of `packed` when it is first used.
    pub(super) fn new(packed: &'static [u8], read: fn(&'static [u8]) -> T) -> Self {
        Self { value: OnceLock::new(), packed, read }
    }

    /// The value, to change it.
    pub(crate) fn get_mut(&mut self) -> &mut T {
        let _: &T = self;
        self.value.get_mut().expect("it was read above")
    }

    /// The value itself.
    pub fn into_inner(self) -> T {
        let Self { value, packed, read } = self;
        value.into_inner().map_or_else(|| read(packed), |value| *value)
    }
}

impl<T> From<T> for Later<T> {
    fn from(value: T) -> Self {
        let read = |_: &'static [u8]| unreachable!("there is a value");
        Self { value: OnceLock::from(Box::new(value)), packed: &[], read }
    }
}

impl<T: Default> Default for Later<T> {
    fn default() -> Self {
        Self::from(T::default())
    }
}

impl<T> Deref for Later<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value.get_or_init(|| Box::new((self.read)(self.packed)))
    }
}

impl<T: Clone> Clone for Later<T> {
    fn clone(&self) -> Self {
        Self { value: self.value.clone(), packed: self.packed, read: self.read }
    }
}

impl<T: fmt::Debug> fmt::Debug for Later<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.deref().fmt(formatter)
    }
}

impl<T> Later<Option<T>> {
    /// Whether there is one, without reading it: nothing is packed as no bytes.
    pub fn is_some(&self) -> bool {
        self.value.get().map_or(!self.packed.is_empty(), |value| value.is_some())
    }

    /// The opposite of [`Later::is_some`].
    pub fn is_none(&self) -> bool {
        !self.is_some()
    }
}
