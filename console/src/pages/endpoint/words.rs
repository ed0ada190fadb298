//! What is wrong with a form, in the reader's language: what is allowed, not only
//! that something is not.

use delivery::{Guard, HeaderFault, Refused};
use domain::{DataField, MAX_CONDITIONS, Operator};

use super::fields::Typed;
use super::rows::{ConditionRow, RowMistake};
use crate::endpoints::{MAX_DESCRIPTION, MAX_PER_SECOND, Mistake, Wrong};
use crate::web::{Language, Messages};

/// Where on the form a mistake stands.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place<'a> {
    /// Beside the field of this id.
    Field(&'static str),
    /// In a condition, counted among those that are not blank.
    Condition { index: usize, part: &'static str },
    /// In the header of this name.
    Header(&'a str),
}

/// Which URLs an endpoint may have.
pub(super) fn url_allowed(t: &'static Messages, guard: &Guard) -> String {
    let ports: Vec<String> = guard.ports().iter().map(u16::to_string).collect();
    let allowed = t.form.url_hint(ports.join(&format!(" {} ", t.events.or)));
    if guard.takes_plain_loopback() {
        format!("{allowed} {}", t.form.url_hint_loopback)
    } else {
        allowed
    }
}

pub(super) fn place(mistake: &Mistake) -> Place<'_> {
    match &mistake.wrong {
        Wrong::AccountMissing => Place::Field("account"),
        Wrong::UrlMissing => Place::Field("url"),
        Wrong::EventsMissing | Wrong::NoEvents | Wrong::EventTwice(_) => Place::Field("events"),
        Wrong::Refused(Refused::Header { name, .. }) => Place::Header(name),
        Wrong::Refused(_) => Place::Field("url"),
        Wrong::Filter(filter) => {
            // `[1].value`; the list itself has no path.
            let path = filter.path.trim_start_matches('[').split_once("].");
            match path.and_then(|(index, part)| Some((index.parse().ok()?, part))) {
                Some((index, "operator")) => Place::Condition {
                    index,
                    part: "operator",
                },
                Some((index, "field")) => Place::Condition {
                    index,
                    part: "field",
                },
                Some((index, _)) => Place::Condition {
                    index,
                    part: "value",
                },
                None => Place::Field("filter"),
            }
        }
        Wrong::DescriptionTooLong(_) | Wrong::DescriptionControl => Place::Field("description"),
        Wrong::Rate(_) => Place::Field("rate"),
        Wrong::Secret(_) => Place::Field("event"),
    }
}

/// Which half of a header is wrong.
pub(super) fn header_part(mistake: &Mistake) -> &'static str {
    let fault = if let Wrong::Refused(Refused::Header { reason, .. }) = &mistake.wrong {
        *reason
    } else {
        HeaderFault::Name
    };
    match fault {
        HeaderFault::Value | HeaderFault::TooLong => "value",
        HeaderFault::TooMany
        | HeaderFault::Twice
        | HeaderFault::Name
        | HeaderFault::Own
        | HeaderFault::HopByHop => "name",
    }
}

pub(super) fn mistake(language: Language, typed: &Typed, mistake: &Mistake) -> String {
    let t = language.messages();
    let error = &t.form_error;
    match &mistake.wrong {
        Wrong::AccountMissing => error.account_missing.to_owned(),
        Wrong::UrlMissing => error.url_missing.to_owned(),
        Wrong::EventsMissing | Wrong::NoEvents | Wrong::EventTwice(_) => error.no_events.to_owned(),
        Wrong::Refused(refused) => self::refused(t, refused),
        Wrong::Filter(_) => condition(t, typed, mistake),
        Wrong::DescriptionTooLong(length) => {
            error.description_too_long(language.number(count(*length)), MAX_DESCRIPTION)
        }
        Wrong::DescriptionControl => error.description_control.to_owned(),
        Wrong::Rate(_) => rate_allowed(language),
        Wrong::Secret(_) => error.secret.to_owned(),
    }
}

pub(super) fn rate_allowed(language: Language) -> String {
    let most = language.number(u64::from(MAX_PER_SECOND));
    language.messages().form_error.rate(most)
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

fn condition(t: &'static Messages, typed: &Typed, mistake: &Mistake) -> String {
    let error = &t.form_error;
    let Place::Condition { index, part } = place(mistake) else {
        return error.too_many_conditions(MAX_CONDITIONS);
    };
    let row = typed
        .conditions
        .iter()
        .filter(|row| !row.is_blank())
        .nth(index);
    let field = row.and_then(|row| DataField::parse(&row.field));
    match (part, field) {
        ("operator", Some(field)) => {
            let operators = field.operators().iter().map(|one| operator(t, *one));
            let operators: Vec<&str> = operators.collect();
            error.operator(field, operators.join(", "))
        }
        ("field", Some(field)) => error.field_not_carried(field),
        (_, Some(field)) => {
            let begins = row.is_some_and(|row| row.operator == Operator::StartsWith.as_str());
            value_allowed(t, field, begins)
        }
        (_, None) => error.no_field.to_owned(),
    }
}

/// What a field can be compared with.
fn value_allowed(t: &'static Messages, field: DataField, begins: bool) -> String {
    let error = &t.form_error;
    if begins {
        return error.value_text.to_owned();
    }
    match field {
        DataField::Score => error.value_score,
        DataField::SessionDurationSeconds => error.value_seconds,
        DataField::Segment => error.value_segment,
        DataField::Email => error.value_email,
        DataField::BrowserLocale => error.value_locale,
        DataField::ProductSku
        | DataField::Comment
        | DataField::SessionPage
        | DataField::ResponseId
        | DataField::CustomerId => error.value_text,
    }
    .to_owned()
}

/// The sign or the words of a comparison.
pub(super) fn operator(t: &'static Messages, operator: Operator) -> &'static str {
    match operator {
        Operator::Equals => t.operator.equals,
        Operator::AtMost => t.operator.at_most,
        Operator::AtLeast => t.operator.at_least,
        Operator::StartsWith => t.operator.starts_with,
    }
}

/// The part of the row that is wrong, and how.
pub(super) fn row_mistake(
    t: &'static Messages,
    row: &ConditionRow,
    mistake: RowMistake,
) -> (&'static str, String) {
    let error = &t.form_error;
    match mistake {
        RowMistake::FieldMissing => ("field", error.no_field.to_owned()),
        RowMistake::ValueMissing => ("value", error.no_value.to_owned()),
        RowMistake::NotANumber => {
            let field = DataField::parse(&row.field).unwrap_or(DataField::Score);
            ("value", value_allowed(t, field, false))
        }
    }
}

/// Why a URL or a header is not allowed.
pub(super) fn refused(t: &'static Messages, refused: &Refused) -> String {
    let url = &t.url_error;
    match refused {
        Refused::TooLong { found, allowed } => url.too_long(found, allowed),
        Refused::Character { found } => {
            let code = u32::from(*found);
            url.character(format!("U+{code:04X}"))
        }
        Refused::Scheme { .. } => url.scheme.to_owned(),
        Refused::NoHost => url.no_host.to_owned(),
        Refused::UserInfo => url.user_info.to_owned(),
        Refused::Fragment => url.fragment.to_owned(),
        Refused::Unreadable { .. } => url.unreadable.to_owned(),
        Refused::Port { found, allowed } => url.port(found, allowed),
        Refused::SingleLabel { name } => url.single_label(name),
        Refused::ReservedName { name, reserved } => url.reserved(name, reserved),
        Refused::NotPublic { ip, .. } => url.not_public(ip),
        Refused::Denied { ip, net } => url.denied(ip, net),
        Refused::Resolved { name, address } => url.resolved(name, self::refused(t, address)),
        Refused::Header { reason, .. } => match reason {
            HeaderFault::TooMany => t.header_error.too_many,
            HeaderFault::TooLong => t.header_error.too_long,
            HeaderFault::Twice => t.header_error.twice,
            HeaderFault::Name => t.header_error.name,
            HeaderFault::Own => t.header_error.own,
            HeaderFault::HopByHop => t.header_error.hop_by_hop,
            HeaderFault::Value => t.header_error.value,
        }
        .to_owned(),
    }
}
