//! What a command prints: lines and tables for people, or one JSON document.

use std::io::{self, IsTerminal as _, Write as _};

use comfy_table::{ContentArrangement, Table, presets};
use juki_domain::{ErrorCode, Lang};
use serde::Serialize;
use serde_json::Value;

use crate::failure::Failure;

/// Where a command prints, in which language and form.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Screen {
    /// The language of what people read.
    pub(crate) lang: Lang,
    /// Whether one JSON document is wanted in place of text.
    pub(crate) json: bool,
    /// Whether nothing is wanted at all: another command speaks.
    pub(crate) quiet: bool,
}

impl Screen {
    /// The same screen for a command that works for another one.
    pub(crate) fn silent(self) -> Self {
        Self {
            quiet: true,
            ..self
        }
    }

    /// Prints a line for people; nothing where JSON is wanted.
    pub(crate) fn line(&self, text: impl AsRef<str>) {
        if !self.json && !self.quiet {
            write_out(text.as_ref());
        }
    }

    /// Prints a table for people; nothing where JSON is wanted.
    pub(crate) fn table(&self, header: &[&str], rows: Vec<Vec<String>>) {
        self.line(table_text(header, rows));
    }

    /// Prints the JSON document; nothing where text is wanted.
    ///
    /// # Errors
    /// [`ErrorCode::CheckFailed`] where the value cannot be written as JSON.
    pub(crate) fn document<T: Serialize + ?Sized>(&self, value: &T) -> Result<(), Failure> {
        if self.json && !self.quiet {
            let text = serde_json::to_string(value)
                .map_err(|error| Failure::new(ErrorCode::CheckFailed, error.to_string()))?;
            write_out(&text);
        }
        Ok(())
    }

    /// Prints the members of a JSON answer for people, one a line; nothing where JSON is wanted.
    pub(crate) fn members(&self, answer: &Value) {
        let mut lines = Vec::new();
        flatten("", answer, &mut lines);
        let width = lines
            .iter()
            .map(|(name, _)| name.chars().count())
            .max()
            .unwrap_or(0);
        for (name, value) in lines {
            self.line(format!("{name:width$}  {value}").trim_end());
        }
    }

    /// Whether a person sees moving progress: the error output is a terminal and text is wanted.
    pub(crate) fn shows_progress(&self) -> bool {
        !self.json && !self.quiet && io::stderr().is_terminal()
    }
}

fn flatten(path: &str, value: &Value, lines: &mut Vec<(String, String)>) {
    let below = |name: &str| {
        if path.is_empty() {
            name.to_owned()
        } else {
            format!("{path}.{name}")
        }
    };
    match value {
        Value::Object(members) => members
            .iter()
            .for_each(|(name, value)| flatten(&below(name), value, lines)),
        Value::Array(values) => values
            .iter()
            .zip(1..)
            .for_each(|(value, number)| flatten(&below(&i32::to_string(&number)), value, lines)),
        Value::String(text) => lines.push((path.to_owned(), text.clone())),
        Value::Null => {}
        Value::Bool(_) | Value::Number(_) => lines.push((path.to_owned(), value.to_string())),
    }
}

/// A table that fits the terminal; wide characters count as two columns.
pub(crate) fn table_text(header: &[&str], rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_BORDERS_ONLY)
        .set_header(header.to_vec());
    // On a narrower terminal, broken lines are easier to read than columns of single letters.
    if table.width().is_some_and(|width| width >= TABLE_WIDTH_MIN) {
        table.set_content_arrangement(ContentArrangement::Dynamic);
    }
    for row in rows {
        table.add_row(row);
    }
    table.to_string()
}

/// Prints to the error output, which is where failures go in every form of output.
pub(crate) fn write_error(text: &str) {
    // A closed error output leaves nowhere to report to.
    let _closed = writeln!(io::stderr(), "{text}");
}

fn write_out(text: &str) {
    // A reader that went away (`| head`) has what it wanted.
    let _closed = writeln!(io::stdout(), "{text}");
}

const TABLE_WIDTH_MIN: u16 = 72;
