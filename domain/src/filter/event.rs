//! An event as filters look at it.

use std::{cell::OnceCell, collections::BTreeMap};

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::EventKind;

/// An event as it is delivered. Its data is read when the first condition
/// concerns it, and once for all filters: where there are none, this costs
/// nothing.
#[derive(Debug)]
pub struct FilteredEvent<'a> {
    kind: EventKind,
    body: &'a [u8],
    data: OnceCell<Option<Data<'a>>>,
}

/// The fields as they stand in the text, not read yet.
type Data<'a> = BTreeMap<&'a str, &'a RawValue>;

impl<'a> FilteredEvent<'a> {
    /// The event whose envelope is `body`.
    #[must_use]
    pub const fn new(kind: EventKind, body: &'a [u8]) -> Self {
        Self {
            kind,
            body,
            data: OnceCell::new(),
        }
    }

    /// Which event.
    #[must_use]
    pub const fn kind(&self) -> EventKind {
        self.kind
    }

    /// Its data; `None` where the body holds no object of that name.
    pub(super) fn data(&self) -> Option<&Data<'a>> {
        /// Not as strict as the producer: a newer one may know more fields.
        #[derive(Deserialize)]
        struct Envelope<'a> {
            #[serde(borrow)]
            data: Data<'a>,
        }
        self.data
            .get_or_init(|| {
                let envelope = serde_json::from_slice::<Envelope<'a>>(self.body).ok()?;
                Some(envelope.data)
            })
            .as_ref()
    }
}
