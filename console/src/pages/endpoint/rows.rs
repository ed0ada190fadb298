//! Rows of the form that there may be any number of: conditions and headers. They
//! work without a script: a button of the form adds or removes one.

use domain::{Condition, DataField, Operand, Operator};

use crate::web::Form;

/// Rows of one kind at most: as many as are allowed, and one to see it refused.
const MOST: usize = 21;

/// One condition as it was typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ConditionRow {
    pub(super) field: String,
    pub(super) operator: String,
    pub(super) value: String,
}

/// One header as it was typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct HeaderRow {
    pub(super) name: String,
    pub(super) value: String,
}

/// What is wrong with a row before its meaning is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RowMistake {
    FieldMissing,
    ValueMissing,
    NotANumber,
}

impl ConditionRow {
    pub(super) fn all(form: &Form) -> Vec<Self> {
        let rows = form.all("filter_field").zip(form.all("filter_operator"));
        rows.zip(form.all("filter_value"))
            .take(MOST)
            .map(|((field, operator), value)| Self {
                field: field.to_owned(),
                operator: operator.to_owned(),
                value: value.trim().to_owned(),
            })
            .collect()
    }

    pub(super) fn is_blank(&self) -> bool {
        self.field.is_empty() && self.value.is_empty()
    }

    /// The condition that it is.
    pub(super) fn read(&self) -> Result<Condition, RowMistake> {
        let field = DataField::parse(&self.field).ok_or(RowMistake::FieldMissing)?;
        if self.value.is_empty() {
            return Err(RowMistake::ValueMissing);
        }
        let is_number = field.operators().contains(&Operator::AtMost);
        let value = if is_number {
            let number = self.value.parse().map_err(|_| RowMistake::NotANumber)?;
            Operand::Number(number)
        } else {
            Operand::Text(self.value.clone())
        };
        let operator = Operator::parse(&self.operator).unwrap_or(Operator::Equals);
        Ok(Condition {
            field,
            operator,
            value,
        })
    }
}

impl From<&Condition> for ConditionRow {
    fn from(condition: &Condition) -> Self {
        Self {
            field: condition.field.as_str().to_owned(),
            operator: condition.operator.as_str().to_owned(),
            value: match &condition.value {
                Operand::Number(number) => number.to_string(),
                Operand::Text(text) => text.clone(),
            },
        }
    }
}

impl HeaderRow {
    pub(super) fn all(form: &Form) -> Vec<Self> {
        form.all("header_name")
            .zip(form.all("header_value"))
            .take(MOST)
            .map(|(name, value)| Self {
                name: name.trim().to_owned(),
                value: value.trim().to_owned(),
            })
            .collect()
    }

    pub(super) fn is_blank(&self) -> bool {
        self.name.is_empty() && self.value.is_empty()
    }
}

/// Takes out what is blank, and puts one blank row at the end where there is none
/// and `wanted` says so.
pub(super) fn tidy<T: Default>(rows: &mut Vec<T>, is_blank: impl Fn(&T) -> bool, one_more: bool) {
    rows.retain(|row| !is_blank(row));
    if (one_more || rows.is_empty()) && rows.len() < MOST {
        rows.push(T::default());
    }
}
